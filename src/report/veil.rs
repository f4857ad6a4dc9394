//! Takes secrets out of text that names things: paths, refs, commit subjects, authors.
//!
//! Excerpts come masked from triage. But a token can also be a file's name, stand in a commit's
//! subject or in a ref, and reports print those too; so every such text passes here.

use aho_corasick::{AhoCorasick, Input, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::finding::{Finding, Origin, RepoPath};

/// Shorter secrets are not looked for: they occur everywhere.
const MIN: usize = 4;

/// Shorter secrets are masked as whole words only: a password `admin` is no reason to mask
/// `administrator`.
const WORD_BELOW: usize = 8;

/// Longer secrets (key blocks) do not fit into names.
const MAX: usize = 4096;

/// Finds the secrets of a report in other text.
pub(super) struct Veil {
    prose: Masker,
    paths: Masker,
}

impl Veil {
    /// Knows the secrets of `findings`, plain, percent-encoded and in base64.
    pub(super) fn new(findings: &[Finding]) -> Self {
        let mut prose = Vec::new();
        let mut paths = Vec::new();
        let halves = findings.iter().flat_map(Finding::halves);
        for finding in halves.filter(|finding| !is_a_place(finding)) {
            for pattern in forms(finding) {
                // In paths, a password that is an ordinary word stays readable, unless the name
                // itself was reported: a masked path cannot be opened.
                if !finding.rule.guessable || stands_in_a_name(finding) {
                    paths.push(pattern.clone());
                }
                prose.push(pattern);
            }
        }
        Self { prose: Masker::new(prose), paths: Masker::new(paths) }
    }

    /// Masks running text.
    pub(super) fn prose(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.prose.mask(text.as_bytes())).into_owned()
    }

    /// Masks a path.
    pub(super) fn path(&self, path: &RepoPath) -> RepoPath {
        RepoPath::new(self.paths.mask(path.as_bytes()))
    }
}

/// Whether what was found is the path of a file, which holds no secret: imported rules look at names
/// only to find files that should not be there.
fn is_a_place(finding: &Finding) -> bool {
    finding.rule.kind == "imported" && stands_in_a_name(finding)
}

/// Whether a name (of a file or a ref), not content, was found to be this secret.
fn stands_in_a_name(finding: &Finding) -> bool {
    finding.occurrences.iter().any(|place| {
        matches!(place.origin, Origin::FileName { .. } | Origin::Tree { .. } | Origin::RefName { .. })
    })
}

#[derive(Clone)]
struct Pattern {
    text: Vec<u8>,
    mask: String,
    whole_word: bool,
}

fn forms(finding: &Finding) -> Vec<Pattern> {
    let raw = finding.secret.expose();
    if raw.len() < MIN || raw.len() > MAX {
        return Vec::new();
    }
    let mut texts = vec![raw.to_vec()];
    if raw.len() >= WORD_BELOW {
        let percent = RepoPath::new(raw).to_uri().into_bytes();
        if percent != raw {
            texts.push(percent);
        }
        texts.push(STANDARD_NO_PAD.encode(raw).into_bytes());
    }
    let mask = finding.redacted.as_str();
    let whole_word = raw.len() < WORD_BELOW;
    texts.into_iter().map(|text| Pattern { text, mask: mask.to_owned(), whole_word }).collect()
}

/// Replaces patterns, the longest where several begin.
struct Masker {
    finder: Option<AhoCorasick>,
    patterns: Vec<Pattern>,
}

impl Masker {
    fn new(patterns: Vec<Pattern>) -> Self {
        let texts = patterns.iter().map(|pattern| &pattern.text);
        let finder = match patterns.is_empty() {
            true => None,
            // NOTE: building fails only beyond 2^31 states, far more than memory holds.
            false => Some(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostLongest)
                    .build(texts)
                    .expect("secrets are few and short"),
            ),
        };
        Self { finder, patterns }
    }

    fn mask(&self, text: &[u8]) -> Vec<u8> {
        let Some(finder) = &self.finder else { return text.to_vec() };
        let mut out = Vec::with_capacity(text.len());
        let mut copied = 0;
        let mut from = 0;
        while let Some(found) = finder.find(Input::new(text).span(from..text.len())) {
            let pattern = &self.patterns[found.pattern().as_usize()];
            if pattern.whole_word && !is_whole_word(text, found.start(), found.end()) {
                from = found.start() + 1;
                continue;
            }
            out.extend_from_slice(&text[copied..found.start()]);
            out.extend_from_slice(pattern.mask.as_bytes());
            copied = found.end();
            from = copied;
        }
        out.extend_from_slice(&text[copied..]);
        out
    }
}

fn is_whole_word(text: &[u8], start: usize, end: usize) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    !word(before) && !word(text.get(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masker(secrets: &[(&str, bool)]) -> Masker {
        let pattern = |&(text, whole_word): &(&str, bool)| Pattern {
            text: text.as_bytes().to_vec(),
            mask: "[redacted]".to_owned(),
            whole_word,
        };
        Masker::new(secrets.iter().map(pattern).collect())
    }

    fn masked(masker: &Masker, text: &str) -> String {
        String::from_utf8(masker.mask(text.as_bytes())).expect("masks are text")
    }

    #[test]
    fn short_secrets_are_masked_as_words() {
        let masker = masker(&[("admin", true), ("minor-key-0", false)]);
        assert_eq!(masked(&masker, "set admin, administrator"), "set [redacted], administrator");
        // A refused short match hides no longer one that overlaps it.
        assert_eq!(masked(&masker, "adminor-key-0"), "ad[redacted]");
    }

    #[test]
    fn no_patterns_change_nothing() {
        assert_eq!(masked(&masker(&[]), "text"), "text");
    }
}
