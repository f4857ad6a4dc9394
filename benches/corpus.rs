//! Texts made from a seed: what benches, instruction counts and tests scan.
//!
//! The same on every machine. Words are those of ordinary programs; values are made up here, so
//! that nothing token-shaped stands in a file.

#![allow(dead_code)]

use keycull::rule::example::Rng;

const WORDS: [&str; 64] = [
    "account", "array", "buffer", "build", "cache", "call", "check", "client", "close", "code", "config",
    "connect", "content", "count", "create", "data", "decode", "default", "delete", "domain", "encode",
    "entry", "error", "event", "field", "file", "filter", "format", "handle", "header", "host", "index",
    "input", "item", "length", "limit", "line", "list", "load", "local", "message", "method", "model",
    "name", "node", "number", "object", "open", "option", "output", "parse", "path", "query", "read",
    "request", "result", "route", "server", "source", "state", "stream", "table", "update", "version",
];

const OWNERS: [&str; 12] = [
    "datadog",
    "acme",
    "stripe",
    "mailgun",
    "github",
    "payment",
    "billing",
    "internal",
    "cloudflare",
    "heroku",
    "sentry",
    "twilio",
];

const NAMES: [&str; 10] = [
    "api_key",
    "secret",
    "token",
    "password",
    "access_key",
    "auth_token",
    "client_secret",
    "key",
    "pwd",
    "signing_key",
];

fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.below(WORDS.len())]
}

/// `n` characters of `alphabet`.
pub(crate) fn random(rng: &mut Rng, alphabet: &str, n: usize) -> String {
    let alphabet = alphabet.as_bytes();
    (0..n).map(|_| char::from(alphabet[rng.below(alphabet.len())])).collect()
}

const HEX: &str = "0123456789abcdef";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A line of an ordinary program, document or lock file.
fn source_line(rng: &mut Rng) -> String {
    let (a, b, c) = (word(rng), word(rng), word(rng));
    let number = rng.below(10_000);
    match rng.below(16) {
        0 => format!("/// Returns the {a} of the {b}, or nothing when the {c} is not there.\n"),
        1 => format!("    let {a}_{b} = self.{c}.{a}({number}, &mut {b})?;\n"),
        2 => format!("pub fn {a}_{b}({c}: &str, {a}_{c}: usize) -> Result<{b}, Error> {{\n"),
        3 => format!("    if ({a}.{b} != null && {c}.length > {number}) {{ return {a}{number}; }}\n"),
        4 => format!("  \"{a}-{b}\": {{ \"{c}\": \"{number}.{}.0\", \"{a}\": true }},\n", number % 10),
        5 => format!("import {{ {a}, {b} }} from \"./{c}/{a}-{b}.js\";\n"),
        6 => format!("    assert_eq!({a}.{b}(\"{c} {number}\"), Some({number}));\n"),
        7 => format!("See https://docs.{a}.example/{b}/{c}-{number} for more about the {a} {b}.\n"),
        8 => format!("checksum = \"{}\"\n", random(rng, HEX, 64)),
        9 => format!("#define {}_{} 0x{}\n", a.to_uppercase(), b.to_uppercase(), random(rng, HEX, 8)),
        10 => format!("      \"integrity\": \"sha512-{}==\",\n", random(rng, BASE64, 86)),
        11 => format!("\t\t{a}_{b}_{c}_{number}_{a}(ctx, {b}->{c}, sizeof(*{a}));\n"),
        12 => format!("| {a} | {b} | {number} | the {c} that was read |\n"),
        13 => "}\n\n".to_owned(),
        14 => format!("        # {a} the {b} before the {c} ({}:{number})\n", random(rng, HEX, 12)),
        _ => format!("    {a} = {b}.get('{c}', default={number})\n"),
    }
}

