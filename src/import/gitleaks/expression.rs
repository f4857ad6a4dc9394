//! Regular expressions of Go (RE2 syntax) as those of the `regex` crate.
//!
//! The two agree on most things. What differs is rewritten: `\Q…\E`, octal escapes, `\<`, braces
//! that are no repetition, `[` and `&&` inside classes, and the meaning of `\s`. Classes are those
//! of ASCII, as in Go; a class with characters beyond ASCII, and `\p{…}`, are switched to Unicode.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;

/// Highest repetition count Go accepts.
const MAX_REPEAT: u32 = 1000;
/// White space of Go's `\s`: without the vertical tab.
const SPACE: &str = "\\t\\n\\f\\r\\x20";

/// One expression, compiled when it is first needed.
#[derive(Clone, Debug)]
pub struct Expression {
    go: String,
    translated: String,
    groups: usize,
    compiled: OnceLock<Regex>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.go == other.go
    }
}

impl Expression {
    /// Reads an expression as Go writes it.
    ///
    /// # Errors
    /// It is not valid, in words.
    pub fn new(go: &str) -> Result<Self, String> {
        let translated = Translator { chars: go.chars().collect(), at: 0, out: String::new() }.run()?;
        let parsed =
            ParserBuilder::new().unicode(false).utf8(false).nest_limit(1000).build().parse(&translated);
        let parsed = parsed.map_err(|error| {
            let said = error.to_string();
            said.lines().last().unwrap_or("not valid").trim_start_matches("error: ").to_owned()
        })?;
        let groups = parsed.properties().explicit_captures_len();
        Ok(Self { go: go.to_owned(), translated, groups, compiled: OnceLock::new() })
    }

    /// Any of `expressions`, joined as gitleaks joins them: flags at the start of one hold for those
    /// after it, too.
    ///
    /// # Errors
    /// One of them is not valid.
    pub fn any<'a>(expressions: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let list: Vec<&str> = expressions.into_iter().collect();
        for one in &list {
            Self::new(one).map_err(|why| format!("`{one}`: {why}"))?;
        }
        Self::new(&format!("(?:{})", list.join("|")))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.go
    }

    /// How many capture groups it has.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The compiled expression.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            RegexBuilder::new(&self.translated)
                .unicode(false)
                .size_limit(256 << 20)
                .dfa_size_limit(8 << 20)
                .nest_limit(1000)
                .build()
                .unwrap_or_else(|error| {
                    log::warn!("the expression `{}` is too large and matches nothing: {error}", self.go);
                    // NOTE: a fixed, valid expression.
                    Regex::new("[a&&b]").expect("a valid expression")
                })
        })
    }

    /// Whether it matches anywhere in `text`.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex().is_match(text)
    }
}

/// What a backslash stands for.
enum Escape {
    /// One character.
    Char(char),
    /// The members of a class, as they stand between brackets, and whether it is the complement.
    Class(&'static str, bool),
    /// `\p…`, as written.
    Property(String),
    /// An assertion or anything else that is the same in both.
    Same(char),
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
}

impl Translator {
    fn run(mut self) -> Result<String, String> {
        while let Some(c) = self.next() {
            match c {
                '\\' if self.peek() == Some('Q') => self.quoted(),
                '\\' => match self.escape()? {
                    Escape::Char(c) => self.literal(c),
                    Escape::Class(members, false) => self.out.push_str(&format!("[{members}]")),
                    Escape::Class(members, true) => self.out.push_str(&format!("[^{members}]")),
                    Escape::Property(property) => self.out.push_str(&format!("(?u:{property})")),
                    Escape::Same(c) => self.out.extend(['\\', c]),
                },
                '[' => self.class()?,
                '{' => self.brace()?,
                '}' => self.out.push_str("\\}"),
                c => self.out.push(c),
            }
        }
        Ok(self.out)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += 1;
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn rest_starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out.push_str(&regex_syntax::escape(c.encode_utf8(&mut buffer)));
    }

