//! The one pass over the text: masks, token runs, literal hits.

use std::ops::Range;

use super::edge::{escape_offsets, is_left_edge};
use super::mask::{Masks, STRIDE, WORDS};
use super::trace::{Trigger, What};
use super::{Engine, Scratch, assignment, format, generic, token};
use crate::finding::Match;
use crate::rule::class::ByteSet;
use crate::rule::compile::MIN_RUN;
use crate::rule::table::Target;

/// Longest run that is looked at as a value; longer ones are data.
pub(super) const MAX_VALUE_RUN: usize = 512;
/// Triggers may start this many bytes before what reveals them (a run behind a prefix, the probe
/// inside a literal).
pub(super) const LOOK_BEHIND: usize = 64;

/// A token run: `[start, end)` bytes of [`ByteSet::RUN`], not followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
    /// It has a digit and a letter.
    pub(super) mixed: bool,
}

/// One scan of one content.
pub(super) struct Pass<'a> {
    pub(super) engine: &'a Engine,
    pub(super) bytes: &'a [u8],
    /// Only triggers that start here are reported.
    pub(super) triggers: Range<usize>,
    pub(super) out: &'a mut Vec<Match>,
    /// Where triggers are noted, whether they match or not.
    pub(super) noted: Option<&'a mut Vec<Trigger>>,
}

impl Pass<'_> {
    pub(super) fn run(&mut self, scratch: &mut Scratch) {
        let end = self.bytes.len().min(self.triggers.end.saturating_add(LOOK_BEHIND));
        self.run_cut_by_start();
        let mut before = self.triggers.start.checked_sub(1).is_some_and(|i| ByteSet::RUN.has(self.bytes[i]));
        let mut start = self.triggers.start;
        while start < end {
            let words = (end - start).div_ceil(64).min(WORDS);
            (self.engine.fill)(&self.engine.filter, self.bytes, start, words, &mut scratch.masks);
            before = self.stride(start, end, before, &scratch.masks);
            start += STRIDE;
        }
    }

    /// Consumes the masks of one stride; `before` is whether the byte before it is of a run.
    fn stride(&mut self, start: usize, end: usize, mut before: bool, masks: &Masks) -> bool {
        for word in 0..WORDS {
            let base = start + word * 64;
            if base >= end {
                break;
            }
            let mut hits = masks.hit[word];
            while hits != 0 {
                self.literals(base + hits.trailing_zeros() as usize);
                hits &= hits - 1;
            }
            let token = masks.token[word];
            let mut starts = long_runs(token, masks.token[word + 1]) & !(token << 1 | u64::from(before));
            while starts != 0 {
                self.token_run(base + starts.trailing_zeros() as usize);
                starts &= starts - 1;
            }
            before = token >> 63 != 0;
        }
        before
    }

    /// A run that began before the range still holds prefixes that start inside it.
    fn run_cut_by_start(&mut self) {
        let from = self.triggers.start;
        let in_run = |i: usize| self.bytes.get(i).is_some_and(|&b| ByteSet::RUN.has(b));
        if from == 0 || !in_run(from) || !in_run(from - 1) {
            return;
        }
        let behind = (1..MIN_RUN).take_while(|&back| back <= from && in_run(from - back)).count();
        // Beyond that the run's end makes no difference.
        let limit = self.bytes.len().min(self.triggers.end.max(from + MIN_RUN));
        let end = (from..limit).find(|&i| !in_run(i)).unwrap_or(limit);
        if behind + (end - from) < MIN_RUN {
            return;
        }
        for at in from..end.min(self.triggers.end) {
            if is_left_edge(self.bytes, at) {
                self.prefixes(at);
            }
        }
    }

    fn token_run(&mut self, start: usize) {
        let bytes = self.bytes;
        let run = measure(bytes, start);
        self.prefixes(start);
        if start > 0 {
            for offset in escape_offsets(bytes[start - 1]) {
                if is_left_edge(bytes, start + offset) {
                    self.prefixes(start + offset);
                }
            }
            self.prefixes_before(start);
        }
        let last = run.end.min(self.triggers.end.saturating_add(LOOK_BEHIND));
        for at in start + 1..last {
            if !ByteSet::WORD.has(bytes[at - 1]) {
                self.prefixes(at);
            }
        }
        if run.mixed && run.end - start <= MAX_VALUE_RUN && self.triggers.contains(&start) {
            self.note(start, What::Run);
            assignment::scan(self.engine, bytes, run, self.out);
        }
    }

    fn note(&mut self, at: usize, what: What) {
        if let Some(noted) = &mut self.noted {
            noted.push(Trigger::new(at, what));
        }
    }

    /// Tests again what was noted elsewhere, where it stands now.
    pub(super) fn again(&mut self, trigger: Trigger) {
        let at = trigger.at();
        match trigger.what() {
            What::Run => {
                let run = measure(self.bytes, at);
                assignment::scan(self.engine, self.bytes, run, self.out);
            }
            What::Branch(number) => self.branch(number, at),
            What::Literal(number) => {
                let literal = &self.engine.rules().tables.literals[usize::from(number)];
                self.targets(&literal.targets, at, literal.bytes.len());
            }
        }
    }

    /// Branches whose prefix may start at `at`.
    fn prefixes(&mut self, at: usize) {
        let Some(&[a, b, c]) = self.bytes.get(at..at + 3).and_then(|key| key.first_chunk()) else { return };
        if !self.triggers.contains(&at) {
            return;
        }
        for &branch in self.engine.rules().tables.head.get(a, b, c) {
            self.prefix(branch, at);
        }
    }

    /// Branches whose prefix may end just before the run at `start`.
    fn prefixes_before(&mut self, start: usize) {
        let Some(&[a, b]) = self.bytes[..start].last_chunk() else { return };
        let c = self.bytes[start];
        for &number in self.engine.rules().tables.tail.get(a, b, c) {
            let branch = &self.engine.rules().branches[usize::from(number)];
            if let Some(at) = start.checked_sub(branch.prefix.len())
                && self.triggers.contains(&at)
            {
                self.prefix(number, at);
            }
        }
    }

    /// A branch whose prefix may stand at `at`.
    fn prefix(&mut self, number: u16, at: usize) {
        let branch = &self.engine.rules().branches[usize::from(number)];
        if self.noted.is_some() && token::has_anchor(branch, self.bytes, at) {
            self.note(at, What::Branch(number));
        }
        self.branch(number, at);
    }

    fn branch(&mut self, number: u16, at: usize) {
        let rules = self.engine.rules();
        let branch = &rules.branches[usize::from(number)];
        self.out.extend(token::verify(rules, branch, self.bytes, at));
    }

    /// Literals whose probe stands at `probe`.
    fn literals(&mut self, probe: usize) {
        let Some(&[a, b, c]) = self.bytes.get(probe..probe + 3).and_then(|key| key.first_chunk()) else {
            return;
        };
        let tables = &self.engine.rules().tables;
        for &number in tables.probes.get(a, b, c) {
            let literal = &tables.literals[usize::from(number)];
            let Some(at) = probe.checked_sub(usize::from(literal.probe)) else { continue };
            let there = self.bytes.get(at..at + literal.bytes.len());
            if there.is_none_or(|text| !text.eq_ignore_ascii_case(&literal.bytes))
                || !self.triggers.contains(&at)
            {
                continue;
            }
            self.note(at, What::Literal(number));
            self.targets(&literal.targets, at, literal.bytes.len());
        }
    }

    /// Follows the targets of the literal of `len` bytes at `at`.
    fn targets(&mut self, targets: &[Target], at: usize, len: usize) {
        let mut known = None;
        for &target in targets {
            if let Target::Format(number) = target {
                // Dozens of rules share `://`; what none of them can match is seen once.
                let format = self.engine.rules().formats[usize::from(number)].format;
                let hopeless = match known {
                    Some((of, hopeless)) if of == format => hopeless,
                    _ => format::is_hopeless(format, self.bytes, at),
                };
                known = Some((format, hopeless));
                if hopeless {
                    continue;
                }
            }
            self.literal(target, at, len);
        }
    }

    fn literal(&mut self, target: Target, at: usize, len: usize) {
        match target {
            Target::Branch(number) => self.branch(number, at),
            Target::Pattern(number) => {
                let rules = self.engine.rules();
                let pattern = &rules.patterns[usize::from(number)];
                let regex = self.engine.regex(number);
                super::pattern::scan(rules, pattern, regex, self.bytes, at..at + len, self.out);
            }
            Target::Format(number) => {
                let rules = self.engine.rules();
                let format = &rules.formats[usize::from(number)];
                self.out.extend(super::pattern::verify_format(rules, format, self.bytes, at));
            }
            Target::Name => generic::scan_name(self.engine, self.bytes, at, len, self.out),
        }
    }
}

