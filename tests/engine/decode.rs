//! Secrets inside encoded text: found, placed and named.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use keycull::engine::{Engine, Scratch, decode, reference};
use keycull::finding::Match;
use keycull::rule::example::Rng;

use super::differential::normal;

const TOKEN_RULE: &str = "github-pat";

/// A token of the form that `rule` looks for.
fn token(engine: &Engine, rule: &str, seed: &str) -> String {
    let number = engine.rules().by_id(rule).expect("a built-in rule");
    let branch = engine.rules().branches.iter().find(|branch| branch.rule == number).expect("a token rule");
    keycull::engine::selftest::random_token(branch, &mut Rng::seeded(seed))
}

fn scan(engine: &Engine, bytes: &[u8]) -> Vec<Match> {
    let mut out = Vec::new();
    engine.scan(bytes, &mut Scratch::default(), &mut out);
    let slow = normal(reference::scan(engine, bytes));
    assert_eq!(normal(out.clone()), slow, "in {}", String::from_utf8_lossy(bytes));
    out
}

/// Chains under which `secret` is found, without repetitions.
fn chains(engine: &Engine, bytes: &[u8], secret: &str) -> Vec<String> {
    let mut chains: Vec<String> = scan(engine, bytes)
        .iter()
        .filter(|hit| hit.secret_bytes(bytes) == secret.as_bytes())
        .map(|hit| {
            assert!(hit.secret.end <= bytes.len() && hit.secret.start < hit.secret.end);
            hit.decoded.as_ref().map_or_else(|| "plain".to_owned(), |decoded| decoded.chain.join(" "))
        })
        .collect();
    chains.sort();
    chains.dedup();
    chains
}

fn hex(text: &[u8]) -> String {
    text.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn each(text: &str, escape: impl Fn(char) -> String) -> String {
    text.chars().map(escape).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).expect("memory");
    packer.finish().expect("memory")
}

#[test]
fn every_encoding_is_undone_and_named() {
    let engine = Engine::builtin();
    let secret = token(&engine, TOKEN_RULE, "encodings");
    let line = format!("token = \"{secret}\"\n");
    let base64 = STANDARD.encode(&line);
    let utf16: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wrapped = |text: &str, with: &str| {
        let lines: Vec<String> =
            text.as_bytes().chunks(40).map(|l| String::from_utf8_lossy(l).into()).collect();
        lines.join(with)
    };
    let (left, right) = secret.split_at(20);
    let cases = [
        ("base64", format!("data: {base64}\n")),
        ("base64", format!("data: {}\n", STANDARD_NO_PAD.encode(&line))),
        ("base64", format!("<img src='data:text/plain;base64,{base64}'>")),
        ("base64", format!("-----BEGIN X-----\n{}\n-----END X-----\n", wrapped(&base64, "\n"))),
        ("base64", format!("{{\"x\": \"{}\"}}", wrapped(&base64, "\\n"))),
        ("base64", format!("x: |\n    {}\n", wrapped(&base64, "\n    "))),
        ("hex", format!("x = 0x{}", hex(line.as_bytes()))),
        ("hex", format!("x = {}", hex(line.as_bytes()).to_uppercase())),
        ("base64 base64", STANDARD.encode(format!("x: {base64}"))),
        ("base64 gzip", STANDARD.encode(gzip(line.as_bytes()))),
        ("base64 base64 gzip", STANDARD.encode(STANDARD.encode(gzip(line.as_bytes())))),
        ("base64 utf-16le", format!("powershell -enc {}", STANDARD.encode(utf16))),
        ("percent", each(&secret, |c| format!("%{:02X}", c as u32))),
        ("percent", format!("q=token%3D%22{}%22", secret.replace('_', "%5F"))),
        ("unicode-escape", format!("t = \"{}\"", each(&secret, |c| format!("\\u{:04x}", c as u32)))),
        ("unicode-escape", format!("t = \"{}\"", each(&secret, |c| format!("\\u{{{:x}}}", c as u32)))),
        ("hex-escape", format!("t = \"{}\"", each(&secret, |c| format!("\\x{:02x}", c as u32)))),
        ("octal-escape", format!("t = \"{}\"", each(&secret, |c| format!("\\{:03o}", c as u32)))),
        ("html-entity", format!("<p>{}</p>", each(&secret, |c| format!("&#{};", c as u32)))),
        ("html-entity", format!("<p>{}</p>", secret.replace('_', "&#x5F;"))),
        ("html-entity", format!("<p>{}</p>", secret.replace('_', "&lowbar;"))),
        ("quoted-printable", format!("{}t=3D{left}=\n{right}\n", "x".repeat(50))),
        ("quoted-printable", format!("{}t=3D{left}=\r\n{right}\r\n", "x".repeat(50))),
        ("concatenation", format!("t = \"{left}\" +\n    \"{right}\";\n")),
        ("concatenation", format!("t = (\"{left}\"\n     \"{right}\")\n")),
        ("concatenation", format!("t=\"{left}\\\n{right}\"\n")),
        ("base64 percent", STANDARD.encode(format!("x={}", secret.replace('_', "%5F")))),
    ];
    for (chain, text) in &cases {
        let found = chains(&engine, text.as_bytes(), &secret);
        assert!(found.iter().any(|found| found == chain), "{chain}: found {found:?} in {text}");
    }
}

