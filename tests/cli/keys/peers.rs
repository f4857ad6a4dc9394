//! What went wrong when other tools revoked keys of a mock provider, row by row, and does not go wrong here.
//!
//! The rows are those of a run of two other revokers in November 2026; each test says what they did. That GitHub's 202
//! is no proof is in `revoke::drivers`, by a clock that can be turned.

use keycull::mock::{Faults, Kind, MockProvider, Redirect};

use super::{Incident, outcomes};

const NOW: [&str; 2] = ["--yes", "--emergency"];

fn with(faults: Faults) -> Incident {
    let incident = Incident::new(Kind::Gitlab, 1);
    incident.plan();
    incident.mock.set_faults(faults);
    incident
}

/// Both: acted at once, with no plan, no question and no dry run.
#[test]
fn nothing_is_sent_before_somebody_says_yes() {
    let incident = with(Faults::default());
    assert_eq!(outcomes(&incident.apply(&[]).expect(0)), ["planned"]);
    let secret = incident.keys[0].secret.clone();
    let one = incident.run_with(&["revoke", "one", "--rule", "gitlab-pat"], secret.as_bytes()).expect(0);
    assert!(one.stdout.contains("Nothing was sent"), "{}", one.stdout);
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

/// One of them wrote a command line with the secret in it into its report; the other took one secret per call.
#[test]
fn a_report_is_enough_and_holds_no_secret() {
    let incident = Incident::new(Kind::Gitlab, 3);
    incident.plan();
    assert_eq!(outcomes(&incident.apply(&NOW).expect(0)), ["revoked"; 3]);
    for file in ["findings.jsonl", "plan.json", "plan.json.journal"] {
        let text = incident.read(file);
        assert!(incident.keys.iter().all(|key| !text.contains(&key.secret[8..20])), "{file}");
    }
}

/// Both took the secret as an argument, where every user of the machine can read it.
#[test]
fn a_secret_as_an_argument_is_refused() {
    let incident = with(Faults::default());
    let secret = incident.keys[0].secret.clone();
    let run = incident.run(&["revoke", "one", "--rule", "gitlab-pat", "--yes", &secret]).expect(2);
    assert!(run.stderr.contains("not taken as an argument"), "{}", run.stderr);
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

/// Neither asked whether the key was live before, nor whether it was dead after.
#[test]
fn a_key_is_looked_at_before_and_after() {
    let incident = with(Faults::default());
    let before = incident.mock.requests().len();
    incident.apply(&NOW).expect(0);
    let methods: Vec<String> =
        incident.mock.requests().drain(before..).map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "DELETE", "GET"]);
    let dead = Incident::new(Kind::Github, 1);
    dead.plan();
    dead.mock.kill(&dead.keys[0].secret);
    assert_eq!(
        (outcomes(&dead.apply(&NOW).expect(0)), dead.mutations()),
        (vec!["already-dead".to_owned()], 0)
    );
    let deaf = with(Faults { ignore_mutation: true, ..Faults::default() });
    assert_eq!(outcomes(&deaf.apply(&NOW).expect(3)), ["accepted-unproven"]);
}

/// Both followed a redirect to another host, sent it the `PRIVATE-TOKEN` header, believed its 204, said "revoked" and
/// ended with 0. The other host here would say the same.
#[test]
fn another_host_is_neither_asked_nor_believed() {
    let elsewhere = |status: u16| {
        let other = MockProvider::start(0, Faults::default()).expect("a port");
        let redirect = Some(Redirect { status, to: other.address(), reads: false });
        let incident = with(Faults { redirect, ..Faults::default() });
        other.issue(Kind::Gitlab, 40);
        assert_eq!(outcomes(&incident.apply(&NOW).expect(5)), ["unknown"], "{status}");
        assert!(other.requests().is_empty(), "{status}: the key went to the other host");
        assert_eq!((incident.live(), incident.mutations()), (1, 1), "{status}: sent once");
    };
    // Each is looked at until its time is up.
    std::thread::scope(|scope| {
        for status in [301, 302, 303, 307, 308] {
            scope.spawn(move || elsewhere(status));
        }
    });
}

/// Both followed a redirect on the same host.
#[test]
fn another_place_on_the_same_host_is_not_asked_either() {
    let incident = Incident::new(Kind::Gitlab, 1);
    incident.plan();
    let redirect = Some(Redirect { status: 302, to: incident.mock.address(), reads: false });
    incident.mock.set_faults(Faults { redirect, ..Faults::default() });
    assert_eq!(outcomes(&incident.apply(&NOW).expect(5)), ["unknown"]);
    assert_eq!((incident.live(), incident.mutations()), (1, 1));
}

