//! Whole scans: real files and repositories in, reports and exit codes out.

mod content;
mod incremental;
mod ranges;
mod scopes;
mod troubles;

use std::io::Cursor;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use keycull::engine::Engine;
use keycull::finding::{Finding, ScanReport};
use keycull::pipeline::{ScanError, ScanRequest, Scope, Silent, run};
use keycull::rule::example::{Rng, expand};
use keycull::source::Windows;
use keycull::source::archive::Limits;
use keycull::source::git::Repository;
use keycull::source::git::index::IndexOptions;
use keycull::source::git::objects::ObjectOptions;
use keycull::source::tree::TreeOptions;
use keycull::triage::TriageOptions;

use crate::support::git::GitRepo;

/// A GitHub token with a right checksum, different for each `seed`.
pub(crate) fn token(seed: &str) -> String {
    expand("${ghp_:github}", &|_| String::new(), &mut Rng::seeded(seed)).expect("a known generator")
}

/// A password as people choose them.
pub(crate) fn password(end: &str) -> String {
    ["Tr0ub4dor", "-and-", end].concat()
}

/// A request with defaults, as of a fixed day.
pub(crate) fn request(scopes: Vec<Scope>) -> ScanRequest {
    ScanRequest { scopes, ..ScanRequest::new(TriageOptions::new(jiff::civil::date(2026, 6, 15))) }
}

/// A request for what a repository holds.
pub(crate) fn of_repo(repo: &GitRepo, scopes: Vec<Scope>) -> ScanRequest {
    let repository = Repository::open(repo.path()).expect("a repository");
    ScanRequest { repository: Some(repository), ..request(scopes) }
}

pub(crate) fn files(repo: &GitRepo) -> Scope {
    Scope::Files { options: TreeOptions::new(repo.path()), tracked: true }
}

pub(crate) fn history() -> Scope {
    Scope::History(ObjectOptions::default())
}

pub(crate) fn range(repo: &GitRepo, text: &str) -> Scope {
    let repository = Repository::open(repo.path()).expect("a repository");
    Scope::Range(keycull::source::git::range::resolve(&repository, text).expect("a range"))
}

pub(crate) fn staged() -> Scope {
    Scope::Staged(IndexOptions::default())
}

pub(crate) fn stream(text: &str) -> Scope {
    Scope::Stream {
        input: Mutex::new(Box::new(Cursor::new(text.as_bytes().to_vec()))),
        name: Some("input.env".into()),
        windows: Windows::default(),
        archives: Limits::default(),
    }
}

/// Runs a request with all built-in rules.
pub(crate) fn try_scan(request: &ScanRequest) -> Result<ScanReport, ScanError> {
    run(request, &Engine::builtin(), &Silent, &AtomicBool::new(false))
}

pub(crate) fn scan(request: &ScanRequest) -> ScanReport {
    try_scan(request).expect("a scan")
}

/// `rule: kind path:line, …` of each finding.
pub(crate) fn lines(report: &ScanReport) -> Vec<String> {
    report.findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let places: Vec<String> = finding
        .occurrences
        .iter()
        .map(|place| {
            let path = place.path.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            format!("{} {path}:{}", place.origin.kind(), place.region.start.line)
        })
        .collect();
    format!("{}: {}", finding.rule.id, places.join(", "))
}
