//! What a secret opens, as far as the lines beside it say: host, user, database, public ids.
//!
//! Read only around matches, a few lines and a few hundred bytes to either side. What is taken is
//! printable ASCII of a form that users, hosts and ids have; never a piece of any match, nothing that
//! equals or shares the secret, nothing that looks random under a name for people.

use std::ops::Range;

use crate::finding::{Detail, Facet, Match};

/// Lines looked at above and below.
const LINES: usize = 10;

/// Longest line that is looked at, in bytes; of the secret's own, as much to either side.
const LINE: usize = 400;

/// Longest value told, in bytes.
const LONGEST: usize = 100;

/// From this length on a user's name may not look random.
const RANDOM: usize = 16;

/// Ends of names, without separators, and what their values are. The longer of two that fit is the one.
const NAMES: [(&str, Facet); 22] = [
    ("username", Facet::User),
    ("userid", Facet::User),
    ("user", Facet::User),
    ("uid", Facet::User),
    ("login", Facet::User),
    ("email", Facet::User),
    ("hostname", Facet::Host),
    ("host", Facet::Host),
    ("server", Facet::Host),
    ("serveraddress", Facet::Host),
    ("endpoint", Facet::Host),
    ("baseurl", Facet::Host),
    ("url", Facet::Host),
    ("uri", Facet::Host),
    ("datasource", Facet::Host),
    ("database", Facet::Database),
    ("dbname", Facet::Database),
    ("clientid", Facet::ClientId),
    ("appid", Facet::ClientId),
    ("applicationid", Facet::ClientId),
    ("accountid", Facet::Account),
    ("account", Facet::Account),
];

/// Ends of names of secrets, without separators, the longest first.
const SECRETS: [&str; 20] = [
    "clientsecret",
    "consumersecret",
    "applicationsecret",
    "appsecret",
    "accesstoken",
    "authtoken",
    "apitoken",
    "secretkey",
    "apisecret",
    "passphrase",
    "userpassword",
    "password",
    "passwort",
    "passwd",
    "secret",
    "apikey",
    "token",
    "pass",
    "pwd",
    "key",
];

/// What stands beside `hit`; `is_clean` tells whether a range holds no piece of any match.
pub(super) fn beside(bytes: &[u8], hit: &Match, is_clean: impl Fn(Range<usize>) -> bool) -> Vec<Detail> {
    let secret = hit.secret_bytes(bytes);
    if hit.decoded.is_some() || hit.secret.end > bytes.len() {
        return Vec::new();
    }
    let mut found = Found { bytes, secret, is_clean, details: Vec::new() };
    if !found.in_url(hit) {
        found.in_lines(hit);
    }
    found.details.sort();
    found.details
}

struct Found<'a, F> {
    bytes: &'a [u8],
    secret: &'a [u8],
    is_clean: F,
    details: Vec<Detail>,
}

