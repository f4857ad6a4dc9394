//! What kind of thing an identifier names: a password, a token, a key, or nothing secret.
//!
//! The classes and word lists follow measurements over labelled public code; the last meaningful
//! word (the head) decides, words that mark public or derived material veto.

use super::vocabulary::WordSet;
use super::word::starts_word;
use crate::rule::NameClass;

/// Most words read of one identifier; the last ones count.
const MAX_WORDS: usize = 10;
/// Longest word kept; longer ones are cut.
const MAX_WORD: usize = 24;

/// Where the secret word stands in the identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In front of another noun: `token_data`.
    Modifier,
    /// The last meaningful word: `auth_token`.
    Head,
}

/// The verdict on an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identifier {
    pub(super) class: NameClass,
    pub(super) place: Place,
    /// For [`NameClass::Key`]: a word before it says what key (`api_key`), so that the value need
    /// not be very random.
    pub(super) strong: bool,
    /// A build tool ships the value to browsers.
    pub(super) client_exposed: bool,
    /// The name as often means something else (`pass` of a renderer, a `signature`), or speaks of
    /// failure (`INVALID_PASSWORD`).
    pub(super) faint: bool,
}

/// The words of an identifier, folded, in order.
struct Words {
    text: [[u8; MAX_WORD]; MAX_WORDS],
    len: [usize; MAX_WORDS],
    count: usize,
}

impl Words {
    fn of(ident: &[u8]) -> Self {
        let mut words = Self { text: [[0; MAX_WORD]; MAX_WORDS], len: [0; MAX_WORDS], count: 0 };
        let mut inside = false;
        for (i, &byte) in ident.iter().enumerate() {
            if !byte.is_ascii_alphabetic() {
                inside = false;
                continue;
            }
            if !inside || starts_word(ident, i) {
                words.open();
                inside = true;
            }
            words.push(byte.to_ascii_lowercase());
        }
        words.cut_neutral_tails();
        words
    }

    fn open(&mut self) {
        if self.count == MAX_WORDS {
            self.text.rotate_left(1);
            self.len.rotate_left(1);
            self.count -= 1;
        }
        self.len[self.count] = 0;
        self.count += 1;
    }

    fn push(&mut self, byte: u8) {
        let last = self.count - 1;
        if self.len[last] < MAX_WORD {
            self.text[last][self.len[last]] = byte;
            self.len[last] += 1;
        }
    }

    fn get(&self, i: usize) -> &[u8] {
        &self.text[i][..self.len[i]]
    }

    fn any(&self, set: &WordSet) -> bool {
        (0..self.count).any(|i| set.has(self.get(i)))
    }

    fn cut_neutral_tails(&mut self) {
        while self.count > 1 && NEUTRAL.has(self.get(self.count - 1)) {
            self.count -= 1;
        }
    }
}

/// Tails that say nothing: `password_value`.
static NEUTRAL: WordSet = WordSet::new(&[
    "value",
    "val",
    "str",
    "string",
    "plain",
    "plaintext",
    "raw",
    "default",
    "hex",
    "bytes",
    "b",
    "s",
    "literal",
    "text",
    "env",
    "prod",
    "dev",
    "staging",
    "live",
]);

/// Words that mark public or derived material.
static VETO: WordSet = WordSet::new(&[
    "public",
    "pub",
    "hashed",
    "hash",
    "sha",
    "md",
    "encrypted",
    "crypted",
    "fingerprint",
    "checksum",
    "digest",
    "bcrypt",
    "scrypt",
    "argon",
    "no",
    "without",
    "nopasswd",
    "integrity",
    "publishable",
    "commit",
    "revision",
    "blank",
    "blanking",
    "redacted",
    "fuzz",
]);

/// Words that say the value is there to fail.
static FAILURE: WordSet = WordSet::new(&[
    "invalid",
    "wrong",
    "incorrect",
    "bad",
    "missing",
    "mismatch",
    "error",
    "expired",
    "fail",
    "failed",
]);
/// Heads that as often name something that opens nothing.
static FAINT: WordSet = WordSet::new(&["pass", "signature", "nonce", "sid", "tokens", "clave", "hmac"]);

