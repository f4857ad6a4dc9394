//! Reports about several repositories: each secret is read again in the repository that holds it, what is
//! still used in the others is told, and a report leads nowhere that nobody named.

use std::fs;
use std::path::{Path, PathBuf};

use keycull::mock::Kind;
use serde_json::Value;

use super::{Incident, outcomes};
use crate::support::git::scrubbed_git;
use crate::support::tool::Run;

/// One key leaked in `repo`, where it is only in history now, and in its clone `b`, where it is at `HEAD`.
fn shared() -> Incident {
    let incident = Incident::new(Kind::Github, 1);
    incident.repo.git(&["clone", "--quiet", ".", "../b"]);
    incident.repo.remove("settings-0.env").commit("Remove settings");
    incident
}

fn outside(incident: &Incident) -> PathBuf {
    incident.repo.outside()
}

/// Scans `repo` and `b` into `findings.jsonl`, as `paths` name them from beside them.
fn scan_both(incident: &Incident, paths: &[&str]) -> String {
    let findings = incident.outside("findings.jsonl");
    let mut arguments = vec!["scan"];
    arguments.extend(paths);
    arguments.extend(["--format", "jsonl", "-o", &findings]);
    incident.run_in(&outside(incident), &arguments).expect(1);
    findings
}

fn plan_in(incident: &Incident, directory: &Path, more: &[&str]) -> Run {
    let (findings, plan) = (incident.outside("findings.jsonl"), incident.outside("plan.json"));
    let mut arguments = vec!["revoke", "plan", &findings, "-o", &plan];
    arguments.extend(more);
    incident.run_in(directory, &arguments)
}

fn apply_in(incident: &Incident, directory: &Path, more: &[&str]) -> Run {
    let plan = incident.outside("plan.json");
    let mut arguments = vec!["revoke", "apply", &plan, "--format", "json"];
    arguments.extend(more);
    incident.run_in(directory, &arguments)
}

/// Changes every place in `findings.jsonl`.
fn change_places(incident: &Incident, change: impl Fn(&mut Value)) {
    let text = incident.read("findings.jsonl");
    let changed = text.lines().map(|line| {
        let mut finding: Value = serde_json::from_str(line).expect("JSON");
        finding["occurrences"].as_array_mut().expect("places").iter_mut().for_each(&change);
        format!("{finding}\n")
    });
    incident.write("findings.jsonl", &changed.collect::<String>());
}

#[test]
fn a_key_of_two_repositories_is_planned_killed_and_proven() {
    let incident = shared();
    let outside = outside(&incident);
    let findings = scan_both(&incident, &["repo", "b"]);
    let run = incident.run_in(&outside, &["validate", "--from", &findings]).expect(1);
    assert!(
        run.stdout.contains("1 live, 0 dead") && run.stdout.contains("at repo: settings-0.env:1"),
        "{run:?}"
    );

    let run = plan_in(&incident, &outside, &[]).expect(0);
    assert!(run.stdout.contains("1 key: 1 can be revoked from here"), "{run:?}");
    assert!(run.stdout.contains("in use at b: settings-0.env:1\n"), "its file: {run:?}");
    assert!(run.stdout.contains("in use at b: settings-0.env:1 (commit"), "its HEAD: {run:?}");
    assert!(run.stdout.contains("leaked at repo: settings-0.env:1 (commit"), "{run:?}");

    // In `repo` nobody uses it any more; the other repository does.
    let run = apply_in(&incident, &outside, &["--yes"]).expect(6);
    assert_eq!((outcomes(&run), incident.mutations()), (vec!["refused".to_owned()], 0));
    assert!(run.stdout.contains("\"b: settings-0.env:1\""), "{run:?}");
    let plan = incident.outside("plan.json");
    fs::remove_file(format!("{plan}.journal")).expect("the refusal is done with");
    let done = apply_in(&incident, &outside, &["--yes", "--replaced", "--receipt", &findings]).expect(0);
    assert_eq!((outcomes(&done), incident.live(), incident.mutations()), (vec!["revoked".to_owned()], 0, 1));
    assert!(incident.read("findings.jsonl").contains("\"outcome\":\"revoked\""));
    let run = incident.run_in(&outside, &["revoke", "verify", &plan]).expect(0);
    assert!(run.stdout.contains("found dead"), "{run:?}");
    let run = incident.run_in(&outside, &["validate", &findings]).expect(0);
    assert!(run.stdout.contains("0 live, 1 dead"), "{run:?}");
}

