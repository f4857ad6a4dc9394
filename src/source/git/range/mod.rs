//! A range of history: what some commits bring in that others do not have.
//!
//! Pull requests, pushes, branches and "since then" are all the same thing: commits that some tips
//! reach and others do not. Every blob, name and message that one of these commits brings in is
//! scanned, also when a later one removes it again. What the base side held goes to
//! [`Sink::base`], and only when something was found.

mod base;
mod bulk;
mod changes;
mod limits;
mod revision;
mod tree_cache;
mod walk;

use std::sync::atomic::{AtomicBool, Ordering};

use gix::ObjectId;
use gix::objs::Kind;
use globset::GlobSet;

use super::super::archive::{Limits, Opener};
use super::super::content::Feeder;
use super::super::{Sink, SourceError, Windows, names, parallel};
use super::lookup::Lookup;
use super::objects::Found;
use super::path_scope::PathScope;
use super::refs;
use super::repository::{Repository, oid};
use crate::chunk::Chunk;
use crate::finding::{Coverage, GapKind, Oid, Origin, RepoPath, SkipReason};
use changes::{Changes, Comparison};
use tree_cache::TreeCache;
use walk::{Revisions, revisions};

pub use revision::{branch, history, reachable, resolve, since, since_time};

/// Commits that one thread compares at a time: neighbours share trees.
const COMMITS: usize = 64;

/// Objects that one thread scans at a time: versions of a file share delta bases.
const OBJECTS: usize = 32;

/// Bytes of delta bases each thread keeps.
const DELTA_CACHE: usize = 32 << 20;

/// Which range of history to scan, and what of it.
#[derive(Clone, Debug)]
pub struct RangeOptions {
    /// What was asked for, in words, for the report: `range main..topic`.
    pub name: String,
    /// Tips whose history is in scope: commits, tags, and also trees and blobs themselves.
    pub include: Vec<Oid>,
    /// Tips whose history is not: the base side. Those that are not in the object database
    /// exclude nothing.
    pub exclude: Vec<Oid>,
    /// Scan the messages of all annotated tags that lead to a commit of the range, not only
    /// those of tags that are tips.
    pub tags: bool,
    /// Paths from the root of the repository: files, or directories with all below them. Empty:
    /// everything. Otherwise commit and tag messages, which have no path, are not in scope.
    pub limits: Vec<RepoPath>,
    /// Paths to leave out, or directories with all below them.
    pub exclude_paths: GlobSet,
    /// Threads; 0 chooses. One is used for short ranges.
    pub jobs: usize,
    /// How very large blobs are cut.
    pub windows: Windows,
    /// What opening containers may cost.
    pub archives: Limits,
}

impl RangeOptions {
    /// What `include` reaches and `exclude` does not: what a push brings, when `exclude` is
    /// everything that the other side has.
    #[must_use]
    pub fn of_objects(
        name: impl Into<String>,
        include: impl IntoIterator<Item = Oid>,
        exclude: impl IntoIterator<Item = Oid>,
    ) -> Self {
        Self {
            name: name.into(),
            include: include.into_iter().collect(),
            exclude: exclude.into_iter().collect(),
            tags: false,
            limits: Vec::new(),
            exclude_paths: GlobSet::empty(),
            jobs: 0,
            windows: Windows::default(),
            archives: Limits::default(),
        }
    }

    /// The commits of the range.
    pub(super) fn revisions(
        &self,
        repository: &Repository,
        objects: &mut Lookup,
        cancelled: &dyn Fn() -> bool,
    ) -> Revisions {
        let ids = |list: &[Oid]| -> Vec<ObjectId> {
            list.iter().filter_map(|id| ObjectId::try_from(id.as_bytes()).ok()).collect()
        };
        let shallow = repository.shallow_boundary();
        revisions(&ids(&self.include), &ids(&self.exclude), &shallow, objects, cancelled)
    }
}

