//! Scanning what was made from content that is known: only what changed is searched.
//!
//! A [`Trace`] remembers where the triggers of a content stand and what they matched. In content that
//! copies ranges of it, triggers are searched only where something new is or two copies meet
//! (`windows`); those inside a copied range are taken over. So are their matches, where a copied
//! range holds all that their tests may read (`reach`); other triggers are tested again. The matches
//! are those of a scan of the whole.
//!
//! Whoever adds a kind of trigger to `scan` notes it there, gives it a reach here, and sees to it that
//! a window covers whatever decides whether it is one.

use std::ops::Range;

use super::cost::Finds;
use super::decode::{self, Candidates, Legacy, Spent};
use super::scan::{MAX_VALUE_RUN, Pass};
use super::value::MAX_VALUE;
use super::{Engine, Scratch, format};
use crate::finding::{Match, Span};
use crate::rule::class::ByteSet;
use crate::rule::compile::{MAX_LITERAL, MIN_RUN};
use crate::rule::shape::max_len;
use crate::rule::table::Target;

/// Triggers that start up to this many bytes before a change may come or go with it: a prefix and the
/// run that reveals it.
const LEFT: usize = MAX_LITERAL + MIN_RUN + 8;
/// Triggers that start up to this many bytes behind a change may come or go with it: their run, or the
/// escape before them.
const RIGHT: usize = MIN_RUN + 8;
/// Two windows are searched as one when no more than this is between them: beginning anew costs more.
const NEAR: usize = 192;

/// What a value run's test may read left of it: a longer value (2 × 65), then its name.
const RUN_LEFT: usize = 768;
/// What a value run's test may read from its first byte on: its value, which begins no later, and a few
/// bytes behind that.
const RUN_RIGHT: usize = MAX_VALUE + 96;

/// Bytes that a content took from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where they are in the other, in bytes.
    pub base: usize,
    /// Where they are in the content, in bytes.
    pub target: usize,
    /// How many they are.
    pub length: usize,
}

impl Copied {
    pub(super) fn target_end(&self) -> usize {
        self.target + self.length
    }
}

/// What is remembered of a scanned content.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Length of the content in bytes.
    len: usize,
    /// Ascending. None when the content was scanned for its matches only.
    triggers: Vec<Trigger>,
    /// Ascending by trigger.
    matches: Vec<Match>,
    /// What in it may be encoded. None when the content was scanned for its matches only.
    encoded: Candidates,
    /// What decoding that took.
    spent: Spent,
}

/// One place that was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trigger {
    at: u32,
    what: What,
}

/// What is tested at a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A value run.
    Run,
    /// The branch of this number.
    Branch(u16),
    /// The targets of the literal of this number.
    Literal(u16),
}

impl Trigger {
    /// `at` is an offset in content of less than 4 GiB; larger content is scanned in windows.
    pub(super) fn new(at: usize, what: What) -> Self {
        Self { at: at as u32, what }
    }

    pub(super) fn at(self) -> usize {
        self.at as usize
    }

    pub(super) fn what(self) -> What {
        self.what
    }
}

/// Buffers of [`Engine::retrace`].
#[derive(Default)]
pub(super) struct Room {
    copies: Vec<Copied>,
    windows: Vec<Range<usize>>,
}

impl Trace {
    /// Every match in the content, by ascending trigger.
    #[must_use]
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// Brings it into order when all is found, and keeps what may be encoded if asked to.
    fn settle(&mut self, keep: bool, scratch: &Scratch) {
        if keep {
            self.encoded = scratch.decode.kept();
            self.spent = scratch.decode.spent();
        }
        self.triggers.sort_unstable();
        self.triggers.dedup();
        self.matches.sort_by_key(|hit| hit.trigger);
    }
}

impl Engine {
    /// Scans `bytes` as [`scan`](Self::scan) does. With `keep`, the trace serves for
    /// [`retrace`](Self::retrace) afterwards. Content must be smaller than 4 GiB.
    #[must_use]
    pub fn trace(&self, bytes: &[u8], keep: bool, scratch: &mut Scratch) -> Trace {
        let mut trace = Trace { len: bytes.len(), ..Trace::default() };
        let triggers = 0..bytes.len();
        let mut finds = Finds::new(&mut trace.matches);
        scratch.decode.refill(bytes.len());
        self.scan_without_keyword(bytes, &triggers, &mut finds);
        let noted = keep.then_some(&mut trace.triggers);
        scratch.decode.begin(bytes, &triggers);
        Pass::new(self, bytes, triggers, finds).noting(noted).run(scratch);
        decode::whole(self, bytes, scratch, &mut trace.matches);
        trace.settle(keep, scratch);
        trace
    }

