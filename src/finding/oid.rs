//! Git object names, without a dependency on any git library.

use std::fmt;
use std::str::FromStr;

/// Name of a git object: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    len: u8,
    bytes: [u8; 32],
}

/// Text or bytes that do not name a git object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseOidError;

impl fmt::Display for ParseOidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an object name: expected 40 or 64 hexadecimal digits")
    }
}

impl std::error::Error for ParseOidError {}

impl Oid {
    /// Takes the raw bytes of an object name.
    ///
    /// # Errors
    /// When `raw` is neither 20 nor 32 bytes long.
    pub fn from_bytes(raw: &[u8]) -> Result<Self, ParseOidError> {
        if raw.len() != 20 && raw.len() != 32 {
            return Err(ParseOidError);
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Ok(Self { len: raw.len() as u8, bytes })
    }

    /// The raw bytes: 20 for SHA-1, 32 for SHA-256.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The first `n` hexadecimal digits, for people; 12 are unique in most repositories.
    #[must_use]
    pub fn short(&self, n: usize) -> String {
        let mut hex = self.to_string();
        hex.truncate(n);
        hex
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl FromStr for Oid {
    type Err = ParseOidError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let hex = s.as_bytes();
        if hex.len() != 40 && hex.len() != 64 {
            return Err(ParseOidError);
        }
        let digit = |byte: u8| (byte as char).to_digit(16).map(|d| d as u8).ok_or(ParseOidError);
        let mut raw = Vec::with_capacity(32);
        for pair in hex.chunks_exact(2) {
            raw.push(digit(pair[0])? << 4 | digit(pair[1])?);
        }
        Self::from_bytes(&raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_for_both_hashes() {
        for hex in ["00ff".repeat(10), "a1b2c3d4".repeat(8)] {
            assert_eq!(hex.parse::<Oid>().unwrap().to_string(), hex);
        }
        assert_eq!("zz".repeat(20).parse::<Oid>(), Err(ParseOidError));
        assert_eq!("ab".parse::<Oid>(), Err(ParseOidError));
    }
}
