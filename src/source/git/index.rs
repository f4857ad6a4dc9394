//! The index: what the next commit would add.

use std::sync::atomic::{AtomicBool, Ordering};

use gix::ObjectId;
use gix::objs::Kind;
use globset::GlobSet;

use super::super::archive::{Limits, Opener};
use super::super::content::Feeder;
use super::super::{Sink, SourceError, Windows, names, parallel};
use super::compare::{Changes, Entry, compare};
use super::lookup::{Lookup, tree_of_commit};
use super::path_scope::{Admission, PathScope, is_within, trimmed};
use super::repository::{Head, Repository, chain, oid};
use super::tracked::open_index;
use crate::chunk::Chunk;
use crate::finding::{Coverage, GapKind, Origin, RepoPath, SkipReason};

/// Changed entries that one thread takes at a time; fewer are not worth a second thread.
const BATCH: usize = 16;

/// What to scan of the index.
#[derive(Clone, Debug)]
pub struct IndexOptions {
    /// Paths from the root of the working tree: files, or directories with all below them.
    /// Empty: everything; so does an empty path.
    pub limits: Vec<RepoPath>,
    /// Paths from the root of the working tree to leave out, or directories with all below them.
    pub exclude: GlobSet,
    /// Everything in the index, whatever HEAD holds.
    pub whole: bool,
    /// Threads; 0 chooses. One is used when little is staged.
    pub jobs: usize,
    /// How very large blobs are cut.
    pub windows: Windows,
    /// What opening containers may cost.
    pub archives: Limits,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            limits: Vec::new(),
            exclude: GlobSet::empty(),
            whole: false,
            jobs: 0,
            windows: Windows::default(),
            archives: Limits::default(),
        }
    }
}

/// Scans the entries of the index that differ from HEAD, and the names that are new.
///
/// In a conflict both sides are scanned. Entries added with intent only have no content yet.
/// When something was found, HEAD's content of all changed and deleted paths goes to
/// [`Sink::base`], so that what was merely moved is not new. In a repository whose HEAD cannot be
/// read because its refs are reftables, everything in the index counts as new.
///
/// # Errors
/// When the index or HEAD cannot be read, or a limit matches nothing in either.
pub fn scan(
    repository: &Repository,
    options: &IndexOptions,
    sink: &dyn Sink,
) -> Result<Coverage, SourceError> {
    let index = open_index(repository)?;
    let mut objects = Lookup::new(repository);
    let head = if options.whole { None } else { head_tree(repository, &mut objects)? };
    let mut changes = compare(&index, head, &mut objects);
    check_limits(&index, &changes, &options.limits)?;

    let scope = if options.whole { "whole index" } else { "index" };
    let mut coverage = Coverage { scopes: vec![scope.to_owned()], ..Coverage::default() };
    for (tree, unread) in std::mem::take(&mut changes.unread) {
        coverage.gap(unread.kind, format!("tree {} of HEAD", oid(&tree).short(12)), unread.why);
    }
    let changes = in_scope(changes, options, &mut coverage);
    changes.new_names.iter().for_each(|path| names::offer(RepoPath::new(path.clone()), sink));

    let opener = Opener::new(options.archives, sink);
    let scan = Scan { repository, options, sink, opener: &opener, found: AtomicBool::new(false) };
    let parts = parallel::each(
        options.jobs,
        changes.staged.len(),
        BATCH,
        || (Lookup::new(repository), Coverage::default()),
        |(objects, part), number| scan.staged(&changes.staged[number], objects, part),
    );
    parts.into_iter().for_each(|(_, part)| coverage.merge(part));
    if scan.found.load(Ordering::Relaxed) {
        scan.base(&changes.head, &mut objects, &mut coverage);
    }
    if sink.cancelled() {
        coverage.gap(GapKind::Interrupted, "index", "stopped by a signal");
    }
    coverage.gaps.sort();
    Ok(coverage)
}

struct Scan<'a> {
    repository: &'a Repository,
    options: &'a IndexOptions,
    sink: &'a dyn Sink,
    opener: &'a Opener<'a>,
    found: AtomicBool,
}

