//! Who revoked what and when: append-only, each line bound to the one before.
//!
//! Holds fingerprints, hosts, path templates and results; no secret, no answer, no personal data of
//! the key's owner. Taking a line out or changing one breaks the chain from there on; cutting the
//! end off is found by comparing the last hash with one noted elsewhere.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::private_file;

/// Hash before the first line.
const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is written down. Field order is part of the form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Seconds since 1970 UTC.
    pub(super) at: i64,
    /// Same for all lines of one run.
    pub(super) run: String,
    /// User and, in CI, the job.
    pub(super) actor: String,
    /// Program and version.
    pub(super) tool: String,
    /// Digest of the plan.
    pub(super) plan: String,
    /// `sending`, `answered`, `result`.
    pub(super) event: String,
    pub(super) rule: String,
    pub(super) provider: String,
    pub(super) fingerprint: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) method: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) host: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) result: String,
    /// Milliseconds since the run started.
    pub(super) elapsed_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    prev: String,
    #[serde(rename = "entry")]
    entry: Entry,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It cannot be read or written.
    #[error("cannot use {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The chain is broken.
    #[error(
        "{path}: line {line} does not follow from the one before: the log was changed, or its end was cut; keep it and start another"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

/// What a whole log says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerdict {
    /// Lines in it.
    pub lines: usize,
    /// SHA-256 of the last line; note it elsewhere to notice a cut end.
    pub last: String,
}

/// An open log.
pub struct Audit {
    path: PathBuf,
    file: File,
    last: String,
    pub(super) run: String,
    pub(super) actor: String,
}

impl Audit {
    /// Opens or starts the log at `path` for one run of `actor`, after checking its chain.
    ///
    /// # Errors
    ///
    /// See [`AuditError`].
    pub fn open(path: &Path, run: &str, actor: &str) -> Result<Self, AuditError> {
        let failed = |error| AuditError::File { path: path.to_owned(), error };
        let mut file =
            private_file::owner_only().read(true).append(true).create(true).open(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let last = check(path, &read(&mut file).map_err(failed)?)?.last;
        file.unlock().map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, last, run: run.to_owned(), actor: actor.to_owned() })
    }

    /// Appends a line; returns when it is on disk. Other runs may write the same log between lines.
    pub(super) fn add(&mut self, entry: Entry) -> Result<(), AuditError> {
        let path = self.path.clone();
        let failed = |error| AuditError::File { path: path.clone(), error };
        self.file.lock().map_err(failed)?;
        let result = self.add_locked(entry);
        self.file.unlock().map_err(failed)?;
        result
    }

    fn add_locked(&mut self, entry: Entry) -> Result<(), AuditError> {
        let failed = |error| AuditError::File { path: self.path.clone(), error };
        let text = read(&mut self.file).map_err(failed)?;
        self.last = check(&self.path, &text)?.last;
        let line = Line { prev: self.last.clone(), entry };
        // NOTE: strings and numbers only; nothing in it can fail.
        let mut body = serde_json::to_string(&line).expect("an entry serialises");
        self.last = hash(&body);
        body.push('\n');
        self.file.write_all(body.as_bytes()).map_err(failed)?;
        self.file.sync_data().map_err(failed)
    }
}

fn read(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    Ok(text)
}

/// Checks the chain of the log at `path`.
///
/// # Errors
///
/// See [`AuditError`].
pub fn verify_audit(path: &Path) -> Result<AuditVerdict, AuditError> {
    let text = std::fs::read(path).map_err(|error| AuditError::File { path: path.to_owned(), error })?;
    check(path, &text)
}

fn check(path: &Path, text: &[u8]) -> Result<AuditVerdict, AuditError> {
    let mut verdict = AuditVerdict { lines: 0, last: START.to_owned() };
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let number = verdict.lines + 1;
        let broken = || AuditError::Broken { path: path.to_owned(), line: number };
        let body =
            std::str::from_utf8(line).ok().and_then(|line| line.strip_suffix('\n')).ok_or_else(broken)?;
        let parsed: Line = serde_json::from_str(body).map_err(|_| broken())?;
        if parsed.prev != verdict.last {
            return Err(broken());
        }
        verdict = AuditVerdict { lines: number, last: hash(body) };
    }
    Ok(verdict)
}

fn hash(body: &str) -> String {
    Sha256::digest(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_and_gaps_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.jsonl");
        let mut audit = Audit::open(&path, "run-1", "uid 1").expect("opens");
        for at in 0..4 {
            audit.add(Entry { at, rule: "a".to_owned(), ..Entry::default() }).expect("written");
        }
        let mut second = Audit::open(&path, "run-2", "uid 1").expect("opens beside the first");
        second.add(Entry { at: 9, ..Entry::default() }).expect("written");
        audit.add(Entry { at: 10, ..Entry::default() }).expect("follows the other run's line");
        assert_eq!(verify_audit(&path).expect("whole").lines, 6);
        let text = std::fs::read_to_string(&path).expect("readable");
        let lines: Vec<&str> = text.lines().collect();
        let without = [&lines[..2], &lines[3..]].concat().join("\n") + "\n";
        std::fs::write(&path, without).expect("written");
        assert!(matches!(verify_audit(&path), Err(AuditError::Broken { line: 3, .. })));
        std::fs::write(&path, text.replacen("\"at\":1", "\"at\":7", 1)).expect("written");
        assert!(matches!(verify_audit(&path), Err(AuditError::Broken { line: 3, .. })));
        assert!(Audit::open(&path, "run-3", "uid 1").is_err(), "nothing is added to a broken log");
    }
}
