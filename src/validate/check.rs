//! Asks the provider, once per credential, and says what it said.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::finding::{Finding, Fingerprint, Secret, Validation};
use crate::rule::provider::{Provider, Step, Word};

use super::cache::{Cache, Key};
use super::exchange::{self, Verdict, Wire};
use super::operator::Operator;
use super::providers::Providers;
use super::subject::{Subject, admit};
use super::values::Values;

/// What is known of one credential. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Rule that found it.
    pub rule: String,
    /// Identity of the secret.
    pub fingerprint: String,
    /// The verdict, with evidence.
    pub validation: Validation,
    /// Why, in words.
    pub reason: String,
    /// Account, where the provider tells.
    pub account: Option<String>,
    /// Accepted, but not for what was asked.
    pub restricted: bool,
    /// Id of the block whose answer it is.
    pub provider: Option<String>,
}

/// A [`Checked`] as written to JSON.
#[derive(Serialize)]
struct Line<'a> {
    rule: &'a str,
    fingerprint: &'a str,
    verdict: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    restricted: bool,
}

impl Checked {
    /// For a finding whose secret could not be read again: it may be live.
    #[must_use]
    pub fn unread(finding: &Finding, reason: &str) -> Self {
        Self::of(finding, Validation::Unknown(reason.to_owned()), reason)
    }

    /// For a finding about which nobody is asked.
    #[must_use]
    pub fn not_asked(finding: &Finding, reason: &str) -> Self {
        Self::of(finding, Validation::NotAttempted, reason)
    }

    fn of(finding: &Finding, validation: Validation, reason: &str) -> Self {
        Self {
            rule: finding.rule.id.clone(),
            fingerprint: finding.fingerprint.as_str().to_owned(),
            validation,
            reason: reason.to_owned(),
            account: None,
            restricted: false,
            provider: None,
        }
    }

    /// `live`, `dead`, `unknown` or `not-attempted`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.validation.as_str()
    }

    /// One line of JSON, without line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let evidence = match &self.validation {
            Validation::Live(evidence) | Validation::Dead(evidence) => Some(evidence),
            Validation::Unknown(_) | Validation::NotAttempted => None,
        };
        let line = Line {
            rule: &self.rule,
            fingerprint: &self.fingerprint,
            verdict: self.word(),
            reason: &self.reason,
            status: evidence.and_then(|evidence| evidence.status),
            identity: evidence.and_then(|evidence| evidence.identity.as_deref()),
            account: self.account.as_deref(),
            scopes: evidence.map_or(&[], |evidence| &evidence.scopes),
            expires: evidence.and_then(|evidence| evidence.expires.as_deref()),
            restricted: self.restricted,
        };
        // NOTE: strings and numbers only; nothing in it can fail.
        serde_json::to_string(&line).expect("a line of strings serialises")
    }
}

/// Exit code of `keycull validate`: 1 if any credential is live, 5 if none is live and some are unknown, 0 otherwise.
#[must_use]
pub fn exit_code(checked: &[Checked]) -> u8 {
    if checked.iter().any(|one| matches!(one.validation, Validation::Live(_))) {
        1
    } else if checked.iter().any(|one| matches!(one.validation, Validation::Unknown(_))) {
        5
    } else {
        0
    }
}

/// Checks credentials under one set of providers, one operator's file, one network.
pub struct Validator<'a> {
    providers: &'a Providers,
    operator: &'a Operator,
    wire: Wire<'a>,
    cache: Cache,
}

impl<'a> Validator<'a> {
    /// Puts a validator together; sends nothing yet.
    #[must_use]
    pub fn new(providers: &'a Providers, operator: &'a Operator, wire: Wire<'a>) -> Self {
        Self { providers, operator, wire, cache: Cache::default() }
    }

    /// Checks one credential; a verdict of the last quarter of an hour is used again.
    #[must_use]
    pub fn check(&self, subject: &Subject<'_>) -> Checked {
        match self.known(subject) {
            Some(known) => known,
            None => self.check_now(subject),
        }
    }

    /// Checks one credential, asking the provider in any case.
    ///
    /// Where a provider has several installations that know nothing of each other, all are asked until one
    /// says live; dead is what all of them call dead.
    #[must_use]
    pub fn check_now(&self, subject: &Subject<'_>) -> Checked {
        let mut verdict: Option<Checked> = None;
        for provider in self.providers.all_for_rule(&subject.rule.id) {
            let checked = self.check_at(provider, subject);
            let open = matches!(checked.validation, Validation::Dead(_) | Validation::Unknown(_));
            let worse = matches!(checked.validation, Validation::Unknown(_));
            if !open {
                verdict = Some(checked);
                break;
            }
            if verdict.is_none() || (worse && verdict.as_ref().is_some_and(|known| known.word() == "dead")) {
                verdict = Some(checked);
            }
        }
        let checked = verdict.unwrap_or_else(|| {
            let reason = format!("no built-in check is known for {}", subject.rule.id);
            checked(subject, Validation::NotAttempted, reason)
        });
        self.cache.put(self.cache_key(subject), &checked, self.wire.clock);
        checked
    }

