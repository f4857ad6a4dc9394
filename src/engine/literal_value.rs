//! The value to the right of a password-like name, and what is no value at all.

use super::value::Value;
use super::vocabulary::{Texts, WordSet};
use super::{fallback, look_alike, typing};
use crate::finding::Span;
use crate::rule::NameClass;
use crate::rule::class::ByteSet;

/// Bytes of an identifier looked at on either side of the word in it.
const MAX_IDENT: usize = 64;
/// Blanks, brackets and type annotation between a name and its separator.
const MAX_GAP: usize = 48;
/// Most bytes of a value on this way.
const MAX_VALUE: usize = 256;

/// A name with the value on its right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) ident: Span,
    pub(super) value: Value,
    pub(super) is_call: bool,
    pub(super) is_compared: bool,
}

const IDENT: ByteSet = ByteSet::WORD.with_range(0x80, 0xFF);

#[inline]
fn is_ident(byte: u8) -> bool {
    IDENT.has(byte)
}

/// Reads the identifier around the `len` bytes at `at`, its separator and its value.
pub(super) fn right_of(bytes: &[u8], at: usize, len: usize) -> Option<Named> {
    let ident = ident_around(bytes, at, len)?;
    if let Some(named) = typing::into_field(bytes, ident) {
        return Some(named);
    }
    let (mut i, quoted_name) = skip_closing(bytes, ident.end);
    let limit = bytes.len().min(ident.end + MAX_GAP);
    if let Some((from, sep)) = value_elsewhere(bytes, ident, i, quoted_name) {
        let value = value_at(bytes, from, ident, sep)?;
        let fallback = sep == b'|' && value.quote.is_none();
        return (!fallback).then_some(Named { ident, value, is_call: false, is_compared: false });
    }
    let (mut is_call, mut is_compared) = (false, false);
    let byte = *bytes.get(i)?;
    let next = bytes.get(i + 1).copied().unwrap_or(0);
    match (byte, next) {
        (b'=' | b'!', b'=') => {
            is_compared = true;
            i += 2;
            i += usize::from(bytes.get(i) == Some(&b'='));
        }
        (b'=', b'>') | (b':' | b'?' | b'+', b'=') => i += 2,
        (b'=', _) => i += 1,
        (b':', b':') => return None,
        (b':', _) => i = annotation(bytes, i + 1, limit),
        (b'(', _) => {
            is_call = true;
            i += 1;
        }
        (b',', _) if quoted_name && is_first_argument(bytes, ident) => i += 1,
        (b'>', _) if is_tag(bytes, ident) || quoted_name && is_named_element(bytes, ident) => i += 1,
        // `--password-stdin` takes no value.
        (b' ', _) if is_flag(bytes, ident) && !ident.of(bytes).ends_with(b"-stdin") => i += 1,
        _ => return None,
    }
    if let Some(at) = fallback::behind(bytes, i).filter(|_| matches!(byte, b'=' | b':') && !is_compared) {
        let value = quoted(bytes, at + 1, bytes[at], false)?;
        return Some(Named { ident, value, is_call, is_compared });
    }
    let value = value_at(bytes, i, ident, byte)?;
    let listed = matches!(byte, b',' | b'(') && is_word_of_list(bytes, value)
        || byte == b':' && (is_key(bytes, value) || is_outcome(bytes, ident, value));
    (!listed).then_some(Named { ident, value, is_call, is_compared })
}

/// `"password": "identifier": true`: a path of keys, as CUE has them.
fn is_key(bytes: &[u8], value: Value) -> bool {
    value.quote.is_some() && bytes.get(value.end + 1) == Some(&b':')
}

/// `# PASS: volume-0 is bound`: how a check ends, and what it says.
fn is_outcome(bytes: &[u8], ident: Span, value: Value) -> bool {
    let behind = bytes.get(value.end..).unwrap_or_default();
    value.quote.is_none()
        && ident.of(bytes) == b"PASS"
        && behind.first() == Some(&b' ')
        && behind.get(1).is_some_and(u8::is_ascii_alphanumeric)
}

/// `compact("password", "title", "name")`: a word with more of its kind behind it.
fn is_word_of_list(bytes: &[u8], value: Value) -> bool {
    let word = value.of(bytes).iter().all(|&b| b.is_ascii_alphabetic() || b == b'_');
    let behind = bytes.get(value.end + 1..).unwrap_or_default();
    let next =
        behind.strip_prefix(b",").and_then(|next| next.iter().take(8).find(|b| !b.is_ascii_whitespace()));
    word && matches!(next, Some(b'"' | b'\'' | b'`'))
}

