//! The whole object database at pack speed: what [`super::objects`] finds, in a fraction of the
//! time.
//!
//! Objects come from the own pack traversal in delta order, each built once. Trees are read only
//! where they differ from their base (`tree_delta`). What a scanner remembers of a blob is handed
//! back to it with the blob's deltas ([`DeltaSink`]).

use std::collections::HashSet;
use std::io::Read;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use gix::ObjectId;

use super::super::archive::Opener;
use super::super::content::Feeder;
use super::super::{Sink, SourceError, names, parallel};
use super::attribution::census::{Census, Onlooker};
use super::commits::Commits;
use super::lfs;
use super::lookup::{Unread, missing};
use super::objects::{Found, ObjectOptions, finish, tagged};
use super::pack::{
    Base, Counts, Database, DeltaMap, Object, ObjectDirectories, ObjectError, ObjectKind, TraverseOptions,
    Visitor, traverse_opened,
};
use super::plain_text;
use super::repository::Repository;
use super::seen::{Plan, Seen};
use super::tree_entries::TreeEntry;
use crate::chunk::Chunk;
use crate::finding::{Coverage, Oid, Origin};

/// A sink that can make use of how blobs came from each other.
pub trait DeltaSink: Sync {
    /// Memory of one thread.
    type Bench: Send;
    /// What is remembered of a blob while its deltas are still to come.
    type Trace: Send + Sync;

    /// The sink for everything that is no delta.
    fn sink(&self) -> &dyn Sink;

    /// Memory for a thread that starts.
    fn bench(&self) -> Self::Bench;

    /// The blobs in which something was found so far, each once. Where they are in history will be
    /// asked later.
    fn found(&self) -> Vec<Oid>;

    /// A blob that is handed over whole and as it is. `base` is what was remembered of the blob it
    /// is stored as a delta of, and which ranges it took from there. With `keep`, deltas of it
    /// follow.
    fn blob(
        &self,
        bench: &mut Self::Bench,
        chunk: &Chunk<'_>,
        base: Option<(&Self::Trace, &DeltaMap)>,
        keep: bool,
    ) -> Option<Self::Trace>;
}

/// Every blob alone.
struct Alone<'a>(&'a dyn Sink);

impl DeltaSink for Alone<'_> {
    type Bench = ();
    type Trace = ();

    fn sink(&self) -> &dyn Sink {
        self.0
    }

    fn bench(&self) {}

    fn found(&self) -> Vec<Oid> {
        Vec::new()
    }

    fn blob(&self, (): &mut (), chunk: &Chunk<'_>, _: Option<(&(), &DeltaMap)>, _: bool) -> Option<()> {
        self.0.chunk(*chunk);
        None
    }
}

/// Scans every distinct object once, the names of refs and the configuration.
///
/// Objects count whether anything reaches them or not. An object that others name and that is
/// not there is a gap, all of them together one; so is the boundary of a shallow clone.
///
/// # Errors
/// Never at present; single objects that fail are gaps.
pub fn scan(
    repository: &Repository,
    options: &ObjectOptions,
    sink: &dyn Sink,
) -> Result<Coverage, SourceError> {
    scan_since(repository, options, None, &Alone(sink)).map(|scanned| scanned.coverage)
}

/// What a scan brought, and what the next one can go on from.
#[derive(Default)]
pub struct Scanned {
    /// The same as that of a scan of everything.
    pub coverage: Coverage,
    /// None when part of the database could not be read.
    pub seen: Option<Seen>,
    /// Objects that an earlier scan had seen.
    pub taken_over: u64,
    /// All commits there are.
    pub commits: Vec<Oid>,
    /// What attribution can make use of; only when nothing was taken over.
    pub survey: Option<Survey>,
}

/// What a scan of everything knows of the object database when it is done.
pub struct Survey {
    pub(super) database: Database,
    pub(super) commits: Commits,
    /// Where the blobs are in which something was found.
    pub(super) census: Census,
    /// Why some trees are not among those that were seen.
    pub(super) unread_trees: Option<Unread>,
}

