//! The drill: the program itself, by its command line, killed at every point of its journal.

use std::collections::{BTreeMap, BTreeSet};
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
    for at in (1..=4).chain(1000..=1004) {
        issuer.issue(Kind::Drill, 7 + at);
        issuer.issue(Kind::Listed, 7 + at);
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

/// Every fault switch, and what the three keys that end themselves and the one with an id in a list are called while it
/// lasts. An echoing server cannot show whose key it is any more, so the owner is another one than planned.
#[test]
fn it_passes_with_every_fault() {
    let cases = [
        ("redirect=302@decoy", "unknown", "unknown"),
        ("redirect=307@decoy", "unknown", "unknown"),
        ("echo", "refused", "refused"),
        ("too-many=2", "revoked", "revoked"),
        ("too-many-mutations", "unknown", "unknown"),
        ("error-after", "revoked", "revoked"),
        ("hang-after", "revoked", "revoked"),
        ("ignore", "accepted-unproven", "accepted-unproven"),
        ("forbidden", "unknown", "unknown"),
        ("slow=3", "revoked", "revoked"),
        ("wrong-list", "revoked", "skipped"),
        ("oversize", "skipped", "skipped"),
        ("html", "skipped", "skipped"),
        ("broken", "skipped", "skipped"),
    ];
    let name = |switch: &str| switch.split('=').next().map(str::to_owned);
    let tried: BTreeSet<_> = cases.iter().map(|(switch, ..)| name(switch)).collect();
    assert_eq!(tried, Faults::SWITCHES.into_iter().map(name).collect(), "every switch is tried");
    // Each waits more than it works.
    std::thread::scope(|scope| {
        for (faults, own, listed) in cases {
            scope.spawn(move || {
                let mut wanted = BTreeMap::from([(own.to_owned(), 3)]);
                *wanted.entry(listed.to_owned()).or_default() += 1;
                assert_eq!(held(faults).outcomes, wanted, "{faults}");
            });
        }
    });
}