    /// `\Q…\E`, or to the end.
    fn quoted(&mut self) {
        self.at += 1;
        while self.at < self.chars.len() {
            if self.rest_starts("\\E") {
                self.at += 2;
                return;
            }
            let c = self.chars[self.at];
            self.at += 1;
            self.literal(c);
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<Escape, String> {
        let c = self.next().ok_or("trailing backslash")?;
        Ok(match c {
            'd' => Escape::Class("0-9", false),
            'D' => Escape::Class("0-9", true),
            'w' => Escape::Class("0-9A-Za-z_", false),
            'W' => Escape::Class("0-9A-Za-z_", true),
            's' => Escape::Class(SPACE, false),
            'S' => Escape::Class(SPACE, true),
            'p' | 'P' => Escape::Property(self.property(c)?),
            'x' => Escape::Char(self.hex()?),
            '0'..='7' => Escape::Char(self.octal(c)?),
            'a' => Escape::Char('\u{7}'),
            'f' => Escape::Char('\u{c}'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            'v' => Escape::Char('\u{b}'),
            'A' | 'b' | 'B' | 'z' => Escape::Same(c),
            c if c.is_ascii_punctuation() || c == ' ' => Escape::Char(c),
            c => return Err(format!("invalid escape `\\{c}`")),
        })
    }

    fn property(&mut self, c: char) -> Result<String, String> {
        let first = self.next().ok_or("`\\p` names no class")?;
        if first != '{' {
            return Ok(format!("\\{c}{first}"));
        }
        let mut name = String::new();
        loop {
            match self.next().ok_or("`\\p{` is not closed")? {
                '}' => break,
                other => name.push(other),
            }
        }
        let (c, name) = match (c, name.strip_prefix('^')) {
            ('p', Some(rest)) => ('P', rest.to_owned()),
            (_, Some(rest)) => ('p', rest.to_owned()),
            (c, None) => (c, name),
        };
        Ok(format!("\\{c}{{{name}}}"))
    }

    fn hex(&mut self) -> Result<char, String> {
        let mut digits = String::new();
        if self.peek() == Some('{') {
            self.at += 1;
            while let Some(c) = self.next().filter(|c| *c != '}') {
                digits.push(c);
            }
        } else {
            digits.extend(self.next());
            digits.extend(self.next());
        }
        let value = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
        value.ok_or_else(|| format!("invalid escape `\\x{digits}`"))
    }

    /// Up to three octal digits; one alone would be a back reference, which RE2 has not.
    fn octal(&mut self, first: char) -> Result<char, String> {
        let digit = |c: Option<char>| c.and_then(|c| c.to_digit(8));
        if first != '0' && digit(self.peek()).is_none() {
            return Err(format!("invalid escape `\\{first}`: there are no back references"));
        }
        let mut value = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            let Some(next) = digit(self.peek()) else { break };
            value = value * 8 + next;
            self.at += 1;
        }
        char::from_u32(value).ok_or_else(|| "invalid octal escape".to_owned())
    }

    /// A repetition stays; any other brace is itself.
    fn brace(&mut self) -> Result<(), String> {
        let end = self.chars[self.at..].iter().position(|c| *c == '}').map(|len| self.at + len);
        let body: Option<String> = end.map(|end| self.chars[self.at..end].iter().collect());
        let counts = body.as_deref().and_then(|body| {
            let (low, high) = body.split_once(',').unwrap_or((body, body));
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                digits.then(|| text.parse::<u32>().unwrap_or(u32::MAX))
            };
            let high = if high.is_empty() { Some(0) } else { number(high) };
            Some((number(low)?, high?))
        });
        match (counts, end) {
            (Some((low, high)), Some(end)) => {
                if low > MAX_REPEAT || high > MAX_REPEAT {
                    return Err(format!("a repetition is over {MAX_REPEAT}"));
                }
                self.out.push('{');
                self.out.extend(&self.chars[self.at..=end]);
                self.at = end + 1;
            }
            _ => self.out.push_str("\\{"),
        }
        Ok(())
    }

    /// A bracketed class; the opening bracket is read.
    fn class(&mut self) -> Result<(), String> {
        let mut body = String::new();
        let mut unicode = false;
        let negated = self.peek() == Some('^');
        self.at += usize::from(negated);
        let mut first = true;
        loop {
            let c = self.next().ok_or("a class is not closed")?;
            match c {
                ']' if !first => break,
                '[' if self.peek() == Some(':') && self.posix(&mut body) => {}
                _ => {
                    let low = self.member(c)?;
                    self.range(low, &mut body, &mut unicode)?;
                }
            }
            first = false;
        }
        let sign = if negated { "^" } else { "" };
        let class = format!("[{sign}{body}]");
        self.out.push_str(&if unicode { format!("(?u:{class})") } else { class });
        Ok(())
    }

    /// `[:name:]`; the first bracket is read. Nothing else is consumed when it is none.
    fn posix(&mut self, body: &mut String) -> bool {
        let rest: String = self.chars[self.at..].iter().take(12).collect();
        let Some(end) = rest.find(":]") else { return false };
        let name = &rest[1..end];
        if !name.trim_start_matches('^').bytes().all(|b| b.is_ascii_lowercase()) {
            return false;
        }
        body.push_str(&format!("[:{name}:]"));
        self.at += end + 2;
        true
    }

    fn member(&mut self, c: char) -> Result<Escape, String> {
        if c != '\\' {
            return Ok(Escape::Char(c));
        }
        let escape = self.escape()?;
        if let Escape::Same(c) = escape {
            return Err(format!("invalid escape `\\{c}` in a class"));
        }
        Ok(escape)
    }

    /// Writes one member, or the range it begins.
    fn range(&mut self, low: Escape, body: &mut String, unicode: &mut bool) -> Result<(), String> {
        let low = match low {
            Escape::Char(c) => c,
            Escape::Class(members, false) => {
                body.push_str(members);
                return Ok(());
            }
            Escape::Class(members, true) => {
                body.push_str(&format!("[^{members}]"));
                return Ok(());
            }
            Escape::Property(property) => {
                *unicode = true;
                body.push_str(&property);
                return Ok(());
            }
            Escape::Same(_) => return Err("not valid in a class".to_owned()),
        };
        body.push_str(&in_class(low, unicode));
        if self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']') {
            self.at += 1;
            let c = self.next().ok_or("a class is not closed")?;
            let Escape::Char(high) = self.member(c)? else {
                return Err("a range ends in a class".to_owned());
            };
            body.push('-');
            body.push_str(&in_class(high, unicode));
        }
        Ok(())
    }
}

/// One character between brackets.
fn in_class(c: char, unicode: &mut bool) -> String {
    if c.is_ascii_alphanumeric() || c == '_' {
        c.to_string()
    } else {
        *unicode |= !c.is_ascii();
        format!("\\x{{{:X}}}", u32::from(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `go` finds in `text`.
    fn found(go: &str, text: &str) -> Option<String> {
        let expression = Expression::new(go).unwrap_or_else(|why| panic!("{go}: {why}"));
        let hit = expression.regex().find(text.as_bytes())?;
        Some(String::from_utf8_lossy(hit.as_bytes()).into_owned())
    }

    #[test]
    fn what_go_accepts_means_the_same() {
        for (go, text, hit) in [
            (r"\Qa.b[\E+", "a.b[[", Some("a.b[[")),
            (r"\<x\>", "a<x>b", Some("<x>")),
            (r"${x}", "${x}", None),
            (r"\${x}", "${x}", Some("${x}")),
            (r"a{,2}", "a{,2}", Some("a{,2}")),
            (r"a{2,}", "aaaa", Some("aaaa")),
            (r"{{\w+}}", "{{abc}}", Some("{{abc}}")),
            (r"[[a]", "[", Some("[")),
            (r"[a&&b]", "&", Some("&")),
            (r"[]x]+", "]x", Some("]x")),
            (r"[^]x]+", "]abx", Some("ab")),
            (r"[a-]+", "-a-", Some("-a-")),
            (r"[+--]+", "+,-", Some("+,-")),
            (r"[\w.-]+", "a.b-c", Some("a.b-c")),
            (r"[[:alnum:]_-]+", "a_-", Some("a_-")),
            (r"[\s\S]+", "a\nb", Some("a\nb")),
            (r"[^\S\n]+", "a \t\n", Some(" \t")),
            (r"\s", "\u{b}", None),
            (r"\x41\x{42}\103\0", "ABC\0", Some("ABC\0")),
            (r"\w+", "éa", Some("a")),
            (r"[é-ü]", "ö", Some("ö")),
            (r"(?i)K", "\u{212a}k", Some("k")),
            (r"\pL+", "éa1", Some("éa")),
            (r"[\p{L}\d]+", "é1-", Some("é1")),
            (r"\P{L}", "é1", Some("1")),
            (r"(?P<n>a)(?<m>b)(?i:C)", "abc", Some("abc")),
            (r"\/\#\-\_\'", "/#-_'", Some("/#-_'")),
            (r"(?s)a.b\z", "a\nb", Some("a\nb")),
            (r"(?U)a+", "aaa", Some("a")),
        ] {
            assert_eq!(found(go, text).as_deref(), hit, "{go}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for go in
            [r"(?=a)", r"(?<!a)b", r"(a)\1", r"a{1001}", r"\y", r"[\b]", r"[a", r"a(", r"\", r"\p{", r"[\d-z"]
        {
            assert!(Expression::new(go).is_err(), "{go}");
        }
    }

    #[test]
    fn joined_expressions_share_their_flags() {
        let any = Expression::any(["(?i)abc", "def"]).unwrap();
        assert!(any.is_match(b"DEF"));
        assert_eq!(Expression::new(r"(a)(?:b)(?P<x>c)").unwrap().groups(), 2);
        assert!(Expression::any(["a", "("]).unwrap_err().starts_with("`(`"));
    }
}
