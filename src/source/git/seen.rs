//! What a scan of the object database saw, so that a later one need not look at it again.
//!
//! All or nothing: it holds only while every pack and every loose object that was seen is still
//! there. Then nothing that was true of them can have changed, and the later scan visits only
//! what is new, and again what something was found in, since nothing here holds a secret.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::{Exists, Kind};

use super::super::archive::Opener;
use super::super::content::Feeder;
use super::super::{Sink, parallel};
use super::lookup::Lookup;
use super::objects::{Found, ObjectOptions};
use super::pack::{Counts, Known, ObjectDirectories};
use super::record::{Reader, Writer};
use super::repository::Repository;
use super::tree_entries::TreeEntries;
use crate::chunk::Chunk;
use crate::finding::{Coverage, Oid, Origin};

/// What objects that are named and not there can be.
const LABELS: [&str; 5] = ["tree", "blob", "commit", "tagged object", "object"];

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Sorted.
    packs: Vec<PackMark>,
    /// Of all objects that were visited.
    counts: Counts,
    /// Objects that were in no pack then, sorted.
    loose: Vec<Oid>,
    /// All commits, sorted: attribution wants to know those that nothing reaches.
    commits: Vec<Oid>,
    /// Objects that were named and not there, and what they should have been.
    missing: Vec<(Oid, &'static str)>,
    /// For each file name worth scanning, one tree that has it.
    trees: Vec<Oid>,
    /// Content that LFS pointers name.
    lfs: Vec<String>,
    /// Where history was cut.
    shallow: Vec<Oid>,
    /// Objects in which something was found, sorted; added by whoever knows.
    hits: Vec<Oid>,
}

/// What tells one pack from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PackMark {
    path: Vec<u8>,
    pack_len: u64,
    index_len: u64,
    /// The checksums at the end of pack and index.
    ends: Vec<u8>,
}

impl PackMark {
    /// Looks at the pack at `path`; none when it or its index cannot be read.
    fn of(path: &Path, hash_len: usize) -> Option<Self> {
        let end = |path: &Path| -> Option<(u64, Vec<u8>)> {
            // A pipe would be waited for.
            fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
            let mut file = fs::File::open(path).ok()?;
            let len = file.metadata().ok()?.len();
            file.seek(SeekFrom::Start(len.checked_sub(2 * hash_len as u64)?)).ok()?;
            let mut end = Vec::new();
            file.read_to_end(&mut end).ok()?;
            Some((len, end))
        };
        let (pack_len, mut ends) = end(path)?;
        let (index_len, more) = end(&path.with_extension("idx"))?;
        ends.extend(more);
        Some(Self { path: path.as_os_str().as_encoded_bytes().to_vec(), pack_len, index_len, ends })
    }
}

/// Packs in `directories`, sorted.
fn packs_in(directories: &ObjectDirectories) -> Vec<PathBuf> {
    let mut packs: Vec<PathBuf> = directories
        .paths()
        .iter()
        .filter_map(|directory| fs::read_dir(directory.join("pack")).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pack"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pack-")))
        .collect();
    packs.sort();
    packs
}

/// Marks of all packs, sorted; none when one of them has no index that can be read.
fn marks(directories: &ObjectDirectories) -> Option<Vec<PackMark>> {
    let hash_len = directories.hash().name_len();
    packs_in(directories).iter().map(|pack| PackMark::of(pack, hash_len)).collect()
}

/// What one visit came across besides content.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    pub(super) loose: Vec<Oid>,
    pub(super) commits: Vec<Oid>,
    pub(super) lfs: BTreeSet<String>,
}

impl Fresh {
    pub(super) fn merge(&mut self, other: Self) {
        self.loose.extend(other.loose);
        self.commits.extend(other.commits);
        self.lfs.extend(other.lfs);
    }
}

/// How a scan goes about it: what it need not visit, and what it takes over.
pub(super) struct Plan {
    pub(super) known: Arc<Known>,
    before: Seen,
    /// Packs as they were when the scan began.
    packs: Option<Vec<PackMark>>,
}

impl Plan {
    /// Everything is new.
    pub(super) fn afresh(directories: &ObjectDirectories) -> Self {
        let packs = marks(directories);
        Self { known: Arc::default(), before: Seen::default(), packs }
    }

