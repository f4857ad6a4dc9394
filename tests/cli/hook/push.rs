//! `pre-push`: exactly what the remote does not have.

use super::*;

/// A repository with the hooks in place and a remote that has its first commit.
fn with_remote() -> GitRepo {
    let repo = started();
    git(&repo.outside(), &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]).expect(0);
    git(repo.path(), &["remote", "add", "origin", "../remote.git"]).expect(0);
    git(repo.path(), &["push", "--quiet", "-u", "origin", "main"]).expect(0);
    keycull(repo.path(), &["hook", "install", "--hook", "pre-push"]).expect(0);
    repo
}

fn push(repo: &GitRepo, args: &[&str]) -> Run {
    let mut all = vec!["push", "--quiet", "origin"];
    all.extend(args);
    git(repo.path(), &all)
}

#[test]
fn what_is_pushed_is_scanned_and_nothing_else() {
    let repo = with_remote();
    repo.write("a.env", leak(1)).commit("leak");
    let run = push(&repo, &["main"]);
    stopped(&run, "a.env", &[1]);
    for next in ["git rebase -i ", "rotate it", "git push --no-verify"] {
        assert!(run.stderr.contains(next), "{}", run.stderr);
    }
    // Taking it away again does not help: the history would be pushed.
    repo.git(&["rm", "--quiet", "a.env"]);
    repo.commit("take away");
    stopped(&push(&repo, &["main"]), "a.env", &[1]);
    // Once the remote has it, it is not new any more.
    push(&repo, &["--no-verify", "main"]).expect(0);
    repo.write("b.txt", "nothing\n").commit("clean");
    let clean = push(&repo, &["main"]).expect(0);
    assert_eq!(clean.stdout + &clean.stderr, "", "a clean push is silent");
    // Other branches that are not pushed do not matter, nor does the working tree.
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    repo.write("c.env", leak(2)).commit("leak");
    repo.write("d.env", leak(3));
    repo.git(&["add", "."]);
    repo.git(&["tag", "here", "main"]);
    push(&repo, &["main", "here"]).expect(0);
}

#[test]
fn every_kind_of_ref_is_scanned() {
    let repo = with_remote();
    // A new branch, by name, by HEAD, by object name, and to another place.
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    let tip = repo.write("a.env", leak(1)).commit("leak");
    for spec in
        ["topic", "HEAD", "HEAD:refs/heads/else", &format!("{tip}:refs/heads/x"), "topic:refs/for/main"]
    {
        stopped(&push(&repo, &[spec]), "a.env", &[1]);
    }
    stopped(&push(&repo, &["--all"]), "a.env", &[1]);
    stopped(&push(&repo, &["--force", "main", "topic"]), "a.env", &[1]);
    stopped(&push(&repo, &["topic", "main"]), "a.env", &[1]);
    // A light tag, and an annotated one whose message holds it.
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["tag", "light", "topic"]);
    stopped(&push(&repo, &["light"]), "a.env", &[1]);
    repo.git(&["tag", "--annotate", "--message", &leak(2), "v1", "main"]);
    stopped(&push(&repo, &["v1"]), "stripe-secret-key", &[2]);
    stopped(&push(&repo, &["--tags"]), "stripe-secret-key", &[1, 2]);
    // The message of a commit, notes, and refs of somebody's own.
    repo.git(&["commit", "--quiet", "--allow-empty", "--message", &leak(3)]);
    stopped(&push(&repo, &["main"]), "stripe-secret-key", &[3]);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.git(&["notes", "add", "--message", &leak(4), "main"]);
    stopped(&push(&repo, &["refs/notes/commits"]), "stripe-secret-key", &[4]);
    // A blob and a tree that no commit holds.
    repo.write("loose.env", leak(5));
    let blob = repo.git(&["hash-object", "-w", "loose.env"]);
    repo.git(&["update-ref", "refs/odd/blob", &blob]);
    stopped(&push(&repo, &["refs/odd/blob"]), "stripe-secret-key", &[5]);
    // A merge that brings something of its own.
    repo.git(&["checkout", "--quiet", "-b", "clean", "main"]);
    repo.write("clean.txt", "nothing\n").commit("clean");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "clean"]);
    repo.write("evil.env", leak(6)).commit("merge");
    stopped(&push(&repo, &["main"]), "evil.env", &[6]);
}