/// Bits where a stretch of [`MIN_RUN`] token bytes starts.
#[inline]
fn long_runs(token: u64, next: u64) -> u64 {
    let mut wide = u128::from(token) | u128::from(next) << 64;
    for shift in [1, 2, 4, 8] {
        wide &= wide >> shift;
    }
    wide as u64
}

/// Follows the run that starts at `start` to its end.
#[inline]
fn measure(bytes: &[u8], start: usize) -> Run {
    const DIGIT: u8 = 1;
    const LETTER: u8 = 2;
    const STOP: u8 = 4;
    const CLASS: [u8; 256] = {
        let mut class = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            class[byte] = match byte as u8 {
                b'0'..=b'9' => DIGIT,
                b'A'..=b'Z' | b'a'..=b'z' => LETTER,
                b'_' | b'+' | b'/' | b'-' => 0,
                _ => STOP,
            };
            byte += 1;
        }
        class
    };
    let mut seen = 0;
    let mut end = start;
    for &byte in &bytes[start..] {
        let class = CLASS[usize::from(byte)];
        if class == STOP {
            break;
        }
        seen |= class;
        end += 1;
    }
    Run { start, end, mixed: seen == DIGIT | LETTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_start_where_sixteen_follow() {
        assert_eq!(long_runs(0xFFFF, 0), 1);
        assert_eq!(long_runs(0xFFFF << 1, 0), 2);
        assert_eq!(long_runs(0x7FFF, 0), 0);
        assert_eq!(long_runs(0xFF << 56, 0xFF), 1 << 56);
    }

    #[test]
    fn runs_end_at_the_first_stranger() {
        assert_eq!(measure(b"ab1-/+_.x", 0), Run { start: 0, end: 7, mixed: true });
        assert_eq!(measure(b"abc", 1), Run { start: 1, end: 3, mixed: false });
    }
}
