//! Secrets inside encoded text: finds what is encoded, decodes it and scans it again.
//!
//! Two kinds of candidates. Token runs that are base64 or hexadecimal of text (`run`) come from
//! the engine's pass over the masks; places where text was escaped or cut into pieces (`escape`)
//! are searched here. Either is decoded as a whole from its first byte on, which is the trigger
//! of all that is found inside; the decoded text goes through the engine again, to a bounded
//! depth. Random bytes decode to random bytes, so only what reads as text is followed.

mod escape;
mod family;
mod inflate;
mod join;
mod layer;
mod legacy;
mod place;
mod run;
mod text;

use std::ops::Range;

use super::cost::Finds;
use super::trace::Copied;
use super::{Engine, Scratch};
use crate::finding::{Confidence, Match};
use crate::rule::Kind;

use layer::Layer;
pub(super) use legacy::Legacy;
pub(super) use run::may_be_encoded;

/// Encodings inside one another that are followed.
pub const MAX_DEPTH: u8 = 4;
/// Longest encoded text that is decoded as one, in bytes.
pub const MAX_ENCODED: usize = 1 << 20;
/// Decoded bytes one scan may produce: this many times its content …
const RATIO: usize = 32;
/// … and this many more.
const ALLOWANCE: usize = 16 << 20;
/// What is decoded of what was decoded, and so on: so many times as many bytes as there were first, where all
/// of them were encoded, and as many where there were merely escapes among them. More comes out of an
/// allowance for all of a scan, [`ALLOWANCE`] bytes: text of several kinds of escapes can be decoded in any
/// order, and each part of it has to get its turn.
const NESTED: usize = 2;

/// Memory of the decoding stage, and what is left of its budget.
#[derive(Default)]
pub(super) struct State {
    /// First bytes of the runs of the current pass that look encoded.
    encoded: Vec<usize>,
    escapes: escape::Found,
    /// Decoded bytes that may be produced in all, and those of them that are left.
    budget: usize,
    left: usize,
    /// What is left of that for anything that was decoded more than once …
    pool: usize,
    /// … and for what comes of the layer at hand.
    share: usize,
    overrun: bool,
}

/// What decoding a content produced: remembered with its [`Candidates`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Decoded bytes, at most.
    bytes: usize,
    /// Those of them that came out of the allowance.
    pooled: usize,
    /// Something was left undecoded, so that not all matches are known.
    overrun: bool,
}

/// What in a content may be encoded: remembered for the contents made from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    /// First bytes of runs, ascending.
    pub(super) runs: Vec<usize>,
    escapes: escape::Found,
}

#[cfg(test)]
impl Candidates {
    /// Where the escapes are, and what they are found by.
    pub(super) fn escapes(&self) -> Vec<(crate::finding::Span, usize)> {
        self.escapes.places()
    }
}

impl State {
    /// A fresh budget, for a scan of `len` bytes.
    pub(super) fn refill(&mut self, len: usize) {
        self.budget = len.saturating_mul(RATIO).saturating_add(ALLOWANCE);
        self.renew();
        self.encoded.clear();
    }

    /// What was spent since the last [`refill`](Self::refill).
    pub(super) fn spent(&self) -> Spent {
        Spent { bytes: self.budget - self.left, pooled: ALLOWANCE - self.pool, overrun: self.overrun }
    }

    fn renew(&mut self) {
        self.left = self.budget;
        self.pool = ALLOWANCE;
        self.overrun = false;
    }

    /// Takes what the content's base had `spent` out of the budget, for whatever of it is taken over;
    /// false when that may be too much, or not all.
    fn reserve(&mut self, spent: Spent) -> bool {
        match (self.left.checked_sub(spent.bytes), self.pool.checked_sub(spent.pooled)) {
            (Some(left), Some(pool)) if !spent.overrun => {
                (self.left, self.pool) = (left, pool);
                true
            }
            _ => false,
        }
    }

