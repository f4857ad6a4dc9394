//! When a secret came and went, over renames, merges and reverts.

use serde_json::Value;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::run;

use super::json;

/// The one finding of a scan of all history.
fn finding(repo: &GitRepo) -> Value {
    let report = json(&run(repo.path(), &["scan", "--history-only", "--format", "json"]).expect(1));
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(1), "{report:#}");
    report["findings"][0].clone()
}

fn key(seed: u64) -> String {
    format!("KEY={}\n", stripe_key(seed))
}

const DAY: u64 = 86_400;

/// Sets the date of the next commit, `day` days after the first.
fn on_day(repo: &GitRepo, day: u64) {
    repo.git(&["add", "--all"]);
    repo.set_clock(1_700_000_000 + day * DAY);
}

fn commit(repo: &GitRepo, day: u64, subject: &str) -> String {
    on_day(repo, day);
    repo.git(&["commit", "--quiet", "--allow-empty", "--message", subject]);
    repo.git(&["rev-parse", "HEAD"])
}

#[test]
fn a_move_neither_removes_nor_introduces() {
    let repo = GitRepo::new();
    repo.write("old.env", key(1));
    let came = commit(&repo, 0, "add");
    repo.git(&["mv", "old.env", "new.env"]);
    let moved = commit(&repo, 3, "move");
    let timeline = finding(&repo)["timeline"].clone();
    assert_eq!(timeline["introduced"]["id"], came);
    assert_eq!((&timeline["at_head"], &timeline["removed"]), (&Value::Bool(true), &Value::Null));
    assert_eq!((&timeline["exposed_days"], &timeline["last_seen"]["id"]), (&3.into(), &moved.into()));
    let text = run(repo.path(), &["scan", "--history-only"]).expect(1).stdout;
    assert!(text.contains("introduced in") && text.contains("still there at HEAD, 3 days"), "{text}");
    assert!(!text.contains("removed in"), "{text}");

    std::fs::remove_file(repo.path().join("new.env")).expect("it is there");
    let removed = commit(&repo, 10, "remove");
    let timeline = finding(&repo)["timeline"].clone();
    assert_eq!((&timeline["removed"]["id"], &timeline["exposed_days"]), (&removed.into(), &10.into()));
    let text = run(repo.path(), &["scan", "--history-only"]).expect(1).stdout;
    assert!(text.contains("it stood there 10 days"), "{text}");
}

#[test]
fn a_revert_brings_it_back_and_a_branch_keeps_it() {
    let repo = GitRepo::new();
    repo.write("a.txt", "x");
    commit(&repo, 0, "base");
    repo.write("x.env", key(1));
    let came = commit(&repo, 1, "add");
    repo.write("x.env", "KEY=\n");
    commit(&repo, 2, "remove");
    repo.write("x.env", key(1));
    commit(&repo, 5, "revert");
    let found = finding(&repo);
    assert_eq!(found["timeline"]["introduced"]["id"], came);
    assert_eq!(
        (&found["timeline"]["at_head"], &found["timeline"]["exposed_days"]),
        (&true.into(), &4.into())
    );
    assert_eq!(found["timeline"]["introduced"]["author"], "Test Author");
    assert_eq!(found["timeline"]["introduced"]["subject"], "add");
    repo.git(&["branch", "keeps-it"]);
    repo.write("x.env", "KEY=\n");
    let removed = commit(&repo, 8, "remove again");
    let timeline = finding(&repo)["timeline"].clone();
    assert_eq!((&timeline["at_head"], &timeline["removed"]["id"]), (&false.into(), &removed.into()));
    let refs = &timeline["reachable"]["refs"];
    assert_eq!(refs, &serde_json::json!(["refs/heads/keeps-it", "refs/heads/main"]));
}

#[test]
fn an_evil_merge_is_the_one_that_introduced_it() {
    let repo = GitRepo::new();
    repo.write("a.txt", "x");
    commit(&repo, 0, "base");
    repo.git(&["switch", "--quiet", "--create", "side"]);
    repo.write("s.txt", "s");
    commit(&repo, 1, "side");
    repo.git(&["switch", "--quiet", "main"]);
    repo.write("m.txt", "m");
    commit(&repo, 2, "main");
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    repo.write("evil.env", key(1));
    let merge = commit(&repo, 3, "merge side");
    let timeline = finding(&repo)["timeline"].clone();
    assert_eq!((&timeline["introduced"]["id"], &timeline["exposed_days"]), (&merge.into(), &0.into()));
}
