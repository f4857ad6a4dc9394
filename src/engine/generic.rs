//! The generic detector: a value under a credential-like name of no known provider.
//!
//! Two ways lead here: a random-looking run whose name is read on its left, and a password-like
//! word whose value is read on its right (passwords need not look random).

use super::cost::Finds;
use super::identifier::{self, Identifier, Place};
use super::name::{self, Name, Sep};
use super::placeholder::{self, Placeholder};
use super::value::Value;
use super::vocabulary::{Texts, WordSet};
use super::{Engine, code_words, foreign, literal_value, randomness, stored_hash, weak_password};
use crate::finding::{Checksum, Confidence, Match, Span};
use crate::rule::NameClass;

/// A value with its name, ready to be judged.
struct Candidate<'a> {
    ident: &'a [u8],
    name: Identifier,
    value: Value,
    trigger: usize,
    traits: u16,
}

/// Judges a run's `value` under the name on its left.
pub(super) fn scan_value(
    engine: &Engine,
    bytes: &[u8],
    trigger: usize,
    value: Value,
    name: &Name,
    finds: &mut Finds<'_>,
) {
    // `TrafficSecrets::Chacha20Poly1305`: a member of what the name names.
    // `arn:aws:secretsmanager:…:secret:orders-AbCdEf`: where a secret is kept.
    if bytes[..value.start].ends_with(b"::") || bytes[..value.start].ends_with(b":secret:") {
        return;
    }
    let Some((span, sep)) = primary(bytes, value, name) else { return };
    let ident = span.of(bytes);
    let Some(classified) = identifier::classify(ident) else { return };
    // `could not pass: x` is prose; a doubtful name needs a plain assignment.
    if classified.faint && !matches!(sep, Sep::Assign | Sep::Colon | Sep::Arrow | Sep::Tag) {
        return;
    }
    if is_type(bytes, value, Some(sep)) {
        return;
    }
    // `resource "kubernetes_secret" "registry_login_2" {`: the label of a block.
    if sep == Sep::Bare && value.quote.is_some() && bytes[value.end..].get(1..3) == Some(b" {") {
        return;
    }
    if sep == Sep::Bare && classified.class == NameClass::Key && is_spoken_of(bytes, classified, value) {
        return;
    }
    let mut traits = 0;
    if sep == Sep::Compare {
        traits |= Match::TRAIT_COMPARED;
    }
    if value.quote.is_none() && matches!(sep, Sep::Assign | Sep::Colon | Sep::Arrow | Sep::Compare) {
        traits |= Match::TRAIT_BARE;
    }
    find(engine, bytes, &Candidate { ident, name: classified, value, trigger, traits }, finds);
}

/// Whether a key that follows its name without a sign is one of a table (KEY `fk_…` in SQL) or a
/// key's fingerprint in a log (`private key [5f2c…]`).
fn is_spoken_of(bytes: &[u8], name: Identifier, value: Value) -> bool {
    let text = value.of(bytes);
    let numbered = text.contains(&b'-') && text.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    !name.strong || numbered || is_bracketed(bytes, value) && text.iter().all(u8::is_ascii_hexdigit)
}

/// Whether `value` is a type or a base class: `password: Text255;`, `MDP: SOURCE20 = …`,
/// `class Form(OAuth2Form)`.
fn is_type(bytes: &[u8], value: Value, sep: Option<Sep>) -> bool {
    let text = value.of(bytes);
    let named = text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'.');
    if value.quote.is_some() || !named {
        return false;
    }
    let before = bytes[value.start.saturating_sub(4)..value.start].trim_ascii_end();
    let behind = &bytes[value.end..bytes.len().min(value.end + 3)];
    let declared = before.ends_with(b":") && (behind.starts_with(b";") || behind.starts_with(b" = "));
    declared || sep == Some(Sep::Call) && code_words::reads_like_a_name(text, true)
}

/// Functions that hand their literal through: `key = bytes("…")`.
static WRAPPERS: WordSet = WordSet::new(&[
    "str",
    "string",
    "bytes",
    "bytearray",
    "fromhex",
    "unhexlify",
    "b64decode",
    "decode",
    "from",
    "of",
    "encode",
    "hex",
    "quote",
    "literal",
    "some",
    "just",
    "new",
    "atob",
    "byte",
    "decodestring",
    "tostring",
    "secretstr",
    "secret",
    "buffer",
    "encoder",
    "into",
    "default",
    "sensitive",
    "env",
    "fallback",
]);