    /// [`trace`](Self::trace) for `bytes` that took `copies` from the content of `base`, whose trace
    /// was kept: the same matches, mostly for less.
    ///
    /// `copies` ascend in `bytes` and are disjoint there; neighbours that continue each other in both
    /// are one.
    #[must_use]
    pub fn retrace(
        &self,
        bytes: &[u8],
        base: &Trace,
        copies: impl Iterator<Item = Copied>,
        keep: bool,
        scratch: &mut Scratch,
    ) -> Trace {
        if self.rules.patterns.iter().any(|pattern| pattern.keywords.is_empty()) {
            // Its matches have no trigger that could be noted.
            return self.trace(bytes, keep, scratch);
        }
        let mut room = std::mem::take(&mut scratch.room);
        room.copies.clear();
        room.copies.extend(copies);
        windows(bytes, &room.copies, base.len, &mut room.windows);
        let searched: usize = room.windows.iter().map(|window| window.len() + NEAR).sum();
        let trace = if searched >= bytes.len() {
            self.trace(bytes, keep, scratch)
        } else {
            scratch.decode.refill(bytes.len());
            let mut trace = Trace { len: bytes.len(), ..Trace::default() };
            let mut heir = Heir { engine: self, bytes, base, copies: &room.copies, keep, trace: &mut trace };
            let mut from = 0;
            let mut copies = room.copies.as_slice();
            let mut escapes = 0..0;
            scratch.decode.begin(bytes, &escapes);
            for window in &room.windows {
                heir.inherit(from..window.start, scratch);
                escapes =
                    scratch.decode.approach(bytes, escapes.end, window, RIGHT, &base.encoded, &mut copies);
                heir.search(window.clone(), escapes.clone(), scratch);
                from = window.end;
            }
            heir.inherit(from..bytes.len(), scratch);
            scratch.decode.conclude(bytes.len(), escapes.end, &base.encoded, &mut copies);
            let legacy =
                Legacy { matches: &base.matches, base_len: base.len, copies: &room.copies, len: bytes.len() };
            decode::changed(self, bytes, &legacy, base.spent, scratch, &mut trace.matches);
            trace.settle(keep, scratch);
            trace
        };
        scratch.room = room;
        trace
    }

    /// Bytes that the test of `what` may read before its first byte, and from that on. `None` where
    /// no limit is declared.
    fn reach(&self, what: What) -> Option<(usize, usize)> {
        let rules = self.rules();
        match what {
            What::Run => Some((RUN_LEFT, RUN_RIGHT)),
            What::Branch(number) => Some(self.branch_reach(number)),
            What::Literal(number) => {
                let literal = &rules.tables.literals[usize::from(number)];
                literal.targets.iter().try_fold((0, 0), |(left, right): (usize, usize), target| {
                    let (l, r) = match *target {
                        Target::Branch(number) => self.branch_reach(number),
                        Target::Pattern(number) => {
                            let reach = rules.patterns[usize::from(number)].reach as usize + 1;
                            (reach, literal.bytes.len() + reach)
                        }
                        Target::Format(_) => (format::LEFT, format::RIGHT),
                        Target::Name => return None,
                    };
                    Some((left.max(l), right.max(r)))
                })
            }
        }
    }

    fn branch_reach(&self, number: u16) -> (usize, usize) {
        /// For what may stand before a token (an escape of six bytes) and behind it.
        const EDGE: usize = 8;
        let branch = &self.rules().branches[usize::from(number)];
        (max_len(&branch.before) + EDGE, branch.prefix.len() + max_len(&branch.body) + EDGE)
    }
}

/// Where triggers are to be searched in `bytes`: around what is not copied and where copies meet.
fn windows(bytes: &[u8], copies: &[Copied], base_len: usize, windows: &mut Vec<Range<usize>>) {
    windows.clear();
    let mut dirty = |start: usize, end: usize| {
        let floor = windows.last().map_or(0, |last| last.end);
        let mut from = start.saturating_sub(LEFT);
        if floor < from {
            // A value run that reaches the change begins before it.
            let limit = floor.max(start.saturating_sub(MAX_VALUE_RUN + 8));
            let run = bytes[limit..start].iter().rev().take_while(|&&byte| ByteSet::RUN.has(byte)).count();
            from = from.min(start - run);
        }
        let to = bytes.len().min(end + RIGHT);
        match windows.last_mut() {
            Some(last) if from <= last.end + NEAR => last.end = last.end.max(to),
            _ => windows.push(from..to),
        }
    };
    let mut end = 0;
    for (number, copy) in copies.iter().enumerate() {
        if number > 0 || copy.target > 0 || copy.base > 0 {
            dirty(end, copy.target);
        }
        end = copy.target_end();
    }
    let ends_alike = copies.last().is_some_and(|copy| copy.base + copy.length == base_len);
    if end < bytes.len() || !ends_alike {
        dirty(end, bytes.len());
    }
}

