//! `--range`, `--since`, `--since-date`, `--branch` and history limited to paths.

use std::fs;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, run};

use super::{json, places};

/// One key at the start, one that came and went on `topic`, which is checked out.
fn repository() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("old.env", format!("KEY={}\n", stripe_key(1))).write("app/a.txt", "x\n").commit("start");
    repo.git(&["switch", "--quiet", "--create", "topic"]);
    repo.write("app/new.env", format!("KEY={}\n", stripe_key(2))).commit("add");
    fs::remove_file(repo.path().join("app/new.env")).expect("it is there");
    repo.write("app/b.txt", "y\n").commit("remove");
    repo
}

fn scan(repo: &GitRepo, args: &[&str]) -> Run {
    let mut all = vec!["scan", "--format", "json"];
    all.extend(args);
    run(repo.path(), &all)
}

#[test]
fn a_range_is_what_its_commits_bring_in() {
    let repo = repository();
    for args in [
        &["--range", "main..topic"][..],
        &["--range", "main.."],
        &["--range", "main...topic"],
        &["--range", "HEAD~1^!"],
        &["--since", "main"],
        &["--range", "main..topic", "app"],
    ] {
        let found = scan(&repo, args).expect(1);
        assert_eq!(places(&found), ["app/new.env"], "{args:?}");
    }
    scan(&repo, &["--range", "HEAD~1..HEAD"]).expect(0);
    scan(&repo, &["--range", "topic..main"]).expect(0);
    scan(&repo, &["--range", "main..topic", "old.env"]).expect(0);
    let scopes = json(&scan(&repo, &["--range", "main..", "app"]))["coverage"]["scopes"].clone();
    assert_eq!(scopes[0], "range main.., limited to app");
}

#[test]
fn a_range_is_the_same_from_every_directory() {
    let repo = repository();
    let from = |directory: &str, args: &[&str]| {
        let mut all = vec!["scan", "--format", "json"];
        all.extend(args);
        run(&repo.path().join(directory), &all)
    };
    assert_eq!(places(&from("app", &["--branch", "topic"]).expect(1)), ["app/new.env", "old.env"]);
    assert_eq!(places(&from("app", &["--range", "main..", "."]).expect(1)), ["app/new.env"]);
    assert_eq!(places(&from("..", &["--branch", "topic", "repo"]).expect(1)), ["app/new.env", "old.env"]);
    assert_eq!(places(&from("..", &["--since", "main", "repo/.git"]).expect(1)), ["app/new.env"]);
    repo.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    assert_eq!(places(&from("..", &["--range", "main..topic", "bare.git"]).expect(1)), ["app/new.env"]);
    assert_eq!(places(&from("../bare.git", &["--range", "main..topic", "app"]).expect(1)), ["app/new.env"]);
}

#[test]
fn dates_choose_commits_of_head() {
    let repo = repository();
    assert_eq!(places(&scan(&repo, &["--since-date", "2020-01-01"]).expect(1)), ["app/new.env", "old.env"]);
    // The fixture's commits are of November 2023.
    scan(&repo, &["--since-date", "2024-01-01"]).expect(0);
    scan(&repo, &["--since-date", "1 week"]).expect(0);
    let wrong = scan(&repo, &["--since-date", "soon"]).expect(2);
    assert!(
        wrong.stderr.contains("`soon` is no date") && wrong.stderr.contains("2 weeks"),
        "{}",
        wrong.stderr
    );
    assert!(scan(&repo, &["--since-date", "2999-01-01"]).expect(2).stderr.contains("future"));
}

#[test]
fn history_can_be_limited_to_paths_and_to_what_refs_reach() {
    let repo = repository();
    assert_eq!(places(&scan(&repo, &["--history-only", "app"]).expect(1)), ["app/new.env"]);
    let wrong = scan(&repo, &["--history-only", "typo"]).expect(2);
    assert!(wrong.stderr.contains("`typo`"), "{}", wrong.stderr);
    repo.write("lost.env", format!("KEY={}\n", stripe_key(3))).commit("lost");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let all = ["app/new.env", "lost.env", "old.env"];
    assert_eq!(places(&scan(&repo, &[]).expect(1)), all);
    assert_eq!(places(&scan(&repo, &["--history-only", "lost.env"]).expect(1)), ["lost.env"]);
    let reachable = ["app/new.env", "old.env"];
    assert_eq!(places(&scan(&repo, &["--reachable"]).expect(1)), reachable);
    assert_eq!(places(&scan(&repo, &["--reachable", "--history-only"]).expect(1)), reachable);
}

#[test]
fn excluded_paths_of_a_range_are_counted() {
    let repo = repository();
    let found = scan(&repo, &["--range", "main..", "--exclude", "*.env"]).expect(0);
    assert_eq!(json(&found)["coverage"]["skipped"]["excluded"], 1, "{}", found.stdout);
}

#[test]
fn bad_ranges_are_errors_with_a_next_step() {
    let repo = repository();
    for (args, words) in [
        (&["--range", "main"][..], &["not a range", "main..HEAD"][..]),
        (&["--range", "nope..HEAD"], &["`nope`", "git branch --all"]),
        (&["--since", "nope"], &["`nope`"]),
        (&["--branch", "nope"], &["`nope`", "no such branch"]),
        (&["--range", "main..", "--staged"], &["cannot be used with"]),
        (&["--range", "main..", "--since", "main"], &["cannot be used with"]),
        (&["--range", "main..", "-"], &["stands alone"]),
        (&["--range", "main..", "typo"], &["`typo`"]),
        (&["--range", "main..", "/"], &["no git repository"]),
    ] {
        let wrong = scan(&repo, args).expect(2);
        words.iter().for_each(|word| assert!(wrong.stderr.contains(word), "{args:?}: {}", wrong.stderr));
        assert!(wrong.stdout.is_empty());
    }
    let outside = repo.outside().join("plain");
    fs::create_dir(&outside).expect("a directory");
    let wrong = run(&outside, &["scan", "--range", "a..b"]).expect(2);
    assert!(wrong.stderr.contains("not inside a git repository"), "{}", wrong.stderr);
}

#[test]
fn a_range_that_a_shallow_clone_cuts_is_incomplete_unless_accepted() {
    let repo = GitRepo::new();
    for number in 0..4 {
        repo.write("a.txt", format!("{number}")).commit("m");
    }
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--depth=2", &url, "../shallow"]);
    let shallow = repo.outside().join("shallow");
    run(&shallow, &["scan", "--range", "HEAD~1..HEAD"]).expect(0);
    let cut = run(&shallow, &["scan", "--branch", "main"]).expect(3);
    assert!(format!("{}{}", cut.stdout, cut.stderr).contains("git fetch --unshallow"), "{cut:?}");
    run(&shallow, &["scan", "--branch", "main", "--accept-incomplete", "shallow"]).expect(0);
    let wrong = run(&shallow, &["scan", "--range", "HEAD~3..HEAD"]).expect(2);
    assert!(wrong.stderr.contains("git fetch --deepen"), "{}", wrong.stderr);
}