#[test]
fn what_hooks_of_commits_do_not_see_is_seen_here() {
    let repo = with_remote();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    let leaking = repo.write("a.env", leak(1)).commit("leak");
    repo.git(&["checkout", "--quiet", "main"]);
    // Git runs no pre-commit hook for these.
    for how in [
        &["cherry-pick", &leaking][..],
        &["merge", "--ff-only", "side"],
        &["rebase", "side"],
        &["revert", "--no-edit", "HEAD"],
    ] {
        git(repo.path(), how).expect(0);
        if how[0] != "revert" {
            stopped(&push(&repo, &["main"]), "a.env", &[1]);
            git(repo.path(), &["reset", "--quiet", "--hard", "origin/main"]).expect(0);
        }
        git(repo.path(), &["merge", "--quiet", "--ff-only", "side"]);
    }
    git(repo.path(), &["reset", "--quiet", "--hard", "origin/main"]).expect(0);
    let patch = repo.outside().join("leak.patch");
    crate::support::witness::planted(&patch);
    fs::write(&patch, repo.git(&["format-patch", "--stdout", "-1", &leaking]) + "\n").expect("a patch");
    git(repo.path(), &["am", "--quiet", &patch.display().to_string()]).expect(0);
    stopped(&push(&repo, &["main"]), "a.env", &[1]);
    git(repo.path(), &["reset", "--quiet", "--hard", "origin/main"]).expect(0);
    // Nor for those who ask it not to.
    staged(&repo, "b.env", leak(2));
    git(repo.path(), &["commit", "--no-verify", "-m", "leak"]).expect(0);
    stopped(&push(&repo, &["main"]), "b.env", &[2]);
}

#[test]
fn deletions_rewinds_and_unknown_remotes() {
    let repo = with_remote();
    push(&repo, &["main:refs/heads/old"]).expect(0);
    push(&repo, &["--delete", "old"]).expect(0);
    // A rewind gives the remote nothing new.
    repo.write("a.txt", "nothing\n").commit("clean");
    push(&repo, &["main"]).expect(0);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    push(&repo, &["--force", "main"]).expect(0);
    // Somebody else pushed what is not here.
    git(&repo.outside(), &["clone", "--quiet", "remote.git", "other"]).expect(0);
    let other = repo.outside().join("other");
    fs::write(other.join("b.txt"), "nothing\n").expect("a file");
    git(&other, &["add", "."]).expect(0);
    git(&other, &["commit", "--quiet", "-m", "theirs"]).expect(0);
    git(&other, &["push", "--quiet"]).expect(0);
    repo.write("c.env", leak(1)).commit("leak");
    stopped(&push(&repo, &["--force", "main"]), "c.env", &[1]);
    // A second remote has nothing of what the first one has.
    push(&repo, &["--no-verify", "--force", "main"]).expect(0);
    git(&repo.outside(), &["init", "--quiet", "--bare", "second.git"]).expect(0);
    git(repo.path(), &["remote", "add", "second", "../second.git"]).expect(0);
    stopped(&git(repo.path(), &["push", "second", "main"]), "c.env", &[1]);
    stopped(&git(repo.path(), &["push", "../second.git", "main"]), "c.env", &[1]);
    push(&repo, &["main"]).expect(0);
}

#[test]
fn a_push_out_of_a_shallow_clone_and_a_worktree() {
    let repo = with_remote();
    repo.write("a.txt", "nothing\n").commit("second");
    push(&repo, &["main"]).expect(0);
    let origin = format!("file://{}", repo.outside().join("remote.git").display());
    git(&repo.outside(), &["clone", "--quiet", "--depth=1", &origin, "shallow"]).expect(0);
    let shallow = repo.outside().join("shallow");
    keycull(&shallow, &["hook", "install"]).expect(0);
    fs::write(shallow.join("b.txt"), "nothing\n").expect("a file");
    git(&shallow, &["add", "."]).expect(0);
    git(&shallow, &["commit", "--quiet", "-m", "clean"]).expect(0);
    git(&shallow, &["push", "--quiet"]).expect(0);
    fs::write(shallow.join("c.env"), leak(1)).expect("a file");
    git(&shallow, &["add", "."]).expect(0);
    git(&shallow, &["commit", "--quiet", "--no-verify", "-m", "leak"]).expect(0);
    stopped(&git(&shallow, &["push", "--quiet"]), "c.env", &[1]);

    repo.git(&["fetch", "--quiet"]);
    repo.git(&["worktree", "add", "--quiet", "-b", "linked", "../linked"]);
    let linked = repo.outside().join("linked");
    fs::write(linked.join("d.env"), leak(2)).expect("a file");
    git(&linked, &["add", "."]).expect(0);
    git(&linked, &["commit", "--quiet", "-m", "leak"]).expect(0);
    stopped(&git(&linked, &["push", "origin", "linked"]), "d.env", &[2]);
}

#[test]
fn nothing_is_new_in_an_empty_push() {
    let repo = with_remote();
    push(&repo, &["main"]).expect(0);
    keycull(repo.path(), &["hook", "run", "pre-push", "origin", "x"]).expect(0);
}