/// Where the value starts when no plain separator follows the name, and what stands for one:
/// `<add key="NAME" value="…"`, `name: NAME` with `value:` on the next line, `Dim NAME As String =`,
/// `NAME <- "…"`, `env.NAME || "…"`.
fn value_elsewhere(bytes: &[u8], ident: Span, i: usize, quoted_name: bool) -> Option<(usize, u8)> {
    let blanks =
        |at: usize| bytes[at..].iter().take(MAX_GAP).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let next = i + blanks(i);
    let rest = &bytes[next..];
    if quoted_name && rest.starts_with(b"value=") {
        return Some((next + 6, b'='));
    }
    if let Some(from) = next_line_value(bytes, ident, next) {
        return Some((from, b':'));
    }
    // `the password is "…"`
    if rest.starts_with(b"is ") && next > ident.end {
        return Some((next + 3, b'|'));
    }
    // `Enter password for [elastic]: …`
    if rest.starts_with(b"for [") {
        let end = rest.iter().take(MAX_GAP).position(|&b| b == b']')?;
        return rest[end..].starts_with(b"]: ").then_some((next + end + 3, b' '));
    }
    if rest.starts_with(b"||") || rest.starts_with(b"??") || rest.starts_with(b"<-") {
        return Some((next + 2, b'|'));
    }
    if rest.len() > 3 && rest[..3].eq_ignore_ascii_case(b"as ") {
        let word = rest[3..].iter().take(24).take_while(|&&b| is_ident(b)).count();
        let equals = next + 3 + word + blanks(next + 3 + word);
        return (word > 0 && bytes.get(equals) == Some(&b'=')).then_some((equals + 1, b'|'));
    }
    None
}

/// `- name: NAME`, and on the next line `value: …`.
fn next_line_value(bytes: &[u8], ident: Span, end: usize) -> Option<usize> {
    if !matches!(bytes.get(end), Some(b'\n' | b'\r')) {
        return None;
    }
    let before = bytes[ident.start.saturating_sub(MAX_GAP)..ident.start].trim_ascii_end();
    let before = before.strip_suffix(b"\"").unwrap_or(before);
    if !before.ends_with(b"name:") {
        return None;
    }
    let line = bytes[end..].iter().take(2).take_while(|b| matches!(b, b'\n' | b'\r')).count() + end;
    let start = line + bytes[line..].iter().take(64).take_while(|b| matches!(b, b' ' | b'\t')).count();
    bytes[start..].starts_with(b"value:").then_some(start + 6)
}

fn ident_around(bytes: &[u8], at: usize, len: usize) -> Option<Span> {
    let floor = at.saturating_sub(MAX_IDENT);
    let mut start = at;
    while start > floor && joins(bytes, start - 1) {
        start -= 1;
    }
    let ceiling = bytes.len().min(at + len + MAX_IDENT);
    let mut end = at + len;
    while end < ceiling && joins(bytes, end) {
        end += 1;
    }
    // Longer than any identifier: data that happens to hold the word.
    let cut = start == floor && floor > 0 && is_ident(bytes[start - 1])
        || end == ceiling && end < bytes.len() && is_ident(bytes[end]);
    (!cut).then_some(Span::new(start, end))
}

/// Whether the byte at `i` belongs to an identifier: a word byte, or a `-`/`.` between two.
fn joins(bytes: &[u8], i: usize) -> bool {
    let word = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(|&b| is_ident(b));
    is_ident(bytes[i]) || matches!(bytes[i], b'-' | b'.') && word(i.checked_sub(1)) && word(i.checked_add(1))
}

/// Skips the quote or bracket that closes a name, and blanks; whether there was a quote.
fn skip_closing(bytes: &[u8], mut i: usize) -> (usize, bool) {
    let mut quoted = false;
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'"' | b'\'' | b'`' => quoted = true,
            b'\\' if matches!(bytes.get(i + 1), Some(b'"' | b'\'')) => {}
            b']' | b'}' => {}
            b' ' | b'\t'
                if matches!(
                    bytes.get(i + 1),
                    Some(b' ' | b'\t' | b'=' | b':' | b'?' | b'+' | b'!' | b'|' | b'>')
                ) => {}
            _ => break,
        }
        i += 1;
    }
    (i, quoted)
}

/// Behind `:` there may be a type and a `=`: `password: String = "…"`.
fn annotation(bytes: &[u8], from: usize, limit: usize) -> usize {
    let type_byte = |b: u8| {
        is_ident(b) || matches!(b, b' ' | b'&' | b'<' | b'>' | b'?' | b'.' | b'\'' | b'|' | b'[' | b']')
    };
    let mut i = from;
    while i < limit && type_byte(bytes[i]) {
        i += 1;
    }
    let typed = i < limit && i > from + 1 && bytes[i] == b'=' && bytes.get(i + 1) != Some(&b'=');
    if typed { i + 1 } else { from }
}

