//! `keycull rules cost`: where the time of a scan goes, rule by rule.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chunk::Chunk;
use crate::engine::cost::{Cost, Ledger};
use crate::engine::{Engine, Scratch};
use crate::finding::Coverage;
use crate::source::git::Repository;
use crate::source::{Sink, SourceError, tree};

use super::failure::{Failure, Outcome};
use super::{rule_choice, say};

/// Scans `path` with the built-in rules and those of `files`, and prints what each rule cost.
pub(super) fn run(path: &Path, files: &[PathBuf], as_json: bool) -> Outcome<u8> {
    let engine = if files.is_empty() {
        Engine::builtin()
    } else {
        Engine::with_rules(rule_choice::with_files(files)?)
    };
    let counter = Counter::new(&engine);
    let start = Instant::now();
    let coverage = scanned(path, &counter)?;
    let total = Total { coverage, elapsed: start.elapsed() };
    let ledger = counter.ledger();
    let costs = dearest_first(&engine, &ledger);
    say(&if as_json { as_document(&costs, &ledger, &total)? } else { as_table(&costs, &ledger, &total) })
}

/// What was scanned, and how long that took.
struct Total {
    coverage: Coverage,
    elapsed: Duration,
}

fn scanned(path: &Path, counter: &Counter<'_>) -> Outcome<Coverage> {
    // A plain directory has no repository, and needs none.
    let repository = match Repository::discover(path) {
        Ok(repository) => Some(repository),
        Err(SourceError::NotARepository { .. }) => None,
        Err(error) => return Err(Failure::from(error)),
    };
    let options = tree::TreeOptions { jobs: 1, ..tree::TreeOptions::new(path) };
    tree::scan(&options, repository.as_ref(), counter).map_err(Failure::from)
}

/// Scans what it is given, and counts.
struct Counter<'a> {
    engine: &'a Engine,
    state: Mutex<(Scratch, Ledger)>,
}

impl<'a> Counter<'a> {
    fn new(engine: &'a Engine) -> Self {
        let ledger = Ledger::new(engine.rules().rules.len());
        Self { engine, state: Mutex::new((Scratch::default(), ledger)) }
    }

    fn lock(&self) -> MutexGuard<'_, (Scratch, Ledger)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> Ledger {
        self.lock().1.clone()
    }
}

impl Sink for Counter<'_> {
    fn chunk(&self, chunk: Chunk<'_>) -> bool {
        let mut state = self.lock();
        let (scratch, ledger) = &mut *state;
        let own = chunk.window.own();
        self.engine.scan_counted(chunk.bytes, own, scratch, &mut Vec::new(), ledger);
        false
    }

    fn base(&self, _: Chunk<'_>) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// The rules that cost anything, those with the most verifications first.
fn dearest_first<'a>(engine: &'a Engine, ledger: &Ledger) -> Vec<(&'a str, Cost)> {
    let rules = engine.rules().rules.iter().map(|rule| rule.id.as_ref());
    let mut costs: Vec<(&str, Cost)> =
        rules.zip(ledger.costs().iter().copied()).filter(|(_, cost)| cost.triggers > 0).collect();
    costs.sort_by(|(a, x), (b, y)| (y.verifications, y.triggers, a).cmp(&(x.verifications, x.triggers, b)));
    costs
}

/// Part of the whole, in percent.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn as_table(costs: &[(&str, Cost)], ledger: &Ledger, total: &Total) -> String {
    let width = costs.iter().map(|(id, _)| id.len()).max().unwrap_or(0).max("rule".len());
    let mut text = format!(
        "{:width$}  {:>10}  {:>13}  {:>6}  {:>10}  {:>8}\n",
        "rule", "triggers", "verifications", "share", "time (us)", "matches"
    );
    for (id, cost) in costs {
        let _ = writeln!(
            text,
            "{id:width$}  {:10}  {:13}  {:5.1}%  {:10}  {:8}",
            cost.triggers,
            cost.verifications,
            share(cost.verifications, ledger.verifications()),
            cost.time.as_micros(),
            cost.matches,
        );
    }
    let spent: Duration = costs.iter().map(|(_, cost)| cost.time).sum();
    let _ = writeln!(
        text,
        "\n{} files, {} bytes in {} ms; {} verifications took {} ms of it, measuring included",
        total.coverage.files,
        total.coverage.bytes,
        total.elapsed.as_millis(),
        ledger.verifications(),
        spent.as_millis(),
    );
    text
}

fn as_document(costs: &[(&str, Cost)], ledger: &Ledger, total: &Total) -> Outcome<String> {
    let rules: Vec<Value> = costs
        .iter()
        .map(|(id, cost)| {
            json!({
                "id": id,
                "triggers": cost.triggers,
                "verifications": cost.verifications,
                "verifications_percent": share(cost.verifications, ledger.verifications()),
                "microseconds": cost.time.as_micros() as u64,
                "matches": cost.matches,
            })
        })
        .collect();
    let document = json!({
        "files": total.coverage.files,
        "bytes": total.coverage.bytes,
        "milliseconds": total.elapsed.as_millis() as u64,
        "verifications": ledger.verifications(),
        "rules": rules,
    });
    let text = serde_json::to_string_pretty(&document).map_err(|error| Failure::new(error.to_string()))?;
    Ok(text + "\n")
}
