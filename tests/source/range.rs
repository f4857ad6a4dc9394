//! Ranges of history: what some commits bring in that others do not have.

use std::collections::BTreeSet;
use std::path::Path;

use globset::{Glob, GlobSet};
use keycull::finding::{Coverage, GapKind, Oid, SkipReason};
use keycull::source::SourceError;
use keycull::source::git::Repository;
use keycull::source::git::range::{self, RangeOptions, scan};

use super::attribution::{ancestors, import, made_up};
use super::recorder::Recorder;
use crate::support::git::GitRepo;

fn scanned_at(place: &Path, options: &RangeOptions) -> (Coverage, Recorder) {
    let recorder = Recorder::default();
    let opened = Repository::discover(place).expect("a repository");
    let coverage = scan(&opened, options, &recorder).expect("a scan");
    (coverage, recorder)
}

fn resolved(repo: &GitRepo, text: &str) -> Result<RangeOptions, SourceError> {
    range::resolve(&Repository::open(repo.path()).expect("a repository"), text)
}

fn scanned(repo: &GitRepo, text: &str) -> (Coverage, Recorder) {
    scanned_at(repo.path(), &resolved(repo, text).expect("a range"))
}

fn oid(repo: &GitRepo, revision: &str) -> Oid {
    repo.git(&["rev-parse", revision]).parse().expect("a name")
}

/// Contents of the scanned blobs, sorted.
fn contents(recorder: &Recorder) -> Vec<String> {
    let blobs = recorder.chunks().into_iter().filter(|seen| seen.origin.kind() == "blob");
    let mut all: Vec<String> = blobs.map(|seen| String::from_utf8(seen.bytes).expect("text")).collect();
    all.sort();
    all
}

fn base_contents(recorder: &Recorder) -> Vec<String> {
    recorder.base().into_iter().map(|seen| String::from_utf8(seen.bytes).expect("text")).collect()
}

#[test]
fn what_the_commits_bring_in_is_scanned_also_when_it_was_removed_again() {
    let repo = GitRepo::new();
    repo.write("kept.txt", "kept").write("a.txt", "one").commit("first");
    repo.write("a.txt", "two").commit("second");
    repo.write("a.txt", "three").write("deep/b.txt", "short-lived").commit("third");
    std::fs::remove_dir_all(repo.path().join("deep")).expect("it is there");
    repo.commit("fourth");
    let (coverage, recorder) = scanned(&repo, "HEAD~3..HEAD");
    assert_eq!(contents(&recorder), ["short-lived", "three", "two"]);
    assert_eq!((coverage.commits, coverage.blobs), (3, 3));
    assert_eq!(coverage.scopes, ["range HEAD~3..HEAD"]);
    assert!(coverage.is_complete());
    assert!(base_contents(&recorder).is_empty(), "nothing was found, so nobody asked");
    assert!(recorder.kinds_with("fourth").contains(&"commit"));
    assert!(recorder.kinds_with("first").is_empty());

    let (coverage, recorder) = scanned(&repo, "HEAD~2^!");
    assert_eq!((coverage.commits, contents(&recorder)), (1, vec!["two".to_owned()]));
    let (coverage, recorder) = scanned(&repo, "HEAD..HEAD");
    assert_eq!((coverage.commits, recorder.chunks().len()), (0, 0));
}

#[test]
fn the_base_side_is_handed_over_when_something_was_found() {
    let repo = GitRepo::new();
    repo.write("old/a.txt", "a needle").write("other.txt", "untouched").commit("first");
    repo.write("edited.txt", "before").commit("second");
    repo.git(&["mv", "old", "new"]);
    repo.write("edited.txt", "after").commit("move");
    let (_, recorder) = scanned(&repo, "HEAD~1..HEAD");
    assert_eq!(contents(&recorder), ["a needle", "after"]);
    let base: BTreeSet<String> = base_contents(&recorder).into_iter().collect();
    // What the change touches, and then everything else, since the recorder stays open.
    assert_eq!(base, ["a needle", "before", "untouched"].map(str::to_owned).into());
}

#[test]
fn what_an_earlier_commit_of_the_range_brought_is_not_the_base_side() {
    let repo = GitRepo::new();
    repo.write("a.txt", "start").commit("first");
    repo.write("b.txt", "b needle").commit("add");
    repo.git(&["mv", "b.txt", "c.txt"]);
    repo.commit("move");
    std::fs::remove_file(repo.path().join("c.txt")).expect("it is there");
    repo.commit("remove");
    let (_, recorder) = scanned(&repo, "HEAD~3..HEAD");
    assert_eq!(contents(&recorder), ["b needle"]);
    assert_eq!(base_contents(&recorder), ["start"]);
}

