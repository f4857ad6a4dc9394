//! Hooks for every repository of a user: a directory that `core.hooksPath` of the user's
//! configuration names.
//!
//! Git then no longer looks into the repositories' own `hooks`, so every hook that people have
//! there is passed on by a script of the same name.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::directory::{self, Wanted};
use super::git::answer;
use super::script::Reach;
use super::{Action, Change, HookError, HookName};
use crate::config;

/// Hooks that are passed on to the repository, besides those that scan.
///
/// Missing on purpose: `push-to-checkout`, whose mere presence changes what git does, and
/// `proc-receive` and `reference-transaction`, which git would start again and again.
const PASSED_ON: [&str; 13] = [
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "prepare-commit-msg",
    "post-commit",
    "pre-rebase",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "pre-auto-gc",
    "sendemail-validate",
    "post-receive",
    "post-update",
];

/// Where the hooks of the user are.
#[derive(Clone, Debug)]
pub(super) struct Everywhere {
    /// What `core.hooksPath` of the user's configuration says.
    pub(super) set: Option<PathBuf>,
    /// Keycull's own directory.
    pub(super) own: PathBuf,
}

impl Everywhere {
    pub(super) fn of(start: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, HookError> {
        let file = config::user_file(variable).ok_or(HookError::NoHome)?;
        let own = file.with_file_name("hooks");
        // Fails when the key is not set.
        let set = answer(start, &["config", "--global", "--type=path", "--get", "core.hooksPath"]).ok();
        Ok(Self { set: set.filter(|path| !path.is_empty()).map(PathBuf::from), own })
    }

    /// The directory of somebody else that `core.hooksPath` names.
    fn foreign(&self) -> Option<&Path> {
        self.set.as_deref().filter(|set| *set != self.own)
    }

    pub(super) fn install(
        &self,
        start: &Path,
        names: &[HookName],
        program: Option<&Path>,
    ) -> Result<Vec<Change>, HookError> {
        let scan: Vec<&'static str> = names.iter().map(|name| name.as_str()).collect();
        if let Some(foreign) = self.foreign() {
            return directory::install(foreign, Wanted { names: &scan, program, reach: Reach::Here });
        }
        if let Ok(directory) = answer(start, &["config", "--system", "--get", "core.hooksPath"]) {
            return Err(HookError::SystemWide { directory });
        }
        let others = HookName::ALL.map(HookName::as_str).into_iter().chain(PASSED_ON);
        let pass: Vec<&'static str> = others.filter(|name| !scan.contains(name)).collect();
        let mut changes =
            directory::install(&self.own, Wanted { names: &scan, program, reach: Reach::Everywhere })?;
        directory::install(&self.own, Wanted { names: &pass, program, reach: Reach::PassOn })?;
        if self.set.is_none() {
            let own = self.own.display().to_string();
            answer(start, &["config", "--global", "core.hooksPath", &own])?;
            changes.push(Change { action: Action::Set, path: "core.hooksPath".into() });
        }
        Ok(changes)
    }

    pub(super) fn uninstall(&self, start: &Path) -> Result<Vec<Change>, HookError> {
        let names: Vec<&'static str> = HookName::ALL.map(HookName::as_str).to_vec();
        if let Some(foreign) = self.foreign() {
            return directory::uninstall(foreign, &names);
        }
        let mut changes = directory::uninstall(&self.own, &names)?;
        directory::uninstall(&self.own, &PASSED_ON)?;
        // Somebody else's hooks in it keep the directory, and the setting, alive.
        let empty = fs::remove_dir(&self.own).is_ok() || !self.own.exists();
        if empty && self.set.is_some() {
            answer(start, &["config", "--global", "--unset", "core.hooksPath"])?;
            changes.push(Change { action: Action::Unset, path: "core.hooksPath".into() });
        }
        Ok(changes)
    }
}