impl<F: Fn(Range<usize>) -> bool> Found<'_, F> {
    /// `scheme://user:SECRET@host`; false when it is no such place.
    fn in_url(&mut self, hit: &Match) -> bool {
        let (start, end) = (hit.secret.start, hit.secret.end);
        let from = start.saturating_sub(LINE);
        let left = &self.bytes[from..start];
        let Some(scheme) = memchr::memmem::rfind(left, b"://").map(|at| at + 3) else { return false };
        let ends = |b: &u8| b.is_ascii_whitespace() || b"\"'<>/@`".contains(b);
        if left[scheme..].last() != Some(&b':') || left[scheme..].iter().any(ends) {
            return false;
        }
        if self.bytes.get(end) != Some(&b'@') {
            return false;
        }
        self.take(Facet::User, from + scheme..start - 1);
        let right = &self.bytes[end + 1..self.bytes.len().min(end + 1 + LONGEST)];
        let stop = right.iter().position(|b| ends(b) || b"?#,;".contains(b)).unwrap_or(right.len());
        self.take(Facet::Host, end + 1..end + 1 + stop);
        true
    }

    /// Entries of the block the secret stands in, the nearest first.
    fn in_lines(&mut self, hit: &Match) {
        let (bytes, at) = (self.bytes, hit.secret.start);
        let low = at.saturating_sub(LINE);
        let start = memchr::memrchr(b'\n', &bytes[low..at]).map_or(low, |found| low + found + 1);
        let after = hit.secret.end;
        let high = bytes.len().min(after + LINE);
        let end = memchr::memchr(b'\n', &bytes[after..high]).map_or(high, |found| after + found);
        let Some(stem) = secret_stem(&bytes[start..at]) else { return };
        let indent = indent(&bytes[start..end]);
        self.read(start..end, &stem);
        let (mut up, mut down) = (Some(start), Some(end));
        if is_item(&bytes[start..end]) {
            up = None;
        }
        for _ in 0..LINES {
            up = up.and_then(|before| {
                let end = before.checked_sub(1)?;
                let low = end.saturating_sub(LINE);
                let start = match memchr::memrchr(b'\n', &bytes[low..end]) {
                    Some(found) => low + found + 1,
                    None if low == 0 => 0,
                    None => return None,
                };
                let line = &bytes[start..end];
                if is_border(line, indent) {
                    return None;
                }
                self.read(start..end, &stem);
                (!is_item(line)).then_some(start)
            });
            down = down.and_then(|before| {
                let start = before + 1;
                let high = bytes.len().min(start.checked_add(LINE)?);
                let rest = bytes.get(start..high)?;
                let end = match memchr::memchr(b'\n', rest) {
                    Some(found) => start + found,
                    None if high == bytes.len() => high,
                    None => return None,
                };
                if start == end || is_border(&bytes[start..end], indent) || is_item(&bytes[start..end]) {
                    return None;
                }
                self.read(start..end, &stem);
                Some(end)
            });
        }
    }

    /// Takes the entries of one line that belong to `stem`.
    fn read(&mut self, line: Range<usize>, stem: &str) {
        let text = &self.bytes[line.clone()];
        let whole = memchr::memmem::find(text, b"define(").is_some();
        let mut from = 0;
        for piece in text.split(|b| !whole && b",;&".contains(b)) {
            let at = line.start + from;
            from += piece.len() + 1;
            let Some((name, value)) = entry(piece, whole) else { continue };
            let name = plain(name);
            let fits = NAMES.iter().filter(|(ending, _)| name.ends_with(ending));
            let Some((ending, facet)) = fits.max_by_key(|(ending, _)| ending.len()) else { continue };
            if name[..name.len() - ending.len()] == *stem {
                self.take(*facet, at + value.start..at + value.end);
            }
        }
    }

    /// Takes a value, if it may be told.
    fn take(&mut self, facet: Facet, range: Range<usize>) {
        if self.details.iter().any(|detail| detail.facet == facet) || range.is_empty() {
            return;
        }
        let Some(value) = self.bytes.get(range.clone()) else { return };
        let value = if facet == Facet::Host { host_of(value) } else { value };
        if value.is_empty() || value.len() > LONGEST || !(self.is_clean)(range) {
            return;
        }
        let allowed: &[u8] = match facet {
            Facet::User => b"._@+-\\",
            Facet::Host => b".-:_[]",
            Facet::Database | Facet::ClientId | Facet::Account => b"._-",
        };
        let good = |b: &u8| b.is_ascii_alphanumeric() || allowed.contains(b);
        if !value.iter().all(good) || !value.iter().any(u8::is_ascii_alphanumeric) {
            return;
        }
        // NOTE: all of it is ASCII.
        let text = String::from_utf8_lossy(value).into_owned();
        if says_nothing(&text) || self.shares_secret(&text) || facet == Facet::User && is_random(&text) {
            return;
        }
        self.details.push(Detail { facet, value: text });
    }

    /// Whether telling `text` would tell of the secret.
    fn shares_secret(&self, text: &str) -> bool {
        let (text, secret) = (text.to_ascii_lowercase(), self.secret.to_ascii_lowercase());
        let text = text.as_bytes();
        text == secret
            || text.len() >= 3 && memchr::memmem::find(&secret, text).is_some()
            || secret.len() >= 3 && memchr::memmem::find(text, &secret).is_some()
    }
}

