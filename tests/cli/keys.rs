//! `validate`, `revoke`, `audit`: an incident from the leak to the proof, by the documented commands, against
//! a mock provider on loopback. Nothing the commands write or say may hold a secret ([`crate::support::witness`]).

mod bad_input;
mod peers;
mod repositories;
mod walkthrough;

use std::path::Path;
use std::process::{Command, Stdio};

use keycull::mock::{Faults, Issued, Kind, MockProvider, drill::drill_rule, operator_file};
use serde_json::Value;

use crate::support::git::GitRepo;
use crate::support::tool::{self, Run};
use crate::support::witness;

/// A repository with leaked keys, the provider that issued them, and an operator's file that leads to it.
pub(crate) struct Incident {
    pub(crate) repo: GitRepo,
    pub(crate) mock: MockProvider,
    pub(crate) keys: Vec<Issued>,
}

impl Incident {
    /// Keys of `kind` committed at `HEAD`, one file each.
    pub(crate) fn new(kind: Kind, count: u64) -> Self {
        let mut incident = Self {
            repo: GitRepo::new(),
            mock: MockProvider::start(0, Faults::default()).expect("a port is free"),
            keys: Vec::new(),
        };
        let keys: Vec<Issued> = (0..count).map(|seed| incident.mock.issue(kind, 40 + seed)).collect();
        for (at, key) in keys.iter().enumerate() {
            incident.repo.write(format!("settings-{at}.env"), format!("API_TOKEN={}\n", key.secret));
        }
        incident.repo.commit("Add settings");
        incident.write("operator.toml", &operator_file(incident.mock.address()));
        incident.write("drill-rule.toml", drill_rule());
        incident.keys = keys;
        incident
    }

    pub(crate) fn outside(&self, name: &str) -> String {
        self.repo.outside().join(name).to_string_lossy().into_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.outside(name), text).expect("is written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.outside(name)).expect("is read")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.command_in(self.repo.path(), arguments)
    }

    fn command_in(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = tool::command(directory);
        command.env("HOME", self.repo.outside()).args(arguments);
        let reaches = matches!(arguments, ["validate" | "revoke", ..]) && !arguments.contains(&"--operator");
        if reaches && arguments.get(1) != Some(&"drill") {
            command.args(["--operator", &self.outside("operator.toml")]);
        }
        let rules =
            matches!(arguments, ["scan" | "validate" | "revoke", ..]) && !arguments.contains(&"--rules");
        if rules && arguments.get(1) != Some(&"drill") {
            command.args(["--rules", &self.outside("drill-rule.toml")]);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_in(self.repo.path(), arguments)
    }

    fn run_in(&self, directory: &Path, arguments: &[&str]) -> Run {
        witness::made_by(&self.mock);
        self.command_in(directory, arguments).output().expect("the program starts").into()
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        witness::made_by(&self.mock);
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // The inputs here are far smaller than a pipe.
        let _ = std::io::Write::write_all(&mut stdin, input);
        drop(stdin);
        child.wait_with_output().expect("the program ends").into()
    }

    /// Scans into `findings.jsonl`.
    pub(crate) fn scan(&self) {
        self.run(&["scan", "--format", "jsonl", "-o", &self.outside("findings.jsonl")]).expect(1);
    }

    /// Scans and plans into `plan.json`.
    pub(crate) fn plan(&self) -> Value {
        self.scan();
        self.run(&["revoke", "plan", &self.outside("findings.jsonl"), "-o", &self.outside("plan.json")])
            .expect(0);
        serde_json::from_str(&self.read("plan.json")).expect("a plan")
    }

    pub(crate) fn apply(&self, more: &[&str]) -> Run {
        let plan = self.outside("plan.json");
        let mut arguments = vec!["revoke", "apply", &plan, "--format", "json"];
        arguments.extend(more);
        self.run(&arguments)
    }

    fn live(&self) -> usize {
        self.keys.iter().filter(|key| self.mock.is_live(&key.secret)).count()
    }

    /// Requests that change something.
    fn mutations(&self) -> usize {
        let changes = |method: &str, target: &str| {
            method == "DELETE" || (method == "POST" && target.starts_with("/credentials"))
        };
        self.mock.requests().iter().filter(|request| changes(&request.method, &request.target)).count()
    }
}

impl Drop for Incident {
    /// What is left behind is searched when the repository goes, for keys issued meanwhile as well.
    fn drop(&mut self) {
        witness::made_by(&self.mock);
    }
}

fn outcomes(run: &Run) -> Vec<String> {
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}\n{}", run.stdout, run.stderr));
    let items = report["items"].as_array().expect("items");
    items.iter().map(|item| item["outcome"].as_str().expect("an outcome").to_owned()).collect()
}

