//! A scan from beginning to end.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::accept;
use super::book::Facts;
use super::collector::{Collector, Kept};
use super::incremental::State;
use super::progress::Progress;
use super::request::{ScanError, ScanRequest, Scope};
use crate::engine::Engine;
use crate::finding::{Attributor, Coverage, GapKind, Oid, Origin, Placement, ScanReport};
use crate::source::git::attribution::Attribution;
use crate::source::git::history::{Scanned, Survey};
use crate::source::git::{Repository, history, index, range};
use crate::source::{Sink, stdin, tree};
use crate::triage::{self, Triaged, finish};

/// Scans what `request` names with the rules of `engine`.
///
/// Once `cancel` is true the scan stops soon, and the report holds what was found until then,
/// with a gap that says so.
///
/// # Errors
/// When the request makes no sense in its surroundings; what fails for single files or objects
/// is a gap in the report's coverage instead.
pub fn run(
    request: &ScanRequest,
    engine: &Engine,
    progress: &dyn Progress,
    cancel: &AtomicBool,
) -> Result<ScanReport, ScanError> {
    if request.scopes.is_empty() {
        return Err(ScanError::NoScope);
    }
    let facts = Facts::of(engine);
    let deadline = request.time_budget.map(|budget| Instant::now() + budget);
    let collector = Collector::new(engine, &facts, progress, cancel, deadline)
        .hashing_history(request.triage.hash_history)
        .reporting(request.triage.min_confidence);
    let mut coverage = Coverage::default();
    let rules_hash = format!("{:016x}", engine.rules().digest);
    let state =
        request.incremental.as_ref().zip(request.repository.as_ref()).map(|(incremental, repository)| {
            State::new(incremental, repository, &rules_hash, &request.config_hash)
        });
    let mut history_scanned = Scanned::default();
    for scope in &request.scopes {
        let part = match (scope, &request.repository) {
            (Scope::History(options), Some(repository)) => {
                progress.stage("history");
                let before = state.as_ref().and_then(State::load);
                history_scanned = history::scan_since(repository, options, before, &collector)?;
                std::mem::take(&mut history_scanned.coverage)
            }
            _ => scan(scope, request.repository.as_ref(), &collector, progress)?,
        };
        coverage.merge(part);
    }
    tell_memory();
    let Kept { candidates, base, coverage: met, late, troubled } = collector.into_kept();
    coverage.merge(met);
    let Scanned { seen, taken_over, commits, survey, .. } = history_scanned;
    if let Some((state, seen)) = state.zip(seen)
        && !late
        && !cancel.load(Ordering::Relaxed)
    {
        let held = candidates.iter().filter_map(|candidate| history_object(&candidate.origin));
        state.save(seen, held.chain(troubled).collect());
    }
    if taken_over > 0 {
        coverage.scopes.push(format!("{taken_over} objects as an earlier scan saw them"));
    }

    progress.stage("findings");
    let stop = || cancel.load(Ordering::Relaxed) || deadline.is_some_and(|at| Instant::now() >= at);
    let mut attribution = request.repository.as_ref().filter(|_| !stop()).and_then(|repository| {
        let inner = attribution(repository, &request.scopes, commits, survey)?.stop_when(stop);
        Some(Stoppable { inner, stop: &stop })
    });
    let attributor = attribution.as_mut().map(|attribution| attribution as &mut dyn Attributor);
    let Triaged { findings, below_threshold, uses, .. } =
        finish(candidates, &base, attributor, &facts, &request.triage, &mut coverage);

    coverage.rules_hash = rules_hash;
    coverage.config_hash.clone_from(&request.config_hash);
    let signal = cancel.load(Ordering::Relaxed);
    let late = late || !signal && coverage.is_interrupted();
    settle_gaps(&mut coverage, signal, late.then_some(request.time_budget).flatten());
    accept::mark(&mut coverage, &request.accept);
    tell_memory();
    let mut inert = request.not_in_force.clone();
    if request.triage.seek_idle && coverage.is_complete() {
        inert.extend(triage::inert(&request.triage, &uses));
    }
    inert.sort();
    Ok(ScanReport { findings, below_threshold, coverage, inert, rules: facts.all() })
}

/// The object that has to be read again to find again what was found there. Names in trees are
/// kept track of by the source.
fn history_object(origin: &Origin) -> Option<Oid> {
    match origin {
        Origin::Blob { id } | Origin::Commit { id } | Origin::Tag { id } => Some(*id),
        Origin::Member { outer, .. } => history_object(outer),
        Origin::File { .. }
        | Origin::FileName { .. }
        | Origin::SymlinkTarget { .. }
        | Origin::Index { .. }
        | Origin::Tree { .. }
        | Origin::RefName { .. }
        | Origin::GitFile { .. }
        | Origin::Stdin { .. } => None,
    }
}

