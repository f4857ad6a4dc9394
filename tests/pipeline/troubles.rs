//! Scans that could not see everything, and say so.

use std::io::{Cursor, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keycull::engine::Engine;
use keycull::finding::{GapKind, ScanReport};
use keycull::pipeline::{Progress, ScanRequest, Scope, exit_code, run};
use keycull::source::Windows;
use keycull::source::archive::Limits;

use super::{files, history, of_repo, request, scan, stream, token};
use crate::support::git::GitRepo;

fn kinds(report: &ScanReport) -> Vec<(GapKind, bool)> {
    report.coverage.gaps.iter().map(|gap| (gap.kind, gap.accepted)).collect()
}

#[test]
fn a_missing_object_is_incomplete_unless_accepted() {
    let repo = GitRepo::new();
    repo.write("a.txt", "harmless").commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:a.txt"]);
    std::fs::remove_file(repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]))
        .expect("a loose object");
    let report = scan(&of_repo(&repo, vec![history()]));
    assert_eq!((kinds(&report), exit_code(&report, None)), (vec![(GapKind::Missing, false)], 3));

    let accept = vec!["missing".parse().expect("a kind")];
    let report = scan(&ScanRequest { accept, ..of_repo(&repo, vec![history()]) });
    assert_eq!((kinds(&report), exit_code(&report, None)), (vec![(GapKind::Missing, true)], 0));
}

#[test]
fn findings_win_over_incomplete() {
    let repo = GitRepo::new();
    repo.write("a.txt", "harmless").write("b.env", format!("T={}", token("x"))).commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:a.txt"]);
    std::fs::remove_file(repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]))
        .expect("a loose object");
    let report = scan(&of_repo(&repo, vec![history()]));
    assert!(!report.coverage.is_complete());
    assert_eq!(exit_code(&report, None), 1);
}

#[test]
fn an_empty_time_budget_is_a_gap_not_a_signal() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("T={}", token("x"))).commit("one");
    let late =
        ScanRequest { time_budget: Some(Duration::ZERO), ..of_repo(&repo, vec![files(&repo), history()]) };
    let report = scan(&late);
    assert_eq!((kinds(&report), exit_code(&report, None)), (vec![(GapKind::Budget, false)], 3));
}

/// Presses Ctrl-C when the first match is seen.
struct Impatient<'a>(&'a AtomicBool);

impl Progress for Impatient<'_> {
    fn matched(&self, _count: u64) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_signal_leaves_what_was_found_so_far() {
    let first = stream(&format!("T={}\n", token("first")));
    let second = stream(&format!("T={}\n", token("second")));
    let cancel = AtomicBool::new(false);
    let report =
        run(&request(vec![first, second]), &Engine::builtin(), &Impatient(&cancel), &cancel).expect("a scan");
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].secret.expose(), token("first").as_bytes());
    assert!(report.coverage.is_interrupted());
    assert_eq!((exit_code(&report, None), exit_code(&report, Some(15))), (130, 143));
}

/// Input that fails at once.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the pipe burst"))
    }
}

#[test]
fn input_that_breaks_off_is_scanned_as_far_as_it_came() {
    let input = Cursor::new(format!("T={}\nrest\n", token("x"))).chain(Broken);
    let scope = Scope::Stream {
        input: Mutex::new(Box::new(input)),
        name: None,
        windows: Windows::default(),
        archives: Limits::default(),
    };
    let report = scan(&request(vec![scope]));
    assert_eq!(kinds(&report), [(GapKind::Unreadable, false)]);
    assert_eq!((report.findings.len(), exit_code(&report, None)), (1, 1));
}
