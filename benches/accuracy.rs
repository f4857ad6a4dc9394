//! Recall over the labelled corpus and false alarms over its look-alikes, by kind and confidence.
//!
//! `cargo bench --bench accuracy -- [--missed] [DIR...]`; with directories, findings per megabyte of
//! their files, too (what the engine finds, before triage looks at paths). The floors that must hold
//! are in `tests/accuracy`.

#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/accuracy/corpus.rs"]
mod corpus;
#[path = "../tests/accuracy/score.rs"]
mod score;

use std::path::{Path, PathBuf};

use keycull::engine::{Engine, Scratch};
use keycull::finding::Confidence;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let engine = Engine::builtin();
    let (positives, look_alikes) = (corpus::positives(), corpus::look_alikes());
    println!("{} positives, {} look-alikes", positives.len(), look_alikes.len());
    println!("{:<12} {:<9} {:>6}  recall at  low  medium  high", "kind", "", "n");
    let levels = [Confidence::Low, Confidence::Medium, Confidence::High];
    let recalls = levels.map(|least| score::recall(&engine, &positives, least));
    for (key, all) in &recalls[0] {
        let shares: Vec<String> =
            recalls.iter().map(|by_kind| format!("{:6.3}", by_kind[key].share())).collect();
        let held_out = if key.1 { "held out" } else { "" };
        println!(
            "{:<12} {:<9} {:>6}          {}",
            format!("{:?}", key.0),
            held_out,
            all.all,
            shares.join(" ")
        );
    }
    let mut scratch = Scratch::default();
    for least in levels {
        let found =
            |sample: &&corpus::Sample| score::is_found(&engine, sample, least, &mut Scratch::default());
        let hits = positives.iter().filter(found).count();
        let wrong: usize = look_alikes
            .iter()
            .filter(|s| !score::matches(&engine, s, least, &mut scratch).is_empty())
            .count();
        let (precision, recall) = (ratio(hits, hits + wrong), ratio(hits, positives.len()));
        println!(
            "{least:>6} and up: precision {precision:.3} recall {recall:.3} F1 {:.3}, {wrong} look-alikes found",
            2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE)
        );
    }
    if args.iter().any(|arg| arg == "--missed") {
        for sample in
            positives.iter().filter(|s| !score::is_found(&engine, s, Confidence::Medium, &mut scratch))
        {
            println!("missed {:?} {}: {}", sample.kind, sample.file, sample.text.trim_end());
        }
    }
    for dir in args.iter().filter(|arg| !arg.starts_with("--")) {
        per_megabyte(&engine, Path::new(dir));
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Distinct secrets of medium confidence and up per megabyte below `dir`.
fn per_megabyte(engine: &Engine, dir: &Path) {
    let mut secrets = std::collections::BTreeSet::new();
    let (mut bytes, mut scratch, mut out) = (0, Scratch::default(), Vec::new());
    for path in files(dir) {
        let Ok(text) = std::fs::read(&path) else { continue };
        bytes += text.len();
        engine.scan(&text, &mut scratch, &mut out);
        for hit in out.drain(..).filter(|hit| hit.confidence >= Confidence::Medium) {
            secrets.insert(text[hit.secret.start..hit.secret.end].to_vec());
        }
    }
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{}: {} in {megabytes:.0} MB, {:.3}/MB",
        dir.display(),
        secrets.len(),
        secrets.len() as f64 / megabytes
    );
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
