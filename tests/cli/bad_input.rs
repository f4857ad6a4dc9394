//! Bad input: a clear message, the right exit code, nothing lost and no panic.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, run};

use super::{json, places};

/// Exit code 2 with one line that says what and, perhaps, one that says what next.
#[track_caller]
fn refused(run: Run) -> String {
    let run = run.expect(2);
    assert!(run.stdout.is_empty(), "nothing was decided: {}", run.stdout);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    assert!(run.stderr.lines().count() <= 2, "{}", run.stderr);
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("internal error"), "{}", run.stderr);
    run.stderr
}

#[test]
fn staged_outside_a_repository() {
    let empty = tempfile::tempdir().expect("a directory");
    assert!(refused(run(empty.path(), &["scan", "--staged"])).contains("not inside a git repository"));
}

#[test]
fn a_path_that_does_not_exist() {
    let repo = GitRepo::new();
    assert!(refused(run(repo.path(), &["scan", "no/such/file"])).contains("no/such/file"));
}

#[test]
fn a_git_file_that_leads_nowhere() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join(".git"), "gitdir: /no/such/place\n").expect("a file");
    refused(run(dir.path(), &["scan"]));
    refused(run(dir.path(), &["scan", "."]));
}

#[test]
fn an_unknown_rule_names_the_nearest() {
    let repo = GitRepo::new();
    let message = refused(run(repo.path(), &["scan", "--rule", "github-patt"]));
    assert!(message.contains("unknown rule `github-patt`, did you mean `github-pat`?"), "{message}");
    refused(run(repo.path(), &["scan", "--exclude-rule", "nothing-*"]));
}

#[test]
fn a_rule_file_with_an_error_names_the_line() {
    let repo = GitRepo::new();
    repo.write("mine.toml", "schema = 1\n\n[[rule]]\nid = \"acme-key\"\nkind = \"tokken\"\n");
    let message = refused(run(repo.path(), &["scan", "--rules", "mine.toml"]));
    assert!(message.contains("mine.toml:"), "{message}");
    assert!(message.contains("keycull rules check mine.toml"), "{message}");
    refused(run(repo.path(), &["scan", "--rules", "no-such.toml"]));
    refused(run(repo.path(), &["scan", "--rules", "."]));
}

#[test]
fn a_glob_that_is_none() {
    let repo = GitRepo::new();
    assert!(refused(run(repo.path(), &["scan", "--exclude", "a["])).contains("--exclude"));
    assert!(
        refused(run(repo.path(), &["scan", "--accept-incomplete", "gone"])).contains("unknown kind of gap")
    );
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_the_scan() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)));
    assert!(refused(run(repo.path(), &["scan", "--output", "."])).contains("directory"));
    assert!(refused(run(repo.path(), &["scan", "--report", "json=no/such/a.json"])).contains("mkdir -p"));
    refused(run(repo.path(), &["scan", "--report", "json"]));
    refused(run(repo.path(), &["scan", "--report", "yaml=a"]));
    refused(run(repo.path(), &["scan", "--report", "json=a", "--report", "sarif=a"]));
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_scanned_and_shown_safely() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let repo = GitRepo::new();
    let name = Path::new(OsStr::from_bytes(b"bad\xff\x1b[31m.env"));
    repo.write(name, format!("KEY={}\n", stripe_key(1))).commit("odd name");
    for format in ["text", "json", "jsonl", "sarif"] {
        let run = run(repo.path(), &["scan", "--format", format]).expect(1);
        assert!(!run.stdout.contains('\u{1b}'), "{format}: a raw escape reached the output");
        assert!(run.stdout.contains("bad"), "{format}: the file is named");
    }
    let directory = repo.path().to_owned();
    run(&directory, &[OsStr::new("scan"), name.as_os_str()]).expect(1);
}

#[cfg(unix)]
#[test]
fn fifos_and_devices_do_not_stop_a_scan() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)));
    let fifo = repo.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs").success());
    let whole = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    assert_eq!(places(&whole), ["a.env"]);
    assert_eq!(json(&whole)["coverage"]["skipped"]["not-a-file"], 1, "{}", whole.stdout);
    let message = refused(run(repo.path(), &["scan", "pipe"]));
    assert!(message.contains("keycull scan - < "), "{message}");
    refused(run(Path::new("/"), &["scan", "/dev/null"]));
}

#[cfg(unix)]
#[test]
fn a_directory_loop_ends() {
    let repo = GitRepo::new();
    repo.write("sub/a.env", format!("KEY={}\n", stripe_key(1)));
    std::os::unix::fs::symlink("..", repo.path().join("sub/up")).expect("a link");
    std::os::unix::fs::symlink("self", repo.path().join("self")).expect("a link");
    let whole = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    assert_eq!(places(&whole), ["sub/a.env"]);
    refused(run(repo.path(), &["scan", "self"]));
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_makes_a_clean_scan_incomplete() {
    use std::os::unix::fs::PermissionsExt;
    let repo = GitRepo::new();
    repo.write("locked.txt", "nothing\n").write("open.txt", "nothing\n");
    let locked = repo.path().join("locked.txt");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("permissions");
    if fs::read(&locked).is_ok() {
        // Root reads everything, so this can only be seen as an ordinary user; the same path
        // through the program is covered by the missing object below.
        return;
    }
    let args = ["scan", "--no-history", "--format", "json"];
    let found = run(repo.path(), &args).expect(3);
    assert_eq!(json(&found)["coverage"]["gaps"][0]["kind"], "unreadable");
    run(repo.path(), &["scan", "--no-history", "--accept-incomplete", "unreadable:locked.txt"]).expect(0);
    run(repo.path(), &["scan", "--no-history", "--accept-incomplete", "unreadable:other.txt"]).expect(3);
}

#[test]
fn a_missing_object_makes_a_clean_scan_incomplete_unless_accepted() {
    let repo = GitRepo::new();
    repo.write("a.txt", "one\n").commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:a.txt"]);
    let object = repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(object).expect("a loose object");
    let clean = run(repo.path(), &["scan", "--format", "json"]).expect(3);
    assert_eq!(json(&clean)["coverage"]["gaps"][0]["kind"], "missing");
    run(repo.path(), &["scan", "--accept-incomplete", "missing"]).expect(0);
    run(repo.path(), &["scan", "--accept-incomplete", "shallow"]).expect(3);
    repo.write("b.env", format!("KEY={}\n", stripe_key(1)));
    run(repo.path(), &["scan"]).expect(1);
}

#[test]
fn a_long_single_line_is_scanned_to_its_end() {
    let repo = GitRepo::new();
    let mut text = "x ".repeat(10 << 20);
    text.push_str(&format!("KEY={}", stripe_key(1)));
    repo.write("long.txt", text);
    let found = run(repo.path(), &["scan", "long.txt"]).expect(1);
    assert!(found.stdout.len() < 10_000, "long lines are cut for display: {} bytes", found.stdout.len());
}

#[test]
fn nonsense_on_the_command_line_is_usage() {
    let repo = GitRepo::new();
    for args in [&["frobnicate"][..], &["scan", "--confidence", "sure"], &["scan", "--jobs", "-1"], &[]] {
        let run = run(repo.path(), args).expect(2);
        assert!(!run.stderr.is_empty());
    }
}
