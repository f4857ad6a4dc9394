//! What is kept in place of a password: its digest, and the salt that went into it.
//!
//! Neither logs in. In hexadecimal or a form of their own they are told elsewhere; in Base64 only the
//! length of what they decode to tells them from a generated password.

use super::value::Value;
use super::vocabulary::Texts;

/// Bytes to either side of a digest in which its salt is looked for.
const NEAR: usize = 400;

/// Lengths in Base64 of 16 bytes (MD5), 20 (SHA-1), 32 (SHA-256) and 64 (SHA-512), and their padding.
const DIGESTS: [(usize, &[u8]); 4] = [(24, b"=="), (28, b"="), (44, b"="), (88, b"==")];

/// Whether `value` is as long as a digest in Base64, so that it may be one of a password.
pub(super) fn may_be_one(value: &[u8]) -> bool {
    DIGESTS.iter().any(|(len, padding)| {
        let body = value.strip_suffix(*padding);
        value.len() == *len
            && body.is_some_and(|b| b.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')))
    })
}

/// Whether `value` is one: what may be a digest, and its salt is named beside it.
pub(super) fn is_salted(bytes: &[u8], value: Value) -> bool {
    static SALT: Texts = Texts::new(&["salt"]);
    if !may_be_one(value.of(bytes)) {
        return false;
    }
    let before = &bytes[value.start.saturating_sub(NEAR)..value.start];
    let behind = &bytes[value.end..bytes.len().min(value.end + NEAR)];
    SALT.are_in_any_case_in(before) || SALT.are_in_any_case_in(behind)
}

/// Whether `value` under the name `ident` is the salt of a stored password: `PasswordSalt`,
/// `password_salt`, and random bytes in Base64.
pub(super) fn is_salt(ident: &[u8], value: &[u8]) -> bool {
    static PASSWORDS: Texts = Texts::new(&["passw", "pwd"]);
    let Some((rest, end)) = ident.split_last_chunk::<4>() else { return false };
    may_be_one(value) && end.eq_ignore_ascii_case(b"salt") && PASSWORDS.are_in_any_case_in(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Scratch};
    use crate::finding::Confidence;

    /// The highest confidence of what is found.
    fn sure(text: &str) -> Option<Confidence> {
        let mut found = Vec::new();
        Engine::builtin().scan(text.as_bytes(), &mut Scratch::default(), &mut found);
        found.iter().map(|hit| hit.confidence).max()
    }

    /// `len` letters and digits of no meaning, with `padding` at the end.
    fn text_of(len: usize, padding: &str) -> String {
        let body: String = ["q7Zr", "2x9k", "Lm3K", "p8vT"].concat().chars().cycle().take(len).collect();
        body + padding
    }

    #[test]
    fn lengths_of_digests() {
        for (len, padding) in [(22, "=="), (27, "="), (43, "="), (86, "==")] {
            assert!(may_be_one(text_of(len, padding).as_bytes()), "{len}");
            assert!(!may_be_one(text_of(len + 1, padding).as_bytes()), "{len}");
            assert!(!may_be_one(text_of(len + padding.len(), "").as_bytes()), "{len}");
        }
    }

    #[test]
    fn digests_of_passwords_are_less_sure_and_salted_ones_doubtful() {
        let digest = text_of(27, "=");
        let alone = format!("<Password>{digest}</Password>");
        assert_eq!(sure(&alone), Some(Confidence::Medium));
        let salted = format!("{alone}\n<PasswordQuestion nil=\"true\" />\n<Salt>x</Salt>\n");
        assert_eq!(sure(&salted), Some(Confidence::Low));
        let generated = format!("<Password>{}</Password>", text_of(27, ""));
        assert_eq!(sure(&generated), Some(Confidence::High));
    }

    #[test]
    fn salts_of_stored_passwords() {
        for name in ["PasswordSalt", "password_salt", "user.pwdSalt"] {
            assert!(is_salt(name.as_bytes(), text_of(22, "==").as_bytes()), "{name}");
            assert!(!is_salt(name.as_bytes(), text_of(32, "").as_bytes()), "{name}");
        }
        for name in ["SECURE_AUTH_SALT", "salt", "PasswordSalted", "lt"] {
            assert!(!is_salt(name.as_bytes(), text_of(22, "==").as_bytes()), "{name}");
        }
    }
}
