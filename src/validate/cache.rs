//! Verdicts of the last minutes, in memory only: a report with a key in forty places asks once.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::finding::Fingerprint;
use crate::net::Clock;

use super::check::Checked;

/// How long a verdict may be used again. Also the longest a plan may rest on one.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(15 * 60);

/// By provider block and fingerprint.
#[derive(Default)]
pub(super) struct Cache {
    known: Mutex<HashMap<(String, Fingerprint), (Duration, Checked)>>,
}

impl Cache {
    pub(super) fn get(&self, key: &(String, Fingerprint), clock: &dyn Clock) -> Option<Checked> {
        let known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (since, checked) = known.get(key)?;
        (clock.steady().saturating_sub(*since) < GOOD_FOR).then(|| checked.clone())
    }

    pub(super) fn put(&self, key: (String, Fingerprint), checked: &Checked, clock: &dyn Clock) {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.insert(key, (clock.steady(), checked.clone()));
    }
}