#[test]
fn merges_bring_in_what_no_parent_has() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").write("dir/b.txt", "b").commit("base");
    for side in ["one", "two", "three"] {
        repo.git(&["switch", "--quiet", "--create", side, "main"]);
        repo.write(format!("dir/{side}.txt"), side).commit(side);
    }
    repo.git(&["switch", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "one", "two", "three"]);
    repo.write("dir/evil.txt", "evil").write("dir/two.txt", "two, mixed").commit("octopus");

    let (coverage, recorder) = scanned(&repo, "HEAD^1..HEAD");
    assert_eq!(contents(&recorder), ["evil", "one", "three", "two", "two, mixed"]);
    assert_eq!(coverage.commits, 4);
    // The merge alone: its parents are all outside.
    let (_, recorder) = scanned(&repo, "HEAD^!");
    assert_eq!(contents(&recorder), ["evil", "two, mixed"]);
    let (_, recorder) = scanned(&repo, "one...two");
    assert_eq!(contents(&recorder), ["one", "two"]);
    let (_, recorder) = scanned(&repo, "one..");
    assert_eq!(contents(&recorder), ["evil", "three", "two", "two, mixed"]);
}

#[test]
fn criss_cross_merges_have_two_bases() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("base");
    repo.git(&["switch", "--quiet", "--create", "x"]);
    let x = repo.write("x.txt", "x").commit("x");
    repo.git(&["switch", "--quiet", "--create", "y", "main"]);
    let y = repo.write("y.txt", "y").commit("y");
    repo.git(&["merge", "--quiet", "--no-edit", &x]);
    repo.write("y2.txt", "y2").commit("y2");
    repo.git(&["switch", "--quiet", "x"]);
    repo.git(&["merge", "--quiet", "--no-edit", &y]);
    repo.write("x2.txt", "x2").commit("x2");
    assert_eq!(contents(&scanned(&repo, "x..y").1), ["y2"]);
    assert_eq!(contents(&scanned(&repo, "x...y").1), ["x2", "y2"]);
    assert_eq!(resolved(&repo, "x...y").expect("a range").exclude.len(), 2);
}

#[test]
fn roots_and_unrelated_histories_are_new_as_a_whole() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("root");
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    repo.git(&["rm", "--quiet", "--force", "a.txt"]);
    repo.write("b.txt", "b").commit("another root");
    assert_eq!(contents(&scanned(&repo, "main..other").1), ["b"]);
    let all = RangeOptions::of_objects("push", [oid(&repo, "main"), oid(&repo, "other")], []);
    let (coverage, recorder) = scanned_at(repo.path(), &all);
    assert_eq!((coverage.commits, contents(&recorder)), (2, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(coverage.scopes, ["push"]);
}

#[test]
fn a_push_of_several_refs_is_what_the_other_side_does_not_have() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("shared");
    let has = oid(&repo, "HEAD");
    repo.write("b.txt", "b").commit("on main");
    repo.git(&["switch", "--quiet", "--create", "topic", "HEAD~1"]);
    repo.write("c.txt", "c").commit("on topic");
    repo.git(&["tag", "--annotate", "v1", "--message", "the first release"]);
    let unknown: Oid = "1234567890123456789012345678901234567890".parse().expect("a name");
    let push = RangeOptions::of_objects("push", [oid(&repo, "main"), oid(&repo, "v1")], [has, unknown]);
    let (coverage, recorder) = scanned_at(repo.path(), &push);
    assert_eq!(contents(&recorder), ["b", "c"]);
    assert_eq!((coverage.commits, coverage.tags), (2, 1));
    assert!(coverage.is_complete(), "what the other side has and we do not know is no gap");
    assert_eq!(recorder.kinds_with("the first release"), ["tag"]);

    let push = RangeOptions::of_objects("push", [oid(&repo, "main"), unknown], [has]);
    let (coverage, _) = scanned_at(repo.path(), &push);
    let kinds: Vec<GapKind> = coverage.gaps.iter().map(|gap| gap.kind).collect();
    assert_eq!(kinds, [GapKind::Missing]);
}

