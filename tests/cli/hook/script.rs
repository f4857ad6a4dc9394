//! The script itself: it never lets anything pass by accident.

use super::*;

fn source() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/keycull-hook")).expect("the script")
}

/// Commits with nothing but the system on `PATH`.
fn commit(repo: &GitRepo) -> Run {
    let mut git = command(repo.path(), "git");
    git.env("PATH", BARE_PATH).args(["commit", "-m", "clean"]).output().expect("git runs").into()
}

#[test]
fn a_missing_program_stops_the_commit_with_a_way_out() {
    let repo = started();
    let hook = repo.path().join(".git/hooks/pre-commit");
    // The script as it is in the repository: it knows no program to fall back to.
    script(&hook, &source());
    staged(&repo, "a.txt", "nothing\n");
    let run = commit(&repo);
    assert_ne!(run.code, 0);
    for part in ["KEYCULL_BIN", "git commit --no-verify", "rm '.git/hooks/pre-commit'"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    // With another hook kept beside it, the way out brings that one back.
    script(&repo.path().join(".git/hooks/pre-commit.before-keycull"), "#!/bin/sh\n");
    assert!(commit(&repo).stderr.contains("mv '.git/hooks/pre-commit.before-keycull'"));
    // A program that is named but is not there, and one that fails.
    for bin in ["/no/such/program", "/bin/false"] {
        let mut git = command(repo.path(), "git");
        let run: Run = git
            .env("PATH", BARE_PATH)
            .env("KEYCULL_BIN", bin)
            .args(["commit", "-m", "clean"])
            .output()
            .expect("git runs")
            .into();
        assert_ne!(run.code, 0, "{bin}");
    }
    let mut git = command(repo.path(), "git");
    git.env("PATH", BARE_PATH).env("KEYCULL_BIN", env!("CARGO_BIN_EXE_keycull"));
    let run: Run = git.args(["commit", "-m", "clean"]).output().expect("git runs").into();
    run.expect(0);
}

#[test]
fn an_installed_hook_finds_its_program_without_path() {
    let repo = started();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    staged(&repo, "a.txt", "nothing\n");
    commit(&repo).expect(0);
}

#[test]
fn carriage_returns_stop_everything_and_are_found_out() {
    let repo = started();
    let hook = repo.path().join(".git/hooks/pre-commit");
    script(&hook, &source().replace('\n', "\r\n"));
    staged(&repo, "a.txt", "nothing\n");
    assert_ne!(git(repo.path(), &["commit", "-m", "clean"]).code, 0, "git cannot start it");
    // Some shells are started by name, as on Windows.
    for shell in ["sh", "bash"] {
        let mut command = command(repo.path(), shell);
        let run: Run = command.arg(&hook).output().expect("a shell").into();
        assert_ne!(run.code, 0, "{shell}: {}", run.stderr);
    }
    let status = keycull(repo.path(), &["hook", "status"]).expect(1);
    assert!(status.stdout.contains("carriage returns"), "{}", status.stdout);
    keycull(repo.path(), &["hook", "install"]).expect(0);
    git(repo.path(), &["commit", "-m", "clean"]).expect(0);
}

#[test]
fn a_copy_under_another_name_does_not_pass_for_a_hook() {
    let repo = started();
    script(&repo.path().join(".git/hooks/post-commit"), &source());
    let run: Run = command(repo.path(), ".git/hooks/post-commit").output().expect("a script").into();
    assert!(run.expect(1).stderr.contains("nothing to do as post-commit"));
}