/// Each repository has a key of its own in a file of the same name.
#[test]
fn every_secret_is_read_in_its_own_repository() {
    let incident = shared();
    let outside = outside(&incident);
    let other = incident.mock.issue(Kind::Github, 71);
    fs::write(outside.join("b/settings-0.env"), format!("API_TOKEN={}\n", other.secret)).expect("written");
    let git = |arguments: &[&str]| {
        let mut command = scrubbed_git();
        command.current_dir(outside.join("b")).args(arguments).status().expect("git runs").success()
    };
    assert!(git(&["commit", "--quiet", "--all", "--message", "Another key"]));
    scan_both(&incident, &["repo", "b"]);
    plan_in(&incident, &outside, &[]).expect(0);
    let run = apply_in(&incident, &outside, &["--yes", "--emergency"]).expect(0);
    assert_eq!(outcomes(&run), ["revoked", "revoked"]);
    assert!(!incident.mock.is_live(&other.secret) && incident.live() == 0);
}

#[test]
fn names_are_found_from_elsewhere() {
    let incident = shared();
    let outside = outside(&incident);
    scan_both(&incident, &["repo", "b"]);
    let away = tempfile::tempdir().expect("a directory");
    let can = |run: Run| assert!(run.stdout.contains("1 can be revoked from here"), "{run:?}");
    // Beside the findings, and beside the plan.
    can(plan_in(&incident, away.path(), &[]).expect(0));
    assert_eq!(outcomes(&apply_in(&incident, away.path(), &[]).expect(0)), ["planned"]);
    // Below the directory that is named, and there alone.
    fs::create_dir(outside.join("deep")).expect("made");
    for name in ["repo", "b"] {
        fs::rename(outside.join(name), outside.join("deep").join(name)).expect("moved");
    }
    let deep = incident.outside("deep");
    can(plan_in(&incident, away.path(), &["--root", &deep]).expect(0));
    let run = plan_in(&incident, away.path(), &["--root", &away.path().to_string_lossy()]).expect(2);
    assert!(run.stderr.contains("it is not there"), "{run:?}");
    // As the list says that was scanned.
    incident.write("list", "repo\nb\n");
    fs::rename(outside.join("list"), outside.join("deep/list")).expect("moved");
    can(plan_in(&incident, away.path(), &["--repos-from", &incident.outside("deep/list")]).expect(0));
    // One by one.
    let named: Vec<String> = ["repo", "b"].map(|name| format!("{name}={deep}/{name}")).into();
    can(plan_in(&incident, away.path(), &["--repo", &named[0], "--repo", &named[1]]).expect(0));
    let run = apply_in(&incident, away.path(), &["--yes", "--emergency", "--repo", &named[1]]).expect(0);
    assert_eq!(outcomes(&run), ["revoked"], "one place is enough");
    // A path as the report has it.
    fs::rename(outside.join("deep/repo"), outside.join("repo")).expect("moved");
    let repo = incident.outside("repo");
    let findings = incident.outside("findings.jsonl");
    incident
        .run_in(away.path(), &["scan", &repo, &format!("{deep}/b"), "-f", "jsonl", "-o", &findings])
        .expect(1);
    assert!(plan_in(&incident, away.path(), &[]).expect(0).stderr.is_empty(), "both are below the findings");
    let far = away.path().join("findings.jsonl");
    fs::copy(&findings, &far).expect("copied");
    let far = far.to_string_lossy();
    let run = incident.run_in(away.path(), &["revoke", "plan", &far]).expect(2);
    assert!(run.stderr.contains("outside of the directory") && run.stderr.contains("--repo"), "{run:?}");
    incident.run_in(away.path(), &["revoke", "plan", &far, "--repo", &repo]).expect(0);
}

