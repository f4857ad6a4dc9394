//! The key that seals what incremental scans keep; it lies with the user, not in a repository.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ring::rand::{SecureRandom, SystemRandom};

use super::environment::Environment;
use crate::finding::Secret;
use crate::pipeline::Incremental;

/// Bytes of a key.
const LENGTH: usize = 32;

/// What an incremental scan needs. None, with a warning, when there is no place for the key:
/// then everything is scanned.
pub(super) fn incremental(environment: &Environment) -> Option<Incremental> {
    let Some(directory) = directory(environment) else {
        log::warn!("neither XDG_STATE_HOME nor HOME is set; everything is scanned");
        return None;
    };
    match key(&directory) {
        Ok(key) => Some(Incremental { key, stamp: program() }),
        Err(error) => {
            let place = directory.join("incremental.key");
            log::warn!("{}: {error}; everything is scanned", place.display());
            None
        }
    }
}

fn directory(environment: &Environment) -> Option<PathBuf> {
    let state = environment.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(|home| Path::new(home).join(".local/state"));
    Some(state.or_else(home)?.join("keycull"))
}

/// Reads the key, or makes one.
fn key(directory: &Path) -> io::Result<Secret> {
    let path = directory.join("incremental.key");
    for _ in 0..2 {
        match fs::read(&path) {
            Ok(key) if key.len() == LENGTH => return Ok(Secret::new(key)),
            Ok(_) => return Err(io::Error::other("is not a key; remove it, and a new one is made")),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => make(directory, &path)?,
        }
    }
    Err(io::Error::other("cannot be made"))
}

/// Makes a key under a name of its own and puts it in place, unless somebody was faster.
fn make(directory: &Path, path: &Path) -> io::Result<()> {
    let mut key = [0; LENGTH];
    SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    fs::create_dir_all(directory)?;
    let new = directory.join(format!("incremental.key.{}", std::process::id()));
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(&new)?.write_all(&key);
    let linked = written.and_then(|()| fs::hard_link(&new, path));
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Which build this is: another one may find other things under the same version.
fn program() -> String {
    let metadata = std::env::current_exe().and_then(fs::metadata);
    let changed = metadata.as_ref().ok().and_then(|found| found.modified().ok());
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let length = metadata.map_or(0, |found| found.len());
    format!("program {length} {}", changed.map_or(0, |since| since.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_the_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("state/keycull");
        let one = key(&place).unwrap();
        assert_eq!((one.expose().len(), key(&place).unwrap()), (LENGTH, one));
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(place.join("incremental.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(place.join("incremental.key"), "short").unwrap();
        assert!(key(&place).is_err());
    }
}
