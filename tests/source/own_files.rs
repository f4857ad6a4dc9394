//! What a git directory holds besides objects, and objects that the environment names.
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::fs;

use keycull::finding::Coverage;
use keycull::source::git::objects::ObjectOptions;
use keycull::source::git::{Repository, history, objects};

use super::recorder::Recorder;
use crate::support::git::GitRepo;

fn scanned(repository: &Repository) -> (Coverage, Recorder) {
    let recorder = Recorder::default();
    let coverage = history::scan(repository, &ObjectOptions::default(), &recorder).unwrap();
    (coverage, recorder)
}

/// Paths of git's own files in which something was found.
fn found(repo: &GitRepo) -> Vec<String> {
    let (coverage, recorder) = scanned(&Repository::open(repo.path()).unwrap());
    assert_eq!(coverage.gaps, vec![]);
    let chunks = recorder.chunks();
    let hits = chunks.iter().filter(|seen| seen.bytes.windows(6).any(|window| window == b"needle"));
    hits.filter(|seen| seen.origin.kind() == "git-file").map(|seen| seen.origin.to_string()).collect()
}

#[test]
fn configuration_hooks_and_leftovers_are_scanned() {
    let repo = GitRepo::new();
    repo.write("a", "x").commit("one");
    let git_dir = repo.path().join(".git");
    repo.git(&["worktree", "add", "--quiet", &repo.outside().join("linked").to_string_lossy()]);
    let files = [
        "FETCH_HEAD",
        "MERGE_MSG",
        "config",
        "config.worktree",
        "credentials",
        "hooks/post-commit",
        "info/sparse-checkout",
        "modules/deep/name/config",
        "modules/lib/FETCH_HEAD",
        "modules/lib/modules/inner/config",
        "rebase-apply/0001",
        "worktrees/linked/config.worktree",
    ];
    for module in ["modules/lib", "modules/lib/modules/inner", "modules/deep/name"] {
        fs::create_dir_all(git_dir.join(module)).unwrap();
        fs::write(git_dir.join(module).join("HEAD"), "ref: refs/heads/main\n").unwrap();
    }
    for directory in ["hooks", "rebase-apply", "info"] {
        fs::create_dir_all(git_dir.join(directory)).unwrap();
    }
    for file in files {
        let before = fs::read_to_string(git_dir.join(file)).unwrap_or_default();
        fs::write(git_dir.join(file), format!("{before}# needle\n")).unwrap();
    }
    for not_read in ["hooks/pre-push.sample", "index.lock", "COMMIT_EDITMSG"] {
        fs::write(git_dir.join(not_read), "needle").unwrap();
    }
    assert_eq!(found(&repo), files);
}

/// The first line of a commit is not told twice, but a move that is all that is left of it is.
#[test]
fn reflogs_are_scanned_for_what_commits_do_not_say() {
    for options in [&[][..], &["--ref-format=reftable"]] {
        let repo = GitRepo::with_options(options);
        repo.commit("one");
        let lost = repo.commit("a needle in the subject");
        assert_eq!(found(&repo), Vec::<String>::new());
        repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        repo.git(&["update-ref", "--create-reflog", "-m", "needle", "refs/heads/side", "HEAD"]);
        assert_eq!(found(&repo), ["logs/refs/heads/side"]);
        let (fan, rest) = lost.split_at(2);
        fs::remove_file(repo.path().join(".git/objects").join(fan).join(rest)).unwrap();
        let hits = found_with_gaps(&repo);
        assert_eq!(hits, ["logs/HEAD", "logs/refs/heads/main", "logs/refs/heads/side"]);
    }
}

fn found_with_gaps(repo: &GitRepo) -> Vec<String> {
    let (_, recorder) = scanned(&Repository::open(repo.path()).unwrap());
    let chunks = recorder.chunks();
    let hits = chunks.iter().filter(|seen| seen.bytes.windows(6).any(|window| window == b"needle"));
    hits.filter(|seen| seen.origin.kind() == "git-file").map(|seen| seen.origin.to_string()).collect()
}

/// What a pre-receive hook sees: new objects in a quarantine, the old ones in the repository.
#[test]
fn a_quarantine_is_read_with_what_it_builds_on() {
    let repo = GitRepo::new();
    repo.write("a", "old needle").commit("one");
    let incoming = repo.outside().join("incoming");
    fs::create_dir_all(incoming.join("pack")).unwrap();
    let objects = repo.path().join(".git/objects");
    fs::write(repo.outside().join("b"), "new needle").unwrap();
    let output = repo
        .command()
        .args(["hash-object", "-w", "../b"])
        .env("GIT_OBJECT_DIRECTORY", &incoming)
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects)
        .output()
        .unwrap();
    assert!(output.status.success());

    let variable = |name: &str| -> Option<OsString> {
        match name {
            "GIT_OBJECT_DIRECTORY" => Some("../incoming".into()),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES" => Some(objects.clone().into()),
            _ => None,
        }
    };
    let plain = Repository::from_variables(repo.path(), |_| None).unwrap();
    assert_eq!(scanned(&plain).0.blobs, 1);
    let quarantined = Repository::from_variables(repo.path(), variable).unwrap();
    let (coverage, recorder) = scanned(&quarantined);
    assert_eq!((coverage.blobs, coverage.commits, coverage.gaps), (2, 1, vec![]));
    let slow = Recorder::default();
    objects::scan(&quarantined, &ObjectOptions::default(), &slow).unwrap();
    assert_eq!(recorder.chunks(), slow.chunks());
}
