//! `--incremental`: what one scan of the history leaves for the next.
//!
//! A file in the git directory holds what was seen, never a secret. It is trusted only with a
//! seal made with a key that lies outside of any repository: whoever can write into a git
//! directory, or hands one over in an archive, cannot hide anything with it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::finding::{Oid, Secret};
use crate::source::git::{Repository, Seen};

/// First line of the file; another form has another number.
const MAGIC: &[u8] = b"keycull history state 1\n";

/// Length of the seal in bytes.
const SEAL: usize = 32;

/// Largest file that is read, in bytes.
const MOST: u64 = 1 << 30;

/// What incremental scans need to be told.
#[derive(Clone, Debug)]
pub struct Incremental {
    /// Seals what is kept; the same for each scan of the same user.
    pub key: Secret,
    /// Whatever else the outcome depends on, for example settings and the program's version.
    pub stamp: String,
}

/// The kept state of one repository under one set of rules and settings.
pub(super) struct State<'a> {
    incremental: &'a Incremental,
    directory: PathBuf,
    /// What has to be the same for a state to be of use.
    stamp: String,
}

impl<'a> State<'a> {
    /// The state of `repository`; nothing is read yet.
    pub(super) fn new(
        incremental: &'a Incremental,
        repository: &Repository,
        rules: &str,
        settings: &str,
    ) -> Self {
        let place = repository.common_dir().display();
        let version = env!("CARGO_PKG_VERSION");
        let stamp =
            format!("{version}\n{}\nrules {rules}\nsettings {settings}\n{place}\n", incremental.stamp);
        Self { incremental, directory: repository.common_dir().join("keycull"), stamp }
    }

    fn file(&self) -> PathBuf {
        self.directory.join("history")
    }

    /// What an earlier scan saw. A state that is damaged or was sealed by somebody else is told
    /// and left alone; one of other rules or settings is of no use, and nothing to tell.
    pub(super) fn load(&self) -> Option<Seen> {
        let bytes = match read(&self.file()) {
            Ok(bytes) => bytes?,
            Err(error) => {
                log::warn!("{}: {error}; everything is scanned", self.file().display());
                return None;
            }
        };
        let sealed = self.open(&bytes);
        if sealed.is_none() {
            log::warn!(
                "{} is damaged or was not written by you; it is ignored, and everything is scanned",
                self.file().display()
            );
        }
        sealed?.strip_prefix(self.stamp.as_bytes()).and_then(Seen::from_bytes)
    }

    /// The content of a state, when its seal is right.
    fn open<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (seal, content) = bytes.strip_prefix(MAGIC)?.split_at_checked(SEAL)?;
        self.seal(content).verify_slice(seal).ok().map(|()| content)
    }

    fn seal(&self, content: &[u8]) -> Hmac<Sha256> {
        // NOTE: HMAC takes keys of any length, so this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.incremental.key.expose())
            .expect("HMAC accepts any key length");
        mac.update(MAGIC);
        mac.update(content);
        mac
    }

    /// Keeps `seen`, in which something was found in the objects `hits`.
    ///
    /// Somebody else who is just doing the same goes first; failing to write is told and changes
    /// nothing else.
    pub(super) fn save(&self, mut seen: Seen, hits: Vec<Oid>) {
        seen.set_hits(hits);
        let content = [self.stamp.as_bytes(), &seen.to_bytes()].concat();
        let seal = self.seal(&content).finalize().into_bytes();
        if let Err(error) = self.write(&[MAGIC, &seal, &content]) {
            let place = self.directory.display();
            log::warn!("{place}: cannot keep what was seen: {error}; the next scan reads everything");
        }
    }

    fn write(&self, parts: &[&[u8]]) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let lock = File::create(self.directory.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(()),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        let new = self.directory.join("history.new");
        // NOTE: what lies there is what a writer left behind that was killed, or a trap.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = File::options().write(true).create_new(true).open(&new)?;
        let written = parts.iter().try_for_each(|part| file.write_all(part));
        drop(file);
        let done = written.and_then(|()| fs::rename(&new, self.file()));
        if done.is_err() {
            // A part of it is of no use, and the disk may be full.
            let _ = fs::remove_file(&new);
        }
        done
    }
}

/// The bytes of a regular file; none when there is nothing.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) if !found.is_file() => Err(io::Error::other("is not a regular file")),
        Ok(found) if found.len() > MOST => Err(io::Error::other("is too large")),
        Ok(_) => fs::read(path).map(Some),
    }
}
