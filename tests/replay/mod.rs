//! A short replay of the fuzz targets: seeds, and mutations of them that are the same every time.
//!
//! The fuzz targets in `fuzz/` call the same checks. With `KEYCULL_SEEDS=DIR` the seeds are written to
//! `DIR/<target>/`, where a fuzzer can start from them.

mod checks;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use keycull::rule::example::Rng;

/// Longest input.
const MOST: usize = 64 << 10;

/// Runs `check` on every seed and on `rounds` mutations.
#[track_caller]
fn replay(target: &str, check: fn(&[u8]), seeds: &[Vec<u8>], rounds: usize) {
    if let Some(to) = std::env::var_os("KEYCULL_SEEDS") {
        let to = Path::new(&to).join(target);
        std::fs::create_dir_all(&to).expect("a directory for seeds");
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(to.join(format!("seed-{number}")), seed).expect("a seed can be written");
        }
    }
    let mut rng = Rng::seeded(target);
    let mutants = (0..rounds).map(|_| mutant(seeds, &mut rng));
    for (number, input) in seeds.iter().cloned().chain(mutants).enumerate() {
        if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
            panic!("{target}, input {number}: {}", input.escape_ascii());
        }
    }
}

/// A seed that was changed in one to four places.
fn mutant(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seeds[rng.below(seeds.len())].clone();
    for _ in 0..1 + rng.below(4) {
        let at = rng.below(bytes.len() + 1);
        let end = bytes.len().min(at + 1 + rng.below(40));
        match rng.below(7) {
            0 | 1 if at < bytes.len() => bytes[at] = rng.below(256) as u8,
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => {
                let other = &seeds[rng.below(seeds.len())];
                let from = rng.below(other.len() + 1);
                let piece = other[from..other.len().min(from + 1 + rng.below(200))].to_vec();
                bytes.splice(at..end, piece);
            }
            5 => bytes.truncate(at),
            _ => {
                let odd: [&[u8]; 8] = [
                    b"\"",
                    b"'''",
                    b"\0",
                    b"\xff\xff\xff\xff",
                    b"\n\r",
                    b"\x1b[31m",
                    "é\u{202e}".as_bytes(),
                    b"[[",
                ];
                bytes.splice(at..at, odd[rng.below(odd.len())].iter().copied());
            }
        }
    }
    bytes.truncate(MOST);
    bytes
}

#[test]
fn rule_files() {
    replay("rules", checks::rules, &seeds::rules(), 400);
}

#[test]
fn configurations() {
    replay("config", checks::config, &seeds::config(), 2000);
}

#[test]
fn files_of_other_tools() {
    replay("foreign", checks::foreign, &seeds::foreign(), 2000);
}

#[test]
fn baselines() {
    replay("baseline", checks::baseline, &seeds::baseline(), 2000);
}

#[test]
fn containers() {
    replay("container", checks::container, &seeds::container(), 3000);
}

#[test]
fn reports() {
    replay("report", checks::report, &seeds::report(), 120);
}

#[test]
fn a_check_that_fails_is_noticed() {
    let found = catch_unwind(|| {
        replay("none", |input| assert!(input.len() < 3), &[b"ab".to_vec(), b"abc".to_vec()], 0)
    });
    let why = found.expect_err("it fails").downcast::<String>().expect("a text");
    assert_eq!(*why, "none, input 1: abc");
}
