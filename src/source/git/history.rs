//! The whole object database at pack speed: what [`super::objects`] finds, in a fraction of the
//! time.
//!
//! Objects come from the own pack traversal in delta order, each built once. Trees are read only
//! where they differ from their base (`tree_delta`).

use std::num::NonZero;

use gix::ObjectId;

use super::super::content::Feeder;
use super::super::{Sink, SourceError, names, parallel};
use super::lfs;
use super::lookup::tree_of_commit;
use super::objects::{Found, ObjectOptions, finish, parents, tagged};
use super::pack::{
    Base, Database, DeltaMap, Object, ObjectDirectories, ObjectKind, TraverseOptions, Visitor,
    traverse_opened,
};
use super::repository::Repository;
use super::seen::{Plan, Seen};
use super::tree_delta::{Entries, Layout};
use super::tree_entries::TreeEntry;
use crate::chunk::Chunk;
use crate::finding::{Coverage, Oid, Origin};

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
    scan_since(repository, options, None, sink).map(|scanned| scanned.coverage)
}

/// What a scan brought, and what the next one can go on from.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// The same as that of a scan of everything.
    pub coverage: Coverage,
    /// None when part of the database could not be read.
    pub seen: Option<Seen>,
    /// Objects that an earlier scan had seen.
    pub taken_over: u64,
    /// Commits among these, which were not handed over.
    pub commits: Vec<Oid>,
}

/// [`scan`] that goes on from what an earlier scan saw, and hands over only what is new or held
/// something then. Where that cannot be done, everything is scanned.
///
/// # Errors
/// As [`scan`].
pub fn scan_since(
    repository: &Repository,
    options: &ObjectOptions,
    before: Option<Seen>,
    sink: &dyn Sink,
) -> Result<Scanned, SourceError> {
    let directories = repository.object_directories();
    let taken_over = before.as_ref().map_or(0, Seen::objects);
    if let Some(plan) = before.and_then(|before| Plan::after(before, repository, &directories))
        && let Some(scanned) = scan_planned(repository, options, &directories, plan, sink)
    {
        return Ok(Scanned { taken_over, ..scanned });
    }
    let plan = Plan::afresh(&directories);
    Ok(scan_planned(repository, options, &directories, plan, sink).unwrap_or_default())
}

/// Scans what `plan` leaves. None when it rests on what turned out not to be true; without
/// anything known, there is always an outcome.
fn scan_planned(
    repository: &Repository,
    options: &ObjectOptions,
    directories: &ObjectDirectories,
    plan: Plan,
    sink: &dyn Sink,
) -> Option<Scanned> {
    let mut coverage = Coverage { scopes: vec!["full history".to_owned()], ..Coverage::default() };
    let traverse_options = TraverseOptions {
        jobs: NonZero::new(parallel::threads(options.jobs)).unwrap_or(NonZero::<usize>::MIN),
        ..TraverseOptions::default()
    };
    let database = Database::open_beside(directories, traverse_options.object_limit(), &plan.known);
    let shallow = repository.shallow_boundary();
    let walk = Walk {
        options,
        sink,
        known: &database,
        shallow: &shallow,
        id_len: directories.hash().name_len(),
        found: std::sync::Mutex::default(),
    };
    let traversal = traverse_opened(&database, directories, &traverse_options, &&walk);
    let counts = traversal.counts;
    coverage.commits += counts.commits;
    coverage.tags += counts.tags;
    coverage.trees += counts.trees;
    coverage.blobs += counts.blobs;
    coverage.bytes += counts.bytes;
    let whole = traversal.gaps.is_empty();
    coverage.gaps.extend(traversal.gaps);
    log::debug!("{} packs, idle {:?}", traversal.packs, traversal.idle);

    let mut found = walk.found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if plan.goes_on() {
        plan.take_over(repository, options, sink, &mut found, &mut coverage);
        if !sink.cancelled() && (!whole || found.has_unreadable()) {
            return None;
        }
    }
    let commits = plan.commits().to_vec();
    let seen = if whole { plan.seen(&counts, &found, repository, directories) } else { None };
    finish(repository, options, sink, &found, &mut coverage);
    Some(Scanned { coverage, seen, taken_over: 0, commits })
}

/// Slots for objects that were looked up.
const PRESENT: usize = 1 << 15;

/// What the workers share.
struct Walk<'a> {
    options: &'a ObjectOptions,
    sink: &'a dyn Sink,
    known: &'a Database,
    shallow: &'a [Oid],
    id_len: usize,
    found: std::sync::Mutex<Found>,
}

/// What one worker came across; joined when it is dropped.
struct Local<'w> {
    found: Found,
    /// Objects that were looked up lately, by a part of their names: most entries of trees repeat,
    /// and what is missing is noted once.
    present: Vec<Option<ObjectId>>,
    all: &'w std::sync::Mutex<Found>,
}