    /// Goes on from `before`; none when something of it is gone or changed.
    pub(super) fn after(
        before: Seen,
        repository: &Repository,
        directories: &ObjectDirectories,
    ) -> Option<Self> {
        let plan = Self::afresh(directories);
        let now = plan.packs.as_ref()?;
        let same_packs = before.packs.iter().all(|pack| now.binary_search(pack).is_ok());
        if !same_packs || before.shallow != sorted(repository.shallow_boundary()) {
            return None;
        }
        let mut known = Known::default();
        let hash = directories.hash();
        for path in packs_in(directories) {
            let name = path.as_os_str().as_encoded_bytes();
            if before.packs.binary_search_by(|pack| pack.path.as_slice().cmp(name)).is_ok() {
                known.add_pack(&path, hash).ok()?;
            }
        }
        known.add_objects(before.loose.iter().copied());
        let odb = repository.local().objects;
        let there = |id: &Oid| ObjectId::try_from(id.as_bytes()).is_ok_and(|id| odb.exists(&id));
        before.loose.iter().all(there).then_some(Self { known: Arc::new(known), before, ..plan })
    }

    /// Whether there is anything to take over.
    pub(super) fn goes_on(&self) -> bool {
        !self.known.is_empty()
    }

    /// Adds to `found` and `coverage` what a visit of all that is known would have brought, and
    /// hands content in which something was found to `sink` again.
    pub(super) fn take_over(
        &self,
        repository: &Repository,
        options: &ObjectOptions,
        sink: &dyn Sink,
        found: &mut Found,
        coverage: &mut Coverage,
    ) {
        let Seen { counts, hits, trees, missing, lfs, .. } = &self.before;
        coverage.commits += counts.commits;
        coverage.tags += counts.tags;
        coverage.trees += counts.trees;
        coverage.blobs += counts.blobs;
        coverage.bytes += counts.bytes;
        found.fresh.lfs.extend(lfs.iter().cloned());
        let odb = repository.local().objects;
        for (id, what) in missing {
            if let Ok(id) = ObjectId::try_from(id.as_bytes())
                && !odb.exists(&id)
            {
                found.missing(id, what);
            }
        }
        let mut again: Vec<Oid> = hits.iter().chain(trees).copied().collect();
        again.sort_unstable();
        again.dedup();
        again.sort_by_cached_key(|id| self.known.position(id));
        let make = || (Lookup::with_large_cache(repository), Found::default());
        let opener = Opener::new(options.archives, sink);
        let states = parallel::each(options.jobs, again.len(), 64, make, |(lookup, found), number| {
            visit(&again[number], options, (&opener, repository), sink, lookup, found);
            !sink.cancelled()
        });
        states.into_iter().for_each(|(_, part)| found.merge(part));
    }

    /// Commits among what is known.
    pub(super) fn commits(&self) -> &[Oid] {
        &self.before.commits
    }

    /// What was seen all in all, when `visited` objects were new. None when part of it could not
    /// be read: that has to be tried again next time.
    pub(super) fn seen(
        self,
        visited: &Counts,
        found: &Found,
        repository: &Repository,
        directories: &ObjectDirectories,
    ) -> Option<Seen> {
        // NOTE: a pack that came or went meanwhile may have been visited or not.
        if found.has_unreadable() || marks(directories) != self.packs {
            return None;
        }
        let Seen { counts: before, loose, commits, .. } = self.before;
        Some(Seen {
            packs: self.packs?,
            counts: Counts {
                commits: before.commits + visited.commits,
                trees: before.trees + visited.trees,
                blobs: before.blobs + visited.blobs,
                tags: before.tags + visited.tags,
                bytes: before.bytes + visited.bytes,
            },
            loose: sorted(loose.into_iter().chain(found.fresh.loose.iter().copied())),
            commits: sorted(commits.into_iter().chain(found.fresh.commits.iter().copied())),
            missing: found.missing_objects(),
            trees: sorted(found.trees_with_names()),
            lfs: found.fresh.lfs.iter().cloned().collect(),
            shallow: sorted(repository.shallow_boundary()),
            hits: Vec::new(),
        })
    }
}

