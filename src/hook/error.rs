//! What can go wrong when hooks are looked at, installed or removed.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why hooks could not be looked at, installed or removed.
#[derive(Debug, Error)]
pub enum HookError {
    /// Git cannot be run.
    #[error("cannot run git")]
    Git(#[source] io::Error),
    /// Git says no.
    #[error("not inside a git repository: {}", path.display())]
    NotARepository {
        /// Where git was asked.
        path: PathBuf,
        /// What git said.
        said: String,
    },
    /// Somebody else's hook is in place.
    #[error("{} is not keycull's, and stays as it is", path.display())]
    Foreign {
        /// The hook.
        path: PathBuf,
        /// The hook manager that wrote it, if it is a known one.
        manager: Option<&'static str>,
    },
    /// The directory of the hooks is set for more than this repository.
    #[error("the hooks of this repository are in {}, which core.hooksPath of the {scope} configuration sets for other repositories too", directory.display())]
    Shared {
        /// The directory.
        directory: PathBuf,
        /// `global`, `system` or `command`.
        scope: String,
    },
    /// A hook file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// `read`, `write` or `remove`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl HookError {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Git(_) => "install git, or copy hooks/pre-commit into place by hand".to_owned(),
            Self::NotARepository { .. } => {
                "run it inside the repository whose commits it should scan".to_owned()
            }
            Self::Foreign { manager: Some("pre-commit"), .. } => {
                "add keycull to .pre-commit-config.yaml: the README shows how".to_owned()
            }
            Self::Foreign { manager: Some("husky"), .. } => {
                "add the line `keycull scan --staged` to .husky/pre-commit".to_owned()
            }
            Self::Foreign { path, .. } => {
                format!("to run both, add the line `keycull scan --staged || exit` to {}", path.display())
            }
            Self::Shared { .. } => {
                "to hook this repository alone, run `git config --local core.hooksPath .git/hooks` first"
                    .to_owned()
            }
            Self::File { .. } => "check who owns the directory and its permissions".to_owned(),
        }
    }
}