/// Words in function names that only look at a secret.
static LOOKERS: Texts = Texts::new(&[
    "check", "verify", "valid", "compare", "match", "get", "find", "has", "is", "destroy", "remove",
    "delete", "update", "assert", "expect", "encode", "decode", "hash", "read", "load", "generate",
    "require", "input", "field", "prompt", "test", "parse", "log", "print", "format", "equal", "contain",
    "throw", "error",
]);

/// The identifier that names the value, and what separates the two.
fn primary(bytes: &[u8], value: Value, name: &Name) -> Option<(Span, Sep)> {
    let idents = name.idents();
    let &(first, sep) = idents.first()?;
    let text = first.of(bytes);
    match sep {
        Sep::Call => {
            let function = last_part(text);
            let assigned =
                idents[1..].iter().find(|(_, sep)| matches!(sep, Sep::Assign | Sep::Colon | Sep::Arrow));
            if let Some(&(span, sep)) = assigned {
                return WRAPPERS.has_in_any_case(function).then_some((span, sep));
            }
            (!LOOKERS.are_in_any_case_in(function)).then_some((first, sep))
        }
        Sep::Comma => {
            // `put("name", "value")`: two quoted arguments of one call, not two elements of a list.
            let quoted = bytes.get(first.end).is_some_and(|b| matches!(b, b'"' | b'\'' | b'`' | b'\\'));
            let called = matches!(idents.get(1), Some((_, Sep::Call)));
            (quoted && called).then_some((first, sep))
        }
        Sep::Assign | Sep::Colon if text.eq_ignore_ascii_case(b"value") => match idents.get(1) {
            Some(&(second, Sep::Bare | Sep::Comma)) => Some((second, sep)),
            _ => name::sibling_above(bytes, value.start).map(|span| (last_ident(bytes, span), sep)),
        },
        // `let name: Type = "…"`: the type stands nearest.
        Sep::Assign => match idents.get(1) {
            Some(&(second, Sep::Colon)) if identifier::classify(text).is_none() => Some((second, sep)),
            // `Dim name As String = "…"`
            Some(&(second, _)) if second.of(bytes).eq_ignore_ascii_case(b"as") => {
                idents.get(2).map(|&(third, _)| (third, sep))
            }
            _ => Some((first, sep)),
        },
        Sep::Colon | Sep::Arrow | Sep::Compare | Sep::Or | Sep::Tag | Sep::Bare => Some((first, sep)),
    }
}

fn last_part(text: &[u8]) -> &[u8] {
    text.rsplit(|&byte| byte == b'.').next().unwrap_or(text)
}

/// The last identifier of a line such as `- name: DB_PASSWORD`.
fn last_ident(bytes: &[u8], line: Span) -> Span {
    let text = line.of(bytes);
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let start = text.iter().rposition(|byte| !inner(byte)).map_or(0, |i| i + 1);
    Span::new(line.start + start, line.end)
}

/// Judges the value to the right of the password-like word at `at`, if the word is the name of one.
pub(super) fn scan_name(engine: &Engine, bytes: &[u8], at: usize, len: usize, finds: &mut Finds<'_>) {
    if !bytes[at].is_ascii() {
        return scan_foreign(engine, bytes, at, finds);
    }
    let Some(found) = literal_value::right_of(bytes, at, len) else { return };
    let ident = found.ident.of(bytes);
    let Some(name) = identifier::classify(ident) else { return };
    let value = found.value.of(bytes);
    let id = found.is_call && literal_value::is_uuid(value);
    if found.is_call
        && (name.faint || LOOKERS.are_in_any_case_in(last_part(ident)) || found.value.quote.is_none())
        || id
        || is_type(bytes, found.value, None)
        || found.value.quote.is_none() && value.starts_with(b"--")
    {
        return;
    }
    // `the password is "…"`: prose, which no more says what it is than a bare value does.
    let spoken = bytes[found.ident.end..].starts_with(b" is ");
    let mut traits = if found.value.quote.is_none() || spoken { Match::TRAIT_BARE } else { 0 };
    if found.is_compared {
        traits |= Match::TRAIT_COMPARED;
    }
    find(engine, bytes, &Candidate { ident, name, value: found.value, trigger: at, traits }, finds);
}

/// Judges the value behind the word for a password in another script.
fn scan_foreign(engine: &Engine, bytes: &[u8], at: usize, finds: &mut Finds<'_>) {
    let Some((word, value)) = foreign::right_of(bytes, at) else { return };
    let Some(name) = identifier::classify(b"password") else { return };
    let traits = Match::TRAIT_BARE;
    find(engine, bytes, &Candidate { ident: word.of(bytes), name, value, trigger: at, traits }, finds);
}

