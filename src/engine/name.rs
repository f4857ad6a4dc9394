//! The name of a value: the identifiers to its left, read once and bounded.
//!
//! Everything here looks at no more than [`MAX_NAME`] bytes on the line, and [`MAX_ENCLOSING`]
//! bytes and a dozen lines above it, so a name is a function of a bounded window.

use crate::finding::Span;

/// Bytes to the left of a value within which its name stands on the line.
const MAX_NAME: usize = 160;
/// Bytes to the left of a value within which an enclosing key stands.
pub(super) const MAX_ENCLOSING: usize = 600;
/// Lines above a value within which an enclosing key stands.
const MAX_LINES: usize = 12;
/// Identifiers kept.
const MAX_IDENTS: usize = 6;
/// A name separated by blanks alone: this far, and this many identifiers.
const MAX_BARE: (usize, usize) = (48, 2);

/// What stands between an identifier and what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sep {
    /// `=`, `:=`, `?=`
    Assign,
    /// `:`
    Colon,
    /// `=>`, `->`
    Arrow,
    /// `==`, `!=`, `===`
    Compare,
    /// `||`, `??`, `or`
    Or,
    /// `,`
    Comma,
    /// `(`
    Call,
    /// `>` of a tag
    Tag,
    /// Blanks, quotes, brackets only
    Bare,
}

/// The identifiers left of a value, nearest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    idents: [(Span, Sep); MAX_IDENTS],
    len: usize,
}

impl Name {
    const NONE: Name = Name { idents: [(Span { start: 0, end: 0 }, Sep::Bare); MAX_IDENTS], len: 0 };

    /// Identifiers with the separator on their right, nearest first.
    pub(super) fn idents(&self) -> &[(Span, Sep)] {
        &self.idents[..self.len]
    }

    fn push(&mut self, span: Span, sep: Sep) -> bool {
        if self.len == MAX_IDENTS {
            return false;
        }
        self.idents[self.len] = (span, sep);
        self.len += 1;
        true
    }
}

/// Bits of [`KINDS`]: the byte belongs to an identifier …
const IDENT: u8 = 8;
/// … is a small letter, a capital (2) or a digit; all of them when it goes with each.
const CASE: u8 = 7;
const CAPITAL: u8 = 2;
/// … joins two words of an identifier.
const JOINT: u8 = 16;

/// What each byte is in an identifier: those are words, `$`, and all that is not ASCII.
static KINDS: [u8; 256] = {
    let mut table = [CASE; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' => IDENT | 1,
            b'A'..=b'Z' => IDENT | CAPITAL,
            b'0'..=b'9' => IDENT | 4,
            b'_' | b'$' | 0x80..=0xFF => IDENT | CASE,
            b'-' | b'.' => JOINT | CASE,
            _ => CASE,
        };
        byte += 1;
    }
    table
};

#[inline]
fn is_ident(byte: u8) -> bool {
    KINDS[usize::from(byte)] & IDENT != 0
}

/// Reads the name of the value whose first byte (behind its quote) is `start`.
///
/// When nothing but brackets and blanks stands before it on its line, the line above that ends
/// in an opener is read instead.
pub(super) fn left_of(bytes: &[u8], start: usize) -> Name {
    let floor = start.saturating_sub(MAX_NAME);
    let at = before_quote(bytes, start, floor);
    let name = on_line(bytes, at, floor);
    if name.len > 0 {
        return name;
    }
    match line_above(bytes, at, start.saturating_sub(MAX_ENCLOSING)) {
        Some(end) => {
            on_line(bytes, end, end.saturating_sub(MAX_NAME).max(start.saturating_sub(MAX_ENCLOSING)))
        }
        None => name,
    }
}

