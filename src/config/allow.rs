//! `[[allow]]` tables: findings that are known and accepted, with the reason.

use jiff::civil::Date;

use super::keys::Kind;
use super::{Given, Place};
use crate::finding::Fingerprint;

/// One key of an `[[allow]]` table.
#[derive(Clone, Copy, Debug)]
pub struct AllowKey {
    /// Its name.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// What it does.
    pub meaning: &'static str,
}

/// Every key of an `[[allow]]` table.
pub const ALLOW_KEYS: [AllowKey; 6] = [
    AllowKey { name: "reason", kind: Kind::Text, meaning: "Why; required, and shown in reports." },
    AllowKey {
        name: "rules",
        kind: Kind::List,
        meaning: "Ids of rules, or globs over ids; any rule when left out.",
    },
    AllowKey { name: "paths", kind: Kind::List, meaning: "Globs of paths; any place when left out." },
    AllowKey {
        name: "fingerprints",
        kind: Kind::List,
        meaning: "Secrets by fingerprint, as reports show it; any secret when left out.",
    },
    AllowKey {
        name: "stopwords",
        kind: Kind::List,
        meaning: "Texts one of which the secret contains, in upper or lower case; any secret when left out.",
    },
    AllowKey { name: "until", kind: Kind::Text, meaning: "Last day it holds, as YYYY-MM-DD." },
];

/// One `[[allow]]` table: a finding is allowed where every condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowEntry {
    /// Where the table stands.
    pub place: Place,
    /// Why.
    pub reason: String,
    /// Rule ids or globs over them; empty for any.
    pub rules: Vec<Given<String>>,
    /// Path globs; empty for any.
    pub paths: Vec<Given<String>>,
    /// Fingerprints; empty for any.
    pub fingerprints: Vec<Fingerprint>,
    /// Texts in the secret; empty for any.
    pub stopwords: Vec<String>,
    /// Last day it holds.
    pub until: Option<Date>,
}

impl AllowEntry {
    /// An entry without conditions, which is not valid yet.
    pub(super) fn at(place: Place) -> Self {
        Self {
            place,
            reason: String::new(),
            rules: Vec::new(),
            paths: Vec::new(),
            fingerprints: Vec::new(),
            stopwords: Vec::new(),
            until: None,
        }
    }

    /// Takes one value; of a list, one item.
    ///
    /// # Errors
    /// Says what is wrong with the value.
    pub(super) fn set(&mut self, key: &str, text: Given<String>) -> Result<(), String> {
        match key {
            "reason" => self.reason = text.value.trim().to_owned(),
            "rules" => self.rules.push(text),
            "paths" => self.paths.push(text),
            "fingerprints" => self.fingerprints.push(text.value.parse().map_err(|e| format!("{e}"))?),
            "stopwords" if text.value.is_empty() => return Err("an empty text is in every secret".to_owned()),
            "stopwords" => self.stopwords.push(text.value),
            "until" => {
                let day = text.value.parse();
                self.until =
                    Some(day.map_err(|_| format!("`{}` is not a day: write YYYY-MM-DD", text.value))?);
            }
            // NOTE: a test walks every entry of ALLOW_KEYS through this match.
            other => unreachable!("key {other} of the table is not handled"),
        }
        Ok(())
    }

    /// What a complete entry still lacks.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let unconditional = self.rules.is_empty()
            && self.paths.is_empty()
            && self.fingerprints.is_empty()
            && self.stopwords.is_empty();
        if self.reason.is_empty() {
            Some("an entry needs a `reason`")
        } else if unconditional {
            Some("an entry needs at least one of `rules`, `paths`, `fingerprints`, `stopwords`")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_taken() {
        let mut entry = AllowEntry::at(Place::Flag("test"));
        for key in &ALLOW_KEYS {
            let value = match key.name {
                "until" => "2030-01-31".to_owned(),
                "fingerprints" => format!("p1:{}", "00".repeat(16)),
                _ => "x".to_owned(),
            };
            entry.set(key.name, Given { value, place: Place::Flag("test") }).unwrap();
        }
        assert_eq!(entry.missing(), None);
    }
}
