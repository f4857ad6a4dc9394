//! The index as a list of what git tracks, for scans of the working tree.

use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode};

use super::super::SourceError;
use super::repository::{Repository, chain};

/// An index read once: entries sorted by path.
pub(in crate::source) struct Tracked {
    index: gix::index::File,
}

/// What a tracked path is, as far as the working tree is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum TrackedKind {
    /// A file or symbolic link.
    File,
    /// A submodule.
    Submodule,
    /// Deliberately absent (sparse checkout).
    Absent,
}

impl Tracked {
    /// Reads the index of `repository`; without an index file nothing is tracked.
    pub(in crate::source) fn read(repository: &Repository) -> Result<Self, SourceError> {
        Ok(Self { index: open_index(repository)? })
    }

    /// Number of entries; positions are below it.
    pub(in crate::source) fn len(&self) -> usize {
        self.index.entries().len()
    }

    /// Position of the first entry with this path (several, when it is in conflict).
    pub(in crate::source) fn position(&self, path: &[u8]) -> Option<usize> {
        let entries = self.index.entries();
        let at = entries.partition_point(|entry| entry.path(&self.index).as_bytes() < path);
        entries.get(at).filter(|entry| entry.path(&self.index) == path).map(|_| at)
    }

    /// Path and kind of the entry at `position`.
    pub(in crate::source) fn entry(&self, position: usize) -> (&[u8], TrackedKind) {
        let entry = &self.index.entries()[position];
        let kind = match entry.mode {
            Mode::COMMIT => TrackedKind::Submodule,
            Mode::DIR => TrackedKind::Absent,
            _ if entry.flags.contains(Flags::SKIP_WORKTREE) => TrackedKind::Absent,
            _ => TrackedKind::File,
        };
        (entry.path(&self.index).as_bytes(), kind)
    }

    /// Whether `path` is a submodule.
    pub(in crate::source) fn is_submodule(&self, path: &[u8]) -> bool {
        self.position(path).is_some_and(|at| self.entry(at).1 == TrackedKind::Submodule)
    }
}

/// Reads the index without checking its checksum, as git does.
pub(super) fn open_index(repository: &Repository) -> Result<gix::index::File, SourceError> {
    let path = repository.index_path();
    let failed = |reason: String| SourceError::Index { path: path.to_owned(), reason };
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(failed("it is not a file".to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let empty = gix::index::State::new(repository.hash_kind());
            return Ok(gix::index::File::from_state(empty, path));
        }
        Err(error) => return Err(failed(error.to_string())),
    }
    let options = gix::index::decode::Options { thread_limit: Some(1), ..Default::default() };
    gix::index::File::at(path, repository.hash_kind(), true, options).map_err(|error| failed(chain(&error)))
}
