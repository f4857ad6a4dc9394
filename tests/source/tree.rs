//! Working trees and plain directories.

use std::fs;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use keycull::finding::{Coverage, GapKind, SkipReason};
use keycull::source::git::Repository;
use keycull::source::tree::{TreeOptions, scan};
use keycull::source::{SourceError, Windows};

use super::recorder::Recorder;
use crate::support::git::GitRepo;

fn scan_repo(repo: &GitRepo, change: impl FnOnce(&mut TreeOptions)) -> (Coverage, Recorder) {
    let mut options = TreeOptions::new(repo.path());
    change(&mut options);
    let recorder = Recorder::default();
    let opened = Repository::open(repo.path()).expect("git made it");
    (scan(&options, Some(&opened), &recorder).expect("a scan"), recorder)
}

fn globs(patterns: &[&str]) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    patterns.iter().for_each(|pattern| {
        builder.add(Glob::new(pattern).expect("a glob"));
    });
    builder.build().expect("a set of globs")
}

#[test]
fn tracked_files_are_scanned_whatever_the_ignore_rules_say() {
    let repo = GitRepo::new();
    repo.write(".env", "x").write("build/tracked.txt", "x").write("secret.log", "x").commit("one");
    repo.write(".gitignore", "*.log\nbuild/\n").write(".ignore", "*\n").write(".rgignore", "*\n");
    repo.write("build/untracked.txt", "x").write("other.log", "x").write("new.txt", "x");
    repo.write(".git/info/exclude", "excluded.txt\n").write("excluded.txt", "x");

    let (coverage, recorder) = scan_repo(&repo, |_| {});
    let expected =
        [".env", ".gitignore", ".ignore", ".rgignore", "build/tracked.txt", "new.txt", "secret.log"];
    assert_eq!(recorder.paths("file"), expected);
    assert_eq!(coverage.files, 7);
    // build/, other.log, excluded.txt
    assert_eq!(coverage.skipped[&SkipReason::GitIgnored], 3);
    assert!(coverage.is_complete());

    let (coverage, recorder) = scan_repo(&repo, |options| options.no_ignore = true);
    assert_eq!(recorder.paths("file").len(), 10);
    assert_eq!(coverage.skipped.get(&SkipReason::GitIgnored), None);
}

#[test]
fn excludes_file_of_the_repository_hides_untracked_files_only() {
    let repo = GitRepo::new();
    repo.write("tracked.tmp", "x").commit("one");
    let excludes = repo.outside().join("excludes");
    fs::write(&excludes, "*.tmp\n").unwrap();
    repo.git(&["config", "core.excludesFile", &excludes.to_string_lossy()]);
    repo.write("untracked.tmp", "x");
    let (coverage, recorder) = scan_repo(&repo, |_| {});
    assert_eq!(recorder.paths("file"), ["tracked.tmp"]);
    assert_eq!(coverage.skipped[&SkipReason::GitIgnored], 1);
}

#[test]
fn a_plain_directory_has_no_ignore_rules() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(".gitignore"), "*\n").unwrap();
    fs::write(directory.path().join(".hidden"), "x").unwrap();
    let recorder = Recorder::default();
    let coverage = scan(&TreeOptions::new(directory.path()), None, &recorder).unwrap();
    assert_eq!(recorder.paths("file"), [".gitignore", ".hidden"]);
    assert_eq!(coverage.bytes, 3);
}

#[test]
fn excluded_paths_are_counted_even_when_tracked() {
    let repo = GitRepo::new();
    repo.write("vendor/a.js", "x")
        .write("vendor/b.js", "x")
        .write("src/a.min.js", "x")
        .write("src/a.js", "x");
    repo.write(".gitignore", "vendor/\n").commit("one");
    let (coverage, recorder) =
        scan_repo(&repo, |options| options.exclude = globs(&["vendor", "vendor/**", "*.min.js"]));
    assert_eq!(recorder.paths("file"), [".gitignore", "src/a.js"]);
    assert_eq!(coverage.skipped[&SkipReason::Excluded], 2);
}

