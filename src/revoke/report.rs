//! What came of a run, its exit code, and how it is told.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use crate::finding::{Evidence, RevocationOutcome};

use super::{Decision, Place, Plan, PlanItem};

/// What came of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Accepted, and then found dead.
    Revoked,
    /// Was dead before anything was sent.
    AlreadyDead,
    /// Accepted, but not found dead: no check exists, or it was still live at the deadline.
    AcceptedUnproven,
    /// The provider refused.
    Failed,
    /// The key may not do this.
    NotAuthorised,
    /// It cannot be done for this key.
    Unsupported,
    /// Sent, and no telling what became of it.
    Unknown,
    /// Not sent: something has changed, or speaks against it. The key may be live.
    Skipped,
    /// Not sent, by policy.
    Refused,
    /// Not sent: has to be done by hand.
    Manual,
    /// Would be sent (dry run).
    Planned,
}

impl Outcome {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::AlreadyDead => "already-dead",
            Self::AcceptedUnproven => "accepted-unproven",
            Self::Failed => "failed",
            Self::NotAuthorised => "not-authorised",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
            Self::Manual => "manual",
            Self::Planned => "planned",
        }
    }
}

/// What came of one key, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemReport {
    /// Short name.
    pub id: String,
    /// Detection rule.
    pub rule: String,
    /// Identity of the secret.
    pub fingerprint: String,
    /// The form that may be shown.
    pub redacted: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// Status of the deciding answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How to rotate by hand.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rotate: String,
    /// Where it is still in use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_use: Vec<String>,
    /// Whether history still holds it.
    pub in_history: bool,
}

impl ItemReport {
    pub(super) fn of(
        item: &PlanItem,
        outcome: Outcome,
        reason: impl Into<String>,
        status: Option<u16>,
    ) -> Self {
        let by_hand = !matches!(outcome, Outcome::Revoked | Outcome::AlreadyDead | Outcome::Planned);
        Self {
            id: item.id.clone(),
            rule: item.rule.clone(),
            fingerprint: item.fingerprint.clone(),
            redacted: item.redacted.clone(),
            outcome,
            reason: reason.into(),
            status,
            rotate: if by_hand { item.rotate.clone() } else { String::new() },
            in_use: item.places.iter().filter(|place| place.in_use).map(Place::to_string).collect(),
            in_history: item.places.iter().any(|place| place.in_history),
        }
    }
}

/// What came of a run. Holds nothing secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApplyReport {
    /// Nothing was to be sent.
    pub dry_run: bool,
    /// Stopped by a signal; apply again to resume.
    pub interrupted: bool,
    /// One per key of the plan that was asked for.
    pub items: Vec<ItemReport>,
}

/// How history is cleaned, for those who must.
const HISTORY: &str = "\
Afterwards, history: a dead key is safe to leave there. To remove it all the same, in a fresh clone:
  1. git filter-repo --replace-text EXPRESSIONS    (or --invert-paths --path FILE)
  2. git push --force-with-lease --all, and --tags
  3. in every other clone: fetch, rebase, then git reflog expire --expire=now --all && git gc --prune=now
  4. ask the host to drop cached views, pull request refs and forks";

