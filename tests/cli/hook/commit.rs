//! Hooks of commits and merges.

use super::*;

#[test]
fn an_installed_hook_stops_a_leaking_commit_and_lets_a_clean_one_pass() {
    let repo = GitRepo::new();
    let installed = keycull(repo.path(), &["hook", "install"]).expect(0);
    assert_eq!(installed.stdout.matches("installed").count(), 4, "{}", installed.stdout);
    keycull(repo.path(), &["hook", "status"]).expect(0);

    staged(&repo, "a.env", leak(1));
    let run = git(repo.path(), &["commit", "-m", "leak"]);
    stopped(&run, "a.env", &[1]);
    for next in ["git rm --cached -- a.env", "keycull:allow[", "git commit --no-verify"] {
        assert!(run.stderr.contains(next), "{}", run.stderr);
    }

    repo.git(&["rm", "--cached", "--quiet", "a.env"]);
    staged(&repo, "b.txt", "nothing\n");
    let passed = git(repo.path(), &["commit", "--quiet", "-m", "clean"]).expect(0);
    assert_eq!(passed.stdout + &passed.stderr, "", "a clean commit is silent");

    staged(&repo, "it's a.env", leak(1));
    let run = git(repo.path(), &["commit", "-m", "leak"]);
    assert!(run.stderr.contains("git restore --staged -- 'it'\\''s a.env'"), "{}", run.stderr);

    keycull(repo.path(), &["hook", "uninstall"]).expect(0);
    keycull(repo.path(), &["hook", "status"]).expect(1);
    git(repo.path(), &["commit", "-m", "no hook"]).expect(0);
}

#[test]
fn a_partial_commit_is_scanned_as_it_will_be() {
    let repo = started();
    repo.write("a.txt", "nothing\n").write("b.txt", "nothing\n").commit("files");
    keycull(repo.path(), &["hook", "install"]).expect(0);
    // `git commit a.txt` takes a.txt from the working tree, through an index of its own.
    for args in [
        &["commit", "-m", "leak", "a.txt"][..],
        &["commit", "-m", "leak", "--only", "a.txt"],
        &["commit", "-m", "leak", "--include", "a.txt"],
        &["commit", "-m", "leak", "--all"],
        &["commit", "--amend", "--no-edit", "--all"],
    ] {
        repo.write("a.txt", leak(1));
        stopped(&git(repo.path(), args), "a.txt", &[1]);
        git(repo.path(), &["reset", "--quiet", "--hard"]).expect(0);
    }
    staged(&repo, "a.txt", leak(1));
    repo.write("b.txt", "something\n");
    git(repo.path(), &["commit", "-m", "b alone", "b.txt"]).expect(0);
    // What is staged counts, not what the file holds by now.
    repo.write("a.txt", "nothing\n");
    stopped(&git(repo.path(), &["commit", "-m", "leak"]), "a.txt", &[1]);
    // And the other way round.
    git(repo.path(), &["reset", "--quiet", "--hard"]).expect(0);
    staged(&repo, "a.txt", "harmless\n");
    repo.write("a.txt", leak(1));
    git(repo.path(), &["commit", "-m", "clean"]).expect(0);
}

#[test]
fn commits_from_anywhere_are_scanned() {
    let repo = started();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    // A sub-directory.
    staged(&repo, "sub/a.env", leak(1));
    stopped(&git(&repo.path().join("sub"), &["commit", "-m", "leak"]), "sub/a.env", &[1]);
    repo.git(&["reset", "--quiet", "--hard"]);
    // A linked worktree.
    repo.git(&["worktree", "add", "--quiet", "-b", "linked", "../linked"]);
    let linked = repo.outside().join("linked");
    fs::write(linked.join("b.env"), leak(2)).expect("a file");
    git(&linked, &["add", "."]).expect(0);
    stopped(&git(&linked, &["commit", "-m", "leak"]), "b.env", &[2]);
    // From outside, by --git-dir and --work-tree.
    staged(&repo, "c.env", leak(3));
    let (git_dir, tree) = (repo.path().join(".git"), repo.path().to_owned());
    let by_name = [
        format!("--git-dir={}", git_dir.display()),
        format!("--work-tree={}", tree.display()),
        "commit".to_owned(),
        "-mleak".to_owned(),
    ];
    let args: Vec<&str> = by_name.iter().map(String::as_str).collect();
    stopped(&git(&repo.outside(), &args), "c.env", &[3]);
    stopped(&git(&repo.outside(), &["-C", "repo", "commit", "-m", "leak"]), "c.env", &[3]);
}

