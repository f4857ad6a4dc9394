//! When a blob came into history, when it left, and from where it can still be reached.
//!
//! Paid only for what was found, and the same for one blob as for a thousand: one pass over all
//! commits.

pub(super) mod census;
mod graph;
mod holdings;
mod presence;
mod roots;
mod sets;
mod trees;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gix::ObjectId;
use gix::objs::Kind;

use super::history::Survey;
use super::lookup::{Lookup, Unread, tree_of_commit};
use super::range::RangeOptions;
use super::refs::{self, Refs};
use super::repository::{Head, Repository, oid};
use crate::finding::{
    Attributor, CommitInfo, Coverage, GapKind, Oid, Placement, Reachability, RepoPath, Timeline,
};
use census::Census;
use graph::{Commit, Graph};
use holdings::{Holdings, holdings};
use sets::{EMPTY, SetId, Sets};
use trees::Trees;

/// Blobs followed in one pass; the sets of a pass grow with the square of it.
const BATCH: usize = 2000;

/// Refs that are named; more are counted.
const NAMED_REFS: usize = 5;

/// Finds blobs in the history of one repository.
pub struct Attribution<'r> {
    repository: &'r Repository,
    dangling: Vec<ObjectId>,
    survey: Option<Survey>,
    range: Option<RangeOptions>,
    cancelled: Box<dyn Fn() -> bool + Sync + 'r>,
}

impl std::fmt::Debug for Attribution<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attribution").field("repository", self.repository).finish_non_exhaustive()
    }
}

impl<'r> Attribution<'r> {
    /// Looks at what refs, heads of worktrees and reflogs reach.
    #[must_use]
    pub fn new(repository: &'r Repository) -> Self {
        let (survey, range) = (None, None);
        Self { repository, dangling: Vec::new(), survey, range, cancelled: Box::new(|| false) }
    }

    /// Looks at these commits too, whether anything reaches them or not.
    ///
    /// The scan of the object database knows all commits there are; finding those that nothing
    /// reaches by other means would cost as much as that scan.
    #[must_use]
    pub fn with_commits(mut self, commits: impl IntoIterator<Item = Oid>) -> Self {
        self.dangling.extend(commits.into_iter().filter_map(|id| ObjectId::try_from(id.as_bytes()).ok()));
        self
    }

    /// Looks at all commits that a scan of the object database has seen, whether anything reaches them
    /// or not, without reading them again.
    #[must_use]
    pub fn with_survey(mut self, survey: Option<Survey>) -> Self {
        self.survey = survey;
        self
    }

    /// Looks at the commits of `range` only, and at those it stands on.
    ///
    /// What came before stays unread, so a timeline begins with the range, and a ref that does not
    /// lead into it is not named.
    #[must_use]
    pub fn within(mut self, range: &RangeOptions) -> Self {
        self.range = Some(range.clone());
        self
    }

    fn graph(&self, tips: &Tips, objects: &mut Lookup) -> Graph {
        let mut ends = self.repository.shallow_boundary();
        let Some(range) = &self.range else {
            let mut all = tips.all();
            all.extend_from_slice(&self.dangling);
            return Graph::load(&all, &ends, objects);
        };
        let revisions = range.revisions(self.repository, objects, &*self.cancelled);
        ends.extend(revisions.base.iter().map(|id| oid(id)));
        let commits: Vec<ObjectId> = revisions.commits.iter().map(|commit| commit.id).collect();
        Graph::load(&commits, &ends, objects)
    }

    /// The tree of `HEAD`, when that commit is not among those looked at.
    fn head_elsewhere(&self, tips: &Tips, graph: &Graph, objects: &mut Lookup) -> Option<ObjectId> {
        let head = tips.head.filter(|head| self.range.is_some() && graph.position(head).is_none())?;
        objects.expect(&head, Kind::Commit).ok().and_then(tree_of_commit)
    }

    /// Stops when `cancelled` says so; what was not worked out by then stays unknown.
    #[must_use]
    pub fn stop_when(mut self, cancelled: impl Fn() -> bool + Sync + 'r) -> Self {
        self.cancelled = Box::new(cancelled);
        self
    }
}

