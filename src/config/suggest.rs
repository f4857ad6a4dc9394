//! "Did you mean": the known name nearest to a misspelt one.

/// The entry of `known` that `word` most likely stands for, if any is near enough.
///
/// Near means an edit distance (insertion, deletion, replacement, swap of neighbours) of at
/// most a third of the longer name. `-`, `_` and letter case count as equal.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    known
        .into_iter()
        .map(|candidate| {
            let other = fold(candidate);
            (distance(&folded, &other), folded.len().max(other.len()), candidate)
        })
        .filter(|(distance, longest, _)| distance * 3 <= *longest)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., candidate)| candidate)
}

fn fold(word: &str) -> Vec<char> {
    word.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Edit distance with swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        let d = |a: &str, b: &str| distance(&fold(a), &fold(b));
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("exclude", "exclude"), 0);
        assert_eq!(d("exlude", "exclude"), 1);
        assert_eq!(d("confidnece", "confidence"), 1);
        assert_eq!(d("kitten", "sitting"), 3);
    }

    #[test]
    fn suggests_only_near_names() {
        let known = ["confidence", "severity", "no-ignore"];
        assert_eq!(closest("Confidense", known), Some("confidence"));
        assert_eq!(closest("no_ignore", known), Some("no-ignore"));
        assert_eq!(closest("threads", known), None);
        assert_eq!(closest("", known), None);
    }
}