/// Judges `candidate` by the rule of its name's class, if there is one.
fn find(engine: &Engine, bytes: &[u8], candidate: &Candidate<'_>, finds: &mut Finds<'_>) {
    let Some(rule) = engine.rules().generic_rule(candidate.name.class) else { return };
    finds.trigger(rule);
    finds.test(rule, |out| out.extend(judge(rule, bytes, candidate)));
}

/// Applies the value tests of the name's class.
fn judge(rule: u16, bytes: &[u8], candidate: &Candidate<'_>) -> Option<Match> {
    let value = candidate.value.of(bytes);
    if literal_value::is_no_literal(value, candidate.name.class, candidate.value.quote.is_some()) {
        return None;
    }
    let bare = candidate.value.quote.is_none();
    if bare && candidate.name.class != NameClass::Password && is_code(value, bare)
        || code_words::is_statement(value)
        || bare && is_bracketed(bytes, candidate.value) && code_words::reads_like_a_name(value, bare)
    {
        return None;
    }
    let score = randomness::score(value);
    let fits = fits_class(candidate.name, value, score);
    let placeholder =
        placeholder::of(value, candidate.ident).or_else(|| placeholder::in_base64(value, candidate.ident));
    let confidence = match (placeholder, fits) {
        (Some(Placeholder::Instruction), _) if candidate.name.class != NameClass::Password => return None,
        (Some(_), true) if is_in_use(bytes, candidate, value) => Confidence::Medium,
        (Some(_), _) => Confidence::Low,
        (None, false) if keeps_low(candidate.name, value, score) => Confidence::Low,
        (None, false) => return None,
        (None, true) if is_doubtful(bytes, candidate, value) || is_reference(bytes, candidate) => {
            Confidence::Low
        }
        (None, true) => tier(candidate, value, score),
    };
    let mut traits = candidate.traits;
    if placeholder.is_some() {
        traits |= Match::TRAIT_PLACEHOLDER;
    }
    if candidate.name.client_exposed {
        traits |= Match::TRAIT_CLIENT_EXPOSED;
    }
    let secret = Span::new(candidate.value.start, candidate.value.end);
    Some(Match {
        rule,
        trigger: candidate.trigger,
        span: secret,
        secret,
        confidence,
        checksum: Checksum::Absent,
        decoded: None,
        traits,
    })
}

/// Whether a placeholder is a password that people set all the same.
fn is_in_use(bytes: &[u8], candidate: &Candidate<'_>, value: &[u8]) -> bool {
    let name = candidate.name;
    let bare = candidate.value.quote.is_none();
    name.class == NameClass::Password
        && name.place == Place::Head
        && weak_password::is_in_use(value, bare)
        && !is_doubtful(bytes, candidate, value)
        && !is_reference(bytes, candidate)
}

/// Most bytes of a line looked at on the left of a value.
const MAX_LINE: usize = 160;

/// Whether a bare value is a name on the right of a statement in code: an indented line, blanks
/// around the `=`, and nothing but what names have.
fn is_reference(bytes: &[u8], candidate: &Candidate<'_>) -> bool {
    let value = candidate.value;
    let text = value.of(bytes);
    let name = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    let named =
        text.iter().all(name) || text.contains(&b'_') && text.iter().all(|b| name(b) || b.is_ascii_digit());
    if value.quote.is_some() || !named {
        return false;
    }
    let before = &bytes[value.start.saturating_sub(MAX_LINE)..value.start];
    let line = before.iter().rposition(|&b| b == b'\n').map_or(before, |at| &before[at + 1..]);
    let code = line.trim_ascii_start();
    let code = code.strip_prefix(b"//").or_else(|| code.strip_prefix(b"#")).unwrap_or(code);
    let indented = code.starts_with(b"  ") || matches!(line.first(), Some(b' ' | b'\t'));
    line.ends_with(b" = ") && indented
}

/// Whether `value` stands in brackets: with words in it, it says what to put there
/// (`[secure-random-32-char]`).
fn is_bracketed(bytes: &[u8], value: Value) -> bool {
    let before = value.start.checked_sub(1).map(|i| bytes[i]);
    before == Some(b'[') && bytes.get(value.end) == Some(&b']')
}

