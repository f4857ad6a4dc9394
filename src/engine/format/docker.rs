//! Registry credentials: `"auth": "base64(user:password)"`, as container tools store them.

use base64::Engine as _;

use super::super::checksum::{LENIENT, LENIENT_URL};
use super::value::{Verdict, judge};
use super::{Hit, blanks, run};
use crate::finding::Span;

/// Longest encoded credential: registry tokens of clouds are passwords of two kilobytes.
const MAX_ENCODED: usize = 8 * 1024;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    // Inside another JSON string every quote carries a backslash.
    let escaped = bytes.get(at + 5) == Some(&b'\\');
    let quote: &[u8] = if escaped { b"\\\"" } else { b"\"" };
    let mut place = at + 5 + quote.len();
    place += blanks(bytes, place);
    if bytes.get(place) != Some(&b':') {
        return None;
    }
    place += 1;
    place += run(bytes, place, 64, |b| b.is_ascii_whitespace());
    if !bytes[place..].starts_with(quote) {
        return None;
    }
    let start = place + quote.len();
    let secret = encoded_at(bytes, start)?;
    let verdict = judge_user_password(secret.of(bytes))?;
    let closes = bytes[secret.end..].starts_with(quote);
    let hit = closes.then(|| Hit::new(Span::new(at, secret.end + quote.len()), secret))?;
    hit.judged(verdict)
}

/// The base64 run at `start`, padding included; `None` when it is shorter than 8.
pub(super) fn encoded_at(bytes: &[u8], start: usize) -> Option<Span> {
    let body = run(bytes, start, MAX_ENCODED, |b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b));
    let padding = run(bytes, start + body, 2, |b| b == b'=');
    (body >= 8).then(|| Span::new(start, start + body + padding))
}

/// Judges base64 of `user:password`; `None` when it is not that.
pub(super) fn judge_user_password(encoded: &[u8]) -> Option<Verdict> {
    let decoded = LENIENT.decode(encoded).or_else(|_| LENIENT_URL.decode(encoded)).ok()?;
    let text = std::str::from_utf8(&decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    if text.chars().any(char::is_control) || password.len() < 3 {
        return None;
    }
    // The example of RFC 7617, in every second tutorial.
    let is_documented =
        text.eq_ignore_ascii_case("aladdin:open sesame") || text.eq_ignore_ascii_case("aladdin:opensesame");
    let verdict = judge(password.as_bytes());
    let weak = is_documented || user == password;
    Some(if weak && verdict == Verdict::Real { Verdict::Placeholder } else { verdict })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, ignores, text};
    use crate::rule::format::Format::DockerAuth;

    #[test]
    fn auth_members() {
        for encoded in [text("${b64:deploy:${alnum:20}}"), text("${b64:AWS:${base64:1800}}")] {
            let forms = [
                format!("{{\"auths\": {{\"r.acme.io\": {{\"auth\": \"{encoded}\"}}}}}}"),
                format!("{{\"auth\":\"{encoded}\",\"email\":\"x\"}}"),
                format!("{{\"auth\" :\n    \"{encoded}\"\n}}"),
                format!("\"{{\\\"auth\\\":\\\"{encoded}\\\"}}\""),
            ];
            for form in forms {
                finds(DockerAuth, &[], &form, &encoded);
            }
        }
    }

    #[test]
    fn other_members_of_that_name() {
        let texts = [
            text("\"auth\": \"${alnum:40}\""),
            text("\"auth\": \"${b64:no colon here ${alnum:8}}\""),
            text("\"auth\": \"${b64:user:}\""),
            text("\"auth\": ${b64:deploy:${alnum:20}}"),
            text("\"auth\": \"${b64:deploy:${alnum:20}}"),
            text("\"auth\": \"${b64:deploy:$${PW}}\""),
            "\"auth\": {\"user\": 1}".to_owned(),
            "\"auth\": \"\"".to_owned(),
        ];
        for text in texts {
            ignores(DockerAuth, &[], &text);
        }
    }

    #[test]
    fn stand_ins() {
        doubts(DockerAuth, &[], &text("\"auth\": \"${b64:username:password}\""));
        doubts(DockerAuth, &[], &text("\"auth\": \"${b64:acme:acme}\""));
    }
}
