//! Where the submodules of a repository are, for scans that go into them.
//!
//! Apart from the walk of the working tree, which never does: a submodule is a repository of its own.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::SourceError;
use super::repository::Repository;
use super::tracked::{Tracked, TrackedKind};
use crate::finding::RepoPath;

/// A submodule that the index names.
#[derive(Debug)]
pub struct Submodule {
    /// Its path in the repository around it.
    pub path: RepoPath,
    /// The directory of its working tree, or why there is nothing to scan, in words.
    pub place: Result<PathBuf, &'static str>,
}

const ABSENT: &str = "this submodule is not checked out, so nothing of it was scanned; git submodule update --init --recursive fetches it";
const OUTSIDE: &str =
    "this submodule's directory or git directory lies outside of the repository, and is not followed";

/// The submodules in the index of `repository`, by path. Those of bare repositories are nowhere.
///
/// # Errors
/// When the index cannot be read.
pub fn submodules(repository: &Repository) -> Result<Vec<Submodule>, SourceError> {
    let Some(root) = repository.work_dir() else { return Ok(Vec::new()) };
    let tracked = Tracked::read(repository)?;
    let paths = (0..tracked.len())
        .map(|position| tracked.entry(position))
        .filter(|(_, kind)| *kind == TrackedKind::Submodule)
        .map(|(path, _)| RepoPath::new(path.to_vec()));
    let mut paths: Vec<RepoPath> = paths.collect();
    paths.dedup();
    Ok(paths.into_iter().map(|path| Submodule { place: place(repository, root, &path), path }).collect())
}

/// The directory of the submodule at `path` below `root`. No link is followed: a hostile repository
/// must not lead a scan to other files of the machine.
fn place(repository: &Repository, root: &Path, path: &RepoPath) -> Result<PathBuf, &'static str> {
    let mut directory = root.to_owned();
    for name in path.as_bytes().split(|&byte| byte == b'/') {
        let name = std::str::from_utf8(name).map_err(|_| "its path is not UTF-8")?;
        if matches!(name, "" | "." | "..") {
            return Err(OUTSIDE);
        }
        directory.push(name);
        match fs::symlink_metadata(&directory) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(OUTSIDE),
            Err(_) => return Err(ABSENT),
        }
    }
    if fs::symlink_metadata(directory.join(".git")).is_err() {
        return Err(ABSENT);
    }
    let inner = Repository::open(&directory).map_err(|_| "this submodule's repository cannot be opened")?;
    if inner.lies_within(&[root, repository.common_dir()]) { Ok(directory) } else { Err(OUTSIDE) }
}
