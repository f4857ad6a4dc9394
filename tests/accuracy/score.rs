//! What the engine finds of the corpus, counted.

use std::collections::BTreeMap;

use keycull::engine::{Engine, Scratch};
use keycull::finding::{Confidence, Match};

use super::corpus::{Kind, Sample};

/// Positives found and not found.
#[derive(Clone, Copy, Default)]
pub(super) struct Recall {
    pub(super) found: usize,
    pub(super) all: usize,
}

impl Recall {
    /// Share found, 0 to 1.
    pub(super) fn share(self) -> f64 {
        self.found as f64 / self.all.max(1) as f64
    }
}

/// Recall by kind, and apart for what was held out.
pub(super) fn recall(
    engine: &Engine,
    samples: &[Sample],
    least: Confidence,
) -> BTreeMap<(Kind, bool), Recall> {
    let mut out: BTreeMap<_, Recall> = BTreeMap::new();
    let mut scratch = Scratch::default();
    for sample in samples {
        let entry = out.entry((sample.kind, sample.held_out)).or_default();
        entry.all += 1;
        entry.found += usize::from(is_found(engine, sample, least, &mut scratch));
    }
    out
}

/// Whether a match of at least that confidence overlaps the secret of `sample`.
pub(super) fn is_found(engine: &Engine, sample: &Sample, least: Confidence, scratch: &mut Scratch) -> bool {
    let Some(secret) = &sample.secret else { return false };
    matches(engine, sample, least, scratch)
        .iter()
        .any(|hit| hit.secret.start < secret.end && secret.start < hit.secret.end)
}

/// All matches of at least that confidence.
pub(super) fn matches(
    engine: &Engine,
    sample: &Sample,
    least: Confidence,
    scratch: &mut Scratch,
) -> Vec<Match> {
    let mut out = Vec::new();
    engine.scan(sample.text.as_bytes(), scratch, &mut out);
    out.retain(|hit| hit.confidence >= least);
    out
}
