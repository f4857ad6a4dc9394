//! The baseline: findings that are known, one entry for each secret.
//!
//! Entries are bound to the secret alone, by its fingerprint. There are no paths, lines or times
//! in the file, so that moving, re-indenting or renaming changes nothing, and a changed secret is
//! a new one. Entries are sorted by fingerprint, so that two branches rarely write into the same
//! lines, and what people wrote (comments, order of keys) stays as it is when keycull writes.

mod parse;
mod render;

use std::borrow::Cow;
use std::path::Path;

use jiff::civil::Date;

use super::{ConfigError, Place, file};
use crate::finding::Fingerprint;

pub use render::quoted;

/// Name of the baseline beside `keycull.toml`, read when it is there.
pub const BASELINE_NAME: &str = "keycull.baseline.toml";

/// Keys of an entry, in the order in which they are written.
pub const BASELINE_KEYS: [(&str, &str); 7] = [
    ("fingerprint", "The secret, as reports show it; required."),
    ("rule", "Id of the rule that found it; for people, a new name of the rule changes nothing."),
    ("shows", "The redacted form of the secret; for people."),
    ("reason", "Why it does not count."),
    ("who", "Who decided so."),
    ("until", "Last day it holds, as YYYY-MM-DD."),
    ("receipt", "The receipt of its revocation, once it was revoked."),
];

/// A baseline file in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// What stands above the first entry.
    head: String,
    /// Sorted by fingerprint, each fingerprint once.
    entries: Vec<BaselineEntry>,
    /// The file ends its lines with carriage return and line feed.
    crlf: bool,
}

/// One known secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineEntry {
    /// The secret.
    pub fingerprint: Fingerprint,
    /// Id of the rule that found it.
    pub rule: Option<String>,
    /// Its redacted form.
    pub shows: Option<String>,
    /// Why it does not count.
    pub reason: Option<String>,
    /// Who decided so.
    pub who: Option<String>,
    /// Last day it holds.
    pub until: Option<Date>,
    /// The receipt of its revocation.
    pub receipt: Option<String>,
    /// Where it stands; `None` for one that was not read from a file.
    pub place: Option<Place>,
    /// Its text in the file, comments above it included.
    text: Option<String>,
}

impl BaselineEntry {
    /// An entry that says nothing but which secret it is.
    #[must_use]
    pub fn new(fingerprint: Fingerprint) -> Self {
        Self {
            fingerprint,
            rule: None,
            shows: None,
            reason: None,
            who: None,
            until: None,
            receipt: None,
            place: None,
            text: None,
        }
    }

    /// The entry for reports: where it stands, else its fingerprint.
    #[must_use]
    pub fn named(&self) -> String {
        self.place.as_ref().map_or_else(|| self.fingerprint.to_string(), Place::short)
    }

    /// Whether both say the same, wherever they stand.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        let bare = |entry: &Self| Self { place: None, text: None, ..entry.clone() };
        bare(self) == bare(other)
    }
}

impl Baseline {
    /// Reads `path`.
    ///
    /// # Errors
    /// It cannot be read, is not TOML, has merge conflict markers, an unknown key, a value of the
    /// wrong type, or two entries for one secret that say different things.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&file::text_of(path)?, path)
    }

    /// Parses the text of a baseline; `path` is named in errors.
    ///
    /// # Errors
    /// As [`Baseline::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let crlf = text.contains("\r\n");
        let text = if crlf { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
        Ok(Self { crlf, ..parse::parse(&text, path)? })
    }

    /// All entries, sorted by fingerprint.
    #[must_use]
    pub fn entries(&self) -> &[BaselineEntry] {
        &self.entries
    }

    /// The entry for `fingerprint`.
    #[must_use]
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&BaselineEntry> {
        self.at(fingerprint).ok().map(|at| &self.entries[at])
    }

    /// Index of the entry for `fingerprint` in [`Baseline::entries`].
    #[must_use]
    pub fn position(&self, fingerprint: &Fingerprint) -> Option<usize> {
        self.at(fingerprint).ok()
    }

    /// Adds an entry; one that is there already stays as it is. Says whether it was added.
    pub fn insert(&mut self, entry: BaselineEntry) -> bool {
        match self.at(&entry.fingerprint) {
            Ok(_) => false,
            Err(at) => {
                self.entries.insert(at, entry);
                true
            }
        }
    }

    /// Writes the receipt of a revocation into the entry for `fingerprint`, if there is one.
    ///
    /// Comments above the entry stay; the entry itself is written anew.
    pub fn set_receipt(&mut self, fingerprint: &Fingerprint, receipt: impl Into<String>) -> bool {
        let Ok(at) = self.at(fingerprint) else { return false };
        let entry = &mut self.entries[at];
        entry.receipt = Some(receipt.into());
        entry.text = entry.text.take().map(|old| render::comments(&old) + &render::entry(entry));
        true
    }

    /// Leaves out the entries for which `keep` is false.
    pub fn retain(&mut self, keep: impl FnMut(&BaselineEntry) -> bool) {
        self.entries.retain(keep);
    }

    /// The text of the file, its lines ended as those of the file it was read from.
    #[must_use]
    pub fn to_text(&self) -> String {
        let text = render::file(self);
        if self.crlf { text.replace('\n', "\r\n") } else { text }
    }

    fn at(&self, fingerprint: &Fingerprint) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.fingerprint.cmp(fingerprint))
    }
}
