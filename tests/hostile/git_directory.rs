//! `.git` that is no directory, leads elsewhere or never ends, and git directories of odd files: a clear
//! answer in little time, never a silent "clean" and never anything that is run.
#![cfg(unix)]

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{measured, within_limits};
use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::run;

const MOST: Duration = Duration::from_secs(20);

/// A directory of one harmless file, whose `.git` is made by `make`.
fn with_git(make: impl FnOnce(&Path)) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("a.txt"), "nothing\n").expect("a file");
    make(&directory.path().join(".git"));
    directory
}

/// Insists that every way to scan says that the repository cannot be opened, and why.
#[track_caller]
fn refused(case: &str, directory: &Path, why: &str) {
    for args in [&["scan"][..], &["scan", "."], &["scan", "--staged"], &["scan", "--history-only"]] {
        let done = measured(directory, args);
        within_limits(&format!("{case}: {args:?}"), &done, 2, MOST);
        let said = &done.run.stderr;
        assert!(said.contains("cannot open the git repository"), "{case}, {args:?}: {said}");
        assert!(said.contains(why), "{case}, {args:?}: {said}");
    }
}

#[test]
fn a_git_file_that_leads_nowhere_is_an_error() {
    let text = |content: &[u8]| with_git(|path| std::fs::write(path, content).expect("a file"));
    let nothing = text(b"gitdir: /no/such/place\n");
    refused("nowhere", nothing.path(), "HEAD");
    refused("itself", text(b"gitdir: .git\n").path(), "HEAD");
    refused("not UTF-8", text(b"gitdir: \xff\xfe\n").path(), "HEAD");
    refused("not a path", text(b"gitdir: \0\n").path(), "");
    refused("no text", text(b"").path(), "gitdir: <path>");
    refused("other text", text(b"hello\n").path(), "gitdir: <path>");
    let huge = with_git(|path| {
        let file = std::fs::File::create(path).expect("a file");
        file.set_len(3 << 30).expect("a sparse file");
    });
    refused("of 3 GB", huge.path(), "larger than");
}

#[test]
fn a_git_link_that_leads_nowhere_is_an_error() {
    let link = |target: &str| with_git(|path| symlink(target, path).expect("a link"));
    refused("dangling", link("no/such/place").path(), "leads nowhere");
    refused("a loop", link(".git").path(), "leads nowhere");
    refused("endless", link("/dev/zero").path(), "neither a file nor a directory");
}

#[test]
fn a_repository_below_another_with_a_broken_git_is_not_taken_for_the_other() {
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n").write("inner/b.txt", "nothing\n").commit("start");
    symlink("no/such/place", repo.path().join("inner/.git")).expect("a link");
    let inner = repo.path().join("inner");
    refused("below another", &inner, "leads nowhere");
    // From above it is a directory like any other, and its files are scanned.
    repo.write("inner/c.txt", format!("KEY={}\n", stripe_key(1)));
    let found = run(repo.path(), &["scan", "--no-history"]).expect(1);
    assert!(found.stdout.contains("inner/c.txt"), "{}", found.stdout);
}

