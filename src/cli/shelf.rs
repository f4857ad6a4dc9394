//! Where the files that decide what counts are read: on disk, or as a commit holds them.
//!
//! A gate over a range reads everything inside the repository from the base side, so that a change
//! cannot silence the gate that judges it.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{self, ConfigError};
use crate::finding::{Oid, RepoPath};
use crate::source::git::{Repository, file_at};

/// A place to read settings from.
pub(super) enum Shelf<'r> {
    /// Files as they are.
    Disk,
    /// Files below `root` as `commit` holds them; others as they are.
    Commit {
        /// Whose commit.
        repository: &'r Repository,
        /// Which one.
        commit: Oid,
        /// Root of the working tree; for a bare repository any directory that stands for it.
        root: PathBuf,
    },
    /// Nothing but files of `commit`, named from its root: no name leads to the disk.
    Bare {
        /// Whose commit.
        repository: &'r Repository,
        /// Which one.
        commit: Oid,
    },
}

impl Shelf<'_> {
    /// The text of `file`.
    pub(super) fn text(&self, file: &Path) -> Result<String, ConfigError> {
        let Some((repository, commit, path)) = self.committed(file) else { return config::text_of(file) };
        let failed = |source: io::Error| ConfigError::Read { file: file.to_owned(), source };
        let found = file_at(repository, commit, &path).map_err(|why| failed(io::Error::other(why)))?;
        let bytes = found.ok_or_else(|| {
            failed(io::Error::new(
                io::ErrorKind::NotFound,
                format!("the base side, commit {}, has no such file", commit.short(12)),
            ))
        })?;
        String::from_utf8(bytes).map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    /// Whether something is there, be it readable or not.
    pub(super) fn has(&self, file: &Path) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound};
        match self.committed(file) {
            Some((repository, commit, path)) => !matches!(file_at(repository, commit, &path), Ok(None)),
            None => file
                .symlink_metadata()
                .map_or_else(|error| !matches!(error.kind(), NotFound | NotADirectory), |_| true),
        }
    }

    /// What a commit answers for.
    fn committed(&self, file: &Path) -> Option<(&Repository, &Oid, RepoPath)> {
        let (repository, commit, root) = match self {
            Self::Disk => return None,
            Self::Bare { repository, commit } => return Some((repository, commit, RepoPath::from_os(file))),
            Self::Commit { repository, commit, root } => (repository, commit, root),
        };
        let full = std::env::current_dir().ok()?.join(file);
        // A link inside the working tree must not lead the gate elsewhere: the name comes first.
        let below = |full: &Path| full.strip_prefix(root).ok().map(RepoPath::from_os);
        let path = below(&full).or_else(|| below(&full.canonicalize().ok()?))?;
        Some((repository, commit, path))
    }
}
