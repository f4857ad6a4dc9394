//! Passwords handed over by position: `mysqli_connect("host", "user", "password")`.
//!
//! No name stands next to such a value; the function tells which argument it is.

use crate::finding::Span;

use super::value::judge;
use super::{Hit, run, word_at};

/// Functions as they are written before their bracket, and the number of the password argument.
const CALLS: &[(&[u8], usize)] = &[
    (b"mysqli_connect(", 2),
    (b"mysqli_real_connect(", 3),
    (b"mysql_connect(", 2),
    (b"mysql_pconnect(", 2),
    (b"new mysqli(", 2),
    (b"new pdo(", 2),
    (b"getconnection(", 2),
    (b"basicauth(", 1),
    (b".login(", 1),
    (b"auth=(", 1),
    (b"networkcredential(", 1),
    (b"passwordauthentication(", 1),
    (b"usernamepasswordcredentials(", 1),
    (b"usernamepasswordtoken(", 1),
    (b"plainauth(", 2),
];

/// How far the bracket may be from its closing twin.
const REACH: usize = 600;
/// Shortest password.
const MIN_PASSWORD: usize = 4;
/// Longest password.
const MAX_PASSWORD: usize = 128;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    let &(name, wanted) = CALLS.iter().find(|(name, _)| word_at(bytes, at, name))?;
    let mut place = at + name.len();
    let end = bytes.len().min(place + REACH);
    for number in 0..=wanted {
        let argument = argument(bytes, place, end)?;
        if number == wanted {
            return credential(bytes, at, argument);
        }
        if bytes.get(argument.end) != Some(&b',') || argument.is_empty() {
            return None;
        }
        place = argument.end + 1;
    }
    None
}

/// The argument at `from`, without blanks around it; what ends it stands right behind.
fn argument(bytes: &[u8], from: usize, end: usize) -> Option<Span> {
    let start = from + run(bytes, from, 64, |b| b.is_ascii_whitespace());
    let mut depth = 0usize;
    let mut i = start;
    while i < end {
        match bytes[i] {
            quote @ (b'"' | b'\'') => i = closing(bytes, i, end, quote)?,
            b'(' | b'[' => depth += 1,
            b')' | b']' if depth > 0 => depth -= 1,
            b',' | b')' | b']' if depth == 0 => return Some(Span::new(start, i)),
            b';' | b'{' | b'}' => return None,
            _ => {}
        }
        i += 1;
    }
    None
}

/// Where the text that `quote` opens at `from` is closed.
fn closing(bytes: &[u8], from: usize, end: usize, quote: u8) -> Option<usize> {
    let mut i = from + 1;
    while i < end {
        match bytes[i] {
            b'\\' => i += 1,
            b'\n' => return None,
            byte if byte == quote => return Some(i),
            _ => {}
        }
        i += 1;
    }
    None
}

/// A literal that is the whole `argument`.
fn credential(bytes: &[u8], at: usize, argument: Span) -> Option<Hit> {
    let text = argument.of(bytes).trim_ascii_end();
    let &quote = text.first().filter(|b| matches!(b, b'"' | b'\''))?;
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    let whole = text.last() == Some(&quote) && !inner.contains(&quote) && !inner.contains(&b' ');
    if !whole || !(MIN_PASSWORD..=MAX_PASSWORD).contains(&inner.len()) {
        return None;
    }
    let start = argument.start + 1;
    let secret = Span::new(start, start + inner.len());
    Hit::new(Span::new(at, secret.end), secret).judged(judge(inner))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{doubts, finds, ignores, text};
    use crate::rule::format::Format::LoginCall;

    #[test]
    fn every_function() {
        let pw = text("${alnum:12}");
        let forms = [
            format!("$c = mysqli_connect('db2.acme.net', 'acme1', '{pw}', 'shop');"),
            format!("$c = mysqli_connect(\"localhost\",\"root\",\"{pw}\");"),
            format!("mysqli_real_connect($link, $host, 'acme', '{pw}', 'shop')"),
            format!("$db = new mysqli($host, \"acme\", \"{pw}\", \"shop\");"),
            format!("new PDO('mysql:host=h;dbname=d', 'acme', '{pw}', [PDO::X => 1])"),
            format!("DriverManager.getConnection(url(1, 2), \"acme\", \"{pw}\");"),
            format!("requests.get(u, auth=HTTPBasicAuth('acme', '{pw}'))"),
            format!("requests.get(u, auth=('acme', '{pw}'))"),
            format!("server.login(\"me@acme.io\", \"{pw}\")"),
            format!("new NetworkCredential(\"me@acme.io\", \"{pw}\")"),
            format!("return new PasswordAuthentication(\"acme\", \"{pw}\");"),
            format!("new UsernamePasswordCredentials(\"acme\", \"{pw}\")"),
            format!("smtp.PlainAuth(\"\", \"me@acme.io\", \"{pw}\", host)"),
            format!("mysql_connect(\n    'h',\n    'u',\n    '{pw}'\n)"),
        ];
        for form in forms {
            finds(LoginCall, &[], &form, &pw);
        }
    }

    #[test]
    fn variables_empty_texts_and_other_places() {
        let pw = text("${alnum:12}");
        let texts = [
            "mysqli_connect($host, $user, $pass, $db)".to_owned(),
            "mysqli_connect('localhost', 'root', '', 'shop')".to_owned(),
            "mysqli_connect('localhost', 'root', getenv('PW'), 'shop')".to_owned(),
            "getConnection(url, user, password)".to_owned(),
            "app.login('acme', callback)".to_owned(),
            "page.login('Your name', 'Your text here')".to_owned(),
            format!("mysqli_connect('{pw}')"),
            format!("f.login(a, {{ b: '{pw}' }})"),
            format!("auth=('acme', '{pw}' + salt)"),
        ];
        for text in texts {
            ignores(LoginCall, &[], &text);
        }
        doubts(LoginCall, &[], "smtp.login('user', 'password')");
    }
}
