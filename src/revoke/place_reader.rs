//! Fetches the content of a place again: from the files that were scanned, or from git's objects.
//!
//! What a report names is not trusted: paths stay below the scanned directory, and links are not
//! followed, as in scans.

use std::path::{Component, Path, PathBuf};

use crate::finding::Oid;
use crate::source::git::Repository;

use super::Place;

/// Largest file read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// Reads places of one scanned directory and the repository around it.
#[derive(Debug)]
pub struct PlaceReader {
    root: PathBuf,
    repository: Option<Repository>,
}

impl PlaceReader {
    /// `root` is what paths in the report are relative to.
    #[must_use]
    pub fn new(root: PathBuf, repository: Option<Repository>) -> Self {
        Self { root, repository }
    }

    /// Reads places of all of `repository`: its working tree, or if it has none its git directory.
    #[must_use]
    pub fn of_repository(repository: Repository) -> Self {
        let root = repository.work_dir().unwrap_or(repository.git_dir()).to_owned();
        Self::new(root, Some(repository))
    }

    /// Whether there is a repository, and not only a directory.
    #[must_use]
    pub fn has_repository(&self) -> bool {
        self.repository.is_some()
    }

    /// The directories that are read.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        let git_dir = self.repository.as_ref().map(Repository::git_dir);
        std::iter::once(self.root.as_path()).chain(git_dir)
    }

    /// Content of `place` as it is now.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, in words.
    pub fn read(&self, place: &Place) -> Result<Vec<u8>, String> {
        match place.kind.as_str() {
            "blob" | "commit" | "tag" | "tree" | "index" => self.object(place),
            "symlink-target" if place.object.is_some() => self.object(place),
            "file" => file(&self.root, &below(place)?),
            "git-file" => file(self.repository()?.git_dir(), &below(place)?),
            "symlink-target" => {
                let target = std::fs::read_link(self.root.join(below(place)?)).map_err(|e| e.to_string())?;
                Ok(crate::finding::RepoPath::from_os(&target).as_bytes().to_vec())
            }
            "file-name" | "ref-name" => {
                place.path_bytes().ok_or_else(|| "the report names no path".to_owned())
            }
            "stdin" => {
                Err("standard input cannot be read again; hand the key to `keycull revoke one`".to_owned())
            }
            "archive-member" => {
                Err("members of archives are not read again; hand the key to `keycull revoke one`".to_owned())
            }
            other => Err(format!("places of kind {other} are not known")),
        }
    }

    fn repository(&self) -> Result<&Repository, String> {
        self.repository
            .as_ref()
            .ok_or_else(|| format!("{} is in no git repository; name it with --root", self.root.display()))
    }

    fn object(&self, place: &Place) -> Result<Vec<u8>, String> {
        let id = place.object.as_deref().ok_or("the report names no object")?;
        let id: Oid = id.parse().map_err(|_| "the report names no object".to_owned())?;
        self.repository()?.content(id)
    }
}

/// The path of `place`, which must stay below the directory it is relative to.
fn below(place: &Place) -> Result<PathBuf, String> {
    let bytes = place.path_bytes().ok_or("the report names no path")?;
    #[cfg(unix)]
    let path = {
        use std::os::unix::ffi::OsStringExt as _;
        PathBuf::from(std::ffi::OsString::from_vec(bytes))
    };
    #[cfg(not(unix))]
    let path = PathBuf::from(String::from_utf8(bytes).map_err(|_| "the path is not UTF-8".to_owned())?);
    let stays = path.components().all(|part| matches!(part, Component::Normal(_)));
    if stays && path.components().next().is_some() {
        Ok(path)
    } else {
        Err("the path leads out of the scanned directory".to_owned())
    }
}

fn file(root: &Path, path: &Path) -> Result<Vec<u8>, String> {
    // A link anywhere on the way would lead somewhere that was not scanned.
    let mut at = root.to_owned();
    for part in path.components() {
        at.push(part);
        let about = std::fs::symlink_metadata(&at).map_err(|error| error.to_string())?;
        if about.is_symlink() {
            return Err("a link stands on the way to it".to_owned());
        }
    }
    let about = std::fs::metadata(&at).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is not a file any more".to_owned());
    }
    if about.len() > MOST_BYTES {
        return Err("it is too large to be read again".to_owned());
    }
    std::fs::read(&at).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kind: &str, path: &str) -> Place {
        Place { kind: kind.to_owned(), path: Some(path.to_owned()), ..Place::default() }
    }

    #[test]
    fn paths_stay_below_the_root() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("made");
        std::fs::write(folder.path().join("out.txt"), "out").expect("written");
        std::fs::write(folder.path().join("in/a.txt"), "in").expect("written");
        let reader = PlaceReader::new(folder.path().join("in"), None);
        assert_eq!(reader.read(&place("file", "a.txt")).as_deref(), Ok(b"in".as_slice()));
        for path in ["../out.txt", "/etc/hostname", "a/../../out.txt", "", "%2e%2e/out.txt"] {
            assert!(reader.read(&place("file", path)).is_err(), "{path}");
        }
        assert!(reader.read(&place("blob", "a.txt")).is_err(), "no repository");
        assert!(reader.read(&place("stdin", "a.txt")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("out.txt"), "out").expect("written");
        std::fs::create_dir(folder.path().join("in")).expect("made");
        std::os::unix::fs::symlink("..", folder.path().join("in/up")).expect("made");
        let reader = PlaceReader::new(folder.path().join("in"), None);
        assert!(reader.read(&place("file", "up/out.txt")).is_err());
        assert_eq!(reader.read(&place("symlink-target", "up")).as_deref(), Ok(b"..".as_slice()));
    }
}