/// Words in front of `pass` that make it a password.
static ACCOUNT: WordSet = WordSet::new(&[
    "db", "database", "sql", "mysql", "mariadb", "postgres", "pg", "mongo", "mongodb", "redis", "rabbitmq",
    "mqtt", "smtp", "mail", "email", "imap", "pop", "ftp", "sftp", "ssh", "ldap", "wifi", "wlan", "wireless",
    "ap", "sta", "user", "usr", "admin", "root", "login", "account", "auth", "proxy", "http", "https",
    "rtsp", "vnc", "sudo", "become", "influx", "influxdb", "elastic", "kibana", "grafana", "jenkins",
    "nexus", "sonar", "oracle", "rpc",
]);

/// Words in front of `token` that make it one of a page: it opens nothing without the session.
static PAGE_TOKEN: WordSet =
    WordSet::new(&["csrf", "xsrf", "authenticity", "csrftoken", "csrfmiddlewaretoken", "requesttoken"]);

static PASSWORD: WordSet = WordSet::new(&[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "pass",
    "passw",
    "psw",
    "pswd",
    "pw",
    "pword",
    "passwort",
    "kennwort",
    "contrasena",
    "contrase",
    "clave",
    "senha",
    "motdepasse",
    "mdp",
    "wachtwoord",
    "haslo",
]);
static SECRET: WordSet = WordSet::new(&["secret", "secrets"]);
static TOKEN: WordSet = WordSet::new(&["token", "tokens", "jwt", "pat"]);
/// Words in front of `token` that make it a place in a list.
static PAGING: WordSet = WordSet::new(&[
    "next",
    "page",
    "change",
    "version",
    "lifecycle",
    "action",
    "continuation",
    "pagination",
    "paging",
    "sync",
    "starting",
    "prev",
]);
static AUTH: WordSet = WordSet::new(&[
    "auth",
    "authorization",
    "oauth",
    "credential",
    "credentials",
    "cred",
    "creds",
    "authentication",
]);
static OTHER: WordSet =
    WordSet::new(&["salt", "nonce", "signature", "session", "cookie", "seed", "hmac", "pin", "sid"]);

/// Words in front of `key` that make it a credential.
static STRONG_KEY: WordSet = WordSet::new(&[
    "api",
    "access",
    "secret",
    "private",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "auth",
    "aes",
    "des",
    "hmac",
    "master",
    "shared",
    "app",
    "crypto",
    "cipher",
    "license",
    "account",
    "storage",
    "subscription",
    "service",
    "consumer",
    "client",
    "admin",
    "server",
    "session",
    "cookie",
    "jwt",
    "ssh",
    "deploy",
    "root",
    "write",
    "read",
    "derived",
    "wrapped",
    "preshared",
    "psk",
    "security",
]);
/// Words in front of `key` that make it a look-up key.
static PLAIN_KEY: WordSet = WordSet::new(&[
    "public",
    "primary",
    "foreign",
    "partition",
    "sort",
    "cache",
    "map",
    "object",
    "index",
    "unique",
    "order",
    "routing",
    "row",
    "range",
    "group",
    "lookup",
    "dict",
    "shortcut",
    "hot",
    "config",
    "item",
    "data",
    "label",
    "tag",
    "path",
    "property",
    "field",
    "param",
    "translation",
    "correlation",
    "id",
    "message",
    "registry",
    "metadata",
    "column",
    "idempotency",
    "idempotence",
    "site",
    "socket",
    "websocket",
    "recaptcha",
    "captcha",
    "dedup",
    "deduplication",
]);
/// Words that end in `key` and are none.
static NO_KEY: WordSet = WordSet::new(&[
    "monkey", "turkey", "hotkey", "whiskey", "hockey", "jockey", "donkey", "keykey", "clearkey",
]);