/// [`scan`] that goes on from what an earlier scan saw, and hands over only what is new or held
/// something then. Where that cannot be done, everything is scanned.
///
/// # Errors
/// As [`scan`].
pub fn scan_since<S: DeltaSink>(
    repository: &Repository,
    options: &ObjectOptions,
    before: Option<Seen>,
    scanner: &S,
) -> Result<Scanned, SourceError> {
    let directories = repository.object_directories();
    let taken_over = before.as_ref().map_or(0, Seen::objects);
    if let Some(plan) = before.and_then(|before| Plan::after(before, repository, &directories))
        && let Some(scanned) = scan_planned(repository, options, &directories, plan, scanner)
    {
        return Ok(Scanned { taken_over, ..scanned });
    }
    let plan = Plan::afresh(&directories);
    Ok(scan_planned(repository, options, &directories, plan, scanner).unwrap_or_default())
}

/// Scans what `plan` leaves. None when it rests on what turned out not to be true; without
/// anything known, there is always an outcome.
fn scan_planned<S: DeltaSink>(
    repository: &Repository,
    options: &ObjectOptions,
    directories: &ObjectDirectories,
    plan: Plan,
    scanner: &S,
) -> Option<Scanned> {
    let sink = scanner.sink();
    let mut coverage = Coverage { scopes: vec!["full history".to_owned()], ..Coverage::default() };
    let traverse_options = TraverseOptions {
        jobs: NonZero::new(parallel::threads(options.jobs)).unwrap_or(NonZero::<usize>::MIN),
        most_object: options.archives.object,
        ..TraverseOptions::default()
    };
    let database = Database::open_beside(directories, traverse_options.object_limit(), &plan.known);
    let shallow = repository.shallow_boundary();
    let opener = Opener::new(options.archives, sink);
    let walk = Walk {
        options,
        scanner,
        opener: &opener,
        sink,
        known: &database,
        shallow: &shallow,
        found: Mutex::default(),
    };
    let began = Instant::now();
    let content = traverse_opened(&database, directories, &traverse_options, &&walk);
    let between = began.elapsed();
    // Trees come last, since only then it is known which blobs are worth looking for in them.
    let blobs = if plan.goes_on() { Vec::new() } else { scanner.found() };
    let (census, trees) = Census::take(&database, directories, &traverse_options, blobs, &&walk);
    log::debug!(
        "{} packs: content in {between:?}, workers waited {:?}; trees in {:?}, workers waited {:?}",
        content.packs,
        content.idle,
        began.elapsed().saturating_sub(between),
        trees.idle
    );
    let counts = Counts {
        trees: trees.counts.trees,
        bytes: content.counts.bytes + trees.counts.bytes,
        ..content.counts
    };
    coverage.commits += counts.commits;
    coverage.tags += counts.tags;
    coverage.trees += counts.trees;
    coverage.blobs += counts.blobs;
    coverage.bytes += counts.bytes;
    let whole = content.gaps.is_empty() && trees.gaps.is_empty();
    let broken = trees.gaps.first().map(|gap| Unread { kind: gap.kind, why: gap.why.clone() });
    coverage.gaps.extend(content.gaps.into_iter().chain(trees.gaps));
    // What concerns neither in particular was told by both.
    coverage.gaps.sort();
    coverage.gaps.dedup();

    let (mut found, rows) = walk.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if plan.goes_on() {
        plan.take_over(repository, options, sink, &mut found, &mut coverage);
        if !sink.cancelled() && (!whole || found.has_unreadable()) {
            return None;
        }
    }
    let commits = plan.commits().iter().chain(&found.fresh.commits).copied().collect();
    let survey = (!plan.goes_on()).then(|| Survey {
        database,
        commits: rows,
        census,
        unread_trees: found.lost_trees().then(|| missing(repository.is_partial())).or(broken),
    });
    let seen = if whole { plan.seen(&counts, &found, repository, directories) } else { None };
    finish(repository, options, sink, &found, &mut coverage);
    Some(Scanned { coverage, seen, taken_over: 0, commits, survey })
}