#[test]
fn nested_repositories_and_submodules_are_counted_not_entered() {
    let inner = GitRepo::new();
    inner.write("inner.txt", "x").commit("inner");
    let repo = GitRepo::new();
    repo.write("outer.txt", "x").write("fake/.git/nothing", "x").write("fake/file.txt", "x");
    repo.git(&["submodule", "--quiet", "add", &inner.path().to_string_lossy(), "module"]);
    repo.git(&["clone", "--quiet", &inner.path().to_string_lossy(), "deep/nested"]);
    let (coverage, recorder) = scan_repo(&repo, |_| {});
    assert_eq!(recorder.paths("file"), [".gitmodules", "fake/file.txt", "outer.txt"]);
    assert_eq!(coverage.nested, ["deep/nested", "module"]);
    assert_eq!(coverage.skipped[&SkipReason::NestedRepository], 1);
    assert_eq!(coverage.skipped[&SkipReason::Submodule], 1);
}

#[test]
fn limits_select_files_and_directories() {
    let repo = GitRepo::new();
    repo.write("a/one.txt", "x")
        .write("a/b/two.txt", "x")
        .write("c.txt", "x")
        .write("d.txt", "x")
        .commit("one");
    repo.write("a/.gitignore", "*.log\n").write("a/x.log", "x").write("a/named.log", "x");
    let limits = ["a/b", "a", "c.txt", "a/named.log"];
    let (coverage, recorder) =
        scan_repo(&repo, |options| options.limits = limits.iter().map(PathBuf::from).collect());
    assert_eq!(recorder.paths("file"), ["a/.gitignore", "a/b/two.txt", "a/one.txt", "c.txt"]);
    assert_eq!(coverage.skipped[&SkipReason::GitIgnored], 2);
    let (_, recorder) = scan_repo(&repo, |options| options.limits = vec!["a/named.log".into()]);
    assert_eq!(recorder.paths("file"), ["a/named.log"]);
}

#[test]
fn limits_that_leave_nothing_are_errors() {
    let repo = GitRepo::new();
    repo.write("a.txt", "x").commit("one");
    fs::create_dir(repo.path().join("empty")).unwrap();
    let opened = Repository::open(repo.path()).unwrap();
    let error = |limit: &str| {
        let options = TreeOptions { limits: vec![limit.into()], ..TreeOptions::new(repo.path()) };
        scan(&options, Some(&opened), &Recorder::default()).unwrap_err()
    };
    assert!(matches!(error("nowhere"), SourceError::Path { .. }));
    assert!(matches!(error("empty"), SourceError::EmptyLimit { .. }));
    assert!(matches!(error(".git/config"), SourceError::EmptyLimit { .. }));
    assert!(matches!(error("../.."), SourceError::EmptyLimit { .. }));
}

#[test]
fn a_single_file_is_reported_by_its_name() {
    let repo = GitRepo::new();
    repo.write("deep/file.txt", "needle");
    let recorder = Recorder::default();
    let coverage = scan(&TreeOptions::new(repo.path().join("deep/file.txt")), None, &recorder).unwrap();
    assert_eq!((recorder.origins(), coverage.files), (vec!["file file.txt".to_owned()], 1));
}

#[test]
fn a_root_below_the_working_tree_still_knows_what_is_tracked() {
    let repo = GitRepo::new();
    repo.write("sub/tracked.log", "x").write("sub/deep/a.txt", "x").write("top.txt", "x").commit("one");
    repo.write(".gitignore", "*.log\n").write("sub/untracked.log", "x");
    let (_, recorder) = scan_repo(&repo, |options| options.root = repo.path().join("sub"));
    assert_eq!(recorder.paths("file"), ["deep/a.txt", "tracked.log"]);
}

#[test]
fn long_names_are_scanned_as_text() {
    let directory = tempfile::tempdir().unwrap();
    let name = "a1b2".repeat(6);
    fs::create_dir(directory.path().join(&name)).unwrap();
    fs::write(directory.path().join(&name).join("plain.txt"), "x").unwrap();
    let recorder = Recorder::default();
    scan(&TreeOptions::new(directory.path()), None, &recorder).unwrap();
    assert_eq!(recorder.paths("file-name"), [name]);
}

#[test]
fn wide_text_arrives_as_utf8() {
    let directory = tempfile::tempdir().unwrap();
    let wide: Vec<u8> = "key = needle\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(directory.path().join("wide.txt"), wide).unwrap();
    let recorder = Recorder::default();
    scan(&TreeOptions::new(directory.path()), None, &recorder).unwrap();
    assert_eq!(recorder.chunks()[0].bytes, b"key = needle\r\n");
}

