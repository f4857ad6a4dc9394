//! A provider that misbehaves: never a false "revoked", never a secret elsewhere or in writing.

use std::net::TcpListener;

use keycull::mock::{Faults, Kind, Redirect};
use keycull::revoke::{ApplyReport, Outcome, PlanOptions};

use super::stage::{Files, Stage, finding};

/// Plans for one key, lets the provider misbehave, applies. (report, is the key still live, key)
fn with(stage: &Stage, faults: Faults) -> (ApplyReport, bool, String) {
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    let silence = std::time::Duration::from_millis(1500);
    stage.mock.set_faults(Faults { silence, ..faults });
    let report = stage.apply(&Files::of(&findings));
    stage.assert_clean(&report, &[&key.secret]);
    (report, stage.mock.is_live(&key.secret), key.secret)
}

#[test]
fn redirects_are_not_followed_and_not_believed() {
    for status in [301, 302, 303, 307, 308] {
        let decoy = TcpListener::bind("127.0.0.1:0").expect("a port");
        decoy.set_nonblocking(true).expect("is set");
        let to = decoy.local_addr().expect("has one");
        let stage = Stage::drill();
        let redirect = Some(Redirect { status, to, reads: false });
        let (report, live, _) = with(&stage, Faults { redirect, ..Faults::default() });
        assert_eq!(
            (report.items[0].outcome, report.exit_code(), live),
            (Outcome::Unknown, 5, true),
            "{status}"
        );
        assert!(decoy.accept().is_err(), "{status}: somebody went to the other port");
        assert_eq!(stage.mutations(), 1, "{status}: sent once");
    }
}

#[test]
fn redirects_of_checks_prove_nothing() {
    let decoy = TcpListener::bind("127.0.0.1:0").expect("a port");
    decoy.set_nonblocking(true).expect("is set");
    let stage = Stage::drill();
    let redirect = Some(Redirect { status: 307, to: decoy.local_addr().expect("has one"), reads: true });
    let (report, live, _) = with(&stage, Faults { redirect, ..Faults::default() });
    assert_eq!((report.items[0].outcome, report.exit_code(), live), (Outcome::Skipped, 1, true));
    assert!(decoy.accept().is_err());
}

#[test]
fn an_echoing_server_gets_nothing_printed() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    stage.mock.set_faults(Faults { echo: true, ..Faults::default() });
    let findings = [finding("drill-key", &key.secret, "a.env")];
    let plan = stage.plan(&findings, &PlanOptions::default());
    assert_eq!(plan.items[0].identity.as_deref(), Some("[redacted]"));
    let report = stage.apply(&Files::of(&findings));
    assert_eq!(report.items[0].outcome, Outcome::Revoked);
    stage.assert_clean(&report, &[&key.secret]);
}

#[test]
fn an_error_after_the_deed_is_settled_by_looking() {
    let stage = Stage::drill();
    let (report, live, _) = with(&stage, Faults { error_after_mutation: true, ..Faults::default() });
    assert_eq!((report.items[0].outcome, live, stage.mutations()), (Outcome::Revoked, false, 1));
}

#[test]
fn silence_after_the_deed_is_settled_by_looking() {
    let stage = Stage::drill();
    let (report, live, _) = with(&stage, Faults { hang_after_mutation: true, ..Faults::default() });
    assert_eq!(
        (report.items[0].outcome, live, stage.mutations()),
        (Outcome::Revoked, false, 1),
        "{report:?}"
    );
}

#[test]
fn a_yes_without_a_deed_is_not_believed() {
    let stage = Stage::drill();
    let (report, live, _) = with(&stage, Faults { ignore_mutation: true, ..Faults::default() });
    assert_eq!((report.items[0].outcome, report.exit_code(), live), (Outcome::AcceptedUnproven, 3, true));
}

#[test]
fn slow_propagation_is_waited_for() {
    let stage = Stage::drill();
    let (report, live, _) = with(&stage, Faults { slow: 2, ..Faults::default() });
    assert_eq!((report.items[0].outcome, live), (Outcome::Revoked, false));
}

