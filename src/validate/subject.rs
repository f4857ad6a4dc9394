//! The credential under check, and whether it may be sent anywhere at all.

use crate::finding::{Checksum, Finding, Fingerprint, RuleInfo, Secret};
use crate::rule::provider::Provider;

use super::canary;
use super::operator::Operator;

/// A credential with what belongs to it.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The rule that found it.
    pub rule: &'a RuleInfo,
    /// The value.
    pub secret: &'a Secret,
    /// Its identity; key of the cache.
    pub fingerprint: &'a Fingerprint,
    /// Result of the offline checksum.
    pub checksum: Checksum,
    /// The JSON object it stands in, for providers whose requests need more than the secret.
    pub document: Option<Secret>,
    /// Parts other rules found, by rule id.
    pub parts: Vec<(String, Secret)>,
}

impl<'a> Subject<'a> {
    /// What `provider` takes apart: the whole document where it reads one, else the secret.
    #[must_use]
    pub fn credential(&self, provider: &Provider) -> &Secret {
        let document = if provider.parse_json { self.document.as_ref() } else { None };
        document.unwrap_or(self.secret)
    }

    /// Takes a finding; its companions are looked up in `all`.
    #[must_use]
    pub fn of(finding: &'a Finding, all: &'a [Finding]) -> Self {
        let companion = |print: &Fingerprint| all.iter().find(|other| other.fingerprint == *print);
        let parts = finding.companions.iter().filter_map(companion);
        Self {
            rule: &finding.rule,
            secret: &finding.secret,
            fingerprint: &finding.fingerprint,
            checksum: finding.checksum,
            document: None,
            parts: parts.map(|other| (other.rule.id.clone(), other.secret.clone())).collect(),
        }
    }
}

/// Why a credential is never sent anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Veto {
    /// It may be another system's password.
    #[error("a generic finding may be another system's password and is never sent anywhere")]
    Generic,
    /// Its checksum is wrong: invented, cut or changed.
    #[error("its checksum is wrong, so it is no key of this provider")]
    Checksum,
    /// It is published by design.
    #[error("it is public by design")]
    Public,
    /// It is a sample or a placeholder.
    #[error("it is a documentation sample or a placeholder")]
    Placeholder,
    /// It is a trap.
    #[error("it belongs to a canary account: using it would ring an alarm")]
    Canary,
    /// The operator forbids it.
    #[error("the operator's file forbids it (never_revoke or never_validate)")]
    Forbidden,
}

/// Whether `subject` may be sent to `provider`.
///
/// # Errors
///
/// The reason why not.
pub fn admit(subject: &Subject<'_>, provider: &Provider, operator: &Operator) -> Result<(), Veto> {
    let rule = subject.rule;
    if rule.kind == "generic" || rule.guessable || rule.id.starts_with("generic") {
        return Err(Veto::Generic);
    }
    if subject.checksum == Checksum::Failed {
        return Err(Veto::Checksum);
    }
    if rule.public {
        return Err(Veto::Public);
    }
    let all = std::iter::once(subject.secret).chain(subject.parts.iter().map(|(_, secret)| secret));
    if all.into_iter().any(|secret| is_placeholder(secret.expose())) {
        return Err(Veto::Placeholder);
    }
    if provider.aws_canaries && canary::is_canary(subject.secret.expose(), &operator.canary_accounts) {
        return Err(Veto::Canary);
    }
    if operator.never_validate.contains(rule.id.as_str())
        || operator.never_validate.contains(subject.fingerprint.as_str())
    {
        return Err(Veto::Forbidden);
    }
    Ok(())
}

/// Longer values are documents or key blocks, in bytes.
const LONGEST_TOKEN: usize = 400;

/// Sample values that must not be tried: they say so, or are one character, or a short cycle, over and over.
fn is_placeholder(secret: &[u8]) -> bool {
    // Documents and PEM blocks hold host names and labels in which such words mean nothing.
    if secret.len() > LONGEST_TOKEN {
        return false;
    }
    let upper = secret.to_ascii_uppercase();
    let words: [&[u8]; 6] = [b"EXAMPLE", b"PLACEHOLDER", b"CHANGEME", b"REDACTED", b"YOUR_", b"XXXXXXXX"];
    if words.iter().any(|word| memchr::memmem::find(&upper, word).is_some()) {
        return true;
    }
    // The random part of a token is its end; a real one does not repeat within a dozen characters.
    let tail = &secret[secret.len() - secret.len().min(16)..];
    tail.len() >= 12 && (1..=3).any(|cycle| tail.iter().zip(&tail[cycle..]).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn samples_are_recognised() {
        for sample in [
            "AKIDEXAMPLE",
            "abc_your_key_here",
            "tok_xxxxxxxxxxxx",
            "tok_000000000000000000",
            "tok_abababababababab",
        ] {
            assert!(is_placeholder(sample.as_bytes()), "{sample}");
        }
        for real in ["q8Zt2mW4vR7yL1pK9sXd", "0123456789abcdefghij"] {
            assert!(!is_placeholder(real.as_bytes()), "{real}");
        }
    }
}
