//! Asks git where the hooks of a repository live.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::HookError;

/// Where git looks for the hooks of one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory; need not exist yet.
    pub directory: PathBuf,
    /// The scope of the configuration that sets it (`global`, `system`, `command`), when that is
    /// more than this repository's own.
    pub shared: Option<String>,
}

impl Place {
    /// That of the repository around `start`.
    ///
    /// # Errors
    /// Not in a repository, or git cannot be run.
    pub(super) fn of(start: &Path) -> Result<Self, HookError> {
        // Hooks run at the top of the working tree, and a relative `core.hooksPath` counts from
        // there. A bare repository has no top: hooks run in the repository itself.
        let top = match git(start, &["rev-parse", "--show-toplevel"]) {
            Ok(top) => top,
            Err(HookError::NotARepository { .. }) => git(start, &["rev-parse", "--absolute-git-dir"])?,
            Err(other) => return Err(other),
        };
        let top = PathBuf::from(top);
        let directory = top.join(git(&top, &["rev-parse", "--git-path", "hooks"])?);
        // Fails when the key is not set, which is the usual case.
        let setting = git(&top, &["config", "--show-scope", "--get", "core.hooksPath"]).unwrap_or_default();
        let shared = setting
            .split_whitespace()
            .next()
            .filter(|scope| !matches!(*scope, "local" | "worktree"))
            .map(str::to_owned);
        Ok(Self { directory, shared })
    }
}

/// Runs git in `directory` and returns what it prints, without the line end.
fn git(directory: &Path, arguments: &[&str]) -> Result<String, HookError> {
    let output =
        Command::new("git").arg("-C").arg(directory).args(arguments).output().map_err(HookError::Git)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(HookError::NotARepository { path: directory.to_owned(), said });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}
