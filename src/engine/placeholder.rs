//! Values that stand for a secret instead of being one.

/// Words of which a placeholder consists.
const STOP_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "apikey",
    "api",
    "auth",
    "bearer",
    "basic",
    "credential",
    "credentials",
    "user",
    "username",
    "login",
    "admin",
    "root",
    "guest",
    "test",
    "testing",
    "tests",
    "tester",
    "example",
    "sample",
    "demo",
    "dummy",
    "fake",
    "mock",
    "foo",
    "bar",
    "baz",
    "qux",
    "foobar",
    "spam",
    "eggs",
    "placeholder",
    "change",
    "changeme",
    "your",
    "my",
    "the",
    "some",
    "any",
    "insert",
    "enter",
    "here",
    "replace",
    "todo",
    "fixme",
    "none",
    "null",
    "default",
    "empty",
    "value",
    "string",
    "text",
    "name",
    "xxx",
    "abc",
    "abcd",
    "abcdef",
    "qwerty",
    "letmein",
    "hello",
    "world",
    "hunter",
    "secure",
    "private",
    "public",
    "hidden",
    "redacted",
    "removed",
    "masked",
    "correct",
    "wrong",
    "invalid",
    "valid",
    "bad",
    "good",
    "new",
    "old",
    "current",
    "another",
    "different",
    "expired",
    "random",
    "unknown",
    "missing",
    "required",
    "optional",
    "client",
    "server",
    "access",
    "refresh",
    "session",
    "id",
    "app",
    "application",
    "service",
    "account",
    "super",
    "top",
    "very",
    "not",
    "this",
    "that",
    "is",
    "of",
    "with",
    "for",
    "from",
    "and",
    "or",
    "to",
    "a",
    "an",
    "in",
    "on",
    "me",
    "it",
    "mypassword",
    "mysecret",
    "mytoken",
    "one",
    "two",
    "three",
    "first",
    "second",
    "other",
    "no",
    "yes",
    "e",
    "s",
    "g",
    "i",
];

/// Texts that make a value a placeholder wherever they stand.
const INSTRUCTIONS: &[&str] = &[
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "change_it",
    "changethis",
    "change_this",
    "change-this",
    "your_",
    "your-",
    "yourapi",
    "yourkey",
    "yourtoken",
    "yoursecret",
    "yourpass",
    "<your",
    "example",
    "sample",
    "dummy",
    "placeholder",
    "xxxx",
    "****",
    "....",
    "insert",
    "replace",
    "enter_",
    "enter-",
    "redacted",
    "removed",
    "masked",
    "todo",
    "_here",
    "-here",
    "foobar",
    "fake",
    "mock",
    "lorem",
    "undefined",
    "bogus",
    "garbage",
    "whatever",
    "something",
    "anything",
    "not-a-",
    "not_a_",
    "notreal",
    "no-real",
    "does-not",
    "doesnot",
    "invalid",
    "deadbeef",
];

/// Texts that make a short value a placeholder.
const WEAK: &[&str] = &[
    "test", "secret", "passw", "token", "qwerty", "letmein", "hunter", "abc123", "abcd", "12345", "admin",
    "wrong", "default", "super", "unknown", "sekret", "pwd", "apikey", "valid", "expired", "random", "foo",
    "hello", "hidden", "p@ss", "pa55", "p4ss", "pa$$", "s3cr",
];

/// Longest value a [`WEAK`] text decides; a long random value contains one now and then.
const WEAK_MAX: usize = 24;

/// What a placeholder test found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholder {
    /// An instruction to the reader, a repetition, a sequence: nobody's secret.
    Instruction,
    /// Made of ordinary words; may be somebody's weak secret.
    Words,
}

/// Judges `value` given under `name`.
pub(super) fn of(value: &[u8], name: &[u8]) -> Option<Placeholder> {
    let folded: Vec<u8> = value.iter().map(u8::to_ascii_lowercase).collect();
    let has = |list: &[&str]| list.iter().any(|text| contains(&folded, text.as_bytes()));
    let cut_short = value.ends_with(b"...") || value.ends_with("…".as_bytes());
    if has(INSTRUCTIONS) || is_repetitive(&folded) || is_sequence(&folded) || cut_short {
        return Some(Placeholder::Instruction);
    }
    let weak = folded.len() <= WEAK_MAX && has(WEAK);
    if weak || all_stop_words(value) || same_letters(&folded, name) {
        return Some(Placeholder::Words);
    }
    None
}

