//! Git hooks: where they live, how they come and go, and what they are told.
//!
//! Level 4. The script is in `hooks/`, so that it can also be copied by hand; what it starts is
//! `keycull hook run`, which the command line joins with the pipeline. Git is asked where hooks
//! live (`core.hooksPath`, linked worktrees). A hook that somebody else wrote is never lost: it
//! is kept beside keycull's, runs as well, and comes back as it was.

mod block;
mod configured;
mod directory;
mod error;
mod everywhere;
mod git;
mod husky;
mod lefthook;
mod message;
mod name;
pub mod pass;
mod place;
pub mod push;
mod script;
mod status;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directory::Wanted;
use everywhere::Everywhere;
use git::Scope;
use script::Reach;

pub use error::HookError;
pub use git::Version;
pub use message::Cleanup;
pub use name::HookName;
pub use place::Place;
pub use script::Manager;
pub use status::{HookStatus, Status};

/// Where hooks are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The directory git runs the repository's hooks from.
    Directory,
    /// Every repository of the user, by `core.hooksPath`.
    Everywhere,
    /// Git's own configuration: that of the repository, or the user's.
    Configuration {
        /// The user's.
        global: bool,
    },
    /// The scripts husky runs.
    Husky,
    /// What lefthook runs.
    Lefthook,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What.
    pub action: Action,
    /// The file, or the key of the configuration.
    pub path: PathBuf,
}

/// What was done to a file or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A new file was written.
    Installed,
    /// An older one of keycull's was written anew.
    Renewed,
    /// A new file took the place of somebody else's, which it runs as well.
    Chained {
        /// Where the other one is kept.
        kept: PathBuf,
    },
    /// Lines were written into somebody else's file.
    Edited,
    /// A file was removed.
    Removed,
    /// What was there before is there again.
    Restored,
    /// Keycull's lines were taken out of a file.
    Cleaned,
    /// A key was set.
    Set,
    /// A key was removed.
    Unset,
}

/// Looks at the hooks of the repository around `start`; `variable` reads the environment.
///
/// # Errors
/// Not in a repository, or git cannot be run.
pub fn status(start: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Result<Status, HookError> {
    status::status(start, variable)
}

/// Installs the hooks `names`, or when there are none the usual ones of the place.
///
/// `program` is run when no `keycull` is on `PATH`; `variable` reads the environment. Either all
/// hooks are installed or none.
///
/// # Errors
/// The place belongs to a hook manager or to other repositories too, git is too old for what is
/// asked, or the file system fails.
pub fn install(
    start: &Path,
    target: Target,
    names: &[HookName],
    program: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Change>, HookError> {
    let client = || if names.is_empty() { HookName::CLIENT.to_vec() } else { names.to_vec() };
    match target {
        Target::Directory => {
            let place = Place::of(start)?;
            if place.is_husky() {
                return Err(HookError::Managed { path: place.directory, manager: Manager::Husky });
            }
            if let Some(scope) = place.shared().map(str::to_owned) {
                return Err(HookError::Shared { directory: place.directory, scope });
            }
            let names: Vec<HookName> =
                if names.is_empty() && place.bare { HookName::SERVER.to_vec() } else { client() };
            let names: Vec<&'static str> = names.iter().map(|name| name.as_str()).collect();
            directory::install(&place.directory, Wanted { names: &names, program, reach: Reach::Here })
        }
        Target::Everywhere => Everywhere::of(start, variable)?.install(start, &client(), program),
        Target::Configuration { global } => {
            configured::install(start, scope(start, global)?, &client(), program)
        }
        Target::Husky => husky::install(&Place::of(start)?, &client()),
        Target::Lefthook => lefthook::install(&Place::of(start)?, &client()),
    }
}

/// Removes what [`install`] put there, and nothing else; returns what was done.
///
/// # Errors
/// Not in a repository, and failures of git and the file system.
pub fn uninstall(
    start: &Path,
    target: Target,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Change>, HookError> {
    match target {
        Target::Directory => {
            let place = Place::of(start)?;
            let names = HookName::ALL.map(HookName::as_str);
            let mut changes = Vec::new();
            if place.shared().is_none() {
                changes.extend(directory::uninstall(&place.directory, &names)?);
            }
            changes.extend(directory::uninstall(&place.own, &names)?);
            Ok(changes)
        }
        Target::Everywhere => Everywhere::of(start, variable)?.uninstall(start),
        Target::Configuration { global } => configured::uninstall(start, scope(start, global)?),
        Target::Husky => husky::uninstall(&Place::of(start)?),
        Target::Lefthook => lefthook::uninstall(&Place::of(start)?),
    }
}

/// How git will clean up the message of the commit that is being made in `start`.
///
/// Git tells hooks of commits without an editor by `GIT_EDITOR=:` (`git help githooks`).
///
/// # Errors
/// Git cannot be run.
pub fn cleanup(start: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Result<Cleanup, HookError> {
    let mut cleanup = Cleanup { edited: true, mode: None, comment: None };
    if variable("GIT_EDITOR").is_some_and(|editor| editor == ":") {
        cleanup.edited = false;
        return Ok(cleanup);
    }
    let keys = r"^(commit\.cleanup|core\.comment(char|string))$";
    // Fails when none of them is set.
    let text = match git::answer(start, &["config", "--null", "--get-regexp", keys]) {
        Ok(text) => text,
        Err(HookError::Refused { .. }) => String::new(),
        Err(other) => return Err(other),
    };
    for setting in text.split('\0') {
        match setting.split_once('\n') {
            Some(("commit.cleanup", value)) => cleanup.mode = Some(value.to_owned()),
            Some((_, value)) => cleanup.comment = Some(value.to_owned()),
            None => {}
        }
    }
    Ok(cleanup)
}

/// The object that `name` leads to, as git spells it in full.
///
/// # Errors
/// It leads to none, or git cannot be run.
pub fn resolve(start: &Path, name: &str) -> Result<String, HookError> {
    git::answer(start, &["rev-parse", "--verify", "--end-of-options", &format!("{name}^{{object}}")])
}

fn scope(start: &Path, global: bool) -> Result<Scope, HookError> {
    if global {
        return Ok(Scope::Global);
    }
    Place::of(start).map(|_| Scope::Local)
}
