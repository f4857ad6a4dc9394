//! The index: what is staged, compared with HEAD.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use globset::{Glob, GlobSet};
use keycull::finding::{Coverage, GapKind, Origin, RepoPath, SkipReason};
use keycull::source::SourceError;
use keycull::source::git::Repository;
use keycull::source::git::index::{IndexOptions, scan};

use super::recorder::Recorder;
use crate::support::git::GitRepo;

fn staged_at(place: &Path, options: &IndexOptions) -> Result<(Coverage, Recorder), SourceError> {
    let recorder = Recorder::default();
    let opened = Repository::discover(place)?;
    scan(&opened, options, &recorder).map(|coverage| (coverage, recorder))
}

fn staged(repo: &GitRepo) -> (Coverage, Recorder) {
    staged_at(repo.path(), &IndexOptions::default()).expect("a scan")
}

/// A repository with a few directories, committed, so that the index has a cache-tree.
fn committed() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("README", "x").write("src/a.rs", "x").write("src/deep/b.rs", "x").write("src.txt", "x");
    repo.write("zoo/z.txt", "x").commit("one");
    repo
}

#[test]
fn only_what_is_staged_is_scanned() {
    let repo = committed();
    assert_eq!(staged(&repo).1.origins(), [""; 0]);
    repo.write("src/deep/b.rs", "staged").write("new/dir/c.rs", "new");
    repo.git(&["add", "--all"]);
    repo.write("src/deep/b.rs", "worktree").write("src/a.rs", "worktree").write("untracked", "x");
    let (coverage, recorder) = staged(&repo);
    assert_eq!(recorder.origins(), ["index new/dir/c.rs", "index src/deep/b.rs"]);
    assert_eq!((coverage.index_entries, coverage.bytes), (2, 9));
    assert_eq!(recorder.kinds_with("staged"), ["index"]);
    assert!(recorder.kinds_with("worktree").is_empty());
}

/// The fast comparison (cache-tree) and the slow one (none) agree with git.
#[test]
fn the_comparison_agrees_with_git() {
    let repo = committed();
    let steps: [(&str, &[&str]); 6] = [
        ("change", &["add", "--all"]),
        ("move", &["mv", "src", "lib"]),
        ("delete", &["rm", "--quiet", "-r", "--force", "zoo"]),
        ("directory to file", &["rm", "--quiet", "-r", "--force", "lib/deep"]),
        ("file to directory", &["rm", "--quiet", "--force", "README"]),
        ("mode", &["update-index", "--chmod=+x", "src.txt"]),
    ];
    for (number, (name, args)) in steps.into_iter().enumerate() {
        repo.write("src.txt", format!("version {number}"));
        repo.git(args);
        match name {
            "directory to file" => repo.write("lib/deep", "now a file"),
            "file to directory" => repo.write("README/inside", "now a directory"),
            _ => &repo,
        };
        repo.git(&["add", "--all"]);
        for index_without_trees in [false, true] {
            if index_without_trees {
                // Listing the index into a new one drops the cache-tree.
                let listing = repo.git(&["ls-files", "--stage"]);
                fs::remove_file(repo.path().join(".git/index")).unwrap();
                for line in listing.lines() {
                    let (meta, path) = line.split_once('\t').unwrap();
                    let parts: Vec<&str> = meta.split(' ').collect();
                    let info = format!("{},{},{path}", parts[0], parts[1]);
                    repo.git(&["update-index", "--add", "--cacheinfo", &info]);
                }
            }
            let listed = repo.git(&["diff", "--cached", "--no-renames", "--name-only", "--diff-filter=AMT"]);
            let expected: Vec<String> = listed.lines().map(|path| format!("index {path}")).collect();
            assert_eq!(staged(&repo).1.origins(), expected, "{name} {index_without_trees}");
        }
        if number % 2 == 0 {
            repo.commit(name);
            assert_eq!(staged(&repo).1.origins(), [""; 0], "{name}");
        }
    }
}

#[test]
fn the_first_commit_has_nothing_to_compare_with() {
    let repo = GitRepo::new();
    let (coverage, _) = staged(&repo);
    assert_eq!(coverage.index_entries, 0);
    repo.write("a/b.txt", "needle");
    repo.git(&["add", "--all"]);
    let (_, recorder) = staged(&repo);
    assert_eq!(recorder.origins(), ["index a/b.txt"]);
    assert!(recorder.base().is_empty());
}

