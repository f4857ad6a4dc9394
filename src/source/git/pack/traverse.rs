//! The whole traversal: from object directories to counts and gaps.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::time::Duration;

use super::crew::Crew;
use super::database::{Database, Reader};
use super::directories::ObjectDirectories;
use super::error::ObjectError;
use super::forest::Forest;
use super::object::ObjectKind;
use super::visitor::{Name, Object, Visitor};
use super::walk::{Failure, Ground, Harvest, Job, Worker};
use crate::finding::{Gap, GapKind, Oid};
use crate::source::archive::Limits;

/// Gaps told one by one; the rest is told as a number.
const MOST_GAPS: usize = 1000;

/// How much a traversal may use.
#[derive(Clone, Copy, Debug)]
pub struct TraverseOptions {
    /// Threads.
    pub jobs: NonZero<usize>,
    /// Objects over this size in bytes are not held: those stored whole go to [`Visitor::large`], others are
    /// gaps. So are deltas that take more than twice as much together with base and result. Sizes from
    /// 4 GiB on are never held.
    pub most_object: u64,
    /// Bytes of delta bases kept at a time, over all threads; beyond, bases are built anew when they
    /// are needed again. The object at hand and its base always exist, whatever this says.
    pub most_held: usize,
}

impl TraverseOptions {
    /// Size of the largest object that is built: what was asked for, below the format's own limit.
    #[must_use]
    pub fn object_limit(&self) -> u64 {
        self.most_object.min(u64::from(u32::MAX) - 4096)
    }
}

impl Default for TraverseOptions {
    /// As many threads as processors, objects of up to 104 MiB, 64 MiB of bases.
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Self { jobs, most_object: Limits::default().object, most_held: 64 << 20 }
    }
}

/// Objects passed to the visitor, and the bytes of their content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commits.
    pub commits: u64,
    /// Trees.
    pub trees: u64,
    /// Blobs.
    pub blobs: u64,
    /// Annotated tags.
    pub tags: u64,
    /// Bytes of content of all of them.
    pub bytes: u64,
}

impl Counts {
    /// All objects.
    #[must_use]
    pub const fn objects(&self) -> u64 {
        self.commits + self.trees + self.blobs + self.tags
    }

    pub(super) fn add(&mut self, kind: ObjectKind, length: u64) {
        *match kind {
            ObjectKind::Commit => &mut self.commits,
            ObjectKind::Tree => &mut self.trees,
            ObjectKind::Blob => &mut self.blobs,
            ObjectKind::Tag => &mut self.tags,
        } += 1;
        self.bytes += length;
    }

    fn merge(&mut self, other: &Self) {
        self.commits += other.commits;
        self.trees += other.trees;
        self.blobs += other.blobs;
        self.tags += other.tags;
        self.bytes += other.bytes;
    }
}

/// What a traversal saw and what it could not see.
#[derive(Clone, Debug, Default)]
pub struct Traversal {
    /// What was passed to the visitor.
    pub counts: Counts,
    /// What should have been and was not; sorted, the same for any number of threads.
    pub gaps: Vec<Gap>,
    /// How long each worker waited for work.
    pub idle: Vec<Duration>,
    /// Packs read.
    pub packs: usize,
    /// Whether the visitor asked to stop; then there is a gap that says so.
    pub cancelled: bool,
}

/// Passes every object in `directories` to `visitor`, each once.
///
/// Never fails as a whole: what is damaged or missing is a gap in the result, and everything that can
/// be read in spite of it is passed.
pub fn traverse<V: Visitor>(
    directories: &ObjectDirectories,
    options: &TraverseOptions,
    visitor: &V,
) -> Traversal {
    let database = Database::open(directories, options.object_limit());
    traverse_opened(&database, directories, options, visitor)
}