#[test]
fn tags_of_trees_and_blobs_can_be_pushed_too() {
    let repo = GitRepo::new();
    repo.write("dir/a.txt", "in a tree").commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:dir/a.txt"]);
    let tree = repo.git(&["rev-parse", "HEAD:dir"]);
    repo.git(&["tag", "--annotate", "blob", "--message", "of a blob", &blob]);
    for tip in [oid(&repo, "blob"), tree.parse().expect("a name")] {
        let (coverage, recorder) = scanned_at(repo.path(), &RangeOptions::of_objects("push", [tip], []));
        assert_eq!((contents(&recorder), coverage.commits), (vec!["in a tree".to_owned()], 0));
    }
}

#[test]
fn messages_of_tags_in_the_range_are_scanned() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("one");
    repo.git(&["tag", "--annotate", "before", "--message", "tagged before"]);
    repo.write("a.txt", "b").commit("two");
    repo.git(&["tag", "--annotate", "inside", "--message", "tagged inside"]);
    repo.git(&["tag", "--annotate", "again", "inside", "--message", "tagged again"]);
    repo.commit("three");
    let (coverage, recorder) = scanned(&repo, "HEAD~2..HEAD");
    assert_eq!(coverage.tags, 2);
    assert_eq!(recorder.kinds_with("tagged inside"), ["tag"]);
    assert_eq!(recorder.kinds_with("tagged again"), ["tag"]);
    assert!(recorder.kinds_with("tagged before").is_empty());
}

#[test]
fn new_names_are_offered_and_old_ones_are_the_base() {
    let repo = GitRepo::new();
    let name = |end: &str| ["notes-", &"a1b2".repeat(5), end].concat();
    repo.write(name("old"), "x").commit("one");
    repo.git(&["mv", &name("old"), &name("new")]);
    repo.write(format!("{}/plain.txt", name("dir")), "y").commit("two");
    let (_, recorder) = scanned(&repo, "HEAD~1..HEAD");
    assert_eq!(recorder.paths("file-name"), [name("dir"), name("new")]);
    assert!(base_contents(&recorder).contains(&name("old")));
}

#[test]
fn limits_and_excludes_choose_paths() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("one");
    repo.write("src/a.rs", "1").write("src/gen/b.rs", "2").write("docs/c.md", "3").commit("message");
    let all = resolved(&repo, "HEAD~1..").expect("a range");
    let limited = RangeOptions { limits: vec!["src/".into()], ..all.clone() };
    let (coverage, recorder) = scanned_at(repo.path(), &limited);
    assert_eq!(contents(&recorder), ["1", "2"]);
    assert_eq!(coverage.commits, 0, "messages have no path");
    for (limit, known) in
        [("a.txt", true), ("src/gen", true), ("docs/c.md", true), ("scr", false), ("src/a", false)]
    {
        let limited = RangeOptions { limits: vec![limit.into()], ..all.clone() };
        let opened = Repository::open(repo.path()).expect("a repository");
        let outcome = scan(&opened, &limited, &Recorder::default());
        assert_eq!(outcome.is_ok(), known, "{limit}: {outcome:?}");
    }
    let globs = GlobSet::builder().add(Glob::new("**/gen").expect("a glob")).build().expect("globs");
    let (coverage, recorder) = scanned_at(repo.path(), &RangeOptions { exclude_paths: globs, ..all });
    assert_eq!(contents(&recorder), ["1", "3"]);
    assert_eq!(coverage.skipped.get(&SkipReason::Excluded), Some(&1));
}

#[test]
fn a_shallow_clone_is_incomplete_only_where_the_range_crosses_it() {
    let repo = GitRepo::new();
    for number in 0..4 {
        repo.write("a.txt", format!("{number}")).commit(&format!("commit {number}"));
    }
    let url = format!("file://{}", repo.path().display());
    let clone = repo.outside().join("shallow");
    repo.git(&["clone", "--quiet", "--depth=2", &url, &clone.to_string_lossy()]);
    let opened = Repository::open(&clone).expect("a repository");
    let (coverage, recorder) = scanned_at(&clone, &range::resolve(&opened, "HEAD~1..").expect("a range"));
    assert_eq!((contents(&recorder), coverage.gaps), (vec!["3".to_owned()], vec![]));

    let (coverage, recorder) = scanned_at(&clone, &range::branch(&opened, "main").expect("a branch"));
    assert_eq!(contents(&recorder), ["2", "3"]);
    assert_eq!(coverage.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Shallow]);
    assert!(coverage.gaps[0].why.contains("git fetch --unshallow"), "{:?}", coverage.gaps);

    let error = range::resolve(&opened, "HEAD~2..HEAD").expect_err("it is cut off").to_string();
    assert!(error.contains("git fetch --deepen"), "{error}");
}