#[test]
fn a_submodule_has_hooks_of_its_own() {
    let inner = started();
    let outer = started();
    outer.git(&["submodule", "--quiet", "add", &inner.path().display().to_string(), "part"]);
    outer.commit("submodule");
    let part = outer.path().join("part");
    keycull(&part, &["hook", "install"]).expect(0);
    assert!(outer.path().join(".git/modules/part/hooks/pre-commit").is_file());
    assert!(!outer.path().join(".git/hooks/pre-commit").exists());
    fs::write(part.join("a.env"), leak(1)).expect("a file");
    git(&part, &["add", "."]).expect(0);
    stopped(&git(&part, &["commit", "-m", "leak"]), "a.env", &[1]);
}

#[test]
fn a_merge_is_scanned_too() {
    let repo = started();
    git(repo.path(), &["checkout", "-q", "-b", "side"]).expect(0);
    staged(&repo, "leak.env", leak(1));
    git(repo.path(), &["commit", "-m", "leak on the side"]).expect(0);
    git(repo.path(), &["checkout", "-q", "main"]).expect(0);
    keycull(repo.path(), &["hook", "install"]).expect(0);
    let run = git(repo.path(), &["merge", "--no-ff", "-m", "merge", "side"]);
    stopped(&run, "leak.env", &[1]);
    assert!(run.stderr.contains("git merge --no-verify"), "{}", run.stderr);
    // A merge with conflicts is made by `git commit`.
    git(repo.path(), &["merge", "--abort"]);
    git(repo.path(), &["reset", "--quiet", "--hard"]).expect(0);
    staged(&repo, "leak.env", "other\n");
    git(repo.path(), &["commit", "-m", "other"]).expect(0);
    assert_ne!(git(repo.path(), &["merge", "side"]).code, 0);
    staged(&repo, "leak.env", format!("other\n{}", leak(1)));
    stopped(&git(repo.path(), &["commit", "--no-edit"]), "leak.env", &[1]);
}

#[test]
fn a_message_is_scanned_as_git_will_keep_it() {
    let repo = started();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    let message = format!("Deploy with {}", leak(1));
    let run = git(repo.path(), &["commit", "--allow-empty", "-m", &message]);
    stopped(&run, "commit message:1:", &[1]);
    assert!(run.stderr.contains("git commit --edit --file=.git/COMMIT_EDITMSG"), "{}", run.stderr);
    // Without an editor, git keeps such lines.
    let message = format!("Deploy\n\n# with {}", leak(1));
    stopped(&git(repo.path(), &["commit", "--allow-empty", "-m", &message]), "commit message:3:", &[1]);
    git(repo.path(), &["commit", "--allow-empty", "-m", "clean"]).expect(0);

    // With one, it takes them out, and the diff that `--verbose` shows.
    repo.write("old.env", leak(2));
    git(repo.path(), &["add", "."]).expect(0);
    git(repo.path(), &["commit", "--no-verify", "-m", "leak"]).expect(0);
    git(repo.path(), &["rm", "--quiet", "old.env"]).expect(0);
    let editor = repo.outside().join("editor");
    crate::support::witness::planted(&editor);
    script(&editor, "#!/bin/sh\nprintf 'clean up\\n' | cat - \"$1\" >\"$1.new\" && mv \"$1.new\" \"$1\"\n");
    let mut edited = command(repo.path(), "git");
    edited.env("EDITOR", &editor).args(["commit", "--verbose"]);
    let run: Run = edited.output().expect("git runs").into();
    run.expect(0);
    // But what was written above it counts.
    script(
        &editor,
        &format!("#!/bin/sh\nprintf 'use {}' | cat - \"$1\" >\"$1.new\" && mv \"$1.new\" \"$1\"\n", leak(3)),
    );
    let mut edited = command(repo.path(), "git");
    edited.env("EDITOR", &editor).args(["commit", "--verbose", "--allow-empty"]);
    stopped(&edited.output().expect("git runs").into(), "commit message:1:", &[3]);
}