#[test]
fn a_repository_that_is_gone_is_told_and_proves_nothing() {
    let incident = shared();
    let outside = outside(&incident);
    let other = incident.mock.issue(Kind::Github, 71);
    fs::write(outside.join("b/only-here.env"), format!("API_TOKEN={}\n", other.secret)).expect("written");
    scan_both(&incident, &["repo", "b"]);
    fs::rename(outside.join("b"), outside.join("c")).expect("renamed");
    let run = plan_in(&incident, &outside, &[]).expect(0);
    assert!(
        run.stderr.contains("repository b: it is not there") && run.stderr.contains("--repo b=PATH"),
        "{run:?}"
    );
    assert!(run.stdout.contains("2 keys: 1 can be revoked from here, 0 dead already, 1 not"), "{run:?}");
    assert!(
        run.stdout.contains("not read") && run.stdout.contains("b: only-here.env:1: it is not there"),
        "{run:?}"
    );
    assert!(run.stdout.contains("in use at b: settings-0.env"), "the report knows: {run:?}");
    let run = incident.run_in(&outside, &["validate", &incident.outside("findings.jsonl")]).expect(1);
    assert!(run.stdout.contains("1 live, 0 dead, 1 unknown"), "{run:?}");
    let run = apply_in(&incident, &outside, &["--yes", "--emergency"]).expect(1);
    let mut came = outcomes(&run);
    came.sort();
    assert_eq!((came, incident.live()), (vec!["revoked".to_owned(), "skipped".to_owned()], 0));
    assert!(incident.mock.is_live(&other.secret));
    // Where it is now.
    let run = plan_in(&incident, &outside, &["--repo", "b=c"]).expect(0);
    assert!(
        run.stderr.is_empty() && run.stdout.contains("1 can be revoked from here, 1 dead already"),
        "{run:?}"
    );
    // It goes after the plan was made.
    let fresh = ["--yes", "--emergency", "--journal", &incident.outside("fresh")];
    let run = apply_in(&incident, &outside, &fresh).expect(1);
    assert!(run.stderr.contains("--repo b=PATH"), "{run:?}");
    assert!(incident.mock.is_live(&other.secret));
    // None of them is there: nothing was decided.
    fs::rename(outside.join("repo"), outside.join("d")).expect("renamed");
    for command in [&["revoke", "plan"][..], &["validate"]] {
        let mut arguments = command.to_vec();
        let findings = incident.outside("findings.jsonl");
        arguments.push(&findings);
        let run = incident.run_in(&outside, &arguments).expect(2);
        assert!(run.stderr.contains("no repository of") && run.stderr.contains("hint: "), "{run:?}");
    }
    fs::rename(outside.join("d"), outside.join("repo")).expect("renamed back");
    let run = plan_in(&incident, &outside, &["--repo", "b=nowhere"]).expect(2);
    assert!(run.stderr.contains("is no directory"), "{run:?}");
    let run = incident.run_in(&outside, &["revoke", "plan", "--repo", "b=c"]).expect(2);
    assert!(run.stderr.contains("FINDINGS"), "{run:?}");
}