/// Skips the opening quote, its escape and string prefixes such as `b"`, `r#"`, `f'`, `@"`.
fn before_quote(bytes: &[u8], start: usize, floor: usize) -> usize {
    let mut at = start;
    while at > floor && matches!(bytes[at - 1], b'"' | b'\'' | b'`' | b'\\' | b'#' | b'@') {
        at -= 1;
    }
    if at < start && at > floor {
        let prefix = matches!(bytes[at - 1].to_ascii_lowercase(), b'b' | b'r' | b'u' | b'f' | b'l');
        if prefix && (at - 1 == floor || !is_ident(bytes[at - 2])) {
            at -= 1;
        }
    }
    at
}

/// Collects identifiers from `end` leftwards on one line.
fn on_line(bytes: &[u8], end: usize, floor: usize) -> Name {
    let mut name = Name::NONE;
    let mut at = end;
    let mut closed = false;
    while let Some((sep, ident_end)) = separator(bytes, at, floor) {
        // Behind `name =` and `name:` a comma or a bracket belongs to the neighbour before it.
        if closed && matches!(sep, Sep::Comma) {
            break;
        }
        closed |= matches!(sep, Sep::Assign | Sep::Colon | Sep::Arrow | Sep::Tag | Sep::Compare);
        let ident_start = ident_start(bytes, ident_end, floor);
        if ident_start == ident_end {
            break;
        }
        let is_bare = !closed && sep == Sep::Bare;
        let bare_too_far = is_bare && (name.len >= MAX_BARE.1 || end - ident_start > MAX_BARE.0);
        // In a list of generated words each would have the one before it for a name.
        if bare_too_far
            || is_bare && ends_generated(bytes, ident_start, ident_end)
            || !name.push(Span::new(ident_start, ident_end), sep)
        {
            break;
        }
        at = ident_start;
    }
    name
}

/// Whether the word that ends at `end`, or as much of it as stands behind `floor`, has small letters
/// and digits that stand alone among others, which the words of names seldom do: nine of ten words of
/// a random alphabet have two such in seventeen bytes, one name in a hundred has (of 219,000 in
/// packages, and most of those are data themselves).
fn ends_generated(bytes: &[u8], floor: usize, end: usize) -> bool {
    /// Shorter ones may be anything.
    const LEAST: usize = 12;
    let mut start = end;
    let (mut alone, mut changed, mut next) = (0, false, CASE);
    while start > floor {
        let kind = KINDS[usize::from(bytes[start - 1])];
        if kind & (IDENT | JOINT) == 0 {
            break;
        }
        let changes = kind & next & CASE == 0;
        // A capital alone begins a hump.
        alone += usize::from(changes & changed & (next & CASE != CAPITAL));
        (changed, next) = (changes, kind);
        start -= 1;
    }
    let len = end - start;
    len >= LEAST && alone >= 2 && alone * 10 >= len
}

/// Whether a generated word stands before the text at `start`, and nothing but blanks between: it is
/// one of a row of such words, and nothing on the line names it.
pub(super) fn follows_generated(bytes: &[u8], start: usize) -> bool {
    let floor = start.saturating_sub(MAX_BARE.0);
    let blanks = bytes[floor..start].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    blanks > 0 && ends_generated(bytes, floor, start - blanks)
}

/// Reads the punctuation left of `at`; the separator and the end of the identifier before it.
fn separator(bytes: &[u8], at: usize, floor: usize) -> Option<(Sep, usize)> {
    let mut sep = Sep::Bare;
    let mut i = at;
    while i > floor {
        let byte = bytes[i - 1];
        if is_ident(byte) {
            break;
        }
        let previous = if i - 1 > floor { bytes[i - 2] } else { 0 };
        let (found, width) = match byte {
            b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b'[' | b']' | b'*' | b'@' | b'#' | b'/' | b'-'
            | b'<' | b'%' | b'+' | b'!' | b')' | b'.' => (Sep::Bare, 1),
            b'>' if matches!(previous, b'=' | b'-') => (Sep::Arrow, 2),
            b'>' => (Sep::Tag, 1),
            b'=' if matches!(previous, b'=' | b'!') => {
                (Sep::Compare, if i >= 3 && bytes[i - 3] == b'=' { 3 } else { 2 })
            }
            b'=' if matches!(previous, b':' | b'?' | b'+' | b'|') => (Sep::Assign, 2),
            b'=' => (Sep::Assign, 1),
            b':' if previous == b':' => (Sep::Bare, 2),
            b':' => (Sep::Colon, 1),
            b'|' if previous == b'|' => (Sep::Or, 2),
            b'?' if previous == b'?' => (Sep::Or, 2),
            b'|' | b'?' | b'&' => (Sep::Bare, 1),
            b',' => (Sep::Comma, 1),
            b'(' => (Sep::Call, 1),
            // Line ends, statement ends, blocks and control characters end the name.
            _ => return None,
        };
        // The separator nearest to the value decides, except that blanks and quotes give way.
        if sep == Sep::Bare {
            sep = found;
        }
        i = i.saturating_sub(width).max(floor);
    }
    (i > floor).then_some((sep, i))
}

