//! Git repositories built at test time, the same on every machine.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Time of the first commit; each further one is a minute later.
const FIRST_COMMIT: u64 = 1_700_000_000;

/// A repository in a temporary directory, `repo` inside it, removed when dropped.
pub(crate) struct GitRepo {
    directory: TempDir,
    root: PathBuf,
    clock: Cell<u64>,
}

impl GitRepo {
    /// An empty repository with branch `main`.
    pub(crate) fn new() -> Self {
        Self::with_options(&[])
    }

    /// An empty repository made with further options of `git init`.
    pub(crate) fn with_options(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().canonicalize().expect("it exists").join("repo");
        fs::create_dir(&root).expect("a directory in it");
        let repo = Self { directory, root, clock: Cell::new(FIRST_COMMIT) };
        let mut args = vec!["init", "--quiet", "--initial-branch=main", "--template="];
        args.extend(options);
        repo.git(&args);
        repo
    }

    /// Root of the working tree.
    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// The temporary directory around it, for clones and linked worktrees.
    pub(crate) fn outside(&self) -> PathBuf {
        self.directory.path().canonicalize().expect("it exists")
    }

    /// Writes a file of the working tree, with the directories it needs.
    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> &Self {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().expect("a file is in a directory")).expect("directories");
        fs::write(file, content).expect("a file");
        self
    }

    /// Removes a file of the working tree.
    pub(crate) fn remove(&self, path: impl AsRef<Path>) -> &Self {
        fs::remove_file(self.root.join(path)).expect("a file");
        self
    }

    /// Stages everything and commits it; gives the commit's name.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Sets the time of the next commit, in seconds since 1970.
    pub(crate) fn set_clock(&self, seconds: u64) {
        self.clock.set(seconds);
    }

    /// Runs git in the working tree and gives what it printed, trimmed; it must succeed.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        let output = self.try_git(args);
        assert!(
            output.status.success(),
            "git {:?}: {}",
            args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect::<Vec<_>>(),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs git in the working tree, whatever comes of it.
    pub(crate) fn try_git<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        self.command().args(args).output().expect("git is installed")
    }

    /// The git command in the working tree, untouched by the machine's and the user's settings.
    pub(crate) fn command(&self) -> Command {
        let now = self.clock.get();
        self.clock.set(now + 60);
        let mut command = scrubbed_git();
        command
            .current_dir(&self.root)
            .env("GIT_AUTHOR_DATE", format!("{now} +0000"))
            .env("GIT_COMMITTER_DATE", format!("{now} +0000"));
        command
    }
}

impl Drop for GitRepo {
    /// No secret is in what the program left beside the repository, or in its own files in there.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            super::witness::left(self.directory.path());
        }
    }
}

/// Git without the environment and configuration of whoever runs the tests.
pub(crate) fn scrubbed_git() -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Test Author")
        .env("GIT_AUTHOR_EMAIL", "author@example.com")
        .env("GIT_COMMITTER_NAME", "Test Committer")
        .env("GIT_COMMITTER_EMAIL", "committer@example.com")
        .args(["-c", "commit.gpgSign=false", "-c", "gc.auto=0", "-c", "protocol.file.allow=always"])
        .args(["-c", "core.hooksPath=/dev/null", "-c", "maintenance.auto=false"]);
    command
}
