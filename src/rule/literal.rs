//! Which literal texts every match of a regular expression contains: the triggers of patterns
//! whose author gave no keywords.

use std::collections::BTreeSet;

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

use super::compile::MAX_LITERAL;

/// Shortest text worth looking for.
const MIN_LITERAL: usize = 3;
/// Most texts looked for on behalf of one pattern.
const MAX_LITERALS: usize = 64;

/// Lower-case texts one of which, in any case, every match of `pattern` contains; empty when no
/// text of three bytes or more is certain.
pub(super) fn keywords(pattern: &Hir) -> Vec<String> {
    required(pattern).unwrap_or_default().into_iter().collect()
}

/// The best set of texts for `hir`: that whose shortest text is longest, then the smallest.
fn required(hir: &Hir) -> Option<BTreeSet<String>> {
    let mut best = prefixes(hir);
    let mut offer = |set: Option<BTreeSet<String>>| {
        if rank(set.as_ref()) > rank(best.as_ref()) {
            best = set;
        }
    };
    match hir.kind() {
        HirKind::Capture(capture) => offer(required(&capture.sub)),
        HirKind::Repetition(repetition) if repetition.min > 0 => offer(required(&repetition.sub)),
        HirKind::Concat(parts) => {
            for (start, part) in parts.iter().enumerate() {
                // What follows often completes a literal; a match holds the whole of it.
                offer(prefixes(&Hir::concat(parts[start..].to_vec())));
                offer(required(part));
            }
        }
        // Whichever way a match goes, it contains a text of that way.
        HirKind::Alternation(ways) => {
            offer(ways.iter().map(required).try_fold(BTreeSet::new(), |all, way| {
                let joined: BTreeSet<String> = all.into_iter().chain(way?).collect();
                (joined.len() <= MAX_LITERALS).then_some(joined)
            }));
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => {}
    }
    best
}

/// Longer is better, up to what the text filter looks at and a little more; fewer is better.
fn rank(set: Option<&BTreeSet<String>>) -> (usize, usize) {
    let Some(set) = set else { return (0, 0) };
    let shortest = set.iter().map(String::len).min().unwrap_or(0);
    (shortest.min(8), MAX_LITERALS - set.len().min(MAX_LITERALS) + 1)
}

/// The texts that matches of `hir` start with, when there are few and all are long enough.
fn prefixes(hir: &Hir) -> Option<BTreeSet<String>> {
    let mut extractor = Extractor::new();
    // Letters of either case, `-` or `_`; digits would only multiply the texts.
    extractor.limit_class(3).limit_total(1024);
    let found = extractor.extract(hir);
    let literals = found.literals()?;
    let text = |bytes: &[u8]| {
        let bytes = &bytes[..bytes.len().min(MAX_LITERAL)];
        (bytes.len() >= MIN_LITERAL && bytes.is_ascii())
            .then(|| String::from_utf8_lossy(bytes).to_ascii_lowercase())
    };
    let texts: BTreeSet<String> = literals.iter().map(|l| text(l.as_bytes())).collect::<Option<_>>()?;
    (!texts.is_empty() && texts.len() <= MAX_LITERALS).then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Vec<String> {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        keywords(&parser.parse(pattern).expect("a valid expression"))
    }

    #[test]
    fn literals_are_found_where_they_stand() {
        assert_eq!(of(r"\bacme_[a-z0-9]{32}\b"), ["acme_"]);
        assert_eq!(of(r"[a-z]{4}-acme-[0-9]{20}"), ["-acme-"]);
        assert_eq!(of(r"(?i)ACME[_-]?key"), ["acme-key", "acme_key", "acmekey"]);
        assert_eq!(of(r"(?:live|test)_[0-9a-f]{32}"), ["live_", "test_"]);
        assert_eq!(of(r"[0-9]{3}(?:foo[0-9]|[0-9]bar)x"), ["bar", "foo"]);
        assert_eq!(of(r"(?P<key>[0-9]+(tok_[0-9]+))"), ["tok_"]);
        assert_eq!(of(r"x{4}[0-9]"), ["xxxx"]);
    }

    #[test]
    fn what_is_not_certain_is_not_taken() {
        for pattern in [r"[a-f0-9]{32}", r"(?:acme_)?[0-9]{20}", r"acme_[0-9]+|[0-9]{20}", r"ab[0-9]{20}"] {
            assert_eq!(of(pattern), Vec::<String>::new(), "{pattern}");
        }
    }
}