/// Makes the trace of a content from that of its base.
struct Heir<'a> {
    engine: &'a Engine,
    bytes: &'a [u8],
    base: &'a Trace,
    /// Those that were not yet passed by.
    copies: &'a [Copied],
    keep: bool,
    trace: &'a mut Trace,
}

impl Heir<'_> {
    fn search(&mut self, window: Range<usize>, escapes: Range<usize>, scratch: &mut Scratch) {
        let noted = self.keep.then_some(&mut self.trace.triggers);
        let finds = Finds::new(&mut self.trace.matches);
        Pass::new(self.engine, self.bytes, window, finds).noting(noted).escapes(escapes).run(scratch);
    }

    /// Takes over the triggers in `range` of the content, which lies inside one copy.
    fn inherit(&mut self, range: Range<usize>, scratch: &mut Scratch) {
        if range.is_empty() {
            return;
        }
        let passed = self.copies.iter().take_while(|copy| copy.target_end() < range.end).count();
        self.copies = &self.copies[passed..];
        let Some(&copy) = self.copies.first() else { return };
        let moved = |at: usize| at - copy.target + copy.base;
        let (from, to) = (moved(range.start), moved(range.end));
        let runs = &self.base.encoded.runs;
        let runs = &runs[runs.partition_point(|&run| run < from)..runs.partition_point(|&run| run < to)];
        scratch.decode.candidates().extend(runs.iter().map(|run| run - copy.base + copy.target));
        let triggers = &self.base.triggers;
        let first = triggers.partition_point(|trigger| trigger.at() < from);
        for same in triggers[first..].chunk_by(|one, other| one.at == other.at) {
            let at = same[0].at();
            if at >= to {
                break;
            }
            let here = at - copy.base + copy.target;
            let mut tested = same.iter().map(|&Trigger { what, .. }| Trigger::new(here, what));
            if self.keep {
                self.trace.triggers.extend(tested.clone());
            }
            if same.iter().all(|trigger| self.sees_the_same(*trigger, copy)) {
                self.take_matches(at, here);
            } else {
                let finds = Finds::new(&mut self.trace.matches);
                let mut pass = Pass::new(self.engine, self.bytes, here..here + 1, finds);
                tested.by_ref().for_each(|trigger| pass.again(trigger));
            }
        }
    }

    /// Whether all that the test of a base's `trigger` reads was copied with it.
    fn sees_the_same(&self, trigger: Trigger, copy: Copied) -> bool {
        let Some((left, right)) = self.engine.reach(trigger.what) else { return false };
        let at = trigger.at();
        let begins = copy.base == 0 && copy.target == 0;
        let copy_end = copy.base + copy.length;
        let ends = copy_end == self.base.len && copy.target_end() == self.bytes.len();
        (at >= copy.base + left || begins) && (at + right <= copy_end || ends)
    }

    /// Takes over the matches of the base's triggers at `at`, which stand at `here` now.
    fn take_matches(&mut self, at: usize, here: usize) {
        let matches = &self.base.matches;
        let first = matches.partition_point(|hit| hit.trigger < at);
        let moved = |span: Span| Span::new(span.start + here - at, span.end + here - at);
        let here_too = matches[first..].iter().take_while(|hit| hit.trigger == at);
        let taken = here_too.filter(|hit| hit.decoded.is_none()).map(|hit| Match {
            trigger: here,
            span: moved(hit.span),
            secret: moved(hit.secret),
            ..hit.clone()
        });
        self.trace.matches.extend(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example::Rng;

    /// Content made of up to six pieces of `base` and of `novel`, and what was copied.
    fn patchwork(base: &[u8], novel: &[u8], rng: &mut Rng) -> (Vec<u8>, Vec<Copied>) {
        let (mut bytes, mut copies): (Vec<u8>, Vec<Copied>) = (Vec::new(), Vec::new());
        let mut from = [0, rng.below(base.len())][rng.below(2)];
        for _ in 0..1 + rng.below(6) {
            let most = [40, 400, base.len()][rng.below(3)];
            let length = rng.below(most.min(base.len() - from) + 1);
            let copy = Copied { base: from, target: bytes.len(), length };
            match copies.last_mut() {
                Some(last) if last.base + last.length == from && last.target_end() == copy.target => {
                    last.length += length;
                }
                _ if length > 0 => copies.push(copy),
                _ => {}
            }
            bytes.extend_from_slice(&base[from..from + length]);
            let skipped = (from + length + rng.below(3)).min(base.len());
            from = [skipped, rng.below(base.len())][rng.below(2)];
            let piece = rng.below(novel.len());
            bytes.extend_from_slice(&novel[piece..novel.len().min(piece + rng.below(4))]);
        }
        (bytes, copies)
    }

    #[test]
    fn escapes_are_those_of_a_search_of_the_whole() {
        let engine = Engine::builtin();
        let mut rng = Rng::seeded("escapes");
        let pieces: [&[&str]; 4] = [
            &[
                "\"", "'", " ", "\t", "\n", "\r\n", "+", ".", "..", "<<", "&", "_", "\\", ",", "n", "\\n\",",
                "a",
            ],
            &["=", "=3D", "=\n", "=\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "=20", "\n", "b"],
            &["%41", "%", "4", "\\x41", "\\", "\\u0041", "\\u{41}", "&#65;", "&quot;", "&", ";", "\\/", "1"],
            &[
                "        ",
                "\"",
                "\n",
                "\\\\\\\\",
                "\\x41",
                "a",
                "=3",
                "D",
                "                                ",
            ],
        ];
        let (mut found, mut followed) = (0, 0);
        for round in 0..1500 {
            let pieces = pieces[round % 4];
            let mut noise = |count: usize| -> Vec<u8> {
                (0..count).flat_map(|_| pieces[rng.below(pieces.len())].bytes()).collect()
            };
            let (base, novel) = (noise(800 + 2 * round), noise(40));
            let (bytes, copies) = patchwork(&base, &novel, &mut rng);
            let mut scratch = Scratch::default();
            let known = engine.trace(&base, true, &mut scratch);
            let mut ranges = Vec::new();
            windows(&bytes, &copies, base.len(), &mut ranges);
            followed +=
                usize::from(ranges.iter().map(|range| range.len() + NEAR).sum::<usize>() < bytes.len());
            let copied = copies.iter().copied();
            let got = engine.retrace(&bytes, &known, copied, true, &mut scratch).encoded;
            let expected = engine.trace(&bytes, true, &mut scratch).encoded;
            assert_eq!(got.escapes(), expected.escapes(), "{round}: {copies:?} {}", bytes.escape_ascii());
            found += got.escapes().len();
        }
        assert!(found > 100_000 && followed > 500, "{found} {followed}");
    }

    /// Whatever stands beyond the declared reach of a value run makes no difference to it.
    #[test]
    fn value_runs_read_no_further_than_declared() {
        let engine = Engine::builtin();
        let mut rng = Rng::seeded("reach");
        let alphabets: [&[u8]; 5] = [
            b"abcdef0123456789",
            b"aB3.~%-_/+=:!@$",
            b"k ='\"\n\t,;(){}[]<>:|#",
            b"  \n\n    \t- ",
            b"aZ09=:'\"\n @,.-_key",
        ];
        let mut noise = |len: usize| -> Vec<u8> {
            let mut text = Vec::new();
            while text.len() < len {
                let alphabet = alphabets[rng.below(alphabets.len())];
                let most = [8, 80, 700][rng.below(3)];
                let piece = 1 + rng.below(most);
                text.extend((0..piece).map(|_| alphabet[rng.below(alphabet.len())]));
            }
            text.truncate(len);
            text
        };
        let mut matched = 0;
        for round in 0..3000 {
            let run = noise(17 + round % 40).into_iter().filter(|&b| ByteSet::RUN.has(b));
            let name: &[u8] = [&b" api_key = \""[..], b"@secret@token=", b"\n", b"", b"k='a@"][round % 5];
            let (left, right) = (noise(RUN_LEFT), noise(RUN_RIGHT));
            let core = [name, b"a1", &run.collect::<Vec<u8>>()].concat();
            let middle = [&left[..RUN_LEFT - name.len()], &core, &right[..RUN_RIGHT - core.len()]].concat();
            let mut found = Vec::new();
            for (before, after) in [("", ""), ("x", "x"), ("\n", "\""), ("=", " "), ("\"", "'"), (" ", "\n")]
            {
                let text =
                    [before.as_bytes().repeat(900), middle.clone(), after.as_bytes().repeat(900)].concat();
                let at = before.len() * 900 + RUN_LEFT;
                let length = text[at..].iter().take_while(|&&b| ByteSet::RUN.has(b)).count();
                if !(MIN_RUN..=MAX_VALUE_RUN).contains(&length) || ByteSet::RUN.has(text[at - 1]) {
                    continue;
                }
                let mut out = Vec::new();
                let pass = Pass::new(&engine, &text, at..at + 1, Finds::new(&mut out));
                { pass }.again(Trigger::new(at, What::Run));
                matched += out.len();
                let moved = out.iter().map(|hit| (hit.rule, hit.secret.start + 9000 - at, hit.secret.len()));
                found.push(moved.collect::<Vec<_>>());
            }
            // NOTE: the first has nothing around it, which a test may see.
            let same = found.iter().skip(1).all(|one| *one == found[1]);
            assert!(same, "{round}: {found:?}");
        }
        assert!(matched > 100, "{matched}");
    }
}