#[test]
fn only_sure_findings_stop_a_commit_unless_asked() {
    let repo = started();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    let key = stripe_key(1);
    staged(&repo, "a.env", leak(1));
    staged(&repo, "keycull.toml", "[hook]\nconfidence = \"high\"\n");
    stopped(&git(repo.path(), &["commit", "-m", "sure"]), "a.env", &[1]);
    // A marker lets it pass.
    staged(&repo, "a.env", format!("KEY={key} # keycull:allow[stripe-secret-key] sample\n"));
    git(repo.path(), &["commit", "-m", "allowed"]).expect(0);
    // What people set for scans does not touch hooks.
    staged(&repo, "b.env", leak(2));
    staged(&repo, "keycull.toml", "format = \"json\"\nconfidence = \"high\"\n");
    let run = git(repo.path(), &["commit", "-m", "leak"]);
    stopped(&run, "b.env", &[2]);
    assert!(!run.stderr.contains("\"findings\""), "hooks speak to people: {}", run.stderr);
}

#[test]
fn settings_that_are_broken_stop_a_commit_with_a_way_out() {
    let repo = started();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    for (text, named) in [
        ("confidense = \"low\"\n", "keycull.toml:1"),
        ("[hook]\ntime-budget = \"0s\"\n", "leaves no time"),
        ("[hook]\nconfidence = 3\n", "keycull.toml:2"),
        ("[[allow", "keycull.toml:1"),
    ] {
        staged(&repo, "keycull.toml", text);
        let run = git(repo.path(), &["commit", "-m", "clean"]);
        assert_ne!(run.code, 0);
        for part in [named, "nothing was scanned", "git commit --no-verify"] {
            assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
        }
    }
}

#[test]
fn a_damaged_repository_stops_a_commit() {
    let repo = started();
    keycull(repo.path(), &["hook", "install"]).expect(0);
    staged(&repo, "a.txt", "lost\n");
    let blob = repo.git(&["hash-object", "a.txt"]);
    let file = repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(file).expect("a loose object");
    let run = keycull(repo.path(), &["hook", "run", "pre-commit"]).expect(3);
    assert!(run.stderr.contains("not everything could be read"), "{}", run.stderr);
}

#[test]
fn hooks_run_by_hand_say_what_is_missing() {
    let empty = tempfile::tempdir().expect("a directory");
    let empty = empty.path().join("in");
    fs::create_dir(&empty).expect("a directory");
    for verb in [&["install"][..], &["uninstall"], &["status"], &["run", "pre-commit"], &["run", "pre-push"]]
    {
        let mut args = vec!["hook"];
        args.extend(verb);
        let run = keycull(&empty, &args).expect(2);
        assert!(run.stderr.contains("not inside a git repository"), "{verb:?}: {}", run.stderr);
    }
    let repo = started();
    for (args, named) in [
        (&["run", "post-commit"][..], "pre-receive"),
        (&["run"], "NAME"),
        (&["run", "commit-msg"], "needs the file"),
        (&["run", "commit-msg", "no/such/file"], "no/such/file"),
        (&["run", "update", "refs/heads/x"], "three arguments"),
        (&["run", "pre-receive", "--time-budget", "0s"], "leaves no time"),
        (&["run", "pre-receive", "--time-budget", "fast"], "a number and a unit"),
        (&["install", "--hook", "post-commit"], "pre-receive"),
        (&["install", "--husky", "--global"], "--husky"),
    ] {
        let mut all = vec!["hook"];
        all.extend(args);
        let run = keycull(repo.path(), &all).expect(2);
        assert!(run.stderr.contains(named), "{args:?}: {}", run.stderr);
    }
    let mut odd = command(repo.path(), "sh");
    let line = format!("echo nonsense | '{}' hook run pre-push origin x", env!("CARGO_BIN_EXE_keycull"));
    let run: Run = odd.args(["-c", &line]).output().expect("it runs").into();
    assert!(run.expect(2).stderr.contains("nonsense"));
}