/// Scans what the commits of a range bring in: blobs, names, commit and tag messages.
///
/// A merge brings in what no parent of it holds. Content of the base side (the commits the range
/// stands on, and the excluded tips if they are few) is handed to [`Sink::base`] as long as [`Sink::is_open`]. A
/// tip or another object that is not there is a gap, and so is a range that a shallow clone cuts.
///
/// # Errors
/// When nothing in the range, nor in the commits it stands on, is at a path it is limited to. Single
/// objects that fail are gaps.
pub fn scan(
    repository: &Repository,
    options: &RangeOptions,
    sink: &dyn Sink,
) -> Result<Coverage, SourceError> {
    let mut objects = Lookup::new(repository);
    let mut revisions = options.revisions(repository, &mut objects, &|| sink.cancelled());
    let limited = PathScope::new(&options.limits, &options.exclude_paths).is_limited();
    if options.tags && !limited {
        add_tags(repository, &mut revisions, &mut objects);
    }
    let mut coverage = Coverage { scopes: vec![options.name.clone()], ..Coverage::default() };
    let mut found = Found::default();
    for (id, what, unread) in &revisions.unread {
        found.unread(*id, what, unread.clone());
    }
    let opener = Opener::new(options.archives, sink);
    let scan = Scan { repository, options, sink, opener: &opener, found: AtomicBool::new(false) };
    let changes = scan.changes(&revisions);
    if !sink.cancelled() {
        limits::check(&options.limits, &revisions, &changes, &mut objects)?;
    }
    for (id, unread) in &changes.unread {
        found.unread(*id, "tree", unread.clone());
    }
    coverage.trees += changes.trees;
    changes.excluded.iter().for_each(|_| coverage.skip(SkipReason::Excluded));
    changes.submodules.iter().for_each(|_| coverage.skip(SkipReason::Submodule));

    changes.names.iter().for_each(|path| names::offer(RepoPath::new(path.clone()), sink));
    let how = (options.jobs, options.windows, options.archives);
    let done = bulk::scan(repository, &changes.blobs, how, &opener, sink, &scan.found, &mut coverage);
    let mut work = work(&revisions, &changes, limited);
    work.retain(|item| !matches!(item, Item::Blob(id) if done.contains(id)));
    let make = || Worker::new(repository);
    let workers = parallel::each(options.jobs, work.len(), OBJECTS, make, |worker, number| {
        scan.object(&work[number], worker);
        !sink.cancelled()
    });
    for worker in workers {
        coverage.merge(worker.coverage);
        found.merge(worker.found);
    }
    if scan.found.load(Ordering::Relaxed) || !changes.names.is_empty() {
        base::offer(repository, options, &revisions, &changes, sink, &mut found);
    }
    found.report(repository.is_partial(), &mut coverage);
    shallow(&revisions, &mut coverage);
    if sink.cancelled() {
        coverage.gap(GapKind::Interrupted, options.name.clone(), "stopped by a signal");
    }
    coverage.gaps.sort();
    Ok(coverage)
}

/// Adds all annotated tags that lead to a commit of the range.
fn add_tags(repository: &Repository, revisions: &mut Revisions, objects: &mut Lookup) {
    let commits: gix::hashtable::HashSet<ObjectId> =
        revisions.commits.iter().map(|commit| commit.id).collect();
    for found in refs::read(repository).list {
        let Some(mut id) = found.target else { continue };
        let mut chain = Vec::new();
        while let Ok((Kind::Tag, content)) = objects.read(&id) {
            let Some(next) = super::objects::tagged(content).filter(|_| chain.len() < 32) else { break };
            chain.push(id);
            id = next;
        }
        if commits.contains(&id) {
            revisions.tags.extend(chain);
        }
    }
}

fn shallow(revisions: &Revisions, coverage: &mut Coverage) {
    let Some(first) = revisions.cut.iter().min() else { return };
    let at = oid(first).short(12);
    let more = match revisions.cut.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    coverage.gap(
        GapKind::Shallow,
        "history",
        format!(
            "the range goes beyond this shallow clone, which is cut at {at}{more}; what the commits before \
             it hold counts as new; run `git fetch --unshallow`"
        ),
    );
}

