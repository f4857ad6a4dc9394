//! The whole object database.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use keycull::finding::{Coverage, GapKind};
use keycull::source::git::Repository;
use keycull::source::git::objects::{ObjectOptions, scan};

use super::recorder::Recorder;
use crate::support::git::GitRepo;

fn history_at(place: &Path) -> (Coverage, Recorder) {
    let recorder = Recorder::default();
    let opened = Repository::open(place).expect("git made it");
    let coverage = scan(&opened, &ObjectOptions::default(), &recorder).expect("a scan");
    assert_same_at_pack_speed(&opened, &coverage, &recorder);
    (coverage, recorder)
}

/// The scan in delta order hands over the same content and counts the same.
fn assert_same_at_pack_speed(opened: &Repository, slow: &Coverage, expected: &Recorder) {
    let recorder = Recorder::default();
    let fast =
        keycull::source::git::history::scan(opened, &ObjectOptions::default(), &recorder).expect("a scan");
    if slow.gaps.iter().any(|gap| matches!(gap.kind, GapKind::Unreadable | GapKind::Missing))
        && recorder.chunks() != expected.chunks()
    {
        // Damage: the traversal may save more than look-ups do, and must not save less.
        let seen = recorder.chunks();
        let lost: Vec<_> = expected.chunks().into_iter().filter(|chunk| !seen.contains(chunk)).collect();
        assert!(lost.is_empty(), "lost {lost:#?}");
        return;
    }
    let (got, wanted) = (recorder.chunks(), expected.chunks());
    assert!(got == wanted, "{:#?}\ninstead of\n{:#?}", recorder.origins(), expected.origins());
    let counts = |c: &Coverage| [c.refs, c.commits, c.tags, c.trees, c.blobs, c.files, c.bytes];
    assert_eq!(counts(&fast), counts(slow));
    let kinds = |c: &Coverage| c.gaps.iter().map(|gap| gap.kind).collect::<BTreeSet<GapKind>>();
    assert_eq!(kinds(&fast), kinds(slow), "{:#?}\n{:#?}", fast.gaps, slow.gaps);
}

fn history(repo: &GitRepo) -> (Coverage, Recorder) {
    history_at(repo.path())
}

