//! Passwords on curl command lines: `-u user:password`, `--user`, `--proxy-user`.

use crate::finding::Span;

use super::value::judge;
use super::{Hit, at_word_start, run};

/// How far right of `curl` the option may stand.
const REACH: usize = 2 * 1024;

/// Shortest password; shorter ones are examples.
const MIN_PASSWORD: usize = 4;

/// Longest `user:password`.
const MAX_VALUE: usize = 512;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    if !at_word_start(bytes, at) {
        return None;
    }
    let command_end = at + command_length(&bytes[at..bytes.len().min(at + REACH)]);
    let mut place = at + b"curl".len();
    // Options start behind a blank; what is inside a quoted argument cannot be told apart and
    // does no harm, for it must still read as an option with `user:password`.
    while place < command_end {
        place += run(bytes, place, REACH, |b| !b.is_ascii_whitespace());
        place += run(bytes, place, REACH, |b| b.is_ascii_whitespace() || b == b'\\');
        if place >= command_end {
            break;
        }
        if let Some(value) = option_value(bytes, place)
            && let Some(hit) = credential(bytes, at, value)
        {
            return Some(hit);
        }
    }
    None
}

/// Up to the end of the line (a backslash continues it) or of the command.
fn command_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (i, &byte) in text.iter().enumerate() {
        if matches!(byte, b'\n' | b'|') && !escaped {
            return i;
        }
        escaped = byte == b'\\' || escaped && byte == b'\r';
    }
    text.len()
}

/// Where the value of a user option at `place` starts.
fn option_value(bytes: &[u8], place: usize) -> Option<usize> {
    let rest = &bytes[place..];
    for long in [b"--user".as_slice(), b"--proxy-user"] {
        if let Some(after) = rest.strip_prefix(long) {
            return matches!(after.first(), Some(b' ' | b'=' | b'\t'))
                .then(|| place + long.len() + run(after, 0, 16, |b| b" =\t".contains(&b)));
        }
    }
    let letters = rest.strip_prefix(b"-").map(|after| run(after, 0, 8, |b| b.is_ascii_alphabetic()))?;
    // `-u`, `-U`, or a cluster like `-sSu`; `-uuser:password` has no blank.
    if letters >= 1
        && matches!(rest[letters], b'u' | b'U')
        && rest.get(letters + 1).is_some_and(u8::is_ascii_whitespace)
    {
        let value = place + letters + 1;
        return Some(value + run(bytes, value, 16, |b| matches!(b, b' ' | b'\t')));
    }
    matches!(rest.get(1), Some(b'u' | b'U')).then_some(place + 2)
}

/// `user:password` at `start`, quoted or not.
fn credential(bytes: &[u8], at: usize, start: usize) -> Option<Hit> {
    let (start, length) = match bytes.get(start)? {
        quote @ (b'"' | b'\'') => {
            let inside = start + 1;
            (inside, run(bytes, inside, MAX_VALUE, |b| b != *quote && b != b'\n' && b != b'\\'))
        }
        _ => (start, run(bytes, start, MAX_VALUE, |b| !b.is_ascii_whitespace() && !b"\"'`)\\;".contains(&b))),
    };
    let colon = bytes[start..start + length].iter().position(|&b| b == b':')?;
    let (user, secret) = (Span::new(start, start + colon), Span::new(start + colon + 1, start + length));
    let is_user = user.of(bytes).iter().all(|b| !b.is_ascii_whitespace() && !b"/(){}<>".contains(b));
    if !is_user || secret.len() < MIN_PASSWORD || secret.of(bytes).starts_with(b"//") {
        return None;
    }
    let password = secret.of(bytes);
    let hit = Hit::new(Span::new(at, secret.end), secret).judged(judge(password))?;
    Some(if user.of(bytes) == password { hit.low() } else { hit })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, ignores, text};
    use crate::rule::format::Format::CurlUser;

    #[test]
    fn every_way_to_write_the_option() {
        let pw = text("${alnum:14}");
        let forms = [
            format!("curl -u deploy:{pw} https://h"),
            format!("curl -s -X POST --user deploy:{pw} https://h"),
            format!("curl --user=deploy:{pw} https://h"),
            format!("curl -u 'deploy:{pw}' https://h"),
            format!("curl -u \"deploy:{pw}\" https://h"),
            format!("curl -sSu deploy:{pw} https://h"),
            format!("curl -udeploy:{pw} https://h"),
            format!("curl https://h \\\n  -H 'Accept: x' \\\n  -u deploy:{pw}"),
            format!("`curl -x p --proxy-user deploy:{pw} h`"),
            format!("system(\"curl -u deploy:{pw} h\")"),
            format!("/usr/bin/curl -k -u me@acme.io:{pw} h"),
        ];
        for form in forms {
            finds(CurlUser, &[], &form, &pw);
        }
    }

    #[test]
    fn other_commands_and_templates() {
        let pw = text("${alnum:14}");
        let texts = [
            "curl -u $USER:$PASS https://h".to_owned(),
            "curl -u \"${USER}:${PASS}\" https://h".to_owned(),
            "curl -u <user>:<password> https://h".to_owned(),
            "curl -u user: https://h".to_owned(),
            "curl -u deploy https://h:8080".to_owned(),
            "curl --user-agent a:kx93mvq https://h".to_owned(),
            format!("curl https://h\nfoo -u deploy:{pw}"),
            format!("curl https://h | foo -u deploy:{pw}"),
            format!("libcurl -u deploy:{pw}"),
            "curl -u https://h/kx93mvq".to_owned(),
        ];
        for text in texts {
            ignores(CurlUser, &[], &text);
        }
        doubts(CurlUser, &[], "curl -u user:password https://h");
    }
}
