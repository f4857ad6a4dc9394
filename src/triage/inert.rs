//! Entries that suppressed nothing in a scan of everything.

use jiff::civil::Date;

use super::finish::TriageOptions;
use crate::finding::{InertEntry, Inertness};

/// What each entry did, in the order of the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Places each entry of [`TriageOptions::allow`] decided.
    pub allow: Vec<u64>,
    /// Secrets each entry of the baseline knew, whoever decided about them.
    pub baseline: Vec<u64>,
}

impl Uses {
    pub(super) fn none(options: &TriageOptions) -> Self {
        Self { allow: vec![0; options.allow.len()], baseline: vec![0; options.baseline.entries().len()] }
    }

    /// Whether an entry that could be called unused has not been needed so far.
    pub(super) fn idle(&self, options: &TriageOptions) -> bool {
        self.baseline.contains(&0)
            || self.allow.iter().zip(&options.allow).any(|(uses, entry)| *uses == 0 && !entry.from_exclude)
    }
}

/// The entries that are over or were not needed. Right only for a scan of everything they can
/// speak of.
#[must_use]
pub fn inert(options: &TriageOptions, uses: &Uses) -> Vec<InertEntry> {
    let mut inert = Vec::new();
    let mut judge = |entry: &str, until: Option<Date>, uses: u64, about: &str, over: &str| {
        let (why, text) = match until.filter(|day| *day < options.today) {
            Some(day) => (Inertness::Expired, format!("{over} until {day}; renew it or remove it")),
            None if uses == 0 => (Inertness::Unused, about.to_owned()),
            None => return,
        };
        inert.push(InertEntry { entry: entry.to_owned(), why, text });
    };
    for (entry, uses) in options.allow.iter().zip(&uses.allow).filter(|(entry, _)| !entry.from_exclude) {
        judge(&entry.entry, entry.until, *uses, "nothing that was found needs it; remove it", "it held");
    }
    for (entry, uses) in options.baseline.entries().iter().zip(&uses.baseline) {
        let about = "its secret was not found any more; `keycull baseline prune` removes it";
        judge(&entry.named(), entry.until, *uses, about, "its secret was accepted");
    }
    inert
}
