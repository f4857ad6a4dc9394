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

/// `user:password` at `start`: one word of a shell, all of it, a part of it or nothing of it in quotes.
fn credential(bytes: &[u8], at: usize, start: usize) -> Option<Hit> {
    let (start, end) = match bytes.get(start)? {
        quote @ (b'"' | b'\'') => {
            let inside = start + 1;
            (inside, inside + quoted(bytes, inside, *quote))
        }
        _ => (start, start + plain(bytes, start)),
    };
    let colon = start + bytes[start..end].iter().position(|&b| b == b':')?;
    let user = Span::new(start, colon);
    let secret = match (end == colon + 1, bytes.get(end)) {
        // `name:'pass word'`: the quotes begin behind the colon.
        (true, Some(quote @ (b'"' | b'\''))) if bytes.get(start.wrapping_sub(1)) != Some(quote) => {
            Span::new(end + 1, end + 1 + quoted(bytes, end + 1, *quote))
        }
        _ => Span::new(colon + 1, end),
    };
    let is_user = user.of(bytes).iter().all(|b| !b.is_ascii_whitespace() && !b"/(){}<>".contains(b));
    if !is_user || secret.len() < MIN_PASSWORD || secret.of(bytes).starts_with(b"//") {
        return None;
    }
    let password = secret.of(bytes);
    let hit = Hit::new(Span::new(at, secret.end), secret).judged(judge(password))?;
    Some(if user.of(bytes) == password { hit.low() } else { hit })
}

/// Bytes up to the closing `quote`; a backslash ends a text in the quotes of another language.
fn quoted(bytes: &[u8], at: usize, quote: u8) -> usize {
    run(bytes, at, MAX_VALUE, |b| b != quote && b != b'\n' && b != b'\\')
}

/// Bytes of a word without quotes.
fn plain(bytes: &[u8], at: usize) -> usize {
    run(bytes, at, MAX_VALUE, |b| !b.is_ascii_whitespace() && !b"\"'`)\\;".contains(&b))
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
    fn quotes_around_a_part_and_blanks_inside() {
        let pw = text("${alnum:14}");
        let spaced = format!("{} {}", &pw[..6], &pw[6..]);
        for (form, secret) in [
            (format!("curl --user deploy:'{pw}' https://h"), &pw),
            (format!("curl -u deploy:\"{pw}\" https://h"), &pw),
            (format!("curl -u deploy:'{pw}'\n"), &pw),
            (format!("curl -u \"deploy:{spaced}\" https://h"), &spaced),
            (format!("curl --user deploy:'{spaced}' https://h"), &spaced),
            (format!("curl -s -u'deploy:{pw}' https://h"), &pw),
        ] {
            finds(CurlUser, &[], &form, secret);
        }
        let mixed = format!("{}\"{}", &pw[..6], &pw[6..]);
        finds(CurlUser, &[], &format!("curl -u 'deploy:{mixed}' https://h"), &mixed);
        ignores(CurlUser, &[], "curl -u deploy:'$PASS' https://h");
        ignores(CurlUser, &[], "curl -u \"deploy:\" 'something else'");
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
