//! How hooks come and go.

use super::*;

const NAMES: [&str; 4] = ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"];

#[test]
fn a_hook_that_is_there_keeps_running_and_comes_back_as_it_was() {
    let repo = started();
    let hooks = repo.path().join(".git/hooks");
    for name in NAMES {
        script(&hooks.join(name), &format!("#!/bin/sh\necho \"{name} $*\" >>\"$HOME/ran\"\n[ ! -e stop ]\n"));
    }
    // A link and a hook that is switched off, besides.
    script(&repo.path().join("tools/merge"), "#!/bin/sh\necho linked >>\"$HOME/ran\"\n");
    fs::remove_file(hooks.join("pre-merge-commit")).expect("a file");
    std::os::unix::fs::symlink("../../tools/merge", hooks.join("pre-merge-commit")).expect("a link");
    fs::set_permissions(hooks.join("commit-msg"), fs::Permissions::from_mode(0o644)).expect("permissions");
    let before = snapshot(&hooks);

    let installed = keycull(repo.path(), &["hook", "install"]).expect(0);
    assert_eq!(installed.stdout.matches("still runs").count(), 4, "{}", installed.stdout);
    let again = keycull(repo.path(), &["hook", "install"]).expect(0);
    assert_eq!(again.stdout.matches("renewed").count(), 4, "{}", again.stdout);
    let status = keycull(repo.path(), &["hook", "status"]).expect(0);
    assert!(status.stdout.contains("pre-commit.before-keycull"), "{}", status.stdout);

    staged(&repo, "a.env", leak(1));
    stopped(&git(repo.path(), &["commit", "-m", "leak"]), "a.env", &[1]);
    staged(&repo, "a.env", "clean\n");
    git(repo.path(), &["commit", "--quiet", "-m", "clean"]).expect(0);
    let ran = fs::read_to_string(repo.outside().join("home/ran")).expect("it ran");
    assert_eq!(ran, "pre-commit \npre-commit \n", "both runs, and what was switched off stays so");
    // The other hook still has its say.
    repo.write("stop", "");
    staged(&repo, "b.txt", "clean\n");
    assert_ne!(git(repo.path(), &["commit", "-m", "clean"]).code, 0);
    fs::remove_file(repo.path().join("stop")).expect("a file");
    // Both read what is pushed.
    git(&repo.outside(), &["init", "--quiet", "--bare", "remote.git"]).expect(0);
    git(repo.path(), &["push", "--quiet", "../remote.git", "main"]).expect(0);
    let ran = fs::read_to_string(repo.outside().join("home/ran")).expect("it ran");
    assert!(ran.ends_with("pre-push ../remote.git ../remote.git\n"), "{ran}");

    keycull(repo.path(), &["hook", "uninstall"]).expect(0);
    assert_eq!(snapshot(&hooks), before);
    let nothing = keycull(repo.path(), &["hook", "uninstall"]).expect(0);
    assert!(nothing.stdout.contains("no hook of keycull"), "{}", nothing.stdout);
}

#[test]
fn a_hook_put_over_keycull_s_is_not_lost() {
    let repo = started();
    let hooks = repo.path().join(".git/hooks");
    script(&hooks.join("pre-commit"), "#!/bin/sh\n# first\n");
    keycull(repo.path(), &["hook", "install"]).expect(0);
    script(&hooks.join("pre-commit"), "#!/bin/sh\n# second\n");
    let before = snapshot(&hooks);
    let refused = keycull(repo.path(), &["hook", "install"]).expect(2);
    assert!(refused.stderr.contains("before-keycull is there already"), "{}", refused.stderr);
    assert_eq!(snapshot(&hooks), before, "nothing is half installed");
    keycull(repo.path(), &["hook", "uninstall"]).expect(0);
    let left: Vec<_> = snapshot(&hooks).into_values().map(|(_, text)| text).collect();
    assert_eq!(left, [b"#!/bin/sh\n# second\n".to_vec(), b"#!/bin/sh\n# first\n".to_vec()]);
}