/// Nouns behind the secret word that make the identifier speak *about* a secret.
static METADATA: WordSet = WordSet::new(&[
    "id",
    "ids",
    "name",
    "names",
    "file",
    "files",
    "filename",
    "path",
    "paths",
    "url",
    "urls",
    "uri",
    "field",
    "fields",
    "label",
    "type",
    "types",
    "length",
    "len",
    "size",
    "policy",
    "regex",
    "pattern",
    "prompt",
    "message",
    "msg",
    "error",
    "errors",
    "hint",
    "placeholder",
    "input",
    "form",
    "page",
    "template",
    "reset",
    "change",
    "validator",
    "validation",
    "required",
    "enabled",
    "disabled",
    "ttl",
    "image",
    "management",
    "expiry",
    "expires",
    "expiration",
    "count",
    "param",
    "params",
    "parameter",
    "header",
    "headers",
    "prefix",
    "suffix",
    "class",
    "method",
    "mode",
    "provider",
    "manager",
    "service",
    "store",
    "endpoint",
    "host",
    "port",
    "user",
    "username",
    "email",
    "domain",
    "scope",
    "scopes",
    "role",
    "model",
    "table",
    "config",
    "option",
    "options",
    "status",
    "state",
    "event",
    "action",
    "title",
    "description",
    "version",
    "format",
    "algorithm",
    "alg",
    "alias",
    "arn",
    "var",
    "hook",
    "strategy",
    "flow",
    "grant",
    "response",
    "request",
    "result",
    "list",
    "map",
    "index",
    "generator",
    "builder",
    "helper",
    "test",
    "mock",
    "timeout",
    "limit",
    "dir",
    "directory",
    "source",
    "usage",
    "realm",
    "within",
    "last",
    "used",
    "allowed",
    "attempts",
    "rotation",
    "kind",
    "group",
    "ring",
    "chain",
    "board",
    "word",
    "words",
    "pair",
    "pairs",
    "space",
    "frame",
    "stone",
    "note",
    "notes",
    "code",
    "codes",
    "max",
    "min",
    "number",
    "num",
    "set",
    "get",
    "ref",
    "refs",
    "key",
    "keys",
    "mapping",
    "permission",
    "permissions",
    "lookup",
    "handler",
    "callback",
    "callbacks",
    "listener",
    "view",
    "screen",
    "dialog",
    "button",
    "icon",
    "link",
    "text",
    "color",
    "info",
    "meta",
    "metadata",
    "details",
    "stats",
    "log",
    "logs",
    "audit",
]);

/// Prefixes of names that build tools ship to browsers.
const CLIENT_EXPOSED: &[&str] =
    &["NEXT_PUBLIC_", "VITE_", "REACT_APP_", "EXPO_PUBLIC_", "NUXT_PUBLIC_", "GATSBY_", "VUE_APP_"];

/// Whether build tools ship a value of this name to browsers.
pub(super) fn is_client_exposed(ident: &[u8]) -> bool {
    CLIENT_EXPOSED.iter().any(|prefix| ident.starts_with(prefix.as_bytes()))
}

/// Judges `ident`; `None` when it names no credential.
pub(super) fn classify(ident: &[u8]) -> Option<Identifier> {
    let client_exposed = is_client_exposed(ident);
    let ident = if client_exposed { ident } else { last_segment(ident) };
    let words = Words::of(ident);
    let last = words.count.checked_sub(1)?;
    let (at, (class, strong)) = (0..=last).rev().find_map(|i| Some((i, class_at(&words, i)?)))?;
    let class = class?;
    if words.any(&VETO) && !client_exposed {
        return None;
    }
    let of_page = class == NameClass::Token && words.any(&PAGE_TOKEN);
    let of_account = words.get(last) == b"pass" && words.any(&ACCOUNT);
    let faint = words.any(&FAILURE) || FAINT.has(words.get(last)) && !of_account || of_page;
    let found = |class, place, strong| Some(Identifier { class, place, strong, client_exposed, faint });
    if at == last {
        return found(class, Place::Head, strong);
    }
    let tail = words.get(last);
    let confirmation =
        class == NameClass::Password && matches!(tail, b"confirmation" | b"confirm" | b"repeat");
    if METADATA.has(tail) && !confirmation {
        return None;
    }
    let passes =
        matches!(class, NameClass::Password | NameClass::Token | NameClass::Secret | NameClass::Auth)
            || class == NameClass::Key && strong;
    if passes { found(class, Place::Modifier, strong) } else { None }
}