/// A name or an expression of the language the value stands in.
fn is_code(value: &[u8], bare: bool) -> bool {
    let sign = value.iter().any(|b| matches!(b, b'@' | b'!' | b'$' | b'#' | b'^' | b'*'));
    if sign {
        return false;
    }
    code_words::reads_like_a_name(value, bare)
        || code_words::is_constant(value)
        || bare && (code_words::is_snake_case(value) || code_words::is_identifier(value))
}

/// Values that are more often something else: names of things, words of a translation, what a
/// name that speaks of failure holds.
fn is_doubtful(bytes: &[u8], candidate: &Candidate<'_>, value: &[u8]) -> bool {
    let name = candidate.name;
    if name.class != NameClass::Password {
        // `key: "9e58…-…"`: an id, unless the name says what the key opens.
        let id = name.class == NameClass::Key && !name.strong && literal_value::is_uuid(value);
        return id
            || stored_hash::is_salt(candidate.ident, value)
            || name.class == NameClass::Key && value.len() == 40 && literal_value::is_openpgp_id(value)
            || is_search_key(bytes, candidate.value)
            || is_code(value, candidate.value.quote.is_none())
            || name.faint;
    }
    let letters = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80;
    let word = value.iter().all(|&byte| letters(byte));
    let titled = word && value[0].is_ascii_uppercase() && !value[1..].iter().any(u8::is_ascii_uppercase);
    let foreign = word && value.iter().any(|&byte| byte >= 0x80);
    let reference = candidate.value.quote.is_none()
        && value.contains(&b'_')
        && value.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
        && is_code(value, true);
    let digits = value.iter().any(u8::is_ascii_digit);
    let constant = value.len() >= 12 && code_words::is_constant(value);
    let label = is_label(value) || is_long_name(value) || stored_hash::is_salted(bytes, candidate.value);
    titled || foreign || reference || constant || label || name.faint && (!digits || value.len() < 8)
}

/// `apiKey: "…", indexName: "…"`: a key that every page with a search field shows.
fn is_search_key(bytes: &[u8], value: Value) -> bool {
    const NEAR: usize = 48;
    let behind = &bytes[value.end..bytes.len().min(value.end + NEAR)];
    memchr::memmem::find(behind, b"indexName").is_some()
}

/// `My-Drop-Site`: three words or more, each with a capital, and nothing else.
fn is_label(value: &[u8]) -> bool {
    let word = |part: &[u8]| {
        part.len() >= 2 && part[0].is_ascii_uppercase() && part[1..].iter().all(u8::is_ascii_lowercase)
    };
    let mut parts = value.split(|&b| b == b'-');
    parts.clone().count() >= 3 && parts.clone().any(|part| part.len() > 2) && parts.all(word)
}

/// `TMS_SQL_DB_PW`, `send_link_to_confirm`: four words or more in one case, joined by underscores.
fn is_long_name(value: &[u8]) -> bool {
    let mut parts = value.split(|&b| b == b'_');
    let lower = value.iter().all(|&b| b.is_ascii_lowercase() || b == b'_');
    let upper = value.iter().all(|&b| b.is_ascii_uppercase() || b == b'_');
    (lower || upper) && parts.clone().count() >= 4 && parts.all(|part| part.len() >= 2)
}

/// Least length and randomness by class; passwords need no randomness, `key` alone a lot.
fn fits_class(name: Identifier, value: &[u8], score: i32) -> bool {
    let spaces = value.iter().filter(|&&byte| byte == b' ').count();
    let dense = spaces == 0;
    let fits = match name.class {
        NameClass::Password => {
            let phrase = spaces <= 2
                && value.len() <= 24
                && value.iter().any(|b| !b.is_ascii_alphabetic() && *b != b' ');
            (4..=128).contains(&value.len()) && (dense || phrase)
        }
        NameClass::Secret => dense && value.len() >= 6 && score >= 1,
        NameClass::Token => dense && value.len() >= 8 && score >= 2,
        NameClass::Key if name.strong => dense && value.len() >= 8 && score >= 2,
        NameClass::Key => dense && value.len() >= 16 && score >= 4,
        NameClass::Auth => dense && value.len() >= 10 && score >= 3,
        NameClass::Other => {
            // Signatures and nonces in hexadecimal are digests of build tools and protocols.
            let digest = name.faint && value.iter().all(u8::is_ascii_hexdigit);
            dense && !digest && value.len() >= 16 && score >= 5
        }
    };
    fits && (name.place == Place::Head || score >= 2)
}

/// A weak value under a strong name is kept for those who ask for low confidence.
fn keeps_low(name: Identifier, value: &[u8], score: i32) -> bool {
    let class = matches!(name.class, NameClass::Password | NameClass::Secret | NameClass::Token)
        || name.class == NameClass::Key && name.strong && score >= 1;
    class && name.place == Place::Head && value.len() >= 4 && !value.contains(&b' ')
}

