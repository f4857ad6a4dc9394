//! Passwords in URLs: `scheme://user:password@host`.
//!
//! The authority ends at the first blank, quote, angle bracket, backslash, `/`, `?` or `#`;
//! the last `@` in it separates the host, the first `:` the password. The user may be empty.
//! A password that is written with one of those characters unescaped is not found.

use std::borrow::Cow;

use crate::finding::Span;

use super::value::{Verdict, is_documentation_host, judge, percent_decoded};
use super::{Hit, run};

/// Longest scheme, and the longest that is looked for.
const MAX_SCHEME: usize = 30;

/// Longest `user:password`.
const MAX_USERINFO: usize = 512;

/// Longest host.
const MAX_HOST: usize = 255;

/// Shortest password.
const MIN_PASSWORD: usize = 3;

pub(super) fn verify(labels: &[Cow<'static, str>], bytes: &[u8], at: usize) -> Option<Hit> {
    let scheme = scheme_start(bytes, at)?;
    let is_wanted =
        |label: &Cow<'static, str>| label == "*" || bytes[scheme..at].eq_ignore_ascii_case(label.as_bytes());
    if !labels.iter().any(is_wanted) {
        return None;
    }
    let user_start = at + 3;
    let length = run(bytes, user_start, MAX_USERINFO + MAX_HOST, |b| !ends_authority(b));
    let authority = &bytes[user_start..user_start + length];
    let sign = authority.iter().rposition(|&b| b == b'@')?;
    let colon = authority[..sign].iter().position(|&b| b == b':')?;
    let (user, password) = (&authority[..colon], &authority[colon + 1..sign]);
    if sign > MAX_USERINFO || user.iter().any(|b| b"*()[]|^".contains(b)) {
        return None;
    }
    let host_length =
        run(authority, sign + 1, MAX_HOST, |b| b.is_ascii_alphanumeric() || b".-_[".contains(&b));
    let host = &authority[sign + 1..sign + 1 + host_length];
    let span = Span::new(scheme, user_start + sign + 1 + host_length);
    let password_start = user_start + colon + 1;
    // GitHub's way to send a token: it is the user, and the password is this word.
    if password == b"x-oauth-basic" {
        return (user.len() >= 16)
            .then(|| Hit::new(span, Span::new(user_start, user_start + colon)))?
            .judged(judge(user));
    }
    if password.len() < MIN_PASSWORD || is_port_with_properties(password) {
        return None;
    }
    let hit = Hit::new(span, Span::new(password_start, user_start + sign));
    let decoded = percent_decoded(password);
    let verdict = match judge(password) {
        Verdict::Real => judge(&decoded),
        written @ (Verdict::NoSecret | Verdict::Placeholder) => written,
    };
    let mut hit = hit.judged(verdict)?;
    let repeats_user = user == password || user == decoded;
    // A short host is a name in a compose file, where such passwords are defaults; on a server
    // with a full name they are somebody's weak choice.
    if repeats_user && (!host.contains(&b'.') || is_documentation_host(host)) {
        hit = hit.low();
    }
    hit.lowered = is_documentation_host(host);
    Some(hit)
}

/// Whether the authority behind the `://` at `at` has a user part at all.
pub(super) fn has_userinfo(bytes: &[u8], at: usize) -> bool {
    let length = run(bytes, at + 3, MAX_USERINFO + MAX_HOST, |b| !ends_authority(b));
    memchr::memchr(b'@', &bytes[(at + 3).min(bytes.len())..][..length]).is_some()
}

fn ends_authority(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || b"\"'`<>\\/?#".contains(&byte)
}

/// Where the scheme in front of `at` starts: a letter, then letters, digits and `+ . -`.
fn scheme_start(bytes: &[u8], at: usize) -> Option<usize> {
    let left = &bytes[at.saturating_sub(MAX_SCHEME)..at];
    let is_scheme = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-');
    let length = left.iter().rev().take_while(|b| is_scheme(b)).count();
    let run = &left[left.len() - length..];
    let skipped = run.iter().position(u8::is_ascii_alphabetic)?;
    (length - skipped >= 2).then_some(at - (length - skipped))
}

/// `1433;user=sa;password=p@…`: what looks like a password is the port, and the sign is in a value.
fn is_port_with_properties(password: &[u8]) -> bool {
    let port = password.iter().take_while(|b| b.is_ascii_digit()).count();
    port > 0 && password.get(port) == Some(&b';') && password[port..].contains(&b'=')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, hits, ignores, text};
    use crate::finding::Confidence;
    use crate::rule::format::Format::UriUserinfo;

    const ANY: &[&str] = &["*"];

    #[test]
    fn passwords_in_urls() {
        let password = text("${alnum:16}");
        let forms = [
            format!("https://deploy:{password}@git.acme.io/a.git"),
            format!("DATABASE_URL=postgres://app:{password}@db.acme.io:5432/x?ssl=1"),
            format!("redis://:{password}@cache.acme.io"),
            format!("\"jdbc:mysql://app:{password}@db1/x\""),
            format!("'mongodb+srv://app:{password}@c0.acme.io,c1.acme.io/x'"),
            format!("<amqp://app:{password}@mq>"),
            format!("mysql://app:{password}@tcp(db:3306)/x"),
            format!("smtp://me%40acme.io:{password}@mail.acme.io"),
        ];
        for form in forms {
            finds(UriUserinfo, ANY, &form, &password);
        }
        let odd = text("p@${alnum:4}:9x");
        finds(UriUserinfo, ANY, &format!("ftp://u:{odd}@h.acme.io"), &odd);
        let token = text("${alnum:40}");
        finds(UriUserinfo, ANY, &format!("https://{token}:x-oauth-basic@git.acme.io/x"), &token);
    }

    #[test]
    fn labels_choose_schemes() {
        let url = text("postgresql://app:${alnum:16}@db.acme.io");
        assert_eq!(hits(UriUserinfo, &["postgres", "postgresql"], url.as_bytes()).len(), 1);
        assert_eq!(hits(UriUserinfo, &["POSTGRESQL"], url.as_bytes()).len(), 1);
        ignores(UriUserinfo, &["mysql"], &url);
        ignores(UriUserinfo, &[], &url);
    }

    #[test]
    fn passwords_that_repeat_the_user() {
        let level = |host: &str| {
            let word = text("${lower:9}");
            hits(UriUserinfo, ANY, format!("mongodb://{word}:{word}@{host}/x").as_bytes())[0]
                .confidence_under(Confidence::High)
        };
        assert_eq!(level("c0.x1y2.acme.net"), Confidence::High);
        assert_eq!((level("mongo"), level("localhost")), (Confidence::Low, Confidence::Low));
    }

    #[test]
    fn templates_ports_and_paths_are_no_passwords() {
        let texts = [
            "http://localhost:8080/a@b",
            "https://git@git.acme.io/x",
            "https://acme.io/a:b@c",
            "postgres://app:${PW}@db",
            "postgres://app:{{pw}}@db",
            "postgres://app:<password>@db",
            "postgres://%s:%s@db",
            "postgres://{user}:{password}@db",
            "postgres://app:$PW@db",
            "postgres://app:****@db",
            "postgres://app:xxxxx@db",
            "postgres://app:%(pw)s@db",
            "postgres://app:#{pw}@db",
            "\"postgres://\" + user + \":\" + pw + \"@db\"",
            "://[^:]+:([^@]+)@",
            "://app:kx93mvq@db",
            "https://app:\nkx93mvq@db",
            "https://app:@db",
            "https://app:kx93mvq",
        ];
        for text in texts {
            ignores(UriUserinfo, ANY, text);
        }
        ignores(UriUserinfo, ANY, &format!("https://app:{}@db", "a1b2".repeat(200)));
    }

    #[test]
    fn stand_ins_are_placeholders() {
        for text in
            ["ftp://user:password@host", "postgres://app:secret@db.acme.io", "http://u:p%61ssword@h.acme.io"]
        {
            doubts(UriUserinfo, ANY, text);
        }
    }

    #[test]
    fn weak_places_lower_the_confidence() {
        let same = hits(UriUserinfo, ANY, b"amqp://rabbitmq:rabbitmq@mq");
        assert_eq!((same[0].confidence, same[0].placeholder), (Some(Confidence::Low), false));
        for host in ["localhost:5432", "db.example.com", "x.invalid", "127.0.0.1"] {
            let hits =
                hits(UriUserinfo, ANY, text(&format!("postgres://app:${{alnum:12}}@{host}/x")).as_bytes());
            assert!(hits[0].lowered, "{host}");
            assert_eq!(hits[0].confidence_under(Confidence::High), Confidence::Medium);
        }
    }
}
