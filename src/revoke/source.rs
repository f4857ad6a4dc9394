//! Where secrets are read again: implemented by whoever can scan a place.

use std::sync::Arc;

use crate::finding::{Checksum, RuleInfo, Secret};

use super::Place;

/// A secret found again.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value.
    pub secret: Secret,
    /// Result of its offline checksum.
    pub checksum: Checksum,
}

/// Reads places again. Plans hold no secrets, so this is the only way to them.
pub trait SecretSource {
    /// The rule called `id`, as it is now.
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>>;

    /// Everything rule `rule` finds at `place` now; the caller picks by fingerprint.
    ///
    /// # Errors
    ///
    /// Why the place cannot be read, in words.
    fn read(&self, rule: &str, place: &Place) -> Result<Vec<Found>, String>;
}

/// A secret that was handed in, for `revoke one`: every place holds it.
pub struct GivenSecret {
    /// Its rule.
    pub rule: Arc<RuleInfo>,
    /// The secret, and what completes it: (rule id, value).
    pub secrets: Vec<(String, Found)>,
}

impl SecretSource for GivenSecret {
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>> {
        (self.rule.id == id).then(|| Arc::clone(&self.rule))
    }

    fn read(&self, rule: &str, _: &Place) -> Result<Vec<Found>, String> {
        Ok(self.secrets.iter().filter(|(id, _)| id == rule).map(|(_, found)| found.clone()).collect())
    }
}
