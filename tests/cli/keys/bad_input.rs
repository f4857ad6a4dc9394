//! Bad input of revocation: each row ends in its documented state and exit code, and never in a false "revoked".
//!
//! | row | state | code | test |
//! |---|---|---|---|
//! | wrong fingerprint | skipped | 1 | [`super::what_does_not_add_up_is_never_called_revoked`] |
//! | file changed since the plan | skipped | 1 | [`super::what_does_not_add_up_is_never_called_revoked`] |
//! | plan expired | nothing is decided | 2 | [`old_plans_and_jumping_clocks_decide_nothing`] |
//! | plan of other rules, or changed | nothing is decided | 2 | [`super::changed_foreign_and_held_plans_are_refused`] |
//! | journal cut at any byte | as before the cut, proven anew | 0, 3 | [`super::changed_foreign_and_held_plans_are_refused`], every byte in `revoke::plans` |
//! | clock jumps | nothing is decided, or no difference | 2, 0 | [`old_plans_and_jumping_clocks_decide_nothing`], `revoke::plans` |
//! | provider down | skipped; sent before: unproven | 1, 3 | [`super::a_provider_that_is_down_or_elsewhere_is_not_a_dead_key`], [`a_provider_that_goes_down_on_the_way_proves_nothing`] |
//! | TLS fails, private address | skipped | 1 | [`super::a_provider_that_is_down_or_elsewhere_is_not_a_dead_key`], [`a_certificate_nobody_vouches_for_gets_no_secret`] |
//! | redirect to another host | unknown | 5 | [`super::peers`] |
//! | 202, and still live | accepted-unproven | 3 | `revoke::drivers`, [`super::faults_of_the_provider_have_their_exit_codes`] |
//! | echoing server | refused: whose key it is cannot be told | 6 | [`an_echoing_server_cannot_say_whose_key_it_is`] |
//! | two processes, one plan | one does it, nothing is decided by the other | 0, 2 | [`two_processes_do_not_apply_one_plan`] |

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keycull::mock::{Faults, Kind};
use keycull::revoke::Plan;

use super::{Incident, outcomes};

const NOW: [&str; 2] = ["--yes", "--emergency"];

#[test]
fn old_plans_and_jumping_clocks_decide_nothing() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    let file = std::path::PathBuf::from(incident.outside("plan.json"));
    let text = incident.read("plan.json");
    let rules = serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["rules"].clone();
    let plan = Plan::load(&file, rules.as_str().expect("a hash")).expect("a plan");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let now = i64::try_from(since).expect("before the end of time");
    for (created, words) in [(now - 16 * 60, "expired"), (now + 3600, "clock")] {
        Plan::new(rules.as_str().expect("a hash"), created, 15 * 60, false, plan.items.clone())
            .save(&file)
            .expect("is written");
        let _ = std::fs::remove_file(Plan::journal_path(&file));
        let run = incident.apply(&NOW).expect(2);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

/// It goes down after the request and before the proof.
#[test]
fn a_provider_that_goes_down_on_the_way_proves_nothing() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    let plan = incident.outside("plan.json");
    let mut apply = incident.command(&["revoke", "apply", &plan, "--yes", "--emergency", "--format", "json"]);
    incident.mock.set_faults(Faults { ignore_mutation: true, ..Faults::default() });
    let child = apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    wait_for(|| incident.mutations() == 1);
    incident.mock.set_faults(Faults { broken: true, ..Faults::default() });
    let run = crate::support::tool::Run::from(child.wait_with_output().expect("ends")).expect(3);
    assert_eq!(outcomes(&run), ["accepted-unproven"]);
    // It is up again, and now there is proof.
    incident.mock.set_faults(Faults::default());
    incident.mock.kill(&incident.keys[0].secret);
    incident.run(&["revoke", "verify", &plan]).expect(0);
}

/// A server that speaks TLS, with a certificate of its own making.
struct Stranger {
    child: std::process::Child,
    port: u16,
}

impl Stranger {
    fn start(incident: &Incident) -> Self {
        let (key, certificate) = (incident.outside("stranger.key"), incident.outside("stranger.crt"));
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost", "-keyout", &key, "-out", &certificate])
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("openssl runs").success());
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("has one").port();
        drop(free);
        let child = std::process::Command::new("openssl")
            .args([
                "s_server",
                "-quiet",
                "-accept",
                &format!("127.0.0.1:{port}"),
                "-key",
                &key,
                "-cert",
                &certificate,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssl runs");
        wait_for(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, port }
    }

    /// Stops it; what it was sent, and what it says of its connections.
    fn stop(mut self) -> (Vec<u8>, String) {
        self.child.kill().expect("is stopped");
        let output = self.child.wait_with_output().expect("ends");
        (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn a_certificate_nobody_vouches_for_gets_no_secret() {
    let incident = Incident::new(Kind::Gitlab, 1);
    incident.plan();
    let stranger = Stranger::start(&incident);
    let base = format!("[base]\ngitlab = \"https://localhost:{}\"\n", stranger.port);
    incident.write("tls.toml", &format!("schema = 1\n{base}[network]\ninternal_hosts = [\"localhost\"]\n"));
    let operator = incident.outside("tls.toml");
    let mut arguments = NOW.to_vec();
    arguments.extend(["--operator", &operator]);
    let run = incident.apply(&arguments).expect(1);
    assert_eq!(outcomes(&run), ["skipped"], "{}", run.stdout);
    assert!(run.stdout.contains("not proven live"), "{}", run.stdout);
    let findings = incident.outside("findings.jsonl");
    let asked = incident.run(&["validate", &findings, "--operator", &operator]).expect(5);
    assert!(asked.stdout.contains("0 live, 0 dead, 1 unknown"), "{}", asked.stdout);
    let (heard, said) = stranger.stop();
    assert!(heard.is_empty(), "{}", String::from_utf8_lossy(&heard));
    // One is the test's own, which only looked whether somebody listens.
    assert!(said.matches("ERROR").count() > 2, "handshakes were begun, and broken off: {said}");
    assert!(!run.stdout.contains("public address"), "{}", run.stdout);
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

#[test]
fn an_echoing_server_cannot_say_whose_key_it_is() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    incident.mock.set_faults(Faults { echo: true, ..Faults::default() });
    let run = incident.apply(&NOW).expect(6);
    assert_eq!(outcomes(&run), ["refused"]);
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

#[test]
fn two_processes_do_not_apply_one_plan() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    let plan = incident.outside("plan.json");
    incident.mock.set_faults(Faults { slow: 2, ..Faults::default() });
    let mut first = incident.command(&["revoke", "apply", &plan, "--yes", "--emergency", "--format", "json"]);
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    wait_for(|| incident.mutations() == 1);
    let second = incident.apply(&NOW).expect(2);
    assert!(second.stderr.contains("right now"), "{}", second.stderr);
    let run = crate::support::tool::Run::from(first.wait_with_output().expect("ends")).expect(0);
    assert_eq!(outcomes(&run), ["revoked"]);
    assert_eq!((incident.live(), incident.mutations()), (0, 1));
}

/// Waits until `holds`, at most half a minute.
fn wait_for(holds: impl Fn() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not happen");
}
