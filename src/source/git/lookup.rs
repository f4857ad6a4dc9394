//! Reading single objects, with failures put in words once.

use gix::objs::{Find, FindHeader, Kind};

use super::delta_cache::DeltaCache;
use super::pack::{Database, HEAVY, ObjectError, ObjectKind, turn};
use super::repository::chain;
use crate::finding::{GapKind, Oid, Origin};
use crate::source::archive::Limits;
use crate::source::content::Feeder;

/// Why an object could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// Missing, unreadable or over budget.
    pub(super) kind: GapKind,
    /// In plain words, with the next command.
    pub(super) why: String,
}

/// Reads objects of one repository into a buffer that is used again.
pub(super) struct Lookup {
    odb: gix::OdbHandle,
    partial: bool,
    buffer: Vec<u8>,
}

impl Lookup {
    /// Reads from the object database of `repository`.
    pub(super) fn new(repository: &super::Repository) -> Self {
        let mut odb = repository.local().objects;
        odb.refresh_never();
        Self { odb, partial: repository.is_partial(), buffer: Vec::new() }
    }

    /// Like [`Lookup::new`], for reading most of the repository's commits and trees.
    pub(super) fn with_large_cache(repository: &super::Repository) -> Self {
        /// Bytes of delta bases kept.
        const DELTA_CACHE: usize = 128 << 20;
        Self::with_cache(repository, DELTA_CACHE)
    }

    /// Like [`Lookup::new`], with `bytes` of delta bases kept.
    pub(super) fn with_cache(repository: &super::Repository, bytes: usize) -> Self {
        let mut lookup = Self::new(repository);
        lookup.odb.set_pack_cache(move || Box::new(DeltaCache::new(bytes)));
        lookup
    }

    /// Kind of the object `id`, from its header alone; `None` when that cannot be read.
    pub(super) fn kind(&self, id: &gix::oid) -> Option<Kind> {
        self.header(id).map(|header| header.kind)
    }

    /// Kind and content of the object `id`.
    pub(super) fn read(&mut self, id: &gix::oid) -> Result<(Kind, &[u8]), Unread> {
        match self.odb.try_find(id, &mut self.buffer) {
            Ok(Some(data)) => Ok((data.kind, data.data)),
            Ok(None) => Err(missing(self.partial)),
            Err(error) => Err(Unread {
                kind: GapKind::Unreadable,
                why: format!("{}; run `git fsck`, and restore it from another clone", chain(&error)),
            }),
        }
    }

    /// Bytes that the object `id` has; 0 where something is wrong with it, which shows when it is read.
    fn size(&self, id: &gix::oid) -> u64 {
        self.header(id).map_or(0, |header| header.size)
    }

    fn header(&self, id: &gix::oid) -> Option<gix::objs::Header> {
        self.odb.try_header(id).ok().flatten()
    }

    /// Whether the object `id` has more than `most` bytes.
    pub(super) fn is_large(&self, id: &gix::oid, most: u64) -> bool {
        self.size(id) > most
    }

    /// Hands the blob `id` to `feeder`, in pieces when it is too large to be held: whether something was
    /// found in it, and how many bytes it has.
    pub(super) fn blob(
        &mut self,
        repository: &super::Repository,
        id: &gix::oid,
        limits: &Limits,
        feeder: &Feeder<'_>,
        origin: &Origin,
    ) -> Result<(bool, u64), Unread> {
        let size = self.size(id);
        if size > limits.object {
            return large(repository, id, (size, limits), feeder, origin);
        }
        let _turn = (size > HEAVY).then(turn);
        let content = self.expect(id, Kind::Blob)?;
        let found = (feeder.bytes(content, origin), content.len() as u64);
        if size > HEAVY {
            self.buffer = Vec::new();
        }
        Ok(found)
    }

    /// Content of the object `id`, which has to be of kind `expected`.
    pub(super) fn expect(&mut self, id: &gix::oid, expected: Kind) -> Result<&[u8], Unread> {
        let (kind, content) = self.read(id)?;
        if kind == expected {
            Ok(content)
        } else {
            Err(Unread {
                kind: GapKind::Unreadable,
                why: format!("is a {kind} where a {expected} should be"),
            })
        }
    }
}

/// Hands over a blob that is too large to be held.
fn large(
    repository: &super::Repository,
    id: &gix::oid,
    (size, limits): (u64, &Limits),
    feeder: &Feeder<'_>,
    origin: &Origin,
) -> Result<(bool, u64), Unread> {
    let name = Oid::from_bytes(id.as_bytes())
        .map_err(|error| Unread { kind: GapKind::Unreadable, why: error.to_string() })?;
    limits.allow(size).map_err(|why| Unread { kind: GapKind::Budget, why })?;
    let most = limits.object;
    let mut read = None;
    let is_good =
        Database::open(&repository.object_directories(), most).stream(&name, |kind, size, content| {
            if kind == ObjectKind::Blob {
                let (found, outcome) = feeder.large(content, size, origin);
                read = Some((found, outcome.map(|_| size)));
            }
        });
    match read {
        Some((found, Ok(size))) if is_good => Ok((found, size)),
        Some((_, Err(error))) => Err(Unread {
            kind: GapKind::Unreadable,
            why: format!("{error}; run `git fsck`, and restore it from another clone"),
        }),
        Some(_) | None => {
            let error = ObjectError::TooLarge { size, limit: most };
            Err(Unread { kind: error.gap_kind(), why: error.to_string() })
        }
    }
}

/// What is said of objects that are not there.
pub(super) fn missing(partial: bool) -> Unread {
    let why = if partial {
        "not in this partial clone; run `git fetch --refetch --no-filter` to get everything"
    } else {
        "not in the object database; run `git fsck`, and restore it from another clone"
    };
    Unread { kind: GapKind::Missing, why: why.to_owned() }
}

/// Name of the tree that the content of a commit begins with.
pub(super) fn tree_of_commit(commit: &[u8]) -> Option<gix::ObjectId> {
    let line = commit.strip_prefix(b"tree ")?;
    gix::ObjectId::from_hex(&line[..memchr::memchr(b'\n', line)?]).ok()
}

/// When a commit was made, in seconds since 1970; 0 when it does not say.
pub(super) fn time_of_commit(commit: &[u8]) -> i64 {
    let mut header = commit.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
    let committer = header.find_map(|line| line.strip_prefix(b"committer "));
    committer.and_then(time_of_person).unwrap_or(0)
}

/// Seconds since 1970 from `Name <address> seconds zone`.
fn time_of_person(person: &[u8]) -> Option<i64> {
    let rest = &person[memchr::memrchr(b'>', person)? + 1..];
    std::str::from_utf8(rest).ok()?.split_ascii_whitespace().next()?.parse().ok()
}
