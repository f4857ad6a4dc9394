//! Passwords typed into a form's field, as tests of user interfaces do:
//! `driver.findElement(By.id("password")).sendKeys("…")`, `txtPassword.setText("…")`,
//! `page.locator("#password").fill("…")`.
//!
//! Apart from [`literal_value`](super::literal_value), because the name is the field's and the call
//! belongs to the element.

use super::literal_value::{Named, quoted};
use super::vocabulary::WordSet;
use crate::finding::Span;

/// Methods that type or set a field's text, without their underscores.
static METHODS: WordSet = WordSet::new(&[
    "sendkeys",
    "type",
    "fill",
    "settext",
    "setvalue",
    "typetext",
    "entertext",
    "inputtext",
    "presssequentially",
]);

/// What fields are called behind what they hold.
const NOUNS: [&str; 9] = ["field", "input", "box", "text", "element", "edit", "area", "_", "-"];

/// Longest method name with its underscores.
const MAX_METHOD: usize = 20;

/// Brackets and quotes between the name and the method.
const MAX_CLOSING: usize = 6;

/// The value typed into the field that `ident` names.
pub(super) fn into_field(bytes: &[u8], ident: Span) -> Option<Named> {
    let text = ident.of(bytes);
    let (field, method) = match text.iter().rposition(|&b| b == b'.') {
        Some(dot) if is_method(&text[dot + 1..]) => {
            let from = text[..dot].iter().rposition(|&b| b == b'.').map_or(0, |at| at + 1);
            (Span::new(ident.start + from, ident.start + dot), ident.end)
        }
        _ => (ident, behind_brackets(bytes, ident.end)?),
    };
    if bytes.get(method) != Some(&b'(') {
        return None;
    }
    let blanks = bytes[method + 1..].iter().take(4).take_while(|&&b| b == b' ').count();
    let at = method + 1 + blanks;
    let quote = *bytes.get(at).filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    let value = quoted(bytes, at + 1, quote, false)?;
    let ident = without_nouns(bytes, field);
    (!ident.is_empty()).then_some(Named { ident, value, is_call: false, is_compared: false })
}

/// The end of the method's name in `")).sendKeys(`, where `at` is the first byte behind the name.
fn behind_brackets(bytes: &[u8], at: usize) -> Option<usize> {
    let closing = |b: &u8| matches!(b, b'"' | b'\'' | b'`' | b']' | b')' | b'\\');
    let len = bytes[at..].iter().take(MAX_CLOSING).take_while(|b| closing(b)).count();
    if !bytes[at..at + len].contains(&b')') || bytes.get(at + len) != Some(&b'.') {
        return None;
    }
    let from = at + len + 1;
    let name = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    let end = from + bytes[from..].iter().take(MAX_METHOD).take_while(|b| name(b)).count();
    is_method(&bytes[from..end]).then_some(end)
}

fn is_method(name: &[u8]) -> bool {
    let mut plain = [0; MAX_METHOD];
    let mut len = 0;
    for &byte in name.iter().filter(|&&b| b != b'_') {
        let Some(place) = plain.get_mut(len) else { return false };
        *place = byte.to_ascii_lowercase();
        len += 1;
    }
    METHODS.has(&plain[..len])
}

/// `passwordTextField` without what says that it is a field.
fn without_nouns(bytes: &[u8], field: Span) -> Span {
    let mut end = field.end;
    loop {
        let name = &bytes[field.start..end];
        let noun = NOUNS.iter().find(|noun| {
            name.len()
                .checked_sub(noun.len())
                .is_some_and(|at| name[at..].eq_ignore_ascii_case(noun.as_bytes()))
        });
        match noun {
            Some(noun) => end -= noun.len(),
            None => return Span::new(field.start, end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::literal_value::tests::found;

    #[test]
    fn text_typed_into_password_fields() {
        for (text, ident) in [
            ("driver.findElement(By.id(\"user_password\")).sendKeys(\"V!1x\");", "user_password"),
            ("driver.findElement(By.xpath(\"//*[@id='txtPassword']\")).sendKeys(\"V!1x\");", "txtPassword"),
            ("driver.find_element(By.NAME, 'password').send_keys('V!1x')", "password"),
            ("passwordTextField.setText(\"V!1x\");", "password"),
            ("this.passwordInput.fill( 'V!1x' )", "password"),
            ("page.locator('#password').fill('V!1x')", "password"),
            ("cy.get('#password').type('V!1x')", "password"),
            ("page.fill('#password', 'V!1x')", "password"),
        ] {
            let word = if text.contains("password") { "pass" } else { "Pass" };
            assert_eq!(found(text, word), Some((ident.to_owned(), "V!1x".to_owned())), "{text}");
        }
    }

    #[test]
    fn other_calls_on_fields() {
        for text in [
            "driver.findElement(By.id(\"password\")).getAttribute(\"V!1x\")",
            "passwordField.sendKeys(user.password)",
            "(password).other(\"V!1x\")",
        ] {
            assert_eq!(found(text, "pass"), None, "{text}");
        }
    }
}
