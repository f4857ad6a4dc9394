//! What the engine hands to triage: places, and nothing that needs the whole file.

use super::{Confidence, Secret, Span};

/// Result of a token's offline checksum or structure test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checksum {
    /// The kind has no checksum, or this form of it has none.
    Absent,
    /// The checksum is right: somebody's system made this token.
    Passed,
    /// Well-formed but wrong: invented, truncated or altered. Never sent to any provider.
    Failed,
}

/// The plain bytes of a match that was found inside an encoded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Encodings from the outside in, for example `["base64", "percent"]`.
    pub chain: Vec<&'static str>,
    /// The decoded secret.
    pub secret: Secret,
    /// A line of decoded text around it, for display; the secret's place in it is `excerpt_secret`.
    pub excerpt: Vec<u8>,
    /// Place of the secret in `excerpt`.
    pub excerpt_secret: Span,
}

/// One hit of one rule in one chunk: offsets and verdicts, no strings.
///
/// A match is a function of the bounded neighbourhood of its `trigger` alone: other matches,
/// the path and the rest of the content cannot change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Index of the rule in the engine's rule set.
    pub rule: u16,
    /// Offset of the first byte of the trigger (prefix, literal, value run or word).
    pub trigger: usize,
    /// Whole match, name and separators included where the rule has them.
    pub span: Span,
    /// The secret inside the match; for a decoded match, the encoded run that holds it.
    pub secret: Span,
    /// Confidence from the value and its neighbourhood.
    pub confidence: Confidence,
    /// Result of the checksum.
    pub checksum: Checksum,
    /// Present when the secret was found inside an encoded run.
    pub decoded: Option<Box<Decoded>>,
    /// Remarks on the neighbourhood, an or of the `TRAIT_…` bits.
    pub traits: u16,
}

impl Match {
    /// The value is neither quoted nor the whole right side of a plain assignment line.
    pub const TRAIT_BARE: u16 = 1;
    /// The value reads like a placeholder or a default.
    pub const TRAIT_PLACEHOLDER: u16 = 2;
    /// The value is compared with, not assigned.
    pub const TRAIT_COMPARED: u16 = 4;
    /// The name is one that a build tool ships to browsers (`NEXT_PUBLIC_…`).
    pub const TRAIT_CLIENT_EXPOSED: u16 = 8;

    /// The secret's plain bytes: decoded ones when there are any, else those of `content`.
    #[must_use]
    pub fn secret_bytes<'a>(&'a self, content: &'a [u8]) -> &'a [u8] {
        match &self.decoded {
            Some(decoded) => decoded.secret.expose(),
            None => self.secret.of(content),
        }
    }

    /// The secret, as it is named and compared.
    ///
    /// Lines end with a line feed, however `content` writes them: with `core.autocrlf` git checks
    /// the same key out either way, and it is one key.
    #[must_use]
    pub fn secret(&self, content: &[u8]) -> Secret {
        let raw = self.secret_bytes(content);
        if memchr::memmem::find(raw, b"\r\n").is_none() {
            return Secret::new(raw);
        }
        let mut plain = Vec::with_capacity(raw.len());
        for (at, &byte) in raw.iter().enumerate() {
            if byte != b'\r' || raw.get(at + 1) != Some(&b'\n') {
                plain.push(byte);
            }
        }
        Secret::new(plain)
    }
}