/// First byte of the identifier that ends at `end`; kebab and dotted parts belong to it.
fn ident_start(bytes: &[u8], end: usize, floor: usize) -> usize {
    let mut start = end;
    loop {
        while start > floor && is_ident(bytes[start - 1]) {
            start -= 1;
        }
        let joins = start < end
            && start >= floor + 2
            && KINDS[usize::from(bytes[start - 1])] & JOINT != 0
            && is_ident(bytes[start - 2]);
        if !joins {
            return start;
        }
        start -= 1;
    }
}

/// End of the text before `at` when only blanks and brackets separate it from the line above;
/// only if that line ends in an opener.
fn line_above(bytes: &[u8], at: usize, floor: usize) -> Option<usize> {
    let mut i = at;
    let mut lines = 0;
    while i > floor {
        match bytes[i - 1] {
            b' ' | b'\t' | b'\r' | b'[' | b'{' | b'(' | b'"' | b'\'' | b'-' => i -= 1,
            b'\n' if lines < 3 => {
                lines += 1;
                i -= 1;
            }
            // An earlier element of the same list: look above it.
            b',' if lines > 0 && lines < 3 => {
                while i > floor && bytes[i - 1] != b'\n' {
                    i -= 1;
                }
            }
            b'=' | b':' | b'>' | b'\\' | b'|' if lines > 0 => return Some(i),
            _ => return None,
        }
    }
    None
}

/// The key of the nearest less-indented line above the value at `start`: the enclosing object.
pub(super) fn enclosing(bytes: &[u8], start: usize) -> Option<Span> {
    let floor = start.saturating_sub(MAX_ENCLOSING);
    let mut line_start = line_start_of(bytes, start, floor)?;
    let own = indent(bytes, line_start, start);
    if own == 0 {
        return None;
    }
    for _ in 0..MAX_LINES {
        let end = line_start.checked_sub(1)?;
        if end <= floor {
            return None;
        }
        line_start = line_start_of(bytes, end, floor)?;
        if indent(bytes, line_start, end) >= own {
            continue;
        }
        let text = bytes[line_start..end].trim_ascii();
        if text.is_empty() {
            continue;
        }
        if !matches!(text.last(), Some(b':' | b'{' | b'[' | b'(' | b'=' | b'>')) {
            return None;
        }
        let close = text.iter().rposition(|&byte| is_ident(byte))?;
        let first = text.iter().position(|&byte| is_ident(byte))?;
        let offset = line_start + bytes[line_start..end].iter().position(|b| !b.is_ascii_whitespace())?;
        return Some(Span::new(offset + first, offset + close + 1));
    }
    None
}

/// For a value called `value`, the line above it that says which: `name: DATADOG_API_KEY`.
pub(super) fn sibling_above(bytes: &[u8], start: usize) -> Option<Span> {
    let floor = start.saturating_sub(MAX_ENCLOSING);
    let line_start = line_start_of(bytes, start, floor)?;
    let end = line_start.checked_sub(1).filter(|&end| end > floor)?;
    let above = line_start_of(bytes, end, floor)?;
    let text = &bytes[above..end];
    let close = text.iter().rposition(|&byte| is_ident(byte))?;
    let first = text.iter().position(|&byte| is_ident(byte))?;
    Some(Span::new(above + first, above + close + 1))
}