/// [`traverse`] in a database that is open already, opened with the options'
/// [`object_limit`](TraverseOptions::object_limit).
pub fn traverse_opened<V: Visitor>(
    database: &Database,
    directories: &ObjectDirectories,
    options: &TraverseOptions,
    visitor: &V,
) -> Traversal {
    let forests = grow(database, visitor);
    let jobs = jobs(database, &forests);
    // NOTE: even a single tree has work for several workers, who give branches to each other.
    let workers = if jobs.is_empty() { 1 } else { options.jobs.get() };
    let ground = Ground {
        database,
        forests: &forests,
        visitor,
        crew: Crew::new(&jobs, workers),
        most_held: options.most_held / workers,
    };
    let harvests = walk(&ground, workers);
    let mut sum = Sum {
        traversal: Traversal { packs: database.packs().len(), ..Traversal::default() },
        ..Sum::default()
    };
    for harvest in harvests {
        sum.traversal.idle.push(harvest.idle);
        sum.add(harvest);
    }
    sum.traversal.cancelled = ground.crew.is_stopped();
    if !sum.traversal.cancelled {
        sum.second_chance(&ground, directories);
    }
    sum.close(database, directories)
}

fn grow<V: Visitor>(database: &Database, visitor: &V) -> Vec<Forest> {
    let duplicates = database.duplicates();
    database
        .packs()
        .iter()
        .zip(&duplicates)
        .map(|(pack, duplicates)| {
            let known = database.known();
            let owned = |entry| {
                (duplicates.is_empty() || !duplicates.contains(&pack.index.place(entry)))
                    && (known.is_empty() || !known.contains(&pack.index.name(entry)))
            };
            Forest::grow(&pack.file, &pack.index, owned, |kind| visitor.wants(kind))
        })
        .collect()
}

/// All jobs. Large trees come first, since what starts last should be small; among trees of about the
/// same weight the order is that of the pack, so that its pages are read once.
fn jobs(database: &Database, forests: &[Forest]) -> Vec<Job> {
    let mut trees = Vec::with_capacity(forests.iter().map(|forest| forest.roots().len()).sum());
    for (pack, forest) in (0..).zip(forests) {
        trees.extend(
            forest.roots().iter().map(|&(weight, entry)| (Reverse(weight.max(1).ilog2()), pack, entry)),
        );
    }
    trees.sort_unstable();
    let trees = trees.into_iter().map(|(_, pack, entry)| Job::Tree { pack, entry });
    trees.chain(database.loose().map(Job::Loose)).collect()
}

fn walk<V: Visitor>(ground: &Ground<'_, V>, workers: usize) -> Vec<Harvest> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..workers).map(|_| scope.spawn(|| Worker::new(ground).work())).collect();
        let mut harvests = vec![Worker::new(ground).work()];
        for thread in threads {
            match thread.join() {
                Ok(harvest) => harvests.push(harvest),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        harvests
    })
}

/// Results while they are gathered.
#[derive(Default)]
struct Sum {
    traversal: Traversal,
    failures: Vec<Failure>,
    doubts: BTreeMap<(u32, &'static str), (u64, u64)>,
    gaps: Vec<Gap>,
}

impl Sum {
    fn add(&mut self, harvest: Harvest) {
        self.traversal.counts.merge(&harvest.counts);
        self.failures.extend(harvest.failures);
        for (pack, offset, why) in harvest.doubts {
            let (first, count) = self.doubts.entry((pack, why)).or_insert((offset, 0));
            *first = offset.min(*first);
            *count += 1;
        }
    }

    /// Looks for other copies of what failed, and walks on from those. What is left becomes gaps.
    fn second_chance<V: Visitor>(&mut self, ground: &Ground<'_, V>, directories: &ObjectDirectories) {
        let mut reader = Reader::new();
        let mut later = None;
        while !self.failures.is_empty() {
            let mut failures = std::mem::take(&mut self.failures);
            failures.sort_unstable_by_key(|failure| failure.place);
            for Failure { place, error } in failures {
                match place {
                    Job::Tree { pack, entry } => self.retry_tree(ground, &mut reader, pack, entry, error),
                    Job::Loose(name) => {
                        // Gone since it was listed: packed, most likely.
                        let database =
                            later.get_or_insert_with(|| Database::open(directories, ground.database.limit()));
                        if let Some((kind, bytes)) = database.read(&name, None, &mut reader) {
                            self.pass(ground.visitor, name, kind, &bytes);
                        } else {
                            self.lost(format!("loose object {name}"), &error, 0);
                        }
                    }
                }
            }
        }
    }

