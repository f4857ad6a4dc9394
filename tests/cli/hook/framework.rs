//! The pre-commit framework, with the hooks this repository publishes.

use super::*;

#[test]
fn the_published_hooks_name_what_the_program_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let version = env!("CARGO_PKG_VERSION");
    let mirror = fs::read_to_string(root.join("hooks/mirror/pyproject.toml")).expect("a file");
    assert!(mirror.contains(&format!("dependencies = [\"keycull=={version}\"]")), "pins this version");
    assert!(mirror.contains(&format!("version = \"{version}\"")));
    for file in [".pre-commit-hooks.yaml", "hooks/mirror/.pre-commit-hooks.yaml"] {
        let text = fs::read_to_string(root.join(file)).expect("a file");
        let hooks: Vec<&str> = text.split("\n- id: ").skip(1).collect();
        assert!(hooks.len() >= 3, "{file}");
        for hook in hooks {
            let entry = hook.lines().find_map(|line| line.strip_prefix("  entry: keycull hook run "));
            let name = entry.unwrap_or_else(|| panic!("{file}: {hook}"));
            name.parse::<keycull::hook::HookName>().expect("a hook");
            // A message is the one thing that has to be passed.
            assert_eq!(hook.contains("pass_filenames: false"), name != "commit-msg", "{hook}");
            assert!(hook.contains("require_serial: true") && hook.contains("  stages: ["), "{hook}");
        }
    }
}

pub(super) mod needs_tools {
    //! The real framework.

    use super::*;