/// What the workers share.
struct Walk<'a, S> {
    options: &'a ObjectOptions,
    scanner: &'a S,
    opener: &'a Opener<'a>,
    sink: &'a dyn Sink,
    known: &'a Database,
    shallow: &'a [Oid],
    found: Mutex<(Found, Commits)>,
}

/// What one worker came across; joined when it is dropped.
struct Local<'w, B> {
    bench: B,
    found: Found,
    commits: Commits,
    /// Names in trees in which nothing was found: the same ones come again and again.
    clean_names: HashSet<Box<[u8]>>,
    all: &'w Mutex<(Found, Commits)>,
}

/// Names that a worker remembers; a few megabytes.
const REMEMBERED_NAMES: usize = 1 << 15;

impl<B> Local<'_, B> {
    /// Whether something is found in the `name` of a file.
    fn suspects(&mut self, name: &[u8], sink: &dyn Sink) -> bool {
        if !names::may_hold_token(name) || self.clean_names.contains(name) {
            return false;
        }
        let found = sink.suspects(name);
        if !found && name.len() <= 256 && self.clean_names.len() < REMEMBERED_NAMES {
            self.clean_names.insert(name.into());
        }
        found
    }
}

impl<B> Drop for Local<'_, B> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.0.merge(std::mem::take(&mut self.found));
        all.1.merge(std::mem::take(&mut self.commits));
    }
}

/// What is known of an object that helps with its deltas.
enum State<T> {
    /// Content scanned as it is, and how many bytes of it [`plain_text`] vouches for.
    Blob(T, u32),
    Other,
}

/// The base of a delta and what was copied from it.
type From<'a, T> = Option<(&'a State<T>, &'a DeltaMap)>;

impl<S: DeltaSink> Walk<'_, S> {
    fn gather<B>(&self, bench: B) -> Local<'_, B> {
        Local {
            bench,
            found: Found::default(),
            commits: Commits::default(),
            clean_names: HashSet::new(),
            all: &self.found,
        }
    }

    fn content(&self, object: &Object<'_>, origin: &Origin) {
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        let feeder = Feeder::new(&emit, self.options.windows);
        let opened = matches!(origin, Origin::Blob { .. });
        let feeder = if opened { feeder.opening(self.opener) } else { feeder };
        feeder.bytes(object.bytes, origin);
    }

    fn commit(&self, object: &Object<'_>, local: &mut Local<'_, S::Bench>) {
        let id = object.id();
        self.content(object, &Origin::Commit { id });
        let Local { found, commits, .. } = local;
        found.fresh.commits.push(id);
        let cut = self.shallow.contains(&id);
        let lost = commits.add(object, cut, self.known);
        lost.for_each(|(id, what)| found.missing(id, what));
    }

    fn check(&self, id: Option<ObjectId>, what: &'static str, found: &mut Found) {
        let known = |id: &ObjectId| Oid::from_bytes(id.as_bytes()).is_ok_and(|id| self.known.contains(&id));
        if let Some(id) = id.filter(|id| !known(id)) {
            found.missing(id, what);
        }
    }

    fn visit(
        &self,
        local: &mut Local<'_, S::Bench>,
        object: &Object<'_>,
        base: From<'_, S::Trace>,
    ) -> State<S::Trace> {
        if object.is_loose() {
            local.found.fresh.loose.push(object.id());
        }
        match object.kind {
            ObjectKind::Blob => return self.blob(local, object, base),
            ObjectKind::Commit => self.commit(object, local),
            ObjectKind::Tag => {
                self.content(object, &Origin::Tag { id: object.id() });
                self.check(tagged(object.bytes), "tagged object", &mut local.found);
            }
            // They have a traversal of their own.
            ObjectKind::Tree => {}
        }
        State::Other
    }

    fn blob(
        &self,
        local: &mut Local<'_, S::Bench>,
        object: &Object<'_>,
        base: From<'_, S::Trace>,
    ) -> State<S::Trace> {
        local.found.fresh.lfs.extend(lfs::pointer(object.bytes));
        let origin = Origin::Blob { id: object.id() };
        if self.opener.concerns(object.bytes) {
            // A part of a container says nothing.
            self.content(object, &origin);
            return State::Other;
        }
        let nobody = |_: Chunk<'_>| false;
        let (before, clean) = match base {
            Some((State::Blob(trace, clean), delta)) => (Some((trace, delta)), Some((*clean, delta))),
            _ => (None, None),
        };
        let clean = plain_text::known(object.bytes, clean);
        let Some(encoding) = Feeder::new(&nobody, self.options.windows).as_it_is(object.bytes, clean > 0)
        else {
            self.content(object, &origin);
            return State::Other;
        };
        let chunk = Chunk::whole(object.bytes, &origin, encoding);
        let trace = self.scanner.blob(&mut local.bench, &chunk, before, object.has_children);
        trace.map_or(State::Other, |trace| State::Blob(trace, clean))
    }
}