/// A git directory that would do something if anybody let it.
fn trap(mark: &Path) -> GitRepo {
    let lender = GitRepo::new();
    lender.write("lent.txt", format!("KEY={}\n", stripe_key(2))).commit("leak");
    let run_it = format!("touch '{}'", mark.display());
    for key in ["core.fsmonitor", "core.alternateRefsCommand", "core.sshCommand", "credential.helper"] {
        lender.git(&["config", key, &format!("!{run_it}")]);
    }
    let hooks = lender.outside().join("hooks");
    std::fs::create_dir(&hooks).expect("a directory");
    for hook in ["pre-commit", "post-index-change", "post-checkout", "fsmonitor-watchman"] {
        use std::os::unix::fs::PermissionsExt;
        let path = hooks.join(hook);
        std::fs::write(&path, format!("#!/bin/sh\n{run_it}\n")).expect("a hook");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    lender.git(&["config", "core.hooksPath", &hooks.display().to_string()]);
    lender
}

#[test]
fn a_git_directory_elsewhere_is_read_as_git_reads_it_and_runs_nothing() {
    let marks = tempfile::tempdir().expect("a directory");
    let mark = marks.path().join("ran");
    let lender = trap(&mark);
    let elsewhere = lender.path().join(".git");
    let file = with_git(|path| {
        std::fs::write(path, [b"gitdir: ", elsewhere.as_os_str().as_bytes(), b"\n"].concat())
            .expect("a file");
    });
    let link = with_git(|path| symlink(&elsewhere, path).expect("a link"));
    for directory in [file.path(), link.path()] {
        for args in [&["scan"][..], &["scan", "."], &["scan", "--history-only"]] {
            let found = run(directory, args).expect(1);
            assert!(found.stdout.contains("lent.txt"), "{args:?}: {}", found.stdout);
        }
        run(directory, &["scan", "--staged"]);
        assert!(!mark.exists(), "something ran");
    }
}

#[test]
fn settings_that_name_commands_and_places_have_no_say() {
    let marks = tempfile::tempdir().expect("a directory");
    let mark = marks.path().join("ran");
    let repo = trap(&mark);
    let victim = tempfile::tempdir().expect("a directory");
    std::fs::write(victim.path().join("private"), format!("KEY={}\n", stripe_key(3))).expect("a file");
    let private = victim.path().join("private");
    // An include that sets what the repository's own file does not.
    let included = victim.path().join("config");
    std::fs::write(&included, format!("[core]\n\tworktree = {}\n", victim.path().display())).expect("a file");
    for (key, value) in [
        ("core.worktree", victim.path()),
        ("include.path", &included),
        ("core.excludesFile", &private),
        ("core.attributesFile", &private),
        ("mailmap.file", &private),
    ] {
        repo.git(&["config", key, &value.display().to_string()]);
    }
    for args in [&["scan", "--format", "json"][..], &["scan", ".", "--format", "json"]] {
        let found = run(repo.path(), args).expect(1);
        assert!(found.stdout.contains("lent.txt"), "{}", found.stdout);
        assert!(!found.stdout.contains("private"), "{}", found.stdout);
        assert!(!mark.exists(), "something ran");
    }
}

#[test]
fn borrowed_objects_are_scanned_or_told_whatever_they_are() {
    let marks = tempfile::tempdir().expect("a directory");
    let lender = trap(&marks.path().join("ran"));
    let lent = lender.path().join(".git/objects");
    let lines: [(&[u8], i32); 7] = [
        (lent.as_os_str().as_bytes(), 1),
        // Itself, and itself by another name.
        (b"../objects", 2),
        (b"../../.git/objects", 2),
        (b"/no/such/place", 3),
        (b"\xff\xfe", 3),
        (b"\"a\\", 3),
        (b"info/alternates", 2),
    ];
    for (line, code) in lines {
        let repo = GitRepo::new();
        repo.write("a.txt", "nothing\n").commit("start");
        repo.write(".git/objects/info/alternates", [line, b"\n"].concat());
        let case = String::from_utf8_lossy(line);
        let done = measured(repo.path(), &["scan", "--format", "json"]);
        within_limits(&format!("alternates: {case}"), &done, code, MOST);
    }
    // Damage in what is borrowed is no "clean".
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n").commit("start");
    let borrowed = lender.outside().join("objects");
    std::fs::create_dir_all(borrowed.join("pack")).expect("a directory");
    std::fs::write(borrowed.join("pack/pack-1.pack"), b"PACK\0\0\0\x02\xff\xff\xff\xff junk")
        .expect("a file");
    repo.write(".git/objects/info/alternates", borrowed.as_os_str().as_bytes());
    run(repo.path(), &["scan"]).expect(3);
    assert!(!marks.path().join("ran").exists(), "something ran");
}

/// Puts a pipe that nobody writes to in the place of a file.
fn pipe(repo: &GitRepo, name: &str) {
    let path = repo.path().join(name);
    let _ = std::fs::remove_file(&path);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
}

#[test]
fn pipes_and_devices_in_a_git_directory_are_not_waited_for() {
    let loose = format!(".git/objects/ab/{}", "1".repeat(38));
    let names = [
        ("HEAD", &[2][..]),
        ("config", &[2]),
        ("packed-refs", &[2]),
        ("shallow", &[2]),
        ("commondir", &[2]),
        ("index", &[2, 3]),
        ("objects/info/alternates", &[2]),
        ("objects/pack/pack-1.pack", &[3]),
        ("objects/pack/pack-1.idx", &[0, 3]),
        (loose.strip_prefix(".git/").expect("a prefix"), &[3]),
        ("refs/heads/main", &[2]),
        ("refs/heads/other", &[0, 3]),
        ("logs/HEAD", &[0, 3]),
        ("info/exclude", &[0, 3]),
    ];
    for (name, codes) in names {
        let repo = GitRepo::new();
        repo.write("a.txt", "nothing\n").commit("start");
        repo.git(&["pack-refs", "--all"]);
        let name = format!(".git/{name}");
        pipe(&repo, &name);
        // Asks for no signal handler: whoever waits for a pipe ends by this alone.
        let mut scan = Command::new("timeout");
        scan.args(["-s", "KILL", "20"]).arg(crate::support::tool::program()).arg("scan");
        let done = scan.current_dir(repo.path()).env("HOME", repo.path()).output().expect("timeout runs");
        let code = done.status.code().unwrap_or(-1);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(codes.contains(&code), "{name}: {code}: {said}");
    }
    for name in ["config", "packed-refs", "HEAD"] {
        let repo = GitRepo::new();
        repo.write("a.txt", "nothing\n").commit("start");
        let path = repo.path().join(".git").join(name);
        let _ = std::fs::remove_file(&path);
        symlink("/dev/zero", &path).expect("a link");
        let done = measured(repo.path(), &["scan"]);
        within_limits(&format!("an endless {name}"), &done, 2, MOST);
    }
}