/// A line with a value under a telling name.
fn telling_line(rng: &mut Rng) -> String {
    let (owner, name) = (OWNERS[rng.below(OWNERS.len())], NAMES[rng.below(NAMES.len())]);
    let value = match rng.below(4) {
        0 => random(rng, HEX, 32),
        1 => {
            let len = 20 + rng.below(24);
            random(rng, ALNUM, len)
        }
        2 => random(rng, BASE64, 40),
        _ => format!("{}-{}-{}", random(rng, HEX, 8), random(rng, HEX, 4), random(rng, HEX, 12)),
    };
    match rng.below(6) {
        0 => format!("{}_{}={value}\n", owner.to_uppercase(), name.to_uppercase()),
        1 => format!("{owner}:\n  {name}: {value}\n"),
        2 => format!("  \"{owner}_{name}\": \"{value}\",\n"),
        3 => format!("client.configure({owner}_{name}=\"{value}\")\n"),
        4 => format!("url = \"https://{owner}:{value}@{owner}.example/{name}\"\n"),
        _ => format!("curl -H 'Authorization: Bearer {value}' https://{owner}.example/{name}\n"),
    }
}

/// About `bytes` of text like source code; one line in 200 has a value under a telling name.
pub(crate) fn source(seed: &str, bytes: usize) -> Vec<u8> {
    text(seed, bytes, |rng| if rng.below(200) == 0 { telling_line(rng) } else { source_line(rng) })
}

/// About `bytes` of text with a value under a telling name on every line.
pub(crate) fn dense(seed: &str, bytes: usize) -> Vec<u8> {
    text(seed, bytes, telling_line)
}

fn text(seed: &str, bytes: usize, line: impl Fn(&mut Rng) -> String) -> Vec<u8> {
    let mut rng = Rng::seeded(seed);
    let mut out = Vec::with_capacity(bytes + 256);
    while out.len() < bytes {
        out.extend_from_slice(line(&mut rng).as_bytes());
    }
    out
}

/// Inputs that make careless matchers slow, by name, each of about `bytes`.
pub(crate) fn hostile(bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut rng = Rng::seeded("hostile");
    let run = random(&mut rng, ALNUM, 16);
    let hex = random(&mut rng, HEX, 32);
    let many = |rng: &mut Rng, between: &str| -> String {
        (0..512).map(|_| random(rng, ALNUM, 17) + between).collect()
    };
    let github = ["gh", "p_"].concat();
    let aws = ["AK", "IA"].concat();
    let begin = ["-----BEGIN ", "RSA PRIVATE KEY-----"].concat();
    let units = [
        ("tokens between blanks", many(&mut rng, " ")),
        ("tokens between equals signs", many(&mut rng, "=")),
        ("tokens between signs", many(&mut rng, "@")),
        ("tok=tok=", "tok=".to_owned()),
        ("name=value on each line", format!("a=\"{run}\"\n")),
        ("a finding on each line", format!("datadog_api_key=\"{hex}\"\n")),
        ("one long run", random(&mut rng, ALNUM, 4096)),
        ("lines of base64", random(&mut rng, BASE64, 76) + "\n"),
        ("prefixes without bodies", github.clone()),
        ("prefixes and joints", format!("{aws}-{github}-")),
        ("password words", "passw ".to_owned()),
        ("password = ", "password = ".to_owned()),
        ("password=\"", "password=\"".to_owned()),
        ("secret: ", "\"secret\": ".to_owned()),
        ("schemes", "a://".to_owned()),
        ("schemes and colons", "a://b:".to_owned()),
        ("block openers", begin),
        ("block dashes", "-----BEGIN ".to_owned()),
        ("curl", "curl -u ".to_owned()),
        ("headers", "Authorization: Bearer ".to_owned()),
        ("basic", "Basic a".to_owned()),
        ("machines", "machine a login ".to_owned()),
        ("keys of connection strings", "pwd=a;server=".to_owned()),
        ("sql", "identified by '".to_owned()),
        ("values deep in blanks", format!("{}{run}1a\n", " ".repeat(40))),
        ("names in dots", "a.b".to_owned()),
        ("backslashes", "\\".to_owned()),
        ("quotes", "\"'".to_owned()),
        ("brackets", "([{".to_owned()),
        ("newlines", "\n".to_owned()),
        ("commas", format!("\"{run}1\",")),
        ("queries", format!("&key={run}1")),
        ("web tokens", format!("{}.", ["ey", "J", &run].concat())),
    ];
    let repeated = |unit: &str| unit.repeat(bytes / unit.len() + 1).into_bytes();
    units.iter().map(|(name, unit)| (*name, repeated(unit))).collect()
}