/// High for random values under a clear name; medium for the rest.
fn tier(candidate: &Candidate<'_>, value: &[u8], score: i32) -> Confidence {
    let plain = value.iter().all(u8::is_ascii_alphabetic) || value.iter().all(u8::is_ascii_digit);
    // JSON in Base64 is data; nothing but hexadecimal digits, given for a password, is its hash, and so
    // may be what is as long as one in Base64.
    let data = value.starts_with(b"eyJ") && !value.contains(&b'.');
    let digest = candidate.name.class == NameClass::Password
        && (matches!(value.len(), 32 | 40 | 64) && value.iter().all(u8::is_ascii_hexdigit)
            || stored_hash::may_be_one(value));
    let sure = candidate.name.place == Place::Head
        && !data
        && !digest
        && candidate.traits & (Match::TRAIT_COMPARED | Match::TRAIT_BARE) == 0
        && match candidate.name.class {
            NameClass::Password => score >= 2 && !plain,
            NameClass::Secret | NameClass::Token | NameClass::Auth => score >= 3,
            NameClass::Key => candidate.name.strong && score >= 3,
            NameClass::Other => false,
        };
    if sure { Confidence::High } else { Confidence::Medium }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Scratch;

    fn confidences(text: &str) -> Vec<Confidence> {
        let engine = Engine::builtin();
        let mut found = Vec::new();
        engine.scan(text.as_bytes(), &mut Scratch::default(), &mut found);
        found.iter().map(|hit| hit.confidence).collect()
    }

    #[test]
    fn weak_passwords_in_use_are_medium() {
        for text in [
            "spring.datasource.password=root\n",
            "  password: 123456 # database\n",
            "const char* password = \"12345678\";",
            "MYSQL_ROOT_PASSWORD: root         # root\n",
            "harbor_admin_password: Harbor12345\n",
        ] {
            assert_eq!(confidences(text), [Confidence::Medium], "{text}");
        }
        let statement = ["alter user 'hive'@'%' identified", " by '1234';"].concat();
        assert_eq!(confidences(&statement), [Confidence::Medium]);
    }

    #[test]
    fn dummies_stay_low() {
        for text in [
            "log in with the password `root`: the password is `root`.\n",
            "Enter password for [beats_system]: root\n",
            "- 默认密码: `admin`\n",
        ] {
            assert_eq!(confidences(text), [Confidence::Medium], "{text}");
        }
        for text in ["password: mypassword\n", "db_password = \"mysecret\"", "MYSQL_PASSWORD=test1234\n"] {
            assert_eq!(confidences(text), [Confidence::Low], "{text}");
        }
        assert_eq!(confidences("    NOT_VALID_PASSWORD = 1819\n"), [Confidence::Low]);
    }

    #[test]
    fn names_on_the_right_of_a_statement_are_doubtful() {
        assert_eq!(confidences("        password = content\n"), [Confidence::Low]);
        assert_eq!(confidences("//            password = buildCachePsw\n"), [Confidence::Low]);
        assert_eq!(confidences("password = dinglicom\n"), [Confidence::Medium]);
    }

    #[test]
    fn long_names_and_fingerprints_are_doubtful() {
        for value in ["TMS_SQL_DB_PW", "send_link_to_confirm"] {
            let sure = confidences(&format!("dbPassword: '{value}',")).into_iter().max();
            assert_eq!(sure, Some(Confidence::Low), "{value}");
        }
        let fingerprint = ["E298A3A825", "C0D65DFD57", "CBB6517166", "19E084DAB9"].concat();
        let found = confidences(&format!("    r_packages_signing_key: '{fingerprint}'\n"));
        assert_eq!(found.into_iter().max(), Some(Confidence::Low));
    }

    #[test]
    fn names_of_kept_secrets_are_none() {
        assert_eq!(confidences("resource \"acme_secret_v1\" \"q7Zr_2x9k_Lm3Kp8vT\" {\n"), []);
        assert_eq!(
            confidences("\"arn:aws:secretsmanager:eu-west-1:123456789012:secret:app_user1-q7Zr2x\""),
            []
        );
    }

    #[test]
    fn keys_that_are_spoken_of_open_nothing() {
        let hash = "5f2c".repeat(16);
        assert_eq!(confidences(&format!("Loading private key [{hash}] at [/etc/x]")), []);
    }
}