fn sorted(ids: impl IntoIterator<Item = Oid>) -> Vec<Oid> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Hands over the content of an object that was visited before.
fn visit(
    id: &Oid,
    options: &ObjectOptions,
    (opener, repository): (&Opener<'_>, &Repository),
    sink: &dyn Sink,
    lookup: &mut Lookup,
    found: &mut Found,
) {
    let Ok(name) = ObjectId::try_from(id.as_bytes()) else { return };
    let emit = |chunk: Chunk<'_>| sink.chunk(chunk);
    let feeder = Feeder::new(&emit, options.windows);
    if lookup.is_large(&name, options.archives.object) {
        let feeder = feeder.opening(opener);
        if let Err(unread) =
            lookup.blob(repository, &name, &options.archives, &feeder, &Origin::Blob { id: *id })
        {
            found.unread(name, "blob", unread);
        }
        return;
    }
    let (kind, content) = match lookup.read(&name) {
        Ok(read) => read,
        Err(unread) => return found.unreadable(name, unread.why),
    };
    match kind {
        Kind::Blob => _ = feeder.opening(opener).bytes(content, &Origin::Blob { id: *id }),
        Kind::Commit => _ = feeder.bytes(content, &Origin::Commit { id: *id }),
        Kind::Tag => _ = feeder.bytes(content, &Origin::Tag { id: *id }),
        Kind::Tree => {
            for entry in TreeEntries::new(content, name.as_bytes().len()).flatten() {
                if super::super::names::may_hold_token(entry.name) && sink.suspects(entry.name) {
                    found.name(entry.name, &name);
                }
            }
        }
    }
}

impl Seen {
    /// Names the objects in which something was found; they are looked at again each time.
    pub fn set_hits(&mut self, hits: impl IntoIterator<Item = Oid>) {
        self.hits = sorted(hits);
    }

    /// Number of objects that need not be visited again.
    #[must_use]
    pub const fn objects(&self) -> u64 {
        self.counts.objects()
    }

    /// All of it as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.number(self.packs.len() as u64);
        for pack in &self.packs {
            out.text(&pack.path);
            out.number(pack.pack_len);
            out.number(pack.index_len);
            out.text(&pack.ends);
        }
        let Counts { commits, trees, blobs, tags, bytes } = self.counts;
        [commits, trees, blobs, tags, bytes].into_iter().for_each(|count| out.number(count));
        for list in [&self.loose, &self.commits, &self.trees, &self.shallow, &self.hits] {
            out.ids(list);
        }
        out.number(self.missing.len() as u64);
        for (id, what) in &self.missing {
            out.text(id.as_bytes());
            out.number(LABELS.iter().position(|label| label == what).unwrap_or(LABELS.len() - 1) as u64);
        }
        out.number(self.lfs.len() as u64);
        self.lfs.iter().for_each(|id| out.text(id.as_bytes()));
        out.into_bytes()
    }

    /// Reads what [`Seen::to_bytes`] wrote; none for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader::new(bytes);
        let packs = input.list(|input| {
            Some(PackMark {
                path: input.text()?.to_vec(),
                pack_len: input.number()?,
                index_len: input.number()?,
                ends: input.text()?.to_vec(),
            })
        })?;
        let mut count = || input.number();
        let counts =
            Counts { commits: count()?, trees: count()?, blobs: count()?, tags: count()?, bytes: count()? };
        let [loose, commits, trees, shallow, hits] =
            [input.ids()?, input.ids()?, input.ids()?, input.ids()?, input.ids()?];
        let missing = input.list(|input| {
            let id = Oid::from_bytes(input.text()?).ok()?;
            Some((id, *LABELS.get(usize::try_from(input.number()?).ok()?)?))
        })?;
        let lfs = input.list(|input| String::from_utf8(input.text()?.to_vec()).ok())?;
        let lists = [&loose, &commits, &trees, &shallow, &hits];
        let in_order = packs.is_sorted() && lists.iter().all(|list| list.is_sorted());
        (in_order && input.is_at_end()).then_some(Self {
            packs,
            counts,
            loose,
            commits,
            missing,
            trees,
            lfs,
            shallow,
            hits,
        })
    }
}
