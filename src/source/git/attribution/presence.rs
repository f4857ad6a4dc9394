//! Whether the objects that trees name are there, asked a batch at a time.
//!
//! Names of objects are spread evenly, so each search in a large index waits for memory. A batch has
//! its parts of the index fetched while it is gathered, and the waits overlap. What only has to be
//! there, as a file has, can wait for its batch; a directory's number is needed at once.

use super::super::pack::Database;
use crate::finding::Oid;

/// Slots for names that were asked for lately. Most entries of trees repeat.
const RECENT: usize = 1 << 14;
/// Slots for directories, of which there are fewer.
const RECENT_TREES: usize = 1 << 12;
/// Names that are looked up together: as many accesses to memory are under way at once.
const BATCH: usize = 16;

/// Looks objects up for one thread.
pub(super) struct Presence<'a> {
    database: &'a Database,
    /// By a part of the name, the name asked for last.
    recent: Vec<Option<Oid>>,
    /// The same for directories, with their numbers.
    trees: Vec<Option<(Oid, Option<u32>)>>,
    waiting: Vec<Oid>,
}

impl<'a> Presence<'a> {
    pub(super) fn new(database: &'a Database) -> Self {
        Self {
            database,
            recent: vec![None; RECENT],
            trees: vec![None; RECENT_TREES],
            waiting: Vec::with_capacity(BATCH),
        }
    }

    /// Asks whether the object `id`, 20 or 32 bytes, is there; `absent` is told of those asked for so
    /// far that are not, now or in a later call.
    pub(super) fn ask(&mut self, id: &[u8], absent: impl FnMut(&Oid)) {
        let slot = &mut self.recent[slot(id) % RECENT];
        let Ok(name) = Oid::from_bytes(id) else { return };
        if *slot == Some(name) {
            return;
        }
        *slot = Some(name);
        self.database.prefetch(&name);
        self.waiting.push(name);
        if self.waiting.len() == BATCH {
            self.answer(absent);
        }
    }

    /// Tells `absent` of those asked for that are not there.
    pub(super) fn answer(&mut self, mut absent: impl FnMut(&Oid)) {
        for id in self.waiting.drain(..) {
            if !self.database.contains(&id) {
                absent(&id);
            }
        }
    }

    /// The number of a directory that is there.
    pub(super) fn tree(&mut self, id: &[u8]) -> Option<u32> {
        let slot = &mut self.trees[slot(id) % RECENT_TREES];
        let id = Oid::from_bytes(id).ok()?;
        match slot {
            Some((recent, number)) if *recent == id => *number,
            _ => {
                let number = self.database.number(&id);
                *slot = Some((id, number));
                number
            }
        }
    }
}

fn slot(id: &[u8]) -> usize {
    id.first_chunk().map_or(0, |first| usize::from(u16::from_le_bytes(*first)))
}

#[cfg(test)]
mod tests {
    use super::super::super::pack::{HashKind, ObjectDirectories};
    use super::*;

    #[test]
    fn everything_that_is_not_there_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let directories = ObjectDirectories::discover(dir.path(), HashKind::Sha1, None);
        let database = Database::open(&directories, 1 << 20);
        let mut presence = Presence::new(&database);
        // Names that share a slot, the null name among them, and more than a batch.
        let names: Vec<[u8; 20]> = (0..=BATCH as u8)
            .flat_map(|n| [[n; 20], [[0; 19].as_slice(), &[n]].concat().try_into().unwrap()])
            .collect();
        let mut absent = std::collections::BTreeSet::new();
        for name in &names {
            presence.ask(name, |id| {
                absent.insert(*id);
            });
        }
        presence.answer(|id| {
            absent.insert(*id);
        });
        assert_eq!(absent, names.iter().map(|name| Oid::from_bytes(name).unwrap()).collect());
        assert_eq!(presence.tree(&names[0]), None);
    }
}
