//! `keycull ci`, in the environment of a pipeline.

use std::fs;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, command, run};

use super::{json, places};

/// A leak on `main` from before, one on `topic`, which is checked out.
fn repository() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("old.env", format!("KEY={}\n", stripe_key(1))).commit("start");
    repo.git(&["switch", "--quiet", "--create", "topic"]);
    repo.write("new.env", format!("KEY={}\n", stripe_key(2))).commit("leak");
    repo.git(&["rm", "--quiet", "new.env"]);
    repo.commit("take away");
    repo
}

fn with(repo: &GitRepo, variables: &[(&str, &str)], args: &[&str]) -> Run {
    let mut command = command(repo.path());
    command.envs(variables.iter().copied()).arg("ci").args(args);
    command.output().expect("the program starts").into()
}

/// The variables of GitHub Actions for `event`, described by `payload`.
fn github(repo: &GitRepo, event: &str, payload: &str) -> Vec<(&'static str, String)> {
    let file = repo.outside().join("event.json");
    fs::write(&file, payload).expect("a file");
    vec![
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_EVENT_NAME", event.to_owned()),
        ("GITHUB_EVENT_PATH", file.display().to_string()),
        ("GITHUB_STEP_SUMMARY", repo.outside().join("summary.md").display().to_string()),
    ]
}

fn on_github(repo: &GitRepo, event: &str, payload: &str, args: &[&str]) -> Run {
    let variables = github(repo, event, payload);
    let borrowed: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    with(repo, &borrowed, args)
}

fn request(base: &str, head: &str) -> String {
    format!(r#"{{"pull_request": {{"base": {{"sha": "{base}"}}, "head": {{"sha": "{head}"}}}}}}"#)
}

#[test]
fn a_pull_request_is_judged_by_what_it_adds() {
    let repo = repository();
    let (base, head) = (repo.git(&["rev-parse", "main"]), repo.git(&["rev-parse", "topic"]));
    let payload = request(&base, &head);
    let found = on_github(&repo, "pull_request", &payload, &["--format", "json"]).expect(1);
    assert_eq!(places(&found), ["new.env"]);
    let said = format!("GitHub Actions, pull_request: scanning {}..{}", &base[..12], &head[..12]);
    assert!(found.stderr.contains(&said), "{}", found.stderr);
    // Annotations and a summary, without being asked.
    let log = on_github(&repo, "pull_request", &payload, &["--quiet"]).expect(1);
    assert!(log.stdout.starts_with("::error ") && log.stderr.contains(&said), "{}{}", log.stdout, log.stderr);
    let summary = fs::read_to_string(repo.outside().join("summary.md")).expect("a summary");
    assert_eq!(summary.matches("## keycull").count(), 2, "{summary}");
    assert!(summary.contains("new.env") && !summary.contains(&stripe_key(2)));
    // What is asked for is scanned, and nothing else.
    let dry = on_github(&repo, "pull_request", &payload, &["--dry-run"]).expect(0);
    assert_eq!(dry.stdout, "");
    let clean = repo.git(&["rev-parse", "main"]);
    on_github(&repo, "pull_request", &request(&head, &clean), &[]).expect(0);
}

#[test]
fn a_schedule_is_about_everything() {
    let repo = repository();
    let found = on_github(&repo, "schedule", "{}", &["--format", "json"]).expect(1);
    assert_eq!(places(&found), ["new.env", "old.env"]);
    assert_eq!(json(&found)["coverage"]["scopes"].as_array().expect("scopes").len(), 2);
}

#[test]
fn what_cannot_be_told_is_never_green() {
    let repo = repository();
    let gone = "1234567890".repeat(4);
    let head = repo.git(&["rev-parse", "topic"]);
    for (base, tip) in [(&gone, &head), (&head, &gone)] {
        let run = on_github(&repo, "pull_request", &request(base, tip), &[]).expect(2);
        assert!(run.stderr.contains("`fetch-depth: 0`"), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("git fetch --no-tags origin {gone}")), "{}", run.stderr);
    }
    let unknown = with(&repo, &[], &[]).expect(2);
    assert!(unknown.stderr.contains("keycull ci --base origin/main"), "{}", unknown.stderr);
    on_github(&repo, "issue_comment", "{}", &[]).expect(2);
    on_github(&repo, "push", "not json", &[]).expect(2);
    // A branch that was not fetched.
    let azure = [
        ("TF_BUILD", "True"),
        ("BUILD_REASON", "PullRequest"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
        ("SYSTEM_PULLREQUEST_SOURCECOMMITID", head.as_str()),
    ];
    let run = with(&repo, &azure, &[]).expect(2);
    assert!(run.stderr.contains("+refs/heads/main:refs/remotes/origin/main"), "{}", run.stderr);
    repo.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    assert_eq!(places(&with(&repo, &azure, &["--format", "json"]).expect(1)), ["new.env"]);
    // Outside of a repository, even when all is known.
    let mut nowhere = command(&repo.outside());
    nowhere.envs(azure).arg("ci");
    Run::from(nowhere.output().expect("it starts")).expect(2);
}

#[test]
fn a_shallow_clone_is_incomplete_or_an_error() {
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n").commit("one");
    repo.write("b.txt", "nothing\n").commit("two");
    let (base, head) = (repo.git(&["rev-parse", "HEAD~1"]), repo.git(&["rev-parse", "HEAD"]));
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
    let shallow = repo.outside().join("shallow");
    let on = |event: &str, payload: &str| -> Run {
        let mut command = command(&shallow);
        command.envs(github(&repo, event, payload)).arg("ci");
        command.output().expect("it starts").into()
    };
    assert!(on("pull_request", &request(&base, &head)).expect(2).stderr.contains("fetch-depth"));
    on("schedule", "{}").expect(3);
}

#[test]
fn a_base_can_be_given() {
    let repo = repository();
    let found = with(&repo, &[], &["--base", "main", "--format", "json"]).expect(1);
    assert_eq!(places(&found), ["new.env"]);
    with(&repo, &[], &["--base", "topic", "--head", "main"]).expect(0);
    with(&repo, &[], &["--base", "nowhere"]).expect(2);
    assert_eq!(places(&with(&repo, &[], &["--full", "--format", "json"]).expect(1)), ["new.env", "old.env"]);
    with(&repo, &[], &["--full", "--base", "main"]).expect(2);
}

#[test]
fn a_change_cannot_silence_the_pipeline() {
    let repo = repository();
    repo.write("keycull.toml", "[[allow]]\nreason = \"x\"\npaths = [\"**\"]\n").commit("silence");
    let (base, head) = (repo.git(&["rev-parse", "main"]), repo.git(&["rev-parse", "topic"]));
    let found = on_github(&repo, "pull_request", &request(&base, &head), &["--format", "json"]).expect(1);
    assert_eq!(places(&found), ["new.env"]);
    // The page of the job names what does not count.
    let log = on_github(&repo, "pull_request", &request(&base, &head), &[]).expect(1);
    assert!(log.stdout.contains("keycull.toml:1 [[allow]]: not-in-force"), "{}", log.stdout);
    let summary = fs::read_to_string(repo.outside().join("summary.md")).expect("a summary");
    assert!(summary.contains("### Suppressions that do nothing\n\n* keycull.toml:1 "), "{summary}");
    on_github(&repo, "pull_request", &request(&base, &head), &["--config-from", "head"]).expect(0);
    let plain = run(repo.path(), &["scan"]).expect(0);
    assert!(plain.stdout.contains("allowed"), "{}", plain.stdout);
}
