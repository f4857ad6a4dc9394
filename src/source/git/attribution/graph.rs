//! All commits that refs, heads and reflogs reach, parents before children.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::ObjectId;
use gix::objs::Kind;

use super::super::commits::{CommitRow, Commits, time_of};
use super::super::lookup::{Lookup, Unread, missing, tree_of_commit};
use super::super::pack::Database;
use crate::finding::Oid;

/// Position of a commit in [`Graph`].
pub(super) type Commit = u32;

/// Commits in an order in which every parent stands before its children, older ones first where
/// that leaves a choice. Clocks that go wrong cannot put a child before its parent.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) ids: Vec<ObjectId>,
    pub(super) trees: Vec<ObjectId>,
    parents: Vec<Commit>,
    /// Where in `parents` those of each commit begin; one more than there are commits.
    starts: Vec<u32>,
    positions: gix::hashtable::HashMap<ObjectId, Commit>,
    /// Commits that could not be read.
    pub(super) unread: Vec<(ObjectId, Unread)>,
}

/// A commit as it is read, before there is an order.
struct Raw {
    id: ObjectId,
    tree: ObjectId,
    time: i64,
    parents: Vec<ObjectId>,
}

impl Graph {
    /// Reads everything that `tips` reach; what is no commit there is passed over.
    pub(super) fn load(tips: &[ObjectId], shallow: &[Oid], objects: &mut Lookup) -> Self {
        let mut graph = Self::default();
        let mut found: Vec<Raw> = Vec::new();
        let mut seen = gix::hashtable::HashSet::default();
        let mut open: Vec<ObjectId> = tips.to_vec();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match objects.read(&id) {
                Ok((Kind::Commit, content)) => match parse(id, content) {
                    Some(mut commit) => {
                        if shallow.iter().any(|cut| cut.as_bytes() == id.as_bytes()) {
                            commit.parents.clear();
                        }
                        open.extend_from_slice(&commit.parents);
                        found.push(commit);
                    }
                    None => graph.unread.push((id, malformed())),
                },
                Ok(_) => {}
                Err(unread) => graph.unread.push((id, unread)),
            }
        }
        graph.sort(found);
        graph
    }

    /// All commits of a database that was read before.
    pub(super) fn of(commits: &Commits, database: &Database, partial: bool) -> Self {
        let id = |number: u32| {
            let name = database.name(number);
            // NOTE: names of the database have the length of an object name.
            ObjectId::try_from(name.as_bytes()).expect("the name of an object")
        };
        let raw = |row: CommitRow<'_>| Raw {
            id: id(row.commit),
            tree: row.tree.map_or_else(|| ObjectId::null(gix::hash::Kind::Sha1), id),
            time: row.time,
            parents: row.parents.iter().map(|&parent| id(parent)).collect(),
        };
        let lost = commits.missing().map(|id| (id, missing(partial)));
        let mut graph = Self { unread: lost.collect(), ..Self::default() };
        graph.sort(commits.rows().map(raw).collect());
        graph
    }

    /// Parents of a commit that are known.
    pub(super) fn parents(&self, commit: Commit) -> &[Commit] {
        let at = commit as usize;
        &self.parents[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Where a commit stands.
    pub(super) fn position(&self, id: &ObjectId) -> Option<Commit> {
        self.positions.get(id).copied()
    }

    /// Puts commits in order: each as soon as all its parents are placed, the oldest first.
    fn sort(&mut self, found: Vec<Raw>) {
        let index: gix::hashtable::HashMap<ObjectId, usize> =
            found.iter().enumerate().map(|(at, commit)| (commit.id, at)).collect();
        let mut waiting = vec![0_u32; found.len()];
        let mut children: Vec<(usize, usize)> = Vec::with_capacity(found.len());
        for (at, commit) in found.iter().enumerate() {
            for parent in commit.parents.iter().filter_map(|parent| index.get(parent)) {
                waiting[at] += 1;
                children.push((*parent, at));
            }
        }
        children.sort_unstable();
        let mut ready: BinaryHeap<_> = (0..found.len())
            .filter(|&at| waiting[at] == 0)
            .map(|at| Reverse((found[at].time, found[at].id, at)))
            .collect();
        self.starts.push(0);
        while let Some(Reverse((_, id, at))) = ready.pop() {
            let commit = &found[at];
            self.positions.insert(id, self.ids.len() as Commit);
            self.ids.push(id);
            self.trees.push(commit.tree);
            let known = commit.parents.iter().filter_map(|parent| self.positions.get(parent));
            self.parents.extend(known);
            self.starts.push(self.parents.len() as u32);
            let first = children.partition_point(|&(parent, _)| parent < at);
            for &(_, child) in children[first..].iter().take_while(|&&(parent, _)| parent == at) {
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    ready.push(Reverse((found[child].time, found[child].id, child)));
                }
            }
        }
    }
}

fn malformed() -> Unread {
    let why = "is not a well-formed commit; run `git fsck`".to_owned();
    Unread { kind: crate::finding::GapKind::Unreadable, why }
}

fn parse(id: ObjectId, content: &[u8]) -> Option<Raw> {
    let tree = tree_of_commit(content)?;
    let mut parents = Vec::new();
    let mut time = 0;
    for line in content.split(|&byte| byte == b'\n').skip(1) {
        if let Some(parent) = line.strip_prefix(b"parent ") {
            let parent = ObjectId::from_hex(parent).ok()?;
            // NOTE: a commit that names a parent twice has it once.
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        } else if let Some(committer) = line.strip_prefix(b"committer ") {
            time = time_of(committer).unwrap_or(0);
            break;
        } else if line.is_empty() {
            break;
        }
    }
    Some(Raw { id, tree, time, parents })
}
