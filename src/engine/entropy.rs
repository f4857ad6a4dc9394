//! How random a value looks.

/// Shannon entropy of `value` in hundredths of a bit per byte; 0 for empty input.
///
/// Counts are exact; the sum uses one table of `n * log2(n)`, so the result is the same on
/// every platform.
#[must_use]
pub fn shannon(value: &[u8]) -> u16 {
    if value.is_empty() {
        return 0;
    }
    let mut counts = [0u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f64;
    let weighted: f64 = counts
        .iter()
        .filter(|&&count| count > 1)
        .map(|&count| f64::from(count) * f64::from(count).log2())
        .sum();
    ((total.log2() - weighted / total) * 100.0).round() as u16
}

/// Number of different bytes in `value`.
#[must_use]
pub fn distinct(value: &[u8]) -> usize {
    let mut seen = [0u64; 4];
    for &byte in value {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|word| word.count_ones() as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_of_known_texts() {
        assert_eq!(shannon(b""), 0);
        assert_eq!(shannon(b"aaaa"), 0);
        assert_eq!(shannon(b"abab"), 100);
        assert_eq!(shannon(b"abcdefgh"), 300);
        assert_eq!(distinct(b"abcab"), 3);
    }
}