impl Scan<'_> {
    /// Scans one changed entry; false ends the scan.
    fn staged(&self, entry: &Entry, objects: &mut Lookup, coverage: &mut Coverage) -> bool {
        let origin = origin(entry);
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        let feeder = Feeder::new(&emit, self.options.windows).opening(self.opener);
        match objects.blob(self.repository, &entry.id, &self.options.archives, &feeder, &origin) {
            Ok((found, bytes)) => {
                self.found.fetch_or(found, Ordering::Relaxed);
                coverage.index_entries += 1;
                coverage.bytes += bytes;
            }
            Err(unread) => coverage.gap(unread.kind, format!("staged {origin}"), unread.why),
        }
        !self.sink.cancelled()
    }

    /// Hands over what HEAD holds at the paths that are changed or gone.
    fn base(&self, head: &[Entry], objects: &mut Lookup, coverage: &mut Coverage) {
        let emit = |chunk: Chunk<'_>| {
            self.sink.base(chunk);
            false
        };
        let opener = Opener::silent(self.options.archives);
        let feeder = Feeder::new(&emit, self.options.windows).opening(&opener);
        for entry in head {
            if self.sink.cancelled() {
                return;
            }
            let origin = origin(entry);
            let limits = &self.options.archives;
            match objects.blob(self.repository, &entry.id, limits, &feeder, &origin) {
                Ok(_) => {}
                Err(unread) => coverage.gap(
                    unread.kind,
                    format!("HEAD's {origin} in {}", self.repository.git_dir().display()),
                    format!("{}; what it held counts as new", unread.why),
                ),
            }
        }
    }
}

/// Where an entry comes from. A link's target is its content, and the blob need not be named.
fn origin(entry: &Entry) -> Origin {
    let path = RepoPath::new(entry.path.clone());
    if entry.is_link { Origin::SymlinkTarget { path } } else { Origin::Index { path, blob: oid(&entry.id) } }
}

/// The tree of HEAD's commit; none when there is no commit yet.
fn head_tree(repository: &Repository, objects: &mut Lookup) -> Result<Option<ObjectId>, SourceError> {
    let failed = |reason: String| SourceError::Head { path: repository.git_dir().to_owned(), reason };
    let id = match repository.head() {
        Head::Unborn => return Ok(None),
        Head::Unknown { .. } if repository.uses_reftable() => return Ok(None),
        Head::Unknown { reason } => return Err(failed(reason)),
        Head::Commit(id) => id,
    };
    let id = ObjectId::try_from(id.as_bytes()).map_err(|error| failed(chain(&error)))?;
    let commit = objects.expect(&id, Kind::Commit).map_err(|unread| failed(unread.why))?;
    tree_of_commit(commit).map(Some).ok_or_else(|| failed("its commit names no tree".to_owned()))
}

/// Every limit has to match something in the index, or something that HEAD had there.
fn check_limits(
    index: &gix::index::State,
    changes: &Changes,
    limits: &[RepoPath],
) -> Result<(), SourceError> {
    for limit in limits {
        let in_index = index.entries().iter().any(|entry| is_within(entry.path(index), trimmed(limit)));
        if !in_index && !changes.head.iter().any(|entry| is_within(&entry.path, trimmed(limit))) {
            return Err(SourceError::EmptyLimit { limit: limit.to_text(), scope: "the index" });
        }
    }
    Ok(())
}

/// Drops what is outside the limits or excluded, and counts it.
fn in_scope(mut changes: Changes, options: &IndexOptions, coverage: &mut Coverage) -> Changes {
    let scope = PathScope::new(&options.limits, &options.exclude);
    changes.staged.retain(|entry| match scope.file(&entry.path) {
        Admission::Admitted => true,
        Admission::OutOfScope => {
            coverage.skip(SkipReason::OutOfScope);
            false
        }
        Admission::Excluded => {
            coverage.skip(SkipReason::Excluded);
            false
        }
    });
    changes.new_names.retain(|path| scope.file(path) == Admission::Admitted);
    let submodules = changes.submodules.iter().filter(|path| scope.has_limit_above(path));
    submodules.for_each(|_| coverage.skip(SkipReason::Submodule));
    changes
}