/// `put("password", …`: the quoted name is the first argument of a call, not one word of a list.
fn is_first_argument(bytes: &[u8], ident: Span) -> bool {
    let before = bytes[..ident.start]
        .iter()
        .rev()
        .take(4)
        .find(|b| !matches!(b, b'"' | b'\'' | b'`' | b'\\' | b' ' | b'#'));
    before == Some(&b'(')
}

/// `<password>` opens an element.
fn is_tag(bytes: &[u8], ident: Span) -> bool {
    ident.start > 0 && bytes[ident.start - 1] == b'<'
}

/// `<property name="password">` and `<entry key='password'>` open an element, too.
fn is_named_element(bytes: &[u8], ident: Span) -> bool {
    let before = bytes[..ident.start].strip_suffix(b"\"").or_else(|| bytes[..ident.start].strip_suffix(b"'"));
    before.is_some_and(|before| before.ends_with(b"name=") || before.ends_with(b"key="))
}

/// `--password v`, `ENV PASSWORD v`.
fn is_flag(bytes: &[u8], ident: Span) -> bool {
    let before = &bytes[..ident.start];
    before.ends_with(b"--") || before.ends_with(b"ENV ")
}

fn value_at(bytes: &[u8], from: usize, ident: Span, sep: u8) -> Option<Value> {
    let mut i = from;
    while matches!(bytes.get(i), Some(b' ' | b'\t')) {
        i += 1;
    }
    if i - from > 24 {
        return None;
    }
    let escaped = bytes.get(i) == Some(&b'\\');
    let mut quote_at = i + usize::from(escaped);
    if matches!(bytes.get(quote_at), Some(b'b' | b'r' | b'u' | b'f' | b'L' | b'@' | b'$'))
        && matches!(bytes.get(quote_at + 1), Some(b'"' | b'\''))
    {
        quote_at += 1;
    }
    if let Some(inside) = hashed_literal(bytes, i) {
        return quoted(bytes, inside + 1, bytes[inside], false);
    }
    if let Some(inside) = first_of_list(bytes, i) {
        let value = quoted(bytes, inside + 1, bytes[inside], false)?;
        let text = value.of(bytes);
        let same = text.len() >= 4 && ident.of(bytes).starts_with(&text[..4]);
        return (!same && text.iter().any(u8::is_ascii_digit)).then_some(value);
    }
    match bytes.get(quote_at) {
        Some(&quote @ (b'"' | b'\'' | b'`')) => quoted(bytes, quote_at + 1, quote, escaped),
        Some(_) if !escaped && matches!(sep, b'=' | b':' | b' ' | b'>') => bare(bytes, i, ident, sep),
        _ => None,
    }
}

/// Where the first quote opens in `{"…", "…"}` or `["…"]`: several passwords under one name.
fn first_of_list(bytes: &[u8], at: usize) -> Option<usize> {
    if !matches!(bytes.get(at), Some(b'{' | b'[')) {
        return None;
    }
    let blanks = bytes[at + 1..].iter().take(4).take_while(|&&b| b == b' ').count();
    matches!(bytes.get(at + 1 + blanks), Some(b'"' | b'\'')).then_some(at + 1 + blanks)
}

/// Longest call around a literal that is looked through.
const MAX_CALL: usize = 64;

/// Where the quote opens in `encoder.encode("…")`, `Hash::make('…')`, `await bcrypt.hash("…", 10)`:
/// a literal that is hashed on the spot is a password all the same.
fn hashed_literal(bytes: &[u8], at: usize) -> Option<usize> {
    static HASHES: Texts = Texts::new(&["encode", "hash", "crypt", "make", "md5", "sha1", "sha256"]);
    let inner = |b: u8| is_ident(b) || b" .:>-()$".contains(&b);
    let len = bytes[at..].iter().take(MAX_CALL).take_while(|&&b| inner(b)).count();
    let call = &bytes[at..at + len];
    let quote = at + len;
    let function = call.strip_suffix(b"(")?;
    let name = function.iter().rposition(|&b| !is_ident(b)).map_or(0, |i| i + 1);
    let opens = matches!(bytes.get(quote), Some(b'"' | b'\''));
    // `password.encode("utf-8")` names a charset.
    static ENCODERS: Texts = Texts::new(&["encoder", "crypt", "hash"]);
    if function[name..].eq_ignore_ascii_case(b"encode") && !ENCODERS.are_in_any_case_in(&function[..name]) {
        return None;
    }
    (opens && HASHES.are_in_any_case_in(&function[name..])).then_some(quote)
}