impl ApplyReport {
    /// `0` all dead (or a dry run without problems), `1` some may still be live, `3` some accepted but unproven,
    /// `4` some refused by the provider, `5` some unknown, `6` some refused by policy, `130` interrupted.
    ///
    /// The worst counts: unknown, then provider refusals, then unproven, then policy, then live.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |outcomes: &[Outcome]| self.items.iter().any(|item| outcomes.contains(&item.outcome));
        if self.interrupted {
            130
        } else if any(&[Outcome::Unknown]) {
            5
        } else if any(&[Outcome::Failed, Outcome::NotAuthorised, Outcome::Unsupported]) {
            4
        } else if any(&[Outcome::AcceptedUnproven]) {
            3
        } else if any(&[Outcome::Refused]) {
            6
        } else if any(&[Outcome::Skipped, Outcome::Manual]) {
            1
        } else {
            0
        }
    }

    /// The report as JSON. As a receipt it lets a baseline, a report or an alert be closed because the key is dead.
    #[must_use]
    pub fn to_json(&self) -> String {
        // NOTE: strings, numbers and lists only; nothing in it can fail.
        serde_json::to_string_pretty(self).expect("a report serialises") + "\n"
    }

    /// Outcomes by fingerprint, in the words all reports share.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<String, RevocationOutcome> {
        let shared = |item: &ItemReport| {
            let evidence = Evidence { status: item.status, ..Evidence::default() };
            let why = item.reason.clone();
            match item.outcome {
                Outcome::Revoked => RevocationOutcome::Revoked(evidence),
                Outcome::AlreadyDead => RevocationOutcome::AlreadyDead(evidence),
                Outcome::AcceptedUnproven => RevocationOutcome::AcceptedUnproven(why),
                Outcome::Failed | Outcome::NotAuthorised | Outcome::Unsupported => {
                    RevocationOutcome::Failed(why)
                }
                Outcome::Unknown => RevocationOutcome::Unknown(why),
                Outcome::Skipped | Outcome::Refused | Outcome::Manual | Outcome::Planned => {
                    RevocationOutcome::Refused(why)
                }
            }
        };
        self.items.iter().map(|item| (item.fingerprint.clone(), shared(item))).collect()
    }

    /// Tells people, and what is left for them to do.
    ///
    /// # Errors
    ///
    /// `out` fails.
    pub fn describe(&self, out: &mut dyn io::Write) -> io::Result<()> {
        for item in &self.items {
            writeln!(out, "{:<18} {}  {}  {}", item.outcome.as_str(), item.id, item.rule, item.redacted)?;
            writeln!(out, "    {}", item.reason)?;
            let is_dead = matches!(item.outcome, Outcome::Revoked | Outcome::AlreadyDead);
            for place in item.in_use.iter().filter(|_| !is_dead) {
                writeln!(out, "    in use at {place}")?;
            }
            if !item.rotate.is_empty() {
                writeln!(out, "    by hand: {}", item.rotate)?;
            }
        }
        if self.dry_run {
            writeln!(out, "Nothing was sent. Add --yes to do it.")?;
        } else if self.interrupted {
            writeln!(out, "Interrupted. Run the same command again to resume.")?;
        } else if self
            .items
            .iter()
            .any(|item| item.in_history && matches!(item.outcome, Outcome::Revoked | Outcome::AlreadyDead))
        {
            writeln!(out, "{HISTORY}")?;
        }
        Ok(())
    }
}

impl Plan {
    /// Tells people what would be done.
    ///
    /// # Errors
    ///
    /// `out` fails.
    pub fn describe(&self, out: &mut dyn io::Write) -> io::Result<()> {
        for item in &self.items {
            let (word, why) = match &item.decision {
                Decision::Ready => ("revoke", item.reason.as_str()),
                Decision::AlreadyDead => ("already dead", item.reason.as_str()),
                Decision::Manual(why) => ("by hand", why.as_str()),
                Decision::Refused(why) => ("refused", why.as_str()),
                Decision::Unread(why) => ("not read", why.as_str()),
            };
            writeln!(out, "{word:<12} {}  {}  {}  ({})", item.id, item.rule, item.redacted, item.verdict)?;
            writeln!(out, "    {why}")?;
            if let Some(identity) = &item.identity {
                writeln!(out, "    belongs to {identity}")?;
            }
            if let (Decision::Ready, Some(action)) = (&item.decision, &item.action) {
                for request in &action.requests {
                    writeln!(out, "    {} https://{}{}", request.method, request.host, request.path)?;
                }
                let undo = if action.reversible { "the provider can undo it" } else { "cannot be undone" };
                writeln!(out, "    bound to this key by {}; {undo}", action.binding)?;
                if let Some(warning) = &action.warning {
                    writeln!(out, "    note: {warning}")?;
                }
            }
            for place in &item.places {
                writeln!(out, "    {} {place}", if place.in_use { "in use at" } else { "leaked at" })?;
            }
            if item.more_places > 0 {
                writeln!(out, "    and {} places more; the findings name them all", item.more_places)?;
            }
            if item.decision != Decision::AlreadyDead && !item.rotate.is_empty() {
                writeln!(out, "    by hand: {}", item.rotate)?;
            }
        }
        self.sum_up(out)
    }

    /// What is to be done first, and what is left afterwards.
    fn sum_up(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let all = self.items.len();
        let dead = self.items.iter().filter(|item| item.decision == Decision::AlreadyDead).count();
        let (ready, rest) = (self.ready(), all - self.ready() - dead);
        let keys = if all == 1 { "key" } else { "keys" };
        writeln!(
            out,
            "{all} {keys}: {ready} can be revoked from here, {dead} dead already, {rest} not from here"
        )?;
        let places = || self.items.iter().filter(|item| item.decision != Decision::AlreadyDead);
        if places().any(|item| item.places.iter().any(|place| place.in_use)) {
            writeln!(
                out,
                "Rotation first: what is in use needs its new key before the old one dies (--replaced),"
            )?;
            writeln!(out, "unless it is worse that it lives on (--emergency).")?;
        }
        if self.items.iter().any(|item| item.places.iter().any(|place| place.in_history)) {
            writeln!(out, "{HISTORY}")?;
        }
        Ok(())
    }
}