    /// Checks one credential at this very installation.
    #[must_use]
    pub fn check_at(&self, provider: &Provider, subject: &Subject<'_>) -> Checked {
        let not_attempted = |reason: String| checked(subject, Validation::NotAttempted, reason);
        let Some(action) = &provider.validate else {
            return not_attempted(format!("{} offers no harmless check", provider.id));
        };
        if let Err(veto) = admit(subject, provider, self.operator) {
            return not_attempted(veto.to_string());
        }
        match self.values(provider, subject) {
            Ok(mut values) => self.ask(provider, &action.steps, subject, &mut values),
            Err(reason) => not_attempted(reason),
        }
    }

    fn cache_key(&self, subject: &Subject<'_>) -> Key {
        Key::of(self.providers.for_rule(&subject.rule.id), subject)
    }

    fn known(&self, subject: &Subject<'_>) -> Option<Checked> {
        let known = self.cache.get(&self.cache_key(subject), self.wire.clock)?;
        Some(Checked { rule: subject.rule.id.clone(), ..known })
    }

    /// Runs other read-only steps in place of the block's `validate`: a post-check of its own.
    #[must_use]
    pub fn check_with(&self, provider: &Provider, steps: &[Step], subject: &Subject<'_>) -> Checked {
        match self.values(provider, subject) {
            Ok(mut values) => self.ask(provider, steps, subject, &mut values),
            Err(reason) => checked(subject, Validation::NotAttempted, reason),
        }
    }

    fn values(&self, provider: &Provider, subject: &Subject<'_>) -> Result<Values, String> {
        let base = provider.base.as_ref().and_then(|base| self.operator.bases.get(&base.name));
        Values::of(provider, subject.credential(provider), &subject.parts, base)
            .map_err(|error| error.to_string())
    }

    fn ask(
        &self,
        provider: &Provider,
        steps: &[Step],
        subject: &Subject<'_>,
        values: &mut Values,
    ) -> Checked {
        let mut nobody = |_: exchange::Event<'_>| ControlFlow::Continue(());
        let verdict = exchange::run(provider, steps, values, self.wire, &mut nobody);
        log::debug!("{} {}: {}", provider.id, subject.fingerprint, verdict.reason);
        judge(subject, provider, verdict)
    }

    /// Checks `findings` on `jobs` threads, in their order; stops asking once `cancel` is set.
    ///
    /// Companions are looked up in `all`. `documents` holds the JSON objects around secrets, where a provider
    /// reads them. A key that several rules have found is asked about once.
    #[must_use]
    pub fn check_all(
        &self,
        findings: &[Finding],
        all: &[Finding],
        documents: &HashMap<Fingerprint, Secret>,
        jobs: usize,
        cancel: &AtomicBool,
    ) -> Vec<Checked> {
        let subjects: Vec<Subject<'_>> = findings
            .iter()
            .map(|finding| {
                let document = documents.get(&finding.fingerprint).cloned();
                Subject { document, ..Subject::of(finding, all) }
            })
            .collect();
        let mut first: HashMap<Key, usize> = HashMap::new();
        let same: Vec<usize> = subjects
            .iter()
            .enumerate()
            .map(|(at, subject)| *first.entry(self.cache_key(subject)).or_insert(at))
            .collect();
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<Option<Checked>>> = Mutex::new(vec![None; subjects.len()]);
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, subjects.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(subject) = subjects.get(at) else { return };
                        if same[at] != at {
                            continue;
                        }
                        let result = if cancel.load(Ordering::Relaxed) {
                            let reason = "stopped before it was its turn".to_owned();
                            checked(subject, Validation::NotAttempted, reason)
                        } else {
                            self.check(subject)
                        };
                        results.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(result);
                    }
                });
            }
        });
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let of = |at: usize| {
            results[same[at]].clone().map(|one| Checked { rule: subjects[at].rule.id.clone(), ..one })
        };
        (0..subjects.len()).filter_map(of).collect()
    }
}

fn checked(subject: &Subject<'_>, validation: Validation, reason: String) -> Checked {
    Checked {
        rule: subject.rule.id.clone(),
        fingerprint: subject.fingerprint.as_str().to_owned(),
        validation,
        reason,
        account: None,
        restricted: false,
        provider: None,
    }
}

fn judge(subject: &Subject<'_>, provider: &Provider, verdict: Verdict) -> Checked {
    let Verdict { word, reason, evidence, account, .. } = verdict;
    let validation = match word {
        Word::Live | Word::Restricted => Validation::Live(evidence),
        Word::Dead => Validation::Dead(evidence),
        Word::Unknown
        | Word::Accepted
        | Word::AlreadyDead
        | Word::NotAuthorised
        | Word::Unsupported
        | Word::Failed => Validation::Unknown(reason.clone()),
    };
    Checked {
        account,
        restricted: word == Word::Restricted,
        provider: Some(provider.id.clone()),
        ..checked(subject, validation, reason)
    }
}
