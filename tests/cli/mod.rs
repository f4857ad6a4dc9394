//! The whole program, run as a user would.

mod bad_input;
mod baseline;
mod ci;
mod damaged_git;
mod documentation;
mod evasion;
mod explain;
mod gate;
mod hook;
mod import;
mod installer;
mod joined;
mod key_stores;
mod keys;
mod many;
mod migrate;
mod output;
mod pages;
mod paths;
mod pipelines;
mod range;
mod rules;
mod settings;
mod signals;
mod timeline;
mod verdict;
mod windows;
mod witness;

use serde_json::Value;

use crate::support::tool::Run;

/// The JSON report of a run with `--format json`.
#[track_caller]
fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("no JSON: {error}\n{}\n{}", run.stdout, run.stderr))
}

/// The paths of all places of all findings in a JSON report, sorted, each once.
#[track_caller]
fn places(run: &Run) -> Vec<String> {
    let report = json(run);
    let findings = report["findings"].as_array().expect("findings");
    let occurrences = findings.iter().flat_map(|finding| finding["occurrences"].as_array().expect("places"));
    let mut paths: Vec<String> =
        occurrences.map(|place| place["path"].as_str().unwrap_or("(none)").to_owned()).collect();
    paths.sort();
    paths.dedup();
    paths
}
