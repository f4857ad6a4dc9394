//! Names that build tools copy into what browsers and phones download.

use crate::finding::Span;

/// Prefixes of such names: Next.js, Vite, Create React App, Expo, Nuxt, Gatsby, Vue CLI and
/// SvelteKit/Astro, each as its documentation on environment variables gives it.
const PREFIXES: [&str; 8] =
    ["NEXT_PUBLIC_", "VITE_", "REACT_APP_", "EXPO_PUBLIC_", "NUXT_PUBLIC_", "GATSBY_", "VUE_APP_", "PUBLIC_"];

/// How far left of a match its name may start, in bytes.
const NAME_REACH: usize = 128;

/// The client-exposed prefix of the name a secret stands under, if it has one.
///
/// Looks at the names inside the match left of the secret and the two nearest before it on the
/// same line, which covers `NAME=…`, `"NAME": "…"` and `env.NAME || "…"`.
pub(super) fn exposed_prefix(
    bytes: &[u8],
    line_start: usize,
    span: Span,
    secret: Span,
) -> Option<&'static str> {
    let from = line_start.max(span.start.saturating_sub(NAME_REACH)).min(secret.start);
    let text = &bytes[from..secret.start];
    let inside = span.start.max(from) - from;
    let words: Vec<(usize, &[u8])> = words(text);
    let near = words.iter().rev().filter(|(at, _)| *at < inside.min(text.len())).take(2);
    let within = words.iter().rev().filter(|(at, _)| *at >= inside);
    near.chain(within).find_map(|(_, word)| {
        PREFIXES.into_iter().find(|prefix| word.len() > prefix.len() && word.starts_with(prefix.as_bytes()))
    })
}

/// Runs of `[A-Za-z0-9_]` with their offsets.
fn words(text: &[u8]) -> Vec<(usize, &[u8])> {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let mut at = 0;
    let mut found = Vec::new();
    for run in text.split(|b| !word(b)) {
        if !run.is_empty() {
            found.push((at, run));
        }
        at += run.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(line: &str, value: &str) -> Option<&'static str> {
        let at = line.find(value).unwrap();
        let secret = Span::new(at, at + value.len());
        exposed_prefix(line.as_bytes(), 0, secret, secret)
    }

    #[test]
    fn the_name_before_the_value_decides() {
        assert_eq!(prefix("NEXT_PUBLIC_STRIPE_SECRET=val", "val"), Some("NEXT_PUBLIC_"));
        assert_eq!(prefix("\"VITE_KEY\": \"val\"", "val"), Some("VITE_"));
        assert_eq!(prefix("k = env.REACT_APP_K || \"val\"", "val"), Some("REACT_APP_"));
        assert_eq!(prefix("STRIPE_SECRET=val", "val"), None);
        assert_eq!(prefix("MY_PUBLIC_KEY=val", "val"), None, "the prefix must start the name");
        assert_eq!(prefix("VITE_A=1; b = c; d = e; SECRET = val", "val"), None, "another name is nearer");
    }

    #[test]
    fn names_inside_the_match_count() {
        let line = ["VITE_DB=postgres://", "user:val@h"].concat();
        let at = line.find("val").unwrap();
        let (span, secret) = (Span::new(8, line.len()), Span::new(at, at + 3));
        assert_eq!(exposed_prefix(line.as_bytes(), 0, span, secret), Some("VITE_"));
    }
}
