//! Where git looks for the hooks of a repository.

use std::path::{Path, PathBuf};

use super::HookError;
use super::git::ask;

/// Where git looks for the hooks of one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Top of the working tree, or the repository itself when it is bare.
    pub top: PathBuf,
    /// Whether there is no working tree.
    pub bare: bool,
    /// The directory git runs hooks from; need not exist yet.
    pub directory: PathBuf,
    /// `hooks` of the repository, which git runs hooks from unless `core.hooksPath` is set.
    pub own: PathBuf,
    /// The scope of the configuration that sets `core.hooksPath`: `local`, `worktree`,
    /// `global`, `system` or `command`.
    pub set_by: Option<String>,
}

impl Place {
    /// That of the repository around `start`.
    ///
    /// # Errors
    /// Not in a repository, or git cannot be run.
    pub(super) fn of(start: &Path) -> Result<Self, HookError> {
        // Hooks run at the top of the working tree, and a relative `core.hooksPath` counts from
        // there. A bare repository has no top: hooks run in the repository itself.
        let (top, bare) = match ask(start, &["rev-parse", "--show-toplevel"]) {
            Ok(top) => (top, false),
            Err(HookError::NotARepository { .. }) => {
                (ask(start, &["rev-parse", "--absolute-git-dir"])?, true)
            }
            Err(other) => return Err(other),
        };
        let top = PathBuf::from(top);
        let directory = top.join(ask(&top, &["rev-parse", "--git-path", "hooks"])?);
        let common = top.join(ask(&top, &["rev-parse", "--git-common-dir"])?);
        // Fails when the key is not set, which is the usual case.
        let setting = ask(&top, &["config", "--show-scope", "--get", "core.hooksPath"]).unwrap_or_default();
        let set_by = setting.split_whitespace().next().map(str::to_owned);
        Ok(Self { top, bare, directory, own: common.join("hooks"), set_by })
    }

    /// The scope of `core.hooksPath` when it holds for more than this repository.
    #[must_use]
    pub fn shared(&self) -> Option<&str> {
        self.set_by.as_deref().filter(|scope| !matches!(*scope, "local" | "worktree"))
    }

    /// Whether git runs hooks from somewhere else than the repository's own directory.
    #[must_use]
    pub fn shadows_own(&self) -> bool {
        let full = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        full(&self.directory) != full(&self.own)
    }

    /// Whether husky made the directory: `.husky/_`, or `.husky` itself before version 9.
    #[must_use]
    pub fn is_husky(&self) -> bool {
        self.directory.components().any(|part| part.as_os_str() == ".husky")
    }
}
