//! Git bundles, and packs that lie about outside a repository.
//!
//! A bundle is a few lines that name refs and, in a thin one, commits it builds on, and then a pack.
//! Its objects are members by their names; the names in its trees are scanned as text.

use std::io::Read;

use super::walk::{Names, Walk, drain};
use crate::finding::{GapKind, Origin};
use crate::source::git::TreeEntries;
use crate::source::git::pack::{
    Bounds, EntryKind, Fate, HashKind, Inflater, ObjectError, ObjectKind, PackBytes, added, build, locate,
};

/// Largest object that is held whole, as the base of others is.
const MOST_OBJECT: u64 = 32 << 20;
/// Bases that are kept at a time.
const MOST_HELD: usize = 64 << 20;
/// Entries of a pack for each member that the budget allows: trees are no members, but most of them.
const ENTRIES_PER_MEMBER: u64 = 4;

/// Reads a bundle in memory; true when all of it was read.
pub(super) fn bundle(walk: &Walk<'_>, content: &[u8], origin: &Origin, depth: u32) -> bool {
    let Some(start) = memchr::memmem::find(content, b"\n\nPACK").map(|at| at + 2) else {
        walk.gap(GapKind::Unreadable, origin, "is a git bundle without a pack; its bytes were scanned");
        return false;
    };
    let header = &content[..start];
    // Names of refs, and the subjects of commits it builds on.
    walk.region(content, 0..start, origin);
    let hash = if memchr::memmem::find(header, b"\n@object-format=sha256\n").is_some() {
        HashKind::Sha256
    } else {
        HashKind::Sha1
    };
    objects(walk, &content[start..], hash, origin, depth)
}

/// Reads a pack in memory; true when all of it was read.
pub(super) fn pack(walk: &Walk<'_>, content: &[u8], origin: &Origin, depth: u32) -> bool {
    objects(walk, content, kind_of_checksum(content), origin, depth)
}

/// A pack does not say how its objects are named, but ends in a checksum of the same kind.
fn kind_of_checksum(content: &[u8]) -> HashKind {
    let fits = |hash: &HashKind| {
        let end = content.len().checked_sub(hash.name_len());
        end.is_some_and(|end| hash.digest(&[&content[..end]]).as_bytes() == &content[end..])
    };
    [HashKind::Sha1, HashKind::Sha256].into_iter().find(fits).unwrap_or_default()
}

fn objects(walk: &Walk<'_>, content: &[u8], hash: HashKind, origin: &Origin, depth: u32) -> bool {
    let pack = match PackBytes::new(content, hash) {
        Ok(pack) => pack,
        Err(error) => {
            walk.gap(GapKind::Unreadable, origin, &format!("is damaged: {error}"));
            return false;
        }
    };
    let mut inflater = Inflater::new();
    let (mut size, mut count) = (0, 0);
    let located = locate(&pack, &mut inflater, |more| {
        size += more;
        count += 1;
        walk.account.affords(size, count / ENTRIES_PER_MEMBER).map_err(ObjectError::Budget)
    });
    let mut complete = true;
    if let Some(error) = &located.stopped {
        let (found, all) = (located.entries.len(), pack.count());
        walk.gap(error.gap_kind(), origin, &format!("only {found} of its {all} objects were read: {error}"));
        complete = false;
    } else if located.end < pack.end() {
        // Something else, behind the pack.
        walk.region(content, located.end as usize..content.len(), origin);
    }
    let mut names = Names::new(walk, origin);
    let bounds = Bounds { object: MOST_OBJECT, held: MOST_HELD };
    let fates = build(pack, &located.entries, &mut inflater, bounds, |_, kind, name, bytes| {
        let mut data = walk.metered(bytes);
        if kind == ObjectKind::Tree {
            TreeEntries::new(bytes, hash.name_len()).map_while(Result::ok).for_each(|e| names.add(e.name));
            return drain(&mut data).is_ok();
        }
        walk.member(origin, name.to_string().as_bytes(), &mut data, depth).is_ok()
    });
    drop(names);
    let unbuilt = (0..).zip(&fates).filter(|(_, fate)| **fate != Fate::Built).map(|(at, _): (usize, _)| at);
    for at in unbuilt {
        let (offset, kind) = located.entries[at];
        if walk.account.is_stopped() || !alone(walk, &pack, offset, kind, &mut inflater, origin, depth) {
            break;
        }
    }
    tell(walk, &fates, origin) && complete
}

/// Scans what can be had of an entry that was not built: a large object as it is unpacked, of a
/// delta what it adds. False when reading is to stop.
fn alone(
    walk: &Walk<'_>,
    pack: &PackBytes<'_>,
    offset: u64,
    kind: EntryKind,
    inflater: &mut Inflater,
    origin: &Origin,
    depth: u32,
) -> bool {
    let path = format!("object-at-{offset}");
    let member = |data: &mut dyn Read| walk.member(origin, path.as_bytes(), data, depth);
    // NOTE: damage was told with the rest; what came before it was scanned.
    let _ = match kind {
        EntryKind::Whole(_) => {
            let data = pack.entry(offset).and_then(|entry| pack.slice(entry.data, pack.end()));
            let data = flate2::bufread::ZlibDecoder::new(data.unwrap_or_default());
            member(&mut walk.metered(data))
        }
        EntryKind::OffsetDelta(_) | EntryKind::NamedDelta(_) => {
            let data = added(pack, offset, inflater, MOST_OBJECT).unwrap_or_default();
            member(&mut walk.metered(&data[..]))
        }
    };
    !walk.account.is_stopped()
}

/// Tells of the entries that were not built; true when nothing is damaged.
fn tell(walk: &Walk<'_>, fates: &[Fate], origin: &Origin) -> bool {
    if walk.account.is_stopped() {
        return false;
    }
    let count = |wanted: Fate| fates.iter().filter(|&&fate| fate == wanted).count();
    let (damaged, large, baseless) = (count(Fate::Damaged), count(Fate::TooLarge), count(Fate::NoBase));
    if damaged > 0 {
        let why = format!("{damaged} of its objects are damaged; what could be read of them was scanned");
        walk.gap(GapKind::Unreadable, origin, &why);
    }
    if large > 0 {
        let why =
            format!("{large} of its objects, or what they build on, take too much memory to be rebuilt");
        walk.gap(GapKind::Budget, origin, &why);
    }
    if baseless > 0 && damaged == 0 && large == 0 {
        let why = format!(
            "{baseless} of its objects build on others that it does not hold; what they add was scanned"
        );
        walk.gap(GapKind::Missing, origin, &why);
    }
    damaged == 0
}