pub(super) fn quoted(bytes: &[u8], start: usize, quote: u8, escaped: bool) -> Option<Value> {
    // A triple quote opens a text, not a value.
    if bytes.get(start) == Some(&quote) {
        return None;
    }
    let ceiling = bytes.len().min(start + MAX_VALUE);
    let mut i = start;
    while i < ceiling {
        match bytes[i] {
            b'\\' if escaped && bytes.get(i + 1) == Some(&quote) => break,
            b'\\' => i += 2,
            b'\n' | b'\r' => return None,
            byte if byte == quote => break,
            _ => i += 1,
        }
    }
    if i >= ceiling || i == start {
        return None;
    }
    // `"a" + b`: an expression, unless it ends there.
    let behind = bytes.get(i + 1 + usize::from(escaped)..).unwrap_or_default();
    let at = behind.iter().take(MAX_GAP).position(|b| !matches!(b, b' ' | b'\t'));
    let after = at.map(|at| behind[at]);
    // A full stop ends a sentence.
    let stops =
        after == Some(b'.') && at.and_then(|at| behind.get(at + 1)).is_none_or(|b| b.is_ascii_whitespace());
    let goes_on = !stops && matches!(after, Some(b'+' | b'%' | b'.' | b'?'));
    (!goes_on).then_some(Value { start, end: i, quote: Some(quote) })
}

/// An unquoted value: only where a whole line says `name = value`, in a query, or in an element.
fn bare(bytes: &[u8], start: usize, ident: Span, sep: u8) -> Option<Value> {
    let ceiling = bytes.len().min(start + MAX_VALUE);
    let stops = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<' | b'\\');
    let len = bytes[start..ceiling].iter().position(|&b| stops(b)).unwrap_or(ceiling - start);
    let mut end = start + len;
    if end == ceiling && ceiling < bytes.len() {
        return None;
    }
    let before = ident.start.checked_sub(1).map(|i| bytes[i]);
    let query = matches!(before, Some(b'?' | b'&')) && sep == b'=';
    if query {
        let cut = bytes[start..end].iter().position(|&b| matches!(b, b'&' | b'#' | b')' | b';' | b','));
        end = start + cut.unwrap_or(end - start);
        return (end > start).then_some(Value { start, end, quote: None });
    }
    let element = sep == b'>' && bytes.get(end) == Some(&b'<');
    // `docker run -e DB_PASSWORD=v image`, `PGPASSWORD=v psql -h db`
    let opened = bytes[..ident.start].strip_suffix(b"\"").unwrap_or(&bytes[..ident.start]);
    let variable = [&b" -e "[..], b" --env ", b" --env="].iter().any(|f| opened.ends_with(f))
        || goes_with_command(bytes, ident, end);
    let flag = sep == b' ' || before == Some(b'-') || variable && sep == b'=';
    if (sep == b' ' || before == Some(b'-')) && is_sentence(bytes, start, end) {
        return None;
    }
    let code_span = before == Some(b'`') && bytes.get(end) == Some(&b'`');
    let whole_line = starts_line(bytes, ident) && ends_line(bytes, end) || value_below(bytes, ident, start);
    if !(element || flag || whole_line || code_span) {
        return None;
    }
    let value = &bytes[start..end];
    (!looks_like_code(value)).then_some(Value { start, end, quote: None })
}

/// `PGPASSWORD=v psql …`: a variable in capitals at the start of a command that has its own name.
fn goes_with_command(bytes: &[u8], ident: Span, end: usize) -> bool {
    let capitals = ident.of(bytes).iter().all(|&b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit());
    let command = bytes.get(end) == Some(&b' ')
        && bytes.get(end + 1).is_some_and(|&b| b.is_ascii_lowercase() || matches!(b, b'.' | b'/'));
    let shell = bytes[..ident.start].strip_suffix(b"!").map_or(ident.start, <[u8]>::len);
    capitals && command && starts_line(bytes, Span::new(shell, ident.end))
}

/// Words that follow a flag which is spoken of.
static SPOKEN: WordSet = WordSet::new(&[
    "requires",
    "argument",
    "arguments",
    "option",
    "options",
    "flag",
    "flags",
    "parameter",
    "must",
    "cannot",
    "needs",
    "and",
    "or",
    "with",
    "from",
]);

