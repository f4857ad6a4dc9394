//! Runs the built program as a user would, without the environment of whoever runs the tests.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::witness;

/// What one run of the program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit code; a signal is -1.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Insists on an exit code, and shows both outputs when it is another one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

impl From<Output> for Run {
    /// No secret of any test may be in what the program said.
    #[track_caller]
    fn from(output: Output) -> Self {
        witness::said("standard output", &output.stdout);
        witness::said("standard error", &output.stderr);
        Self::unwatched(&output)
    }
}

impl Run {
    /// A run that was asked to show secrets.
    fn unwatched(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The program under test: the one built for the tests, or the one that `KEYCULL_TEST_PROGRAM` names, so that
/// a release build can be measured.
pub(crate) fn program() -> OsString {
    std::env::var_os("KEYCULL_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_keycull").into())
}

/// The program with a clean environment, to be started in `directory`.
///
/// Only what git and the system need to run at all is passed on; `HOME` is `directory`, so that no user
/// configuration is found.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(program());
    command.current_dir(directory).env_clear().env("HOME", directory).stdin(Stdio::null());
    for name in ["PATH", "TMPDIR", "SYSTEMROOT", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Runs the program in `directory`.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(directory: &Path, args: &[S]) -> Run {
    let output = command(directory).args(args).output().expect("the program starts");
    if args.iter().any(|arg| arg.as_ref() == "--show-secrets") {
        Run::unwatched(&output)
    } else {
        output.into()
    }
}

/// Runs the program in `directory` with `input` on standard input.
pub(crate) fn run_with_input<S: AsRef<OsStr>>(directory: &Path, args: &[S], input: &[u8]) -> Run {
    let mut child = command(directory)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // NOTE: on a thread, since the program may write before it has read everything.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output.into()
}
