//! When and where history held a blob.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use keycull::finding::{Attributor, Coverage, Oid, Placement, Reachability};
use keycull::source::git::Repository;
use keycull::source::git::attribution::Attribution;

use crate::support::git::GitRepo;

fn attribute(repo: &GitRepo, blobs: &[Oid]) -> HashMap<Oid, Vec<Placement>> {
    let opened = Repository::open(repo.path()).expect("git made it");
    let mut coverage = Coverage::default();
    let placements = Attribution::new(&opened).attribute(blobs, &mut coverage);
    assert!(coverage.is_complete(), "{:?}", coverage.gaps);
    placements
}

/// Name of the blob that `content` is, whether it was ever committed or not.
fn blob(repo: &GitRepo, content: &str) -> Oid {
    let file = repo.outside().join("content");
    std::fs::write(&file, content).expect("a file");
    repo.git(&["hash-object", "--no-filters", &file.to_string_lossy()]).parse().expect("a name")
}

/// The one placement of `content`.
fn only(repo: &GitRepo, content: &str) -> Placement {
    let id = blob(repo, content);
    let mut placements = attribute(repo, &[id]).remove(&id).expect("it is in history");
    assert_eq!(placements.len(), 1, "{placements:?}");
    placements.remove(0)
}

fn names(reachable: &Reachability) -> Vec<&str> {
    match reachable {
        Reachability::Refs { names, .. } => names.iter().map(String::as_str).collect(),
        Reachability::Reflog | Reachability::Unreachable | Reachability::Unknown => Vec::new(),
    }
}

/// Names of the commits that brought it in, had it last, and removed it.
fn commits(placement: &Placement) -> [Option<String>; 3] {
    let timeline = &placement.timeline;
    [&timeline.introduced, &timeline.last_seen, &timeline.removed]
        .map(|commit| commit.as_ref().map(|commit| commit.id.to_string()))
}

#[test]
fn a_secret_that_came_and_went() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("first");
    let came = repo.write("deep/er/key.txt", "needle").commit("add key\n\nlong story");
    let last = repo.write("a.txt", "b").commit("other work");
    let went = repo.write("deep/er/key.txt", "clean").commit("remove key");
    repo.write("a.txt", "c").commit("later");
    let placement = only(&repo, "needle");
    assert_eq!(placement.path.to_string(), "deep/er/key.txt");
    assert_eq!(commits(&placement), [Some(came), Some(last), Some(went)]);
    assert!(!placement.timeline.at_head);
    assert_eq!(names(&placement.timeline.reachable), ["refs/heads/main"]);
    let introduced = placement.timeline.introduced.expect("checked above");
    assert_eq!((introduced.author.as_str(), introduced.subject.as_str()), ("Test Author", "add key"));
    let date: i64 = repo.git(&["log", "-1", "--format=%at", &introduced.id.to_string()]).parse().unwrap();
    assert_eq!(introduced.date, date);
}

#[test]
fn a_reverted_removal_is_at_head_and_not_removed() {
    let repo = GitRepo::new();
    let came = repo.write("key.txt", "needle").commit("add");
    repo.write("key.txt", "clean").commit("remove");
    let back = repo.write("key.txt", "needle").commit("revert");
    let placement = only(&repo, "needle");
    assert_eq!(commits(&placement), [Some(came), Some(back), None]);
    assert!(placement.timeline.at_head);
}

#[test]
fn a_rename_is_a_second_placement() {
    let repo = GitRepo::new();
    let came = repo.write("old/key.txt", "needle").commit("add");
    repo.git(&["mv", "old", "new"]);
    let moved = repo.commit("move the directory");
    let id = blob(&repo, "needle");
    let placements = attribute(&repo, &[id]).remove(&id).unwrap();
    let paths: Vec<String> = placements.iter().map(|placement| placement.path.to_string()).collect();
    assert_eq!(paths, ["new/key.txt", "old/key.txt"]);
    assert_eq!(commits(&placements[0]), [Some(moved.clone()), Some(moved.clone()), None]);
    assert_eq!(commits(&placements[1]), [Some(came.clone()), Some(came), Some(moved)]);
}