/// `--password suffers from the same`: a word among words.
fn is_sentence(bytes: &[u8], start: usize, end: usize) -> bool {
    SPOKEN.has(bytes[start..end].strip_suffix(b".").unwrap_or(&bytes[start..end]))
        || bytes[start..end].iter().all(u8::is_ascii_lowercase)
            && bytes.get(end) == Some(&b' ')
            && bytes.get(end + 1).is_some_and(|&b| b.is_ascii_alphabetic() || b == b'`')
}

/// The value stands on the line below its name ([`next_line_value`]), alone.
fn value_below(bytes: &[u8], ident: Span, start: usize) -> bool {
    bytes[ident.end..start].contains(&b'\n')
}

/// Only indentation, a list dash, a comment sign or `export`/`set`/`ENV` stand before the name.
fn starts_line(bytes: &[u8], ident: Span) -> bool {
    let floor = ident.start.saturating_sub(MAX_GAP);
    let line = match bytes[floor..ident.start].iter().rposition(|&b| b == b'\n') {
        Some(newline) => &bytes[floor + newline + 1..ident.start],
        None if floor == 0 => &bytes[..ident.start],
        None => return false,
    };
    let text = line.trim_ascii();
    let lead = text
        .iter()
        .all(|b| matches!(b, b'#' | b'/' | b'-' | b'*' | b';' | b' ' | b'"' | b'\'' | b'$' | b'<'));
    lead || matches!(
        text,
        b"export" | b"set" | b"setx" | b"ENV" | b"ARG" | b"SET" | b"env" | b"- export" | b"RUN export"
    )
}

fn ends_line(bytes: &[u8], end: usize) -> bool {
    let rest = bytes[end..].iter().take(MAX_GAP).find(|b| !matches!(b, b' ' | b'\t' | b'\r'));
    matches!(rest, None | Some(b'\n' | b'#')) || bytes[end..].starts_with(b"\\n")
}

/// References, calls, indexing, statements: the right side of code, not a value.
fn looks_like_code(value: &[u8]) -> bool {
    let bracket = value.iter().any(|b| matches!(b, b'(' | b')' | b'[' | b']' | b'{' | b'}'));
    let ends = matches!(value.last(), Some(b';' | b',' | b'\\'));
    let chain = value.contains(&b'.')
        && value.iter().all(|&b| is_ident(b) || b == b'.')
        && value.split(|&b| b == b'.').all(|part| part.first().is_some_and(|b| !b.is_ascii_digit()));
    let arrow = value.windows(2).any(|pair| pair == b"->" || pair == b"=>" || pair == b"::");
    let member = value.starts_with(b"this.") || memchr::memmem::find(value, b"__WEBPACK_").is_some();
    member || bracket || ends || chain || arrow
}

/// Words that are values of a language, not of a secret.
static SCALARS: WordSet = WordSet::new(&[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "nil",
    "none",
    "undefined",
    "nan",
    "string",
    "str",
    "int",
    "integer",
    "bool",
    "boolean",
    "any",
    "void",
    "object",
    "self",
    "this",
    "new",
    "function",
    "required",
    "optional",
    "text",
    "bytes",
    "number",
    "float",
    "char",
    "varchar",
    "type",
    "map",
    "list",
    "array",
    "dict",
    "disabled",
    "enabled",
    "auto",
    "default",
    "never",
    "always",
    "prompt",
    "ask",
    "plain",
    "basic",
    "bearer",
    "password",
    "secret",
    "token",
    "saml",
    "oauth",
    "oauth2",
    "ldap",
    "md5",
    "sha1",
    "sha256",
    "bcrypt",
    "empty",
    "unset",
    "inherit",
    // Encodings.
    "utf8",
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "utf_16_le",
    "ascii",
    "latin1",
    "latin-1",
    "iso-8859-1",
]);

/// Whether `value` is a template, a scalar, a stored hash, a UUID, a path: anything but a literal
/// secret.
pub(super) fn is_no_literal(value: &[u8], class: NameClass, quoted: bool) -> bool {
    value.len() < 4
        || is_template(value)
        || is_scalar(value)
        || is_stored_form(value)
        || is_path(value)
        || !value.iter().all(|&b| b >= 0x20 && b != 0x7F)
        || is_uuid(value)
            && !matches!(class, NameClass::Password | NameClass::Secret | NameClass::Token | NameClass::Key)
        || !quoted
            && value.iter().all(|&b| is_ident(b))
            && !value.iter().any(u8::is_ascii_digit)
            && class != NameClass::Password
        || is_prose(value)
        || is_address(value)
        || is_numbering(value)
        || is_escaped_text(value)
        || is_public_key(value)
        || is_version_range(value)
        || is_pair(value)
        || look_alike::is_one(value, quoted)
        || class == NameClass::Key && !quoted && is_openpgp_id(value)
}

