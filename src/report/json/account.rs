//! The coverage object of JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::view::View;

#[derive(Serialize)]
pub(super) struct Coverage<'a> {
    complete: bool,
    interrupted: bool,
    scopes: Vec<String>,
    scanned: Scanned,
    skipped: BTreeMap<&'static str, u64>,
    gaps: Vec<Gap>,
    nested_repositories: Vec<String>,
    rules_hash: &'a str,
    config_hash: &'a str,
}

#[derive(Serialize)]
struct Scanned {
    refs: u64,
    commits: u64,
    tags: u64,
    trees: u64,
    blobs: u64,
    files: u64,
    index_entries: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Gap {
    kind: &'static str,
    what: String,
    why: String,
    accepted: bool,
}

impl<'a> Coverage<'a> {
    pub(super) fn of(view: &View<'a>) -> Self {
        let coverage = &view.report.coverage;
        let masked = |texts: &[String]| texts.iter().map(|text| view.masked(text)).collect();
        Self {
            complete: coverage.is_complete(),
            interrupted: coverage.is_interrupted(),
            scopes: masked(&coverage.scopes),
            scanned: Scanned {
                refs: coverage.refs,
                commits: coverage.commits,
                tags: coverage.tags,
                trees: coverage.trees,
                blobs: coverage.blobs,
                files: coverage.files,
                index_entries: coverage.index_entries,
                bytes: coverage.bytes,
            },
            skipped: coverage.skipped.iter().map(|(reason, count)| (reason.as_str(), *count)).collect(),
            gaps: coverage
                .gaps
                .iter()
                .map(|gap| Gap {
                    kind: gap.kind.as_str(),
                    what: view.masked(&gap.what),
                    why: view.masked(&gap.why),
                    accepted: gap.accepted,
                })
                .collect(),
            nested_repositories: masked(&coverage.nested),
            rules_hash: &coverage.rules_hash,
            config_hash: &coverage.config_hash,
        }
    }
}
