//! The one pass over the text: masks, token runs, literal hits.

use std::ops::Range;

use super::cost::Finds;
use super::edge::{MAX_ESCAPE, escape_offsets, is_left_edge};
use super::mask::{Masks, STRIDE, WORDS, is_mark};
use super::places::Places;
use super::trace::{Trigger, What};
use super::{Engine, Scratch, assignment, decode, format, generic, token};
use crate::rule::class::ByteSet;
use crate::rule::compile::MIN_RUN;
use crate::rule::table::{LookupView, Target};

/// Longest run that is looked at as a value; longer ones are data.
pub(super) const MAX_VALUE_RUN: usize = 512;
/// Triggers may start this many bytes before what reveals them (a run behind a prefix, the probe
/// inside a literal).
const LOOK_BEHIND: usize = 64;

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
    engine: &'a Engine,
    bytes: &'a [u8],
    /// Only triggers that start here are reported.
    triggers: Range<usize>,
    finds: Finds<'a>,
    heads: LookupView<'a>,
    tails: LookupView<'a>,
    probes: LookupView<'a>,
    /// Where triggers are noted, whether they match or not.
    noted: Option<&'a mut Vec<Trigger>>,
    /// Escapes that are found here are noted; from the first trigger on.
    escapes: Range<usize>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(engine: &'a Engine, bytes: &'a [u8], triggers: Range<usize>, finds: Finds<'a>) -> Self {
        let tables = &engine.rules().tables;
        let (heads, tails, probes) = (tables.head.view(), tables.tail.view(), tables.probes.view());
        let escapes = triggers.clone();
        Self { engine, bytes, triggers, finds, heads, tails, probes, noted: None, escapes }
    }

    /// Notes the escapes that are found in `range`, not before the first trigger, instead of those
    /// that are found where triggers are.
    pub(super) fn escapes(self, range: Range<usize>) -> Self {
        Self { escapes: range, ..self }
    }

    /// Notes triggers there as well, if anywhere.
    pub(super) fn noting(self, noted: Option<&'a mut Vec<Trigger>>) -> Self {
        Self { noted, ..self }
    }

    pub(super) fn run(&mut self, scratch: &mut Scratch) {
        let behind = self.triggers.end.saturating_add(LOOK_BEHIND).max(self.escapes.end);
        let end = self.bytes.len().min(behind);
        let mut long = self.cut_by_start();
        // A line feed is marked by the byte before it.
        scratch.decode.search(self.bytes, self.escapes.start..self.escapes.end.min(self.escapes.start + 1));
        let mut start = self.triggers.start;
        while start < end {
            let words = (end - start).div_ceil(64).min(WORDS);
            (self.engine.fill)(&self.engine.filter, self.bytes, start, words, &mut scratch.masks);
            let Scratch { masks, decode, .. } = scratch;
            self.hits(start, &mut masks.hits);
            long = self.runs(start, long, masks, decode);
            // Back ends may set more bits than there are marks.
            let next = |at: usize| self.bytes.get(at + 1).copied().unwrap_or_default();
            masks.marks.retain(|place| is_mark(self.bytes[start + place], next(start + place)));
            masks.marks.iter().for_each(|place| decode.marks(self.bytes, start + place, &self.escapes));
            start += STRIDE;
        }
    }

    /// Tests the literals that may stand in a stride, at `places`.
    fn hits(&mut self, start: usize, places: &mut Places) {
        let (bytes, probes) = (&self.bytes[start..], self.probes);
        let key = |place: usize| bytes.get(place..).and_then(<[u8]>::first_chunk::<3>);
        places.retain(|place| key(place).is_some_and(|&[a, b, c]| probes.may_have(a, b, c)));
        for place in places.iter() {
            if let Some(&[a, b, c]) = key(place) {
                self.literals(start + place, probes.get(a, b, c));
            }
        }
    }

    /// Tests the runs that begin in a stride. `long`: a run of at least [`MIN_RUN`] bytes goes on in
    /// it; the answer says the same of the next stride.
    fn runs(&mut self, start: usize, long: bool, masks: &Masks, encoded: &mut decode::State) -> bool {
        let mut goes_on = false;
        if long {
            let stop = run_end(masks, 0);
            self.inner_prefixes(start, masks, 0, stop);
            goes_on = stop > STRIDE;
        }
        for first in masks.runs.iter() {
            let stop = self.token_run(start, masks, first);
            goes_on |= stop > STRIDE;
            let at = start + first;
            if decode::may_be_encoded(self.bytes, at, stop - first) && self.triggers.contains(&at) {
                encoded.candidates().push(at);
            }
        }
        goes_on
    }

    /// A run that began before the range still holds prefixes that start inside it. Whether it has at
    /// least [`MIN_RUN`] bytes and goes on in the range.
    fn cut_by_start(&mut self) -> bool {
        let from = self.triggers.start;
        let bytes = self.bytes;
        let in_run = |i: usize| bytes.get(i).is_some_and(|&b| ByteSet::RUN.has(b));
        if from == 0 || !in_run(from - 1) {
            return false;
        }
        let behind = (1..MIN_RUN).take_while(|&back| back <= from && in_run(from - back)).count();
        let ahead = (from..from + MIN_RUN).take_while(|&at| in_run(at)).count();
        let long = ahead > 0 && behind + ahead >= MIN_RUN;
        if long {
            // Later places behind a joint are seen with their stride.
            for at in from..from + ahead.min(MAX_ESCAPE) {
                if (at == from || ByteSet::WORD.has(bytes[at - 1])) && is_left_edge(bytes, at) {
                    self.prefixes(at);
                }
            }
        }
        long
    }

    /// Tests the run that starts at `first` in the stride at `start`; where it ends in the
    /// stride, as [`run_end`] says.
    fn token_run(&mut self, start: usize, masks: &Masks, first: usize) -> usize {
        let at = start + first;
        self.prefixes(at);
        if let Some(&previous) = at.checked_sub(1).and_then(|i| self.bytes.get(i)) {
            for offset in escape_offsets(previous) {
                if is_left_edge(self.bytes, at + offset) {
                    self.prefixes(at + offset);
                }
            }
            self.prefixes_before(at);
        }
        let stop = run_end(masks, first);
        self.inner_prefixes(start, masks, first, stop);
        if stop - first <= MAX_VALUE_RUN && self.triggers.contains(&at) {
            let run = measure(self.bytes, start, masks, first, stop);
            if run.mixed && run.end - run.start <= MAX_VALUE_RUN {
                self.note(at, What::Run);
                assignment::scan(self.engine, self.bytes, run, &mut self.finds);
            }
        }
        stop
    }

    /// Prefixes behind the joints of a run, as far as it lies in the stride.
    #[inline]
    fn inner_prefixes(&mut self, start: usize, masks: &Masks, first: usize, stop: usize) {
        let last = (stop - 1).min(STRIDE);
        for word in first / 64..last.div_ceil(64) {
            let mut joints = masks.joint[word] & piece(word, first, last);
            while joints != 0 {
                self.prefixes(start + word * 64 + joints.trailing_zeros() as usize + 1);
                joints &= joints - 1;
            }
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
            What::Run => assignment::scan(self.engine, self.bytes, run_at(self.bytes, at), &mut self.finds),
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
        for &branch in self.heads.get(a, b, c) {
            self.prefix(branch, at);
        }
    }

    /// Branches whose prefix may end just before the run at `start`.
    fn prefixes_before(&mut self, start: usize) {
        let Some(&[a, b]) = self.bytes[..start].last_chunk() else { return };
        let c = self.bytes[start];
        for &number in self.tails.get(a, b, c) {
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
        // Another prefix may have the same key.
        if token::has_anchor(branch, self.bytes, at) {
            self.finds.trigger(branch.rule);
            self.finds.test(branch.rule, |out| out.extend(token::verify(rules, branch, self.bytes, at)));
        }
    }

    /// The `candidates` whose probe stands at `probe`.
    fn literals(&mut self, probe: usize, candidates: &[u16]) {
        let bytes = self.bytes.get(probe..).unwrap_or_default();
        for &number in candidates {
            if !self.engine.filter.may_be(number, bytes) {
                continue;
            }
            let literal = &self.engine.rules().tables.literals[usize::from(number)];
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
                let used = &self.engine.rules().formats[usize::from(number)];
                self.finds.trigger(used.rule);
                let format = used.format;
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
                self.finds.trigger(pattern.rule);
                self.finds.test(pattern.rule, |out| {
                    super::pattern::scan(rules, pattern, regex, self.bytes, at..at + len, out);
                });
            }
            Target::Format(number) => {
                let rules = self.engine.rules();
                let format = &rules.formats[usize::from(number)];
                self.finds.test(format.rule, |out| {
                    out.extend(super::pattern::verify_format(rules, format, self.bytes, at));
                });
            }
            Target::Name => generic::scan_name(self.engine, self.bytes, at, len, &mut self.finds),
        }
    }
}