/// A key id or fingerprint as gpg and apt print it: 16 or 40 upper-case hexadecimal digits.
pub(super) fn is_openpgp_id(value: &[u8]) -> bool {
    matches!(value.len(), 16 | 40) && value.iter().all(|b| b.is_ascii_digit() || matches!(b, b'A'..=b'F'))
}

/// The body of an SSH public key (a length of four bytes, then the name of its kind), or a public key
/// in DER, which says of what kind it is.
fn is_public_key(value: &[u8]) -> bool {
    [&b"AAAAB3Nza"[..], b"AAAAC3Nza", b"AAAAE2Vj", b"AAAAGnNr", b"AAAAInNr", b"MIGfMA0GCSqG", b"MIIBIjANBgkq"]
        .iter()
        .any(|start| value.starts_with(start))
}

/// `^0.2.1`, `~> 1.4`, `>=2.0`: what a manifest asks of a package.
fn is_version_range(value: &[u8]) -> bool {
    let rest = value.iter().position(|b| !matches!(b, b'^' | b'~' | b'>' | b'<' | b'=' | b' ')).unwrap_or(0);
    rest > 0
        && value[rest].is_ascii_digit()
        && value[rest..].contains(&b'.')
        && value[rest..].iter().all(|&b| is_ident(b) || matches!(b, b'.' | b'-' | b'+' | b'*'))
}

