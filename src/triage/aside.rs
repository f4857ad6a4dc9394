//! What surrounds a secret in its content says what it is there for: to explain, to show what a
//! service answered, to test, or, on a line longer than anybody writes, to run as a build tool left it.
//!
//! Read while the content is at hand. Whether it means anything depends on the kind of file, which
//! only the path tells.

use std::ops::Range;

use crate::finding::Span;

/// Bytes of a line looked at to either side; lines longer than that nobody wrote by hand.
const REACH: usize = 1000;

/// Fewest blanks between `//` and a member of a document that was pasted.
const INDENT: usize = 3;

/// Most bytes looked at before a text for where its line begins.
const INDENTED: usize = 200;

/// What a place looks like, in a file of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Aside {
    /// Nothing special.
    #[default]
    None,
    /// In a comment or text that documents: ` * …`, `/// …`, `>>> …`, a docstring.
    Documents,
    /// A member of an object, indented in a comment: `//     "token": "…",`.
    Pasted,
    /// On a line of a length that only build tools write.
    Endless,
    /// Behind `e.g.`.
    Said,
    /// Behind Rust's mark of unit tests, which end a file.
    UnitTest,
}

/// What is known of one content, found out when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct Asides {
    docstrings: Option<Vec<Range<usize>>>,
    unit_tests: Option<usize>,
}

impl Asides {
    /// What the surroundings of `secret` in `bytes` say.
    pub(super) fn around(&mut self, bytes: &[u8], secret: Span) -> Aside {
        let at = secret.start.min(bytes.len());
        let told = by_line(bytes, at);
        if told != Aside::None {
            return told;
        }
        let docstrings = self.docstrings.get_or_insert_with(|| match has_docstrings(bytes) {
            true => docstrings(bytes),
            false => Vec::new(),
        });
        if docstrings.iter().any(|range| range.contains(&at)) {
            return Aside::Documents;
        }
        let mark = || memchr::memmem::find(bytes, b"#[cfg(test)]").unwrap_or(bytes.len());
        if *self.unit_tests.get_or_insert_with(mark) < at { Aside::UnitTest } else { Aside::None }
    }
}

/// What the line around `at` says.
fn by_line(bytes: &[u8], at: usize) -> Aside {
    let (floor, ceiling) = (at.saturating_sub(REACH), bytes.len().min(at + REACH));
    let (before, after) = (&bytes[floor..at], &bytes[at..ceiling]);
    let left = memchr::memrchr(b'\n', before).map_or(before, |feed| &before[feed + 1..]);
    let right = memchr::memchr(b'\n', after).unwrap_or(after.len());
    if left.trim_ascii_end().ends_with(b"e.g.") {
        return Aside::Said;
    }
    if left.len() + right >= REACH {
        return Aside::Endless;
    }
    let line = left.trim_ascii_start();
    if ["* ", "/** ", "/// ", "//! ", ">>> "].iter().any(|mark| line.starts_with(mark.as_bytes())) {
        return Aside::Documents;
    }
    match line.strip_prefix(b"//") {
        Some(comment) if is_member(comment) => Aside::Pasted,
        _ => Aside::None,
    }
}

/// Blanks, a name that may be quoted, and a colon.
fn is_member(comment: &[u8]) -> bool {
    let rest = comment.trim_ascii_start();
    let quote = |b: &&u8| matches!(**b, b'"' | b'\'');
    let name = &rest[rest.iter().take_while(quote).count()..];
    let len = name.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
    let behind = &name[len..];
    let behind = &behind[behind.iter().take_while(quote).count()..];
    comment.len() - rest.len() >= INDENT && len > 0 && behind.first() == Some(&b':')
}

/// Whether triple quotes stand first on a line, but for blanks and the letter of a raw text. Most files have
/// none, and then nobody need read on.
fn has_docstrings(bytes: &[u8]) -> bool {
    let begins = |at: usize| {
        let before = bytes[..at].iter().rev().take(INDENTED);
        before.take_while(|&&byte| byte != b'\n').all(|byte| b" \t\rrRuU".contains(byte))
    };
    [b"\"\"\"", b"'''"].iter().any(|quotes| memchr::memmem::find_iter(bytes, *quotes).any(begins))
}

