//! Allow markers in the scanned text: `keycull:allow[rule] until=2027-01-31 -- reason`.
//!
//! Understood as well, since many trees carry them: `gitleaks:allow`, `betterleaks:allow`,
//! `pragma: allowlist secret` and `pragma: allowlist nextline secret` (detect-secrets 1.5). Those of
//! [`super::other_tools`] are found, too; whether they count is decided later.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;
use memchr::memmem::Finder;

use super::other_tools;

/// Longest reason kept, in characters.
const REASON_CHARS: usize = 200;
/// Bytes of text looked at for a reason, so that a very long line costs nothing.
const REASON_BYTES: usize = 1024;
/// Markers read from one line; more are noise, and would make long lines expensive.
const PER_LINE: usize = 16;

/// A marker as written, before anybody decided whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InlineAllow {
    /// Its name: `keycull:allow`, `gitleaks:allow`, `betterleaks:allow`, `pragma: allowlist secret`, or one
    /// that counts only where its tool is configured.
    pub marker: &'static str,
    /// Rules it is limited to; empty for all.
    pub rules: Vec<String>,
    /// Last day it holds.
    pub until: Option<Date>,
    /// Reason given; printable, secrets masked.
    pub reason: Option<String>,
    /// What is wrong with it; a marker with a fault does not hold.
    pub fault: Option<String>,
}

/// A marker found in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What it says; the reason is still missing.
    pub(super) allow: InlineAllow,
    /// Place of the marker's first byte.
    pub(super) at: usize,
    /// Place of the reason, if there is one.
    pub(super) reason: Option<Range<usize>>,
    /// It speaks of the next line: `nextline`, or alone on its line.
    pub(super) next_line: bool,
    /// It speaks of its own line.
    pub(super) same_line: bool,
}

/// Finds a text. Made once, since making it takes longer than reading a line.
type Named = (&'static str, Finder<'static>);

fn named(name: &'static str) -> Named {
    (name, Finder::new(name))
}

static NAMES: LazyLock<[Named; 3]> =
    LazyLock::new(|| ["keycull:allow", "gitleaks:allow", "betterleaks:allow"].map(named));
static NAMES_OF_OTHERS: LazyLock<Vec<Named>> = LazyLock::new(|| other_tools::names().map(named).collect());
static PRAGMA: LazyLock<Named> = LazyLock::new(|| named("pragma:"));

/// All markers in `line`, a range of `bytes`, in order.
pub(super) fn find(bytes: &[u8], line: Range<usize>) -> Vec<Found> {
    let mut found = Vec::new();
    for (name, finder) in &*NAMES {
        let text = &bytes[line.clone()];
        for at in finder.find_iter(text) {
            let end = at + name.len();
            let left = at.checked_sub(1).map(|i| text[i]);
            if left.is_some_and(is_word) || text.get(end).is_some_and(|&b| is_word(b) || b == b'-') {
                continue;
            }
            found.push(colon_form(bytes, line.clone(), line.start + at, line.start + end, name));
        }
    }
    found.extend(of_other_tools(bytes, line.clone()));
    found.extend(pragmas(bytes, line));
    found.sort_by_key(|marker| marker.at);
    found.truncate(PER_LINE);
    found
}

/// `tool:allow`, with keycull's own extras after `keycull:allow`.
pub(super) fn colon_form(
    bytes: &[u8],
    line: Range<usize>,
    at: usize,
    end: usize,
    name: &'static str,
) -> Found {
    let own = name == "keycull:allow";
    let alone = own && is_comment_lead(&bytes[line.start..at]);
    let mut allow = InlineAllow { marker: name, rules: Vec::new(), until: None, reason: None, fault: None };
    let mut rest = end;
    if own && bytes.get(end) == Some(&b'[') && end < line.end {
        match memchr::memchr(b']', &bytes[end..line.end.min(end + REASON_BYTES)]) {
            Some(close) => {
                let list = String::from_utf8_lossy(&bytes[end + 1..end + close]).into_owned();
                allow.rules =
                    list.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
                if allow.rules.is_empty() {
                    allow.fault = Some("its rule list is empty".to_owned());
                }
                rest = end + close + 1;
            }
            None => allow.fault = Some("its rule list is not closed".to_owned()),
        }
    }
    let tail = rest..comment_end(bytes, rest..line.end.min(rest + REASON_BYTES));
    let reason = if own { options(bytes, tail, &mut allow) } else { trimmed(bytes, tail) };
    Found { allow, at, reason, next_line: alone, same_line: true }
}