/// A bit for each byte of `from..to` that lies in `word` of a stride.
#[inline]
fn piece(word: usize, from: usize, to: usize) -> u64 {
    let behind = |at: usize| match at.saturating_sub(word * 64) {
        within @ 0..64 => u64::MAX << within,
        _ => 0,
    };
    behind(from) & !behind(to)
}

/// Where the run that holds the byte at `first` ends in a stride; the end of the masks when it goes
/// on there.
#[inline]
fn run_end(masks: &Masks, first: usize) -> usize {
    let mut word = first / 64;
    let mut strangers = !masks.token[word] & u64::MAX << (first % 64);
    while strangers == 0 {
        word += 1;
        if word * 64 == masks.end() {
            return masks.end();
        }
        strangers = !masks.token[word];
    }
    word * 64 + strangers.trailing_zeros() as usize
}

/// The run that starts at `start`, followed until it is too long for a value.
fn run_at(bytes: &[u8], start: usize) -> Run {
    let most = &bytes[start..bytes.len().min(start + MAX_VALUE_RUN + 1)];
    let text = &most[..most.iter().position(|&b| !ByteSet::RUN.has(b)).unwrap_or(most.len())];
    let mixed = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
    Run { start, end: start + text.len(), mixed }
}

/// The run from `first` to `stop` in the stride at `start`; followed on where its masks end,
/// until it is too long for a value.
#[inline]
fn measure(bytes: &[u8], start: usize, masks: &Masks, first: usize, stop: usize) -> Run {
    let (mut digits, mut letters) = (0, 0);
    for word in first / 64..stop.div_ceil(64) {
        let bits = piece(word, first, stop);
        digits |= masks.digit[word] & bits;
        letters |= masks.letter[word] & bits;
    }
    if stop == masks.end() {
        return run_at(bytes, start + first);
    }
    Run { start: start + first, end: start + stop, mixed: digits != 0 && letters != 0 }
}