#[test]
fn the_current_directory_does_not_matter() {
    let repo = committed();
    repo.write("README", "staged").write("src/a.rs", "staged");
    repo.git(&["add", "--all"]);
    let (_, recorder) = staged_at(&repo.path().join("src/deep"), &IndexOptions::default()).unwrap();
    assert_eq!(recorder.origins(), ["index README", "index src/a.rs"]);
}

#[test]
fn another_index_file_is_honoured() {
    let repo = committed();
    let index = repo.outside().join("other-index");
    fs::copy(repo.path().join(".git/index"), &index).unwrap();
    repo.write("src/a.rs", "only in the other index");
    let added = repo.command().env("GIT_INDEX_FILE", &index).args(["add", "src/a.rs"]).status().unwrap();
    assert!(added.success());
    assert!(staged(&repo).1.origins().is_empty());

    for git_dir in [None, Some(OsString::from(".git"))] {
        let variable = |name: &str| match name {
            "GIT_INDEX_FILE" => Some(index.clone().into_os_string()),
            "GIT_DIR" => git_dir.clone(),
            _ => None,
        };
        let opened = Repository::from_variables(repo.path(), variable).unwrap();
        assert_eq!(opened.work_dir(), Some(repo.path()));
        let recorder = Recorder::default();
        scan(&opened, &IndexOptions::default(), &recorder).unwrap();
        assert_eq!(recorder.origins(), ["index src/a.rs"]);
    }
}

#[test]
fn a_linked_worktree_has_its_own_index() {
    let repo = committed();
    let tree = repo.outside().join("linked");
    repo.git(&["worktree", "add", "--quiet", &tree.to_string_lossy()]);
    fs::write(tree.join("README"), "staged there").unwrap();
    repo.git(&["-C", &tree.to_string_lossy(), "add", "README"]);
    assert!(staged(&repo).1.origins().is_empty());
    let (_, recorder) = staged_at(&tree, &IndexOptions::default()).unwrap();
    assert_eq!(recorder.origins(), ["index README"]);
}

#[test]
fn moved_content_is_handed_over_as_base_only_when_something_was_found() {
    let repo = committed();
    repo.write("src/a.rs", "needle").write("gone.txt", "old needle").commit("two");
    repo.git(&["mv", "src/a.rs", "moved.rs"]);
    repo.git(&["rm", "--quiet", "gone.txt"]);
    repo.write("README", "harmless change");
    repo.git(&["add", "README"]);
    let (_, recorder) = staged(&repo);
    assert_eq!(recorder.origins(), ["index README", "index moved.rs"]);
    let base: Vec<String> = recorder.base().iter().map(|seen| seen.origin.to_string()).collect();
    assert_eq!(base, ["README", "gone.txt", "src/a.rs"]);

    repo.commit("three");
    repo.write("README", "another harmless change");
    repo.git(&["add", "README"]);
    assert!(staged(&repo).1.base().is_empty());
}