/// Reads `until=…` and finds the reason: what follows ` -- `, else the words that are left.
fn options(bytes: &[u8], tail: Range<usize>, allow: &mut InlineAllow) -> Option<Range<usize>> {
    let text = &bytes[tail.clone()];
    let dashes = memchr::memmem::find_iter(text, "--")
        .find(|&at| (at == 0 || text[at - 1].is_ascii_whitespace()) && text.get(at + 2) != Some(&b'>'));
    let head = &text[..dashes.unwrap_or(text.len())];
    let mut reason_from = tail.start;
    if let Some(at) = memchr::memmem::find(head, b"until=") {
        let value = &head[at + 6..];
        let len = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        match date(&value[..len]) {
            Some(day) => allow.until = Some(day),
            None => allow.fault = Some("its date is not of the form until=YYYY-MM-DD".to_owned()),
        }
        if dashes.is_none() {
            let before = trimmed(bytes, tail.start..tail.start + at);
            if before.is_some() {
                return before;
            }
            reason_from = tail.start + at + 6 + len;
        }
    }
    let from = dashes.map_or(reason_from, |at| tail.start + at + 2);
    trimmed(bytes, from..tail.end)
}

/// A date written `YYYY-MM-DD`, and nothing else.
pub(super) fn date(text: &[u8]) -> Option<Date> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 10)?;
    text.parse().ok()
}

/// Markers that count only where their tool is configured.
fn of_other_tools(bytes: &[u8], line: Range<usize>) -> Vec<Found> {
    let text = &bytes[line.clone()];
    let mut found = Vec::new();
    for (marker, finder) in &*NAMES_OF_OTHERS {
        for at in finder.find_iter(text) {
            let end = at + marker.len();
            let joined = |byte: Option<&u8>| byte.is_some_and(|&byte| is_word(byte) || byte == b'-');
            if joined(at.checked_sub(1).and_then(|before| text.get(before))) || joined(text.get(end)) {
                continue;
            }
            let next_line = marker.ends_with("-next-line");
            found.push(Found {
                allow: InlineAllow { marker, rules: Vec::new(), until: None, reason: None, fault: None },
                at: line.start + at,
                reason: None,
                next_line,
                same_line: !next_line,
            });
        }
    }
    found
}

/// `pragma: allowlist secret` in the spellings detect-secrets accepts.
fn pragmas(bytes: &[u8], line: Range<usize>) -> Vec<Found> {
    let text = &bytes[line.clone()];
    let mut found = Vec::new();
    let (name, finder) = &*PRAGMA;
    for at in finder.find_iter(text) {
        let rest = skip_blanks(&text[at + name.len()..]);
        let Some(rest) = [&b"allowlist"[..], b"whitelist"].iter().find_map(|word| rest.strip_prefix(*word))
        else {
            continue;
        };
        let rest = skip_joint(rest);
        let (rest, next_line) = match rest.strip_prefix(b"nextline") {
            Some(rest) => (skip_joint(rest), true),
            None => (rest, false),
        };
        let Some(rest) = rest.strip_prefix(b"secret") else { continue };
        if rest.first().is_some_and(|&b| is_word(b)) {
            continue;
        }
        let marker = if next_line { "pragma: allowlist nextline secret" } else { "pragma: allowlist secret" };
        let from = line.end - rest.len();
        found.push(Found {
            allow: InlineAllow { marker, rules: Vec::new(), until: None, reason: None, fault: None },
            at: line.start + at,
            reason: trimmed(bytes, from..comment_end(bytes, from..line.end.min(from + REASON_BYTES))),
            next_line,
            same_line: !next_line,
        });
    }
    found
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&b| b == b' ').count()..]
}

fn skip_joint(text: &[u8]) -> &[u8] {
    match text.first() {
        Some(b' ' | b'-' | b'_') => &text[1..],
        Some(_) | None => text,
    }
}

/// Where the comment that starts before `range` ends inside it, if it can end inside a line.
fn comment_end(bytes: &[u8], range: Range<usize>) -> usize {
    let text = &bytes[range.clone()];
    [&b"*/"[..], b"-->", b"#}", b"%>", b"--}}"]
        .iter()
        .filter_map(|close| memchr::memmem::find(text, close))
        .min()
        .map_or(range.end, |at| range.start + at)
}