/// The repositories `repo` and `b` lie outside of the directory in which the report is used.
#[cfg(unix)]
#[test]
fn a_report_leads_nowhere_that_nobody_named() {
    let incident = shared();
    let outside = outside(&incident);
    scan_both(&incident, &["repo", "b"]);
    let good = incident.read("findings.jsonl");
    let here = outside.join("here");
    fs::create_dir_all(here.join("plain")).expect("made");
    fs::write(here.join("plain/settings-0.env"), fs::read(outside.join("b/settings-0.env")).expect("read"))
        .expect("written");
    crate::support::witness::planted(&here.join("plain/settings-0.env"));
    std::os::unix::fs::symlink(outside.join("b"), here.join("link")).expect("made");
    fs::create_dir(here.join("leads-away")).expect("made");
    fs::write(here.join("leads-away/.git"), format!("gitdir: {}\n", outside.join("b/.git").display()))
        .expect("written");
    let away = tempfile::tempdir().expect("a directory");
    let report = away.path().join("findings.jsonl");
    let absolute = incident.outside("b");
    let asked = incident.mock.requests().len();
    for (name, why) in [
        ("../b", "outside of the directory"),
        ("plain/../../b", "outside of the directory"),
        (absolute.as_str(), "outside of the directory"),
        ("link", "outside of the directory"),
        ("leads-away", "outside of the directory"),
        ("plain", "no git repository"),
        ("plain/settings-0.env", "no git repository"),
        ("", "no git repository"),
        ("gone\u{1b}[2J", "not there"),
    ] {
        change_places(&incident, |place| place["repository"] = name.into());
        fs::copy(incident.outside("findings.jsonl"), &report).expect("copied");
        incident.write("findings.jsonl", &good);
        let run = incident.run_in(&here, &["revoke", "plan", &report.to_string_lossy()]).expect(2);
        assert!(run.stderr.contains(why) && !run.stderr.contains('\u{1b}'), "{name}: {run:?}");
    }
    assert_eq!(incident.mock.requests().len(), asked, "nothing was read, so nobody was asked");
    // Nor do paths lead out of a repository that was named.
    change_places(&incident, |place| {
        place["repository"] = "b".into();
        for path in ["/path", "/origin/path"] {
            if let Some(path) = place.pointer_mut(path) {
                *path = "../here/plain/settings-0.env".into();
            }
        }
        place["origin"] = serde_json::json!({ "kind": "file", "path": "../here/plain/settings-0.env" });
    });
    let run = plan_in(&incident, &outside, &[]).expect(0);
    assert!(run.stdout.contains("leads out of the scanned directory"), "{run:?}");
    assert_eq!(incident.mock.requests().len(), asked);
}

#[test]
fn no_repository_of_the_report_holds_the_operators_file() {
    let incident = shared();
    let outside = outside(&incident);
    scan_both(&incident, &["repo", "b"]);
    let plan = incident.outside("plan.json");
    plan_in(&incident, &outside, &[]).expect(0);
    fs::copy(outside.join("operator.toml"), outside.join("b/operator.toml")).expect("copied");
    let (findings, operator) = (incident.outside("findings.jsonl"), incident.outside("b/operator.toml"));
    for arguments in [["revoke", "plan", &findings], ["revoke", "apply", &plan], ["revoke", "verify", &plan]]
    {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--operator", &operator]);
        let run = incident.run_in(&outside, &arguments).expect(2);
        assert!(run.stderr.contains("scanned"), "{run:?}");
    }
}

/// More places than a plan has room for: those of the other repository are among them all the same.
#[test]
fn no_repository_is_crowded_out() {
    let incident = shared();
    let outside = outside(&incident);
    let line = fs::read(outside.join("b/settings-0.env")).expect("read");
    for number in 0..40 {
        incident.repo.write(format!("copy-{number}.env"), &line);
    }
    scan_both(&incident, &["repo", "b"]);
    let run = plan_in(&incident, &outside, &[]).expect(0);
    assert!(
        run.stdout.contains("in use at repo: copy-0.env") && run.stdout.contains("in use at b: "),
        "{run:?}"
    );
    assert!(run.stdout.contains("places more"), "{run:?}");
}