/// The texts in triple quotes that begin a statement of Python: nothing is done with them.
fn docstrings(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut last = b'\n';
    let mut fresh = true;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        match byte {
            b'#' => at += memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'"' | b'\'' if rest.starts_with(&[byte; 3]) => {
                let end = memchr::memmem::find(&rest[3..], &[byte; 3]).map_or(rest.len(), |len| len + 6);
                if fresh && !b"(,=[{+%".contains(&last) {
                    found.push(at..at + end);
                }
                at += end;
                (last, fresh) = (byte, false);
            }
            b'"' | b'\'' => {
                at += 1 + string_end(&rest[1..], byte);
                (last, fresh) = (byte, false);
            }
            b'\n' => {
                fresh = true;
                at += 1;
            }
            b' ' | b'\t' | b'\r' => at += 1,
            b'r' | b'R' | b'u' | b'U' if fresh && rest.get(1).is_some_and(|b| matches!(b, b'"' | b'\'')) => {
                at += 1;
            }
            _ => {
                (last, fresh) = (byte, false);
                at += 1;
            }
        }
    }
    found
}

/// Length of a text in single quotes up to and with its closing one, or to the end of the line.
fn string_end(text: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aside(text: &str) -> Aside {
        let start = text.find('S').unwrap();
        Asides::default().around(text.as_bytes(), Span::new(start, start + 1))
    }

    #[test]
    fn lines_tell_what_they_are_for() {
        assert_eq!(aside("code();\n *   token: 'S'\n"), Aside::Documents);
        assert_eq!(aside("/// let key = \"S\";"), Aside::Documents);
        assert_eq!(aside("    >>> wif = 'S'"), Aside::Documents);
        assert_eq!(aside("        //     \"token\": \"S\",\n"), Aside::Pasted);
        assert_eq!(aside("//     token: 'S'"), Aside::Pasted);
        assert_eq!(aside("hint: 'e.g. S'"), Aside::Said);
        assert_eq!(aside(&format!("{}S", "x".repeat(REACH))), Aside::Endless);
        assert_eq!(aside(&format!("aS{}", "x".repeat(REACH))), Aside::Endless);
        assert_eq!(aside("fn a() {}\n#[cfg(test)]\nmod tests {\n let key = \"S\";\n}"), Aside::UnitTest);
    }

    #[test]
    fn texts_that_begin_a_statement_document() {
        for text in [
            "\"\"\"token = S\"\"\"",
            "import a\n\n'''\ntoken = S\n'''\n",
            "def f(x='\"\"\"'):\n    r\"\"\"\n    token = S\n    \"\"\"\n",
            "# it's\nclass A:\n    \"\"\"token = S\"\"\"",
        ] {
            assert_eq!(aside(text), Aside::Documents, "{text}");
        }
        for text in [
            "settings = \"\"\"\ntoken = S\n\"\"\"",
            "run(\n    \"\"\"\n    token = S\n    \"\"\")",
            "\"\"\"about\"\"\"\ntoken = 'S'",
            "a = 'it\\'s'\ntoken = 'S'",
            "a = 'never closed\ntoken = 'S'",
        ] {
            assert_eq!(aside(text), Aside::None, "{text}");
        }
    }

    #[test]
    fn code_and_what_was_commented_out_say_nothing() {
        for text in [
            "token = 'S'",
            "// token = 'S';",
            "// token: 'S'",
            "//  const token = 'S'",
            "//     return 'S'",
            "x *S",
            "let key = \"S\";\n#[cfg(test)]\nmod tests {}",
        ] {
            assert_eq!(aside(text), Aside::None, "{text}");
        }
        let lines = format!("{}\nS\n{}", "x".repeat(REACH), "x".repeat(REACH));
        assert_eq!(aside(&lines), Aside::None);
    }
}