#[test]
fn objects_that_are_gone_are_gaps() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("one");
    repo.write("b.txt", "b").write("dir/c.txt", "c").commit("two");
    for object in ["HEAD:b.txt", "HEAD:dir"] {
        let name = repo.git(&["rev-parse", object]);
        std::fs::remove_file(repo.path().join(".git/objects").join(&name[..2]).join(&name[2..]))
            .expect("a loose object");
    }
    let (coverage, recorder) = scanned(&repo, "HEAD~1..");
    assert!(contents(&recorder).is_empty());
    let gaps: Vec<(GapKind, &str)> = coverage.gaps.iter().map(|gap| (gap.kind, gap.what.as_str())).collect();
    assert_eq!((gaps.len(), gaps[0].0), (1, GapKind::Missing), "{gaps:?}");
    assert!(gaps[0].1.starts_with("2 objects"), "{gaps:?}");
}

#[test]
fn dates_end_each_line_of_history_at_its_first_older_commit() {
    let repo = GitRepo::new();
    for number in 0..4_u64 {
        repo.set_clock(1_700_000_000 + number * 86_400);
        repo.write("a.txt", format!("{number}")).git(&["add", "--all"]);
        repo.set_clock(1_700_000_000 + number * 86_400);
        repo.git(&["commit", "--quiet", "--message", "m"]);
    }
    let opened = Repository::open(repo.path()).expect("a repository");
    let options = range::since_time(&opened, 1_700_000_000 + 2 * 86_400, "since then").expect("a range");
    let (coverage, recorder) = scanned_at(repo.path(), &options);
    assert_eq!((contents(&recorder), coverage.commits), (vec!["2".to_owned(), "3".to_owned()], 2));
    let none = range::since_time(&opened, 1_900_000_000, "since then").expect("a range");
    assert_eq!(scanned_at(repo.path(), &none).0.commits, 0);
    let all = range::since_time(&opened, 0, "since then").expect("a range");
    assert_eq!(scanned_at(repo.path(), &all).0.commits, 4);
}

#[test]
fn what_leads_nowhere_is_an_error_with_the_next_step() {
    let repo = GitRepo::new();
    let told = |text: &str| resolved(&repo, text).expect_err(text).to_string();
    assert!(told("main..HEAD").contains("nothing is committed yet"), "{}", told("main..HEAD"));
    repo.write("a.txt", "a").commit("one");
    assert!(told("nope..HEAD").contains("git branch --all"), "{}", told("nope..HEAD"));
    assert!(told("main").contains("`main..HEAD`"), "{}", told("main"));
    assert!(told("main..HEAD:a.txt").contains("is a blob"), "{}", told("main..HEAD:a.txt"));
    assert!(told("HEAD~7..").contains("git log HEAD"), "{}", told("HEAD~7.."));

    repo.git(&["remote", "add", "origin", "https://example.com/r.git"]);
    repo.git(&["update-ref", "refs/remotes/origin/dev", "HEAD"]);
    assert!(told("dev..HEAD").contains("did you mean `origin/dev`"), "{}", told("dev..HEAD"));
    let fetch = "git fetch origin +refs/heads/next:refs/remotes/origin/next";
    assert!(told("origin/next..").contains(fetch), "{}", told("origin/next.."));
    assert!(told("next..").contains(fetch), "{}", told("next.."));
    let lost = "1234567890123456789012345678901234567890";
    let text = told(&format!("{lost}..HEAD"));
    assert!(text.contains(&format!("git fetch origin {lost}")), "{text}");
    assert!(!told("$(reboot)..").contains("git fetch"), "only plain names get into a command line");
}

#[test]
fn names_in_reftables_are_resolved() {
    let repo = GitRepo::with_options(&["--ref-format=reftable"]);
    repo.write("a.txt", "a").commit("one");
    repo.git(&["branch", "before"]);
    repo.write("b.txt", "b").commit("two");
    repo.git(&["tag", "--annotate", "v1", "--message", "tagged"]);
    for text in ["before..main", "before..", "HEAD~1..HEAD", "main~1..v1", "refs/heads/before..v1^0"] {
        assert_eq!(contents(&scanned(&repo, text).1), ["b"], "{text}");
    }
    let opened = Repository::open(repo.path()).expect("a repository");
    let all = range::reachable(&opened, "refs").expect("refs");
    assert_eq!(contents(&scanned_at(repo.path(), &all).1), ["a", "b"]);
    assert!(resolved(&repo, "nope..HEAD").is_err());
}

