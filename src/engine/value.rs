//! From a token run, or a place behind a separator, to the value it belongs to.

use super::scan::Run;
use crate::rule::class::ByteSet;

/// Most bytes a value reaches to the left of its token run.
const MAX_LEFT: usize = 64;
/// Most bytes a value has.
pub(super) const MAX_VALUE: usize = 512;

/// A value and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// First byte of the value, behind the quote.
    pub(super) start: usize,
    /// One past the last byte, before the quote.
    pub(super) end: usize,
    /// The quote around it, if any: `"`, `'` or a backtick.
    pub(super) quote: Option<u8>,
}

impl Value {
    pub(super) fn of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.end]
    }
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Bits of [`KINDS`]: the byte continues a value on either side of its run …
const CONTINUES: u8 = 1;
/// … or joins two parts of one behind it.
const JOINS: u8 = 2;

/// What each byte does to a value.
static KINDS: [u8; 256] = {
    let continues = ByteSet::RUN.with(b'.').with(b'~').with(b'%');
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if continues.has(byte as u8) {
            table[byte] = CONTINUES;
        }
        byte += 1;
    }
    table[b'=' as usize] = JOINS;
    table[b':' as usize] = JOINS;
    table[b'!' as usize] = JOINS;
    table
};

#[inline]
fn continues(byte: u8) -> bool {
    KINDS[usize::from(byte)] == CONTINUES
}

/// Bytes that may stand before an unquoted value.
fn opens(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b'\r' | b'=' | b':' | b'>' | b'(' | b'[' | b'{' | b',' | b'|' | b'&' | b'?'
    ) || is_quote(byte)
}

/// Bytes that may stand behind a value.
fn closes(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b'\r' | b';' | b'<' | b',' | b')' | b']' | b'}' | b'\\' | b'#' | b'&' | b'|'
    ) || is_quote(byte)
}

/// The value `run` is part of: the run with the punctuation secrets contain, or the whole quoted
/// text when there is more inside the quotes. `None` when it is not in value position.
pub(super) fn around(bytes: &[u8], run: Run) -> Option<Value> {
    let floor = run.start.saturating_sub(MAX_LEFT);
    let left = bytes[floor..run.start].iter().rev().take_while(|&&byte| continues(byte)).count();
    let start = run.start - left;
    let ceiling = bytes.len().min(start + MAX_VALUE + 1);
    let end = end_of(bytes, run.end, ceiling)?;
    if end - start > MAX_VALUE {
        return None;
    }
    let before = start.checked_sub(1).map(|i| bytes[i]);
    let after = bytes.get(end).copied();
    if let Some(quote) = before.filter(|&byte| is_quote(byte)) {
        return quoted(bytes, start, end, quote);
    }
    if before.is_some_and(is_sign) {
        return behind_sign(bytes, floor, start, end);
    }
    if before.is_some_and(|byte| !opens(byte)) || after.is_some_and(|byte| !closes(byte)) {
        return None;
    }
    let trimmed = bytes[start..end].iter().rev().take_while(|&&b| matches!(b, b'.' | b':' | b'!')).count();
    Some(Value { start, end: end - trimmed, quote: None })
}

/// Where the value goes on to from `from`; `None` when it has so many parts that it is a list.
fn end_of(bytes: &[u8], from: usize, ceiling: usize) -> Option<usize> {
    /// Most signs, or rows of them, with more behind them.
    const MOST_JOINTS: usize = 6;
    let rest = bytes.get(from..ceiling).unwrap_or_default();
    let mut at = 0;
    let mut pass = |kind: u8| {
        let start = at;
        while rest.get(at).is_some_and(|&byte| KINDS[usize::from(byte)] == kind) {
            at += 1;
        }
        at > start
    };
    for _ in 0..=MOST_JOINTS {
        pass(CONTINUES);
        if !pass(JOINS) {
            return Some(from + at);
        }
    }
    None
}

/// Signs that stand inside passwords and generated keys, not around them.
fn is_sign(byte: u8) -> bool {
    matches!(byte, b'@' | b'!' | b'$' | b'#' | b'^' | b'*' | b'&')
}

/// The text that a sign before the run belongs to, when it goes back to a quote or an `=`.
fn behind_sign(bytes: &[u8], floor: usize, start: usize, end: usize) -> Option<Value> {
    let inner =
        |byte: u8| continues(byte) || is_sign(byte) || matches!(byte, b'(' | b')' | b'=' | b';' | b',');
    let left = bytes[floor..start].iter().rev().take_while(|&&byte| inner(byte)).count();
    let from = start - left;
    if let Some(quote) = from.checked_sub(1).map(|i| bytes[i]).filter(|&byte| is_quote(byte)) {
        return quoted(bytes, from, end, quote);
    }
    // Unquoted, only a whole `name=value` line can be told from code.
    let assigned = from + bytes[from..start].iter().position(|&byte| byte == b'=')? + 1;
    let name = bytes[floor..assigned - 1].iter().rev().take_while(|&&byte| continues(byte)).count();
    let opened = assigned.checked_sub(name + 2).is_none_or(|i| matches!(bytes[i], b'\n' | b' ' | b'\t'));
    let plain = |byte: &u8| !byte.is_ascii_whitespace() && !is_quote(*byte);
    let ceiling = bytes.len().min(start + MAX_VALUE).max(end);
    let right = bytes[end..ceiling].iter().take_while(|&byte| plain(byte)).count();
    let value = &bytes[assigned..end + right];
    let statement = value.iter().any(|b| matches!(b, b'(' | b')' | b';' | b',' | b'&' | b'='));
    let closed = matches!(bytes.get(end + right), None | Some(b'\n' | b'\r'));
    (name > 0 && opened && closed && !statement && assigned < start).then_some(Value {
        start: assigned,
        end: end + right,
        quote: None,
    })
}

