//! Single files as a commit holds them: for settings that must not come from the side that is
//! being judged.

use gix::ObjectId;
use gix::objs::Kind;

use super::super::SourceError;
use super::lookup::{Lookup, tree_of_commit};
use super::refs;
use super::repository::{Head, Repository, oid};
use super::tree_entries::{TreeEntries, TreeEntry};
use crate::finding::Oid;

impl Repository {
    /// The content of the file at `path`, whose components are divided by `/`, in the commit
    /// `HEAD` leads to; none when there is no such commit or no such file.
    ///
    /// # Errors
    /// When the commit, one of its trees or the file cannot be read.
    pub fn file_of_head(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let Head::Commit(commit) = self.head() else { return Ok(None) };
        let failed = |reason: String| SourceError::Head { path: self.git_dir().to_owned(), reason };
        let mut objects = Lookup::new(self);
        let commit = ObjectId::try_from(commit.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let content = objects.expect(&commit, Kind::Commit).map_err(|unread| failed(unread.why))?;
        let mut id = tree_of_commit(content).ok_or_else(|| failed("its commit names no tree".to_owned()))?;
        let mut names = path.split('/').peekable();
        while let Some(name) = names.next() {
            let tree = objects.expect(&id, Kind::Tree).map_err(|unread| failed(unread.why))?;
            let deeper = names.peek().is_some();
            let wanted = |entry: &TreeEntry<'_>| {
                let right_kind = if deeper { entry.is_tree() } else { is_regular(entry.mode) };
                right_kind && entry.name == name.as_bytes()
            };
            let found = TreeEntries::new(tree, id.as_bytes().len()).flatten().find(wanted);
            match found.and_then(|entry| ObjectId::try_from(entry.id).ok()) {
                Some(next) => id = next,
                None => return Ok(None),
            }
        }
        objects
            .expect(&id, Kind::Blob)
            .map(|content| Some(content.to_vec()))
            .map_err(|unread| failed(unread.why))
    }

    /// The objects that refs name whose full names begin with `prefix`, for example
    /// `refs/remotes/origin/`. Refs that cannot be read, and all refs in reftables, are left out.
    #[must_use]
    pub fn ref_targets(&self, prefix: &str) -> Vec<Oid> {
        let mut ids: Vec<Oid> = refs::read(self)
            .list
            .iter()
            .filter(|found| found.name.starts_with(prefix.as_bytes()))
            .filter_map(|found| found.target.as_deref().map(oid))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// Whether a file mode is that of a regular file.
fn is_regular(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}