/// Start of the line that holds the byte before `at`; `None` when it is beyond `floor`.
fn line_start_of(bytes: &[u8], at: usize, floor: usize) -> Option<usize> {
    match memchr::memrchr(b'\n', &bytes[floor..at]) {
        Some(newline) => Some(floor + newline + 1),
        None => (floor == 0).then_some(0),
    }
}

fn indent(bytes: &[u8], line_start: usize, end: usize) -> usize {
    bytes[line_start..end].iter().take_while(|&&byte| matches!(byte, b' ' | b'\t' | b'-')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let start = text.find("VALUE").unwrap();
        let name = left_of(text.as_bytes(), start);
        let text_of = |span: &Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
        name.idents().iter().map(|(span, _)| text_of(span)).collect()
    }

    #[test]
    fn names_of_the_usual_forms() {
        for (text, first) in [
            ("dd_api_key = \"VALUE\"", "dd_api_key"),
            ("export DD_KEY=VALUE", "DD_KEY"),
            ("  dd-key: VALUE", "dd-key"),
            ("{\"ddKey\": \"VALUE\"", "ddKey"),
            ("{\\\"ddKey\\\": \\\"VALUE\\\"", "ddKey"),
            ("$dd['key'] => 'VALUE'", "key"),
            ("<dd-key>VALUE</dd-key>", "dd-key"),
            ("add key=\"ddKey\" value=\"VALUE\"", "value"),
            ("client.setDdKey(\"VALUE\")", "client.setDdKey"),
            ("put(\"dd_key\", \"VALUE\")", "dd_key"),
            ("--dd-key VALUE", "dd-key"),
            ("ENV DD_KEY VALUE", "DD_KEY"),
            ("-H 'X-Dd-Key: VALUE'", "X-Dd-Key"),
            ("process.env.DD_KEY || 'VALUE'", "process.env.DD_KEY"),
            ("DD_KEY:\n  VALUE", "DD_KEY"),
            ("keys = [\n  \"VALUE\"", "keys"),
            ("key = b\"VALUE\"", "key"),
        ] {
            assert_eq!(names(text).first().map(String::as_str), Some(first), "{text}");
        }
        assert_eq!(names("let dd_key: &str = \"VALUE\"")[..2], ["str", "dd_key"]);
        assert_eq!(names("<add key=\"ddKey\" value=\"VALUE\"")[..2], ["value", "ddKey"]);
    }

    #[test]
    fn neighbours_do_not_name() {
        assert_eq!(names("{\"dd\": \"x\", \"hash\": \"VALUE\""), ["hash"]);
        assert_eq!(names("dd();\nx = VALUE"), ["x"]);
        assert!(names("a; VALUE").is_empty());
    }

    #[test]
    fn rows_of_generated_words_have_no_names() {
        let word = "a1B2".repeat(4);
        for (before, row) in [("", false), (" ", true), ("  \t", true), ("=", false), (" : ", false)] {
            let text = format!("{word}{before}VALUE");
            assert_eq!(follows_generated(text.as_bytes(), text.find("VALUE").unwrap()), row, "{text}");
        }
        for name in
            ["aws_secret_access_key", "S3_SECRET_KEY_ID", "a1B2a1B2", "setMyNewApiKeyFor", "ec2K8sToken"]
        {
            let text = format!("{name} VALUE");
            assert!(!follows_generated(text.as_bytes(), name.len() + 1), "{text}");
        }
    }

    #[test]
    fn enclosing_keys_are_less_indented() {
        let text = "datadog:\n  on: true\n  key: VALUE";
        let span = enclosing(text.as_bytes(), text.find("VALUE").unwrap()).unwrap();
        assert_eq!(span.of(text.as_bytes()), b"datadog");
        let text = "- name: DD_KEY\n  value: VALUE";
        let span = sibling_above(text.as_bytes(), text.find("VALUE").unwrap()).unwrap();
        assert_eq!(span.of(text.as_bytes()), b"name: DD_KEY");
    }
}