#[test]
fn a_leaked_key_dies_by_the_documented_commands() {
    let incident = Incident::new(Kind::Github, 2);
    let other = incident.mock.issue(Kind::Github, 99);
    incident.scan();
    let findings = incident.outside("findings.jsonl");
    let run = incident.run(&["validate", &findings]).expect(1);
    assert!(
        run.stdout.contains("2 live, 0 dead") && run.stdout.contains("belongs to drill-user"),
        "{}",
        run.stdout
    );
    let plan = incident.plan();
    assert_eq!(plan["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(incident.mutations(), 0, "planning changes nothing");

    let run = incident.apply(&[]).expect(0);
    assert_eq!((outcomes(&run), incident.mutations()), (vec!["planned".to_owned(); 2], 0));
    let run = incident.apply(&["--yes"]).expect(6);
    assert!(run.stdout.contains("--replaced"), "{}", run.stdout);
    assert_eq!((outcomes(&run), incident.mutations()), (vec!["refused".to_owned(); 2], 0));

    let sarif = incident.outside("keycull.sarif");
    incident.run(&["scan", "--format", "sarif", "-o", &sarif]).expect(1);
    let run = incident.apply(&["--yes", "--replaced", "--receipt", &findings, "--receipt", &sarif]).expect(0);
    assert_eq!((outcomes(&run), incident.live()), (vec!["revoked".to_owned(); 2], 0));
    assert_eq!(incident.mutations(), 1, "one request for both");
    assert!(incident.mock.is_live(&other.secret), "no other key was touched");
    for line in incident.read("findings.jsonl").lines() {
        let finding: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(finding["revocation"]["outcome"], "revoked", "{line}");
    }
    let sarif: Value = serde_json::from_str(&incident.read("keycull.sarif")).expect("JSON");
    let results = sarif["runs"].as_array().expect("runs").iter().flat_map(|run| run["results"].as_array());
    let proven = results.flatten().filter(|result| result["suppressions"][0]["status"] == "accepted").count();
    assert!(proven >= 2, "every alert can be closed: {proven}");

    let run = incident.run(&["revoke", "verify", &incident.outside("plan.json")]).expect(0);
    assert!(run.stdout.contains("found dead"), "{}", run.stdout);
    let run = incident.run(&["audit", "verify"]).expect(0);
    assert!(run.stdout.contains("whole"), "{}", run.stdout);
    assert!(incident.run(&["validate", &findings]).expect(0).stdout.contains("0 live, 2 dead"));
}

#[test]
fn every_report_tells_what_the_provider_said() {
    let incident = Incident::new(Kind::Github, 1);
    let operator = incident.outside("operator.toml");
    let scan = |more: &[&str]| {
        let mut arguments = vec!["scan", "--validate", "--operator", &operator];
        arguments.extend(more);
        incident.run(&arguments)
    };
    assert!(scan(&[]).expect(1).stdout.contains("live: its provider accepts it"));
    let report: Value = serde_json::from_str(&scan(&["--format", "json"]).expect(1).stdout).expect("JSON");
    assert_eq!(report["findings"][0]["validation"]["verdict"], "live");
    assert_eq!(report["findings"][0]["validation"]["identity"], "drill-user");
    let sarif = scan(&["--format", "sarif"]).expect(1).stdout;
    assert!(
        sarif.contains("\"validation\": \"live\"") && !sarif.contains("drill-user"),
        "no personal data in SARIF"
    );
    scan(&["--fail-on", "live"]).expect(1);
    incident.mock.set_faults(Faults { html: true, ..Faults::default() });
    scan(&["--fail-on", "live"]).expect(3);
    incident.mock.set_faults(Faults::default());
    incident.mock.kill(&incident.keys[0].secret);
    scan(&["--fail-on", "live"]).expect(0);
    scan(&[]).expect(1);
    let run = incident.run(&["scan", "--fail-on", "live"]).expect(2);
    assert!(run.stderr.contains("--validate"), "{}", run.stderr);
}

#[test]
fn nothing_is_asked_without_being_told_to() {
    let incident = Incident::new(Kind::Github, 1);
    let hint = incident.run(&["scan"]).expect(1).stdout;
    assert!(hint.contains("`keycull revoke plan` shows which of them can be revoked from here"), "{hint}");
    assert_eq!(incident.mock.requests().len(), 0, "a scan opens no socket");
    incident.run(&["validate", "--offline"]).expect(5);
    assert_eq!(incident.mock.requests().len(), 0);
}

#[test]
fn commands_join_in_pipelines() {
    let incident = Incident::new(Kind::Drill, 2);
    let findings = incident.run(&["scan", "--format", "jsonl"]).expect(1).stdout;
    let run = incident.run_with(&["validate", "-", "--format", "jsonl"], findings.as_bytes()).expect(1);
    assert!(run.stdout.lines().all(|line| line.contains("\"verdict\":\"live\"")), "{}", run.stdout);
    let plan = incident
        .run_with(&["revoke", "plan", "--from", "-", "--format", "json"], findings.as_bytes())
        .expect(0)
        .stdout;
    let without =
        incident.run_with(&["revoke", "apply", "-", "--yes", "--emergency"], plan.as_bytes()).expect(2);
    assert!(without.stderr.contains("--journal"), "{}", without.stderr);
    let journal = incident.outside("j");
    let apply = ["revoke", "apply", "-", "--yes", "--emergency", "--journal", &journal];
    incident.run_with(&apply, plan.as_bytes()).expect(0);
    assert_eq!((incident.live(), incident.mutations()), (0, 2));
    incident.run_with(&apply, plan.as_bytes()).expect(0);
    assert_eq!(incident.mutations(), 2, "what is in the journal is not sent again");
}

#[test]
fn a_plan_without_findings_scans_the_repository_here() {
    let incident = Incident::new(Kind::Drill, 1);
    let run = incident.run(&["revoke", "plan"]).expect(0);
    for words in
        ["1 can be revoked from here", "in use at settings-0.env", "Rotation first", "git filter-repo"]
    {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    incident.repo.git(&["rm", "--quiet", "settings-0.env"]);
    incident.repo.commit("Remove it");
    let run = incident.run(&["revoke", "plan", "-o", &incident.outside("plan.json")]).expect(0);
    assert!(run.stdout.contains("leaked at settings-0.env"), "{}", run.stdout);
    // Nobody uses it any more, so nobody has to say that it was replaced; it is read from the blob.
    assert_eq!(outcomes(&incident.apply(&["--yes"]).expect(0)), ["revoked"]);
    assert_eq!(incident.live(), 0);
}

#[test]
fn one_key_can_be_handed_in() {
    let incident = Incident::new(Kind::Github, 1);
    let secret = incident.keys[0].secret.clone();
    let one = ["revoke", "one", "--rule", "github-pat"];
    let run = incident.run_with(&one, secret.as_bytes()).expect(0);
    assert!(run.stdout.contains("Nothing was sent"), "{}", run.stdout);
    assert_eq!(incident.mutations(), 0);
    let mut positional = one.to_vec();
    positional.push(&secret);
    let run = incident.run(&positional).expect(2);
    assert!(run.stderr.contains("not taken as an argument"), "{}", run.stderr);
    let mut yes = one.to_vec();
    yes.push("--yes");
    let run = incident.run_with(&yes, b"hunter2 is no key of GitHub\n").expect(2);
    assert!(run.stderr.contains("nothing was sent"), "{}", run.stderr);
    assert!(incident.run_with(&yes, b"\n").expect(2).stderr.contains("no key"));
    incident.run_with(&["revoke", "one", "--rule", "github-patt"], b"x").expect(2);
    incident.run_with(&yes, format!("{secret}\n").as_bytes()).expect(0);
    assert_eq!((incident.live(), incident.mutations()), (0, 1));
    let run = incident.run_with(&yes, secret.as_bytes()).expect(0);
    assert!(run.stdout.contains("already-dead"), "{}", run.stdout);
}

#[test]
fn both_halves_of_an_aws_key_can_be_handed_in() {
    let incident = Incident::new(Kind::Aws, 1);
    let key = &incident.keys[0];
    incident.repo.write("half.txt", &key.companion);
    let part = format!("aws-secret-access-key={}", incident.repo.path().join("half.txt").display());
    let one = ["revoke", "one", "--rule", "aws-access-key-id", "--part", &part, "--yes", "--format", "json"];
    let run = incident.run_with(&one, key.secret.as_bytes()).expect(0);
    assert_eq!((outcomes(&run), incident.live()), (vec!["revoked".to_owned()], 0));
}

#[test]
fn what_does_not_add_up_is_never_called_revoked() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    // A finding that names another secret.
    let text = incident.read("findings.jsonl");
    let at = text.find("t1:").expect("a fingerprint");
    let wrong = text.replace(&text[at..at + 35], &format!("t1:{}", "0".repeat(32)));
    incident.write("wrong.jsonl", &wrong);
    let plan = incident.outside("wrong-plan.json");
    let run = incident.run(&["revoke", "plan", &incident.outside("wrong.jsonl"), "-o", &plan]).expect(0);
    assert!(
        run.stdout.contains("not read") && run.stdout.contains("does not hold this secret"),
        "{}",
        run.stdout
    );
    let run = incident.run(&["revoke", "apply", &plan, "--yes", "--emergency", "--format", "json"]).expect(1);
    assert_eq!(outcomes(&run), ["skipped"]);
    // A key that was not read may be live.
    let run = incident.run(&["validate", &incident.outside("wrong.jsonl")]).expect(5);
    assert!(run.stdout.contains("0 live, 0 dead, 1 unknown, 0 not asked"), "{}", run.stdout);
    // Findings that are none.
    for (text, words) in [("nonsense", "no report"), ("{\"fingerprint\":1}\n", "finding 1")] {
        incident.write("bad.jsonl", text);
        let run = incident.run(&["revoke", "plan", &incident.outside("bad.jsonl")]).expect(2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    incident.run(&["validate", &incident.outside("not-there.jsonl")]).expect(2);
    // The file has changed since, everywhere: another key stands there now.
    let fresh = incident.mock.issue(Kind::Drill, 77);
    incident.plan();
    incident.repo.write("settings-0.env", format!("API_TOKEN={}\n", fresh.secret));
    std::fs::remove_dir_all(incident.repo.path().join(".git/objects")).expect("is gone");
    std::fs::create_dir(incident.repo.path().join(".git/objects")).expect("is there, empty");
    let run = incident.apply(&["--yes", "--emergency"]).expect(1);
    assert_eq!(outcomes(&run), ["skipped"], "{}", run.stdout);
    assert!(incident.mock.is_live(&fresh.secret));
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

#[test]
fn changed_foreign_and_held_plans_are_refused() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    let good = incident.read("plan.json");
    incident.write("plan.json", &good.replace("settings-0.env", "settings-1.env"));
    assert!(incident.apply(&["--yes", "--emergency"]).expect(2).stderr.contains("was changed"));
    incident.write("plan.json", "{}");
    incident.apply(&["--yes", "--emergency"]).expect(2);
    incident.write("plan.json", &good);
    let plan = incident.outside("plan.json");
    let other = incident.outside("other-rule.toml");
    std::fs::write(&other, drill_rule().replace("drill-key", "other-key").replace("drill_", "other_"))
        .expect("written");
    let run = incident.run(&["revoke", "apply", &plan, "--yes", "--emergency", "--rules", &other]).expect(2);
    assert!(run.stderr.contains("plan again") || run.stderr.contains("revoke plan"), "{}", run.stderr);
    // Another process holds it.
    let digest =
        serde_json::from_str::<Value>(&good).expect("JSON")["digest"].as_str().expect("one").to_owned();
    let journal = keycull::revoke::Plan::journal_path(plan.as_ref());
    let held = keycull::revoke::Journal::open(&journal, &digest).expect("opens");
    assert!(incident.apply(&["--yes", "--emergency"]).expect(2).stderr.contains("right now"));
    drop(held);
    assert_eq!(incident.mutations(), 0);
    // A journal cut at any byte: what was whole before counts, and a dead key is never sent again.
    incident.apply(&["--yes", "--emergency"]).expect(0);
    let whole = std::fs::read(&journal).expect("is read");
    for cut in (0..whole.len()).step_by(97) {
        std::fs::write(&journal, &whole[..cut]).expect("is cut");
        incident.apply(&["--yes", "--emergency"]).expect(0);
        assert_eq!(incident.mutations(), 1, "cut at {cut}");
    }
    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    std::fs::write(&journal, damaged).expect("is damaged");
    incident.apply(&["--yes", "--emergency"]).expect(2);
}

#[test]
fn faults_of_the_provider_have_their_exit_codes() {
    for (faults, code, outcome) in [
        (Faults { ignore_mutation: true, ..Faults::default() }, 3, "accepted-unproven"),
        (Faults { too_many_mutations: true, ..Faults::default() }, 5, "unknown"),
        (Faults { html: true, ..Faults::default() }, 1, "skipped"),
        (Faults { error_after_mutation: true, ..Faults::default() }, 0, "revoked"),
    ] {
        let incident = Incident::new(Kind::Drill, 1);
        incident.plan();
        incident.mock.set_faults(faults.clone());
        let run = incident.apply(&["--yes", "--emergency"]).expect(code);
        assert_eq!(outcomes(&run), [outcome], "{faults:?}");
        assert_eq!(incident.live() == 0, outcome == "revoked", "{faults:?}");
    }
}

#[test]
fn a_provider_that_is_down_or_elsewhere_is_not_a_dead_key() {
    let incident = Incident::new(Kind::Gitlab, 1);
    incident.plan();
    // Nobody listens.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("has one");
    incident.write("down.toml", &operator_file(deaf));
    let plan = incident.outside("plan.json");
    let with = |operator: &str| {
        let operator = incident.outside(operator);
        incident.run(&[
            "revoke",
            "apply",
            &plan,
            "--yes",
            "--emergency",
            "--format",
            "json",
            "--operator",
            &operator,
        ])
    };
    assert_eq!(outcomes(&with("down.toml").expect(1)), ["skipped"]);
    // TLS fails: this server speaks none.
    let plain = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = plain.local_addr().expect("has one");
    std::thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    let base = format!("[base]\ngitlab = \"https://localhost:{}\"\n", address.port());
    incident.write("tls.toml", &format!("schema = 1\n{base}[network]\ninternal_hosts = [\"localhost\"]\n"));
    let run = with("tls.toml").expect(1);
    assert_eq!(outcomes(&run), ["skipped"]);
    assert!(run.stdout.contains("not proven live"), "{}", run.stdout);
    // The name leads into a private network.
    incident.write("private.toml", &format!("schema = 1\n{base}"));
    let run = with("private.toml").expect(1);
    assert!(run.stdout.contains("not a public address"), "{}", run.stdout);
    assert_eq!((incident.live(), incident.mutations()), (1, 0));
}

#[test]
fn redirects_lead_nowhere() {
    let incident = Incident::new(Kind::Gitlab, 1);
    let decoy = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    decoy.set_nonblocking(true).expect("is set");
    incident.plan();
    let to = decoy.local_addr().expect("has one");
    let redirect = Some(keycull::mock::Redirect { status: 307, to, reads: false });
    incident.mock.set_faults(Faults { redirect, ..Faults::default() });
    assert_eq!(outcomes(&incident.apply(&["--yes", "--emergency"]).expect(5)), ["unknown"]);
    assert!(decoy.accept().is_err(), "somebody went to the other port");
    assert_eq!((incident.live(), incident.mutations()), (1, 1));
}

#[test]
fn the_operators_file_must_be_the_operators() {
    let incident = Incident::new(Kind::Drill, 1);
    let inside = incident.repo.path().join("operator.toml");
    std::fs::copy(incident.outside("operator.toml"), &inside).expect("is copied");
    let run = incident.run(&["revoke", "plan", "--operator", &inside.to_string_lossy()]).expect(2);
    assert!(run.stderr.contains("inside the scanned tree"), "{}", run.stderr);
    // A rule of the scanned tree finds things, but decides nothing about what is sent.
    incident.repo.write("keycull.toml", drill_rule());
    let bare = ["revoke", "plan", "--rules", &incident.outside("none.toml")];
    let renamed = [("drill-", "none-"), ("drill_", "none_"), ("dlist_", "nlist_")];
    let rules = renamed.iter().fold(drill_rule().to_owned(), |text, (from, to)| text.replace(from, to));
    incident.write("none.toml", &rules);
    let run = incident.run(&bare).expect(0);
    assert!(run.stdout.contains("not read"), "{}", run.stdout);
    assert_eq!(incident.mock.requests().len(), 0);
}

#[test]
fn brakes_and_policy_hold() {
    let incident = Incident::new(Kind::Drill, 3);
    let plan = incident.plan();
    let run = incident.apply(&["--yes", "--emergency", "--max", "2"]).expect(6);
    assert!(run.stderr.contains("the limit is 2"), "{}", run.stderr);
    assert_eq!(
        outcomes(&incident.apply(&["--yes", "--emergency", "--allow", "reversible"]).expect(6)),
        ["refused"; 3]
    );
    assert_eq!(incident.mutations(), 0);
    let id = plan["items"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(outcomes(&incident.apply(&["--yes", "--emergency", "--only", &id]).expect(0)), ["revoked"]);
    assert_eq!(incident.live(), 2);
    let print = plan["items"][1]["fingerprint"].as_str().expect("one");
    let policy = format!("[policy]\nnever_revoke = [\"{print}\"]\n[unattended]");
    let text = incident.read("operator.toml").replacen("[unattended]", &policy, 1);
    incident.write("operator.toml", &text);
    let run = incident.apply(&["--yes", "--emergency"]).expect(6);
    let mut all = outcomes(&run);
    all.sort();
    assert_eq!(all, ["refused", "revoked", "revoked"]);
    assert_eq!(incident.live(), 1);
}

#[test]
fn nobody_has_to_watch_if_the_policy_says_so() {
    let incident = Incident::new(Kind::Drill, 1);
    let plan = incident.outside("plan.json");
    // The policy of the mock's operator allows its provider to run alone.
    incident.run(&["revoke", "plan", "--unattended", "-o", &plan]).expect(0);
    let off = incident.read("operator.toml").replacen("enabled = true", "enabled = false", 1);
    incident.write("off.toml", &off);
    let without = incident.outside("off.toml");
    let run = incident.run(&["revoke", "plan", "--unattended", "--operator", &without]).expect(2);
    assert!(run.stderr.contains("does not enable"), "{}", run.stderr);
    incident.run(&["revoke", "apply", &plan, "--yes", "--unattended", "--operator", &without]).expect(6);
    assert_eq!(incident.mutations(), 0);
    assert_eq!(outcomes(&incident.apply(&["--yes", "--unattended"]).expect(0)), ["revoked"]);
    // A plan for a person stays one.
    let another = Incident::new(Kind::Drill, 1);
    another.plan();
    another.apply(&["--yes", "--unattended"]).expect(6);
}

#[test]
fn a_second_person_can_be_required() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    let key = incident.outside("boss");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "boss", "-f", &key]).status();
    assert!(made.expect("ssh-keygen runs").success());
    let public = format!("{key}.pub");
    let plan = incident.outside("plan.json");
    let sign = || {
        let _ = std::fs::remove_file(format!("{plan}.sig"));
        let signed = Command::new("ssh-keygen")
            .args(["-Y", "sign", "-q", "-n", "keycull", "-f", &key, &plan])
            .stderr(Stdio::null())
            .status();
        assert!(signed.expect("ssh-keygen runs").success());
    };
    let apply = || incident.apply(&["--yes", "--emergency", "--require-approval", &public]);
    assert!(apply().expect(2).stderr.contains("no approval"));
    sign();
    // Another second, another plan.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    incident.plan();
    assert!(apply().expect(2).stderr.contains("not over this plan"));
    assert_eq!(incident.mutations(), 0);
    sign();
    assert_eq!(outcomes(&apply().expect(0)), ["revoked"]);
}

#[test]
fn talking_more_tells_no_secret() {
    // Discord's webhooks are the one kind whose secret stands in the URL.
    let incident = Incident::new(Kind::Drill, 1);
    let token = crate::support::secret::random(5, 68);
    let url = format!("https://discord.com/api/webhooks/123456789012345678/{token}");
    incident.repo.write("hook.env", format!("HOOK={url}\n"));
    let text = incident.read("operator.toml");
    let mapped = format!("[network.loopback]\n\"discord.com\" = \"{}\"\n", incident.mock.address());
    incident.write("operator.toml", &text.replacen("[network.loopback]\n", &mapped, 1));
    let run = incident.run(&["validate", "-vv"]);
    let asked =
        incident.mock.requests().iter().filter(|request| request.target.contains("/webhooks/")).count();
    assert!(asked > 0, "the webhook was asked about: {}", run.stdout);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("debug:") && !said.contains(&token[8..40]), "{said}");
}

#[test]
fn a_changed_audit_log_is_noticed() {
    let incident = Incident::new(Kind::Drill, 1);
    incident.plan();
    let log = incident.outside("log");
    incident.apply(&["--yes", "--emergency", "--audit-log", &log]).expect(0);
    let run = incident.run(&["audit", "verify", &log]).expect(0);
    let last = run.stdout.trim().rsplit(' ').next().expect("a hash").to_owned();
    incident.run(&["audit", "verify", &log, "--last", &last]).expect(0);
    let text = std::fs::read_to_string(&log).expect("is read");
    let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
    std::fs::write(&log, cut).expect("is written");
    incident.run(&["audit", "verify", &log]).expect(0);
    assert!(incident.run(&["audit", "verify", &log, "--last", &last]).expect(1).stderr.contains("cut"));
    std::fs::write(&log, text.replacen("revoked", "refused", 1)).expect("is written");
    incident.run(&["audit", "verify", &log, "--last", &last]).expect(1);
    incident.run(&["audit", "verify", &incident.outside("not-there")]).expect(2);
}

#[cfg(unix)]
#[test]
fn the_mock_provider_serves_until_it_is_stopped() {
    use std::io::BufRead as _;
    let repo = GitRepo::new();
    let (keys, operator) = (repo.outside().join("keys"), repo.outside().join("operator.toml"));
    let mut child = tool::command(repo.path())
        .args(["mock-provider", "--issue", "github=2", "--keys"])
        .arg(&keys)
        .arg("--operator")
        .arg(&operator)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("is read");
    assert!(first.starts_with("listening on http://127.0.0.1:"), "{first}");
    let text = std::fs::read_to_string(&keys).expect("keys");
    let secret = text.lines().next().expect("one").split(' ').nth(1).expect("a key").to_owned();
    let one = ["revoke", "one", "--rule", "github-pat", "--yes", "--operator", &operator.to_string_lossy()];
    tool::run_with_input(repo.path(), &one, secret.as_bytes()).expect(0);
    let stopped = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(stopped.expect("kill runs").success());
    assert!(child.wait().expect("ends").success());
    let rest: Vec<String> = lines.map(|line| line.expect("is read")).collect();
    let told = rest.join("\n");
    assert!(told.contains("POST /credentials/revoke") && told.contains("dead github …"), "{told}");
    assert!(told.contains("live github …") && !told.contains(&secret), "{told}");
    tool::run(repo.path(), &["mock-provider", "--issue", "nobody=1"]).expect(2);
    tool::run(repo.path(), &["mock-provider", "--faults", "ecko"]).expect(2);
}
