//! Whether the paths that a range is limited to exist at all: a misspelt path must not look clean.

use gix::ObjectId;
use gix::objs::Kind;

use super::changes::Changes;
use super::walk::Revisions;
use crate::finding::RepoPath;
use crate::source::SourceError;
use crate::source::git::lookup::{Lookup, tree_of_commit};
use crate::source::git::path_scope::{is_within, trimmed};
use crate::source::git::tree_entries::TreeEntries;

/// Every limit has to be a path of something the range brings in, or of a commit in it or below it.
///
/// # Errors
/// For the first limit that is none.
pub(super) fn check(
    limits: &[RepoPath],
    revisions: &Revisions,
    changes: &Changes,
    objects: &mut Lookup,
) -> Result<(), SourceError> {
    for limit in limits {
        let path = trimmed(limit);
        let is_known = path.is_empty()
            || changes.blobs.values().any(|brought| is_within(brought, path))
            || changes.submodules.iter().any(|brought| is_within(brought, path))
            || changes.excluded.iter().any(|left_out| is_within(path, left_out) || is_within(left_out, path))
            || revisions.commits.iter().any(|commit| has(commit.tree, path, objects))
            || revisions.base.iter().any(|commit| {
                let tree = objects.expect(commit, Kind::Commit).ok().and_then(tree_of_commit);
                tree.is_some_and(|tree| has(tree, path, objects))
            });
        // NOTE: what could not be read may have held it.
        if !is_known && changes.unread.is_empty() && revisions.unread.is_empty() {
            return Err(SourceError::EmptyLimit { limit: limit.to_text(), scope: "the history in scope" });
        }
    }
    Ok(())
}

/// Whether the tree `root` has anything at `path`, or cannot be read that far.
fn has(root: ObjectId, path: &[u8], objects: &mut Lookup) -> bool {
    let mut at = root;
    for name in path.split(|&byte| byte == b'/') {
        let Ok(content) = objects.expect(&at, Kind::Tree) else { return true };
        let mut entries = TreeEntries::new(content, root.as_bytes().len()).flatten();
        let Some(next) = entries.find(|entry| entry.name == name) else { return false };
        let Ok(next) = ObjectId::try_from(next.id) else { return false };
        at = next;
    }
    true
}