#[test]
fn merges_bring_in_keep_and_drop() {
    let repo = GitRepo::new();
    repo.write("base.txt", "x").commit("base");
    repo.git(&["switch", "--quiet", "--create", "side"]);
    let side = repo.write("dir/side.txt", "side needle").commit("side");
    repo.git(&["switch", "--quiet", "main"]);
    let main = repo.write("dir/main.txt", "main needle").commit("main");
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    std::fs::remove_file(repo.path().join("dir/main.txt")).unwrap();
    let merge = repo.write("dir/evil.txt", "evil needle").commit("evil merge");

    let kept = only(&repo, "side needle");
    assert_eq!(commits(&kept), [Some(side), Some(merge.clone()), None]);
    assert_eq!(names(&kept.timeline.reachable), ["refs/heads/main", "refs/heads/side"]);
    let evil = only(&repo, "evil needle");
    assert_eq!(commits(&evil), [Some(merge.clone()), Some(merge.clone()), None]);
    let dropped = only(&repo, "main needle");
    assert_eq!(commits(&dropped), [Some(main.clone()), Some(main), Some(merge)]);
    assert_eq!(names(&dropped.timeline.reachable), ["refs/heads/main"]);
}

#[test]
fn a_clock_that_goes_wrong_does_not_change_the_order() {
    let repo = GitRepo::new();
    repo.write("a.txt", "x").commit("base");
    let came = repo.write("key.txt", "needle").commit("add");
    repo.set_clock(1_000_000_000);
    let last = repo.write("a.txt", "y").commit("made in the past");
    let went = repo.write("key.txt", "clean").commit("remove, in the past");
    assert_eq!(commits(&only(&repo, "needle")), [Some(came), Some(last), Some(went)]);
}

#[test]
fn what_only_the_reflog_or_nothing_reaches_says_so() {
    let repo = GitRepo::new();
    repo.write("a.txt", "x").commit("base");
    let gone = repo.write("key.txt", "needle").commit("to be reset");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let placement = only(&repo, "needle");
    assert_eq!(placement.timeline.reachable, Reachability::Reflog);
    assert_eq!(commits(&placement)[0], Some(gone.clone()));

    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    std::fs::remove_file(repo.path().join(".git/ORIG_HEAD")).unwrap();
    let id = blob(&repo, "needle");
    assert!(attribute(&repo, &[id]).is_empty());
    let opened = Repository::open(repo.path()).unwrap();
    let commit: Oid = gone.parse().unwrap();
    let found = Attribution::new(&opened).with_commits([commit]).attribute(&[id], &mut Coverage::default());
    assert_eq!(found[&id][0].timeline.reachable, Reachability::Unreachable);
    assert_eq!(commits(&found[&id][0]), [Some(gone.clone()), Some(gone), None]);
}

#[test]
fn many_refs_are_cut_to_a_handful_and_counted() {
    let repo = GitRepo::new();
    repo.write("key.txt", "needle").commit("add");
    for number in 0..8 {
        repo.git(&["tag", "--annotate", &format!("v{number}"), "--message", "release"]);
    }
    let reachable = only(&repo, "needle").timeline.reachable;
    let Reachability::Refs { names, more } = &reachable else { panic!("{reachable:?}") };
    assert_eq!((names.len(), *more, names[0].as_str()), (5, 4, "refs/heads/main"));
}

#[test]
fn detached_worktrees_sha256_and_shallow_clones_are_followed() {
    let repo = GitRepo::with_options(&["--object-format=sha256"]);
    let came = repo.write("key.txt", "needle").commit("add");
    let last = repo.commit("nothing");
    assert_eq!(commits(&only(&repo, "needle")), [Some(came), Some(last.clone()), None]);

    let repo = GitRepo::new();
    repo.write("key.txt", "needle").commit("one");
    repo.write("b.txt", "x").commit("two");
    let url = format!("file://{}", repo.path().display());
    let clone = repo.outside().join("shallow");
    repo.git(&["clone", "--quiet", "--depth=1", &url, &clone.to_string_lossy()]);
    let opened = Repository::open(&clone).unwrap();
    let id = blob(&repo, "needle");
    let mut coverage = Coverage::default();
    let found = Attribution::new(&opened).attribute(&[id], &mut coverage);
    assert_eq!(commits(&found[&id][0])[0], Some(repo.git(&["rev-parse", "HEAD"])));
    assert!(coverage.is_complete());

    let tree = repo.outside().join("detached");
    repo.git(&["worktree", "add", "--quiet", "--detach", &tree.to_string_lossy()]);
    std::fs::write(tree.join("there.txt"), "detached needle").unwrap();
    repo.git(&["-C", &tree.to_string_lossy(), "add", "there.txt"]);
    repo.git(&["-C", &tree.to_string_lossy(), "commit", "--quiet", "--message", "detached"]);
    std::fs::remove_dir_all(repo.path().join(".git/worktrees/detached/logs")).unwrap();
    assert_eq!(names(&only(&repo, "detached needle").timeline.reachable), ["HEAD"]);
}

