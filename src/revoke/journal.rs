//! What was done under a plan, synced to disk before the next thing is done.
//!
//! One line per event, each with a checksum. A last line that is cut short never happened: its
//! sync had not returned, so nothing was sent on the strength of it. Anything else that does not
//! add up is refused, because guessing could send twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::private_file;
use super::report::Outcome;

/// State of one key, as of its last event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub(super) enum State {
    /// It was checked; nothing was sent.
    Prechecked {
        /// `live`, `dead`, `unknown` or `not-attempted`.
        verdict: String,
    },
    /// The mutating request goes out next: from here on it may have arrived.
    Sending,
    /// It was answered.
    Answered {
        /// The provider's word.
        word: String,
        /// Status, if it was HTTP.
        status: Option<u16>,
    },
    /// It was checked after the fact.
    Postchecked {
        /// As above.
        verdict: String,
    },
    /// The end.
    Done {
        /// What came of it.
        outcome: Outcome,
        /// Why, in words.
        reason: String,
        /// Status of the deciding answer.
        status: Option<u16>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    at: i64,
    item: String,
    event: State,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("cannot use {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Another process holds it.
    #[error("another keycull applies this plan right now ({0} is locked)")]
    Locked(PathBuf),
    /// It belongs to another plan.
    #[error("{0} belongs to another plan; move it away if that one is finished")]
    OtherPlan(PathBuf),
    /// It does not add up.
    #[error(
        "{path}: line {line} is damaged; what was sent is unknown: check the keys with `keycull validate`, then move the journal away and plan again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

/// An open, locked journal.
pub struct Journal {
    path: PathBuf,
    file: File,
    next: u64,
    last: BTreeMap<String, State>,
    /// The provider's word on each key that was answered.
    answers: BTreeMap<String, String>,
}

impl Journal {
    /// Opens or starts the journal at `path` for the plan with this digest, and locks it.
    ///
    /// # Errors
    ///
    /// See [`JournalError`].
    pub fn open(path: &Path, plan_digest: &str) -> Result<Self, JournalError> {
        let failed = |error| JournalError::File { path: path.to_owned(), error };
        let mut file = private_file::owner_only()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(JournalError::Locked(path.to_owned())),
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let mut journal =
            Self { path: path.to_owned(), file, next: 0, last: BTreeMap::new(), answers: BTreeMap::new() };
        let whole = journal.replay(&text, plan_digest)?;
        let length = whole as u64;
        journal.file.set_len(length).map_err(failed)?;
        journal.file.seek(SeekFrom::Start(length)).map_err(failed)?;
        if whole == 0 {
            journal.write_line(&format!("{{\"plan\":\"{plan_digest}\"}}"))?;
            private_file::sync_folder(path).map_err(failed)?;
        }
        Ok(journal)
    }

    /// Reads all whole lines; returns how many bytes they are.
    fn replay(&mut self, text: &[u8], plan_digest: &str) -> Result<usize, JournalError> {
        let mut whole = 0;
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        for (index, line) in lines.iter().enumerate() {
            let cut = index + 1 == lines.len() && !line.ends_with(b"\n");
            if cut {
                break;
            }
            let damaged = || JournalError::Damaged { path: self.path.clone(), line: index + 1 };
            let body = unseal(line).ok_or_else(damaged)?;
            if index == 0 {
                if body != format!("{{\"plan\":\"{plan_digest}\"}}") {
                    return Err(JournalError::OtherPlan(self.path.clone()));
                }
            } else {
                let event: Line = serde_json::from_str(body).map_err(|_| damaged())?;
                if event.seq != self.next {
                    return Err(damaged());
                }
                self.next += 1;
                self.keep(event.item, event.event);
            }
            whole += line.len();
        }
        Ok(whole)
    }

    /// The last event of `item`.
    pub(super) fn state(&self, item: &str) -> Option<&State> {
        self.last.get(item)
    }

    /// Adds an event; returns when it is on disk.
    pub(super) fn add(&mut self, item: &str, at: i64, event: State) -> Result<(), JournalError> {
        let line = Line { seq: self.next, at, item: item.to_owned(), event };
        // NOTE: strings and numbers only; nothing in it can fail.
        self.write_line(&serde_json::to_string(&line).expect("an event serialises"))?;
        self.next += 1;
        self.keep(line.item, line.event);
        Ok(())
    }

    fn keep(&mut self, item: String, event: State) {
        if let State::Answered { word, .. } = &event {
            self.answers.insert(item.clone(), word.clone());
        }
        self.last.insert(item, event);
    }

    /// Whether the provider has said yes to `item`.
    pub(super) fn was_accepted(&self, item: &str) -> bool {
        self.answers.get(item).is_some_and(|word| matches!(word.as_str(), "accepted" | "already_dead"))
    }

    fn write_line(&mut self, body: &str) -> Result<(), JournalError> {
        let failed = |error| JournalError::File { path: self.path.clone(), error };
        self.file.write_all(seal(body).as_bytes()).map_err(failed)?;
        self.file.sync_data().map_err(failed)
    }
}

impl Drop for Journal {
    /// Unlocks by word: closing alone leaves the lock to a child process that was just being started
    /// and still holds a copy of the descriptor.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// `<8 hex> <body>\n`.
fn seal(body: &str) -> String {
    format!("{} {body}\n", sum(body))
}

fn unseal(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (given, body) = text.split_once(' ')?;
    (given == sum(body)).then_some(body)
}

fn sum(body: &str) -> String {
    Sha256::digest(body.as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json.journal");
        let mut journal = Journal::open(&path, "d1").expect("opens");
        journal.add("a", 1, State::Prechecked { verdict: "live".to_owned() }).expect("written");
        journal.add("a", 2, State::Sending).expect("written");
        journal.add("b", 3, State::Sending).expect("written");
        drop(journal);
        let text = std::fs::read(&path).expect("readable");
        (folder, path, text)
    }

    #[test]
    fn cut_at_any_byte_it_holds_exactly_the_whole_lines() {
        let (_folder, path, text) = written();
        for cut in 0..=text.len() {
            std::fs::write(&path, &text[..cut]).expect("written");
            let mut journal = Journal::open(&path, "d1").expect("a cut journal opens");
            let whole = text[..cut].iter().filter(|byte| **byte == b'\n').count();
            let wanted =
                [None, None, Some(State::Prechecked { verdict: "live".to_owned() }), Some(State::Sending)];
            assert_eq!(journal.state("a").cloned(), wanted[whole.min(3)], "cut at {cut}");
            assert_eq!(journal.state("b").is_some(), whole >= 4, "cut at {cut}");
            journal.add("c", 9, State::Sending).expect("goes on after the last whole line");
            drop(journal);
            assert!(Journal::open(&path, "d1").expect("still whole").state("c").is_some(), "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let (_folder, path, text) = written();
        for at in 0..text.len() - 1 {
            let mut changed = text.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).expect("written");
            assert!(Journal::open(&path, "d1").is_err(), "byte {at}");
        }
    }

    #[test]
    fn one_process_one_plan() {
        let (_folder, path, _) = written();
        let _held = Journal::open(&path, "d1").expect("opens");
        assert!(matches!(Journal::open(&path, "d1"), Err(JournalError::Locked(_))));
    }

    #[test]
    fn another_plan_is_refused() {
        let (_folder, path, _) = written();
        assert!(matches!(Journal::open(&path, "d2"), Err(JournalError::OtherPlan(_))));
    }
}
