//! Passwords in key-value connection strings: ADO.NET, ODBC, JDBC (`;` between the pairs) and
//! libpq (blanks between the pairs).
//!
//! `password=` alone is an assignment and served elsewhere; here another key of such strings
//! must stand in a pair on the same line, within 300 bytes.

use crate::finding::Span;

use super::value::{is_documentation_host, judge};
use super::{Hit, blanks, run, word_at};

/// How far away the other key may stand.
const NEAR: usize = 300;

/// Longest password.
const MAX_PASSWORD: usize = 256;

/// Keys that make a line a connection string; `host`s first.
const KEYS: [&[u8]; 24] = [
    b"server",
    b"data source",
    b"datasource",
    b"host",
    b"hostname",
    b"hostaddr",
    b"address",
    b"addr",
    b"network address",
    b"endpoint",
    b"uid",
    b"user",
    b"user id",
    b"userid",
    b"username",
    b"user name",
    b"database",
    b"dbname",
    b"initial catalog",
    b"port",
    b"driver",
    b"dsn",
    b"account",
    b"persist security info",
];

/// How many of [`KEYS`] name a host.
const HOST_KEYS: usize = 10;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    let name = if word_at(bytes, at, b"password") { 8 } else { 3 };
    let equals = at + name + blanks(bytes, at + name);
    if bytes.get(equals) != Some(&b'=') || bytes.get(equals + 1) == Some(&b'=') {
        return None;
    }
    let line = line_around(bytes, at);
    let style = style(bytes, at, line)?;
    let (secret, end) = value(bytes, equals + 1, line.end, style)?;
    let spaced_code = equals > at + name && secret.of(bytes).iter().any(|b| b"()[]".contains(b));
    if secret.len() < 3 || spaced_code || is_expression(secret.of(bytes)) {
        return None;
    }
    let pairs = Pairs { bytes, line, style };
    let hosts = pairs.find_other_key(at, end)?;
    let mut hit = Hit::new(Span::new(at, end), secret);
    hit.lowered = hosts.is_some_and(|host| is_documentation_host(host.of(bytes)));
    hit.judged_password(judge(secret.of(bytes)), secret.of(bytes))
}

/// `options.password`, `getPassword(url)`: the right side of a statement.
fn is_expression(value: &[u8]) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let call = value.iter().position(|&b| b == b'(').filter(|_| value.ends_with(b")"));
    let name = &value[..call.unwrap_or(value.len())];
    let member = name.rsplit(|&b| b == b'.').next().unwrap_or(name).to_ascii_lowercase();
    let chain = name.contains(&b'.') && (member.ends_with(b"password") || member.ends_with(b"pwd"));
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|&b| word(b) || b == b'.')
        && (chain || call.is_some_and(|at| at > 0))
}

/// What separates the pairs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Semicolon,
    Blank,
}

impl Style {
    fn separates(self, byte: u8) -> bool {
        match self {
            Self::Semicolon => byte == b';',
            Self::Blank => matches!(byte, b' ' | b'\t'),
        }
    }
}

/// The line around `at`, cut to [`NEAR`] bytes on the left and that plus a password on the right.
fn line_around(bytes: &[u8], at: usize) -> Span {
    let left = &bytes[at.saturating_sub(NEAR)..at];
    let start = at - left.iter().rev().take_while(|&&b| b != b'\n').count();
    Span::new(start, at + run(bytes, at, NEAR + MAX_PASSWORD, |b| b != b'\n'))
}

/// Told from what stands before the key, or at the start of a string from what follows it.
fn style(bytes: &[u8], at: usize, line: Span) -> Option<Style> {
    let before = &bytes[line.start..at];
    let trimmed = before.trim_ascii_end();
    match trimmed.last() {
        Some(b';') => Some(Style::Semicolon),
        Some(b'"' | b'\'' | b'`' | b'=' | b'>' | b':') | None => {
            let right = &bytes[at..line.end];
            let next = right.iter().position(|b| matches!(b, b';' | b' '))?;
            // `password = x; …` has a blank before its value.
            if right[..next].contains(&b'=') && right[next] == b' ' && !right[..next].ends_with(b"=") {
                Some(Style::Blank)
            } else {
                right.contains(&b';').then_some(Style::Semicolon)
            }
        }
        Some(b',') => None,
        Some(_) => (before.len() > trimmed.len()).then_some(Style::Blank),
    }
}

/// The value behind the `=`, and where its quotes or it end.
fn value(bytes: &[u8], from: usize, limit: usize, style: Style) -> Option<(Span, usize)> {
    let start = from + blanks(bytes, from);
    let limit = limit.min(start + MAX_PASSWORD);
    let line = bytes.get(start..limit)?;
    let close = match line.first()? {
        b'{' => Some(b'}'),
        quote @ (b'"' | b'\'') => Some(*quote),
        _ => None,
    };
    if let Some(close) = close {
        let length = line[1..].iter().position(|&b| b == close)?;
        // `{name}` is a format string's argument far more often than an ODBC brace.
        let is_name = line[1..=length].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let braced = close == b'}';
        if length == 0 || braced && (is_name || line[1] == b'{') || is_joint(&line[1..=length]) {
            return None;
        }
        return Some((Span::new(start + 1, start + 1 + length), start + length + 2));
    }
    let ends = |b: u8| style.separates(b) || b";\"'`<>\\\r".contains(&b);
    let length = run(line, 0, line.len(), |b| !ends(b));
    let value = line[..length].trim_ascii_end();
    // The query of a URL in XML: `…&amp;password=x&amp;ssl=true`.
    let value = value.strip_suffix(b"&amp").unwrap_or(value);
    if value.is_empty() || value.contains(&b' ') && value.contains(&b'=') {
        return None;
    }
    let secret = Span::new(start, start + value.len());
    Some((secret, secret.end))
}

