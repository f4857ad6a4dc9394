//! Is this literal a secret, a stand-in for one, or no value at all?
//!
//! Only what can be said of a password without its name: templates and stored hashes are no
//! secrets; stop words, instructions and sequences are placeholders. Word lists follow what
//! was measured on real and false findings: most false values come from few word families.

use super::super::placeholder::STOP_WORDS;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A template, a hash, a masked or empty value.
    NoSecret,
    /// Something people write where a secret would stand.
    Placeholder,
    /// Nothing speaks against it.
    Real,
}

/// Longest value searched for placeholder words; longer ones hold them by chance.
const MAX_WORDS: usize = 48;

/// Parts that make any value an instruction or an example.
const INSTRUCTIONS: &[&str] = &[
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "change_it",
    "changethis",
    "change_this",
    "your",
    "example",
    "sample",
    "dummy",
    "placeholder",
    "xxx",
    "insert",
    "replace",
    "redacted",
    "removed",
    "hidden",
    "masked",
    "todo",
    "undefined",
    "whatever",
    "something",
];

/// Judges a value that stands where a password or token would.
pub(super) fn judge(value: &[u8]) -> Verdict {
    if value.is_empty() || is_masked(value) || is_template(value) || is_stored(value) {
        Verdict::NoSecret
    } else if is_placeholder(value) {
        Verdict::Placeholder
    } else {
        Verdict::Real
    }
}

/// Only stars, dots, dashes, underscores, bullets or the letter x; or cut short by dots.
fn is_masked(value: &[u8]) -> bool {
    let same = value.iter().all(|b| b.eq_ignore_ascii_case(&value[0]));
    (same && matches!(value[0], b'*' | b'.' | b'-' | b'_' | b'x' | b'X' | b'#' | b'?'))
        || value.ends_with(b"...")
        || value.starts_with(b"***")
        || value.ends_with(b"***")
        || value.windows(3).any(|w| w == "\u{2022}".as_bytes() || w == "\u{2026}".as_bytes())
}

/// A reference that is replaced by the secret when the text is used.
fn is_template(value: &[u8]) -> bool {
    const OPENERS: [&[u8]; 12] =
        [b"${", b"{{", b"}}", b"$(", b"#{", b"<%", b"%>", b"%(", b"{%", b"[^", b"||", b".$"];
    let wrapped =
        |open: u8, close: u8| value.len() >= 2 && value[0] == open && value[value.len() - 1] == close;
    let is_name =
        |name: &[u8]| !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if OPENERS.iter().any(|opener| memchr::memmem::find(value, opener).is_some()) {
        return true;
    }
    if wrapped(b'<', b'>') || wrapped(b'{', b'}') || wrapped(b'[', b']') || wrapped(b'(', b')') {
        return true;
    }
    if wrapped(b'%', b'%') && is_name(&value[1..value.len() - 1]) {
        return true;
    }
    if wrapped(b'@', b'@') && value.len() > 2 || value.starts_with(b"__") && value.ends_with(b"__") {
        return true;
    }
    // Two where the file is a template itself: `$$NAME` in a compose file.
    let name = value.strip_prefix(b"$").filter(|rest| rest.first() == Some(&b'$')).unwrap_or(value);
    if matches!(name[0], b'$' | b':') && is_name(&name[1..]) {
        return true;
    }
    // `%s`, `%d`, `%v`, `%@`, `%1$s`: a format directive is all there is.
    if value[0] == b'%' && value.len() <= 5 {
        let directive = value[1..].trim_ascii_start();
        let last = directive.last().copied().unwrap_or(b'%');
        let is_escape = value.len() == 3 && value[1..].iter().all(u8::is_ascii_hexdigit);
        return !is_escape && (last.is_ascii_alphabetic() || last == b'@');
    }
    const LOOKUPS: [&[u8]; 4] = [b"process.env", b"os.environ", b"getenv", b"$env:"];
    LOOKUPS.iter().any(|lookup| value.starts_with(lookup)) || value.ends_with(b"()")
}

