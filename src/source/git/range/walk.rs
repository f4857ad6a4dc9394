//! Which commits a range holds: those that its tips reach and that the excluded tips do not.
//!
//! Both sides are walked together, youngest first, so that no more of history is read than the
//! range is long. Clocks that go wrong are allowed for, as far as that is possible without
//! reading everything (see [`Walk::next_is_enough`]).

use std::collections::BinaryHeap;

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::objs::Kind;

use super::super::lookup::{Lookup, Unread, time_of_commit, tree_of_commit};
use super::super::objects::{parents, tagged};
use crate::finding::{GapKind, Oid};

/// Commits of the excluded side that are still looked at after the last one that is younger than
/// the range: one of them may lead back into the range although its clock says otherwise.
const SLOP: u32 = 256;

/// Seconds by which a commit can be older than its child without its clock being doubted.
const DOUBTFUL: i64 = 365 * 24 * 3600;

/// Most excluded tips whose trees count as the base side although the range does not stand on them.
/// Whoever names `main` means all that it holds by now; a push excludes all refs of the other side,
/// and to read all their trees would take minutes.
const NAMED_BASES: usize = 4;

/// Longest chain of tags that tag each other.
const MAX_TAGS: usize = 32;

/// A commit of the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source::git) struct RangeCommit {
    pub(in crate::source::git) id: ObjectId,
    pub(in crate::source::git) tree: ObjectId,
    /// Trees of its parents, as far as they are known.
    pub(in crate::source::git) before: Vec<Before>,
}

/// The tree of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::git) struct Before {
    pub(in crate::source::git) tree: ObjectId,
    /// The parent is outside the range: what it holds is not new.
    pub(in crate::source::git) is_base: bool,
}

/// What a range holds.
#[derive(Debug, Default)]
pub(in crate::source::git) struct Revisions {
    /// Commits, neighbours in history near each other.
    pub(in crate::source::git) commits: Vec<RangeCommit>,
    /// Tags that the tips are, or lead through.
    pub(in crate::source::git) tags: Vec<ObjectId>,
    /// Trees and blobs that are tips themselves, or tagged.
    pub(in crate::source::git) loose_ends: Vec<(ObjectId, Kind)>,
    /// Commits outside the range with a child in it, and those excluded by name if they are few; sorted.
    pub(in crate::source::git) base: Vec<ObjectId>,
    /// Commits of the range whose parents a shallow clone left out.
    pub(in crate::source::git) cut: Vec<ObjectId>,
    /// Objects that could not be read, and what they should be.
    pub(in crate::source::git) unread: Vec<(ObjectId, &'static str, Unread)>,
}

/// Finds the commits that `include` reaches and `exclude` does not.
///
/// Tips may be tags. Those excluded that are not there exclude nothing.
pub(in crate::source::git) fn revisions(
    include: &[ObjectId],
    exclude: &[ObjectId],
    shallow: &[Oid],
    objects: &mut Lookup,
    cancelled: &dyn Fn() -> bool,
) -> Revisions {
    let shallow = shallow.iter().filter_map(|id| ObjectId::try_from(id.as_bytes()).ok()).collect();
    let mut walk = Walk::new(objects, shallow, cancelled);
    let mut found = Revisions::default();
    for tip in exclude {
        if let Ok((commit, Kind::Commit)) = walk.peel(*tip, &mut Vec::new()) {
            walk.reach(commit, false, i64::MAX);
            if exclude.len() <= NAMED_BASES {
                found.base.push(commit);
            }
        }
    }
    for tip in include {
        match walk.peel(*tip, &mut found.tags) {
            Ok((commit, Kind::Commit)) => walk.reach(commit, true, i64::MAX),
            Ok(other) => found.loose_ends.push(other),
            Err(unread) => found.unread.push((*tip, "object", unread)),
        }
    }
    walk.run();
    walk.finish(found)
}

/// What is known of a commit.
struct Node {
    wanted: bool,
    excluded: bool,
    queued: bool,
    time: i64,
    /// None when it cannot be read.
    tree: Option<ObjectId>,
    parents: Vec<ObjectId>,
    unread: Option<Unread>,
}

struct Walk<'a> {
    objects: &'a mut Lookup,
    shallow: HashSet<ObjectId>,
    cancelled: &'a dyn Fn() -> bool,
    nodes: HashMap<ObjectId, Node>,
    /// Youngest first; then in the order in which they were reached.
    queue: BinaryHeap<(i64, std::cmp::Reverse<usize>, ObjectId)>,
    reached: usize,
    /// Queued commits that count as part of the range.
    open: usize,
    /// Commits that were part of the range when they were looked at, in that order.
    order: Vec<ObjectId>,
    oldest: i64,
    slop: u32,
}

