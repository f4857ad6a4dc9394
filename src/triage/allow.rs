//! Who allowed what: inline markers, entries of the configuration, published samples.

use std::sync::Arc;

use globset::GlobSet;
use jiff::civil::Date;

use super::marker::InlineAllow;
use super::other_tools;
use crate::config::BaselineEntry;
use crate::finding::{AllowSource, Disposition, Fingerprint, Note, RepoPath, Secret};
use crate::import::gitleaks::Allowlist;

/// One `[[allow]]` entry of a configuration file.
///
/// Every kind of condition that is given must hold; an entry without any holds nowhere.
#[derive(Clone, Debug, Default)]
pub struct AllowRule {
    /// Which entry, for people: `keycull.toml [[allow]] #2`.
    pub entry: String,
    /// Ids of rules; empty for any.
    pub rules: Vec<String>,
    /// Paths, relative to the scanned root; `None` for any. Places without a path match none.
    pub paths: Option<GlobSet>,
    /// Texts one of which the secret contains, in any case; empty for any secret.
    pub stopwords: Vec<String>,
    /// Secrets by fingerprint; empty for any.
    pub fingerprints: Vec<Fingerprint>,
    /// Why.
    pub reason: Option<String>,
    /// Last day it holds.
    pub until: Option<Date>,
    /// It stands for an excluded path. Such are left out before anything is found, so that one
    /// which decides nothing is not idle.
    pub from_exclude: bool,
}

/// Which allowances count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Honour<'a> {
    /// Any at all, but published samples.
    pub(super) any: bool,
    /// Markers beside the secret.
    pub(super) markers: bool,
    /// Markers of other tools that count as well.
    pub(super) others: &'a [&'static str],
    /// The day on which they are judged.
    pub(super) today: Date,
}

/// What is known of one place when it is decided whether somebody allowed it.
pub(super) struct Place<'a> {
    /// Ids of the rule it is reported under and of the one that matched.
    pub(super) rules: [&'a str; 2],
    pub(super) path: Option<&'a RepoPath>,
    pub(super) secret: &'a Secret,
    /// Known when an entry asks for one.
    pub(super) fingerprint: Option<&'a Fingerprint>,
    pub(super) allows: &'a [Arc<InlineAllow>],
    /// An allowlist of an imported configuration that holds here.
    pub(super) pardon: Option<&'a Allowlist>,
}

/// The outcome for one place.
pub(super) struct Verdict {
    pub(super) disposition: Disposition,
    /// Remarks on allowances that do not hold.
    pub(super) notes: Vec<Note>,
    /// Index of the configuration entry that decided.
    pub(super) entry: Option<usize>,
}

impl AllowRule {
    /// Whether every condition given holds for `place`, whatever the date.
    fn covers(&self, place: &Place<'_>) -> bool {
        let given = !self.rules.is_empty()
            || self.paths.is_some()
            || !self.stopwords.is_empty()
            || !self.fingerprints.is_empty();
        given
            && (self.rules.is_empty() || names_rule(&self.rules, place.rules))
            && self
                .paths
                .as_ref()
                .is_none_or(|globs| place.path.is_some_and(|path| path_matches(globs, path)))
            && (self.stopwords.is_empty() || self.stopwords.iter().any(|word| contains(place.secret, word)))
            && (self.fingerprints.is_empty()
                || place.fingerprint.is_some_and(|print| self.fingerprints.contains(print)))
    }
}