/// A commit of a made-up history.
pub(super) struct Made {
    pub(super) parents: Vec<usize>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) time: u64,
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Histories with branches, merges that take, mix and invent, moves, reverts and wrong clocks.
pub(super) fn made_up(seed: u64, length: usize) -> Vec<Made> {
    let mut dice = Dice(seed);
    let paths = ["a", "a.b", "a-dir/x", "a-dir/y", "d/e/f/z", "d/e/g", "d/h", "top"];
    let mut history: Vec<Made> = Vec::new();
    for number in 0..length {
        let mut parents = BTreeSet::new();
        if number > 0 {
            parents.insert(number - 1 - dice.roll(number.min(4)));
            for _ in 0..[0, 0, 1, 2][dice.roll(4)] {
                parents.insert(dice.roll(number));
            }
        }
        let parents: Vec<usize> = parents.into_iter().collect();
        let mut files = BTreeMap::new();
        for path in paths {
            // A merge takes each path from one of its parents.
            if let Some(&parent) = parents.get(dice.roll(parents.len().max(1)))
                && let Some(content) = history[parent].files.get(path)
            {
                files.insert(path.to_owned(), content.clone());
            }
        }
        for _ in 0..dice.roll(4) {
            let path = paths[dice.roll(paths.len())].to_owned();
            match dice.roll(4) {
                0 => {
                    files.remove(&path);
                }
                1 => {
                    if let Some(content) = files.remove(&path) {
                        files.insert(paths[dice.roll(paths.len())].to_owned(), content);
                    }
                }
                _ => {
                    files.insert(path, format!("content {}", dice.roll(6)));
                }
            }
        }
        let time = 1_600_000_000 + if dice.roll(5) == 0 { 0 } else { number as u64 * 100 };
        history.push(Made { parents, files, time });
    }
    history
}

