//! The drill: the program itself, by its command line, killed at every point of its journal.

use std::path::Path;

use keycull::mock::drill::{DrillOptions, DrillReport, drill};
use keycull::mock::{Faults, Kind, MockProvider};

use crate::support::witness;

fn held(faults: &str) -> DrillReport {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_keycull"));
    let options = DrillOptions { seed: 7, faults: faults.to_owned() };
    // The drill's own keys: the same seeds give the same keys.
    let issuer = MockProvider::start(0, Faults::default()).expect("a port");
    for at in (1..=3).chain(1000..=1002) {
        issuer.issue(Kind::Drill, 7 + at);
    }
    witness::made_by(&issuer);
    let report = drill(folder.path(), program, &options).expect("is held");
    witness::left(folder.path());
    assert!(report.passed(), "{faults}: {:#?}", report.checks);
    assert_eq!(report.checks.len(), 8, "{faults}: everything was looked at: {:#?}", report.checks);
    report
}

#[test]
fn it_passes_killed_at_every_point() {
    let report = held("");
    assert_eq!(report.kills, 6, "each point was reached");
    assert!(report.outcomes.keys().all(|outcome| outcome == "revoked"), "{:?}", report.outcomes);
}

/// Every fault switch, and what the keys are called while it lasts. An echoing server cannot show whose key it is
/// any more, so the owner is another one than planned.
#[test]
fn it_passes_with_every_fault() {
    let cases = [
        ("redirect=302@decoy", "unknown"),
        ("redirect=307@decoy", "unknown"),
        ("echo", "refused"),
        ("too-many=2", "revoked"),
        ("too-many-mutations", "unknown"),
        ("error-after", "revoked"),
        ("hang-after", "revoked"),
        ("ignore", "accepted-unproven"),
        ("forbidden", "unknown"),
        ("slow=3", "revoked"),
        ("wrong-list", "revoked"),
        ("oversize", "skipped"),
        ("html", "skipped"),
        ("broken", "skipped"),
    ];
    // Each waits more than it works.
    std::thread::scope(|scope| {
        for (faults, outcome) in cases {
            scope.spawn(move || {
                let report = held(faults);
                let all = report.outcomes.get(outcome).copied().unwrap_or_default();
                assert_eq!(all, 3, "{faults}: {:?}", report.outcomes);
            });
        }
    });
}
