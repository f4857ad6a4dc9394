//! Shannon entropy as gitleaks counts it: characters over bytes.

use std::collections::BTreeMap;

/// Bits for each character of `text`. Occurrences of characters are divided by the number of
/// *bytes*, so that text beyond ASCII comes out lower; what is not UTF-8 counts as one character.
#[must_use]
pub fn shannon(text: &[u8]) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    let mut counts: BTreeMap<char, u32> = BTreeMap::new();
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| *counts.entry(c).or_default() += 1);
        let broken = u32::try_from(chunk.invalid().len()).unwrap_or(u32::MAX);
        if broken > 0 {
            *counts.entry(char::REPLACEMENT_CHARACTER).or_default() += broken;
        }
    }
    let length = text.len() as f64;
    counts.values().map(|count| f64::from(*count) / length).map(|part| -part * part.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert!(shannon(b"").abs() < 1e-9);
        assert!(shannon(b"aaaa").abs() < 1e-9);
        assert!((shannon(b"abcd") - 2.0).abs() < 1e-9);
        // Two of four bytes are one character: 0.25 · 2 + 0.25 · 2 + 0.25 · 2.
        assert!((shannon("abé".as_bytes()) - 1.5).abs() < 1e-9);
    }
}