    pub(in crate::cli::hook) fn tools() -> PathBuf {
        std::env::var_os("KEYCULL_TOOLS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"), PathBuf::from)
    }

    fn framework(repo: &GitRepo, args: &[&str]) -> Run {
        with(repo, args, &[])
    }

    fn with(repo: &GitRepo, args: &[&str], variables: &[(&str, &str)]) -> Run {
        let program = tools().join("venv/bin/pre-commit");
        assert!(program.is_file(), "{} is missing: run .ci/tools", program.display());
        command(repo.path(), &program.display().to_string())
            .env("PRE_COMMIT_HOME", repo.outside().join("cache"))
            .envs(variables.iter().copied())
            .args(args)
            .output()
            .expect("it runs")
            .into()
    }

    /// A repository that publishes the hooks of `directory` as they are here; its name and
    /// revision.
    pub(in crate::cli::hook) fn published(directory: &str, names: &[&str]) -> (GitRepo, String) {
        let repo = GitRepo::new();
        for name in names {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory).join(name);
            repo.write(name, fs::read(path).expect("a file"));
        }
        let revision = repo.commit("publish");
        (repo, revision)
    }

    /// A repository that uses all hooks of another one.
    fn user(published: &(GitRepo, String)) -> GitRepo {
        let repo = started();
        let config = format!(
            "default_install_hook_types: [pre-commit, pre-merge-commit, commit-msg, pre-push]\nrepos:\n  - repo: {}\n    \
             rev: {}\n    hooks:\n      - id: keycull\n      - id: keycull-commit-msg\n      - id: keycull-pre-push\n",
            published.0.path().display(),
            published.1
        );
        repo.write(".pre-commit-config.yaml", config).commit("hooks");
        repo
    }

    fn commit(repo: &GitRepo, args: &[&str]) -> Run {
        let mut git = command(repo.path(), "git");
        git.env("PRE_COMMIT_HOME", repo.outside().join("cache")).arg("commit").args(args);
        git.output().expect("git runs").into()
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn the_published_hooks_stop_leaks_of_every_kind() {
        let published = published("", &[".pre-commit-hooks.yaml"]);
        let repo = user(&published);
        framework(&repo, &["install"]).expect(0);
        let status = keycull(repo.path(), &["hook", "status"]).expect(0);
        assert_eq!(status.stdout.matches("pre-commit runs it").count(), 4, "{}", status.stdout);

        // Any number of files, clean and not.
        staged(&repo, "a.txt", "nothing\n");
        commit(&repo, &["-m", "one"]).expect(0);
        staged(&repo, "b.txt", "nothing\n");
        staged(&repo, "c.txt", "nothing\n");
        let clean = commit(&repo, &["-m", "two"]).expect(0);
        assert!(clean.stderr.contains("Passed"), "{}", clean.stderr);
        staged(&repo, "d.env", leak(1));
        stopped(&commit(&repo, &["-m", "leak"]), "d.env", &[1]);
        staged(&repo, "e.txt", "nothing\n");
        stopped(&commit(&repo, &["-m", "leak"]), "d.env", &[1]);
        // Only what the commit takes.
        commit(&repo, &["-m", "without it", "e.txt"]).expect(0);
        stopped(&framework(&repo, &["run", "keycull"]), "d.env", &[1]);
        git(repo.path(), &["rm", "--quiet", "--cached", "d.env"]).expect(0);
        // A commit without content says so to nobody, and does not drag in what is there already.
        git(repo.path(), &["commit", "--quiet", "--no-verify", "-m", "old", "--allow-empty"]).expect(0);
        stopped(&commit(&repo, &["--allow-empty", "-m", &leak(2)]), "commit message", &[2]);
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn all_files_are_all_files() {
        let published = published("", &[".pre-commit-hooks.yaml"]);
        let repo = user(&published);
        framework(&repo, &["install"]).expect(0);
        framework(&repo, &["run", "--all-files"]).expect(0);
        repo.write("old.env", leak(1)).commit("leak");
        stopped(&framework(&repo, &["run", "--all-files"]), "old.env", &[1]);
        stopped(&framework(&repo, &["run", "keycull", "--all-files"]), "old.env", &[1]);
        // But a commit is judged by what it adds, and so is one without content.
        staged(&repo, "a.txt", "nothing\n");
        commit(&repo, &["-m", "clean"]).expect(0);
        commit(&repo, &["--allow-empty", "-m", "empty"]).expect(0);
        commit(&repo, &["--amend", "--allow-empty", "--no-edit"]).expect(0);
        // A range, as pipelines ask for it.
        framework(&repo, &["run", "--from-ref", "HEAD~1", "--to-ref", "HEAD"]).expect(0);
        stopped(&framework(&repo, &["run", "--from-ref", "HEAD~3", "--to-ref", "HEAD"]), "old.env", &[1]);
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn pushes_are_scanned_from_their_root() {
        let published = published("", &[".pre-commit-hooks.yaml"]);
        let repo = user(&published);
        git(&repo.outside(), &["init", "--quiet", "--bare", "remote.git"]).expect(0);
        git(repo.path(), &["remote", "add", "origin", "../remote.git"]).expect(0);
        framework(&repo, &["install"]).expect(0);
        let push = |args: &[&str]| -> Run {
            let mut git = command(repo.path(), "git");
            git.env("PRE_COMMIT_HOME", repo.outside().join("cache")).args(["push", "origin"]).args(args);
            git.output().expect("git runs").into()
        };
        repo.write("a.env", leak(1)).commit("leak");
        repo.git(&["rm", "--quiet", "a.env"]);
        repo.commit("take away");
        stopped(&push(&["main"]), "a.env", &[1]);
        let mut on = command(repo.path(), "git");
        on.args(["push", "--quiet", "--no-verify", "origin", "main"]);
        Run::from(on.output().expect("git runs")).expect(0);
        repo.write("b.txt", "nothing\n").commit("clean");
        push(&["main"]).expect(0);
        repo.git(&["checkout", "--quiet", "-b", "topic"]);
        repo.write("c.env", leak(2)).commit("leak");
        repo.git(&["rm", "--quiet", "c.env"]);
        repo.commit("take away");
        stopped(&push(&["topic"]), "c.env", &[2]);
        stopped(&push(&["topic:refs/heads/else"]), "c.env", &[2]);
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn the_mirror_installs_the_wheel() {
        let wheels = std::env::var_os("KEYCULL_WHEELS").map_or_else(|| tools().join("wheels"), PathBuf::from);
        let built = fs::read_dir(&wheels).is_ok_and(|files| files.count() > 0);
        assert!(built, "no wheel in {}: run .ci/run", wheels.display());
        let published = published("hooks/mirror", &[".pre-commit-hooks.yaml", "pyproject.toml", "README.md"]);
        let repo = user(&published);
        staged(&repo, "a.env", leak(1));
        // Nothing of ours on PATH: only what the framework installs.
        let path = std::env::var("PATH").expect("a PATH");
        let wheels = wheels.display().to_string();
        let pip = [("PATH", path.as_str()), ("PIP_FIND_LINKS", wheels.as_str())];
        stopped(&with(&repo, &["run", "keycull"], &pip), "a.env", &[1]);
        repo.git(&["rm", "--quiet", "--cached", "a.env"]);
        staged(&repo, "b.txt", "nothing\n");
        with(&repo, &["run", "keycull"], &pip).expect(0);
    }
}