/// Whether text between two quotes is code that joins two strings: `" + pw + "`.
fn is_joint(text: &[u8]) -> bool {
    let blank = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t'));
    let joins = |b: Option<&u8>| matches!(b, Some(b'+' | b'&' | b'.'));
    blank(text.first()) || blank(text.last()) || joins(text.first()) && joins(text.last())
}

struct Pairs<'a> {
    bytes: &'a [u8],
    line: Span,
    style: Style,
}

impl Pairs<'_> {
    /// Whether another known key stands left of `at` or right of `end`; the value of the first
    /// that names a host, if one does.
    fn find_other_key(&self, at: usize, end: usize) -> Option<Option<Span>> {
        let mut found = false;
        let mut host = None;
        let right = Span::new(end, self.line.end.min(end + NEAR));
        for place in (self.line.start..at).chain(right.start..right.end) {
            if !self.is_key_start(place) {
                continue;
            }
            let Some((index, equals)) = self.key_at(place) else { continue };
            found = true;
            if host.is_none() && index < HOST_KEYS {
                let start = equals + 1 + blanks(self.bytes, equals + 1);
                let length = run(self.bytes, start, 255, |b| {
                    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')
                });
                host = Some(Span::new(start, start + length));
            }
        }
        found.then_some(host)
    }

    fn is_key_start(&self, place: usize) -> bool {
        let before = self.bytes[self.line.start..place].iter().rev().take(8);
        let Some(&byte) = before.clone().next() else { return true };
        let mut before = before.skip_while(|b| matches!(b, b' ' | b'\t'));
        match self.style {
            Style::Semicolon => before.next().is_none_or(|b| b";\"'`=>:/?".contains(b)),
            Style::Blank => matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'=' | b'>' | b':'),
        }
    }

    /// The known key that starts at `place`, and its `=`.
    fn key_at(&self, place: usize) -> Option<(usize, usize)> {
        KEYS.iter().enumerate().find_map(|(index, key)| {
            let after = place + key.len();
            let equals = word_at(self.bytes, place, key).then(|| after + blanks(self.bytes, after))?;
            (self.bytes.get(equals) == Some(&b'=') && self.bytes.get(equals + 1) != Some(&b'='))
                .then_some((index, equals))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, hits, ignores, text};
    use crate::rule::format::Format::ConnectionString;

    #[test]
    fn strings_of_every_driver() {
        let pw = text("${alnum:14}");
        let forms = [
            format!("Server=db1.acme.io;Database=x;User Id=app;Password={pw};"),
            format!("\"Data Source=db1;Initial Catalog=x;User ID=app;Password={pw}\""),
            format!("connectionString=\"Password={pw};Server=db1\""),
            format!("Driver={{ODBC Driver 17}};Server=db1;Uid=app;Pwd={pw};"),
            format!("Server = db1; Uid = app; Pwd = {pw};"),
            format!(
                "<jdbc-url>jdbc:mysql://db1:3306/x?user=app&amp;password={pw}&amp;useSSL=true</jdbc-url>"
            ),
            format!("jdbc:sqlserver://db1:1433;user=app;password={pw};encrypt=true"),
            format!("host=db1 port=5432 user=app password={pw} dbname=x"),
            format!("\"host=db1 user=app password={pw}\""),
            format!("'password={pw} host=db1'"),
            format!("host=db1 user=app password='{pw}' sslmode=require"),
            format!("<add connectionString='Server=db1;Password={pw}' />"),
        ];
        for form in forms {
            finds(ConnectionString, &[], &form, &pw);
        }
        finds(ConnectionString, &[], &format!("Server=db1;Uid=app;Pwd={{{pw};x= 9}}"), &format!("{pw};x= 9"));
        finds(ConnectionString, &[], &format!("Server=db1;Uid=app;Pwd={pw} two;X=1"), &format!("{pw} two"));
    }

    #[test]
    fn assignments_and_code_are_left_to_others() {
        let pw = text("${alnum:14}");
        let forms = [
            format!("password={pw}"),
            format!("password={pw};"),
            format!("password = \"{pw}\"\nhost = \"db1\""),
            format!("connect(host=\"db1\", user=\"app\", password=\"{pw}\")"),
            format!("mysql --user=app --password={pw} --host=db1"),
            format!("https://h.acme.io/?user=app&password={pw}"),
            "string password = x; int port = 5".to_owned(),
            "if (password == other; host=db1) ".to_owned(),
            "Server=db1;Password=${PW};".to_owned(),
            "Server=db1;Password={0};Uid=app".to_owned(),
            "Server=db1;Password={password};Uid=app".to_owned(),
            "Server=db1;Password=;Uid=app".to_owned(),
            "\"Server=db1;Password=\" + pw + \";Uid=app\"".to_owned(),
            "\"Server=db1;Password=\"+pw+\";Uid=app\"".to_owned(),
            "host=db1 password=%s user=app".to_owned(),
            "server=db1; password = getPassword(); x".to_owned(),
        ];
        for form in forms {
            ignores(ConnectionString, &[], &form);
        }
        let far = format!("Server=db1;{}Password={pw};", "x=1;".repeat(100));
        ignores(ConnectionString, &[], &far);
    }

    #[test]
    fn stand_ins_and_local_hosts() {
        doubts(ConnectionString, &[], "Server=db1;Uid=app;Pwd=myPassword;");
        doubts(ConnectionString, &[], "host=db1 user=postgres password=changeme");
        let local = text("Server=localhost;Uid=app;Pwd=${alnum:12};");
        assert!(hits(ConnectionString, &[], local.as_bytes())[0].lowered);
    }
}