/// `range` without blanks and separators at its ends; `None` when nothing is left.
fn trimmed(bytes: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let idle = |b: &u8| b.is_ascii_whitespace() || b"-:,;\"'`".contains(b);
    let text = &bytes[range.start..range.end.min(range.start + REASON_BYTES)];
    let first = text.iter().position(|b| !idle(b))?;
    let last = text.iter().rposition(|b| !idle(b))?;
    Some(range.start + first..range.start + last + 1)
}

/// Whether `text` is nothing but the start of a comment.
fn is_comment_lead(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.len() <= 16
        && (text.iter().all(|b| b.is_ascii_punctuation() || b.is_ascii_whitespace())
            || text.eq_ignore_ascii_case(b"rem")
            || text == b"dnl")
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Cuts a reason to a length that fits a report.
pub(super) fn cut_reason(reason: String) -> String {
    match reason.char_indices().nth(REASON_CHARS) {
        Some((at, _)) => format!("{}…", &reason[..at]),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> (Found, Option<String>) {
        let mut found = find(line.as_bytes(), 0..line.len());
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        let found = found.remove(0);
        let reason = found.reason.clone().map(|range| line[range].to_owned());
        (found, reason)
    }

    #[test]
    fn own_markers_carry_rules_date_and_reason() {
        let (found, reason) = one("x = 1  # keycull:allow[aws-key, other] until=2027-01-31 -- test account");
        assert_eq!(found.allow.rules, ["aws-key", "other"]);
        assert_eq!(found.allow.until, Some(jiff::civil::date(2027, 1, 31)));
        assert_eq!(reason.as_deref(), Some("test account"));
        assert_eq!((found.next_line, found.same_line, found.allow.fault), (false, true, None));
    }

    #[test]
    fn the_reason_may_stand_bare_and_the_date_anywhere() {
        assert_eq!(one("x // keycull:allow sample data").1.as_deref(), Some("sample data"));
        assert_eq!(one("x /* keycull:allow sample */ more").1.as_deref(), Some("sample"));
        assert_eq!(one("<x/> <!-- keycull:allow why -->").1.as_deref(), Some("why"));
        assert_eq!(one("<x/> <!-- keycull:allow -->").1, None);
        let (found, reason) = one("x # keycull:allow sample until=2027-01-31");
        assert_eq!((found.allow.until.is_some(), reason.as_deref()), (true, Some("sample")));
        let (found, reason) = one("x # keycull:allow until=2027-01-31 sample");
        assert_eq!((found.allow.until.is_some(), reason.as_deref()), (true, Some("sample")));
    }

    #[test]
    fn a_marker_alone_on_its_line_speaks_of_the_next() {
        for line in
            ["# keycull:allow", "  // keycull:allow[a] -- b", "<!-- keycull:allow -->", "REM keycull:allow"]
        {
            assert!(one(line).0.next_line, "{line}");
        }
        assert!(!one("key # keycull:allow").0.next_line);
        assert!(!one("# gitleaks:allow").0.next_line, "gitleaks knows no next line");
    }

    #[test]
    fn foreign_markers_are_read() {
        assert_eq!(one("x # gitleaks:allow").0.allow.marker, "gitleaks:allow");
        assert_eq!(one("x # betterleaks:allow").0.allow.marker, "betterleaks:allow");
        for line in
            ["x # pragma: allowlist secret", "x # pragma:allowlist-secret", "x # pragma: whitelist secret"]
        {
            let found = one(line).0;
            assert_eq!((found.allow.marker, found.same_line), ("pragma: allowlist secret", true), "{line}");
        }
        let next = one("# pragma: allowlist nextline secret").0;
        assert_eq!((next.next_line, next.same_line), (true, false));
    }

    #[test]
    fn faults_are_told_and_look_alikes_are_not_markers() {
        assert!(one("# keycull:allow[aws").0.allow.fault.is_some());
        assert!(one("# keycull:allow[]").0.allow.fault.is_some());
        for bad in ["soon", "2027-13-01", "2027-1-1", "20270101"] {
            assert!(one(&format!("# keycull:allow until={bad}")).0.allow.fault.is_some(), "{bad}");
        }
        for line in [
            "keycull:allowed",
            "xkeycull:allow",
            "keycull:allow-all",
            "pragma: allowlist secrets",
            "pragma: once",
        ] {
            assert_eq!(find(line.as_bytes(), 0..line.len()), [], "{line}");
        }
    }
}
