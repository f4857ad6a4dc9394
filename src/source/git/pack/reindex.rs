//! The table of a pack that has no usable index: its entries are found one after the other, and its
//! objects built to learn their names.

use super::bytes::EntryKind;
use super::error::ObjectError;
use super::file::PackFile;
use super::index::Index;
use super::inflate::Inflater;
use super::object::HashKind;
use super::unindexed::{Bounds, Fate, build, locate};

/// Bytes of bases that may be kept while their deltas are built.
const MOST_HELD: usize = 128 << 20;

/// A table made from the pack itself.
pub(crate) struct Reindexed {
    pub(crate) index: Index,
    /// What kept the table from being complete, if anything did.
    pub(crate) incomplete: Option<ObjectError>,
}

/// Makes the table of `pack`. Objects over `limit` bytes that are deltas get no name.
pub(crate) fn reindex(pack: &PackFile, hash: HashKind, limit: u64) -> Result<Reindexed, ObjectError> {
    let mut inflater = Inflater::new();
    let located = locate(&pack.view(), &mut inflater, |_| Ok(()));
    let (found, all) = (located.entries.len(), pack.count());
    let rest = pack.end().saturating_sub(located.end);
    let whole = located.stopped.is_none() && rest == 0;
    let mut incomplete = match located.stopped {
        Some(error) => Some(format!(
            "without an index, only {found} of its {all} objects can be located: \
             the entry at offset {}: {error}",
            located.end
        )),
        None => (rest > 0).then(|| format!("{rest} bytes follow its last object")),
    };
    let mut named = Vec::with_capacity(found);
    let bounds = Bounds { object: limit, held: MOST_HELD };
    let fates = build(pack.view(), &located.entries, &mut inflater, bounds, |at, _, name, _| {
        named.push((name, located.entries[at as usize].0));
        true
    });
    for (fate, &(offset, kind)) in fates.iter().zip(&located.entries) {
        if let (Fate::TooLarge, EntryKind::Whole(kind)) = (fate, kind)
            && let Ok(name) = pack.name_stream(offset, kind)
        {
            named.push((name, offset));
        }
    }
    let unnamed = found - named.len();
    if unnamed > 0 && incomplete.is_none() {
        incomplete = Some(format!("it has no index, and {unnamed} of its objects cannot be rebuilt"));
    }
    // Where nothing is damaged, and all that is not there is too large or builds on what is.
    let over = fates.contains(&Fate::TooLarge) && !fates.contains(&Fate::Damaged) && whole;
    let problem = if over { ObjectError::Budget } else { ObjectError::Malformed };
    Ok(Reindexed { index: Index::build(hash, named)?, incomplete: incomplete.map(problem) })
}