/// Writes a made-up history with git's importer; gives the commits' names. The last commit is
/// `main`, and every third a branch.
pub(super) fn import(repo: &GitRepo, history: &[Made]) -> Vec<String> {
    let mut stream = String::new();
    for (number, commit) in history.iter().enumerate() {
        let branch = if number + 1 == history.len() {
            "refs/heads/main".to_owned()
        } else if number % 3 == 0 {
            format!("refs/heads/b{number:02}")
        } else {
            "refs/heads/work".to_owned()
        };
        writeln!(stream, "reset {branch}\n\ncommit {branch}\nmark :{}", number + 1).expect("text takes text");
        writeln!(stream, "committer T <t@example.com> {} +0000\ndata 1\nm", commit.time)
            .expect("text takes text");
        for (at, parent) in commit.parents.iter().enumerate() {
            writeln!(stream, "{} :{}", if at == 0 { "from" } else { "merge" }, parent + 1)
                .expect("text takes text");
        }
        stream.push_str("deleteall\n");
        for (path, content) in &commit.files {
            writeln!(stream, "M 100644 inline {path}\ndata {}\n{content}", content.len())
                .expect("text takes text");
        }
        stream.push('\n');
    }
    stream.push_str("reset refs/heads/work\n\n");
    let mut importer = repo
        .command()
        .args(["fast-import", "--quiet", "--force", "--export-marks=../marks"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git is installed");
    importer.stdin.take().expect("piped").write_all(stream.as_bytes()).expect("it listens");
    assert!(importer.wait().expect("it ends").success());
    let marks = std::fs::read_to_string(repo.outside().join("marks")).expect("exported");
    let names: BTreeMap<usize, String> = marks
        .lines()
        .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
        .map(|(mark, name)| (mark.parse().expect("a number"), name.to_owned()))
        .collect();
    names.into_values().collect()
}

/// For each commit, which commits it reaches, itself among them.
pub(super) fn ancestors(history: &[Made]) -> Vec<BTreeSet<usize>> {
    let mut all: Vec<BTreeSet<usize>> = Vec::new();
    for (number, commit) in history.iter().enumerate() {
        let mut reached: BTreeSet<usize> = commit.parents.iter().flat_map(|&p| all[p].clone()).collect();
        reached.insert(number);
        all.push(reached);
    }
    all
}

#[test]
fn made_up_histories_are_told_as_they_were_made() {
    for seed in 0..40 {
        let repo = GitRepo::new();
        let history = made_up(seed, 24);
        let ids = import(&repo, &history);
        let ancestors = ancestors(&history);
        let number = |id: &Option<String>| ids.iter().position(|other| Some(other) == id.as_ref());
        let head = history.len() - 1;
        let tips: Vec<(String, usize)> = (0..head)
            .filter(|number| number % 3 == 0)
            .map(|number| (format!("refs/heads/b{number:02}"), number))
            .chain([("refs/heads/main".to_owned(), head)])
            .collect();
        let reached: BTreeSet<usize> = tips.iter().flat_map(|(_, tip)| ancestors[*tip].clone()).collect();

        let contents: Vec<String> = (0..6).map(|number| format!("content {number}")).collect();
        let blobs: Vec<Oid> = contents.iter().map(|content| blob(&repo, content)).collect();
        let placements = attribute(&repo, &blobs);
        for (content, id) in contents.iter().zip(&blobs) {
            let expected: BTreeSet<&String> = reached
                .iter()
                .flat_map(|&commit| history[commit].files.iter())
                .filter(|(_, held)| *held == content)
                .map(|(path, _)| path)
                .collect();
            let found: Vec<String> = placements
                .get(id)
                .into_iter()
                .flatten()
                .map(|placement| placement.path.to_string())
                .collect();
            assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected, "seed {seed} {content}");
            assert_eq!(found.len(), expected.len());

            for placement in placements.get(id).into_iter().flatten() {
                let path = placement.path.to_string();
                let told = format!("seed {seed} {content} {path}");
                let holds = |commit: usize| history[commit].files.get(&path) == Some(content);
                let parents = |commit: usize| history[commit].parents.iter().copied();
                let [introduced, last, removed] = commits(placement);

                let came: Vec<usize> = reached
                    .iter()
                    .copied()
                    .filter(|&commit| holds(commit) && !parents(commit).any(holds))
                    .collect();
                let introduced = number(&introduced).unwrap_or_else(|| panic!("{told}"));
                assert!(came.contains(&introduced), "{told}");
                assert!(
                    came.iter().all(|c| *c == introduced || !ancestors[introduced].contains(c)),
                    "{told}"
                );

                assert_eq!(placement.timeline.at_head, holds(head), "{told}");
                let last = number(&last).unwrap_or_else(|| panic!("{told}"));
                assert!(holds(last), "{told}");
                let later = |commit: usize| commit != last && ancestors[commit].contains(&last);
                assert!(!reached.iter().any(|&c| later(c) && holds(c)), "{told}");

                let went: Vec<usize> = reached
                    .iter()
                    .copied()
                    .filter(|&commit| !holds(commit) && parents(commit).any(holds))
                    .collect();
                let outright: Vec<usize> =
                    went.iter().copied().filter(|&commit| parents(commit).all(holds)).collect();
                let candidates = if outright.is_empty() { went } else { outright };
                match number(&removed) {
                    None => assert!(holds(head) || candidates.is_empty(), "{told}"),
                    Some(removed) => {
                        assert!(!holds(head) && candidates.contains(&removed), "{told}");
                        let after = |c: &usize| *c != removed && ancestors[*c].contains(&removed);
                        assert!(!candidates.iter().any(after), "{told}");
                    }
                }

                let reaching: Vec<&str> = tips
                    .iter()
                    .filter(|(_, tip)| ancestors[*tip].iter().any(|&commit| holds(commit)))
                    .map(|(name, _)| name.as_str())
                    .collect();
                let Reachability::Refs { names, more } = &placement.timeline.reachable else {
                    panic!("{told}")
                };
                assert_eq!(names, &reaching[..reaching.len().min(5)], "{told}");
                assert_eq!(*more as usize, reaching.len() - names.len(), "{told}");
            }
        }
    }
}

/// In a history without merges git itself tells the commits that touch a blob.
#[test]
fn a_straight_history_agrees_with_git_log() {
    let repo = GitRepo::new();
    let mut dice = Dice(7);
    for number in 0..40 {
        let path = ["a.txt", "dir/b.txt", "dir/deep/c.txt"][dice.roll(3)];
        repo.write(path, format!("content {}", dice.roll(5))).commit(&format!("commit {number}"));
    }
    for content in (0..5).map(|number| format!("content {number}")) {
        let id = blob(&repo, &content);
        let find = format!("--find-object={id}");
        let log = repo.git(&["log", "--reverse", "--format=%H", &find]);
        let placements = attribute(&repo, &[id]).remove(&id).unwrap_or_default();
        let first = log.lines().next().map(str::to_owned);
        assert!(placements.iter().any(|placement| commits(placement)[0] == first), "{content}");
        assert_eq!(placements.is_empty(), log.is_empty());
    }
}