    /// Begins to gather what is encoded in a content; see [`escape::Found::begin`].
    pub(super) fn begin(&mut self, bytes: &[u8], triggers: &Range<usize>) {
        self.escapes.begin(bytes, triggers);
    }

    /// Notes the escapes that are found at places in `range`.
    pub(super) fn search(&mut self, bytes: &[u8], range: Range<usize>) {
        self.escapes.search(bytes, range);
    }

    /// Notes the escapes found by the byte at `at` and by a line feed behind it, as far as these are
    /// in `range` and not its first byte.
    #[inline]
    pub(super) fn marks(&mut self, bytes: &[u8], at: usize, range: &Range<usize>) {
        let inside = |at: usize| range.start < at && at < range.end;
        if inside(at) && bytes[at] != b'\n' {
            self.escapes.mark(bytes, at);
        }
        if inside(at + 1) && bytes.get(at + 1) == Some(&b'\n') {
            self.escapes.mark(bytes, at + 1);
        }
    }

    /// Takes over what escapes `base` has in `range` of the content, and searches from there up to
    /// `window`, around a change; the range to search with the window. `right` is how far behind the
    /// change the window ends.
    pub(super) fn approach(
        &mut self,
        bytes: &[u8],
        from: usize,
        window: &Range<usize>,
        right: usize,
        base: &Candidates,
        copies: &mut &[Copied],
    ) -> Range<usize> {
        let searched = escape::widened(bytes, window, right);
        let start = searched.start.max(from);
        self.escapes.take_over(&base.escapes, from..start, copies);
        let begin = window.start.max(start);
        self.escapes.search(bytes, start..begin);
        begin..searched.end.max(begin)
    }

    /// Takes over what escapes `base` has from `from` on, behind the last change, and puts the runs in
    /// order.
    pub(super) fn conclude(&mut self, len: usize, from: usize, base: &Candidates, copies: &mut &[Copied]) {
        self.escapes.take_over(&base.escapes, from..len, copies);
        self.encoded.sort_unstable();
        self.encoded.dedup();
    }

    /// A copy of the candidates.
    pub(super) fn kept(&self) -> Candidates {
        Candidates { runs: self.encoded.clone(), escapes: self.escapes.clone() }
    }

    /// Where a pass puts the first bytes of runs that look encoded.
    pub(super) fn candidates(&mut self) -> &mut Vec<usize> {
        &mut self.encoded
    }

    /// Whether something was left undecoded since the last call because it was too much.
    pub(super) fn take_overrun(&mut self) -> bool {
        std::mem::take(&mut self.overrun)
    }

    /// Takes the text of `layer`, with `depth` encodings around it, out of the budget; false when there is
    /// not enough left.
    fn afford(&mut self, layer: &Layer, depth: u8) -> bool {
        self.overrun |= layer.cut;
        let len = layer.text.len();
        let (share, pooled) = match depth {
            0 => (len.saturating_mul(if layer.whole { NESTED } else { 1 }), 0),
            _ => (self.share.saturating_sub(len), len.saturating_sub(self.share)),
        };
        match (self.left.checked_sub(len), self.pool.checked_sub(pooled)) {
            (Some(left), Some(pool)) => {
                (self.left, self.pool, self.share) = (left, pool, share);
                true
            }
            _ => {
                self.overrun = true;
                false
            }
        }
    }
}

/// Decodes the candidates of a pass over `bytes` whose first byte is in `triggers`, and appends
/// what is found inside. `depth` counts the encodings around `bytes`.
pub(super) fn follow(
    engine: &Engine,
    bytes: &[u8],
    triggers: &Range<usize>,
    depth: u8,
    scratch: &mut Scratch,
    out: &mut Vec<Match>,
) {
    if depth >= MAX_DEPTH {
        scratch.decode.encoded.clear();
        return;
    }
    scratch.decode.escapes.finish(bytes, triggers);
    undo(engine, bytes, triggers, depth, None, scratch, out);
    scratch.decode.encoded.clear();
}

