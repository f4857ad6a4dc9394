//! Passwords in SQL: `IDENTIFIED BY '…'`, `CREATE USER … PASSWORD '…'`, `PASSWORD('…')`.
//!
//! `PASSWORD` alone is a column; it counts only when the statement on its left creates or
//! changes a user, role or login. Hashes (`IDENTIFIED BY PASSWORD`, `VALUES`, `AS`) are no
//! passwords.

use crate::finding::Span;

use super::value::judge;
use super::{Hit, at_word_start, run, word_at};

/// How far left of `PASSWORD` the statement may begin.
const STATEMENT: usize = 300;

/// How far left of a bare word its statement may begin.
const NEAR: usize = 120;

/// Longest password.
const MAX_PASSWORD: usize = 256;

/// Shortest password.
const MIN_PASSWORD: usize = 3;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    if !at_word_start(bytes, at) {
        return None;
    }
    let value = if word_at(bytes, at, b"identified by") {
        if !is_statement(&bytes[at.saturating_sub(STATEMENT)..at]) {
            return None;
        }
        spaces(bytes, at + 13)
    } else if word_at(bytes, at, b"identified with") {
        behind_plugin(bytes, at + 15)?
    } else {
        behind_password(bytes, at)?
    };
    let (secret, end) = quoted(bytes, value).or_else(|| unquoted(bytes, at, value))?;
    let text = secret.of(bytes);
    if text.len() < MIN_PASSWORD || text.iter().any(|b| b.is_ascii_whitespace()) || text == b"?" {
        return None;
    }
    Hit::new(Span::new(at, end), secret).judged_password(judge(text), text)
}

/// Whether `before` can be the start of a statement about a user: prose has things identified by
/// names, too.
fn is_statement(before: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [b"user", b"grant", b"alter", b"role", b"login", b"create", b" to ", b"@"];
    let lower = before.to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// The first byte from `at` on that is no blank or line end (32 at most are skipped).
fn spaces(bytes: &[u8], at: usize) -> usize {
    at + run(bytes, at, 32, |b| b.is_ascii_whitespace())
}

/// `IDENTIFIED WITH plugin BY`: where the value starts.
fn behind_plugin(bytes: &[u8], at: usize) -> Option<usize> {
    let plugin = spaces(bytes, at);
    let name = run(bytes, plugin, 64, |b| b.is_ascii_alphanumeric() || b"_'\"`".contains(&b));
    let by = spaces(bytes, plugin + name);
    (name > 0 && word_at(bytes, by, b"by ")).then(|| spaces(bytes, by + 2))
}

/// `PASSWORD`, in a statement about users: where the value starts.
fn behind_password(bytes: &[u8], at: usize) -> Option<usize> {
    let before = &bytes[at.saturating_sub(STATEMENT)..at];
    let before = before.iter().rposition(|&b| b == b';').map_or(before, |i| &before[i + 1..]);
    let lower = before.to_ascii_lowercase();
    let has = |text: &str| memchr::memmem::rfind(&lower, text.as_bytes());
    let verb = ["create ", "alter ", "set password"].iter().filter_map(|verb| has(verb)).max()?;
    let object = [" user ", " role ", " login ", "password for", "set password"]
        .iter()
        .filter_map(|o| has(o))
        .max()?;
    let is_hash = lower.trim_ascii_end().ends_with(b"identified by") || has(" or replace function").is_some();
    // A quote, dot or equals sign before the word: a string or a column, not the clause.
    let clause = before.is_empty()
        || before.ends_with(b" ")
        || before.ends_with(b"\n")
        || before.ends_with(b"\t")
        || before.ends_with(b"=");
    if object + 1 < verb || is_hash || !clause {
        return None;
    }
    let mut value = spaces(bytes, at + b"password".len());
    for mark in [b'=', b'('] {
        if bytes.get(value) == Some(&mark) {
            value = spaces(bytes, value + 1);
        }
    }
    // T-SQL's national string constants.
    let national = matches!(bytes.get(value), Some(b'N' | b'n')) && bytes.get(value + 1) == Some(&b'\'');
    Some(if national { value + 1 } else { value })
}

/// The text between quotes at `start`, whose quotes may be escaped or doubled.
fn quoted(bytes: &[u8], start: usize) -> Option<(Span, usize)> {
    let escape = run(bytes, start, 3, |b| b == b'\\');
    let quote = *bytes.get(start + escape).filter(|b| matches!(b, b'\'' | b'"'))?;
    let doubled = escape == 0 && bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) != Some(&quote);
    let inside = start + escape + 1 + usize::from(doubled);
    let length = run(bytes, inside, MAX_PASSWORD, |b| b != quote && b != b'\\' && b != b'\n');
    let end = inside + length;
    let closes =
        bytes.get(end + escape) == Some(&quote) && bytes[end..end + escape].iter().all(|&b| b == b'\\');
    closes.then(|| (Span::new(inside, end), end + escape + 1))
}