/// Decides about one place; `sample` says where the secret was published, if it was.
pub(super) fn decide(
    place: &Place<'_>,
    sample: Option<&'static str>,
    entries: &[AllowRule],
    known: Option<&BaselineEntry>,
    honour: Honour<'_>,
) -> Verdict {
    let Honour { any, markers, others, today } = honour;
    let mut notes = Vec::new();
    if let Some(published) = sample {
        let disposition = Disposition::Allowed {
            by: AllowSource::KnownSample,
            reason: Some(published.to_owned()),
            until: None,
        };
        return Verdict { disposition, notes, entry: None };
    }
    if !any {
        return Verdict { disposition: Disposition::New, notes, entry: None };
    }
    let counts = |allow: &&Arc<InlineAllow>| {
        !other_tools::is_conditional(allow.marker) || others.contains(&allow.marker)
    };
    for allow in place.allows.iter().filter(counts) {
        match objection(allow, place, today) {
            None if !markers => notes.push(Note {
                code: "allow-not-in-force",
                text: format!(
                    "the {} marker beside it came with these changes and does not count here",
                    allow.marker
                ),
            }),
            None => {
                let disposition = Disposition::Allowed {
                    by: AllowSource::Inline { marker: allow.marker.to_owned() },
                    reason: allow.reason.clone(),
                    until: allow.until.map(|day| day.to_string()),
                };
                return Verdict { disposition, notes: Vec::new(), entry: None };
            }
            Some(note) => notes.push(note),
        }
    }
    if let Some(list) = place.pardon {
        let disposition = Disposition::Allowed {
            by: AllowSource::Config { entry: format!("{} allowlist", list.place) },
            reason: Some(list.description.clone()).filter(|text| !text.is_empty()),
            until: None,
        };
        return Verdict { disposition, notes: Vec::new(), entry: None };
    }
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.covers(place)) {
        if let Some(day) = entry.until.filter(|day| *day < today) {
            notes.push(Note {
                code: "allow-expired",
                text: format!("{} allowed this until {day}; it no longer holds", entry.entry),
            });
            continue;
        }
        let disposition = Disposition::Allowed {
            by: AllowSource::Config { entry: entry.entry.clone() },
            reason: entry.reason.clone(),
            until: entry.until.map(|day| day.to_string()),
        };
        return Verdict { disposition, notes: Vec::new(), entry: Some(index) };
    }
    if let Some(entry) = known {
        match entry.until.filter(|day| *day < today) {
            None => {
                let disposition = Disposition::Baselined { reason: entry.reason.clone() };
                return Verdict { disposition, notes: Vec::new(), entry: None };
            }
            Some(day) => notes.push(Note {
                code: "baseline-expired",
                text: format!("the baseline ({}) accepted it until {day}; it no longer does", entry.named()),
            }),
        }
    }
    Verdict { disposition: Disposition::New, notes, entry: None }
}

/// Why a marker does not hold here, or `None` when it does.
fn objection(allow: &InlineAllow, place: &Place<'_>, today: Date) -> Option<Note> {
    let marker = allow.marker;
    if let Some(fault) = &allow.fault {
        return Some(Note {
            code: "allow-malformed",
            text: format!("the {marker} marker beside it is ignored: {fault}"),
        });
    }
    if !allow.rules.is_empty() && !names_rule(&allow.rules, place.rules) {
        return Some(Note {
            code: "allow-other-rule",
            text: format!("the {marker} marker beside it names other rules; this one is {}", place.rules[0]),
        });
    }
    let expired = allow.until.filter(|day| *day < today)?;
    Some(Note {
        code: "allow-expired",
        text: format!("the {marker} marker beside it held until {expired}; it no longer does"),
    })
}

fn names_rule(list: &[String], rules: [&str; 2]) -> bool {
    list.iter().any(|id| rules.contains(&id.as_str()))
}

/// Whether `globs` match the path, or the container of an archive member.
fn path_matches(globs: &GlobSet, path: &RepoPath) -> bool {
    let outer = path.as_bytes().split(|&b| b == b'!').next().unwrap_or_default();
    [path.as_bytes(), outer].into_iter().any(|bytes| {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            globs.is_match(std::ffi::OsStr::from_bytes(bytes))
        }
        #[cfg(not(unix))]
        {
            globs.is_match(String::from_utf8_lossy(bytes).as_ref())
        }
    })
}

fn contains(secret: &Secret, word: &str) -> bool {
    !word.is_empty()
        && memchr::memmem::find(&secret.expose().to_ascii_lowercase(), word.to_ascii_lowercase().as_bytes())
            .is_some()
}