/// `NAME=value` inside one literal: the name stands in the value.
fn is_pair(value: &[u8]) -> bool {
    let Some(at) = value.iter().position(|&b| b == b'=') else { return false };
    let name = &value[..at];
    let telling = name.len() >= 3
        && name.iter().all(|&b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-'))
        || name.contains(&b'_')
            && name.iter().all(|&b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    telling && value[at + 1..].iter().any(|&b| b != b'=')
}

/// `0x` and 40 hexadecimal digits: the public address of a wallet or contract.
fn is_address(value: &[u8]) -> bool {
    value.len() == 42 && value.starts_with(b"0x") && value[2..].iter().all(u8::is_ascii_hexdigit)
}

/// Digits joined by dots: a version, an object identifier.
fn is_numbering(value: &[u8]) -> bool {
    value.contains(&b'.') && value.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

/// Nothing but `\uXXXX`: a word in another script, an emoji.
fn is_escaped_text(value: &[u8]) -> bool {
    let escape = |c: &[u8]| c.starts_with(b"u") && c.len() == 5 && c[1..].iter().all(u8::is_ascii_hexdigit);
    let mut parts = value.split(|&b| b == b'\\').filter(|part| !part.is_empty());
    value.starts_with(b"\\") && parts.all(escape)
}

/// Texts of templates, format strings and look-ups.
static TEMPLATES: Texts = Texts::new(&[
    "${",
    "{{",
    "$(",
    "#{",
    "<%",
    "%>",
    "%s",
    "%d",
    "%v",
    "%(",
    "{0}",
    "{}",
    "$[",
    "$__",
    "\\(",
    "%{",
    "!Ref",
    "!Sub",
    "process.env",
    "os.environ",
    "secrets.",
    "env.",
]);

fn is_template(value: &[u8]) -> bool {
    let wrapped = |open: u8, close: u8| value.first() == Some(&open) && value.last() == Some(&close);
    TEMPLATES.are_in(value)
        || wrapped(b'<', b'>')
        || wrapped(b'{', b'}')
        || wrapped(b'[', b']')
        || wrapped(b'%', b'%')
        || wrapped(b'@', b'@')
        || wrapped(b'(', b')')
        || value.starts_with(b"__") && value.ends_with(b"__")
        || value.first() == Some(&b'@')
            && value[1..].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
        || value.first() == Some(&b'$') && is_variable(&value[1..])
        || value.starts_with(b".$")
        || is_path_of_variable(value)
        || value.iter().all(|&b| matches!(b, b'*' | b'.' | b'x' | b'X' | b'-' | b'_' | b'?' | b'#'))
}

/// What stands behind a `$`, or behind two where one is escaped.
fn is_variable(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"$").unwrap_or(name);
    name.iter().all(|&b| is_ident(b) || b == b':' || b == b'.')
}

/// `$HOME/projects`, `$HOST/v2/$image`: a variable of a shell with a path behind it.
fn is_path_of_variable(value: &[u8]) -> bool {
    let Some(rest) = value.strip_prefix(b"$") else { return false };
    let len = rest.iter().take_while(|&&b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_').count();
    len >= 2 && !rest[0].is_ascii_digit() && rest.get(len) == Some(&b'/')
}

fn is_scalar(value: &[u8]) -> bool {
    let number = value.len() < 4 && value.iter().all(u8::is_ascii_digit);
    number
        || (value.starts_with(b"0x") || value.starts_with(b"0X")) && value.len() < 18
        || value.starts_with(b"0x") && value.len() <= 24 && value.contains(&b'_')
        || SCALARS.has_in_any_case(value)
}

fn is_stored_form(value: &[u8]) -> bool {
    static STARTS: Texts = Texts::new(&[
        "$2a$",
        "$2b$",
        "$2y$",
        "$1$",
        "$5$",
        "$6$",
        "$y$",
        "$argon2",
        "$pbkdf2",
        "$apr1",
        "$P$",
        "$scrypt",
        "{SSHA",
        "{SHA",
        "pbkdf2",
        "sha1:",
        "sha256:",
        "sha512:",
        "md5:",
        "ENC(",
        "ENC[",
        "vault:",
        "ssh-rsa",
        "ssh-ed25519",
        "SCRAM-",
        "AQICAH",
    ]);
    // `$2b$…`, `md5$…`, `argon2$…`: modular and Django hashes; `*` and 40 digits: MySQL.
    let modular = value.strip_prefix(b"$").unwrap_or(value);
    let scheme = modular.iter().position(|&b| b == b'$').map_or(&[][..], |at| &modular[..at]);
    static SCHEMES: Texts =
        Texts::new(&["md5", "sha", "argon2", "bcrypt", "scrypt", "pbkdf2", "p5k2", "des", "crypt"]);
    let named = SCHEMES.start_in_any_case(scheme);
    let short = modular.len() < value.len()
        && matches!(scheme.len(), 1..=3)
        && scheme.iter().all(u8::is_ascii_alphanumeric)
        && value.len() >= 20;
    // `0x0100…`: SQL Server's hashes.
    let mssql = value.len() >= 54
        && (value.starts_with(b"0x0100") || value.starts_with(b"0x0200"))
        && value[2..].iter().all(u8::is_ascii_hexdigit);
    // A brace, SHA-1 in hexadecimal and a salt: Transmission's.
    let braced = value.len() == 49 && value[0] == b'{' && value[1..41].iter().all(u8::is_ascii_hexdigit);
    let mysql = value.len() == 41 && value[0] == b'*' && value[1..].iter().all(u8::is_ascii_hexdigit);
    named || short || mssql || braced || mysql || STARTS.start_in_any_case(value)
}

/// Whether `value` is a UUID, in braces or not.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"{").and_then(|v| v.strip_suffix(b"}")).unwrap_or(value);
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

fn is_path(value: &[u8]) -> bool {
    static INSIDE: Texts = Texts::new(&["://", ":\\"]);
    /// Directories that every machine has: a random part in a path is one of a name.
    static ROOTS: Texts =
        Texts::new(&["/tmp/", "/var/", "/etc/", "/usr/", "/home/", "/opt/", "/run/", "/dev/"]);
    let starts = |text: &[u8]| value.starts_with(text);
    let is_random = || value.len() >= 20 && super::randomness::score(value) >= 4;
    let suffix = value.iter().rposition(|&b| b == b'.').is_some_and(|dot| {
        let tail = &value[dot + 1..];
        (2..=5).contains(&tail.len()) && tail.iter().all(u8::is_ascii_lowercase) && dot > 0
    });
    INSIDE.are_in(value)
        || starts(b"./")
        || starts(b"../")
        || starts(b"~/")
        || starts(b"//")
        || ROOTS.start_in_any_case(value)
        || starts(b"arn:")
        || starts(b"urn:")
        || starts(b"@")
        || starts(b"#") && !value.iter().any(u8::is_ascii_digit)
        || (suffix || starts(b"/") || is_slashed(value)) && !is_random()
}

/// Names with slashes between them.
fn is_slashed(value: &[u8]) -> bool {
    value.contains(&b'/') && value.iter().all(|&b| is_ident(b) || matches!(b, b'/' | b'-' | b'.' | b'@'))
}

/// Several words, or a sentence.
fn is_prose(value: &[u8]) -> bool {
    let blanks = value.iter().filter(|&&b| b == b' ').count();
    blanks > 2
        || blanks > 0
            && value.iter().all(|&b| {
                b.is_ascii_alphabetic()
                    || b >= 0x80
                    || matches!(b, b' ' | b'.' | b',' | b'!' | b'?' | b':' | b'\'')
            })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Name and value that `word` leads to in `text`.
    pub(in crate::engine) fn found(text: &str, word: &str) -> Option<(String, String)> {
        let bytes = text.as_bytes();
        let named = right_of(bytes, text.find(word).unwrap(), word.len())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some((text(named.ident.of(bytes)), text(named.value.of(bytes))))
    }

    #[test]
    fn values_of_the_usual_forms() {
        for (text, ident) in [
            ("db_password = \"V!1x\"", "db_password"),
            ("\"dbPassword\": \"V!1x\",", "dbPassword"),
            ("DB_PASSWORD=V!1x\n", "DB_PASSWORD"),
            ("export DB_PASSWORD=V!1x", "DB_PASSWORD"),
            ("  password: V!1x # note\n", "password"),
            ("password: str = 'V!1x'", "password"),
            ("conf['password'] = 'V!1x'", "password"),
            ("<password>V!1x</password>", "password"),
            ("--password V!1x ", "password"),
            ("setPassword(\"V!1x\")", "setPassword"),
            ("put(\"password\", \"V!1x\")", "password"),
            ("?password=V!1x&x=1", "password"),
            ("if password == 'V!1x'", "password"),
            ("docker run -e DB_PASSWORD=V!1x img", "DB_PASSWORD"),
            ("<add key=\"DbPassword\" value=\"V!1x\" />", "DbPassword"),
            ("- name: DB_PASSWORD\n  value: \"V!1x\"\n", "DB_PASSWORD"),
            ("- name: DB_PASSWORD\n  value: V!1x\n", "DB_PASSWORD"),
            ("db_password <- \"V!1x\"", "db_password"),
            ("Dim dbPassword As String = \"V!1x\"", "dbPassword"),
            ("process.env.DB_PASSWORD || \"V!1x\"", "process.env.DB_PASSWORD"),
            ("password = args.get('p')?.value ?? 'V!1x'", "password"),
            ("password: parts[2] || \"V!1x\",", "password"),
            ("Set `DB_PASSWORD=V!1x` first", "DB_PASSWORD"),
            ("\\\"password\\\": \\\"V!1x\\\"", "password"),
            ("'password' => 'V!1x'", "password"),
            ("<property name=\"password\">V!1x</property>", "password"),
        ] {
            let word = if text.contains("pass") {
                "pass"
            } else if text.contains("Pass") {
                "Pass"
            } else {
                "PASS"
            };
            assert_eq!(found(text, word), Some((ident.to_owned(), "V!1x".to_owned())), "{text}");
        }
    }

    #[test]
    fn expressions_are_not_values() {
        for text in [
            "password = getpass()\n",
            "password = config.password\n",
            "password = user;\n",
            "x(password, token)",
            "a.pass = \"x\" + y",
            "\"password\": \"identifier\": true",
            "docker login --password-stdin 123456789012.dkr.acme.io\n",
        ] {
            assert_eq!(found(text, "pass"), None, "{text}");
        }
        assert_eq!(found("# PASS: volume-0 is bound\n", "PASS"), None);
        assert_eq!(found("PASS: V!1x9z\n", "PASS"), Some(("PASS".to_owned(), "V!1x9z".to_owned())));
    }

    #[test]
    fn what_is_no_literal() {
        let uuid = format!("{}-0000-4000-8000-{}", "0a".repeat(4), "1b".repeat(6));
        for value in [
            "${DB_PW}",
            "{{ pw }}",
            "<password>",
            "true",
            "$2b$12$abc",
            "vault:x",
            "./certs/key",
            "https://x.y",
            "*****",
            uuid.as_str(),
            "must not be blank",
            "^0.2.1",
            "~> 1.4.0",
            "@PASSWORD",
            "$HOME/projects/work",
            "$$ENCODED_PW",
            "$__file{/etc/oauth/CLIENT_SECRET}",
            ".$this->param(",
            "$HUB_HOST/v2/$image/blobs",
            "/tmp/ssh-q7Zr2x9kLm3K/agent.12962",
            "AAAAB3NzaC1kc3MAAACBAL0sQ9fJ5bYTEyY",
        ] {
            assert!(is_no_literal(value.as_bytes(), NameClass::Other, true), "{value}");
        }
        assert!(is_no_literal("A1".repeat(20).as_bytes(), NameClass::Key, false));
        assert!(!is_no_literal("A1".repeat(20).as_bytes(), NameClass::Key, true));
        for value in ["Summer2024!", "hq7pl-x", "a.b-c$d", "$9/kLm3Kp", "/q7Zr2x9k/Lm3Kp8vTq7Zr2x9kLm3K+p8vT"]
        {
            assert!(!is_no_literal(value.as_bytes(), NameClass::Password, true), "{value}");
        }
    }
}