#[cfg(test)]
mod tests {
    use super::super::mask;
    use super::*;

    /// The run that starts at `at`, by masks.
    fn measured(bytes: &[u8], at: usize) -> Run {
        let (start, first) = (at / STRIDE * STRIDE, at % STRIDE);
        let mut masks = Masks::new();
        mask::portable(&mask::Filter::new(&[]), bytes, start, WORDS, &mut masks);
        measure(bytes, start, &masks, first, run_end(&masks, first))
    }

    /// One past the last byte that full masks tell of.
    const END: usize = STRIDE + 64;

    #[test]
    fn runs_end_at_the_first_stranger() {
        assert_eq!(measured(b"ab1-/+_.x", 0), Run { start: 0, end: 7, mixed: true });
        assert_eq!(measured(b"abc", 1), Run { start: 1, end: 3, mixed: false });
        for end in [STRIDE - 1, STRIDE, STRIDE + 1, END - 1, END, END + 1, END + 200] {
            for back in [1, 63, 64, 65, 200] {
                let start = STRIDE - back;
                let mut bytes = vec![b' '; end];
                bytes[start..].fill(b'a');
                assert_eq!(measured(&bytes, start), Run { start, end, mixed: false });
                bytes[end - 1] = b'1';
                assert_eq!(measured(&bytes, start).mixed, end > start + 1);
                bytes.extend(b" aaa");
                assert_eq!(measured(&bytes, start).end, end);
            }
        }
    }

    #[test]
    fn pieces_cover_exactly_the_range() {
        for (from, to) in [(0, 1), (0, 64), (63, 65), (5, 200), (64, 128), (0, 0), (7, 7)] {
            let bit = |i: &usize| piece(i / 64, from, to) >> (i % 64) & 1 == 1;
            assert_eq!((0..256).filter(bit).collect::<Vec<_>>(), (from..to).collect::<Vec<_>>());
        }
    }
}
