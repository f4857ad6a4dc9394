//! Blobs of a range that is most of the repository: read in pack order, each built once.
//!
//! Looking objects up one by one costs more than decoding the whole pack as soon as a fair part
//! of it is wanted. What the traversal does not meet is left to the look-ups, which tell why.

use std::io::Read;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};

use crate::chunk::Chunk;
use crate::finding::{Coverage, Origin};
use crate::source::archive::{Limits, Opener};
use crate::source::content::Feeder;
use crate::source::git::pack::{
    Base, Database, DeltaMap, HashKind, Object, ObjectDirectories, ObjectError, ObjectKind, TraverseOptions,
    Visitor, traverse_opened,
};
use crate::source::git::repository::Repository;
use crate::source::{Sink, Windows, parallel};

/// Fewest blobs for which the packs are traversed.
const FEWEST: usize = 5_000;

/// The wanted blobs have to be at least one in so many objects of the packs.
const SHARE: usize = 24;

/// Scans those of `wanted` that the packs hold, if they are many enough; which they were.
pub(super) fn scan(
    repository: &Repository,
    wanted: &HashMap<ObjectId, Vec<u8>>,
    (jobs, windows, archives): (usize, Windows, Limits),
    opener: &Opener<'_>,
    sink: &dyn Sink,
    found: &AtomicBool,
    coverage: &mut Coverage,
) -> HashSet<ObjectId> {
    if wanted.len() < FEWEST {
        return HashSet::default();
    }
    let hash = match repository.hash_kind().len_in_bytes() {
        32 => HashKind::Sha256,
        _ => HashKind::Sha1,
    };
    let directories = ObjectDirectories::discover(&repository.common_dir().join("objects"), hash, None);
    let options = TraverseOptions {
        jobs: NonZero::new(parallel::threads(jobs)).unwrap_or(NonZero::<usize>::MIN),
        most_object: archives.object,
        ..TraverseOptions::default()
    };
    let database = Database::open(&directories, options.object_limit());
    if wanted.len().saturating_mul(SHARE) < database.object_count() {
        return HashSet::default();
    }
    let scan = Scan { wanted, windows, archives, opener, sink, found, seen: Mutex::default() };
    traverse_opened(&database, &directories, &options, &&scan);
    let (seen, bytes) = scan.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    coverage.blobs += seen.len() as u64;
    coverage.bytes += bytes;
    seen
}

struct Scan<'a> {
    wanted: &'a HashMap<ObjectId, Vec<u8>>,
    windows: Windows,
    archives: Limits,
    opener: &'a Opener<'a>,
    sink: &'a dyn Sink,
    found: &'a AtomicBool,
    /// Blobs that were scanned, and their bytes.
    seen: Mutex<(HashSet<ObjectId>, u64)>,
}

/// What one worker scanned; joined when it is dropped.
struct Local<'w> {
    seen: Vec<ObjectId>,
    bytes: u64,
    all: &'w Mutex<(HashSet<ObjectId>, u64)>,
}

impl Drop for Local<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.0.extend(self.seen.drain(..));
        all.1 += self.bytes;
    }
}

impl Scan<'_> {
    fn visit(&self, local: &mut Local<'_>, object: &Object<'_>) {
        let name = object.id();
        let Ok(id) = ObjectId::try_from(name.as_bytes()) else { return };
        if !self.wanted.contains_key(&id) {
            return;
        }
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        let feeder = Feeder::new(&emit, self.windows).opening(self.opener);
        if feeder.bytes(object.bytes, &Origin::Blob { id: name }) {
            self.found.store(true, Ordering::Relaxed);
        }
        local.seen.push(id);
        local.bytes += object.bytes.len() as u64;
    }
}

impl<'w> Visitor for &'w Scan<'w> {
    type Local = Local<'w>;
    type State = ();

    fn local(&self) -> Local<'w> {
        Local { seen: Vec::new(), bytes: 0, all: &self.seen }
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        kind == ObjectKind::Blob
    }

    fn root(&self, local: &mut Local<'w>, object: &Object<'_>) {
        self.visit(local, object);
    }

    fn large(
        &self,
        local: &mut Local<'w>,
        object: &Object<'_>,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<bool, ObjectError> {
        let name = object.id();
        let Some(id) = ObjectId::try_from(name.as_bytes()).ok().filter(|id| self.wanted.contains_key(id))
        else {
            return Ok(false);
        };
        if self.archives.allow(size).is_err() {
            return Ok(false);
        }
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        let feeder = Feeder::new(&emit, self.windows).opening(self.opener);
        let (found, read) = feeder.large(content, size, &Origin::Blob { id: name });
        if found {
            self.found.store(true, Ordering::Relaxed);
        }
        // What cannot be read on is left to the look-ups.
        if read.is_ok() {
            local.seen.push(id);
            local.bytes += size;
        }
        Ok(true)
    }

    fn child(&self, local: &mut Local<'w>, object: &Object<'_>, _base: &Base<'_, ()>, _delta: &DeltaMap) {
        self.visit(local, object);
    }

    fn cancelled(&self) -> bool {
        self.sink.cancelled()
    }
}