/// A repository with something of everything that history can hold.
fn full() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("a.txt", "blob-needle\n").write("dir/b.txt", "b").commit("one");
    repo.write("a.txt", "clean\n").commit("message-needle");
    repo.git(&["tag", "--annotate", "v1", "--message", "tag-needle"]);
    repo.git(&["switch", "--quiet", "--create", "side", "HEAD~1"]);
    repo.write("side.txt", "side").commit("side");
    repo.git(&["switch", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    repo.write("only-in-merge.txt", "merge-needle").commit("merge");
    repo.git(&["notes", "add", "--message", "note-needle"]);
    repo.write("a.txt", "stash-needle");
    repo.git(&["stash"]);
    repo.write("gone.txt", "reflog-needle").commit("soon gone");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let dangling = repo.outside().join("dangling");
    fs::write(&dangling, "dangling-needle").expect("a file");
    repo.git(&["hash-object", "-w", &dangling.to_string_lossy()]);
    repo.git(&["branch", "ref-needle"]);
    repo.git(&["remote", "add", "origin", "https://config-needle@example.com/"]);
    repo.write(format!("{}.txt", "name1needle".repeat(2)), "x").commit("file name");
    repo
}

const EVERYTHING: [(&str, &str); 10] = [
    ("blob-needle", "blob"),
    ("message-needle", "commit"),
    ("tag-needle", "tag"),
    ("merge-needle", "blob"),
    ("note-needle", "blob"),
    ("stash-needle", "blob"),
    ("reflog-needle", "blob"),
    ("dangling-needle", "blob"),
    ("ref-needle", "ref-name"),
    ("config-needle", "git-file"),
];

/// Object name and kind of everything that git says is there.
fn listed(repo: &GitRepo, place: &Path) -> BTreeSet<String> {
    let place = place.to_string_lossy();
    let args = ["-C", &place, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"];
    repo.git(&args).lines().map(str::to_owned).collect()
}

/// Every object that git lists was scanned once, and nothing else; trees are counted.
fn assert_everything(repo: &GitRepo, place: &Path) -> Coverage {
    let (coverage, recorder) = history_at(place);
    let listed = listed(repo, place);
    let (trees, others): (BTreeSet<_>, BTreeSet<_>) =
        listed.into_iter().partition(|line| line.starts_with("tree"));
    let scanned: Vec<String> = recorder
        .chunks()
        .iter()
        .filter(|seen| ["blob", "commit", "tag"].contains(&seen.origin.kind()))
        .filter_map(|seen| Some(format!("{} {}", seen.origin.kind(), seen.origin.object()?)))
        .collect();
    let distinct: BTreeSet<String> = scanned.iter().cloned().collect();
    assert_eq!(scanned.len(), distinct.len(), "each object once");
    assert_eq!(distinct, others);
    assert_eq!(coverage.trees, trees.len() as u64);
    assert_eq!(coverage.blobs + coverage.commits + coverage.tags, others.len() as u64);
    coverage
}

#[test]
fn everything_that_history_holds_is_scanned() {
    let repo = full();
    let (coverage, recorder) = history(&repo);
    for (text, kind) in EVERYTHING {
        assert!(recorder.kinds_with(text).contains(&kind), "{text} in {:?}", recorder.kinds_with(text));
    }
    assert_eq!(recorder.kinds_with(&"name1needle".repeat(2)), ["tree"]);
    assert!(coverage.is_complete(), "{:?}", coverage.gaps);
    // main, side, ref-needle, v1, notes, stash
    assert_eq!(coverage.refs, 6);
    assert_everything(&repo, repo.path());
}

#[test]
fn it_does_not_matter_how_objects_are_stored() {
    let repo = full();
    let before = history(&repo).1.chunks();
    let steps: [&[&str]; 5] = [
        &["repack", "-adkq"],
        &["multi-pack-index", "write"],
        &["pack-refs", "--all"],
        &["repack", "-q", "--depth=4095", "-adfk"],
        &["worktree", "add", "--quiet", "../linked", "side"],
    ];
    for step in steps {
        repo.git(step);
        repo.write("another.txt", step.join(" "));
        repo.git(&["hash-object", "-w", "another.txt"]);
        assert!(assert_everything(&repo, repo.path()).is_complete());
    }
    let after = history(&repo).1.chunks();
    assert!(before.iter().all(|seen| seen.origin.kind() == "git-file" || after.contains(seen)));
    assert!(assert_everything(&repo, &repo.outside().join("linked")).is_complete());
}

#[test]
fn alternates_bare_and_sha256_repositories_are_read() {
    let repo = full();
    let borrowed = repo.outside().join("borrowed");
    let bare = repo.outside().join("bare.git");
    repo.git(&["clone", "--quiet", "--shared", ".", &borrowed.to_string_lossy()]);
    repo.git(&["clone", "--quiet", "--bare", ".", &bare.to_string_lossy()]);
    for place in [&borrowed, &bare] {
        assert!(assert_everything(&repo, place).is_complete());
        assert!(history_at(place).1.kinds_with("blob-needle").contains(&"blob"));
    }
    let repo = GitRepo::with_options(&["--object-format=sha256"]);
    repo.write("a/b.txt", "needle").commit("one");
    repo.git(&["repack", "-adq"]);
    assert!(assert_everything(&repo, repo.path()).is_complete());
}

#[test]
fn replaced_objects_and_reftables_hide_nothing() {
    let repo = full();
    let (old, new) = (repo.git(&["rev-parse", "HEAD~2"]), repo.git(&["rev-parse", "HEAD"]));
    repo.git(&["replace", &old, &new]);
    assert!(assert_everything(&repo, repo.path()).is_complete());

    let repo = GitRepo::with_options(&["--ref-format=reftable"]);
    repo.write("a/b.txt", "needle").commit("one");
    assert!(assert_everything(&repo, repo.path()).is_complete());
}

#[test]
fn thread_counts_do_not_change_what_is_seen() {
    let repo = full();
    let opened = Repository::open(repo.path()).unwrap();
    let run = |jobs| {
        let recorder = Recorder::default();
        let options = ObjectOptions { jobs, ..ObjectOptions::default() };
        (scan(&opened, &options, &recorder).unwrap(), recorder.chunks())
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn a_shallow_clone_is_incomplete_and_says_how_to_complete_it() {
    let repo = full();
    let url = format!("file://{}", repo.path().display());
    let clone = repo.outside().join("shallow");
    repo.git(&["clone", "--quiet", "--depth=1", &url, &clone.to_string_lossy()]);
    let coverage = assert_everything(&repo, &clone);
    assert_eq!(coverage.gaps.len(), 1, "{:?}", coverage.gaps);
    assert_eq!(coverage.gaps[0].kind, GapKind::Shallow);
    assert!(coverage.gaps[0].why.contains("git fetch --unshallow"));
}

#[test]
fn a_partial_clone_is_one_gap_with_a_count() {
    let repo = full();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.path().display());
    let clone = repo.outside().join("partial");
    repo.git(&["clone", "--quiet", "--no-checkout", "--filter=blob:none", &url, &clone.to_string_lossy()]);
    let coverage = assert_everything(&repo, &clone);
    assert_eq!(coverage.gaps.len(), 1, "{:?}", coverage.gaps);
    assert_eq!(coverage.gaps[0].kind, GapKind::Missing);
    assert!(coverage.gaps[0].what.contains("blob"), "{:?}", coverage.gaps);
    assert!(coverage.gaps[0].why.contains("partial clone"));
}

fn loose(repo: &GitRepo, id: &str) -> PathBuf {
    repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])
}

fn overwrite(path: &Path, content: &[u8]) {
    fs::remove_file(path).expect("it is there");
    fs::write(path, content).expect("a file");
}

#[test]
fn missing_and_corrupt_loose_objects_are_gaps_and_the_rest_is_scanned() {
    let repo = GitRepo::new();
    repo.write("gone.txt", "gone").write("corrupt.txt", "corrupt").write("fine.txt", "fine").commit("one");
    let (gone, corrupt) = (repo.git(&["rev-parse", ":gone.txt"]), repo.git(&["rev-parse", ":corrupt.txt"]));
    fs::remove_file(loose(&repo, &gone)).unwrap();
    overwrite(&loose(&repo, &corrupt), b"\x78\x9cnot zlib");
    let (coverage, recorder) = history(&repo);
    let gaps: Vec<(GapKind, &str)> = coverage.gaps.iter().map(|gap| (gap.kind, gap.what.as_str())).collect();
    let missing = format!("1 objects (blob {})", &gone[..12]);
    let unreadable = format!("object {}", &corrupt[..12]);
    assert_eq!(gaps, [(GapKind::Missing, &*missing), (GapKind::Unreadable, &*unreadable)]);
    assert_eq!(recorder.kinds_with("fine"), ["blob"]);
}

#[test]
fn damaged_packs_are_gaps_never_errors() {
    for damage in ["truncated", "garbled", "no index", "index garbled"] {
        let repo = GitRepo::new();
        for number in 0..30 {
            let content: String = (0..200).map(|line| format!("{line} {}\n", line * number)).collect();
            repo.write("a.txt", content).commit("one");
        }
        repo.git(&["repack", "-adq"]);
        repo.write("fine.txt", "loose and fine").commit("two");
        let packs = repo.path().join(".git/objects/pack");
        let pack = fs::read_dir(&packs)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|extension| extension == "pack"))
            .unwrap();
        let content = fs::read(&pack).unwrap();
        match damage {
            "truncated" => overwrite(&pack, &content[..content.len() / 2]),
            "garbled" => {
                let mut garbled = content.clone();
                garbled[40..].iter_mut().step_by(97).for_each(|byte| *byte ^= 0x55);
                overwrite(&pack, &garbled);
            }
            "no index" => fs::remove_file(pack.with_extension("idx")).unwrap(),
            _ => overwrite(&pack.with_extension("idx"), &[0xff; 3000]),
        }
        let (coverage, recorder) = history(&repo);
        assert!(!coverage.is_complete(), "{damage}");
        assert_eq!(recorder.kinds_with("loose and fine"), ["blob"], "{damage}");
    }
}

#[test]
fn broken_refs_are_gaps() {
    let repo = GitRepo::new();
    repo.write("a.txt", "needle").commit("one");
    fs::write(repo.path().join(".git/refs/heads/broken"), "not a name\n").unwrap();
    let (coverage, recorder) = history(&repo);
    assert_eq!(coverage.gaps.len(), 1);
    assert_eq!(recorder.kinds_with("needle"), ["blob"]);
}

#[test]
fn an_empty_repository_is_complete() {
    let (coverage, recorder) = history(&GitRepo::new());
    assert!(coverage.is_complete(), "{:?}", coverage.gaps);
    assert_eq!(recorder.origins(), ["git-file config"]);
}
