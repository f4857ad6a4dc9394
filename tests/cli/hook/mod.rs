//! Git hooks, with real git: installed where git looks, never over somebody else's, stopping
//! real commits and pushes, and gone without a trace.
#![cfg(unix)]

mod commit;
mod framework;
mod install;
mod managers;
mod push;
mod script;
mod server;
mod walk;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::Run;

/// A command with its hooks on, with the built program first on `PATH` and nothing of the
/// machine's and the user's settings.
fn command(directory: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .env_clear()
        .envs([("PATH", path_with_program().as_str()), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([("GIT_AUTHOR_NAME", "Test"), ("GIT_AUTHOR_EMAIL", "test@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Test"), ("GIT_COMMITTER_EMAIL", "test@example.com")])
        .env("HOME", home(directory))
        .stdin(Stdio::null());
    command
}

/// A home directory beside the repository.
fn home(directory: &Path) -> PathBuf {
    let home = directory.parent().expect("a directory around").join("home");
    fs::create_dir_all(&home).expect("a home");
    home
}

/// Git with its hooks on.
fn git(directory: &Path, args: &[&str]) -> Run {
    command(directory, "git").args(args).output().expect("git runs").into()
}

/// The program, with the same environment as [`git`].
fn keycull(directory: &Path, args: &[&str]) -> Run {
    command(directory, env!("CARGO_BIN_EXE_keycull")).args(args).output().expect("it runs").into()
}

fn path_with_program() -> String {
    let program =
        Path::new(env!("CARGO_BIN_EXE_keycull")).parent().expect("a directory").display().to_string();
    format!("{program}:{}", std::env::var("PATH").expect("a PATH"))
}

/// A path without the program, but with git and a shell.
const BARE_PATH: &str = "/usr/bin:/bin";

/// Whether git reads hooks from its configuration.
fn git_reads_configured_hooks() -> bool {
    let said = String::from_utf8(Command::new("git").arg("version").output().expect("git").stdout);
    let said = said.expect("text");
    let mut numbers = said.trim_start_matches("git version ").split('.').map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).expect("a number");
    (next(), next()) >= (2, 54)
}

/// A line with a secret.
fn leak(seed: u64) -> String {
    format!("KEY={}\n", stripe_key(seed))
}

fn staged(repo: &GitRepo, name: &str, text: impl AsRef<[u8]>) {
    repo.write(name, text);
    repo.git(&["add", "--force", "--", name]);
}

/// A repository with one commit and nothing else.
fn started() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("readme.txt", "nothing\n").commit("start");
    repo
}

/// Insists that git stopped because of the secrets `seeds`, found at `place`, and that nobody
/// quoted them.
#[track_caller]
fn stopped(run: &Run, place: &str, seeds: &[u64]) {
    let said = format!("{}{}", run.stdout, run.stderr);
    assert_ne!(run.code, 0, "{said}");
    assert!(said.contains("stripe-secret-key") && said.contains(place), "{said}");
    assert!(seeds.iter().all(|seed| !said.contains(&stripe_key(*seed))), "the secret left: {said}");
}

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

/// Every file below `directory` with mode and content, links with what they name.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        let about = fs::symlink_metadata(&next).expect("it is there");
        if about.is_dir() {
            open.extend(
                fs::read_dir(&next).expect("a directory").map(|entry| entry.expect("an entry").path()),
            );
            continue;
        }
        let content = if about.is_symlink() {
            fs::read_link(&next).expect("a link").into_os_string().into_encoded_bytes()
        } else {
            fs::read(&next).expect("a file")
        };
        all.insert(next, (about.permissions().mode(), content));
    }
    all
}