#[test]
fn claims_of_a_web_token_are_read() {
    let engine = Engine::builtin();
    let secret = token(&engine, TOKEN_RULE, "claims");
    let part = |json: String| URL_SAFE_NO_PAD.encode(json);
    let head = part("{\"alg\":\"HS256\",\"typ\":\"JWT\"}".to_owned());
    let text = format!("{head}.{}.{}", part(format!("{{\"gh\":\"{secret}\"}}")), "x".repeat(43));
    let found = chains(&engine, text.as_bytes(), &secret);
    assert!(found.iter().any(|chain| chain.starts_with("base64")), "{found:?}");
}

#[test]
fn depth_is_bounded() {
    let engine = Engine::builtin();
    let secret = token(&engine, TOKEN_RULE, "depth");
    let mut text = format!("token = {secret} and some more text");
    for depth in 1..=usize::from(decode::MAX_DEPTH) + 1 {
        text = STANDARD.encode(&text);
        let found = chains(&engine, text.as_bytes(), &secret);
        assert_eq!(found.is_empty(), depth > usize::from(decode::MAX_DEPTH), "{depth}: {found:?}");
    }
}

#[test]
fn random_bytes_decode_to_nothing() {
    let engine = Engine::builtin();
    let mut rng = Rng::seeded("noise in base64");
    let mut text = String::new();
    for _ in 0..400 {
        let bytes: Vec<u8> = (0..24 + rng.below(60)).map(|_| rng.below(256) as u8).collect();
        text.push_str(&format!("{} {}\n", STANDARD.encode(&bytes), hex(&bytes)));
    }
    let decoded: Vec<Match> =
        scan(&engine, text.as_bytes()).into_iter().filter(|hit| hit.decoded.is_some()).collect();
    assert_eq!(decoded, []);
}

#[test]
fn an_inflated_text_over_budget_is_told() {
    let engine = Engine::builtin();
    let bomb = STANDARD.encode(gzip(&vec![b' '; 64 << 20]));
    let mut scratch = Scratch::default();
    engine.scan(bomb.as_bytes(), &mut scratch, &mut Vec::new());
    assert!(scratch.take_overrun());
    engine.scan(b"nothing", &mut scratch, &mut Vec::new());
    assert!(!scratch.take_overrun());
}

/// Text of several kinds of escapes can be decoded in any order, again and again: that has an end, is told,
/// and takes nothing from what comes behind.
#[test]
fn mixed_escapes_without_end_are_told_and_hide_nothing_behind_them() {
    let engine = Engine::builtin();
    let secret = token(&engine, TOKEN_RULE, "behind");
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mixed = |len: usize| "%41\\u0041&#65;=3D\\x41".repeat(len / 21);
    let mut scratch = Scratch::default();
    let mut scan = |text: &str| {
        let mut out = Vec::new();
        engine.scan(text.as_bytes(), &mut scratch, &mut out);
        let found = out.iter().any(|hit| {
            hit.decoded.as_ref().is_some_and(|decoded| decoded.secret.expose() == secret.as_bytes())
        });
        (found, scratch.take_overrun())
    };
    assert_eq!(scan(&format!("{}\nkey = {escaped}\n", mixed(100_000))), (true, false));
    assert_eq!(scan(&format!("{}\nkey = {escaped}\n", mixed(2_000_000))), (true, true));
}

#[test]
fn places_lead_back_to_the_secret() {
    let engine = Engine::builtin();
    let mut rng = Rng::seeded("places");
    for round in 0..200 {
        let secret = token(&engine, TOKEN_RULE, &format!("places {round}"));
        let (before, after) = (" ".repeat(rng.below(9) + 20), "-".repeat(rng.below(40)));
        let plain = format!("{before}t={secret} {after}.");
        let encoded = STANDARD.encode(&plain);
        let text = format!("some: {encoded}\n");
        let hits = scan(&engine, text.as_bytes());
        let hit = hits
            .iter()
            .find(|hit| hit.secret_bytes(text.as_bytes()) == secret.as_bytes())
            .unwrap_or_else(|| panic!("not found in {plain:?}"));
        let place = hit.secret.start - 6..hit.secret.end - 6;
        let aligned = place.start / 4 * 4..place.end.div_ceil(4) * 4;
        let decoded = STANDARD_NO_PAD
            .decode(encoded[aligned.start..aligned.end.min(encoded.len())].trim_end_matches('='));
        let decoded = String::from_utf8(decoded.expect("whole groups")).expect("text");
        assert!(decoded.contains(&secret), "{decoded:?} {secret}");
        assert!(decoded.len() <= secret.len() + 4, "{decoded:?}");
        let excerpt = hit.decoded.as_ref().expect("decoded");
        assert_eq!(excerpt.excerpt_secret.of(&excerpt.excerpt), secret.as_bytes());
    }
}
