//! Sets of bytes, and the named character classes rule files use.

use std::fmt;

/// A set of byte values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ByteSet(pub [u64; 4]);

impl ByteSet {
    /// The empty set.
    pub const EMPTY: ByteSet = ByteSet([0; 4]);
    /// `[A-Za-z0-9_]`: bytes that continue a word, so that a token cannot end before them.
    pub const WORD: ByteSet = ByteSet::EMPTY.with_range(b'0', b'9').with_letters().with(b'_');
    /// `[A-Za-z0-9_+/-]`: bytes of token runs.
    pub const RUN: ByteSet = ByteSet::WORD.with(b'+').with(b'/').with(b'-');

    /// The set with `byte` added.
    #[must_use]
    pub const fn with(mut self, byte: u8) -> Self {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
        self
    }

    /// The set with all bytes from `first` to `last` added.
    #[must_use]
    pub const fn with_range(mut self, first: u8, last: u8) -> Self {
        let mut byte = first;
        loop {
            self = self.with(byte);
            if byte == last {
                return self;
            }
            byte += 1;
        }
    }

    const fn with_letters(self) -> Self {
        self.with_range(b'A', b'Z').with_range(b'a', b'z')
    }

    /// Whether `byte` is in the set.
    #[must_use]
    #[inline]
    pub const fn has(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 != 0
    }

    /// The bytes of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self([a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]])
    }

    /// Whether no byte is in both sets.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| a & b == 0)
    }

    /// Whether every byte of this set is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| a & !b == 0)
    }

    /// The bytes of the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=255).filter(|&byte| self.has(byte))
    }

    /// The class called `name` in rule files, or `None`.
    ///
    /// Names: `digit`, `lower`, `upper`, `alpha`, `alnum`, `loweralnum`, `upperalnum`, `hex`,
    /// `lowerhex`, `upperhex`, `base32` (RFC 4648), `base58` (Bitcoin), `base64`, `base64url`,
    /// `word`, `printable` (graphic ASCII without quotes, backslash and blank).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let e = Self::EMPTY;
        let digits = e.with_range(b'0', b'9');
        Some(match name {
            "digit" => digits,
            "lower" => e.with_range(b'a', b'z'),
            "upper" => e.with_range(b'A', b'Z'),
            "alpha" => e.with_letters(),
            "alnum" => digits.with_letters(),
            "loweralnum" => digits.with_range(b'a', b'z'),
            "upperalnum" => digits.with_range(b'A', b'Z'),
            "hex" => digits.with_range(b'a', b'f').with_range(b'A', b'F'),
            "lowerhex" => digits.with_range(b'a', b'f'),
            "upperhex" => digits.with_range(b'A', b'F'),
            "base32" => e.with_range(b'A', b'Z').with_range(b'2', b'7'),
            "base58" => e
                .with_range(b'1', b'9')
                .with_range(b'A', b'H')
                .with_range(b'J', b'N')
                .with_range(b'P', b'Z')
                .with_range(b'a', b'k')
                .with_range(b'm', b'z'),
            "base64" => digits.with_letters().with(b'+').with(b'/'),
            "base64url" => digits.with_letters().with(b'-').with(b'_'),
            "word" => Self::WORD,
            "printable" => {
                let graphic = e.with_range(b'!', b'~');
                Self::minus(graphic, e.with(b'"').with(b'\'').with(b'`').with(b'\\'))
            }
            _ => return None,
        })
    }

    fn minus(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self([a[0] & !b[0], a[1] & !b[1], a[2] & !b[2], a[3] & !b[3]])
    }

    /// Parses the inside of a bracket set as rule files write it: `A-Za-z0-9._~-`.
    ///
    /// A `-` first or last stands for itself; `\` escapes the next character.
    ///
    /// # Errors
    /// Says what is wrong: empty set, backward range, trailing escape, not ASCII.
    pub fn parse_bracket(text: &str) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let (c, escaped) = match c {
                '\\' => (chars.next().ok_or("`\\` at the end of a set")?, true),
                c => (c, false),
            };
            let byte = u8::try_from(c).ok().filter(u8::is_ascii).ok_or("sets hold ASCII characters only")?;
            bytes.push((byte, escaped));
        }
        let mut set = Self::EMPTY;
        let mut i = 0;
        while i < bytes.len() {
            let (byte, _) = bytes[i];
            if i + 2 < bytes.len() && bytes[i + 1] == (b'-', false) {
                let (last, _) = bytes[i + 2];
                if last < byte {
                    return Err(format!("range `{}-{}` runs backwards", byte as char, last as char));
                }
                set = set.with_range(byte, last);
                i += 3;
            } else {
                set = set.with(byte);
                i += 1;
            }
        }
        if set == Self::EMPTY { Err("empty set".to_owned()) } else { Ok(set) }
    }
}

impl fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.iter().map(char::from).collect();
        write!(f, "ByteSet({text:?})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_parse_ranges_and_literal_dashes() {
        let set = ByteSet::parse_bracket("A-C_-").unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), b"-ABC_");
        assert_eq!(ByteSet::parse_bracket("a\\-c").unwrap().iter().collect::<Vec<_>>(), b"-ac");
        assert!(ByteSet::parse_bracket("z-a").is_err());
        assert!(ByteSet::parse_bracket("").is_err());
    }

    #[test]
    fn run_class_is_word_plus_three() {
        assert!(ByteSet::WORD.is_subset(&ByteSet::RUN));
        assert!(b"+/-".iter().all(|&b| ByteSet::RUN.has(b) && !ByteSet::WORD.has(b)));
    }
}