/// Logs how much memory is held that is no mapped file, where the system tells.
fn tell_memory() {
    if log::log_enabled!(log::Level::Debug)
        && let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(held) = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))
    {
        log::debug!("memory held, mapped files not counted: {}", held.trim());
    }
}

/// What places the blobs that the scopes found: all of history, or the range that was scanned.
fn attribution<'r>(
    repository: &'r Repository,
    scopes: &[Scope],
    commits: Vec<Oid>,
    survey: Option<Survey>,
) -> Option<Attribution<'r>> {
    if scopes.iter().any(|scope| matches!(scope, Scope::History(_))) {
        return Some(Attribution::new(repository).with_commits(commits).with_survey(survey));
    }
    scopes.iter().find_map(|scope| match scope {
        Scope::Range(options) => Some(Attribution::new(repository).within(options)),
        Scope::Files { .. } | Scope::Staged(_) | Scope::History(_) | Scope::Stream { .. } => None,
    })
}

/// Says so when looking into the history was broken off: what it did not find by then may be
/// there all the same.
struct Stoppable<'a> {
    inner: Attribution<'a>,
    stop: &'a dyn Fn() -> bool,
}

impl Attributor for Stoppable<'_> {
    fn attribute(&mut self, blobs: &[Oid], coverage: &mut Coverage) -> HashMap<Oid, Vec<Placement>> {
        let found = self.inner.attribute(blobs, coverage);
        if (self.stop)() {
            coverage.gap(GapKind::Interrupted, "history of what was found", "stopped by a signal");
        }
        found
    }
}

/// Lets one source hand over its content.
fn scan(
    scope: &Scope,
    repository: Option<&Repository>,
    sink: &dyn Sink,
    progress: &dyn Progress,
) -> Result<Coverage, ScanError> {
    let needed = |scope| repository.ok_or(ScanError::NoRepository { scope });
    Ok(match scope {
        Scope::Files { options, tracked } => {
            progress.stage("files");
            tree::scan(options, repository.filter(|_| *tracked), sink)?
        }
        Scope::Staged(options) => {
            let repository = needed("index")?;
            progress.stage("index");
            index::scan(repository, options, sink)?
        }
        Scope::History(options) => {
            let repository = needed("history")?;
            progress.stage("history");
            history::scan(repository, options, sink)?
        }
        Scope::Range(options) => {
            let repository = needed("history")?;
            progress.stage("range");
            range::scan(repository, options, sink)?
        }
        Scope::Stream { input, name, windows, archives } => {
            progress.stage("standard input");
            let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
            stdin::scan(&mut **input, name.clone(), *windows, *archives, sink)?
        }
    })
}

/// Tells a signal from a used-up time budget, and puts the gaps in order.
///
/// Sources only see that the scan is to stop and call it an interruption.
fn settle_gaps(coverage: &mut Coverage, interrupted: bool, spent: Option<Duration>) {
    if interrupted {
        if !coverage.is_interrupted() {
            coverage.gap(GapKind::Interrupted, "scan", "stopped by a signal");
        }
    } else if let Some(budget) = spent {
        coverage.gaps.retain(|gap| gap.kind != GapKind::Interrupted);
        coverage.gap(
            GapKind::Budget,
            "scan",
            format!("stopped when its time budget of {budget:?} was used up; give it more time or scan less"),
        );
    }
    coverage.gaps.sort();
    coverage.gaps.dedup();
    coverage.nested.sort();
    coverage.nested.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_budget_is_no_signal() {
        let mut coverage = Coverage::default();
        coverage.gap(GapKind::Interrupted, "files", "stopped by a signal");
        coverage.gap(GapKind::Missing, "b", "gone");
        coverage.gap(GapKind::Missing, "b", "gone");
        settle_gaps(&mut coverage, false, Some(Duration::from_secs(3)));
        let kinds: Vec<GapKind> = coverage.gaps.iter().map(|gap| gap.kind).collect();
        assert_eq!(kinds, [GapKind::Missing, GapKind::Budget]);
        assert!(coverage.gaps[1].why.contains("3s"));
    }

    #[test]
    fn a_signal_is_always_told() {
        let mut coverage = Coverage::default();
        settle_gaps(&mut coverage, true, Some(Duration::from_secs(3)));
        assert!(coverage.is_interrupted() && !coverage.is_complete());
    }
}
