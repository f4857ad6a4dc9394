//! Objects too large to be held, on the way through a pack.

use super::super::error::ObjectError;
use super::super::file::EntryKind;
use super::super::object::ObjectKind;
use super::super::stream::ObjectStream;
use super::super::visitor::{Name, Object, Visitor};
use super::{Failure, Ground, Job, Worker};
use crate::finding::Oid;

/// What became of an object: not looked at, or looked at, and to be counted so.
type Passed = Result<Option<Option<(ObjectKind, u64)>>, ObjectError>;

impl<V: Visitor> Worker<'_, '_, V> {
    /// Passes what is too large to be held to the visitor, piece by piece, if it is stored whole. Deltas of
    /// it are failures. Otherwise `error` comes back.
    pub(super) fn large(&mut self, job: Job, error: ObjectError) -> Result<(), ObjectError> {
        match job {
            Job::Tree { pack, entry } => self.large_entry(pack, entry, error),
            Job::Loose(name) => {
                let mut passed = Ok(None);
                self.ground.database.stream_loose(&name, |kind, size, content| {
                    passed = self.pass(kind, size, Name::Known(name), content);
                })?;
                self.done(passed, error)
            }
        }
    }

    fn large_entry(&mut self, pack: u32, entry: u32, error: ObjectError) -> Result<(), ObjectError> {
        let Ground { database, forests, .. } = *self.ground;
        let (home, forest) = (&database.packs()[pack as usize], &forests[pack as usize]);
        let offset = home.index.offsets()[entry as usize];
        let header = home.file.entry(offset)?;
        let EntryKind::Whole(kind) = header.kind else { return Err(error) };
        let children = forest.children(entry).map(|at| forest.child(at));
        self.harvest
            .failures
            .extend(children.map(|entry| Failure { place: Job::Tree { pack, entry }, error: error.clone() }));
        if !forest.is_visited(entry) {
            return Ok(());
        }
        let end = home.index.end_of(entry, home.file.end()).min(home.file.end());
        if let Some(checksum) = home.index.checksum(entry)
            && home.file.checksum_of(offset, end)? != checksum
        {
            self.harvest.doubts.push((pack, offset, "its checksum is not the one in the index"));
        }
        let mut content = home.file.stream(&header, end)?;
        let passed = self.pass(kind, header.size, Name::Packed(&home.index, entry), &mut content);
        if content.finish()?.is_some_and(|rest| rest > 0) {
            self.harvest.doubts.push((pack, offset, "it is followed by data that the index does not name"));
        }
        self.done(passed, error)
    }

    /// Passes another copy of the object `name`, one that is stored whole; false when there is none.
    pub(in super::super) fn large_copy(&mut self, name: Oid, error: ObjectError) -> bool {
        let mut passed = Ok(None);
        let read = self.ground.database.stream(&name, |kind, size, content| {
            passed = self.pass(kind, size, Name::Known(name), content);
        });
        read && self.done(passed, error).is_ok()
    }

    /// Passes what the visitor wants. None when it does not look at it after all; else kind and size, if
    /// it is to be counted.
    fn pass(
        &mut self,
        kind: ObjectKind,
        size: u64,
        name: Name<'_>,
        content: &mut ObjectStream<'_>,
    ) -> Passed {
        let visitor = self.ground.visitor;
        if !visitor.wants(kind) {
            return Ok(Some(None));
        }
        let object = Object { kind, bytes: &[], has_children: false, name };
        let looked = visitor.large(&mut self.local, &object, size, content)?;
        Ok(looked.then_some(Some((kind, size))))
    }

    /// Counts what was passed.
    fn done(&mut self, passed: Passed, error: ObjectError) -> Result<(), ObjectError> {
        if let Some((kind, size)) = passed?.ok_or(error)? {
            self.harvest.counts.add(kind, size);
        }
        Ok(())
    }
}
