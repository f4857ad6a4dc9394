//! How much of the labelled corpus is found, and how much of its look-alikes.
//!
//! `cargo bench --bench accuracy` prints the whole table; the floors here keep a change from
//! losing what was reached.

mod corpus;
mod files;
mod score;

use std::collections::BTreeMap;

use keycull::engine::{Engine, Scratch};
use keycull::finding::Confidence;

use corpus::{Kind, look_alikes, positives};

#[test]
fn the_corpus_is_large_and_varied() {
    let (positives, look_alikes) = (positives(), look_alikes());
    assert!(positives.len() >= 2000, "{}", positives.len());
    assert!(look_alikes.len() >= 4000, "{}", look_alikes.len());
    let held_out = positives.iter().filter(|sample| sample.held_out).count();
    assert!(held_out * 4 >= positives.len(), "{held_out} of {}", positives.len());
    let types: std::collections::BTreeSet<&str> = positives
        .iter()
        .chain(&look_alikes)
        .map(|sample| sample.file.rsplit(['.', '/']).next().unwrap_or(""))
        .collect();
    assert!(types.len() >= 40, "{}", types.len());
}

#[test]
fn recall_stays_above_its_floors() {
    let engine = Engine::builtin();
    let samples = positives();
    let found = score::recall(&engine, &samples, Confidence::Medium);
    for (&(kind, held_out), recall) in &found {
        let floor = match kind {
            Kind::Token => 0.98,
            Kind::Assignment => 0.95,
            Kind::Generic => 0.85,
        };
        let share = recall.share();
        let text = missed(&engine, &samples, kind, held_out);
        assert!(share >= floor, "{kind:?}, held out {held_out}: {share:.3} of {}\n{text}", recall.all);
    }
}

/// A few of the samples that were not found, for the message.
fn missed(engine: &Engine, samples: &[corpus::Sample], kind: Kind, held_out: bool) -> String {
    let mut scratch = Scratch::default();
    let lost = samples.iter().filter(|sample| {
        sample.kind == kind
            && sample.held_out == held_out
            && !score::is_found(engine, sample, Confidence::Medium, &mut scratch)
    });
    lost.take(40).map(|sample| format!("{}: {}", sample.file, sample.text)).collect()
}

#[test]
fn look_alikes_stay_silent() {
    let engine = Engine::builtin();
    let mut scratch = Scratch::default();
    let samples = look_alikes();
    let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
    for sample in &samples {
        for hit in score::matches(&engine, sample, Confidence::Medium, &mut scratch) {
            let rule = &engine.rules().get(hit.rule).id;
            *wrong.entry(format!("{rule}: {}", sample.text.trim_end())).or_default() += 1;
        }
    }
    let count: usize = wrong.values().sum();
    let text: Vec<&str> = wrong.keys().map(String::as_str).take(40).collect();
    assert!(count * 200 <= samples.len(), "{count} of {}:\n{}", samples.len(), text.join("\n"));
}
