//! The same matches, found the slow and obvious way.
//!
//! Every trigger position is found by naive search and evaluated alone: no masks, no filter, no
//! look-up tables, no dispatch. For tests and fuzzing; hundreds of times slower than
//! [`Engine::scan`].

use super::cost::Finds;
use super::edge::is_left_edge;
use super::scan::{MAX_VALUE_RUN, Run};
use super::{Engine, assignment, decode, generic, pattern, token};
use crate::finding::Match;
use crate::rule::class::ByteSet;
use crate::rule::compile::MIN_RUN;
use crate::rule::table::NAME_LITERALS;

/// Every match in `bytes`, in no particular order.
#[must_use]
pub fn scan(engine: &Engine, bytes: &[u8]) -> Vec<Match> {
    scan_level(engine, bytes, 0)
}

/// Scans text that `depth` encodings were taken off.
fn scan_level(engine: &Engine, bytes: &[u8], depth: u8) -> Vec<Match> {
    let mut out = Vec::new();
    for at in 0..bytes.len() {
        branches_at(engine, bytes, at, &mut out);
        literals_at(engine, bytes, at, &mut out);
    }
    let runs = runs(bytes);
    for &run in &runs {
        if run.mixed && run.end - run.start <= MAX_VALUE_RUN {
            assignment::scan_by::<assignment::ByText>(engine, bytes, run, &mut Finds::new(&mut out));
        }
    }
    for (number, rule) in engine.rules().patterns.iter().enumerate() {
        if rule.keywords.is_empty() {
            let regex = engine.regex(number as u16);
            pattern::scan_whole(engine.rules(), rule, regex, bytes, &(0..bytes.len()), &mut out);
        }
    }
    if depth < decode::MAX_DEPTH {
        let runs: Vec<usize> = runs.iter().map(|run| run.start).collect();
        decode::naive(engine, bytes, &runs, &|text| scan_level(engine, text, depth + 1), &mut out);
    }
    out
}

/// Every branch with its anchor at `at`, whatever way the engine would find it.
fn branches_at(engine: &Engine, bytes: &[u8], at: usize, out: &mut Vec<Match>) {
    let rules = engine.rules();
    for branch in rules.branches.iter() {
        // A cheap test only: `verify` asks for the edge again where it matters.
        let near = branch.before.is_empty() && ByteSet::WORD.has(bytes[at]) && !is_left_edge(bytes, at);
        if !near && token::has_anchor(branch, bytes, at) {
            out.extend(token::verify(rules, branch, bytes, at));
        }
    }
}

/// Every keyword, format literal and password word at `at`.
fn literals_at(engine: &Engine, bytes: &[u8], at: usize, out: &mut Vec<Match>) {
    let rules = engine.rules();
    let stands = |text: &[u8]| bytes.get(at..at + text.len()).is_some_and(|b| b.eq_ignore_ascii_case(text));
    let here = |text: &str| stands(text.as_bytes());
    for (number, rule) in rules.patterns.iter().enumerate() {
        for keyword in rule.keywords.iter().filter(|keyword| here(keyword)) {
            let regex = engine.regex(number as u16);
            pattern::scan(rules, rule, regex, bytes, at..at + keyword.len(), out);
        }
    }
    for used in rules.formats.iter() {
        for _ in used.format.literals().iter().filter(|literal| stands(literal)) {
            out.extend(pattern::verify_format(rules, used, bytes, at));
        }
    }
    if rules.generic.iter().any(Option::is_some) {
        for word in NAME_LITERALS.iter().filter(|word| here(word)) {
            generic::scan_name(engine, bytes, at, word.len(), &mut Finds::new(out));
        }
    }
}

/// All token runs of at least [`MIN_RUN`] bytes.
fn runs(bytes: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let len = bytes[start..].iter().take_while(|&&byte| ByteSet::RUN.has(byte)).count();
        if len >= MIN_RUN {
            let text = &bytes[start..start + len];
            let mixed = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
            runs.push(Run { start, end: start + len, mixed });
        }
        start += len.max(1);
    }
    runs
}
