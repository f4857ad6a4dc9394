//! Writes a report to a file: whole or not at all, and raw secrets only where nobody else reads.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::{Format, ReportOptions};
use crate::finding::ScanReport;

/// Attempts at a free temporary name beside the target.
const ATTEMPTS: u32 = 100;

/// Why a report file was not written.
#[derive(Debug)]
pub enum WriteFileError {
    /// The system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Raw secrets were asked for and the file is not private.
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
}

impl fmt::Display for WriteFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "cannot write the report {path:?}: {source}"),
            Self::NotPrivate { path, why } => {
                write!(f, "refusing to write raw secrets (--show-secrets) to {path:?}: {why}")
            }
        }
    }
}

impl std::error::Error for WriteFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NotPrivate { .. } => None,
        }
    }
}

/// Writes `report` to the file `path`.
///
/// Readers see the old file or the whole new one: the report goes to a temporary file in the same
/// directory, is synced and renamed. A symbolic link stays one, its target is replaced; what is no
/// regular file (a FIFO, `/dev/null`) is written to directly.
///
/// With [`ReportOptions::show_secrets`] the file is created readable by its owner alone.
///
/// # Errors
/// When the system refuses, and, with raw secrets, when `path` is a symbolic link, no regular
/// file, or a file that group or others have rights on. Nothing is left behind then.
pub fn write_file(
    path: &Path,
    report: &ScanReport,
    format: Format,
    options: &ReportOptions,
) -> Result<(), WriteFileError> {
    let failed = |source| WriteFileError::Io { path: path.to_owned(), source };
    if options.show_secrets {
        check_private(path)?;
    }
    let write = |file: File| -> io::Result<File> {
        let mut out = BufWriter::new(file);
        super::write(report, format, options, &mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)
    };
    if options.show_secrets {
        // Not resolved: a link put there meanwhile is replaced, never followed.
        return replace(path, true, write).map_err(failed);
    }
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => {
            let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            write(file).map(drop).map_err(failed)
        }
        Ok(_) => {
            let target = fs::canonicalize(path).map_err(failed)?;
            replace(&target, false, write).map_err(failed)
        }
        Err(_) => replace(path, false, write).map_err(failed),
    }
}

/// Refuses places where somebody else could read raw secrets.
fn check_private(path: &Path) -> Result<(), WriteFileError> {
    let refuse = |why| Err(WriteFileError::NotPrivate { path: path.to_owned(), why });
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(WriteFileError::Io { path: path.to_owned(), source }),
    };
    if there.file_type().is_symlink() {
        return refuse("it is a symbolic link; name the file itself");
    }
    if !there.is_file() {
        return refuse("it is not a regular file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if there.permissions().mode() & 0o077 != 0 {
            return refuse("others have rights on it; run `chmod 600` on it or name another file");
        }
    }
    Ok(())
}

/// Puts what `write` writes in the place of `target`.
fn replace(target: &Path, private: bool, write: impl FnOnce(File) -> io::Result<File>) -> io::Result<()> {
    let (temporary, file) = create_beside(target, private)?;
    let written = write(file).and_then(|file| {
        keep_mode(target, &file, private)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, target));
    if renamed.is_err() {
        // NOTE: the first failure is the one to tell; a leftover cannot be helped here.
        drop(fs::remove_file(&temporary));
    }
    renamed
}

/// Creates a file of its own in the directory of `target`.
fn create_beside(target: &Path, private: bool) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut attempt = 0;
    loop {
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let temporary = target.with_file_name(temporary);
        match options.open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Gives the new file the rights of the one it replaces.
fn keep_mode(target: &Path, file: &File, private: bool) -> io::Result<()> {
    match fs::metadata(target) {
        Ok(old) if !private => file.set_permissions(old.permissions()),
        Ok(_) | Err(_) => Ok(()),
    }
}
