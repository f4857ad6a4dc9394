//! The commits of an object database as the scan of it comes by them: enough to order them and to
//! find their trees, so that nobody has to read them again.

use gix::ObjectId;

use super::pack::{Database, Object};
use super::repository::oid;

/// Commits with their trees and parents, as numbers of a [`Database`], in no particular order.
#[derive(Debug, Default)]
pub(super) struct Commits {
    rows: Vec<Row>,
    parents: Vec<u32>,
    /// Commits and trees that commits name and the database does not have.
    missing: Vec<(ObjectId, &'static str)>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    time: i64,
    commit: u32,
    tree: Option<u32>,
    first_parent: u32,
    parents: u32,
}

/// One commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitRow<'a> {
    /// Its number in the database.
    pub(super) commit: u32,
    /// Number of its tree, if that is there.
    pub(super) tree: Option<u32>,
    /// When it was committed, in seconds since 1970; 0 when it does not say.
    pub(super) time: i64,
    /// Numbers of those of its parents that are there.
    pub(super) parents: &'a [u32],
}

impl Commits {
    /// Adds a commit. With `cut`, its parents do not count. Returns what it names and the database
    /// does not have, and what that should be.
    pub(super) fn add(
        &mut self,
        commit: &Object<'_>,
        cut: bool,
        database: &Database,
    ) -> impl Iterator<Item = (ObjectId, &'static str)> + '_ {
        let known = self.missing.len();
        self.read(commit, cut, database);
        self.missing[known..].iter().copied()
    }

    fn read(&mut self, commit: &Object<'_>, cut: bool, database: &Database) {
        let content = commit.bytes;
        super::objects::parents(content).flatten().for_each(|parent| database.prefetch(&oid(&parent)));
        let number = |id: &ObjectId| database.number(&oid(id));
        let tree_id = super::lookup::tree_of_commit(content);
        let tree = tree_id.as_ref().and_then(number);
        let missing = |id: &ObjectId| !database.contains(&oid(id));
        if let Some(id) = tree_id.filter(|id| tree.is_none() && missing(id)) {
            self.missing.push((id, "tree"));
        }
        let first_parent = self.parents.len();
        for parent in super::objects::parents(content).flatten().filter(|_| !cut) {
            match number(&parent) {
                // NOTE: a commit that names a parent twice has it once.
                Some(number) if self.parents[first_parent..].contains(&number) => {}
                Some(number) => self.parents.push(number),
                None if missing(&parent) => self.missing.push((parent, "commit")),
                None => {}
            }
        }
        let committer = content
            .split(|&byte| byte == b'\n')
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix(b"committer "));
        let time = committer.and_then(time_of).unwrap_or(0);
        let parents = (self.parents.len() - first_parent) as u32;
        // NOTE: the object at hand is of the database.
        let Some(commit) = database.number_of(commit) else { return };
        self.rows.push(Row { time, commit, tree, first_parent: first_parent as u32, parents });
    }

    /// Adds those of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        let moved = self.parents.len() as u32;
        self.parents.extend(other.parents);
        let rows = other.rows.into_iter();
        self.rows.extend(rows.map(|row| Row { first_parent: row.first_parent + moved, ..row }));
        self.missing.extend(other.missing);
    }

    /// All of them.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = CommitRow<'_>> {
        self.rows.iter().map(|row| CommitRow {
            commit: row.commit,
            tree: row.tree,
            time: row.time,
            parents: &self.parents[row.first_parent as usize..][..row.parents as usize],
        })
    }

    /// Commits and trees that commits name and the database does not have.
    pub(super) fn missing(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.missing.iter().map(|(id, _)| *id)
    }
}

/// Seconds since 1970 from `Name <address> seconds zone`.
pub(super) fn time_of(person: &[u8]) -> Option<i64> {
    let rest = &person[memchr::memrchr(b'>', person)? + 1..];
    std::str::from_utf8(rest).ok()?.split_ascii_whitespace().next()?.parse().ok()
}