/// The part of a dotted or arrowed path behind its last separator.
fn last_segment(ident: &[u8]) -> &[u8] {
    let start = ident.iter().rposition(|&byte| byte == b'.').map_or(0, |i| i + 1);
    &ident[start..]
}

/// Class of the word at `i`: `None` = no class, `Some(None)` = a look-up key, a veto.
#[allow(clippy::option_option)] // three answers: unknown, known and harmless, known and secret
fn class_at(words: &Words, i: usize) -> Option<(Option<NameClass>, bool)> {
    let word = words.get(i);
    let ends = |tail: &str| word.len() > tail.len() && word.ends_with(tail.as_bytes());
    if PASSWORD.has(word)
        || ends("password")
        || ends("passwd")
        || ends("pwd")
        || ends("passphrase")
        || ends("dbpass")
    {
        return Some((Some(NameClass::Password), true));
    }
    if SECRET.has(word) || ends("secret") {
        return Some((Some(NameClass::Secret), true));
    }
    if TOKEN.has(word) || ends("token") {
        let before = i.checked_sub(1).map(|before| words.get(before));
        let repeated = before == Some(&b"request"[..]) && i >= 2 && words.get(i - 2) == b"client";
        if repeated || before.is_some_and(|before| PAGING.has(before)) {
            return Some((None, false));
        }
        return Some((Some(NameClass::Token), true));
    }
    if word == b"key" || word == b"keys" {
        let before = i.checked_sub(1).map(|before| words.get(before));
        return Some(match before {
            Some(before) if STRONG_KEY.has(before) => (Some(NameClass::Key), true),
            Some(before) if PLAIN_KEY.has(before) => (None, false),
            _ => (Some(NameClass::Key), false),
        });
    }
    if ends("key") && !NO_KEY.has(word) {
        let strong = STRONG_KEY.words().iter().any(|stem| word[..word.len() - 3].ends_with(stem.as_bytes()));
        return Some((Some(NameClass::Key), strong));
    }
    if AUTH.has(word) {
        return Some((Some(NameClass::Auth), true));
    }
    if OTHER.has(word) || word == b"api" {
        return Some((Some(NameClass::Other), false));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(ident: &str) -> Option<(NameClass, Place, bool)> {
        classify(ident.as_bytes()).map(|i| (i.class, i.place, i.strong))
    }

    #[test]
    fn heads_decide() {
        use NameClass::{Auth, Key, Password, Secret, Token};
        assert_eq!(class("DB_PASSWORD"), Some((Password, Place::Head, true)));
        assert_eq!(class("user.dbPasswd"), Some((Password, Place::Head, true)));
        assert_eq!(class("clientSecret"), Some((Secret, Place::Head, true)));
        assert_eq!(class("githubToken"), Some((Token, Place::Head, true)));
        assert_eq!(class("apiKey"), Some((Key, Place::Head, true)));
        assert_eq!(class("APIKey"), Some((Key, Place::Head, true)));
        assert_eq!(class("mailjetapikey"), Some((Key, Place::Head, true)));
        assert_eq!(class("key"), Some((Key, Place::Head, false)));
        assert_eq!(class("X-Authorization"), Some((Auth, Place::Head, true)));
        assert_eq!(class("passwordValue"), Some((Password, Place::Head, true)));
    }

    #[test]
    fn vetoes_and_metadata() {
        for ident in [
            "publicKey",
            "primary_key",
            "password_hash",
            "token_url",
            "tokenType",
            "monkey",
            "author",
            "sortKey",
            "passwordField",
        ] {
            assert_eq!(class(ident), None, "{ident}");
        }
        assert_eq!(class("password_confirmation").map(|c| c.1), Some(Place::Modifier));
        assert_eq!(class("token_prime").map(|c| c.1), Some(Place::Modifier));
    }

    #[test]
    fn client_exposed_names_are_seen() {
        assert!(classify(b"NEXT_PUBLIC_API_SECRET").unwrap().client_exposed);
        assert!(!classify(b"API_SECRET").unwrap().client_exposed);
    }

    #[test]
    fn very_long_identifiers_are_read_to_their_end() {
        let ident = format!("{}Token", "VeryLongWord".repeat(40));
        assert_eq!(class(&ident).map(|c| c.0), Some(NameClass::Token));
    }
}