impl Attributor for Attribution<'_> {
    fn attribute(&mut self, blobs: &[Oid], coverage: &mut Coverage) -> HashMap<Oid, Vec<Placement>> {
        let wanted: Vec<ObjectId> =
            blobs.iter().filter_map(|blob| ObjectId::try_from(blob.as_bytes()).ok()).collect();
        if wanted.is_empty() {
            return HashMap::new();
        }
        let mut placements = match self.survey.as_mut().and_then(|survey| order(&mut survey.census, blobs)) {
            Some(order) => self.by_census(&order, wanted.len(), coverage),
            None => self.by_walking(&wanted, coverage),
        };
        placements.values_mut().for_each(|list| list.sort_by(|a, b| a.path.cmp(&b.path)));
        placements
    }
}

type Found = HashMap<Oid, Vec<Placement>>;

impl Attribution<'_> {
    /// From all trees of the database at once: the cheapest way when all commits are in question.
    fn by_census(&self, order: &[u32], wanted: usize, coverage: &mut Coverage) -> Found {
        let mut placements = Found::new();
        let Some(survey) = &self.survey else { return placements };
        let mut objects = Lookup::new(self.repository);
        let tips = Tips::read(self.repository, &mut objects);
        let graph = Graph::of(&survey.commits, &survey.database, self.repository.is_partial());
        for start in (0..wanted).step_by(BATCH).take_while(|_| !(self.cancelled)()) {
            let mut sets = Sets::new();
            let batch = start..wanted.min(start + BATCH);
            let (holdings, cut) =
                roots::holdings(&graph, &survey.database, &survey.census, order, batch, &mut sets);
            if cut {
                let why = "its trees hold each other too often to follow all paths";
                coverage.gap(GapKind::Budget, "history of what was found", why);
            }
            let history = History::new(&graph, &holdings, &mut sets, &tips);
            history.place(&holdings, &sets, &mut objects, &mut placements);
        }
        note(&graph.unread, "commit", coverage);
        if let Some(unread) = &survey.unread_trees {
            coverage.gap(unread.kind, "history of what was found: trees", unread.why.clone());
        }
        placements
    }

    /// Commit by commit, each tree beside those of its parents.
    fn by_walking(&self, wanted: &[ObjectId], coverage: &mut Coverage) -> Found {
        let mut objects = Lookup::with_large_cache(self.repository);
        let tips = Tips::read(self.repository, &mut objects);
        let graph = self.graph(&tips, &mut objects);
        let head = self.head_elsewhere(&tips, &graph, &mut objects);
        let mut trees = Trees::new(objects);
        let mut placements = Found::new();
        for batch in wanted.chunks(BATCH) {
            let mut sets = Sets::new();
            let holdings = holdings(&graph, batch, &mut trees, &mut sets, &*self.cancelled);
            let history = History::new(&graph, &holdings, &mut sets, &tips);
            if self.range.is_none() {
                history.place(&holdings, &sets, trees.objects(), &mut placements);
                continue;
            }
            for (number, place) in holdings.places.iter().enumerate() {
                let mut timeline = history.timeline(number as u32, &sets, trees.objects());
                if timeline.reachable == Reachability::Unreachable {
                    timeline.reachable = Reachability::Unknown;
                }
                if head.is_some_and(|head| trees.holds(head, &place.path, &place.blob)) {
                    timeline.at_head = true;
                    timeline.removed = None;
                    timeline.last_seen = tips.head.and_then(|head| commit_info(&head, trees.objects()));
                }
                let placement = Placement { path: RepoPath::new(place.path.clone()), timeline };
                placements.entry(oid(&place.blob)).or_default().push(placement);
            }
        }
        note(&graph.unread, "commit", coverage);
        note(&trees.unread, "tree", coverage);
        placements
    }
}

/// Asks `census` about `blobs`; for each blob it knows of, its place among them. `None` when it does not
/// know of all of them.
fn order(census: &mut Census, blobs: &[Oid]) -> Option<Vec<u32>> {
    let places: HashMap<Oid, u32> = blobs.iter().copied().zip(0..).collect();
    let place = |blob: &Oid| places.get(blob).copied();
    let order: Vec<u32> = census.blobs().iter().map(|blob| place(blob).unwrap_or(u32::MAX)).collect();
    let known = order.iter().filter(|&&place| place != u32::MAX).count();
    if known < places.len() {
        return None;
    }
    census.ask(&|blob| order[blob as usize] != u32::MAX);
    Some(order)
}

/// Notes what could not be read, in one gap for each kind of failure.
fn note(unread: &[(ObjectId, Unread)], what: &str, coverage: &mut Coverage) {
    let Some((first, unread_first)) = unread.iter().min_by_key(|(id, _)| *id) else { return };
    let example = oid(first).short(12);
    coverage.gap(
        unread_first.kind,
        format!("history of what was found: {} {what} objects ({example}, …)", unread.len()),
        unread_first.why.clone(),
    );
}

