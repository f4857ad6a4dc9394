//! Where secrets are read again: implemented by whoever can scan a place.

use std::sync::Arc;

use crate::finding::{
    Checksum, Confidence, CredentialMode, Disposition, Finding, Fingerprint, Occurrence, Origin, Position,
    Redaction, Region, RuleInfo, Secret, Span, Validation,
};

use super::Place;

/// A secret found again.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value.
    pub secret: Secret,
    /// Result of its offline checksum.
    pub checksum: Checksum,
    /// The JSON object it stands in, where the requests need more of the credential than the secret
    /// (a service account's key file).
    pub document: Option<Secret>,
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
    /// The secret first, then what completes it: (rule id, value).
    pub secrets: Vec<(String, Found)>,
}

impl GivenSecret {
    /// The secret as a finding whose place is standard input, followed by what completes it.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut all: Vec<Finding> = self.secrets.iter().map(|(id, found)| self.finding(id, found)).collect();
        let others: Vec<Fingerprint> = all.iter().skip(1).map(|other| other.fingerprint.clone()).collect();
        if let Some(first) = all.first_mut() {
            first.companions = others;
        }
        all
    }

    fn finding(&self, rule_id: &str, found: &Found) -> Finding {
        let at = Position { line: 1, column: 1, column_utf16: 1 };
        let place = Occurrence {
            repository: None,
            origin: Origin::Stdin { name: None },
            path: None,
            object: None,
            span: Span::new(0, found.secret.expose().len()),
            region: Region { start: at, end: at },
            excerpt: "[redacted]".to_owned(),
            line_hash: None,
            timeline: None,
            decoded: Vec::new(),
            context: Vec::new(),
            confidence: Confidence::High,
            disposition: Disposition::New,
            notes: Vec::new(),
        };
        let rule = Arc::new(RuleInfo { id: rule_id.to_owned(), ..(*self.rule).clone() });
        Finding {
            fingerprint: Fingerprint::of(&found.secret, rule.guessable, None),
            redacted: found.secret.redacted(Redaction::Full),
            secret: found.secret.clone(),
            severity: rule.severity,
            confidence: Confidence::High,
            mode: CredentialMode::Live,
            checksum: found.checksum,
            validation: Validation::NotAttempted,
            companions: Vec::new(),
            components: Vec::new(),
            occurrences: vec![place],
            disposition: Disposition::New,
            notes: Vec::new(),
            rule,
        }
    }
}

impl SecretSource for GivenSecret {
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>> {
        (self.rule.id == id).then(|| Arc::clone(&self.rule))
    }

    fn read(&self, rule: &str, _: &Place) -> Result<Vec<Found>, String> {
        Ok(self.secrets.iter().filter(|(id, _)| id == rule).map(|(_, found)| found.clone()).collect())
    }
}