/// The longer text around a `value` that stands behind `:`, `=` or `|`, as in `id.part:value`: the
/// whole may be the secret. Inside quotes it reaches to the quote, else to a blank or a `=`.
pub(super) fn outer(bytes: &[u8], value: Value) -> Option<Value> {
    let joint = value.start.checked_sub(1).filter(|&i| matches!(bytes[i], b':' | b'=' | b'|'))?;
    let quote = bytes.get(value.end).copied().filter(|&byte| is_quote(byte));
    let floor = joint.saturating_sub(MAX_LEFT);
    let inner = |byte: &&u8| match quote {
        Some(_) => !is_quote(**byte) && !byte.is_ascii_whitespace() && **byte != b'\\',
        None => continues(**byte) || matches!(**byte, b':' | b'|'),
    };
    let left = bytes[floor..joint].iter().rev().take_while(inner).count();
    let start = joint - left;
    let before = start.checked_sub(1).map(|i| bytes[i]);
    let opened = match quote {
        Some(_) => before == quote,
        None => before.is_none_or(opens),
    };
    (left > 0 && opened).then_some(Value { start, end: value.end, quote })
}

/// The text between `quote` at `start - 1` and its closing twin at or after `end`.
fn quoted(bytes: &[u8], start: usize, end: usize, quote: u8) -> Option<Value> {
    let escaped = start >= 2 && bytes[start - 2] == b'\\';
    let ceiling = bytes.len().min(start + MAX_VALUE + 2);
    let mut at = end;
    while at < ceiling {
        match bytes[at] {
            b'\\' if escaped && bytes.get(at + 1) == Some(&quote) => {
                return Some(Value { start, end: at, quote: Some(quote) });
            }
            b'\\' => {
                // A value that ends in an escaped line break ends before it.
                if matches!(bytes.get(at + 1), Some(b'n' | b'r')) {
                    return Some(Value { start, end: at, quote: Some(quote) });
                }
                at += 2;
            }
            byte if byte == quote => return Some(Value { start, end: at, quote: Some(quote) }),
            b'\n' | b' ' | b'\t' => return None,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_in(text: &str, run: &str) -> Option<String> {
        let start = text.find(run).unwrap();
        let run = Run { start, end: start + run.len(), mixed: true };
        let value = around(text.as_bytes(), run)?;
        Some(String::from_utf8_lossy(value.of(text.as_bytes())).into_owned())
    }

    #[test]
    fn bare_values_end_at_blanks_and_lose_full_stops() {
        assert_eq!(value_in("k = abcdefgh12345678.", "abcdefgh12345678").unwrap(), "abcdefgh12345678");
        assert_eq!(value_in("k=ab.cdefgh12345678==\n", "cdefgh12345678").unwrap(), "ab.cdefgh12345678==");
        assert_eq!(value_in("?key=abcdefgh12345678&x=1", "abcdefgh12345678").unwrap(), "abcdefgh12345678");
    }

    #[test]
    fn quoted_values_take_all_that_is_quoted() {
        assert_eq!(value_in("k='ab$cdefgh12345678'", "cdefgh12345678").unwrap(), "ab$cdefgh12345678");
        assert_eq!(
            value_in("\njwt.key=ab@cdefgh12345678x\n", "cdefgh12345678x").unwrap(),
            "ab@cdefgh12345678x"
        );
        assert_eq!(value_in("if a==b&&cdefgh12345678==d\n", "cdefgh12345678"), None);
        assert_eq!(value_in("k='cdefgh12345678$#!'", "cdefgh12345678").unwrap(), "cdefgh12345678$#!");
        assert_eq!(
            value_in("{\\\"k\\\": \\\"abcdefgh12345678\\\"}", "abcdefgh12345678").unwrap(),
            "abcdefgh12345678"
        );
        assert_eq!(value_in("\"abcdefgh12345678 and prose\"", "abcdefgh12345678"), None);
    }

    #[test]
    fn the_outer_value_takes_what_stands_before_the_colon() {
        let text = b"k = 'ab.cd:abcdefgh12345678'";
        let value = around(text, Run { start: 11, end: 27, mixed: true }).unwrap();
        assert_eq!(value.of(text), b"abcdefgh12345678");
        assert_eq!(outer(text, value).unwrap().of(text), b"ab.cd:abcdefgh12345678");
        let bare = Value { start: 10, end: 26, quote: None };
        assert_eq!(outer(b"k=ab.cd12:abcdefgh12345678", bare).unwrap().start, 2);
        assert_eq!(outer(b"k='ab cd1:abcdefgh12345678'", bare), None);
    }

    #[test]
    fn what_is_no_value_is_none() {
        assert_eq!(value_in("x@abcdefgh12345678", "abcdefgh12345678"), None);
        assert_eq!(value_in("k = abcdefgh12345678(1)", "abcdefgh12345678"), None);
    }
}