/// One object to scan.
enum Item {
    Commit(ObjectId),
    Tag(ObjectId),
    Blob(ObjectId),
}

/// What is to be scanned, versions of a file side by side.
fn work(revisions: &Revisions, changes: &Changes, limited: bool) -> Vec<Item> {
    let mut work = Vec::new();
    if !limited {
        let mut tags = revisions.tags.clone();
        tags.sort_unstable();
        tags.dedup();
        work.extend(revisions.commits.iter().map(|commit| Item::Commit(commit.id)));
        work.extend(tags.into_iter().map(Item::Tag));
    }
    let mut blobs: Vec<(&[u8], ObjectId)> = changes.blobs.iter().map(|(id, path)| (&path[..], *id)).collect();
    blobs.sort_unstable();
    work.extend(blobs.into_iter().map(|(_, id)| Item::Blob(id)));
    work
}

/// One thread's access to objects, and what it came across.
struct Worker {
    objects: Lookup,
    coverage: Coverage,
    found: Found,
}

impl Worker {
    fn new(repository: &Repository) -> Self {
        let objects = Lookup::with_cache(repository, DELTA_CACHE);
        Self { objects, coverage: Coverage::default(), found: Found::default() }
    }
}

struct Scan<'a> {
    repository: &'a Repository,
    options: &'a RangeOptions,
    sink: &'a dyn Sink,
    opener: &'a Opener<'a>,
    found: AtomicBool,
}

impl Scan<'_> {
    fn changes(&self, revisions: &Revisions) -> Changes {
        let scope = PathScope::new(&self.options.limits, &self.options.exclude_paths);
        let make = || Comparison {
            trees: TreeCache::new(Worker::new(self.repository).objects),
            scope,
            changes: Changes::default(),
        };
        let commits = &revisions.commits;
        let parts = parallel::each(self.options.jobs, commits.len(), COMMITS, make, |part, number| {
            part.commit(&commits[number]);
            !self.sink.cancelled()
        });
        let mut loose = make();
        for (id, kind) in &revisions.loose_ends {
            match kind {
                Kind::Tree => loose.loose_tree(*id),
                Kind::Blob => loose.changes.blob(*id, Vec::new()),
                Kind::Commit | Kind::Tag => {}
            }
        }
        let mut changes = loose.changes;
        parts.into_iter().for_each(|part| changes.merge(part.changes));
        changes
    }

    fn object(&self, item: &Item, worker: &mut Worker) {
        let Worker { objects, coverage, found } = worker;
        let (id, kind, what) = match item {
            Item::Commit(id) => (id, Kind::Commit, "commit"),
            Item::Tag(id) => (id, Kind::Tag, "tag"),
            Item::Blob(id) => (id, Kind::Blob, "blob"),
        };
        let name = oid(id);
        let origin = match item {
            Item::Commit(_) => Origin::Commit { id: name },
            Item::Tag(_) => Origin::Tag { id: name },
            Item::Blob(_) => Origin::Blob { id: name },
        };
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        let feeder = Feeder::new(&emit, self.options.windows);
        let read = if kind == Kind::Blob {
            let feeder = feeder.opening(self.opener);
            objects.blob(self.repository, id, &self.options.archives, &feeder, &origin)
        } else {
            let content = objects.expect(id, kind);
            content.map(|content| (feeder.bytes(content, &origin), content.len() as u64))
        };
        let (is_found, bytes) = match read {
            Ok(read) => read,
            Err(unread) => return found.unread(*id, what, unread),
        };
        coverage.bytes += bytes;
        match item {
            Item::Commit(_) => coverage.commits += 1,
            Item::Tag(_) => coverage.tags += 1,
            Item::Blob(_) => coverage.blobs += 1,
        }
        if is_found {
            self.found.store(true, Ordering::Relaxed);
        }
    }
}
