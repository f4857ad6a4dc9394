//! What a PATH stands for.

use std::fs;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{run, run_with_input};
use crate::support::witness;

use super::{json, places};

/// A repository with one key in a file, and one in the history only.
fn repository() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("old.env", format!("KEY={}\n", stripe_key(1))).commit("add old");
    fs::remove_file(repo.path().join("old.env")).expect("the file is there");
    repo.write("app/new.env", format!("KEY={}\n", stripe_key(2)))
        .write("app/plain.txt", "nothing\n")
        .commit("move on");
    repo
}

fn findings(directory: &std::path::Path, args: &[&str]) -> usize {
    let mut all = vec!["scan", "--format", "json"];
    all.extend(args);
    let run = run(directory, &all);
    json(&run)["findings"].as_array().expect("findings").len()
}

#[test]
fn without_a_path_the_whole_repository_is_scanned_from_anywhere_in_it() {
    let repo = repository();
    for directory in [repo.path().to_owned(), repo.path().join("app")] {
        assert_eq!(findings(&directory, &[]), 2);
        assert_eq!(findings(&directory, &["--no-history"]), 1);
        assert_eq!(findings(&directory, &["--history-only"]), 2);
    }
}

#[test]
fn roots_git_directories_worktrees_and_bare_repositories_are_repositories() {
    let repo = repository();
    let outside = repo.outside();
    repo.git(&["worktree", "add", "--quiet", "../linked", "-b", "side"]);
    repo.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    for name in ["repo", "repo/.git", "linked", "bare.git"] {
        assert_eq!(findings(&outside, &[name]), 2, "{name}");
    }
    let run = run(&outside, &["scan", "bare.git", "--no-history"]).expect(2);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let inner = repository();
    let outer = GitRepo::new();
    outer.write("a.txt", "nothing\n").commit("start");
    let url = inner.path().to_str().expect("UTF-8").to_owned();
    outer.git(&["submodule", "--quiet", "add", &url, "sub"]);
    outer.commit("add a submodule");
    assert_eq!(findings(outer.path(), &[]), 0, "the submodule is not part of the outer repository");
    assert_eq!(findings(outer.path(), &["sub"]), 2);
}

#[test]
fn a_sub_directory_and_a_file_are_just_that() {
    let repo = repository();
    let run = run(repo.path(), &["scan", "app", "--format", "json"]).expect(1);
    assert_eq!(places(&run), ["app/new.env"], "paths count from the root of the repository");
    assert_eq!(findings(repo.path(), &["app/plain.txt"]), 0);
    assert_eq!(findings(repo.path(), &["app/plain.txt", "app/new.env"]), 1);
    assert_eq!(findings(&repo.path().join("app"), &["new.env"]), 1);
    assert_eq!(findings(&repo.path().join("app"), &["."]), 1);
}

#[test]
fn a_plain_directory_is_files_only_and_names_the_repositories_in_it() {
    let repo = repository();
    let outside = repo.outside();
    witness::planted(&outside.join("loose.env"));
    fs::write(outside.join("loose.env"), format!("KEY={}\n", stripe_key(3))).expect("a file");
    let run = run(&outside, &["scan", ".", "--format", "json"]).expect(1);
    assert_eq!(places(&run), ["loose.env"]);
    let report = json(&run);
    assert_eq!(report["coverage"]["nested_repositories"].to_string(), "[\"repo\"]", "{}", report["coverage"]);
}

#[test]
fn outside_a_repository_nothing_is_guessed() {
    let empty = tempfile::tempdir().expect("a directory");
    let run = run(empty.path(), &["scan"]).expect(2);
    assert!(run.stdout.is_empty());
    assert!(run.stderr.contains("keycull scan ."), "{}", run.stderr);
}

#[test]
fn staged_scans_the_index_and_honours_limits() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)))
        .write("sub/b.env", format!("KEY={}\n", stripe_key(2)));
    assert_eq!(findings(repo.path(), &["--staged"]), 0, "nothing is staged yet");
    repo.git(&["add", "."]);
    // The working tree no longer matters.
    fs::remove_file(repo.path().join("a.env")).expect("the file is there");
    assert_eq!(findings(repo.path(), &["--staged"]), 2);
    assert_eq!(findings(&repo.path().join("sub"), &["--staged"]), 2, "from a sub-directory, too");
    assert_eq!(findings(repo.path(), &["--staged", "a.env"]), 1, "even a deleted file can be named");
    assert_eq!(findings(&repo.path().join("sub"), &["--staged", "b.env"]), 1);
    assert_eq!(findings(&repo.outside(), &["--staged", "repo"]), 2, "from outside");
    let run = run(repo.path(), &["scan", "--staged", "no-such-file"]).expect(2);
    assert!(run.stderr.contains("no-such-file"), "{}", run.stderr);
}

#[test]
fn a_secret_that_head_has_already_is_not_staged() {
    let repo = repository();
    let old = fs::read_to_string(repo.path().join("app/new.env")).expect("the file");
    repo.write("app/new.env", format!("# a comment\n{old}"));
    repo.git(&["add", "."]);
    run(repo.path(), &["scan", "--staged"]).expect(0);
    repo.write("app/new.env", format!("{old}OTHER={}\n", stripe_key(9)));
    repo.git(&["add", "."]);
    assert_eq!(findings(repo.path(), &["--staged"]), 1);
}

#[test]
fn standard_input_has_a_name_of_your_choice() {
    let here = tempfile::tempdir().expect("a directory");
    let text = format!("KEY={}\n", stripe_key(4));
    let run = run_with_input(
        here.path(),
        &["scan", "-", "--stdin-name", "app.env", "--format", "json"],
        text.as_bytes(),
    );
    assert_eq!(places(&run.expect(1)), ["app.env"]);
    run_with_input(here.path(), &["scan", "-"], b"nothing to see\n").expect(0);
}

#[test]
fn paths_that_do_not_go_together_are_refused() {
    let repo = repository();
    let other = repository();
    let elsewhere = other.path().join("app").to_str().expect("UTF-8").to_owned();
    for args in [
        &["scan", "-", "app"][..],
        &["scan", "-", "--staged"],
        &["scan", ".", "app"],
        &["scan", "app", &elsewhere],
        &["scan", "app", &elsewhere, "--history-only"],
        &["scan", "--stdin-name", "x"],
        &["scan", "--no-history", "--history-only"],
    ] {
        let run = run(repo.path(), args).expect(2);
        assert!(run.stderr.starts_with("error: "), "{args:?}: {}", run.stderr);
    }
}