/// Whether the variable part of a prefixed token is a dummy: an instruction, a repetition or a
/// plain sequence.
pub(super) fn is_dummy_token(variable: &[u8]) -> bool {
    let folded: Vec<u8> = variable.iter().map(u8::to_ascii_lowercase).collect();
    let telling = [
        "example",
        "changeme",
        "placeholder",
        "xxxxx",
        "redacted",
        "your_",
        "your-",
        "deadbeef",
        "replaceme",
    ];
    telling.iter().any(|text| contains(&folded, text.as_bytes()))
        || is_repetitive(&folded)
        || is_sequence(&folded)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// At most two different bytes, nearly all the same byte, or one block repeated.
fn is_repetitive(folded: &[u8]) -> bool {
    let periodic = |n: usize| folded.iter().zip(&folded[n..]).all(|(a, b)| a == b);
    super::entropy::distinct(folded) <= 2
        || (1..=4).any(|n| folded.len() >= n * 3 && periodic(n))
        || (5..=folded.len() / 2).any(periodic)
        || is_monotonous(folded)
        || is_counting(folded)
}

/// Two thirds of at least 12 bytes are the same one, as in keys that tests make up.
fn is_monotonous(folded: &[u8]) -> bool {
    let mut counts = [0usize; 256];
    folded.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    folded.len() >= 12 && counts.iter().any(|&count| count * 3 >= folded.len() * 2)
}

/// Hexadecimal bytes that count up or down: `000102030405…`.
fn is_counting(folded: &[u8]) -> bool {
    let digit = |b: u8| char::from(b).to_digit(16);
    let byte = |pair: &[u8]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    let Some(bytes) = folded.chunks_exact(2).map(byte).collect::<Option<Vec<u32>>>() else { return false };
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) == 1).count();
    bytes.len() >= 8 && steps * 4 >= (bytes.len() - 1) * 3
}

/// Most of it is a run along the alphabet, the digits or a keyboard row.
fn is_sequence(folded: &[u8]) -> bool {
    const ROWS: [&[u8]; 4] = [
        b"abcdefghijklmnopqrstuvwxyz",
        b"01234567890123456789",
        b"qwertyuiopasdfghjklzxcvbnm",
        b"9876543210",
    ];
    let along = |a: u8, b: u8| ROWS.iter().any(|row| row.windows(2).any(|pair| pair == [a, b]));
    let steps = folded.windows(2).filter(|pair| along(pair[0], pair[1])).count();
    folded.len() >= 4 && steps * 4 >= (folded.len() - 1) * 3
}

/// Every word of the value is a stop word or a number.
fn all_stop_words(value: &[u8]) -> bool {
    let mut words = 0;
    let mut start = 0;
    let mut previous = 0u8;
    for (i, &byte) in value.iter().chain(std::iter::once(&0)).enumerate() {
        let hump = byte.is_ascii_uppercase() && previous.is_ascii_lowercase();
        if !byte.is_ascii_alphabetic() || hump {
            if start < i {
                let word = value[start..i].to_ascii_lowercase();
                if !STOP_WORDS.iter().any(|stop| stop.as_bytes() == word) {
                    return false;
                }
                words += 1;
            }
            start = if hump { i } else { i + 1 };
        }
        previous = byte;
    }
    words > 0 || value.iter().all(u8::is_ascii_digit) && value.len() < 7
}

/// The value repeats its own name, ignoring `_` and `-`.
fn same_letters(folded: &[u8], name: &[u8]) -> bool {
    let letters = |text: &[u8]| -> Vec<u8> {
        text.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
    };
    let name = letters(name);
    !name.is_empty() && letters(folded) == name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_repetitions_and_sequences() {
        for value in [
            "changeme",
            "<your-key>",
            "xxxxxxxx",
            "aaaaaaa",
            "abcabcabcabc",
            "abcdefgh",
            "12345678",
            "qwertyui",
        ] {
            assert_eq!(of(value.as_bytes(), b"password"), Some(Placeholder::Instruction), "{value}");
        }
    }

    #[test]
    fn ordinary_words_are_weak_placeholders() {
        for value in ["mySecretToken", "admin", "test1", "password1", "client-secret"] {
            assert_eq!(of(value.as_bytes(), b"x"), Some(Placeholder::Words), "{value}");
        }
        assert_eq!(of(b"db_pw", b"DbPw"), Some(Placeholder::Words));
    }

    #[test]
    fn real_values_pass() {
        for value in ["Kd83-Wq7z!mP", "wool otter lamp", "9f86d081884c7d65", "Summer2024!"] {
            assert_eq!(of(value.as_bytes(), b"password"), None, "{value}");
        }
    }
}
