//! Keys and passwords in URL query strings: `?api_key=…`, `&token=…`.
//!
//! Keys must look random (16 characters, letters and digits, not words); passwords only must
//! not be stand-ins.

use crate::finding::Span;

use super::value::{is_wordy, judge, percent_decoded};
use super::{Hit, run};

/// Longest value.
const MAX_VALUE: usize = 2 * 1024;

/// Shortest key or token.
const MIN_KEY: usize = 16;

/// Shortest password.
const MIN_PASSWORD: usize = 4;

/// Parameters whose value is a password; every other trigger names a key.
const PASSWORDS: [&[u8]; 3] = [b"password", b"passwd", b"pwd"];

/// Every parameter that is served.
const KEYS: [&[u8]; 11] = [
    b"key",
    b"api_key",
    b"apikey",
    b"token",
    b"access_token",
    b"auth_token",
    b"private_token",
    b"access_key",
    b"secret",
    b"client_secret",
    b"sig",
];

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    // In a URL, or at the start of a string that is added to one.
    let before = at.checked_sub(1).map(|i| bytes[i]);
    if !before.is_none_or(|b| b.is_ascii_alphanumeric() || b"/_.=%+}-~\"'`".contains(&b)) {
        return None;
    }
    let name_length = run(bytes, at + 1, 16, |b| b != b'=');
    let name = bytes[at + 1..at + 1 + name_length].to_ascii_lowercase();
    let is_password = PASSWORDS.contains(&name.as_slice());
    if !is_password && !KEYS.contains(&name.as_slice()) {
        return None;
    }
    let start = at + 2 + name_length;
    let in_value = |b: u8| b.is_ascii_alphanumeric() || b"._~%+/=:@!$*-{}()<".contains(&b);
    let length = run(bytes, start, MAX_VALUE, in_value);
    let value = bytes.get(start..start + length)?;
    // The end of a sentence or of brackets around the URL.
    let kept = value.iter().rposition(|b| !b".,:)".contains(b)).map_or(0, |last| last + 1);
    let value = if value.ends_with(b"...") { value } else { &value[..kept] };
    let decoded = percent_decoded(value);
    let fits = if is_password { value.len() >= MIN_PASSWORD } else { is_key(&decoded) };
    if !fits {
        return None;
    }
    let secret = Span::new(start, start + value.len());
    let hit = Hit::new(Span::new(at, secret.end), secret).judged(judge(&decoded))?;
    // Names of stored objects and of their public links far more often than keys.
    Some(if !is_password && is_uuid(&decoded) { hit.low() } else { hit })
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

fn is_key(value: &[u8]) -> bool {
    let letters = value.iter().any(u8::is_ascii_alphabetic);
    let digits = value.iter().any(u8::is_ascii_digit);
    value.len() >= MIN_KEY && letters && digits && !is_wordy(value) && !value.contains(&b'(')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, ignores, text};
    use crate::rule::format::Format::UrlQuery;

    #[test]
    fn keys_and_passwords_in_urls() {
        let key = text("${alnum:32}");
        let names =
            ["key", "api_key", "apikey", "token", "access_token", "auth_token", "private_token", "secret"];
        for name in names {
            finds(UrlQuery, &[], &format!("https://h.acme.io/x?{name}={key}&b=1"), &key);
            finds(UrlQuery, &[], &format!("GET /x?a=1&{}={key} HTTP/1.1", name.to_uppercase()), &key);
        }
        finds(UrlQuery, &[], &format!("url + \"?token={key}\""), &key);
        finds(UrlQuery, &[], &format!("(https://h.acme.io/x?token={key})."), &key);
        let signature = text("${base64:40}%2B${base64:2}%3D");
        finds(UrlQuery, &[], &format!("https://s.acme.io/c?sv=2020&sig={signature}"), &signature);
        let short = text("${alnum:8}");
        finds(UrlQuery, &[], &format!("https://h.acme.io/login?user=a&password={short}"), &short);
    }

    #[test]
    fn ids_of_public_links_are_doubtful() {
        let id = text("${lowerhex:8}-${lowerhex:4}-${lowerhex:4}-${lowerhex:4}-${lowerhex:12}");
        let hits = super::super::tests::hits(
            UrlQuery,
            &[],
            format!("https://h.acme.io/o/a.jpg?token={id}").as_bytes(),
        );
        assert_eq!(hits[0].confidence, Some(crate::finding::Confidence::Low));
    }

    #[test]
    fn code_words_and_templates() {
        let key = text("${alnum:32}");
        let texts = [
            "https://h/x?key=value".to_owned(),
            "https://h/x?token=${TOKEN}".to_owned(),
            "https://h/x?token={token_1234567890ab}".to_owned(),
            "https://h/x?token=<your-token-1234>".to_owned(),
            "https://h/x?token=$TOKEN".to_owned(),
            "https://h/x?api_key=YOUR_API_KEY_GOES_HERE".to_owned(),
            "https://h/x?key=some-long-article-name-2020".to_owned(),
            "\"&password=\" + password".to_owned(),
            "?password=%s".to_owned(),
            format!("f(a, &key={key})"),
            format!("https://h/x?monkey={key}"),
            "https://h/x?token=1234567890123456".to_owned(),
        ];
        for text in texts {
            ignores(UrlQuery, &[], &text);
        }
        doubts(UrlQuery, &[], "https://h/login?user=a&password=password123");
        doubts(UrlQuery, &[], "https://h/x?token=your_token_a1b2c3");
    }
}
