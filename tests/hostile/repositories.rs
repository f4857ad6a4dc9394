//! Repositories and trees that lay traps.

use std::time::Duration;

use super::{measured, within_limits};
use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{run, run_with_input};

const MOST: Duration = Duration::from_secs(60);

fn leak(seed: u64) -> String {
    format!("KEY={}\n", stripe_key(seed))
}

#[test]
fn nothing_in_a_repository_is_ever_run() {
    let repo = GitRepo::new();
    repo.write("a.txt", leak(1)).commit("leak");
    let mark = repo.path().join("ran");
    let run_it = format!("touch '{}'", mark.display());
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "core.askPass",
        "diff.external",
        "diff.x.textconv",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "alias.log",
        "gpg.program",
    ] {
        repo.git(&["config", key, &format!("!{run_it}")]);
    }
    repo.write(".gitattributes", "* filter=x diff=x\n");
    for hook in ["pre-commit", "post-index-change", "fsmonitor-watchman"] {
        let path = repo.path().join(".git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("hooks");
        std::fs::write(&path, format!("#!/bin/sh\n{run_it}\n")).expect("a hook");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        }
    }
    for args in [&["scan"][..], &["scan", "--staged"], &["scan", "--history-only"]] {
        let code = run(repo.path(), args).code;
        assert!(code == 1 || code == 0, "{args:?}: {code}");
        assert!(!mark.exists(), "{args:?} ran something");
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_out() {
    let outside = tempfile::tempdir().expect("a directory");
    std::fs::write(outside.path().join("private"), leak(2)).expect("a file");
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n");
    let link = |target: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(target, repo.path().join(name)).expect("a link");
    };
    link(outside.path(), "directory");
    link(&outside.path().join("private"), "file");
    link(std::path::Path::new("loop"), "loop");
    link(std::path::Path::new("/dev/zero"), "endless");
    link(std::path::Path::new(".."), "up");
    let done = measured(repo.path(), &["scan", "--no-history"]);
    within_limits("links", &done, 0, MOST);
}

#[test]
fn names_are_never_printed_raw() {
    let repo = GitRepo::new();
    for (seed, name) in ["esc\x1b[2J\x1b]0;title\x07", "new\nline", "tab\tcr\rback\x08", "rtl\u{202e}txt.exe"]
        .iter()
        .enumerate()
    {
        repo.write(name, leak(20 + seed as u64));
    }
    repo.commit("names");
    for format in ["text", "json", "sarif", "gitlab", "junit", "github"] {
        let found = run(repo.path(), &["scan", "--format", format]).expect(1);
        for raw in ['\x1b', '\x07', '\x08', '\r'] {
            assert!(!found.stdout.contains(raw), "{format}: {raw:?} in {}", found.stdout);
        }
        assert!(!found.stdout.contains("new\nline"), "{format}: {}", found.stdout);
    }
}

#[test]
fn a_git_directory_elsewhere_is_not_led_astray() {
    let victim = tempfile::tempdir().expect("a directory");
    std::fs::write(victim.path().join("private"), leak(3)).expect("a file");
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n").commit("start");
    repo.git(&["config", "core.worktree", &victim.path().display().to_string()]);
    let found = run(repo.path(), &["scan", "--format", "json"]);
    assert!(!found.stdout.contains("private"), "{}", found.stdout);
    // An include of something that is no configuration, and one that never ends.
    repo.git(&["config", "--unset", "core.worktree"]);
    repo.git(&["config", "include.path", "config"]);
    let code = run(repo.path(), &["scan"]).code;
    assert!(code == 0 || code == 2, "{code}");
}

#[test]
fn text_made_against_matchers_is_linear() {
    for (case, unit) in [
        ("letters", "a".repeat(64)),
        ("nested", "[({".repeat(21)),
        ("quotes", "\"'`\\".repeat(16)),
        ("names", "password=password=".to_owned()),
        ("schemes", "a://b:c@".to_owned()),
        ("percent", "%41".to_owned()),
        ("escapes", "\\u0041\\x41&#65;".to_owned()),
        ("digits", "AbC123+/".to_owned()),
        ("joins", "\"a\" +\n".to_owned()),
        ("printable base64", "YWJjZGVmZ2hpamtsbW5vcHFy".to_owned()),
    ] {
        let text = unit.repeat((4 << 20) / unit.len());
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("a.txt"), &text).expect("a file");
        let done = measured(directory.path(), &["scan", "a.txt"]);
        assert!(matches!(done.run.code, 0 | 1 | 3), "{case}: {}", done.run.stderr);
        let code = done.run.code;
        within_limits(case, &done, code, MOST);
    }
}

#[test]
fn standard_input_is_no_exception() {
    let directory = tempfile::tempdir().expect("a directory");
    let packed = crate::support::pack::gzip(leak(4).as_bytes());
    let found = run_with_input(directory.path(), &["scan", "-", "--format", "json"], &packed).expect(1);
    assert!(found.stdout.contains("!content"), "{}", found.stdout);
}
