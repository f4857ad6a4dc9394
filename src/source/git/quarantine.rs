//! Object directories that the environment names: while git receives a push, new objects lie in
//! a quarantine directory, and hooks see them through `GIT_OBJECT_DIRECTORY`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::pack::{HashKind, ObjectDirectories};

/// An object directory without objects that borrows from all those the environment names.
///
/// The git library knows no such variables, but it follows `info/alternates`.
#[derive(Debug)]
pub(super) struct Borrowed {
    directory: PathBuf,
}

/// Where objects are, as the environment of git's own commands says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Instead of the repository's own directory.
    pub(super) own: Option<PathBuf>,
    /// More directories to look in, separated as in `PATH`.
    pub(super) more: Option<OsString>,
}

impl Places {
    /// Reads `GIT_OBJECT_DIRECTORY` and `GIT_ALTERNATE_OBJECT_DIRECTORIES`; paths count from
    /// `directory`.
    pub(super) fn from_variables(directory: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        Self {
            own: variable("GIT_OBJECT_DIRECTORY").map(|path| directory.join(path)),
            more: variable("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
        }
    }

    /// Whether the environment says nothing.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All directories, those that they borrow from included.
    pub(super) fn directories(&self, objects: &Path, hash: HashKind) -> ObjectDirectories {
        ObjectDirectories::discover(self.own.as_deref().unwrap_or(objects), hash, self.more.as_deref())
    }
}

impl Borrowed {
    /// Makes an object directory that borrows from `directories`.
    ///
    /// # Errors
    /// When no directory can be made in the place for temporary files.
    pub(super) fn from(directories: &ObjectDirectories) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("keycull-objects-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        // NOTE: fails when anything of that name is there, so nobody else's directory is used.
        builder.create(&directory)?;
        let borrowed = Self { directory };
        fs::create_dir(borrowed.directory.join("info"))?;
        let mut list = Vec::new();
        for path in directories.paths() {
            list.extend_from_slice(&quoted(&path.canonicalize().unwrap_or_else(|_| path.clone())));
            list.push(b'\n');
        }
        fs::write(borrowed.directory.join("info/alternates"), list)?;
        Ok(borrowed)
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        // NOTE: nothing but the list is in it, and what stays behind on failure does no harm.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A path as a C string, as `info/alternates` has those with odd characters.
fn quoted(path: &Path) -> Vec<u8> {
    let mut text = vec![b'"'];
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', byte]),
            0x20..=0x7e => text.push(byte),
            _ => text.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
        }
    }
    text.push(b'"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_gone_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("a \"b\" ü");
        fs::create_dir_all(odd.join("pack")).unwrap();
        let directories = ObjectDirectories::discover(&odd, HashKind::Sha1, None);
        let borrowed = Borrowed::from(&directories).unwrap();
        let path = borrowed.path().to_owned();
        let found = ObjectDirectories::discover(&path, HashKind::Sha1, None);
        assert_eq!(found.paths()[1].canonicalize().unwrap(), odd.canonicalize().unwrap());
        assert!(found.gaps().is_empty());
        drop(borrowed);
        assert!(!path.exists());
    }
}