/// Where history begins to be looked at.
struct Tips {
    /// Refs by name, with the commits they lead to.
    refs: Vec<(Vec<u8>, ObjectId)>,
    head: Option<ObjectId>,
    /// Heads of worktrees that have no branch.
    detached: Vec<ObjectId>,
    reflog: Vec<ObjectId>,
}

impl Tips {
    fn read(repository: &Repository, objects: &mut Lookup) -> Self {
        let Refs { list, .. } = refs::read(repository);
        let refs =
            list.into_iter().filter_map(|found| Some((found.name, peel(found.target?, objects)?))).collect();
        let head = match repository.head() {
            Head::Commit(id) => ObjectId::try_from(id.as_bytes()).ok(),
            Head::Unborn | Head::Unknown { .. } => None,
        };
        let reflog = refs::reflog_ids(repository)
            .into_iter()
            .filter(|id| matches!(objects.read(id), Ok((Kind::Commit, _))))
            .collect();
        Self { refs, head, detached: refs::detached_heads(repository), reflog }
    }

    fn all(&self) -> Vec<ObjectId> {
        let refs = self.refs.iter().map(|(_, id)| *id);
        refs.chain(self.head)
            .chain(self.detached.iter().copied())
            .chain(self.reflog.iter().copied())
            .collect()
    }
}

/// Follows annotated tags to what they tag.
fn peel(mut id: ObjectId, objects: &mut Lookup) -> Option<ObjectId> {
    // NOTE: a chain of tags this long is nobody's tag.
    for _ in 0..32 {
        if objects.kind(&id).is_some_and(|kind| kind != Kind::Tag) {
            return Some(id);
        }
        let Ok((Kind::Tag, content)) = objects.read(&id) else { return Some(id) };
        let line = content.strip_prefix(b"object ")?;
        id = ObjectId::from_hex(&line[..memchr::memchr(b'\n', line)?]).ok()?;
    }
    None
}

/// What became of one place.
#[derive(Clone, Copy, Default)]
struct Events {
    introduced: Option<Commit>,
    /// Last commit without it whose parents all have it.
    removed: Option<Commit>,
    /// Last merge that took the side of a parent without it.
    dropped: Option<Commit>,
    last_seen: Option<Commit>,
}

/// Comings and goings of all places.
struct History<'a> {
    graph: &'a Graph,
    tips: &'a Tips,
    events: Vec<Events>,
    /// Places that HEAD holds.
    at_head: SetId,
    /// By place, the first refs that reach a commit that holds it, and how many more do.
    reached_by_refs: Vec<(Vec<u32>, u64)>,
    reached_by_heads: SetId,
    reached_by_reflog: SetId,
    /// What was read of commits.
    infos: RefCell<HashMap<Commit, Option<CommitInfo>>>,
}

impl<'a> History<'a> {
    fn new(graph: &'a Graph, holdings: &Holdings, sets: &mut Sets, tips: &'a Tips) -> Self {
        let held = &holdings.held;
        let mut events = vec![Events::default(); holdings.places.len()];
        let mut reached: Vec<SetId> = Vec::with_capacity(held.len());
        for commit in 0..held.len() as Commit {
            let parents = graph.parents(commit);
            let now = held[commit as usize];
            let all_before =
                parents.iter().fold(EMPTY, |all, &parent| sets.union(all, held[parent as usize]));
            for place in sets.difference(now, all_before) {
                events[place as usize].introduced.get_or_insert(commit);
            }
            for place in sets.difference(all_before, now) {
                let holders = parents.iter().filter(|&&parent| sets.contains(held[parent as usize], place));
                let event = &mut events[place as usize];
                if holders.clone().count() == parents.len() {
                    event.removed = Some(commit);
                } else {
                    event.dropped = Some(commit);
                }
                event.last_seen = event.last_seen.max(holders.max().copied());
            }
            let before = parents.iter().fold(EMPTY, |all, &parent| sets.union(all, reached[parent as usize]));
            reached.push(sets.union(before, now));
        }
        let of = |list: &[SetId], id: &ObjectId| graph.position(id).map_or(EMPTY, |at| list[at as usize]);
        let at_head = tips.head.as_ref().map_or(EMPTY, |id| of(held, id));
        // Where a line of history ends, nobody removes anything any more.
        let mut has_child = vec![false; held.len()];
        (0..held.len() as Commit)
            .flat_map(|commit| graph.parents(commit))
            .for_each(|&parent| has_child[parent as usize] = true);
        for end in (0..held.len()).filter(|&commit| !has_child[commit]) {
            for &place in &*sets.get(held[end]) {
                let event = &mut events[place as usize];
                event.last_seen = event.last_seen.max(Some(end as Commit));
            }
        }
        let heads = tips.head.iter().chain(&tips.detached);
        Self {
            graph,
            tips,
            events,
            at_head,
            reached_by_refs: by_place(
                holdings.places.len(),
                tips.refs.iter().map(|(_, id)| sets.get(of(&reached, id))),
            ),
            reached_by_heads: heads.fold(EMPTY, |all, id| sets.union(all, of(&reached, id))),
            reached_by_reflog: tips.reflog.iter().fold(EMPTY, |all, id| sets.union(all, of(&reached, id))),
            infos: RefCell::default(),
        }
    }

