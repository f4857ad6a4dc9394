//! Hooks in a directory: keycull's script takes the place, and what was there before is kept
//! beside it, is run as well, and comes back byte for byte.

use std::fs;
use std::path::{Path, PathBuf};

use super::script::{self, Reach, State};
use super::{Action, Change, HookError};

/// What is to be put into a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Names of the hooks.
    pub(super) names: &'a [&'static str],
    /// Program to fall back to when no `keycull` is on `PATH`.
    pub(super) program: Option<&'a Path>,
    /// Which repositories the directory serves.
    pub(super) reach: Reach,
}

/// Puts keycull's script in the place of every wanted hook, or leaves everything as it was.
pub(super) fn install(directory: &Path, wanted: Wanted<'_>) -> Result<Vec<Change>, HookError> {
    let mut plan = Vec::new();
    for name in wanted.names {
        let path = directory.join(name);
        plan.push((check(&path)?, path));
    }
    fs::create_dir_all(directory).map_err(|source| HookError::File {
        action: "write",
        path: directory.to_owned(),
        source,
    })?;
    let mut changes = Vec::new();
    for (state, path) in plan {
        match put(&state, &path, wanted) {
            Ok(change) => changes.push(change),
            Err(error) => {
                // NOTE: what cannot be taken back is less of a problem than what stopped us.
                changes.iter().rev().for_each(|change| drop(take_back(change)));
                return Err(error);
            }
        }
    }
    Ok(changes)
}

/// Removes keycull's scripts from `directory` and puts back what was there before.
pub(super) fn uninstall(directory: &Path, names: &[&'static str]) -> Result<Vec<Change>, HookError> {
    let mut changes = Vec::new();
    for name in names {
        let path = directory.join(name);
        if let State::Own(own) = script::inspect(&path)? {
            changes.push(give_back(&path, own.before)?);
        }
    }
    Ok(changes)
}

/// What is at `path`; an error when keycull must not take the place.
fn check(path: &Path) -> Result<State, HookError> {
    let state = script::inspect(path)?;
    if let State::Foreign { manager, .. } = &state {
        if let Some(manager) = *manager {
            return Err(HookError::Managed { path: path.to_owned(), manager });
        }
        let kept = script::before(path);
        if fs::symlink_metadata(&kept).is_ok() {
            return Err(HookError::Kept { path: path.to_owned(), kept });
        }
        if path.is_dir() {
            return Err(HookError::Directory { path: path.to_owned() });
        }
    }
    Ok(state)
}

fn put(state: &State, path: &Path, wanted: Wanted<'_>) -> Result<Change, HookError> {
    let action = match state {
        State::Absent => Action::Installed,
        State::Own(_) => {
            script::remove(path)?;
            Action::Renewed
        }
        State::Foreign { .. } => {
            let kept = script::before(path);
            rename(path, &kept)?;
            Action::Chained { kept }
        }
    };
    if let Err(error) = script::write(path, wanted.program, wanted.reach) {
        if let Action::Chained { kept } = &action {
            rename(kept, path)?;
        }
        return Err(error);
    }
    Ok(Change { action, path: path.to_owned() })
}

fn take_back(change: &Change) -> Result<(), HookError> {
    match &change.action {
        Action::Chained { kept } => give_back(&change.path, Some(kept.clone())).map(drop),
        Action::Installed => script::remove(&change.path),
        Action::Renewed
        | Action::Edited
        | Action::Removed
        | Action::Restored
        | Action::Cleaned
        | Action::Set
        | Action::Unset => Ok(()),
    }
}

fn give_back(path: &Path, kept: Option<PathBuf>) -> Result<Change, HookError> {
    let action = match kept {
        Some(kept) => {
            rename(&kept, path)?;
            Action::Restored
        }
        None => {
            script::remove(path)?;
            Action::Removed
        }
    };
    Ok(Change { action, path: path.to_owned() })
}

/// Renames over `to`, which is keycull's own script or not there.
fn rename(from: &Path, to: &Path) -> Result<(), HookError> {
    fs::rename(from, to).map_err(|source| HookError::File { action: "rename", path: from.to_owned(), source })
}
