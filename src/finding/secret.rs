//! A secret value that does not leave by accident.

use std::fmt;

use zeroize::Zeroizing;

/// The bytes of a leaked credential.
///
/// `Debug` and `Display` never show them; [`Secret::expose`] is the only way out. The memory
/// is wiped on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl std::hash::Hash for Secret {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

/// How much of a secret its redacted form may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// Nothing, not even the length: passwords and generic secrets.
    Full,
    /// The first `prefix` bytes (the public marker of the token's kind) and the last four
    /// characters, if at least 20 characters stay hidden; else the prefix alone.
    Prefixed {
        /// Length in bytes of the marker, for example 4 for `ghp_`.
        prefix: usize,
    },
}

/// Characters that must stay hidden before the last four of a prefixed token are shown.
const MIN_HIDDEN: usize = 20;

impl Secret {
    /// Takes the bytes of a secret.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The raw bytes. Only for hashing, validation, revocation and `--show-secrets`.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The form that may be shown: `ghp_…wxyz` or `[redacted]`.
    #[must_use]
    pub fn redacted(&self, how: Redaction) -> String {
        let Redaction::Prefixed { prefix } = how else { return "[redacted]".to_owned() };
        let Some(head) = self.0.get(..prefix).and_then(printable) else {
            return "[redacted]".to_owned();
        };
        let hidden = self.0.len() - prefix;
        let tail = self.0.len().saturating_sub(4);
        match self.0.get(tail..).and_then(printable) {
            Some(last) if hidden >= MIN_HIDDEN + 4 => format!("{head}…{last}"),
            _ => format!("{head}…"),
        }
    }
}

/// The text of `bytes` if it is all printable ASCII and not empty.
fn printable(bytes: &[u8]) -> Option<&str> {
    let visible = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    visible.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_prefixed_tokens_show_prefix_and_last_four() {
        let secret = Secret::new(format!("abc_{}wxyz", "q".repeat(20)));
        assert_eq!(secret.redacted(Redaction::Prefixed { prefix: 4 }), "abc_…wxyz");
        assert_eq!(secret.redacted(Redaction::Full), "[redacted]");
    }

    #[test]
    fn short_tokens_hide_their_end() {
        let secret = Secret::new(format!("abc_{}wxyz", "q".repeat(19)));
        assert_eq!(secret.redacted(Redaction::Prefixed { prefix: 4 }), "abc_…");
        assert_eq!(Secret::new("ab").redacted(Redaction::Prefixed { prefix: 4 }), "[redacted]");
    }

    #[test]
    fn debug_and_display_show_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {secret}"), "Secret([redacted]) [redacted]");
    }
}