#[test]
fn what_cannot_be_installed_whole_is_not_installed() {
    let repo = started();
    let hooks = repo.path().join(".git/hooks");
    fs::create_dir_all(hooks.join("pre-push")).expect("a directory in the way");
    let refused = keycull(repo.path(), &["hook", "install"]).expect(2);
    assert!(refused.stderr.contains("pre-push is a directory"), "{}", refused.stderr);
    assert!(snapshot(&hooks).is_empty());
    keycull(repo.path(), &["hook", "install", "--hook", "pre-commit", "--hook", "commit-msg"]).expect(0);
    assert_eq!(snapshot(&hooks).len(), 2);
}

#[test]
fn hooks_go_where_git_looks_for_them() {
    let repo = started();
    repo.git(&["worktree", "add", "--quiet", "-b", "linked", "../linked"]);
    keycull(&repo.outside().join("linked"), &["hook", "install"]).expect(0);
    assert!(repo.path().join(".git/hooks/pre-commit").is_file(), "worktrees share the hooks");
    keycull(repo.path(), &["hook", "uninstall"]).expect(0);

    let sub = repo.path().join("sub");
    fs::create_dir(&sub).expect("a directory");
    git(repo.path(), &["config", "core.hooksPath", ".githooks"]).expect(0);
    keycull(&sub, &["hook", "install"]).expect(0);
    assert!(repo.path().join(".githooks/pre-commit").is_file(), "relative to the top of the working tree");
    keycull(&sub, &["hook", "status"]).expect(0);
    staged(&repo, "a.env", leak(1));
    stopped(&git(&sub, &["commit", "-m", "leak"]), "a.env", &[1]);
}

#[test]
fn hooks_that_never_run_are_found() {
    let repo = started();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    git(repo.path(), &["config", "core.hooksPath", ".githooks"]).expect(0);
    let status = keycull(repo.path(), &["hook", "status"]).expect(1);
    assert_eq!(status.stdout.matches("never runs: ").count(), 4, "{}", status.stdout);
    assert!(status.stdout.contains("core.hooksPath of the local configuration"), "{}", status.stdout);
    // Uninstalling takes them out of both places.
    keycull(repo.path(), &["hook", "install"]).expect(0);
    keycull(repo.path(), &["hook", "uninstall"]).expect(0);
    assert!(!repo.path().join(".git/hooks/pre-commit").exists());
    assert!(!repo.path().join(".githooks/pre-commit").exists());
    git(repo.path(), &["config", "--unset", "core.hooksPath"]).expect(0);

    keycull(repo.path(), &["hook", "install"]).expect(0);
    let hook = repo.path().join(".git/hooks/pre-commit");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).expect("permissions");
    let status = keycull(repo.path(), &["hook", "status"]).expect(1);
    assert!(status.stdout.contains("pre-commit: not scanned"), "{}", status.stdout);
    assert!(status.stdout.contains("is not executable"), "{}", status.stdout);
}

