//! Strings in pieces over lines: where one piece ends and the next begins.

use super::family::Escape;
use crate::rule::class::ByteSet;

/// Name of the encoding.
const NAME: &str = "concatenation";
/// Most blanks at the start of the next line.
const MAX_INDENT: usize = 128;

/// The join of two pieces whose line feed is at `at`: from the end of the first to the start of
/// the second, quotes and operator included.
///
/// Adjacent strings (`"a"` and `"b"`), with an operator at either line (`+`, `.`, `..`, `&`,
/// `<<`), a line feed escaped by a backslash inside or between strings, and lines of a JSON array
/// that each end in `\n` (notebooks). Both sides must be of a token: sentences are left alone.
pub(super) fn at(bytes: &[u8], at: usize) -> Option<Escape> {
    if bytes.get(at) != Some(&b'\n') {
        return None;
    }
    let line = &bytes[..at];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !may_end(*line.last()?) {
        return None;
    }
    // The indentation of the next line is measured last: few lines get that far.
    let next = || at + 1 + blanks(&bytes[at + 1..]);
    match end_of_piece(line) {
        Some(left) => {
            let right = start_of_piece(bytes, next())?;
            let fits = of_token(bytes.get(right)) && of_token(left.checked_sub(1).and_then(|i| bytes.get(i)));
            fits.then(|| Escape::gap(left, right, at, NAME))
        }
        None => {
            let left = line.len().checked_sub(1).filter(|&left| line[left] == b'\\')?;
            let inside = left.checked_sub(1).is_some_and(|i| ByteSet::RUN.has(bytes[i]));
            let next = inside.then(next)?;
            ByteSet::RUN.has(*bytes.get(next)?).then(|| Escape::gap(left, next, at, NAME))
        }
    }
}

/// Whether a piece may end before a line feed that follows this byte: nearly all lines say no.
#[inline]
pub(super) fn may_end(byte: u8) -> bool {
    matches!(
        byte,
        b'"' | b'\'' | b'`' | b'\\' | b'+' | b'.' | b'&' | b'<' | b',' | b' ' | b'\t' | b'\r' | b'_'
    )
}

/// Bytes that can stand beside the join: of a token, or what surrounds one.
fn of_token(byte: Option<&u8>) -> bool {
    byte.is_some_and(|&byte| {
        ByteSet::RUN.has(byte) || matches!(byte, b'=' | b':' | b'@' | b'.' | b'~' | b'%')
    })
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take(MAX_INDENT).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn trimmed(mut line: &[u8]) -> &[u8] {
    for _ in 0..MAX_INDENT {
        match line {
            [rest @ .., b' ' | b'\t'] => line = rest,
            _ => break,
        }
    }
    line
}

/// Offset of the quote that ends the piece on `line`, an operator or a backslash behind it.
fn end_of_piece(line: &[u8]) -> Option<usize> {
    let line = match trimmed(line) {
        line @ [.., b'\\', b'n', b'"', b','] => return Some(line.len() - 2),
        [.., b','] => return None,
        [rest @ .., b'\\'] => trimmed(rest),
        line => line,
    };
    let bare = match line {
        [rest @ .., b'.', b'.'] | [rest @ .., b'<', b'<'] | [rest @ .., b'+' | b'.' | b'&' | b'_'] => {
            trimmed(rest)
        }
        _ => line,
    };
    match bare {
        // A line of text that ends in `\n` ends there, and so does whatever is in it.
        [.., b'\\', b'n', _] => None,
        [.., b'"' | b'\'' | b'`'] => Some(bare.len() - 1),
        _ => None,
    }
}

/// Offset of the first byte of the piece whose line's text begins at `at`.
fn start_of_piece(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let operator = match rest {
        [b'.', b'.', ..] | [b'<', b'<', ..] => 2,
        [b'+' | b'.' | b'&', ..] => 1,
        _ => 0,
    };
    let at = at + operator + if operator > 0 { blanks(&rest[operator..]) } else { 0 };
    matches!(bytes.get(at)?, b'"' | b'\'' | b'`').then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::at;

    /// `text` without its joins.
    fn joined(text: &str) -> String {
        let bytes = text.as_bytes();
        let mut plain = text.to_owned();
        for place in memchr::memrchr_iter(b'\n', bytes) {
            if let Some(escape) = at(bytes, place) {
                plain.replace_range(escape.source.start..escape.source.end, "");
            }
        }
        plain
    }

    #[test]
    fn pieces_of_many_languages() {
        for text in [
            "s = \"abc\"\n    \"def\"",
            "s = \"abc\" +\n  \"def\"",
            "s = \"abc\"\r\n  + \"def\"",
            "s = \"abc\" .\n  \"def\"",
            "s = \"abc\" \\\n  \"def\"",
            "s = \"abc\\\ndef\"",
            "s = \"abc\\\n    def\"",
            "s = \"abc\" ..\n\"def\"",
        ] {
            assert_eq!(joined(text), "s = \"abcdef\"", "{text:?}");
        }
        assert_eq!(joined("[\"ab\\n\",\n \"cd\\n\"]"), "[\"ab\\ncd\\n\"]");
    }

    #[test]
    fn sentences_lists_and_commands_stay_as_they_are() {
        for text in [
            "s = \"abc \"\n    \"def\"",
            "[\"abc\",\n \"def\"]",
            "cc -c \\\n  foo.c",
            "if a == \"b\"\n  puts \"c\"",
            "say \"\"\n\"abc\"",
        ] {
            assert_eq!(joined(text), text);
        }
    }
}