/// Decodes all candidates of `bytes`, which were gathered.
pub(super) fn whole(engine: &Engine, bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<Match>) {
    undo(engine, bytes, &(0..bytes.len()), 0, None, scratch, out);
}

/// The same for `bytes` made from a base that had `spent` on it: what was copied with all that
/// decides about it is not decoded again.
pub(super) fn changed(
    engine: &Engine,
    bytes: &[u8],
    legacy: &Legacy<'_>,
    spent: Spent,
    scratch: &mut Scratch,
    out: &mut Vec<Match>,
) {
    let before = out.len();
    if scratch.decode.reserve(spent) {
        undo(engine, bytes, &(0..bytes.len()), 0, Some(legacy), scratch, out);
        if !scratch.decode.overrun {
            return;
        }
        out.truncate(before);
    }
    // The budget decides what is decoded, in order: all of it counts.
    scratch.decode.renew();
    whole(engine, bytes, scratch, out);
}

/// Decodes the candidates that were gathered, but for those that `legacy` knows.
fn undo(
    engine: &Engine,
    bytes: &[u8],
    triggers: &Range<usize>,
    depth: u8,
    legacy: Option<&Legacy<'_>>,
    scratch: &mut Scratch,
    out: &mut Vec<Match>,
) {
    let encoded = std::mem::take(&mut scratch.decode.encoded);
    let found = std::mem::take(&mut scratch.decode.escapes);
    for &start in &encoded {
        let inherited = legacy.is_some_and(|legacy| {
            run::reads(bytes, start).is_some_and(|(reads, trigger)| legacy.pass_on(&reads, trigger, out))
        });
        if inherited {
            continue;
        }
        for layer in run::layers(bytes, start) {
            inside(engine, &layer, depth, scratch, out);
        }
    }
    found.units(bytes, triggers, |unit| {
        let inherited = legacy.is_some_and(|legacy| {
            unit.reads(bytes).is_some_and(|reads| legacy.pass_on(&reads, unit.trigger(), out))
        });
        if !inherited {
            inside(engine, &unit.decode(bytes), depth, scratch, out);
        }
    });
    scratch.decode.encoded = encoded;
    scratch.decode.escapes = found;
}

/// Scans the text of one layer with the engine.
fn inside(engine: &Engine, layer: &Layer, depth: u8, scratch: &mut Scratch, out: &mut Vec<Match>) {
    if !scratch.decode.afford(layer, depth) {
        return;
    }
    let mut inner = Vec::new();
    let mut finds = Finds::new(&mut inner);
    engine.scan_level(&layer.text, 0..layer.text.len(), depth + 1, scratch, &mut finds);
    lift(engine, layer, inner, out);
}

/// [`follow`] without filters and budget, for the reference engine: `again` scans decoded text.
pub(super) fn naive(
    engine: &Engine,
    bytes: &[u8],
    runs: &[usize],
    again: &dyn Fn(&[u8]) -> Vec<Match>,
    out: &mut Vec<Match>,
) {
    for run in runs {
        for layer in run::layers(bytes, *run) {
            lift(engine, &layer, again(&layer.text), out);
        }
    }
    let mut found = escape::Found::default();
    found.search_naively(bytes);
    found.units(bytes, &(0..bytes.len()), |unit| {
        let layer = unit.decode(bytes);
        lift(engine, &layer, again(&layer.text), out);
    });
}

/// Appends the matches of decoded text as matches of the text around it.
fn lift(engine: &Engine, layer: &Layer, inner: Vec<Match>, out: &mut Vec<Match>) {
    let strong = |hit: &Match| match engine.rules().get(hit.rule).kind {
        Kind::Token | Kind::Assignment | Kind::Block | Kind::Uri | Kind::Imported => true,
        Kind::Generic => layer.whole && hit.confidence >= Confidence::Medium,
    };
    out.extend(inner.into_iter().filter(strong).filter_map(|hit| layer.lift(hit)));
}
