//! Passwords in rows of dumps: `INSERT INTO users (…, password, …) VALUES (…, '…', …)`.
//!
//! Only where the columns are named, since nothing else tells which value is one. Stored hashes are none.
//! One row per statement: the first whose value is a password.

use crate::finding::Span;

use super::super::stored_hash;
use super::value::{Verdict, judge};
use super::{Hit, at_word_start, run, word_at};

/// Longest list of columns, table name included.
const COLUMNS: usize = 2 * 1024;

/// Most rows that are looked at.
const MAX_ROWS: usize = 64;

/// Shortest and longest password; longer values are hashes and tokens of their own kind.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=64;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    if !at_word_start(bytes, at) || !word_at(bytes, at, b"insert into ") {
        return None;
    }
    let limit = bytes.len().min(at + COLUMNS);
    let open = at + bytes[at..limit].iter().position(|b| matches!(b, b'(' | b';' | b'\''))?;
    let close = open + bytes[open..limit].iter().position(|b| *b == b')')?;
    let names = bytes[open..close].strip_prefix(b"(")?;
    let column = names.split(|b| *b == b',').position(is_password)?;
    let mut place = close + 1;
    place += run(bytes, place, 32, |b| b.is_ascii_whitespace());
    if !word_at(bytes, place, b"values") {
        return None;
    }
    place += b"values".len();
    for _ in 0..MAX_ROWS {
        place += run(bytes, place, 64, |b| b.is_ascii_whitespace() || b == b',');
        if bytes.get(place) != Some(&b'(') {
            return None;
        }
        let row = row(bytes, place + 1, column)?;
        place = row.end;
        let Some(secret) = row.value else { continue };
        let text = secret.of(bytes);
        let plain = !text.iter().any(u8::is_ascii_whitespace) && !is_digest(text);
        if plain && LENGTHS.contains(&text.len()) && judge(text) != Verdict::NoSecret {
            return Hit::new(Span::new(at, secret.end), secret).judged(judge(text));
        }
    }
    None
}

/// Whether a column holds passwords, by its name.
fn is_password(name: &[u8]) -> bool {
    let name: Vec<u8> =
        name.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let ends =
        [b"password".as_slice(), b"passwd", b"passwort", b"pwd", b"userpass", b"motdepasse", b"contrasena"];
    name == b"pass" || ends.iter().any(|end| name.ends_with(end))
}

/// Hexadecimal or Base64 of the length of a common digest.
fn is_digest(text: &[u8]) -> bool {
    stored_hash::may_be_one(text)
        || matches!(text.len(), 32 | 40 | 48 | 56 | 64) && text.iter().all(u8::is_ascii_hexdigit)
}

struct Row {
    /// What stands in the column, if it is a quoted text.
    value: Option<Span>,
    /// Behind the closing parenthesis.
    end: usize,
}

/// The row whose first value starts at `at`.
fn row(bytes: &[u8], mut at: usize, column: usize) -> Option<Row> {
    let (mut number, mut depth, mut value) = (0, 0usize, None);
    loop {
        match *bytes.get(at)? {
            b'\'' => {
                let end = string_end(bytes, at + 1)?;
                if number == column && depth == 0 && end > at + 1 {
                    value = Some(Span::new(at + 1, end));
                }
                at = end;
            }
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(Row { value, end: at + 1 }),
            b')' => depth -= 1,
            b',' if depth == 0 => number += 1,
            b';' => return None,
            _ => {}
        }
        at += 1;
    }
}

/// The closing quote of the string that starts at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 1,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 1,
            b'\'' => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finds, ignores, text};
    use crate::rule::format::Format::SqlInsert;

    #[test]
    fn the_named_column_is_read() {
        let pw = text("${alnum:14}");
        for form in [
            format!("INSERT INTO `users` (`id`, `email`, `password`) VALUES (1, 'a@b.io', '{pw}');"),
            format!("insert into users(login,passwd,active) values ('me','{pw}',1),('you','x',0);"),
            format!("INSERT INTO u (name, user_pass, at) VALUES\n('it''s, me', '{pw}', now());"),
            format!("INSERT INTO u (a, password) VALUES (f(1, 2), N'{pw}');"),
            format!("INSERT INTO u (a, password) VALUES (1, NULL), (2, ''), (3, '{pw}');"),
        ] {
            finds(SqlInsert, &[], &form, &pw);
        }
    }

    #[test]
    fn hashes_other_columns_and_parameters_are_none() {
        let pw = text("${alnum:14}");
        for form in [
            format!("INSERT INTO users VALUES (1, 'a@b.io', '{pw}');"),
            format!("INSERT INTO users (id, password_hint, mail) VALUES (1, '{pw}', 'x');"),
            text("INSERT INTO users (id, password) VALUES (1, '${lowerhex:40}');"),
            text("INSERT INTO users (id, password) VALUES (1, '${alnum:43}=');"),
            text("INSERT INTO users (id, password) VALUES (1, '${shape:'$2y$10$' alnum{53}}');"),
            "INSERT INTO users (id, password) VALUES (?, ?);".to_owned(),
            "INSERT INTO users (id, password) VALUES (1, '$1');".to_owned(),
            "INSERT INTO users (id, password) SELECT id, password FROM old;".to_owned(),
            "INSERT INTO users (id, password) VALUES (1, 'unclosed".to_owned(),
        ] {
            ignores(SqlInsert, &[], &form);
        }
    }
}