/// Whether a value is a word of a language or of the names themselves.
fn says_nothing(text: &str) -> bool {
    let plain = plain(text.as_bytes());
    let words =
        ["null", "none", "nil", "true", "false", "undefined", "string", "str", "name", "your", "self"];
    words.contains(&plain.as_str()) || NAMES.iter().any(|(name, _)| *name == plain) || text.starts_with("os.")
}

/// Whether a user's name could be a token.
fn is_random(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.len() >= RANDOM && plain && text.bytes().any(|b| b.is_ascii_digit())
}

/// The host in a value: of a URL, or all of it.
fn host_of(value: &[u8]) -> &[u8] {
    let Some(at) = memchr::memmem::find(value, b"://") else { return value };
    let rest = &value[at + 3..];
    let end = rest.iter().position(|b| b"/?#;".contains(b)).unwrap_or(rest.len());
    let rest = &rest[..end];
    match memchr::memrchr(b'@', rest) {
        Some(at) => &rest[at + 1..],
        None => rest,
    }
}

/// Letters and digits of a name, in lower case.
fn plain(name: &[u8]) -> String {
    name.iter().filter(|b| b.is_ascii_alphanumeric()).map(|b| char::from(b.to_ascii_lowercase())).collect()
}

/// What a name of a secret, at the end of `left`, starts with; none when it is no such name.
fn secret_stem(left: &[u8]) -> Option<String> {
    let cut = left.iter().rposition(|b| name_byte(*b))? + 1;
    let from = left[..cut].iter().rposition(|b| !name_byte(*b)).map_or(0, |at| at + 1);
    let name = plain(&left[from..cut]);
    let ending = SECRETS.into_iter().find(|ending| name.ends_with(ending))?;
    Some(name[..name.len() - ending.len()].to_owned())
}

const fn name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
}

/// Name and place of the value of an entry: `name = value`, `"name": "value"`, `<name>value</name>`.
fn entry(text: &[u8], comma: bool) -> Option<(&[u8], Range<usize>)> {
    let separator = |b: &u8| if comma { *b == b',' } else { b"=:>".contains(b) };
    let at = text.iter().position(separator)?;
    let cut = text[..at].iter().rposition(|b| name_byte(*b))? + 1;
    let from = text[..cut].iter().rposition(|b| !name_byte(*b)).map_or(0, |found| found + 1);
    // `User Id=…`: connection strings write names with blanks.
    let wide = text[..from].trim_ascii_end();
    let is_user = wide.len() >= 4 && wide[wide.len() - 4..].eq_ignore_ascii_case(b"user");
    let from = if is_user && wide.len() < from { wide.len() - 4 } else { from };
    let skip = |b: &u8| b.is_ascii_whitespace() || b"=>:,'\"(".contains(b);
    let start = at + text[at..].iter().position(|b| !skip(b))?;
    let stop = |b: &u8| b.is_ascii_whitespace() || b"'\"<,;)}`".contains(b);
    let end = start + text[start..].iter().position(stop).unwrap_or(text.len() - start);
    Some((&text[from..cut], start..end))
}

/// Blanks a line starts with; a list's dash counts as one.
fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'-')).count()
}

/// Whether a line begins a new item of a list.
fn is_item(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"- ")
}