impl<'a> Walk<'a> {
    fn new(objects: &'a mut Lookup, shallow: HashSet<ObjectId>, cancelled: &'a dyn Fn() -> bool) -> Self {
        Self {
            objects,
            shallow,
            cancelled,
            nodes: HashMap::default(),
            queue: BinaryHeap::new(),
            reached: 0,
            open: 0,
            order: Vec::new(),
            oldest: i64::MAX,
            slop: SLOP,
        }
    }

    fn peel(&mut self, mut id: ObjectId, tags: &mut Vec<ObjectId>) -> Result<(ObjectId, Kind), Unread> {
        for _ in 0..MAX_TAGS {
            let (kind, content) = self.objects.read(&id)?;
            if kind != Kind::Tag {
                return Ok((id, kind));
            }
            let next = tagged(content).ok_or_else(|| malformed("tag"))?;
            tags.push(id);
            id = next;
        }
        Err(malformed("tag"))
    }

    /// Puts a commit in the queue, unless nothing new is learnt about it. `hint` is the time of
    /// the child that leads here.
    fn reach(&mut self, id: ObjectId, wanted: bool, hint: i64) {
        let objects = &mut *self.objects;
        let node = self.nodes.entry(id).or_insert_with(|| read(&id, objects, &self.shallow));
        let (was_open, was_known) = (node.is_open(), node.wanted || node.excluded);
        if node.excluded || (wanted && node.wanted) {
            return;
        }
        if wanted {
            node.wanted = true;
        } else {
            node.excluded = true;
        }
        match (was_open && node.queued, node.is_open()) {
            (true, false) => self.open -= 1,
            (false, true) => self.open += 1,
            (true, true) | (false, false) => {}
        }
        if !node.queued {
            node.queued = true;
            // NOTE: a commit far older than its child may have a wrong clock, and what it leads to
            // must not wait until the end.
            let doubtful = hint.saturating_sub(node.time) > DOUBTFUL || was_known;
            let priority = if doubtful { hint } else { node.time };
            self.queue.push((priority, std::cmp::Reverse(self.reached), id));
            self.reached += 1;
        }
    }

    fn run(&mut self) {
        while let Some((priority, _, id)) = self.queue.pop() {
            if self.next_is_enough(priority) || (self.cancelled)() {
                return;
            }
            let Some(node) = self.nodes.get_mut(&id) else { continue };
            node.queued = false;
            let (wanted, time, parents) = (node.is_open(), node.time, node.parents.clone());
            if wanted {
                self.open -= 1;
                self.order.push(id);
                self.oldest = self.oldest.min(time);
            }
            for parent in parents {
                self.reach(parent, wanted, time);
            }
        }
    }

    /// Whether nothing that is still queued can change what the range holds: all of it is
    /// excluded, and older than the range by a margin.
    fn next_is_enough(&mut self, priority: i64) -> bool {
        if self.open > 0 || (priority >= self.oldest && !self.order.is_empty()) {
            self.slop = SLOP;
            return false;
        }
        self.slop -= 1;
        self.slop == 0 || self.order.is_empty()
    }

    fn finish(self, mut found: Revisions) -> Revisions {
        for id in &self.order {
            let node = &self.nodes[id];
            if !node.is_open() {
                continue;
            }
            let Some(tree) = node.tree else {
                let unread = node.unread.clone().unwrap_or_else(|| malformed("commit"));
                found.unread.push((*id, "commit", unread));
                continue;
            };
            if self.shallow.contains(id) {
                found.cut.push(*id);
            }
            let mut before = Vec::with_capacity(node.parents.len());
            for parent in &node.parents {
                let Some(node) = self.nodes.get(parent) else { continue };
                if node.excluded {
                    found.base.push(*parent);
                }
                if let Some(tree) = node.tree {
                    before.push(Before { tree, is_base: node.excluded });
                } else if node.excluded {
                    let unread = node.unread.clone().unwrap_or_else(|| malformed("commit"));
                    found.unread.push((*parent, "commit", unread));
                }
            }
            found.commits.push(RangeCommit { id: *id, tree, before });
        }
        found.base.sort_unstable();
        found.base.dedup();
        found
    }
}

impl Node {
    fn is_open(&self) -> bool {
        self.wanted && !self.excluded
    }
}

fn read(id: &ObjectId, objects: &mut Lookup, shallow: &HashSet<ObjectId>) -> Node {
    let mut node = Node {
        wanted: false,
        excluded: false,
        queued: false,
        time: 0,
        tree: None,
        parents: Vec::new(),
        unread: None,
    };
    match objects.expect(id, Kind::Commit) {
        Ok(content) => {
            node.tree = tree_of_commit(content);
            node.time = time_of_commit(content);
            if !shallow.contains(id) {
                node.parents = parents(content).flatten().collect();
            }
        }
        Err(unread) => node.unread = Some(unread),
    }
    node
}

fn malformed(what: &str) -> Unread {
    Unread { kind: GapKind::Unreadable, why: format!("is not a well-formed {what}; run `git fsck`") }
}
