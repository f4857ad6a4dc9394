//! Places where tools that read the text of diffs do not look. Each case is a row of the
//! comparison in the README.

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::run;

#[track_caller]
fn found(repo: &GitRepo, args: &[&str]) {
    let mut all = vec!["scan", "--format", "json"];
    all.extend(args);
    let run = run(repo.path(), &all).expect(1);
    assert!(run.stdout.contains("stripe-secret-key"), "{}", run.stdout);
}

fn leak() -> String {
    format!("KEY={}\n", stripe_key(1))
}

/// A clean first commit, so that what follows is not the root.
fn started() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("readme.txt", "nothing\n").commit("start");
    repo
}

#[test]
fn attributes_and_filters_hide_nothing() {
    for attribute in ["-diff", "binary", "diff=blank", "filter=blank", "export-ignore", "-text"] {
        let repo = started();
        repo.git(&["config", "diff.blank.textconv", "true"]);
        repo.write(".gitattributes", format!("*.txt {attribute}\n")).write("a.txt", leak());
        repo.git(&["add", "."]);
        found(&repo, &["--staged"]);
        repo.commit("leak");
        found(&repo, &["--history-only"]);
    }
}

#[test]
fn configuration_hides_nothing() {
    for (key, value) in [
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.external", "true"),
        ("core.quotePath", "true"),
    ] {
        let repo = started();
        repo.git(&["config", key, value]);
        repo.write("a ü.txt", leak());
        repo.git(&["add", "."]);
        found(&repo, &["--staged"]);
        repo.commit("leak");
        found(&repo, &["--history-only"]);
    }
}

#[test]
fn utf16_is_read() {
    let repo = started();
    let bytes: Vec<u8> =
        "\u{feff}".encode_utf16().chain(leak().encode_utf16()).flat_map(u16::to_le_bytes).collect();
    repo.write("a.txt", bytes);
    repo.git(&["add", "."]);
    found(&repo, &["--staged"]);
    found(&repo, &["--no-history"]);
    repo.commit("leak");
    found(&repo, &["--history-only"]);
}

#[test]
fn merge_commits_are_read() {
    let repo = started();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("side.txt", "nothing\n").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    // Only the merge itself brings it; the next commit takes it away again.
    repo.write("evil.txt", leak()).commit("merge");
    repo.git(&["rm", "--quiet", "evil.txt"]);
    repo.commit("clean up");
    found(&repo, &[]);
}

#[test]
fn messages_of_commits_and_tags_are_read() {
    let repo = started();
    repo.commit(&format!("deploy with {}", leak()));
    found(&repo, &[]);
    let repo = started();
    repo.git(&["tag", "--annotate", "v1", "--message", &format!("deploy with {}", leak())]);
    found(&repo, &[]);
}

#[test]
fn what_no_branch_reaches_is_read() {
    let repo = started();
    repo.write("a.txt", leak()).commit("leak");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    found(&repo, &[]);
    let repo = started();
    repo.write("a.txt", leak());
    repo.git(&["stash", "--include-untracked", "--quiet"]);
    found(&repo, &[]);
}

#[test]
fn the_first_commit_and_sub_directories_are_read() {
    let repo = GitRepo::new();
    repo.write("a.txt", leak()).write("sub/b.txt", "nothing\n");
    repo.git(&["add", "."]);
    found(&repo, &["--staged"]);
    let sub = repo.path().join("sub");
    run(&sub, &["scan", "--staged"]).expect(1);
}

#[test]
fn a_shallow_clone_is_never_a_clean_history() {
    let repo = started();
    repo.write("a.txt", leak()).commit("leak");
    repo.git(&["rm", "--quiet", "a.txt"]);
    repo.commit("clean up");
    let origin = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--depth", "1", &origin, "../shallow"]);
    let shallow = repo.outside().join("shallow");
    run(&shallow, &["scan"]).expect(3);
    run(&shallow, &["scan", "--accept-incomplete", "shallow"]).expect(0);
    run(&shallow, &["scan", "--no-history"]).expect(0);
    run(&shallow, &["scan", "--staged"]).expect(0);
}
