//! Writes files that people keep in their repositories: whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub use super::baseline::quoted;

/// Attempts at a free temporary name beside the target.
const ATTEMPTS: u32 = 100;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and writing fails.
    Never,
    /// It is replaced; its permissions stay.
    Replace,
}

/// Writes `text` to `path`. Readers see the old file or the whole new one: the text goes to a
/// new file beside it, is synced, and renamed. A symbolic link stays one, its target is replaced.
///
/// # Errors
/// When the system refuses, or the file is there and must stay. Nothing is left behind then.
pub fn write_whole(path: &Path, text: &str, overwrite: Overwrite) -> io::Result<()> {
    if overwrite == Overwrite::Never && path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|about| !about.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    let (beside, mut file) = temporary(&target)?;
    let result = (|| {
        file.write_all(text.as_bytes())?;
        if let Some(old) = &old {
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        match overwrite {
            Overwrite::Replace => fs::rename(&beside, &target),
            // A link fails where the name was taken meanwhile; a rename would not.
            Overwrite::Never => fs::hard_link(&beside, &target).and_then(|()| fs::remove_file(&beside)),
        }
    })();
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

fn temporary(target: &Path) -> io::Result<(PathBuf, fs::File)> {
    let name = target.file_name().ok_or_else(|| io::Error::other("names no file"))?;
    let mut last = io::Error::other("no free temporary name");
    for attempt in 0..ATTEMPTS {
        let mut beside = name.to_owned();
        beside.push(format!(".{}.{attempt}.new", std::process::id()));
        let beside = target.with_file_name(beside);
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_and_stay_where_they_must() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        write_whole(&path, "one", Overwrite::Never).unwrap();
        assert_eq!(
            write_whole(&path, "two", Overwrite::Never).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write_whole(&path, "two", Overwrite::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
        assert!(write_whole(dir.path(), "x", Overwrite::Replace).is_err());
        assert!(write_whole(&dir.path().join("no/such"), "x", Overwrite::Replace).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_whole(&link, "new", Overwrite::Replace).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
