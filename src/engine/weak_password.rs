//! Passwords that people set although everybody knows them: `123456`, `root`, `admin@123`.
//!
//! They read like placeholders, and in tests, examples and documents they mostly are. In settings
//! and in a program's own code they are what opens the door: of those in hand-labelled text from
//! public repositories practically all were in use. Words for the thing itself (`password`,
//! `secret`, `test`) are not among them: these are dummies as often as not.

use super::placeholder::STAND_INS;
use super::vocabulary::{Texts, WordSet};

/// Longest value of this sort.
const MAX: usize = 24;

/// Fewest digits beside letters.
const MIN_DIGITS: usize = 3;

/// Accounts that everything has, set as their own passwords.
static ROLES: WordSet =
    WordSet::new(&["root", "toor", "admin", "guest", "administrator", "sysadmin", "rootroot", "adminadmin"]);

/// More texts than [`STAND_INS`] of values that stand for a password instead of being one, with digits
/// behind or not.
static DUMMIES: Texts = Texts::new(&[
    "pass",
    "psw",
    "pw",
    "key",
    "example",
    "sample",
    "demo",
    "dummy",
    "fake",
    "mock",
    "change",
    "your",
    "some",
    "placeholder",
    "xxx",
    "insert",
    "replace",
    "enter",
    "string",
    "value",
    "new",
    "old",
    "qwert",
    "asdf",
    "code",
]);

/// Numbers that people type, besides rows and repetitions.
static NUMBERS: WordSet = WordSet::new(&[
    "123123",
    "112233",
    "123321",
    "121212",
    "123654",
    "147258",
    "159357",
    "520520",
    "5201314",
    "1314520",
    "102030",
    "010203",
    "123454321",
    "7777777",
]);

/// The word for the thing, with signs for letters: what database servers that ask for signs and digits
/// are set up with.
static DISGUISED: WordSet =
    WordSet::new(&["p@ssw0rd", "p@ssword", "passw0rd", "pa$$w0rd", "pa55w0rd", "p@$$w0rd"]);

/// Whether `value`, given under a password's name, is one of these. A `bare` number may be a number.
pub(super) fn is_in_use(value: &[u8], bare: bool) -> bool {
    if !(4..=MAX).contains(&value.len()) || value.iter().any(|&b| !(0x21..0x7F).contains(&b)) {
        return false;
    }
    if value.iter().all(u8::is_ascii_digit) {
        return !bare || is_row(value) || NUMBERS.has(value);
    }
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let plain = value.iter().all(|b| b.is_ascii_alphanumeric() || b"@#!.,-_*$&+".contains(b));
    let stem =
        value.iter().rposition(|b| !b.is_ascii_digit() && *b != b'!').map_or(value, |at| &value[..=at]);
    ROLES.has_in_any_case(value)
        || DISGUISED.has_in_any_case(stem)
        || plain
            && letters > 0
            && digits >= MIN_DIGITS
            && !STAND_INS.are_in_any_case_in(value)
            && !DUMMIES.are_in_any_case_in(value)
}

/// The same digit throughout, or digits that count up or down.
fn is_row(value: &[u8]) -> bool {
    let steps = |step: u8| value.windows(2).all(|pair| (pair[0] - b'0' + step) % 10 == pair[1] - b'0');
    steps(0) || steps(1) || steps(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_passwords_are_in_use() {
        for value in ["1234", "123456", "87654321", "000000", "123123", "root", "Admin", "guest"] {
            assert!(is_in_use(value.as_bytes(), true), "{value}");
        }
        for value in [
            "admin123",
            "admin@123",
            "root12345",
            "u1234",
            "harbor12345",
            "bly,012345",
            "4711",
            "P@ssw0rd",
            "Passw0rd123!",
        ] {
            assert!(is_in_use(value.as_bytes(), false), "{value}");
        }
    }

    #[test]
    fn dummies_and_numbers_are_not() {
        for value in [
            "password",
            "secret",
            "test1234",
            "password123",
            "changeme1234",
            "foo",
            "xxx",
            "new_password2",
            "r00t",
        ] {
            assert!(!is_in_use(value.as_bytes(), false), "{value}");
        }
        for value in ["1820", "8081", "1970", "86400"] {
            assert!(!is_in_use(value.as_bytes(), true), "{value}");
        }
    }
}
