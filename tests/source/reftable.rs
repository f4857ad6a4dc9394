//! Repositories whose refs and reflogs are reftables.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use keycull::finding::{Attributor, Coverage, Reachability};
use keycull::source::git::attribution::Attribution;
use keycull::source::git::objects::ObjectOptions;
use keycull::source::git::{Head, Repository, history};

use super::recorder::Recorder;
use crate::support::git::GitRepo;

fn tables(options: &[&str]) -> GitRepo {
    GitRepo::with_options(&[&["--ref-format=reftable"], options].concat())
}

/// Runs `git update-ref --stdin`; every call leaves a table of its own.
fn update(repo: &GitRepo, commands: &str) {
    let mut child = repo
        .command()
        .env("GIT_TEST_REFTABLE_AUTOCOMPACTION", "false")
        .args(["update-ref", "--create-reflog", "-m", "moved by hand", "--stdin"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn history_of(path: &Path) -> (Coverage, Recorder) {
    let recorder = Recorder::default();
    let coverage =
        history::scan(&Repository::open(path).unwrap(), &ObjectOptions::default(), &recorder).unwrap();
    (coverage, recorder)
}

/// Names of all refs as git lists them.
fn listed(repo: &GitRepo) -> Vec<String> {
    let mut refs: Vec<String> =
        repo.git(&["for-each-ref", "--format=%(refname)"]).lines().map(ToOwned::to_owned).collect();
    refs.sort();
    refs
}

#[test]
fn refs_are_those_that_git_lists() {
    for options in [&[][..], &["--object-format=sha256"]] {
        let repo = tables(options);
        let id = repo.commit("one");
        // Enough for several blocks and an index, then newer tables that change and delete.
        let many: String = (0..1500).map(|at| format!("create refs/tags/many/{at:04} {id}\n")).collect();
        update(&repo, &many);
        let two = repo.commit("two");
        repo.git(&["tag", "-a", "-m", "annotated", "v1"]);
        repo.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"]);
        update(&repo, &format!("delete refs/tags/many/0007\nupdate refs/tags/many/0008 {two}\n"));
        update(&repo, &format!("create refs/notes/late {two}\n"));
        assert!(fs::read_dir(repo.path().join(".git/reftable")).unwrap().count() > 3);

        let (coverage, recorder) = history_of(repo.path());
        assert_eq!(recorder.paths("ref-name"), listed(&repo));
        assert_eq!((coverage.refs, coverage.gaps), (1503, vec![]));
        let opened = Repository::open(repo.path()).unwrap();
        assert_eq!(opened.head(), Head::Commit(two.parse().unwrap()));

        // The same in one table.
        repo.git(&["pack-refs", "--all"]);
        assert_eq!(history_of(repo.path()).1.paths("ref-name"), listed(&repo));
        assert_eq!(Repository::open(repo.path()).unwrap().head(), Head::Commit(two.parse().unwrap()));
    }
}

#[test]
fn heads_unborn_detached_and_of_worktrees() {
    let repo = tables(&[]);
    assert_eq!(Repository::open(repo.path()).unwrap().head(), Head::Unborn);
    let one = repo.commit("one");
    let tree = repo.outside().join("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &tree.to_string_lossy()]);
    repo.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    assert_eq!(Repository::open(repo.path()).unwrap().head(), Head::Unborn);
    assert_eq!(Repository::open(&tree).unwrap().head(), Head::Commit(one.parse().unwrap()));
    repo.git(&["checkout", "--quiet", "--detach", "main"]);
    assert_eq!(Repository::open(repo.path()).unwrap().head(), Head::Commit(one.parse().unwrap()));
}

#[test]
fn what_a_reftable_reaches_is_told() {
    let repo = tables(&[]);
    repo.write("a", "needle one").commit("one");
    repo.write("b", "needle two").commit("two");
    let blob = |path: &str| repo.git(&["rev-parse", &format!("HEAD:{path}")]).parse().unwrap();
    let (kept, lost) = (blob("a"), blob("b"));
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let opened = Repository::open(repo.path()).unwrap();
    let found = Attribution::new(&opened).attribute(&[kept, lost], &mut Coverage::default());
    let names = vec!["refs/heads/main".to_owned()];
    assert_eq!(found[&kept][0].timeline.reachable, Reachability::Refs { names, more: 0 });
    assert!(found[&kept][0].timeline.at_head);
    assert_eq!(found[&lost][0].timeline.reachable, Reachability::Reflog);
}

#[test]
fn damaged_tables_are_gaps_and_no_unborn_heads() {
    let repo = tables(&[]);
    let id = repo.commit("one");
    update(&repo, &(0..300).map(|at| format!("create refs/tags/{at} {id}\n")).collect::<String>());
    repo.git(&["pack-refs", "--all"]);
    let directory = repo.path().join(".git/reftable");
    let table = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let table = table.filter(|path| path.extension().is_some_and(|e| e == "ref")).max().unwrap();
    let good = fs::read(&table).unwrap();
    let whole = history_of(repo.path()).0.refs;
    let spread = (0..200).chain((200..good.len() - 80).step_by(97)).chain(good.len() - 80..good.len());
    let mut told = 0;
    for at in spread {
        for bad in [good[..at].to_vec(), {
            let mut flipped = good.clone();
            flipped[at] ^= 0x55;
            flipped
        }] {
            fs::write(&table, &bad).unwrap();
            let opened = Repository::open(repo.path()).unwrap();
            let recorder = Recorder::default();
            let coverage = history::scan(&opened, &ObjectOptions::default(), &recorder).unwrap();
            assert!(coverage.commits == 1, "objects are read whatever the refs are like");
            // NOTE: nothing but the end of a table has a checksum; a name in it can be any other.
            if bad.len() < good.len() {
                assert_ne!(opened.head(), Head::Unborn, "cut at {at}");
                assert!(!coverage.gaps.is_empty(), "cut at {at}");
            }
            told += u32::from(!coverage.gaps.is_empty());
            assert!(coverage.refs <= whole + 1);
        }
    }
    assert!(told > 300);
    fs::remove_file(&table).unwrap();
    let coverage = history_of(repo.path()).0;
    assert!(coverage.gaps.iter().any(|gap| gap.what.starts_with("reftable/")), "{:?}", coverage.gaps);
}
