//! Where reports go, and what is refused before anything is scanned.

use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::failure::{Failure, Outcome};

/// Where one report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// Standard output.
    Stdout,
    /// A file, replaced atomically when it is a regular file.
    File(PathBuf),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Destination {
    /// `-` stands for standard output.
    pub(super) fn new(path: &Path) -> Self {
        if path == Path::new("-") { Self::Stdout } else { Self::File(path.to_owned()) }
    }

    /// Refuses, before anything is scanned, what could not be written afterwards.
    ///
    /// With `secrets` inside, a file that others can read is refused, be it named or behind
    /// standard output.
    pub(super) fn check(&self, secrets: bool) -> Outcome<()> {
        let Self::File(path) = self else {
            return if secrets && stdout_is_shared_file() { Err(self.shared()) } else { Ok(()) };
        };
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => Err(Failure::new(format!(
                "cannot write the report to {self}: it is a directory"
            ))
            .hint(format!("name a file, for example --output {}", path.join("keycull.txt").display()))),
            Ok(about) if secrets && about.is_file() && others_can_read(&about) => Err(self.shared()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && directory_of(path).is_dir() => Ok(()),
            Err(error) => Err(Failure::from(error)
                .context(format!("cannot write the report to {self}"))
                .hint(format!("create the directory first: mkdir -p {}", directory_of(path).display()))),
        }
    }

    fn shared(&self) -> Failure {
        Failure::new(format!("refusing to write raw secrets to {self}: others can read it"))
            .hint("chmod 600 the file, name a new one, or leave --show-secrets away")
    }
}

/// Writes to standard output with `write`; a reader that went away is no error.
pub(super) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Outcome<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is left in the buffer has nobody to go to.
            let _ = out.into_parts();
            Ok(())
        }
        Err(error) => Err(Failure::from(error).context("cannot write to standard output")),
        Ok(()) => Ok(()),
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn others_can_read(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_can_read(_: &fs::Metadata) -> bool {
    // Access lists are not looked at; files are made in the user's own directories.
    false
}

/// Whether standard output is a regular file that others can read.
#[cfg(unix)]
fn stdout_is_shared_file() -> bool {
    use std::os::fd::AsFd;
    // NOTE: the descriptor is a duplicate, so dropping the `File` leaves standard output open.
    let Ok(descriptor) = io::stdout().as_fd().try_clone_to_owned() else { return false };
    fs::File::from(descriptor).metadata().is_ok_and(|about| about.is_file() && others_can_read(&about))
}

#[cfg(not(unix))]
fn stdout_is_shared_file() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_missing_directories_are_refused_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Destination::new(dir.path()).check(false).is_err());
        assert!(Destination::new(&dir.path().join("no/such/file")).check(false).is_err());
        assert!(Destination::new(&dir.path().join("new")).check(true).is_ok());
        assert_eq!(Destination::new(Path::new("-")), Destination::Stdout);
    }

    #[cfg(unix)]
    #[test]
    fn secrets_go_to_private_files_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("raw.jsonl");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let target = Destination::new(&path);
        assert!(target.check(true).is_err());
        assert!(target.check(false).is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(target.check(true).is_ok());
    }
}