#[test]
fn branches_are_found_by_their_short_names() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("one");
    repo.git(&["switch", "--quiet", "--create", "topic/x"]);
    repo.write("b.txt", "b").commit("two");
    repo.git(&["update-ref", "refs/remotes/origin/far", "HEAD"]);
    repo.git(&["switch", "--quiet", "main"]);
    let opened = Repository::open(repo.path()).expect("a repository");
    for name in ["topic/x", "refs/heads/topic/x", "origin/far", "far"] {
        let options = range::branch(&opened, name).expect(name);
        assert_eq!(contents(&scanned_at(repo.path(), &options).1), ["a", "b"], "{name}");
    }
    assert!(matches!(range::branch(&opened, "HEAD~0"), Err(SourceError::Revision { .. })));
}

#[test]
fn reachable_leaves_out_what_history_adds_from_reflogs() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("one");
    repo.write("b.txt", "b").commit("two");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let opened = Repository::open(repo.path()).expect("a repository");
    let options = range::reachable(&opened, "refs").expect("refs");
    assert_eq!(contents(&scanned_at(repo.path(), &options).1), ["a"]);
    let options = range::history(&opened, "history").expect("refs");
    assert_eq!(contents(&scanned_at(repo.path(), &options).1), ["a", "b"]);
}

/// A range that is most of the repository is read in pack order; nothing else changes.
#[test]
fn large_ranges_bring_in_the_same() {
    let repo = GitRepo::new();
    repo.write("base.txt", "base").commit("base");
    for number in 0..5_500 {
        repo.write(format!("d{}/f{number}.txt", number % 60), format!("content {number}"));
    }
    repo.commit("many");
    repo.git(&["repack", "--quiet", "-a", "-d"]);
    repo.write("loose.txt", "loose needle").commit("one more");
    let (coverage, recorder) = scanned(&repo, "HEAD~2..HEAD");
    let mut expected: Vec<String> = (0..5_500).map(|number| format!("content {number}")).collect();
    expected.push("loose needle".to_owned());
    expected.sort();
    assert!(contents(&recorder) == expected, "{} blobs", recorder.chunks().len());
    assert_eq!((coverage.blobs, coverage.commits), (5_501, 2));
    assert!(coverage.bytes > expected.iter().map(|text| text.len() as u64).sum());
    assert_eq!(base_contents(&recorder), ["base"]);
}

/// In made-up histories with wrong clocks: the commits are those that graph theory says, every
/// blob that git counts as new is scanned, and nothing that the range does not hold.
#[test]
fn made_up_histories_agree_with_git() {
    for seed in 100..130 {
        let repo = GitRepo::new();
        let history = made_up(seed, 24);
        let ids = import(&repo, &history);
        let ancestors = ancestors(&history);
        for (base, tip) in [(3, 23), (17, 23), (20, 21), (21, 20), (0, 9)] {
            let told = format!("seed {seed}, {base}..{tip}");
            let options = resolved(&repo, &format!("{}..{}", ids[base], ids[tip])).expect("a range");
            let (coverage, recorder) = scanned_at(repo.path(), &options);
            let inside: BTreeSet<usize> = ancestors[tip].difference(&ancestors[base]).copied().collect();
            let commits: BTreeSet<String> = recorder
                .chunks()
                .iter()
                .filter(|seen| seen.origin.kind() == "commit")
                .filter_map(|seen| Some(seen.origin.object()?.to_string()))
                .collect();
            assert_eq!(commits, inside.iter().map(|&at| ids[at].clone()).collect(), "{told}");
            assert_eq!(coverage.commits as usize, inside.len(), "{told}");

            let blobs: BTreeSet<String> = contents(&recorder).into_iter().collect();
            let held = |at: usize| history[at].files.values().cloned().collect::<BTreeSet<String>>();
            let outside = ancestors[base].iter().flat_map(|&at| held(at)).collect();
            let in_range: BTreeSet<String> = inside.iter().flat_map(|&at| held(at)).collect();
            let new: BTreeSet<String> = in_range.difference(&outside).cloned().collect();
            assert!(new.is_subset(&blobs) && blobs.is_subset(&in_range), "{told}: {new:?} {blobs:?}");
            // Exactly: what some commit has at a path where no parent of it has the same.
            let brought: BTreeSet<String> = inside
                .iter()
                .flat_map(|&at| history[at].files.iter().map(move |file| (at, file)))
                .filter(|(at, (path, content))| {
                    let parents = &history[*at].parents;
                    !parents.iter().any(|&parent| history[parent].files.get(*path) == Some(*content))
                })
                .map(|(_, (_, content))| content.clone())
                .collect();
            assert_eq!(blobs, brought, "{told}");
        }
    }
}
