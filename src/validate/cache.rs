//! Verdicts of the last minutes, in memory only: a report with a key in forty places asks once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::finding::{Fingerprint, Validation};
use crate::net::Clock;
use crate::rule::provider::Provider;

use super::check::Checked;
use super::subject::Subject;

/// How long a verdict may be used again. Also the longest a plan may rest on one.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(15 * 60);

/// What a verdict is about. Holds hashes, nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The block that was asked by: one secret may be taken for the key of two providers.
    provider: String,
    secret: Fingerprint,
    /// What was sent beside it: the same key id with another secret is another credential.
    rest: [u8; 32],
}

impl Key {
    /// `subject` as the key of `provider`; none if nobody serves it.
    pub(super) fn of(provider: Option<&Provider>, subject: &Subject<'_>) -> Self {
        let mut rest = Sha256::new();
        let mut add = |bytes: &[u8]| {
            rest.update((bytes.len() as u64).to_le_bytes());
            rest.update(bytes);
        };
        for (rule, secret) in &subject.parts {
            add(rule.as_bytes());
            add(secret.expose());
        }
        if let Some(document) = &subject.document {
            add(b"document");
            add(document.expose());
        }
        Self {
            provider: provider.map(|provider| provider.id.clone()).unwrap_or_default(),
            secret: subject.fingerprint.clone(),
            rest: rest.finalize().into(),
        }
    }
}

/// When something was learnt, on both clocks: the steady one stands still while a machine sleeps, the
/// other one may be set.
#[derive(Clone, Copy)]
struct Moment {
    steady: Duration,
    wall: i64,
}

impl Moment {
    fn now(clock: &dyn Clock) -> Self {
        Self { steady: clock.steady(), wall: clock.now() }
    }

    /// Whether less than [`GOOD_FOR`] has passed since, by both clocks, and neither went back.
    fn is_recent(self, now: Self) -> bool {
        let steady = now.steady.checked_sub(self.steady);
        let wall = now.wall.checked_sub(self.wall).and_then(|passed| u64::try_from(passed).ok());
        [steady, wall.map(Duration::from_secs)].into_iter().all(|age| age.is_some_and(|age| age < GOOD_FOR))
    }
}

/// Verdicts that were proven, by what they are about.
#[derive(Default)]
pub(super) struct Cache {
    known: Mutex<HashMap<Key, (Moment, Checked)>>,
}

impl Cache {
    fn locked(&self) -> MutexGuard<'_, HashMap<Key, (Moment, Checked)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The verdict on `key`, if it is recent.
    pub(super) fn get(&self, key: &Key, clock: &dyn Clock) -> Option<Checked> {
        let (since, checked) = self.locked().get(key)?.clone();
        since.is_recent(Moment::now(clock)).then_some(checked)
    }

    /// Keeps a verdict. One that proves nothing is not kept, and ends the one before: things have changed.
    pub(super) fn put(&self, key: Key, checked: &Checked, clock: &dyn Clock) {
        match checked.validation {
            Validation::Live(_) | Validation::Dead(_) => {
                self.locked().insert(key, (Moment::now(clock), checked.clone()));
            }
            Validation::Unknown(_) | Validation::NotAttempted => {
                self.locked().remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
