//! One file as a commit holds it.

use gix::ObjectId;
use gix::objs::Kind;

use super::lookup::{Lookup, tree_of_commit};
use super::repository::Repository;
use super::tree_entries::TreeEntries;
use crate::finding::{Oid, RepoPath};

/// Most tags that point at tags.
const MAX_TAGS: usize = 16;

/// The commit that `object` is, or that it is a tag of; none when it cannot be read or is neither.
#[must_use]
pub fn commit_of(repository: &Repository, object: &Oid) -> Option<Oid> {
    let mut objects = Lookup::new(repository);
    let mut id = ObjectId::from_hex(object.to_string().as_bytes()).ok()?;
    for _ in 0..MAX_TAGS {
        let (kind, content) = objects.read(&id).ok()?;
        match kind {
            Kind::Commit => return Oid::from_bytes(id.as_slice()).ok(),
            Kind::Tag => id = gix::objs::TagRefIter::from_bytes(content, id.kind()).target_id().ok()?,
            Kind::Tree | Kind::Blob => return None,
        }
    }
    None
}

/// Content of the regular file `path` in `commit`; `None` when the commit has none there.
///
/// # Errors
/// The commit, or an object on the way, cannot be read; in words.
pub fn file_at(repository: &Repository, commit: &Oid, path: &RepoPath) -> Result<Option<Vec<u8>>, String> {
    let mut objects = Lookup::new(repository);
    let id = ObjectId::from_hex(commit.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let content = objects.expect(&id, Kind::Commit).map_err(|unread| unread.why)?;
    let mut tree = tree_of_commit(content).ok_or("the commit names no tree")?;
    let mut parts = path.as_bytes().split(|&byte| byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let content = objects.expect(&tree, Kind::Tree).map_err(|unread| unread.why)?;
        let entry =
            TreeEntries::new(content, tree.as_bytes().len()).flatten().find(|entry| entry.name == part);
        let Some(entry) = entry else { return Ok(None) };
        let id = ObjectId::try_from(entry.id).map_err(|error| error.to_string())?;
        let regular = entry.mode & 0o170_000 == 0o100_000;
        match (parts.peek(), entry.is_tree()) {
            (Some(_), true) => tree = id,
            (None, false) if regular => {
                return objects.expect(&id, Kind::Blob).map(|bytes| Some(bytes.to_vec())).map_err(|u| u.why);
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}