    fn retry_tree<V: Visitor>(
        &mut self,
        ground: &Ground<'_, V>,
        reader: &mut Reader,
        pack: u32,
        entry: u32,
        error: ObjectError,
    ) {
        let home = &ground.database.packs()[pack as usize];
        let name = home.index.name(entry);
        if let Some((kind, bytes)) = ground.database.read(&name, Some((pack, entry)), reader) {
            return self.add(Worker::new(ground).work_from(pack, entry, kind, bytes));
        }
        let forest = &ground.forests[pack as usize];
        let mut stack = vec![entry];
        let mut lost = 0_u64;
        while let Some(below) = stack.pop() {
            for child in forest.children(below).map(|at| forest.child(at)) {
                // A delta of what is lost may be whole in another place.
                let copy = ground.database.read(&home.index.name(child), Some((pack, child)), reader);
                if let Some((kind, bytes)) = copy {
                    self.add(Worker::new(ground).work_from(pack, child, kind, bytes));
                } else {
                    lost += u64::from(forest.is_visited(child));
                    stack.push(child);
                }
            }
        }
        let too_large = matches!(error, ObjectError::TooLarge { .. });
        let mut is_lost = forest.is_visited(entry);
        if is_lost && too_large {
            let mut worker = Worker::new(ground);
            is_lost = !worker.large_copy(name, error.clone());
            self.add(worker.into_harvest());
        }
        if is_lost || lost > 0 {
            self.lost(format!("object {name} in {}", home.file.name()), &error, lost);
        }
    }

    fn pass<V: Visitor>(&mut self, visitor: &V, name: Oid, kind: ObjectKind, bytes: &[u8]) {
        if visitor.wants(kind) {
            self.traversal.counts.add(kind, bytes.len() as u64);
            let object = Object { kind, bytes, has_children: false, name: Name::Known(name) };
            visitor.root(&mut visitor.local(), &object);
        }
    }

    fn lost(&mut self, what: String, error: &ObjectError, deltas: u64) {
        let why = match deltas {
            0 => error.to_string(),
            _ => format!("{error}; {deltas} objects stored as deltas of it are lost with it"),
        };
        self.gaps.push(Gap { kind: error.gap_kind(), what, why, accepted: false });
    }

    /// Puts everything together.
    fn close(mut self, database: &Database, directories: &ObjectDirectories) -> Traversal {
        for ((pack, why), (offset, count)) in std::mem::take(&mut self.doubts) {
            let what = format!("{count} entries of {}", database.packs()[pack as usize].file.name());
            let why = format!("the first is at offset {offset}: {why}");
            self.gaps.push(Gap { kind: GapKind::Unreadable, what, why, accepted: false });
        }
        self.gaps.sort_unstable();
        if let Some(more) = self.gaps.len().checked_sub(MOST_GAPS).filter(|&more| more > 0) {
            let kind = self.gaps[MOST_GAPS].kind;
            self.gaps.truncate(MOST_GAPS);
            let what = format!("{more} more objects");
            let why = "like the ones named; only the first thousand are named".to_owned();
            self.gaps.push(Gap { kind, what, why, accepted: false });
        }
        self.gaps.extend(directories.gaps().iter().cloned());
        for (what, error) in database.problems() {
            self.lost(what.clone(), error, 0);
        }
        if self.traversal.cancelled {
            let why = "stopped before all objects were read".to_owned();
            let what = "object database".to_owned();
            self.gaps.push(Gap { kind: GapKind::Interrupted, what, why, accepted: false });
        }
        self.gaps.sort_unstable();
        self.traversal.gaps = self.gaps;
        self.traversal
    }
}
