//! Git hooks: installed where git looks, never over somebody else's, and stopping real commits.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, command, run};

/// Git with its hooks on and with the built program first on `PATH`.
fn git(directory: &Path, args: &[&str]) -> Run {
    git_with_path(directory, args, &path_with_program())
}

fn path_with_program() -> String {
    let program =
        Path::new(env!("CARGO_BIN_EXE_keycull")).parent().expect("a directory").display().to_string();
    format!("{program}:{}", std::env::var("PATH").expect("a PATH"))
}

fn git_with_path(directory: &Path, args: &[&str], path: &str) -> Run {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_clear()
        .envs([("PATH", path), ("HOME", "/nonexistent"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(args)
        .stdin(Stdio::null());
    command.output().expect("git runs").into()
}

fn staged(repo: &GitRepo, name: &str, text: String) {
    repo.write(name, text);
    repo.git(&["add", name]);
}

#[test]
fn an_installed_hook_stops_a_leaking_commit_and_lets_a_clean_one_pass() {
    let repo = GitRepo::new();
    let installed = run(repo.path(), &["hook", "install"]).expect(0);
    assert_eq!(installed.stdout.matches("installed").count(), 2, "{}", installed.stdout);
    run(repo.path(), &["hook", "status"]).expect(0);

    staged(&repo, "a.env", format!("KEY={}\n", stripe_key(1)));
    let stopped = git(repo.path(), &["commit", "-m", "leak"]);
    assert_ne!(stopped.code, 0, "{}{}", stopped.stdout, stopped.stderr);
    let said = stopped.stdout + &stopped.stderr;
    assert!(said.contains("a.env") && !said.contains(&stripe_key(1)), "{said}");

    repo.git(&["rm", "--cached", "--quiet", "a.env"]);
    staged(&repo, "b.txt", "nothing\n".to_owned());
    let passed = git(repo.path(), &["commit", "-m", "clean"]).expect(0);
    assert!(!passed.stdout.contains("No secrets"), "a clean commit is silent: {}", passed.stdout);

    run(repo.path(), &["hook", "uninstall"]).expect(0);
    run(repo.path(), &["hook", "status"]).expect(1);
    staged(&repo, "a.env", format!("KEY={}\n", stripe_key(1)));
    git(repo.path(), &["commit", "-m", "no hook"]).expect(0);
}

#[test]
fn a_partial_commit_is_scanned_as_it_will_be() {
    let repo = GitRepo::new();
    staged(&repo, "a.txt", "nothing\n".to_owned());
    staged(&repo, "b.txt", "nothing\n".to_owned());
    git(repo.path(), &["commit", "-m", "start"]).expect(0);
    run(repo.path(), &["hook", "install"]).expect(0);
    // `git commit a.txt` takes a.txt from the working tree, through an index of its own.
    repo.write("a.txt", format!("KEY={}\n", stripe_key(1)));
    let stopped = git(repo.path(), &["commit", "-m", "leak", "a.txt"]);
    assert_ne!(stopped.code, 0, "{}{}", stopped.stdout, stopped.stderr);
    staged(&repo, "a.txt", format!("KEY={}\n", stripe_key(1)));
    repo.write("b.txt", "something\n");
    git(repo.path(), &["commit", "-m", "b alone", "b.txt"]).expect(0);
}

#[test]
fn a_merge_is_scanned_too() {
    let repo = GitRepo::new();
    staged(&repo, "a.txt", "nothing\n".to_owned());
    git(repo.path(), &["commit", "-m", "start"]).expect(0);
    git(repo.path(), &["checkout", "-q", "-b", "side"]).expect(0);
    staged(&repo, "leak.env", format!("KEY={}\n", stripe_key(1)));
    git(repo.path(), &["commit", "-m", "leak on the side"]).expect(0);
    git(repo.path(), &["checkout", "-q", "main"]).expect(0);
    run(repo.path(), &["hook", "install"]).expect(0);
    let stopped = git(repo.path(), &["merge", "--no-ff", "-m", "merge", "side"]);
    assert_ne!(stopped.code, 0, "{}{}", stopped.stdout, stopped.stderr);
    assert!((stopped.stdout + &stopped.stderr).contains("leak.env"));
}

#[test]
fn a_missing_program_stops_the_commit_with_a_way_out() {
    let repo = GitRepo::new();
    let hook = repo.path().join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().expect("a directory")).expect("a directory");
    // The script as it is in the repository: it knows no program to fall back to.
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/pre-commit"), &hook).expect("a copy");
    staged(&repo, "a.txt", "nothing\n".to_owned());
    let stopped = git_with_path(repo.path(), &["commit", "-m", "clean"], "/usr/bin:/bin");
    assert_ne!(stopped.code, 0);
    assert!(
        stopped.stderr.contains("KEYCULL_BIN") && stopped.stderr.contains("--no-verify"),
        "{}",
        stopped.stderr
    );
}

#[test]
fn an_installed_hook_finds_its_program_without_path() {
    let repo = GitRepo::new();
    run(repo.path(), &["hook", "install"]).expect(0);
    staged(&repo, "a.txt", "nothing\n".to_owned());
    git_with_path(repo.path(), &["commit", "-m", "clean"], "/usr/bin:/bin").expect(0);
}

#[test]
fn somebody_else_s_hook_stays_and_nothing_is_half_installed() {
    let repo = GitRepo::new();
    let hooks = repo.path().join(".git/hooks");
    fs::create_dir_all(&hooks).expect("a directory");
    fs::write(hooks.join("pre-merge-commit"), "#!/bin/sh\nexit 0\n").expect("a file");
    let refused = run(repo.path(), &["hook", "install"]).expect(2);
    assert!(
        refused.stderr.contains("pre-merge-commit") && refused.stderr.contains("keycull scan --staged"),
        "{}",
        refused.stderr
    );
    assert!(!hooks.join("pre-commit").exists());
    run(repo.path(), &["hook", "uninstall"]).expect(0);
    assert_eq!(
        fs::read_to_string(hooks.join("pre-merge-commit")).expect("still there"),
        "#!/bin/sh\nexit 0\n"
    );
}

#[test]
fn hooks_go_where_git_looks_for_them() {
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n").commit("start");
    repo.git(&["worktree", "add", "--quiet", "../linked"]);
    run(&repo.outside().join("linked"), &["hook", "install"]).expect(0);
    assert!(repo.path().join(".git/hooks/pre-commit").is_file(), "worktrees share the hooks");
    run(repo.path(), &["hook", "uninstall"]).expect(0);

    let sub = repo.path().join("sub");
    fs::create_dir(&sub).expect("a directory");
    repo.git(&["config", "core.hooksPath", ".githooks"]);
    run(&sub, &["hook", "install"]).expect(0);
    assert!(repo.path().join(".githooks/pre-commit").is_file(), "relative to the top of the working tree");
}

#[test]
fn a_directory_that_other_repositories_share_is_refused() {
    let repo = GitRepo::new();
    let shared: PathBuf = repo.outside().join("shared");
    fs::write(repo.outside().join("gitconfig"), format!("[core]\n\thooksPath = {}\n", shared.display()))
        .expect("a file");
    let refused: Run = command(repo.path())
        .args(["hook", "install"])
        .env("GIT_CONFIG_GLOBAL", repo.outside().join("gitconfig"))
        .output()
        .expect("it runs")
        .into();
    let refused = refused.expect(2);
    assert!(refused.stderr.contains("global") && refused.stderr.contains("hint: "), "{}", refused.stderr);
    assert!(!shared.exists());
}

#[test]
fn hooks_need_a_repository() {
    let empty = tempfile::tempdir().expect("a directory");
    for verb in ["install", "uninstall", "status"] {
        run(empty.path(), &["hook", verb]).expect(2);
    }
}

mod needs_tools {
    //! The real pre-commit framework, with the hooks this repository publishes.

    use super::*;

    fn pre_commit() -> PathBuf {
        let tools = std::env::var_os("KEYCULL_TOOLS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"), PathBuf::from);
        let program = tools.join("venv/bin/pre-commit");
        assert!(program.is_file(), "{} is missing: run .ci/tools", program.display());
        program
    }

    fn framework(repo: &GitRepo, args: &[&str]) -> Run {
        let mut command = Command::new(pre_commit());
        command
            .current_dir(repo.path())
            .env_clear()
            .envs([("PATH", path_with_program().as_str()), ("GIT_CONFIG_NOSYSTEM", "1")])
            .env("HOME", repo.outside())
            .env("PRE_COMMIT_HOME", repo.outside().join("cache"))
            .args(args)
            .stdin(Stdio::null());
        command.output().expect("it runs").into()
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn the_published_hook_stops_leaks_however_many_files_are_staged() {
        // A repository that publishes the hook file as it is here.
        let published = GitRepo::new();
        let hooks =
            fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml")).expect("a file");
        published.write(".pre-commit-hooks.yaml", hooks);
        let revision = published.commit("publish");

        let repo = GitRepo::new();
        let config = format!(
            "repos:\n  - repo: {}\n    rev: {revision}\n    hooks:\n      - id: keycull-system\n",
            published.path().display()
        );
        staged(&repo, ".pre-commit-config.yaml", config);
        let clean = framework(&repo, &["run", "keycull-system"]).expect(0);
        assert!(clean.stdout.contains("Passed"), "{}", clean.stdout);
        staged(&repo, "a.txt", "nothing\n".to_owned());
        staged(&repo, "b.txt", "nothing\n".to_owned());
        framework(&repo, &["run", "keycull-system"]).expect(0);
        staged(&repo, "c.env", format!("KEY={}\n", stripe_key(1)));
        let leaking = framework(&repo, &["run", "keycull-system"]).expect(1);
        assert!(leaking.stdout.contains("c.env") && leaking.stdout.contains("Failed"), "{}", leaking.stdout);
        framework(&repo, &["run", "keycull-system", "--all-files"]).expect(1);
    }
}
