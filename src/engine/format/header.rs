//! Credentials in HTTP authorization headers, wherever header text is written: requests,
//! curl commands, JSON and code.
//!
//! `Basic` must decode to `user:password`. `Bearer`, and behind the word `Authorization` the
//! rarer schemes, must be followed by 16 or more characters that do not read as words.

use crate::finding::Span;

use super::docker::{encoded_at, judge_user_password};
use super::value::{is_wordy, judge};
use super::{Hit, at_word_start, blanks, run, word_at};

/// Shortest token.
const MIN_TOKEN: usize = 16;

/// Longest token: web tokens with many claims reach some kilobytes.
const MAX_TOKEN: usize = 8 * 1024;

/// Scheme words behind `Authorization`, besides those with a trigger of their own.
const SCHEMES: [&[u8]; 10] = [
    b"token",
    b"apikey",
    b"api-key",
    b"api_key",
    b"key",
    b"bot",
    b"oauth",
    b"ssws",
    b"geniekey",
    b"apitoken",
];

/// `Basic BASE64`.
pub(super) fn basic(bytes: &[u8], at: usize) -> Option<Hit> {
    if !at_word_start(bytes, at) {
        return None;
    }
    let start = value_start(bytes, at + b"basic".len());
    let secret = encoded_at(bytes, start)?;
    let verdict = judge_user_password(secret.of(bytes))?;
    Hit::new(Span::new(at, secret.end), secret).judged(verdict)
}

/// `Bearer TOKEN`, `Authorization: token TOKEN`.
pub(super) fn bearer(bytes: &[u8], at: usize) -> Option<Hit> {
    let scheme_end = if word_at(bytes, at, b"bearer ") {
        at_word_start(bytes, at).then_some(at + b"bearer".len())?
    } else {
        scheme_end(bytes, at)?
    };
    let start = value_start(bytes, scheme_end);
    let body = run(bytes, start, MAX_TOKEN, |b| b.is_ascii_alphanumeric() || b"+/._~-".contains(&b));
    let padding = run(bytes, start + body, 2, |b| b == b'=');
    let token = &bytes[start..start + body + padding];
    // The end of a sentence belongs to the sentence, three dots to the token.
    let token = if token.ends_with(b"...") { token } else { token.trim_ascii_end_matches(b'.') };
    let is_random = token.iter().any(u8::is_ascii_digit) && !is_wordy(token);
    if token.len() < MIN_TOKEN || !is_random {
        return None;
    }
    let secret = Span::new(start, start + token.len());
    Hit::new(Span::new(at, secret.end), secret).judged(judge(token))
}

/// End of the scheme word of `Authorization: SCHEME `, quotes and `=` allowed between.
fn scheme_end(bytes: &[u8], at: usize) -> Option<usize> {
    let name_end = at + b"authorization".len();
    if !word_at(bytes, at, b"authorization") {
        return None;
    }
    let between = run(bytes, name_end, 12, |b| b" \t\"'`:=>,]\\(".contains(&b));
    let word = name_end + between;
    if between == 0 {
        return None;
    }
    SCHEMES.iter().find_map(|scheme| {
        let end = word + scheme.len();
        (word_at(bytes, word, scheme) && matches!(bytes.get(end), Some(b' ' | b'='))).then_some(end)
    })
}

/// Start of the value behind a scheme word: behind blanks, `token=`, and the end of one string
/// constant and the start of the next (`"Bearer " + "…"`).
fn value_start(bytes: &[u8], from: usize) -> usize {
    let mut at = from + blanks(bytes, from);
    if word_at(bytes, at, b"token=") {
        at += b"token=".len();
    } else if bytes.get(at) == Some(&b'=') {
        at += 1;
    }
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(at) {
        at += 1;
        let joint = run(bytes, at, 8, |b| b" \t+.,".contains(&b));
        if joint > 0 && bytes.get(at + joint) == Some(quote) {
            at += joint + 1;
        }
    }
    at
}

trait TrimMatches {
    fn trim_ascii_end_matches(&self, byte: u8) -> &Self;
}

impl TrimMatches for [u8] {
    fn trim_ascii_end_matches(&self, byte: u8) -> &Self {
        &self[..self.iter().rposition(|&b| b != byte).map_or(0, |last| last + 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, ignores, text};
    use crate::rule::format::Format::{BasicAuthHeader, BearerHeader};

    #[test]
    fn basic_headers() {
        let encoded = text("${b64:deploy:${alnum:15}}");
        let forms = [
            format!("Authorization: Basic {encoded}"),
            format!("\"Authorization\": \"Basic {encoded}\","),
            format!("curl -H 'authorization: basic {encoded}' https://h"),
            format!("h[\"Authorization\"] = \"Basic \" + \"{encoded}\""),
            format!("{{\\\"Authorization\\\":\\\"Basic {encoded}\\\"}}"),
        ];
        for form in forms {
            finds(BasicAuthHeader, &[], &form, &encoded);
        }
    }

    #[test]
    fn basic_in_prose() {
        let texts = [
            "Basic authentication is required".to_owned(),
            "basic configuration".to_owned(),
            text("Basic ${alnum:40}"),
            text("Basic ${b64:nothing to see here}"),
            "Basic ${CREDENTIALS}".to_owned(),
            text("nonbasic ${b64:deploy:${alnum:15}}"),
        ];
        for text in texts {
            ignores(BasicAuthHeader, &[], &text);
        }
        doubts(BasicAuthHeader, &[], &text("Basic ${b64:user:password}"));
        doubts(BasicAuthHeader, &[], &text("Basic ${b64:Aladdin:open sesame}"));
    }

    #[test]
    fn bearer_headers() {
        for token in [text("${alnum:32}"), text("${jwt}"), text("${uuid}"), text("${base64url:43}=")] {
            let forms = [
                format!("Authorization: Bearer {token}"),
                format!("\"Authorization\": \"Bearer {token}\""),
                format!("curl -H \"Authorization: bearer {token}\" https://h"),
                format!("headers = {{'X-Auth': 'Bearer ' + '{token}'}}"),
                format!("Authorization: token {token}"),
                format!("'authorization' => 'Token token=\"{token}\"'"),
                format!("authorization: ApiKey {token}\n"),
            ];
            for form in forms {
                finds(BearerHeader, &[], &form, &token);
            }
            finds(BearerHeader, &[], &format!("Use Bearer {token}."), &token);
        }
    }

    #[test]
    fn bearer_in_prose_and_templates() {
        let texts = [
            "Authorization: Bearer <token>",
            "Authorization: Bearer ${TOKEN}",
            "Authorization: Bearer {{access_token_2}}",
            "`Bearer ${token}`",
            "Bearer token-authentication-version-2",
            "Bearer authenticationtokens",
            "Bearer YOUR_ACCESS_TOKEN_HERE",
            "Authorization: token abc",
            "authorization key material",
            "Bearer ACCOUNT=a1b2c3d4e5f6g7h8i9",
            "unbearer a1b2c3d4e5f6g7h8i9",
        ];
        for text in texts {
            ignores(BearerHeader, &[], text);
        }
        ignores(BearerHeader, &[], &text("Bearer ${alnum:20}..."));
        doubts(BearerHeader, &[], "Bearer your-token-a1b2c3d4e5");
    }
}
