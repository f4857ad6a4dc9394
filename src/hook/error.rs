//! What can go wrong when hooks are looked at, installed or removed.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::git::{CONFIGURED_HOOKS, Version};
use super::script::Manager;

/// Why hooks could not be looked at, installed or removed.
#[derive(Debug, Error)]
pub enum HookError {
    /// Git cannot be run.
    #[error("cannot run git")]
    Git(#[source] io::Error),
    /// Git says that there is no repository.
    #[error("not inside a git repository: {}", path.display())]
    NotARepository {
        /// Where git was asked.
        path: PathBuf,
        /// What git said.
        said: String,
    },
    /// Git does not do what it was asked.
    #[error("git {command} failed: {said}")]
    Refused {
        /// The arguments.
        command: String,
        /// What git said.
        said: String,
    },
    /// A hook manager wrote the hook that is in place, and would write it again.
    #[error("{} is {}'s, and stays as it is", path.display(), manager.name())]
    Managed {
        /// The hook, or the directory of the hooks.
        path: PathBuf,
        /// The hook manager.
        manager: Manager,
    },
    /// Somebody put a hook over keycull's, which already keeps another one.
    #[error("{} is not keycull's, and {} is there already", path.display(), kept.display())]
    Kept {
        /// The hook.
        path: PathBuf,
        /// Where it would be kept.
        kept: PathBuf,
    },
    /// There is a directory where a hook should be.
    #[error("{} is a directory", path.display())]
    Directory {
        /// Where the hook should be.
        path: PathBuf,
    },
    /// The directory of the hooks is set for more than this repository.
    #[error("the hooks of this repository are in {}, which core.hooksPath of the {scope} configuration sets for other repositories too", directory.display())]
    Shared {
        /// The directory.
        directory: PathBuf,
        /// `global`, `system` or `command`.
        scope: String,
    },
    /// Hooks for everything of a user would shadow those of the whole machine.
    #[error(
        "core.hooksPath is set to {directory} for this whole machine, and setting it for one user would shadow that"
    )]
    SystemWide {
        /// The directory.
        directory: String,
    },
    /// This git does not read hooks from its configuration.
    #[error("git {}.{} does not run hooks from its configuration; git {}.{} is the first that does", found.0, found.1, CONFIGURED_HOOKS.0, CONFIGURED_HOOKS.1)]
    TooOld {
        /// The version of git.
        found: Version,
    },
    /// The manager that was named is not used here.
    #[error("{} is not set up in {}", manager.name(), top.display())]
    NoManager {
        /// The hook manager.
        manager: Manager,
        /// Top of the working tree.
        top: PathBuf,
    },
    /// A file of a hook manager has a form that cannot be changed safely.
    #[error("{} cannot be changed safely: {why}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is in the way.
        why: &'static str,
        /// What to write into it by hand.
        by_hand: String,
    },
    /// There is no place for the user's own configuration.
    #[error("there is no place for your own hooks: neither HOME nor XDG_CONFIG_HOME is set")]
    NoHome,
    /// A hook file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// `read`, `write`, `rename` or `remove`.
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
            Self::Git(_) => "install git, or copy hooks/keycull-hook into place by hand".to_owned(),
            Self::NotARepository { .. } => {
                "run it inside the repository whose commits it should scan".to_owned()
            }
            Self::Refused { .. } => "run that command by hand to see more".to_owned(),
            Self::Managed { manager: Manager::PreCommit, .. } => {
                "add keycull to .pre-commit-config.yaml: docs/hooks.md shows how".to_owned()
            }
            Self::Managed { manager: Manager::Husky, .. } => "use `keycull hook install --husky`".to_owned(),
            Self::Managed { manager: Manager::Lefthook, .. } => {
                "use `keycull hook install --lefthook`".to_owned()
            }
            Self::Kept { kept, .. } => {
                format!("look at both, and move one of them away; {} ran before keycull's", kept.display())
            }
            Self::Directory { .. } => "move it away".to_owned(),
            Self::Shared { .. } => {
                "`keycull hook install --global` puts hooks there; to hook this repository alone, run \
                 `git config --local core.hooksPath .git/hooks` first"
                    .to_owned()
            }
            Self::SystemWide { .. } => "ask whoever runs this machine, or hook each repository".to_owned(),
            Self::TooOld { .. } => "leave --config away: hooks as files work with every git".to_owned(),
            Self::NoManager { manager: Manager::Husky, .. } => "run `npx husky init` first".to_owned(),
            Self::NoManager { manager: Manager::Lefthook, .. } => {
                "write a lefthook.yml first, or leave --lefthook away".to_owned()
            }
            Self::NoManager { manager: Manager::PreCommit, .. } => {
                "run `pre-commit install` first".to_owned()
            }
            Self::Form { by_hand, .. } => format!("write into it: {by_hand}"),
            Self::NoHome => "set HOME".to_owned(),
            Self::File { .. } => "check who owns the directory and its permissions".to_owned(),
        }
    }
}
