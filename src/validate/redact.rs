//! The last look at every text that came from a provider: an echoing server must not make us print the secret.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::finding::Secret;

use super::render::percent;
use super::values::Values;

/// Longest kept value, in characters.
const LONGEST: usize = 200;
/// Shorter values are ids and words, not secrets; hiding them would hide everything.
const SHORTEST: usize = 8;

/// Knows the secrets of one credential and the usual encodings of each.
pub struct Redactor {
    needles: Vec<Zeroizing<Vec<u8>>>,
}

impl Redactor {
    /// Prepares for everything sensitive in `values`.
    #[must_use]
    pub fn of(values: &Values) -> Self {
        let mut redactor = Self { needles: Vec::new() };
        for secret in values.sensitive() {
            redactor.add(secret);
        }
        redactor
    }

    /// Adds one secret with its encodings.
    pub fn add(&mut self, secret: &Secret) {
        let raw = secret.expose();
        if raw.len() < SHORTEST {
            return;
        }
        let mut percent_encoded = String::new();
        percent(raw, &mut percent_encoded);
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let escaped = serde_json::to_string(&String::from_utf8_lossy(raw)).unwrap_or_default();
        let forms = [
            raw.to_vec(),
            STANDARD.encode(raw).into_bytes(),
            STANDARD_NO_PAD.encode(raw).into_bytes(),
            URL_SAFE_NO_PAD.encode(raw).into_bytes(),
            percent_encoded.into_bytes(),
            hex.into_bytes(),
            escaped.trim_matches('"').as_bytes().to_vec(),
        ];
        self.needles.extend(forms.into_iter().map(Zeroizing::new));
    }

    /// Whether any secret, or a long piece of one, stands in `text`.
    #[must_use]
    pub fn finds(&self, text: &[u8]) -> bool {
        let lower = text.to_ascii_lowercase();
        self.needles.iter().any(|needle| {
            let piece = &needle[..needle.len().min(24)];
            let tail = &needle[needle.len().saturating_sub(24)..];
            [piece, tail]
                .iter()
                .any(|part| memchr::memmem::find(&lower, &part.to_ascii_lowercase()).is_some())
        })
    }

    /// `text` for people: cut, without control characters, and nothing at all if it holds a secret.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        if self.finds(text.as_bytes()) {
            return "[redacted]".to_owned();
        }
        text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_known() {
        let secret = format!("{}+/{}", "aB3".repeat(5), "Zz9".repeat(5));
        let mut redactor = Redactor { needles: Vec::new() };
        redactor.add(&Secret::new(secret.as_str()));
        let mut encoded = String::new();
        percent(secret.as_bytes(), &mut encoded);
        for echo in [
            secret.clone(),
            format!("you sent {secret}!"),
            STANDARD.encode(&secret),
            URL_SAFE_NO_PAD.encode(&secret),
            encoded,
            secret[..26].to_owned(),
            secret[6..].to_owned(),
            secret.to_uppercase(),
        ] {
            assert_eq!(redactor.clean(&echo), "[redacted]", "{echo}");
        }
        assert_eq!(redactor.clean("octo\u{1b}[31mcat\n"), "octo[31mcat");
        assert_eq!(redactor.clean(&"é".repeat(300)).chars().count(), LONGEST);
    }
}