impl<'w, S: DeltaSink> Onlooker for &'w Walk<'w, S> {
    type Local = Local<'w, ()>;

    fn local(&self) -> Local<'w, ()> {
        self.gather(())
    }

    fn begins(&self, local: &mut Self::Local, tree: &Object<'_>) {
        if tree.is_loose() {
            local.found.fresh.loose.push(tree.id());
        }
    }

    fn fresh(&self, local: &mut Self::Local, entry: &TreeEntry<'_>) -> bool {
        local.suspects(entry.name, self.sink)
    }

    fn absent(&self, local: &mut Self::Local, id: &Oid, is_tree: bool) {
        if let Ok(id) = ObjectId::try_from(id.as_bytes()) {
            local.found.missing(id, if is_tree { "tree" } else { "blob" });
        }
    }

    fn named(&self, local: &mut Self::Local, entry: &TreeEntry<'_>, tree: &Oid) {
        if let Ok(id) = ObjectId::try_from(tree.as_bytes()) {
            local.found.name(entry.name, &id);
        }
    }

    fn malformed(&self, local: &mut Self::Local, tree: &Oid) {
        if let Ok(id) = ObjectId::try_from(tree.as_bytes()) {
            local.found.unreadable(id, "is not a well-formed tree".to_owned());
        }
    }

    fn cancelled(&self) -> bool {
        self.sink.cancelled()
    }
}

impl<'w, S: DeltaSink> Visitor for &'w Walk<'w, S> {
    type Local = Local<'w, S::Bench>;
    type State = State<S::Trace>;

    fn local(&self) -> Self::Local {
        self.gather(self.scanner.bench())
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        kind != ObjectKind::Tree
    }

    fn root(&self, local: &mut Self::Local, object: &Object<'_>) -> Self::State {
        self.visit(local, object, None)
    }

    fn child(
        &self,
        local: &mut Self::Local,
        object: &Object<'_>,
        base: &Base<'_, Self::State>,
        delta: &DeltaMap,
    ) -> Self::State {
        self.visit(local, object, Some((base.state, delta)))
    }

    fn large(
        &self,
        local: &mut Self::Local,
        object: &Object<'_>,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<bool, ObjectError> {
        if object.kind != ObjectKind::Blob {
            return Ok(false);
        }
        self.options.archives.allow(size).map_err(ObjectError::Budget)?;
        if object.is_loose() {
            local.found.fresh.loose.push(object.id());
        }
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        let feeder = Feeder::new(&emit, self.options.windows).opening(self.opener);
        // NOTE: whoever hands over the content knows why it could not be read on.
        let _ = feeder.large(content, size, &Origin::Blob { id: object.id() });
        Ok(true)
    }

    fn cancelled(&self) -> bool {
        self.sink.cancelled()
    }
}