/// Hashes and references to a vault: what remains when a secret was stored well.
fn is_stored(value: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 14] = [
        b"$2a$",
        b"$2b$",
        b"$2y$",
        b"$1$",
        b"$5$",
        b"$6$",
        b"$argon2",
        b"$pbkdf2",
        b"$apr1$",
        b"$P$",
        b"{SSHA",
        b"ENC(",
        b"vault:",
        b"SCRAM-SHA",
    ];
    let mysql = value.len() == 41 && value[0] == b'*' && value[1..].iter().all(u8::is_ascii_hexdigit);
    mysql || PREFIXES.iter().any(|prefix| value.starts_with(prefix))
}

fn is_placeholder(value: &[u8]) -> bool {
    if is_sequence(value) || is_constant_name(value) {
        return true;
    }
    if value.len() > MAX_WORDS {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let contains = |part: &&str| memchr::memmem::find(&lower, part.as_bytes()).is_some();
    if INSTRUCTIONS.iter().any(contains) {
        return true;
    }
    if is_number(&lower) {
        return false;
    }
    // `p@ssw0rd` is `password` to everybody.
    let plain: Vec<u8> = lower.iter().map(|b| if *b == b'@' { b'a' } else { *b }).collect();
    let letters = |text: &[u8]| text.iter().copied().filter(u8::is_ascii_alphabetic).collect::<Vec<u8>>();
    let leet: Vec<u8> = plain.iter().map(|b| if *b == b'0' { b'o' } else { *b }).collect();
    [letters(&lower), letters(&plain), letters(&leet)].iter().any(|text| is_made_of_stop_words(text))
}

/// Digits that follow no row, with no more than two letters among them: the letters say nothing.
fn is_number(lower: &[u8]) -> bool {
    let digits: Vec<u8> = lower.iter().copied().filter(u8::is_ascii_digit).collect();
    let letters = lower.iter().filter(|b| b.is_ascii_alphabetic()).count();
    letters <= 2 && digits.len() >= 6 && !is_sequence(&digits)
}

/// `DB_PASSWORD`: the name of what should stand here.
fn is_constant_name(value: &[u8]) -> bool {
    value.contains(&b'_') && value.iter().all(|b| b.is_ascii_uppercase() || *b == b'_')
}

/// Whether `letters` can be cut into stop words with nothing left over.
fn is_made_of_stop_words(letters: &[u8]) -> bool {
    if letters.is_empty() {
        return false;
    }
    let mut reachable = vec![false; letters.len() + 1];
    reachable[0] = true;
    for start in 0..letters.len() {
        if !reachable[start] {
            continue;
        }
        // Letters that stand for words between separators (`e.g.`) would cut up anything here.
        for word in STOP_WORDS.words().iter().filter(|word| word.len() > 1 || **word == "a") {
            if letters[start..].starts_with(word.as_bytes()) {
                reachable[start + word.len()] = true;
            }
        }
    }
    reachable[letters.len()]
}

/// At most two different characters, a repeated block of one to four, or a straight run of
/// the alphabet, the digits or a keyboard row.
fn is_sequence(value: &[u8]) -> bool {
    const ROWS: [&[u8]; 4] = [b"abcdefghijklmnopqrstuvwxyz", b"01234567890", b"qwertyuiop", b"asdfghjkl"];
    let lower = value.to_ascii_lowercase();
    let mut kinds: Vec<u8> = Vec::new();
    for byte in &lower {
        if !kinds.contains(byte) {
            kinds.push(*byte);
        }
        if kinds.len() > 2 {
            break;
        }
    }
    if kinds.len() <= 2 {
        return true;
    }
    let repeats = |n: usize| lower.len() >= 2 * n && lower.iter().zip(&lower[n..]).all(|(a, b)| a == b);
    (1..=4).any(repeats) || ROWS.iter().any(|row| memchr::memmem::find(row, &lower).is_some())
}

/// Whether a token is words rather than random: every part between its separators is only
/// letters, or only a few digits.
pub(super) fn is_wordy(token: &[u8]) -> bool {
    token.split(|b| !b.is_ascii_alphanumeric()).all(|part| {
        let letters = part.iter().all(u8::is_ascii_alphabetic) && part.len() < 20;
        let number = part.iter().all(u8::is_ascii_digit) && part.len() <= 4;
        letters || number
    })
}

/// Whether a host is reserved for documentation and tests, or is this machine.
pub(super) fn is_documentation_host(host: &[u8]) -> bool {
    const NAMES: [&[u8]; 10] = [
        b"localhost",
        b"127.0.0.1",
        b"0.0.0.0",
        b"[::1]",
        b"host",
        b"hostname",
        b"server",
        b"domain",
        b"foo",
        b"bar",
    ];
    const ENDS: [&[u8]; 5] = [b".test", b".invalid", b".example", b".localhost", b".local"];
    let host = host.to_ascii_lowercase();
    let second_level = |name: &[u8]| {
        let mut labels = host.rsplit(|&b| b == b'.');
        labels.next().is_some() && labels.next() == Some(name)
    };
    NAMES.contains(&host.as_slice())
        || host.starts_with(b"127.")
        || host.starts_with(b"example.")
        || host.starts_with(b"your")
        || ENDS.iter().any(|end| host.ends_with(end))
        || second_level(b"example")
}

/// `%41` → `A`; what is no escape stays.
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if let (b'%', [a, b, tail @ ..]) = (byte, after)
            && let (Some(high), Some(low)) = (digit(*a), digit(*b))
        {
            out.push(high << 4 | low);
            rest = tail;
        } else {
            out.push(byte);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::text;
    use super::*;

    #[test]
    fn a_letter_among_digits_is_no_word() {
        assert_eq!(judge(format!("A@{}", "1415161822").as_bytes()), Verdict::Real);
        assert_eq!(judge(b"a123456"), Verdict::Placeholder);
    }

    #[test]
    fn templates_masks_and_hashes_are_no_secrets() {
        let values = [
            "",
            "${PW}",
            "$PW",
            "$$PW",
            "$db_pass",
            "{{ pw }}",
            "<password>",
            "{password}",
            "%s",
            "%d",
            "%(pw)s",
            "%PW%",
            "#{pw}",
            "****",
            "xxxx",
            "XXX",
            "ab...",
            "[^@]+",
            "@PW@",
            "__PW__",
            ":pw",
            "process.env.PW",
            "$2a$10$abc",
            "{SSHA}abc",
            "vault:secret/x",
            "abc***",
            ".$pw.",
            "$(cat pw)",
            "$env:PW",
            "getPw()",
            "<%= pw %>",
        ];
        for value in values {
            assert_eq!(judge(value.as_bytes()), Verdict::NoSecret, "{value}");
        }
    }

    #[test]
    fn words_people_write_are_placeholders() {
        let values = [
            "password",
            "Password123",
            "secret",
            "my-secret",
            "changeme",
            "your_password_here",
            "p@ssw0rd",
            "test1234",
            "123456",
            "abcdef",
            "aaaa",
            "abab",
            "qwerty",
            "examplepass",
            "PROXY_PW",
            "hunter2",
            "foobar",
            "admin",
            "1111",
        ];
        for value in values {
            assert_eq!(judge(value.as_bytes()), Verdict::Placeholder, "{value}");
        }
    }

    #[test]
    fn anything_else_is_real() {
        for value in ["s3cr3tSauce", "Tr0ub4dor&3", "correcthorse", "kx9", "%41bz9", "$ecret!pw"] {
            assert_eq!(judge(value.as_bytes()), Verdict::Real, "{value}");
        }
        for count in [16, 40, 64, 200] {
            let value = text(&format!("${{alnum:{count}}}"));
            assert_eq!(judge(value.as_bytes()), Verdict::Real, "{value}");
        }
    }

    #[test]
    fn wordy_tokens_and_reserved_hosts() {
        assert!(is_wordy(b"token-authentication-2.0"));
        assert!(!is_wordy(b"token-a1b2c3"));
        for host in ["localhost", "example.com", "db.example.org", "x.invalid", "127.0.0.1"] {
            assert!(is_documentation_host(host.as_bytes()), "{host}");
        }
        assert!(!is_documentation_host(b"examples.acme.io"));
        assert_eq!(percent_decoded(b"%41%4x%"), b"A%4x%");
    }
}