#[test]
fn too_slow_is_unproven_until_verified_later() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    stage.mock.set_faults(Faults { slow: 4, ..Faults::default() });
    let files = Files::of(&findings);
    let report = stage.apply(&files);
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::AcceptedUnproven, 3), "{report:?}");
    assert_eq!(stage.verify(&files).exit_code(), 3, "one more look says live");
    let report = stage.verify(&files);
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Revoked, 0));
    assert_eq!(stage.mutations(), 1);
}

#[test]
fn refusals_are_named() {
    let stage = Stage::drill();
    let (report, live, _) = with(&stage, Faults { too_many_mutations: true, ..Faults::default() });
    assert_eq!((report.items[0].outcome, live, stage.mutations()), (Outcome::Unknown, true, 1));
    let stage = Stage::drill();
    let (report, live, _) = with(&stage, Faults { forbidden: true, ..Faults::default() });
    assert_eq!((report.items[0].outcome, report.exit_code(), live), (Outcome::Unknown, 5, true));
}

#[test]
fn checks_are_repeated_mutations_are_not() {
    let stage = Stage::drill();
    let (report, live, _) = with(&stage, Faults { too_many: 2, ..Faults::default() });
    assert_eq!((report.items[0].outcome, live, stage.mutations()), (Outcome::Revoked, false, 1));
}

#[test]
fn pages_errors_and_endless_answers_prove_nothing() {
    for faults in [
        Faults { html: true, ..Faults::default() },
        Faults { broken: true, ..Faults::default() },
        Faults { oversize: true, ..Faults::default() },
    ] {
        let stage = Stage::drill();
        let (report, live, _) = with(&stage, faults.clone());
        assert_eq!((report.items[0].outcome, live), (Outcome::Skipped, true), "{faults:?}");
        assert_eq!(stage.mutations(), 0, "{faults:?}");
    }
}

#[test]
fn a_provider_that_is_down_is_not_a_dead_key() {
    let mut stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    stage.mock = keycull::mock::MockProvider::start(0, Faults::default()).expect("a port");
    let report = stage.apply(&Files::of(&findings));
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Skipped, 1));
    assert_eq!(stage.mock.requests().len(), 0);
}

/// Two requests, the id from a list: the binding must hold against a list without the key.
const LISTED: &str = r#"
[[provider]]
id = "listed"
rules = ["listed-key"]
hosts = ["api.listed.example"]
evidence = "documentation"
references = ["https://listed.example"]
[provider.validate]
request = { method = "GET", url = "https://api.listed.example/whoami", bearer = true }
outcome = [ { is = "live", status = 200, json = { "/name" = "*" } }, { is = "dead", status = 401 } ]
[provider.revoke]
class = "self"
binding = "exact"
propagation = "5s"
[[provider.revoke.step]]
name = "list"
request = { method = "GET", url = "https://api.listed.example/oauth/authorizations", bearer = true }
need = [ { status = 200 } ]
take = { id = { json_find = { in = "/*", where = { "/access_token/token" = "{secret}" }, get = "/id", unique = true }, match = "[0-9a-f]{32}" } }
[[provider.revoke.step]]
name = "delete"
mutates = true
request = { method = "DELETE", url = "https://api.listed.example/oauth/authorizations/{id}", bearer = true }
outcome = [ { is = "accepted", status = 200 } ]
"#;

#[test]
fn a_list_without_the_key_kills_nobody() {
    let stage = Stage::new(&["api.listed.example"], LISTED);
    let (key, other) = (stage.mock.issue(Kind::Oauth, 1), stage.mock.issue(Kind::Oauth, 2));
    let findings = [finding("listed-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    stage.mock.set_faults(Faults { wrong_list: true, ..Faults::default() });
    let report = stage.apply(&Files::of(&findings));
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Skipped, 1), "{report:?}");
    assert!(report.items[0].reason.contains("not in the list"), "{}", report.items[0].reason);
    assert!(stage.mock.is_live(&key.secret) && stage.mock.is_live(&other.secret));
    stage.mock.set_faults(Faults::default());
    let report = stage.apply(&Files::of(&findings));
    assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
    assert!(!stage.mock.is_live(&key.secret) && stage.mock.is_live(&other.secret));
    stage.assert_clean(&report, &[&key.secret, &other.secret]);
}
