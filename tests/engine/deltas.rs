//! What is found in content made from other content by copying and inserting is what a scan of the
//! whole finds, however it was cut.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keycull::engine::{Copied, Engine, Scratch, Trace};
use keycull::rule::example::Rng;

use super::differential::{fast, generated, normal};

/// Content in the making, and what it took from its base.
#[derive(Default)]
struct Target {
    bytes: Vec<u8>,
    copies: Vec<Copied>,
}

impl Target {
    fn copy(&mut self, base: &[u8], from: usize, to: usize) {
        let (target, length) = (self.bytes.len(), to - from);
        if length == 0 {
            return;
        }
        self.bytes.extend_from_slice(&base[from..to]);
        match self.copies.last_mut() {
            Some(last) if last.base + last.length == from && last.target + last.length == target => {
                last.length += length;
            }
            _ => self.copies.push(Copied { base: from, target, length }),
        }
    }

    fn insert(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// Where an edit is made: anywhere, or next to a byte that matters.
fn place(bytes: &[u8], rng: &mut Rng) -> usize {
    let at = rng.below(bytes.len() + 1);
    let telling = |byte: &u8| b"=:\"'\n_-/ ".contains(byte);
    match rng.below(3) {
        0 => at,
        side => bytes[at..].iter().position(telling).map_or(at, |more| at + more + (side - 1)),
    }
}

/// Something to insert: part of another text, a name without value, a lone byte.
fn novelty(texts: &[String], rng: &mut Rng) -> Vec<u8> {
    match rng.below(5) {
        0 => b" \n=:\"'_-.%\\/+ a1"[rng.below(16)..].iter().take(1).copied().collect(),
        1 => [&b"password = \""[..], b"api_key:\n  ", b"token", b"# ", b"\n    ", b"datadog", b"x1"]
            [rng.below(7)]
        .to_vec(),
        2 => {
            let text = texts[rng.below(texts.len())].as_bytes();
            let from = rng.below(text.len());
            text[from..from + rng.below(text.len() - from + 1)].to_vec()
        }
        3 => format!("{:x}", rng.next_u64()).into_bytes(),
        _ => texts[rng.below(texts.len())].clone().into_bytes(),
    }
}

/// A target made of `base` by a few edits: inserts, cuts, ranges that move or come twice.
fn derive(base: &[u8], texts: &[String], rng: &mut Rng) -> Target {
    let mut target = Target::default();
    let mut at = 0;
    for _ in 0..1 + rng.below(5) {
        let to = at + place(&base[at..], rng);
        target.copy(base, at, to);
        at = to;
        match rng.below(6) {
            0 | 1 => target.insert(&novelty(texts, rng)),
            2 => at = (at + rng.below(40)).min(base.len()),
            3 => {
                let from = place(base, rng);
                target.copy(base, from, (from + rng.below(300)).min(base.len()));
            }
            4 => at = place(base, rng),
            _ => {
                target.insert(&novelty(texts, rng));
                at = (at + rng.below(20)).min(base.len());
            }
        }
    }
    if rng.below(8) > 0 {
        target.copy(base, at, base.len());
    }
    target
}

/// Follows chains of deltas over `texts`; how many matches there were, how many of them in decoded
/// text, and how many bytes were copied.
fn follow_chains(engines: &[Engine], texts: &[String], rounds: usize, seed: &str) -> [usize; 3] {
    let mut rng = Rng::seeded(seed);
    let mut scratch = Scratch::default();
    let (mut found, mut decoded, mut taken) = (0, 0, 0);
    for round in 0..rounds {
        let engine = &engines[round % 2];
        let from = rng.below(texts.len());
        let mut bytes = texts[from..texts.len().min(from + 4 + rng.below(150))].concat().into_bytes();
        let mut trace = engine.trace(&bytes, true, &mut scratch);
        for _ in 0..6 {
            let target = derive(&bytes, texts, &mut rng);
            let copies = || target.copies.iter().copied();
            let last = engine.retrace(&target.bytes, &trace, copies(), false, &mut scratch);
            let next: Trace = engine.retrace(&target.bytes, &trace, copies(), true, &mut scratch);
            let expected = normal(fast(engine, &target.bytes));
            for (trace, what) in [(&last, "last"), (&next, "kept")] {
                let got = normal(trace.matches().to_vec());
                if got != expected {
                    let missing: Vec<_> = expected.iter().filter(|line| !got.contains(line)).collect();
                    let extra: Vec<_> = got.iter().filter(|line| !expected.contains(line)).collect();
                    panic!(
                        "round {round}, {what}: missing {missing:#?}\nextra {extra:#?}\n{:?}",
                        target.copies
                    );
                }
            }
            found += expected.len();
            decoded += next.matches().iter().filter(|hit| hit.decoded.is_some()).count();
            taken += target.copies.iter().map(|copy| copy.length).sum::<usize>();
            (bytes, trace) = (target.bytes, next);
        }
    }
    [found, decoded, taken]
}

#[test]
fn chains_of_deltas_are_found_out_like_whole_contents() {
    let engines = super::differential::engines();
    let texts = generated(&engines[0], "deltas");
    let [found, _, taken] = follow_chains(&engines, &texts, 120, "edits");
    assert!(found > 3_000 && taken > 300_000, "{found} matches, {taken} bytes copied");
}

/// `text` in one of the encodings that are undone.
fn encoded(text: &str, number: usize) -> String {
    let hex = |byte: u8| format!("{byte:02x}");
    match number % 9 {
        0 => format!("data: {}\n", STANDARD.encode(text)),
        1 => text.bytes().map(hex).collect::<String>() + "\n",
        2 => text.replace(['-', '_', '/', '='], "%5F"),
        3 => text.replace('"', "\\x22").replace(['_', '-'], "\\u005f"),
        4 => text.replace('=', "&#61;").replace('_', "&lowbar;"),
        5 => {
            let lines: Vec<String> = STANDARD
                .encode(text.repeat(3))
                .as_bytes()
                .chunks(64)
                .map(|l| String::from_utf8_lossy(l).into())
                .collect();
            lines.join("\n    ") + "\n"
        }
        6 => text.replace('=', "=3D").replace('_', "=5F") + "=\n",
        7 => text
            .as_bytes()
            .chunks(24)
            .map(|piece| format!("  + \"{}\"\n", String::from_utf8_lossy(piece).replace('"', "")))
            .collect(),
        _ => match text.char_indices().nth(text.len() / 2) {
            Some((middle, _)) => format!("s = \"{}\" +\n    \"{}\"\n", &text[..middle], &text[middle..]),
            None => text.to_owned(),
        },
    }
}

#[test]
fn encoded_text_is_followed_through_deltas() {
    let engines = super::differential::engines();
    let texts = generated(&engines[0], "encoded deltas");
    let texts: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| if number % 3 == 0 { text.clone() } else { encoded(text, number) })
        .collect();
    let [_, decoded, taken] = follow_chains(&engines, &texts, 60, "encoded edits");
    assert!(decoded > 500 && taken > 100_000, "{decoded} matches in decoded text, {taken} bytes copied");
}

#[test]
fn a_long_run_is_followed_to_its_start() {
    let engine = Engine::builtin();
    let mut scratch = Scratch::default();
    let filler = "lorem ipsum dolor sit amet, ".repeat(200);
    for length in [15, 16, 64, 500, 511, 512, 513, 520, 700] {
        let run = "a1B2".repeat(200)[..length].to_owned();
        let base = format!("{filler}\nacme_api_token = \"{run}\"\n{filler}");
        let trace = engine.trace(base.as_bytes(), true, &mut scratch);
        let at = base.find(&run).expect("it was put there");
        for (cut, put) in [(length, "Z9"), (length - 1, ""), (0, "x"), (length / 2, "-"), (length, " ")] {
            let cut_at = at + cut;
            let skip = usize::from(put.is_empty());
            let bytes = [&base[..cut_at], put, &base[cut_at + skip..]].concat();
            let copies = [
                Copied { base: 0, target: 0, length: cut_at },
                Copied {
                    base: cut_at + skip,
                    target: cut_at + put.len(),
                    length: base.len() - cut_at - skip,
                },
            ];
            let got = engine.retrace(bytes.as_bytes(), &trace, copies.into_iter(), true, &mut scratch);
            assert_eq!(
                normal(got.matches().to_vec()),
                normal(fast(&engine, bytes.as_bytes())),
                "{length} {cut}"
            );
        }
    }
}