/// Oracle's bare word behind `IDENTIFIED BY`, in a statement about a user.
fn unquoted(bytes: &[u8], at: usize, start: usize) -> Option<(Span, usize)> {
    const WORDS: [&[u8]; 7] = [b"values", b"password", b"random", b"externally", b"globally", b"the", b"a"];
    if !word_at(bytes, at, b"identified by") {
        return None;
    }
    let before = bytes[at.saturating_sub(NEAR)..at].to_ascii_lowercase();
    let before = before.iter().rposition(|b| b";',".contains(b)).map_or(&before[..], |i| &before[i + 1..]);
    let about_user = ["create user ", "alter user ", "create role ", "alter role "];
    if !about_user.iter().any(|text| memchr::memmem::find(before, text.as_bytes()).is_some()) {
        return None;
    }
    let length = run(bytes, start, MAX_PASSWORD, |b| b.is_ascii_alphanumeric() || b"_$#".contains(&b));
    let word = &bytes[start..start + length];
    let ends = matches!(bytes.get(start + length), None | Some(b';' | b' ' | b'\n' | b'\r' | b'"' | b'\''));
    let is_value = ends && !WORDS.iter().any(|w| word.eq_ignore_ascii_case(w));
    (length > 0 && is_value).then(|| (Span::new(start, start + length), start + length))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, ignores, text};
    use crate::rule::format::Format::SqlPassword;

    #[test]
    fn prose_identifies_by_names() {
        let pw = text("${alnum:14}");
        ignores(SqlPassword, &[], &format!("the code object of the module identified by '{pw}'"));
        finds(SqlPassword, &[], &format!("GRANT ALL ON x.* TO acme IDENTIFIED BY '{pw}'"), &pw);
    }

    #[test]
    fn statements_of_every_database() {
        let pw = text("${alnum:14}");
        let forms = [
            format!("CREATE USER 'app'@'%' IDENTIFIED BY '{pw}';"),
            format!("GRANT ALL ON x.* TO 'app'@'%' identified by \"{pw}\""),
            format!("CREATE USER app IDENTIFIED WITH mysql_native_password BY '{pw}'"),
            format!("CREATE USER app IDENTIFIED BY {pw};"),
            format!("CREATE USER app WITH PASSWORD '{pw}';"),
            format!("CREATE ROLE app LOGIN PASSWORD '{pw}';"),
            format!("ALTER USER app WITH ENCRYPTED PASSWORD '{pw}'"),
            format!("CREATE LOGIN app WITH PASSWORD = '{pw}'"),
            format!("CREATE LOGIN app WITH PASSWORD=N'{pw}', DEFAULT_DATABASE=x"),
            format!("CREATE LOGIN app WITH PASSWORD='{pw}'"),
            format!("SET PASSWORD FOR 'app'@'%' = PASSWORD('{pw}')"),
            format!("psql -c \"CREATE USER app WITH PASSWORD '{pw}'\""),
            format!("\"CREATE USER app IDENTIFIED BY \\\"{pw}\\\"\""),
            format!("'CREATE USER app IDENTIFIED BY ''{pw}'' '"),
            format!("ALTER USER app\n  PASSWORD '{pw}'"),
        ];
        for form in forms {
            finds(SqlPassword, &[], &form, &pw);
        }
    }

    #[test]
    fn columns_hashes_and_templates() {
        let pw = text("${alnum:14}");
        let texts = [
            format!("SELECT * FROM u WHERE password = '{pw}'"),
            format!("INSERT INTO u (password) VALUES ('{pw}')"),
            format!("CREATE USER a; SELECT 1 WHERE password = '{pw}'"),
            "CREATE TABLE user (password varchar(20))".to_owned(),
            text("CREATE USER a IDENTIFIED BY PASSWORD '*${upperhex:40}'"),
            text("CREATE USER a IDENTIFIED BY VALUES '${upperhex:16}'"),
            text("CREATE USER a IDENTIFIED WITH x AS '${upperhex:40}'"),
            "CREATE USER a IDENTIFIED BY '${pw}'".to_owned(),
            "CREATE USER a IDENTIFIED BY '%s'".to_owned(),
            "CREATE USER a IDENTIFIED BY '\" + pw + \"'".to_owned(),
            "CREATE USER a IDENTIFIED BY '".to_owned(),
            "CREATE USER a IDENTIFIED BY RANDOM PASSWORD".to_owned(),
            "was identified by kx93mvq yesterday".to_owned(),
            "ALTER USER a PASSWORD :pw".to_owned(),
            "ALTER USER a PASSWORD '{{ pw }}'".to_owned(),
        ];
        for text in texts {
            ignores(SqlPassword, &[], &text);
        }
        doubts(SqlPassword, &[], "CREATE USER a IDENTIFIED BY 'password'");
    }
}
