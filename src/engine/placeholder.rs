//! Values that stand for a secret instead of being one.

use base64::Engine as _;

use super::vocabulary::{Texts, WordSet};
use crate::rule::class::ByteSet;

/// Words of which a placeholder consists.
pub(super) static STOP_WORDS: WordSet = WordSet::new(&[
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
    // What a translation says for it.
    "passwort",
    "kennwort",
    "contrasena",
    "clave",
    "senha",
    "palavra",
    "motdepasse",
    "mot",
    "de",
    "passe",
    "wachtwoord",
    "haslo",
    "heslo",
    "salasana",
    "losenord",
    "adgangskode",
    "passord",
    "parola",
    "parole",
    "sifre",
    "jelszo",
    "katasandi",
    "sandi",
    "database",
    "db",
    "host",
    "pw",
]);

/// Texts that make a value a placeholder wherever they stand.
static INSTRUCTIONS: Texts = Texts::new(&[
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
    "mustbe",
    "must-be",
    "must_be",
    "1234abcd",
    "abcd1234",
]);

/// Texts that make a short value a placeholder, and a password with digits none that is in use.
pub(super) static STAND_INS: Texts = Texts::new(&[
    "test", "secret", "token", "letmein", "hunter", "abcd", "wrong", "default", "unknown", "sekret", "pwd",
    "valid", "expired", "random", "foo", "hidden", "p@ss", "pa55", "p4ss", "pa$$", "s3cr",
]);

/// More texts that make a short value a placeholder.
static WEAK: Texts = Texts::new(&["passw", "qwerty", "abc123", "12345", "apikey", "p4$$", "w0rd"]);

/// Whether `value` has a text that makes a short value a placeholder.
fn has_weak_text(value: &[u8]) -> bool {
    STAND_INS.are_in_any_case_in(value) || WEAK.are_in_any_case_in(value)
}

/// Texts that make a value a placeholder when little else is in it: people build passwords
/// around them (`adminEAP_6.4`), too.
const COMMON: &[&str] = &["admin", "super", "hello", "root", "user"];

/// Most bytes beside a [`COMMON`] text in a placeholder.
const BESIDE_COMMON: usize = 5;

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

/// Texts that make the variable part of a prefixed token a dummy.
static DUMMY: Texts = Texts::new(&[
    "example",
    "changeme",
    "placeholder",
    "xxxxx",
    "redacted",
    "your_",
    "your-",
    "deadbeef",
    "replaceme",
]);

/// Judges `value` given under `name`.
pub(super) fn of(value: &[u8], name: &[u8]) -> Option<Placeholder> {
    let cut_short = value.ends_with(b"...") || value.ends_with("…".as_bytes());
    if INSTRUCTIONS.are_in_any_case_in(value) || is_regular(value) || cut_short {
        return Some(Placeholder::Instruction);
    }
    let weak = value.len() <= WEAK_MAX
        && (has_weak_text(value) || COMMON.iter().any(|text| is_most_of(value, text.as_bytes())));
    let part_of_name = value.len() >= 12 && memchr::memmem::find(name, value).is_some();
    if weak || all_stop_words(value) || same_letters(value, name) || is_speaking(value) || part_of_name {
        return Some(Placeholder::Words);
    }
    None
}

/// `this-password-is-long-enough`: words that speak of what they are.
fn is_speaking(value: &[u8]) -> bool {
    let mut parts = value.split(|b| matches!(b, b'-' | b'_' | b'.'));
    let plain = |part: &[u8]| {
        !part.is_empty() && (part.iter().all(u8::is_ascii_alphabetic) || part.iter().all(u8::is_ascii_digit))
    };
    parts.clone().count() >= 3 && parts.all(plain) && has_weak_text(value)
}

/// Judges what `value` says when it is readable text in Base64, as in Kubernetes' secrets: a sentence
/// is no secret either.
pub(super) fn in_base64(value: &[u8], name: &[u8]) -> Option<Placeholder> {
    let text = readable(value)?;
    if text.contains(&b' ') {
        return Some(Placeholder::Words);
    }
    // Whoever encoded it may use it all the same.
    of(&text, name).map(|_| Placeholder::Words)
}

/// The text that `value` is the Base64 of, if all of it is printable.
fn readable(value: &[u8]) -> Option<Vec<u8>> {
    if !(12..=128).contains(&value.len()) || !value.len().is_multiple_of(4) {
        return None;
    }
    let text = base64::engine::general_purpose::STANDARD.decode(value).ok()?;
    text.iter().all(|b| (0x20..0x7F).contains(b)).then_some(text)
}

/// Whether the variable part of a prefixed token is a dummy: an instruction, a repetition or a
/// plain sequence.
pub(super) fn is_dummy_token(variable: &[u8]) -> bool {
    DUMMY.are_in_any_case_in(variable) || is_regular(variable)
}

