//! Passwords in `.netrc` files: `machine HOST login USER password PASSWORD`, over one line or
//! several, also inside strings that write such a file.
//!
//! After the host only the format's own keywords may stand where keywords stand, and a login
//! must be there: prose about machines and passwords does not pass.

use crate::finding::Span;

use super::value::{is_documentation_host, judge};
use super::{Hit, at_word_start};

/// Most bytes from `machine` to the end of the password.
const REACH: usize = 1024;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    if !at_word_start(bytes, at) || at > 0 && matches!(bytes[at - 1], b'-' | b'.' | b'/') {
        return None;
    }
    let mut words = Words { bytes, at, limit: bytes.len().min(at + REACH) };
    let first = words.next()?;
    let host = if first.of(bytes).eq_ignore_ascii_case(b"machine") {
        Some(words.next()?)
    } else if first.of(bytes).eq_ignore_ascii_case(b"default") {
        None
    } else {
        return None;
    };
    let mut login: Option<Span> = None;
    loop {
        let keyword = words.next()?;
        let value = words.next()?;
        match keyword.of(bytes) {
            b"login" | b"user" => login = Some(value),
            b"account" | b"port" => {}
            b"password" | b"passwd" => {
                let login = login.or_else(|| words.login_behind())?;
                let is_text = value.of(bytes).iter().all(|b| *b > b' ' && *b != 0x7f);
                if !is_text || host.is_some_and(|host| is_prose(host.of(bytes), value.of(bytes))) {
                    return None;
                }
                let hit = Hit::new(Span::new(at, value.end), value).judged(judge(value.of(bytes)))?;
                let is_open = [value.of(bytes), b"anonymous", b"ftp"].contains(&login.of(bytes));
                let mut hit = if is_open { hit.low() } else { hit };
                hit.lowered = host.is_some_and(|host| is_documentation_host(host.of(bytes)));
                return Some(hit);
            }
            _ => return None,
        }
    }
}

/// `machine learning login page password reset`: a host without dot or digit, and a password of
/// letters.
fn is_prose(host: &[u8], password: &[u8]) -> bool {
    let is_letters = |word: &[u8]| word.iter().all(u8::is_ascii_alphabetic);
    is_letters(host) && is_letters(password) && !host.eq_ignore_ascii_case(b"localhost")
}

/// Words between blanks, line ends (also escaped ones) and quotes.
struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
    limit: usize,
}

impl Words<'_> {
    fn skip_blanks(&mut self) {
        while self.at < self.limit {
            let is_escape = self.bytes[self.at] == b'\\'
                && self.at + 1 < self.limit
                && matches!(self.bytes[self.at + 1], b'n' | b'r' | b't');
            if is_escape {
                self.at += 2;
            } else if self.bytes[self.at].is_ascii_whitespace() {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// The login, where it follows the password.
    fn login_behind(&mut self) -> Option<Span> {
        let keyword = self.next()?;
        matches!(keyword.of(self.bytes), b"login" | b"user").then(|| self.next())?
    }
}

impl Iterator for Words<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        self.skip_blanks();
        let start = self.at;
        let rest = &self.bytes[start..self.limit];
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'\\' | b'"' | b'\'' | b'`');
        let length = match rest.first() {
            // A quoted value: the quotes are not part of it.
            Some(b'"') if self.bytes[start - 1].is_ascii_whitespace() => {
                let inside = rest[1..].iter().position(|&b| b == b'"' || b == b'\n')?;
                if rest[1 + inside] != b'"' {
                    return None;
                }
                self.at = start + inside + 2;
                return (inside > 0).then(|| Span::new(start + 1, start + 1 + inside));
            }
            _ => rest.iter().position(ends).unwrap_or(rest.len()),
        };
        self.at = start + length;
        (length > 0).then(|| Span::new(start, start + length))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, hits, ignores, text};
    use crate::finding::Confidence;
    use crate::rule::format::Format::Netrc;

    #[test]
    fn entries_on_one_line_and_on_several() {
        let pw = text("${alnum:18}");
        let forms = [
            format!("machine git.acme.io login deploy password {pw}"),
            format!("machine git.acme.io\n  login deploy\n  password {pw}\n\nmachine x"),
            format!("machine\tgit.acme.io\tlogin\tdeploy\tpassword\t{pw}\n"),
            format!("default login deploy password {pw}"),
            format!("machine git.acme.io password {pw} login deploy"),
            format!("echo \"machine git.acme.io login deploy password {pw}\" >> ~/.netrc"),
            format!("printf 'machine git.acme.io\\nlogin deploy\\npassword {pw}\\n'"),
            format!("machine git.acme.io login deploy account x password \"{pw}\""),
        ];
        for form in forms {
            finds(Netrc, &[], &form, &pw);
        }
    }

    #[test]
    fn two_entries_are_two_hits() {
        let two = text(
            "machine a.acme.io login u password ${alnum:12}\nmachine b.acme.io login u password ${alnum:12}",
        );
        assert_eq!(hits(Netrc, &[], two.as_bytes()).len(), 2);
    }

    #[test]
    fn prose_and_templates_are_ignored() {
        let texts = [
            "the machine password kx93mvq is",
            "machine learning login page password reset",
            "machine git.acme.io login $USER password $PW",
            "machine git.acme.io login ${USER} password ${PW}",
            "machine git.acme.io login u password <token>",
            "machine git.acme.io password kx93mvq",
            "machine git.acme.io login u",
            "virtual-machine h login u password kx93mvq",
            "machine h login u password",
        ];
        for text in texts {
            ignores(Netrc, &[], text);
        }
    }

    #[test]
    fn stand_ins_and_example_hosts() {
        let open = text("default login anonymous password ${alnum:12}");
        assert_eq!(hits(Netrc, &[], open.as_bytes())[0].confidence, Some(Confidence::Low));
        doubts(Netrc, &[], "machine git.acme.io login u password mypassword");
        let example = text("machine example.com login u password ${alnum:12}");
        assert!(hits(Netrc, &[], example.as_bytes())[0].lowered);
    }
}
