//! Full disks, closed pipes, missing permissions, too little of everything: an error, never a
//! wrong "clean".
#![cfg(unix)]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::git::{GitRepo, scrubbed_git};
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, command, program, run};

fn leaking() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("a.txt", format!("KEY={}\n", stripe_key(1))).commit("leak");
    repo
}

/// Runs the program from a shell that has set `limit` first.
fn limited(directory: &Path, limit: &str, args: &str) -> Run {
    let program = program().display().to_string();
    let mut shell = Command::new("sh");
    shell.current_dir(directory).env("HOME", directory);
    let script = format!("{limit}; exec '{program}' {args}");
    shell.args(["-c", &script]).stdin(Stdio::null()).output().expect("a shell").into()
}

#[cfg(target_os = "linux")]
/// Starts a program and kills it after `wait` milliseconds.
fn killed_after(wait: u64, program: &mut std::process::Command) {
    let program = program.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().expect("the program starts");
    std::thread::sleep(Duration::from_millis(wait));
    child.kill().expect("a signal");
    child.wait().expect("an end");
}

#[test]
fn a_full_disk_is_an_error() {
    let repo = leaking();
    let full = limited(repo.path(), "true", "scan --format json > /dev/full");
    assert_eq!(full.code, 2, "{}", full.stderr);
    assert!(!full.stderr.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_halfway_leaves_the_old_report() {
    let repo = leaking();
    let report = repo.outside().join("report.json");
    std::fs::write(&report, "old").expect("a file");
    // A file may have one block of 512 bytes, and the signal that would end the program is ignored.
    let limit = "trap '' XFSZ; ulimit -f 1";
    let full = limited(repo.path(), limit, &format!("scan --format json --output '{}'", report.display()));
    assert_eq!(full.code, 2, "{}", full.stderr);
    assert!(full.stderr.contains("report.json"), "{}", full.stderr);
    assert_eq!(std::fs::read_to_string(&report).expect("a report"), "old");
    let left: Vec<_> = std::fs::read_dir(repo.outside()).expect("a directory").flatten().collect();
    assert_eq!(left.len(), 2, "nothing but the repository and the report: {left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_put_anywhere_is_an_error() {
    let repo = leaking();
    // Nobody may make files there, not even root.
    let lost = run(repo.path(), &["scan", "--format", "json", "--output", "/proc/report.json"]);
    assert_eq!(lost.code, 2, "{}", lost.stderr);
    assert!(lost.stderr.contains("/proc"), "{}", lost.stderr);
}

/// Every file below, with its size and the time of its last change.
fn listing(directory: &Path, files: &mut Vec<(std::path::PathBuf, u64, std::time::SystemTime)>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let about = std::fs::symlink_metadata(&path).expect("it is there");
        files.push((path.clone(), about.len(), about.modified().expect("a time")));
        if about.is_dir() {
            listing(&path, files);
        }
    }
}

#[test]
fn a_read_only_repository_is_scanned_and_nothing_is_written_to_it() {
    use std::os::unix::fs::PermissionsExt;
    let repo = leaking();
    repo.write("staged.txt", format!("KEY={}\n", stripe_key(2))).git(&["add", "."]);
    let mut before = Vec::new();
    listing(repo.path(), &mut before);
    let mode = |mode: u32| {
        for (path, ..) in before.iter().filter(|(path, ..)| path.is_dir()) {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
        }
    };
    mode(0o555);
    for args in [&["scan"][..], &["scan", "--staged"], &["scan", "--history-only"]] {
        run(repo.path(), args).expect(1);
    }
    mode(0o755);
    let mut after = Vec::new();
    listing(repo.path(), &mut after);
    // Root may write everywhere, so this is the proof for everybody.
    assert_eq!(before, after);
}

#[test]
fn a_closed_pipe_is_silent() {
    let repo = leaking();
    let mut child = command(repo.path())
        .args(["scan", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut text = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut text).expect("text");
    let status = child.wait().expect("an end");
    assert!(!text.contains("panicked") && !text.contains("Broken pipe"), "{text}");
    assert_ne!(status.code(), Some(0), "a pipe that nobody reads proves nothing");
}

#[test]
fn too_little_memory_is_no_clean_scan() {
    let repo = leaking();
    for kib in [20_000, 40_000, 80_000, 160_000] {
        let run = limited(repo.path(), &format!("ulimit -v {kib}"), "scan");
        assert_ne!(run.code, 0, "{kib} KiB: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn too_few_file_handles_are_no_clean_scan() {
    let repo = leaking();
    for number in 20..40 {
        repo.write(format!("dir{number}/a.txt"), "nothing\n");
    }
    for handles in [4, 6, 8, 12, 16] {
        let run = limited(repo.path(), &format!("ulimit -n {handles}"), "scan");
        assert_ne!(run.code, 0, "{handles} handles: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn a_killed_run_leaves_the_old_report() {
    let repo = leaking();
    for number in 0..300 {
        repo.write(format!("f{number}"), "text ".repeat(20_000));
    }
    let report = repo.outside().join("report.json");
    std::fs::write(&report, "old").expect("a file");
    for wait in [0, 5, 20, 60, 150] {
        let mut scan = command(repo.path());
        killed_after(wait, scan.args(["scan", "--format", "json", "--output"]).arg(&report));
        let text = std::fs::read_to_string(&report).expect("a report");
        let whole = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        assert!(text == "old" || whole, "half a report after {wait} ms");
    }
    run(repo.path(), &["scan", "--format", "json"]).expect(1);
}

#[test]
fn a_killed_incremental_scan_leaves_a_state_that_can_be_used() {
    let repo = leaking();
    for number in 0..40 {
        repo.write(format!("f{number}"), format!("text {number} ").repeat(20_000));
    }
    repo.commit("more");
    for wait in [0, 5, 20, 60, 150] {
        killed_after(wait, command(repo.path()).args(["scan", "--history-only", "--incremental"]));
        run(repo.path(), &["scan", "--history-only", "--incremental"]).expect(1);
    }
}

#[test]
fn a_history_that_is_repacked_meanwhile_is_scanned_all_the_same() {
    let repo = leaking();
    for number in 0..60 {
        repo.write("f", format!("line {number}\n").repeat(500 + number)).commit("more");
    }
    let path = repo.path().to_owned();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let mut git = scrubbed_git();
                let done = git.current_dir(&path).args(["repack", "-q", "-a", "-d", "-f"]).output();
                assert!(done.expect("git starts").status.success());
            }
        });
        for _ in 0..10 {
            let found = run(repo.path(), &["scan", "--history-only"]);
            assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_tree_that_changes_meanwhile_is_scanned_all_the_same() {
    let repo = leaking();
    for number in 0..400 {
        repo.write(format!("d{}/f{number}", number % 20), "text ".repeat(2_000));
    }
    let path = repo.path().to_owned();
    let busy = std::thread::spawn(move || {
        for round in 0..40 {
            for number in 0..20 {
                let directory = path.join(format!("d{number}"));
                let _ = std::fs::remove_file(directory.join(format!("f{}", round * 10 + number)));
                let _ = std::fs::write(directory.join("new"), "text ".repeat(round));
            }
        }
    });
    let found = run(repo.path(), &["scan", "--no-history"]);
    busy.join().expect("the writer");
    assert_eq!(found.code, 1, "{}", found.stderr);
}