/// Whether a block ends at a line: blank, a section's head, or less indented.
fn is_border(line: &[u8], depth: usize) -> bool {
    let text = line.trim_ascii();
    text.is_empty() || text.starts_with(b"[") || indent(line) < depth
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::testing::{PASSWORD, hits};

    /// What is told of the first place of `secret` in `text`.
    fn told(text: &str, secret: &str) -> Vec<(&'static str, String)> {
        let hit = hits(text.as_bytes(), PASSWORD, secret).remove(0);
        let clean = |range: Range<usize>| range.end <= hit.secret.start || hit.secret.end <= range.start;
        let details = beside(text.as_bytes(), &hit, clean);
        details.into_iter().map(|detail| (detail.facet.as_str(), detail.value)).collect()
    }

    fn user_and_host(user: &str, host: &str) -> Vec<(&'static str, String)> {
        vec![("user", user.to_owned()), ("host", host.to_owned())]
    }

    #[test]
    fn the_common_forms_are_read() {
        let expected = user_and_host("admin", "db.example.org");
        for text in [
            "host: db.example.org\nuser: admin\npassword: Kx7mQp2w\n",
            "  password: Kx7mQp2w\n  username: admin\n  host: 'db.example.org'\n",
            "DB_HOST=db.example.org\nMAIL_HOST=mail.example.org\nDB_USER=admin\nDB_PASSWORD=Kx7mQp2w\n",
            "{\"host\": \"db.example.org\", \"user\": \"admin\", \"password\": \"Kx7mQp2w\"}",
            "Server=db.example.org;User Id=admin;Password=Kx7mQp2w;",
            concat!(
                "define( 'DB_USER', 'admin' );\ndefine( 'DB_PASS",
                "WORD', 'Kx7mQp2w' );\ndefine( 'DB_HOST', 'db.example.org' );"
            ),
            "<host>db.example.org</host>\n<user>admin</user>\n<password>Kx7mQp2w</password>",
            "url: https://db.example.org/path\nlogin: admin\npassword: Kx7mQp2w",
            "postgres://admin:Kx7mQp2w@db.example.org/app",
            "connect(host='db.example.org', user='admin', password='Kx7mQp2w')",
        ] {
            assert_eq!(told(text, "Kx7mQp2w"), expected, "{text}");
        }
    }

    #[test]
    fn entries_of_others_are_not_taken() {
        for text in [
            "MAIL_USER=admin\nDB_PASSWORD=Kx7mQp2w",
            "user: admin\n\npassword: Kx7mQp2w",
            "user = admin\n[other]\npassword = Kx7mQp2w",
            "- password: Kx7mQp2w\n- user: admin\n",
            "one:\n  user: admin\ntwo:\n  password: Kx7mQp2w\n",
        ] {
            assert!(told(text, "Kx7mQp2w").is_empty(), "{text}");
        }
    }

    #[test]
    fn what_could_be_secret_or_act_is_not_told() {
        let token = ["q8Zt2mW4vR", "7yL1pK9sXd"].concat();
        for user in
            ["Kx7mQp2w", "kx7mqp2w", "xKx7mQp2wx", "mqp", &token, "a\u{1b}[31m", "${USER}", "null", ""]
        {
            let text = format!("user: {user}\npassword: Kx7mQp2w\n");
            assert!(told(&text, "Kx7mQp2w").is_empty(), "{user}");
        }
        let long = format!("user: {}\npassword: Kx7mQp2w", "a".repeat(LONGEST + 1));
        assert!(told(&long, "Kx7mQp2w").is_empty());
    }

    #[test]
    fn the_nearest_counts_and_edges_do_not_matter() {
        assert_eq!(
            told("user: far\nuser: near\npassword: Kx7mQp2w", "Kx7mQp2w"),
            [("user", "near".to_owned())]
        );
        for text in ["Kx7mQp2w", "password=Kx7mQp2w", "\nKx7mQp2w\n", ":Kx7mQp2w@"] {
            assert!(told(text, "Kx7mQp2w").is_empty(), "{text}");
        }
        let far = format!("password: Kx7mQp2w\n{}user: admin\n", "x: y\n".repeat(LINES));
        assert!(told(&far, "Kx7mQp2w").is_empty());
    }
}