    /// Adds every place with its timeline.
    fn place(&self, holdings: &Holdings, sets: &Sets, objects: &mut Lookup, placements: &mut Found) {
        for (number, place) in holdings.places.iter().enumerate() {
            let timeline = self.timeline(number as u32, sets, objects);
            let placement = Placement { path: RepoPath::new(place.path.clone()), timeline };
            placements.entry(oid(&place.blob)).or_default().push(placement);
        }
    }

    fn timeline(&self, place: u32, sets: &Sets, objects: &mut Lookup) -> Timeline {
        let events = self.events[place as usize];
        let at_head = sets.contains(self.at_head, place);
        let mut info = |commit: Option<Commit>| self.info(commit?, objects);
        let head = || self.graph.position(self.tips.head.as_ref()?);
        Timeline {
            introduced: info(events.introduced),
            last_seen: info(if at_head { head() } else { events.last_seen }),
            removed: if at_head { None } else { info(events.removed.or(events.dropped)) },
            at_head,
            reachable: self.reachability(place, sets),
        }
    }

    /// What a report tells of `commit`, read once: many places come and go with the same few.
    fn info(&self, commit: Commit, objects: &mut Lookup) -> Option<CommitInfo> {
        let mut infos = self.infos.borrow_mut();
        infos.entry(commit).or_insert_with(|| commit_info(&self.graph.ids[commit as usize], objects)).clone()
    }

    fn reachability(&self, place: u32, sets: &Sets) -> Reachability {
        let (refs, more) = &self.reached_by_refs[place as usize];
        let name = |&number: &u32| RepoPath::new(self.tips.refs[number as usize].0.clone()).to_text();
        let (names, more) = (refs.iter().map(name).collect::<Vec<_>>(), *more);
        if !names.is_empty() {
            return Reachability::Refs { names, more };
        }
        if sets.contains(self.reached_by_heads, place) {
            return Reachability::Refs { names: vec!["HEAD".to_owned()], more: 0 };
        }
        if sets.contains(self.reached_by_reflog, place) {
            Reachability::Reflog
        } else {
            Reachability::Unreachable
        }
    }
}

/// Turns the places that refs reach into the refs that reach places: the first few, and how many more.
fn by_place(places: usize, refs: impl Iterator<Item = Rc<[u32]>>) -> Vec<(Vec<u32>, u64)> {
    let mut all = vec![(Vec::new(), 0); places];
    for (number, reached) in (0_u32..).zip(refs) {
        for &place in &*reached {
            let (first, more) = &mut all[place as usize];
            if first.len() < NAMED_REFS {
                first.push(number);
            } else {
                *more += 1;
            }
        }
    }
    all
}

/// What a report tells of a commit.
fn commit_info(id: &ObjectId, objects: &mut Lookup) -> Option<CommitInfo> {
    let content = objects.expect(id, Kind::Commit).ok()?;
    let end = content.windows(2).position(|pair| pair == b"\n\n").unwrap_or(content.len());
    let (header, message) = content.split_at(end);
    let author = header.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"author "));
    let author = author.unwrap_or_default();
    let name = &author[..memchr::memchr(b'<', author).unwrap_or(author.len())];
    let subject = message.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.trim_ascii()).into_owned();
    Some(CommitInfo {
        id: oid(id),
        author: text(name),
        date: super::commits::time_of(author).unwrap_or(0),
        subject: text(subject),
    })
}
