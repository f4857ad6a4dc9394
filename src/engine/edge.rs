//! Where a token may start: not in the middle of a word.

use crate::rule::class::ByteSet;

/// Most bytes of a run that may belong to an escape in front of a token.
pub(super) const MAX_ESCAPE: usize = 6;

/// Whether a token may start at `at`: at the start of the content, after a byte that is not of
/// a word, or after an escape that stands for one (`\n`, `\x3d`, `\u003d`, `%3D`).
///
/// Reads at most six bytes to the left.
#[must_use]
pub(super) fn is_left_edge(bytes: &[u8], at: usize) -> bool {
    let Some(&previous) = at.checked_sub(1).and_then(|i| bytes.get(i)) else { return true };
    !ByteSet::WORD.has(previous) || follows_escape(&bytes[..at])
}

fn follows_escape(before: &[u8]) -> bool {
    let hex = |tail: &[u8]| tail.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'0' | b'a' | b'e'] => true,
        _ => {
            let ends = |intro: &[u8], digits: usize| {
                let from = before.len().checked_sub(intro.len() + digits);
                from.is_some_and(|from| {
                    before[from..].starts_with(intro) && hex(&before[before.len() - digits..])
                })
            };
            ends(b"%", 2) || ends(b"\\x", 2) || ends(b"\\u", 4)
        }
    }
}

/// Positions inside a token run, counted from its start, where a token may start after an escape
/// whose `\` or `%` stands just before the run.
#[must_use]
pub(super) fn escape_offsets(before_run: u8) -> &'static [usize] {
    match before_run {
        b'\\' => &[1, 3, 5],
        b'%' => &[2],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_no_inner_edge() {
        assert!(is_left_edge(b"abc", 0));
        assert!(!is_left_edge(b"abc", 1));
        assert!(is_left_edge(b"a-b", 2));
        assert!(!is_left_edge(b"a_b", 2));
    }

    #[test]
    fn escapes_are_edges() {
        for (text, at) in [("\\nX", 2), ("a%3DX", 4), ("\\x3dX", 4), ("\\u003dX", 6)] {
            assert!(is_left_edge(text.as_bytes(), at), "{text}");
            let run = text.find(['\\', '%']).unwrap() + 1;
            assert!(escape_offsets(text.as_bytes()[run - 1]).contains(&(at - run)), "{text}");
        }
        assert!(!is_left_edge(b"%zzX", 3));
        assert!(!is_left_edge(b"\\qX", 2));
    }
}