/// A repetition or a plain sequence, in any case.
fn is_regular(value: &[u8]) -> bool {
    is_repetitive(value) || is_sequence(value)
}

/// Whether `text` stands in `value` with little else, or what else there is says nothing.
fn is_most_of(value: &[u8], text: &[u8]) -> bool {
    let rest = value.len().saturating_sub(text.len());
    let plain = !value.iter().any(u8::is_ascii_digit) || value.iter().all(u8::is_ascii_alphanumeric);
    let there = value.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text));
    there && (rest <= BESIDE_COMMON || plain)
}

/// Longest block whose repetition is looked for.
const MAX_BLOCK: usize = 64;

/// At most two different bytes, nearly all the same byte, or one block repeated.
fn is_repetitive(value: &[u8]) -> bool {
    let mut counts = [0u32; 256];
    value.iter().for_each(|byte| counts[usize::from(byte.to_ascii_lowercase())] += 1);
    let kinds = counts.iter().filter(|&&count| count > 0).count();
    // Two thirds of at least 12 bytes are the same one, as in keys that tests make up.
    let most = counts.iter().max().map_or(0, |&count| count as usize);
    if kinds <= 2 || value.len() >= 12 && most * 3 >= value.len() * 2 {
        return true;
    }
    let periodic = |n: usize| value.iter().zip(&value[n..]).all(|(a, b)| a.eq_ignore_ascii_case(b));
    (1..=4).any(|n| value.len() >= n * 3 && periodic(n))
        || (5..=MAX_BLOCK.min(value.len() / 2)).any(periodic)
        || is_counting(value)
}

/// Hexadecimal bytes that count up or down: `000102030405…`.
fn is_counting(value: &[u8]) -> bool {
    let byte = |pair: &[u8]| Some(char::from(pair[0]).to_digit(16)? * 16 + char::from(pair[1]).to_digit(16)?);
    let (mut bytes, mut steps, mut previous) = (0, 0, None);
    for pair in value.chunks_exact(2) {
        let Some(this) = byte(pair) else { return false };
        steps += usize::from(previous.is_some_and(|previous: u32| previous.abs_diff(this) == 1));
        previous = Some(this);
        bytes += 1;
    }
    bytes >= 8 && steps * 4 >= (bytes - 1) * 3
}

/// Most of it is a run along the alphabet, the digits or a keyboard row.
fn is_sequence(value: &[u8]) -> bool {
    let along =
        |pair: &&[u8]| FOLLOWS[usize::from(pair[0].to_ascii_lowercase())].has(pair[1].to_ascii_lowercase());
    let steps = value.windows(2).filter(along).count();
    value.len() >= 4 && steps * 4 >= (value.len() - 1) * 3
}

/// What stands behind each byte in a row of the alphabet, the digits or a keyboard.
static FOLLOWS: [ByteSet; 256] = {
    const ROWS: [&[u8]; 4] = [
        b"abcdefghijklmnopqrstuvwxyz",
        b"01234567890123456789",
        b"qwertyuiopasdfghjklzxcvbnm",
        b"9876543210",
    ];
    let mut follows = [ByteSet::EMPTY; 256];
    let mut number = 0;
    while number < ROWS.len() {
        let row = ROWS[number];
        let mut at = 1;
        while at < row.len() {
            let before = row[at - 1] as usize;
            follows[before] = follows[before].with(row[at]);
            at += 1;
        }
        number += 1;
    }
    follows
};

/// Every word of the value is a stop word or a number.
fn all_stop_words(value: &[u8]) -> bool {
    let mut words = 0;
    let mut start = 0;
    let mut previous = 0u8;
    for (i, &byte) in value.iter().chain(std::iter::once(&0)).enumerate() {
        let hump = byte.is_ascii_uppercase() && previous.is_ascii_lowercase();
        if !byte.is_ascii_alphabetic() || hump {
            if start < i {
                if !STOP_WORDS.has_in_any_case(&value[start..i]) {
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
fn same_letters(value: &[u8], name: &[u8]) -> bool {
    fn letters(text: &[u8]) -> impl Iterator<Item = u8> {
        text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase)
    }
    letters(name).next().is_some() && letters(value).eq(letters(name))
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
    fn words_for_roles_count_only_where_little_else_stands() {
        for value in ["adminroot", "admin123", "superuser", "salasana"] {
            assert_eq!(of(value.as_bytes(), b"x"), Some(Placeholder::Words), "{value}");
        }
        assert_eq!(of(b"adminEAP_6.4", b"password"), None);
    }

    #[test]
    fn real_values_pass() {
        for value in ["Kd83-Wq7z!mP", "wool otter lamp", "9f86d081884c7d65", "Summer2024!"] {
            assert_eq!(of(value.as_bytes(), b"password"), None, "{value}");
        }
    }
}
