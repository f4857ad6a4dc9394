//! The engine on arbitrary bytes: on every back end, for whole contents and for contents cut into
//! ranges, it finds exactly what the slow reference finds.
//!
//! The first byte of the input chooses between two ways to read the rest:
//!
//! - *raw*: the bytes are the content;
//! - *recipe*: instructions to join tokens, values under names, examples and literals of the rules
//!   with bytes of the input, since a fuzzer would not get past long prefixes and lengths.
//!
//! The second byte chooses where the content is cut.
#![no_main]

use std::sync::LazyLock;

use keycull::engine::{Engine, Scratch, reference, selftest};
use keycull::finding::Match;
use keycull::rule::example::{Rng, random_match};
use libfuzzer_sys::fuzz_target;

static ENGINES: LazyLock<Vec<Engine>> =
    LazyLock::new(|| (0..Engine::back_ends()).map(|number| Engine::builtin().on_back_end(number)).collect());

/// Longest content; the reference needs a millisecond for a kilobyte.
const MAX_CONTENT: usize = 8 << 10;

fuzz_target!(|input: &[u8]| {
    let [mode, cut, rest @ ..] = input else { return };
    let mut content = if mode & 1 == 0 { rest.to_vec() } else { cooked(rest) };
    content.truncate(MAX_CONTENT);
    let expected = normal(reference::scan(&ENGINES[0], &content));
    for engine in ENGINES.iter() {
        let mut out = Vec::new();
        engine.scan(&content, &mut Scratch::default(), &mut out);
        assert!(normal(out) == expected, "whole: {:?}", String::from_utf8_lossy(&content));
    }
    let mut out = Vec::new();
    let mut start = 0;
    let step = 1 + usize::from(*cut) * 3;
    while start < content.len() {
        let end = content.len().min(start + step);
        ENGINES[usize::from(mode >> 1) % ENGINES.len()].scan_range(&content, start..end, &mut Scratch::default(), &mut out);
        start = end;
    }
    assert!(normal(out) == expected, "cut every {step}: {:?}", String::from_utf8_lossy(&content));
});

/// Sorted and without repetitions: the order of discovery does not matter.
fn normal(mut matches: Vec<Match>) -> Vec<String> {
    matches.sort_by_key(|hit| (hit.trigger, hit.rule, hit.secret));
    let mut lines: Vec<String> = matches.iter().map(|hit| format!("{hit:?}")).collect();
    lines.dedup();
    lines
}

/// What the instructions make.
fn cooked(mut recipe: &[u8]) -> Vec<u8> {
    let engine = &ENGINES[0];
    let rules = engine.rules();
    let mut out = Vec::new();
    let mut rng = Rng::seeded("fuzz");
    while let [what, low, high, rest @ ..] = recipe {
        recipe = rest;
        let number = usize::from(u16::from_le_bytes([*low, *high]));
        match what % 8 {
            0 | 1 => {
                let taken = recipe.len().min(usize::from(*low % 32));
                out.extend_from_slice(&recipe[..taken]);
                recipe = &recipe[taken..];
            }
            2 if !rules.branches.is_empty() => {
                let branch = &rules.branches[number % rules.branches.len()];
                out.extend(selftest::random_token(branch, &mut rng).bytes());
            }
            3 if !rules.entries.is_empty() => {
                let entry = rules.entries.get((number % rules.entries.len()) as u16);
                let words = entry.words.iter().map(|&word| rules.words[usize::from(word)].as_ref());
                out.extend(words.collect::<Vec<&str>>().join("_").bytes());
                out.extend([" = \"", ": ", "=", "\":\"", " ", "('"][usize::from(what / 8) % 6].bytes());
                out.extend(random_match(entry.value, &mut rng));
            }
            4 => {
                let number = number % rules.rules.len();
                let examples = &rules.rules[number].examples;
                let example = examples.iter().nth(usize::from(what / 8) % examples.len().max(1));
                let text = example.map(|template| selftest::expanded(engine, number as u16, template, &mut rng));
                out.extend(text.and_then(Result::ok).unwrap_or_default().bytes());
            }
            5 if !rules.tables.literals.is_empty() => {
                out.extend_from_slice(&rules.tables.literals[number % rules.tables.literals.len()].bytes);
            }
            6 => out.extend(rng.bytes(usize::from(*low % 48)).iter().map(|byte| b'0' + byte % 75)),
            _ => out.extend(b"\n\" '=:,.;&\\"[usize::from(*low) % 11..].iter().take(1)),
        }
        if out.len() > MAX_CONTENT {
            break;
        }
    }
    out
}