#[test]
fn submodules_links_and_intent_to_add() {
    let inner = GitRepo::new();
    inner.write("lib.txt", "x").commit("library");
    let repo = committed();
    repo.git(&["submodule", "--quiet", "add", &inner.path().to_string_lossy(), "lib"]);
    repo.write("intended.txt", "needle");
    repo.git(&["add", "--intent-to-add", "intended.txt"]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("the-target", repo.path().join("link")).unwrap();
    #[cfg(unix)]
    repo.git(&["add", "link"]);
    let (coverage, recorder) = staged(&repo);
    assert_eq!(coverage.skipped[&SkipReason::Submodule], 1);
    assert!(recorder.kinds_with("needle").is_empty());
    #[cfg(unix)]
    assert_eq!(recorder.origins(), ["symlink-target link", "index .gitmodules"]);
}

#[test]
fn both_sides_of_a_conflict_are_scanned() {
    let repo = committed();
    repo.git(&["switch", "--quiet", "--create", "theirs"]);
    repo.write("README", "their side").write("their-new.txt", "x").commit("theirs");
    repo.git(&["switch", "--quiet", "main"]);
    repo.write("README", "our side").commit("ours");
    assert!(!repo.try_git(&["merge", "theirs"]).status.success());
    let (_, recorder) = staged(&repo);
    assert_eq!(recorder.origins(), ["index README", "index their-new.txt"]);
    assert_eq!(recorder.kinds_with("their side"), ["index"]);

    repo.write("README", "resolved");
    repo.git(&["add", "README"]);
    assert_eq!(staged(&repo).1.kinds_with("resolved"), ["index"]);
}

#[test]
fn new_names_are_scanned() {
    let repo = committed();
    let (name, directory) = ("c3d4".repeat(6), "e5f6".repeat(6));
    repo.write(format!("src/{name}.txt"), "x").write(format!("{directory}/a/b.txt"), "x");
    repo.git(&["add", "--all"]);
    assert_eq!(staged(&repo).1.paths("file-name"), [directory.clone(), format!("src/{name}.txt")]);
    repo.commit("two");
    repo.write(format!("src/{name}.txt"), "changed");
    repo.git(&["add", "--all"]);
    assert!(staged(&repo).1.paths("file-name").is_empty());
}

#[test]
fn limits_and_excludes_are_counted() {
    let repo = committed();
    repo.write("src/a.rs", "new").write("src/deep/b.rs", "new").write("README", "new");
    repo.git(&["rm", "--quiet", "-r", "zoo"]);
    repo.git(&["add", "--all"]);
    let limit = |paths: &[&str]| IndexOptions {
        limits: paths.iter().map(|&path| RepoPath::from(path)).collect(),
        ..IndexOptions::default()
    };
    let (coverage, recorder) = staged_at(repo.path(), &limit(&["src/deep/", "README"])).unwrap();
    assert_eq!(recorder.origins(), ["index README", "index src/deep/b.rs"]);
    assert_eq!(coverage.skipped[&SkipReason::OutOfScope], 1);
    assert_eq!(staged_at(repo.path(), &limit(&["zoo"])).unwrap().0.index_entries, 0);
    assert_eq!(staged_at(repo.path(), &limit(&["src.txt"])).unwrap().0.index_entries, 0);
    assert!(matches!(staged_at(repo.path(), &limit(&["sr"])), Err(SourceError::EmptyLimit { .. })));

    let exclude = GlobSet::builder().add(Glob::new("src/deep").unwrap()).build().unwrap();
    let (coverage, recorder) =
        staged_at(repo.path(), &IndexOptions { exclude, ..IndexOptions::default() }).unwrap();
    assert_eq!(recorder.origins(), ["index README", "index src/a.rs"]);
    assert_eq!(coverage.skipped[&SkipReason::Excluded], 1);
}

#[test]
fn a_staged_blob_that_is_gone_is_a_gap() {
    let repo = committed();
    repo.write("README", "soon gone").write("src/a.rs", "stays");
    repo.git(&["add", "--all"]);
    let blob = repo.git(&["rev-parse", ":README"]);
    fs::remove_file(repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let (coverage, recorder) = staged(&repo);
    assert_eq!(coverage.gaps.len(), 1);
    assert_eq!(coverage.gaps[0].kind, GapKind::Missing);
    assert_eq!(recorder.origins(), ["index src/a.rs"]);
}

#[test]
fn broken_index_and_head_are_errors() {
    let repo = committed();
    fs::write(repo.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(repo.path().join(".git/refs/heads/main"), format!("{}\n", "ab".repeat(20))).unwrap();
    assert!(matches!(staged_at(repo.path(), &IndexOptions::default()), Err(SourceError::Head { .. })));
    fs::write(repo.path().join(".git/index"), "not an index at all, really").unwrap();
    assert!(matches!(staged_at(repo.path(), &IndexOptions::default()), Err(SourceError::Index { .. })));
}

#[test]
fn the_staged_blob_is_named() {
    let repo = committed();
    repo.write("README", "named");
    repo.git(&["add", "README"]);
    let blob = repo.git(&["rev-parse", ":README"]).parse().unwrap();
    let expected = Origin::Index { path: "README".into(), blob };
    assert_eq!(staged(&repo).1.chunks()[0].origin, expected);
}

#[test]
fn sparse_and_split_indices_are_read() {
    let repo = committed();
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "zoo"]);
    assert!(staged(&repo).1.origins().is_empty());
    repo.git(&["sparse-checkout", "disable"]);
    repo.git(&["update-index", "--split-index"]);
    repo.write("README", "in a split index");
    repo.git(&["add", "README"]);
    assert_eq!(staged(&repo).1.origins(), ["index README"]);
}

#[test]
fn sha256_and_reftable_repositories_work() {
    for options in [["--object-format=sha256"], ["--ref-format=reftable"]] {
        let repo = GitRepo::with_options(&options);
        repo.write("a.txt", "x").commit("one");
        repo.write("b.txt", "needle");
        repo.git(&["add", "--all"]);
        let (coverage, recorder) = staged(&repo);
        assert!(recorder.origins().contains(&"index b.txt".to_owned()), "{options:?}");
        assert!(coverage.is_complete());
    }
}