#[test]
fn large_files_come_in_windows_that_find_what_lies_across_cuts() {
    let directory = tempfile::tempdir().unwrap();
    let mut content = "x".repeat(100_000);
    content.replace_range(4_995..5_001, "needle");
    fs::write(directory.path().join("big.txt"), &content).unwrap();
    let windows = Windows { whole_up_to: 1_000, size: 5_000, overlap: 100 };
    let recorder = Recorder::default();
    let options = TreeOptions { windows, ..TreeOptions::new(directory.path()) };
    let coverage = scan(&options, None, &recorder).unwrap();
    assert_eq!((coverage.files, coverage.bytes), (1, 100_000));
    assert!(recorder.chunks().len() >= 20);
    assert!(recorder.chunks().iter().all(|seen| seen.bytes.len() <= 5_300));
    assert_eq!(recorder.kinds_with("needle"), ["file"]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_read_not_followed() {
        let repo = GitRepo::new();
        repo.write("dir/file.txt", "x");
        symlink("/etc", repo.path().join("outside")).unwrap();
        symlink(".", repo.path().join("dir/loop")).unwrap();
        symlink("gone", repo.path().join("dangling")).unwrap();
        let (coverage, recorder) = scan_repo(&repo, |_| {});
        assert_eq!(recorder.paths("file"), ["dir/file.txt"]);
        assert_eq!(recorder.paths("symlink-target"), ["dangling", "dir/loop", "outside"]);
        assert_eq!(recorder.kinds_with("/etc"), ["symlink-target"]);
        assert!(coverage.is_complete());
    }

    #[test]
    fn a_tracked_path_is_not_followed_through_a_link() {
        let repo = GitRepo::new();
        repo.write("real/file.txt", "x").write("moved/file.txt", "x").commit("one");
        fs::remove_dir_all(repo.path().join("moved")).unwrap();
        symlink("real", repo.path().join("moved")).unwrap();
        let (coverage, recorder) = scan_repo(&repo, |_| {});
        assert_eq!(recorder.origins(), ["file real/file.txt", "symlink-target moved"]);
        assert!(coverage.is_complete());
    }

    #[test]
    fn pipes_and_sockets_are_counted_and_never_opened() {
        let directory = tempfile::tempdir().unwrap();
        let status =
            std::process::Command::new("mkfifo").arg(directory.path().join("pipe")).status().unwrap();
        assert!(status.success());
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        let recorder = Recorder::default();
        let coverage = scan(&TreeOptions::new(directory.path()), None, &recorder).unwrap();
        assert_eq!(coverage.skipped[&SkipReason::NotAFile], 2);
        assert!(recorder.chunks().is_empty());
        let named = scan(&TreeOptions::new(directory.path().join("pipe")), None, &recorder);
        assert!(matches!(named, Err(SourceError::NotAFile { .. })));
    }

    #[test]
    fn unreadable_files_and_directories_are_gaps() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("closed.txt"), "x").unwrap();
        fs::create_dir(root.join("closed")).unwrap();
        fs::write(root.join("open.txt"), "x").unwrap();
        let mode = |name: &str, bits| {
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(bits)).unwrap()
        };
        mode("closed.txt", 0);
        mode("closed", 0);
        if fs::File::open(root.join("closed.txt")).is_ok() {
            return; // the superuser reads everything
        }
        let recorder = Recorder::default();
        let coverage = scan(&TreeOptions::new(root), None, &recorder).unwrap();
        mode("closed", 0o700);
        let gaps: Vec<_> = coverage.gaps.iter().map(|gap| (gap.kind, gap.what.as_str())).collect();
        assert_eq!(gaps, [(GapKind::Unreadable, "closed"), (GapKind::Unreadable, "closed.txt")]);
        assert_eq!(recorder.paths("file"), ["open.txt"]);
    }

    #[test]
    fn names_need_not_be_utf8() {
        let repo = GitRepo::new();
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
        fs::write(repo.path().join(name), "x").unwrap();
        repo.commit("one");
        repo.write(".gitignore", "*.txt\n");
        let (_, recorder) = scan_repo(&repo, |_| {});
        assert_eq!(recorder.paths("file"), [".gitignore", "caf\\xe9.txt"]);
        let chunks = recorder.chunks();
        let path = chunks[1].origin.path().unwrap();
        assert_eq!(Path::new(std::ffi::OsStr::from_bytes(path.as_bytes())), Path::new(name));
    }
}