impl Drop for Local<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.merge(std::mem::take(&mut self.found));
    }
}

/// What is known of an object that helps with its deltas.
enum State {
    Tree(Layout),
    Other,
}

impl Walk<'_> {
    fn content(&self, object: &Object<'_>, origin: &Origin) {
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        Feeder::new(&emit, self.options.windows).bytes(object.bytes, origin);
    }

    fn commit(&self, object: &Object<'_>, found: &mut Found) {
        let id = object.id();
        self.content(object, &Origin::Commit { id });
        found.fresh.commits.push(id);
        self.check(tree_of_commit(object.bytes), "tree", found);
        if !self.shallow.contains(&id) {
            parents(object.bytes).for_each(|parent| self.check(parent, "commit", found));
        }
    }

    fn check(&self, id: Option<ObjectId>, what: &'static str, found: &mut Found) {
        let known = |id: &ObjectId| Oid::from_bytes(id.as_bytes()).is_ok_and(|id| self.known.contains(&id));
        if let Some(id) = id.filter(|id| !known(id)) {
            found.missing(id, what);
        }
    }

    /// Everything but deltas of trees.
    fn visit(&self, local: &mut Local<'_>, object: &Object<'_>, base: Option<(&Layout, &DeltaMap)>) -> State {
        if object.is_loose() {
            local.found.fresh.loose.push(object.id());
        }
        match object.kind {
            ObjectKind::Blob => {
                local.found.fresh.lfs.extend(lfs::pointer(object.bytes));
                self.content(object, &Origin::Blob { id: object.id() });
            }
            ObjectKind::Commit => self.commit(object, &mut local.found),
            ObjectKind::Tag => {
                self.content(object, &Origin::Tag { id: object.id() });
                self.check(tagged(object.bytes), "tagged object", &mut local.found);
            }
            ObjectKind::Tree => return self.tree(local, object, base),
        }
        State::Other
    }

    fn tree(&self, local: &mut Local<'_>, object: &Object<'_>, base: Option<(&Layout, &DeltaMap)>) -> State {
        let Local { found, present, .. } = local;
        let mut reader = TreeReader { walk: self, object, found, present };
        let read = match base {
            Some((layout, delta)) => layout.read_delta(object.bytes, self.id_len, delta, &mut reader),
            None => Layout::read(object.bytes, self.id_len, &mut reader),
        };
        match (read, ObjectId::try_from(object.id().as_bytes())) {
            (Ok(layout), _) => State::Tree(layout),
            (Err(_), Ok(id)) => {
                local.found.unreadable(id, "is not a well-formed tree".to_owned());
                State::Other
            }
            (Err(_), Err(_)) => State::Other,
        }
    }
}

/// Looks at the entries of one tree.
struct TreeReader<'a, 'w> {
    walk: &'a Walk<'w>,
    object: &'a Object<'a>,
    found: &'a mut Found,
    present: &'a mut [Option<ObjectId>],
}

impl TreeReader<'_, '_> {
    fn check(&mut self, id: ObjectId, what: &'static str) {
        let bytes = id.as_bytes();
        let slot = usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % PRESENT;
        if self.present[slot] != Some(id) {
            self.present[slot] = Some(id);
            self.walk.check(Some(id), what, self.found);
        }
    }
}

impl Entries for TreeReader<'_, '_> {
    fn fresh(&mut self, entry: TreeEntry<'_>) -> bool {
        if !entry.is_submodule() {
            let what = if entry.is_tree() { "tree" } else { "blob" };
            if let Ok(id) = ObjectId::try_from(entry.id) {
                self.check(id, what);
            }
        }
        let notable = names::may_hold_token(entry.name) && self.walk.sink.suspects(entry.name);
        if notable {
            self.notable(entry);
        }
        notable
    }

    fn notable(&mut self, entry: TreeEntry<'_>) {
        if let Ok(id) = ObjectId::try_from(self.object.id().as_bytes()) {
            self.found.name(entry.name, &id);
        }
    }
}

impl<'w> Visitor for &'w Walk<'w> {
    type Local = Local<'w>;
    type State = State;

    fn local(&self) -> Local<'w> {
        Local { found: Found::default(), present: vec![None; PRESENT], all: &self.found }
    }

    fn wants(&self, _kind: ObjectKind) -> bool {
        true
    }

    fn root(&self, local: &mut Local<'w>, object: &Object<'_>) -> State {
        self.visit(local, object, None)
    }

    fn child(
        &self,
        local: &mut Local<'w>,
        object: &Object<'_>,
        base: &Base<'_, State>,
        delta: &DeltaMap,
    ) -> State {
        match base.state {
            State::Tree(layout) => self.visit(local, object, Some((layout, delta))),
            State::Other => self.visit(local, object, None),
        }
    }

    fn cancelled(&self) -> bool {
        self.sink.cancelled()
    }
}