/// One of them printed the body: a server that echoes the request put the whole secret on the terminal.
#[test]
fn what_a_server_says_is_not_printed() {
    let incident = Incident::new(Kind::Gitlab, 1);
    incident.mock.set_faults(Faults { echo: true, ..Faults::default() });
    incident.plan();
    let plan = incident.outside("plan.json");
    // Nothing of it may be in what is said or written; that is searched for in every run.
    let run = incident.run(&["revoke", "apply", &plan, "-vv", "--yes", "--emergency"]);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("you_said"));
    assert!(incident.mock.requests().iter().any(|request| request.method == "DELETE"), "it was sent");
}

/// Both said "unknown", one of them with exit code 0.
#[test]
fn faults_after_the_request_have_an_exit_code_and_are_not_repeated() {
    for faults in [
        Faults { too_many_mutations: true, ..Faults::default() },
        Faults { forbidden: true, ..Faults::default() },
    ] {
        let incident = with(faults.clone());
        assert_eq!(outcomes(&incident.apply(&NOW).expect(5)), ["unknown"], "{faults:?}");
        assert_eq!((incident.live(), incident.mutations()), (1, 1), "{faults:?}");
    }
    let incident = with(Faults { error_after_mutation: true, ..Faults::default() });
    assert_eq!(
        (outcomes(&incident.apply(&NOW).expect(0)), incident.mutations()),
        (vec!["revoked".to_owned()], 1)
    );
}

/// One of them took `gitlab-pat` for a prefix: three rules ran, and three requests went out.
#[test]
fn a_rule_is_that_rule_and_no_other() {
    let incident = Incident::new(Kind::Gitlab, 1);
    let secret = incident.keys[0].secret.clone();
    let one = |rule: &str| incident.run_with(&["revoke", "one", "--rule", rule, "--yes"], secret.as_bytes());
    one("gitlab").expect(2);
    one("gitlab-pa").expect(2);
    assert_eq!(incident.mock.requests().len(), 0);
    one("gitlab-pat").expect(0);
    assert_eq!((incident.live(), incident.mutations()), (0, 1));
    let incident = Incident::new(Kind::Gitlab, 1);
    incident.plan();
    let run = incident.apply(&["--yes", "--emergency", "--only", "gitlab"]).expect(2);
    assert!(run.stderr.contains("nothing in the plan is `gitlab`"), "{}", run.stderr);
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

/// One of them took addresses from the environment; text near the key must not decide either.
#[test]
fn nothing_but_the_operators_file_says_where_to() {
    let incident = Incident::new(Kind::Gitlab, 1);
    let other = MockProvider::start(0, Faults::default()).expect("a port");
    let address = other.address();
    incident.repo.write("ci.env", format!("GITLAB_HOST=http://{address}\nCI_SERVER_URL=http://{address}\n"));
    incident.plan();
    let plan = incident.outside("plan.json");
    let mut apply = incident.command(&["revoke", "apply", &plan, "--yes", "--emergency"]);
    for name in [
        "GITLAB_HOST",
        "GITLAB_URL",
        "CI_SERVER_URL",
        "CI_API_V4_URL",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
    ] {
        apply.env(name, format!("http://{address}"));
    }
    assert!(apply.output().expect("it runs").status.success());
    assert!(other.requests().is_empty(), "somebody went there");
    assert_eq!(incident.live(), 0);
    let hosts = incident.mock.requests();
    assert!(
        hosts.iter().all(|request| request.header("host").is_some_and(|host| host.starts_with("gitlab.com")))
    );
}

/// Neither wrote down what it had sent; one called itself a browser.
#[test]
fn what_was_sent_is_written_down_under_its_own_name() {
    let incident = Incident::new(Kind::Gitlab, 1);
    incident.plan();
    let log = incident.outside("log");
    incident.apply(&["--yes", "--emergency", "--audit-log", &log]).expect(0);
    let text = incident.read("log");
    for words in ["\"DELETE\"", "gitlab.com", "/api/v4/personal_access_tokens/self", "\"revoked\""] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let agents = incident.mock.requests();
    assert!(agents.iter().all(|r| r.header("user-agent").is_some_and(|agent| agent.starts_with("keycull/"))));
}
