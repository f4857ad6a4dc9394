//! How much a value looks generated rather than written.

use super::bigram;
use super::entropy::shannon;

/// Score from about -4 (words) to 6 (random), for values without blanks of at least 6 bytes.
///
/// One point each: a letter and a digit; a digit between letters; 16 bytes; 28 bytes; 3.3 bits of
/// entropy per byte; the look of a known alphabet (mixed case with digits, long hex, base64).
/// Two off: only alphabetic segments between separators; letters that follow each other as in
/// names and prose.
pub(super) fn score(value: &[u8]) -> i32 {
    if value.len() < 6 || value.contains(&b' ') {
        return 0;
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let points = [
        digits > 0 && letters > 0,
        digits >= 2 && has_inner_digit(value),
        value.len() >= 16,
        value.len() >= 28,
        shannon(value) >= 330,
        has_known_alphabet(value, digits),
    ];
    let mut score = points.iter().filter(|&&point| point).count() as i32;
    if is_segmented_words(value) {
        score -= 2;
    }
    if letters * 10 >= value.len() * 6 && bigram::is_wordlike(value) {
        score -= 2;
    }
    score
}

fn has_inner_digit(value: &[u8]) -> bool {
    let first = value.iter().position(u8::is_ascii_alphabetic);
    let last = value.iter().rposition(u8::is_ascii_alphabetic);
    match (first, last) {
        (Some(first), Some(last)) => value[first..last].iter().any(u8::is_ascii_digit),
        _ => false,
    }
}

fn has_known_alphabet(value: &[u8], digits: usize) -> bool {
    let upper = value.iter().any(u8::is_ascii_uppercase);
    let lower = value.iter().any(u8::is_ascii_lowercase);
    let hex = value.len() >= 16 && value.iter().all(u8::is_ascii_hexdigit) && digits > 0;
    let base32 = value.len() >= 16 && value.iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
    let base64 = value.len() >= 20 && value.iter().any(|b| matches!(b, b'+' | b'/' | b'='));
    upper && lower && digits > 0 || hex || base32 && digits > 0 || base64
}

/// Splits at separators into alphabetic segments of ordinary length only.
fn is_segmented_words(value: &[u8]) -> bool {
    let mut segments =
        value.split(|b| matches!(b, b'-' | b'_' | b'.' | b':' | b'/')).filter(|s| !s.is_empty());
    segments.all(|segment| segment.len() < 16 && segment.iter().all(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_score_low_and_noise_high() {
        for words in ["application-settings", "my.property.name", "SomeClassNameHere", "snake_case_name"] {
            assert!(score(words.as_bytes()) <= 0, "{words}: {}", score(words.as_bytes()));
        }
        let noise = ["q7Zr2", "Lx9Tp4", "Wv8Kd3", "Hs6Bn1", "Yc5Mf0"].concat();
        assert!(score(noise.as_bytes()) >= 5);
        assert!(score(b"9f86d081884c7d659a2feaa0c55ad015") >= 5);
    }
}