#[test]
fn hooks_for_all_repositories_pass_on_to_their_own() {
    let repo = started();
    script(&repo.path().join(".git/hooks/pre-commit"), "#!/bin/sh\necho pre >>\"$HOME/ran\"\n");
    script(&repo.path().join(".git/hooks/post-commit"), "#!/bin/sh\necho post >>\"$HOME/ran\"\n");
    let home = home(repo.path());
    fs::write(home.join(".gitconfig"), "[user]\n\tname = x\n").expect("a file");
    let before = snapshot(&home);
    keycull(repo.path(), &["hook", "install", "--global"]).expect(0);
    keycull(repo.path(), &["hook", "install", "--global"]).expect(0);
    let status = keycull(repo.path(), &["hook", "status"]).expect(0);
    assert!(status.stdout.contains("core.hooksPath of the global configuration"), "{}", status.stdout);

    staged(&repo, "a.env", leak(1));
    stopped(&git(repo.path(), &["commit", "-m", "leak"]), "a.env", &[1]);
    staged(&repo, "a.env", "clean\n");
    git(repo.path(), &["commit", "--quiet", "-m", "clean"]).expect(0);
    assert_eq!(fs::read_to_string(home.join("ran")).expect("they ran"), "pre\npre\npost\n");
    fs::remove_file(home.join("ran")).expect("a file");

    // Here alone is not possible without setting the place for here alone.
    let refused = keycull(repo.path(), &["hook", "install"]).expect(2);
    assert!(refused.stderr.contains("global") && refused.stderr.contains("--global"), "{}", refused.stderr);
    // A place for here alone shadows it.
    git(repo.path(), &["config", "core.hooksPath", ".githooks"]).expect(0);
    let status = keycull(repo.path(), &["hook", "status"]).expect(1);
    assert!(status.stdout.contains("never runs: ") && status.stdout.contains("home"), "{}", status.stdout);
    git(repo.path(), &["config", "--unset", "core.hooksPath"]).expect(0);

    keycull(repo.path(), &["hook", "uninstall", "--global"]).expect(0);
    assert_eq!(snapshot(&home), before, "nothing is left, and the configuration is as it was");
}

#[test]
fn somebody_else_s_hooks_for_all_repositories_are_chained() {
    let repo = started();
    let home = home(repo.path());
    script(&home.join("hooks/pre-commit"), "#!/bin/sh\necho mine >>\"$HOME/ran\"\n");
    git(repo.path(), &["config", "--global", "core.hooksPath", "~/hooks"]).expect(0);
    let before = snapshot(&home);
    keycull(repo.path(), &["hook", "install", "--global"]).expect(0);
    staged(&repo, "a.env", leak(1));
    stopped(&git(repo.path(), &["commit", "-m", "leak"]), "a.env", &[1]);
    assert_eq!(fs::read_to_string(home.join("ran")).expect("it ran"), "mine\n");
    fs::remove_file(home.join("ran")).expect("a file");
    keycull(repo.path(), &["hook", "uninstall", "--global"]).expect(0);
    assert_eq!(snapshot(&home), before);
}

#[test]
fn hooks_in_the_configuration_need_a_git_that_reads_them() {
    let repo = started();
    let config = repo.path().join(".git/config");
    let before = fs::read(&config).expect("a file");
    if !git_reads_configured_hooks() {
        let refused = keycull(repo.path(), &["hook", "install", "--config"]).expect(2);
        assert!(refused.stderr.contains("2.54") && refused.stderr.contains("hint: "), "{}", refused.stderr);
        assert_eq!(fs::read(&config).expect("a file"), before);
        // Somebody wrote it all the same: it is told that it does nothing.
        git(repo.path(), &["config", "hook.x.command", "keycull hook run pre-commit"]).expect(0);
        git(repo.path(), &["config", "hook.x.event", "pre-commit"]).expect(0);
        let status = keycull(repo.path(), &["hook", "status"]).expect(1);
        assert!(status.stdout.contains("this git does not read"), "{}", status.stdout);
        return;
    }
    for place in [&["--config"][..], &["--config", "--global"]] {
        let with = |verb| [&["hook", verb][..], place].concat();
        keycull(repo.path(), &with("install")).expect(0);
        keycull(repo.path(), &with("install")).expect(0);
        let status = keycull(repo.path(), &["hook", "status"]).expect(0);
        assert!(status.stdout.contains("pre-push: scanned; hook.keycull-pre-push"), "{}", status.stdout);
        staged(&repo, "a.env", leak(1));
        stopped(&git(repo.path(), &["commit", "-m", "leak"]), "a.env", &[1]);
        let message = leak(2);
        stopped(
            &git(repo.path(), &["commit", "-m", &message, "readme.txt", "--allow-empty"]),
            "commit message",
            &[2],
        );
        keycull(repo.path(), &with("uninstall")).expect(0);
        assert_eq!(fs::read(&config).expect("a file"), before);
        keycull(repo.path(), &["hook", "status"]).expect(1);
    }
}
