//! Git hooks that scan before a commit: where they live, how they come and go.
//!
//! Level 4. The scripts themselves are in `hooks/`, so that they can also be copied by hand.
//! Git is asked where hooks live (`core.hooksPath`, linked worktrees), since only git's answer
//! is the one git will act on. A hook that somebody else wrote is never touched.

mod error;
mod file;
mod place;

use std::path::{Path, PathBuf};

pub use error::HookError;
pub use file::State;
pub use place::Place;

/// Hooks keycull installs: the second runs for merges, which skip the first.
pub const NAMES: [&str; 2] = ["pre-commit", "pre-merge-commit"];

/// One hook and what is in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `pre-commit` or `pre-merge-commit`.
    pub name: &'static str,
    /// The file git would run.
    pub path: PathBuf,
    /// What is there.
    pub state: State,
}

/// Looks at the hooks of the repository around `start`.
///
/// # Errors
/// Not in a repository, or git cannot be run.
pub fn status(start: &Path) -> Result<(Place, Vec<Hook>), HookError> {
    let place = Place::of(start)?;
    let hooks = hooks_in(&place)?;
    Ok((place, hooks))
}

/// Installs all hooks; `program` is run when no `keycull` is on `PATH`.
///
/// Either all hooks are installed or, when one place is taken, none.
///
/// # Errors
/// [`HookError::Foreign`] when a hook of somebody else is in place, [`HookError::Shared`] when
/// the hooks directory serves other repositories too, and failures of the file system.
pub fn install(start: &Path, program: Option<&Path>) -> Result<Vec<Hook>, HookError> {
    let place = Place::of(start)?;
    if let Some(scope) = place.shared {
        return Err(HookError::Shared { directory: place.directory, scope });
    }
    let hooks = hooks_in(&place)?;
    if let Some(taken) = hooks.iter().find(|hook| hook.state.is_foreign()) {
        return Err(HookError::Foreign { path: taken.path.clone(), manager: file::manager(&taken.path) });
    }
    for hook in &hooks {
        file::write(&hook.path, program)?;
    }
    hooks_in(&place)
}

/// Removes keycull's own hooks; returns those that were removed.
///
/// # Errors
/// Not in a repository, and failures of the file system.
pub fn uninstall(start: &Path) -> Result<Vec<Hook>, HookError> {
    let place = Place::of(start)?;
    let own: Vec<Hook> = hooks_in(&place)?.into_iter().filter(|hook| hook.state.is_own()).collect();
    for hook in &own {
        file::remove(&hook.path)?;
    }
    Ok(own)
}

fn hooks_in(place: &Place) -> Result<Vec<Hook>, HookError> {
    NAMES
        .into_iter()
        .map(|name| {
            let path = place.directory.join(name);
            let state = file::inspect(&path)?;
            Ok(Hook { name, path, state })
        })
        .collect()
}
