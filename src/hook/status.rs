//! What really runs: which hooks git would start, whether they get to keycull, and which of
//! keycull's hooks git never looks at.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::configured::{self, Configured};
use super::everywhere::Everywhere;
use super::git::{self, CONFIGURED_HOOKS};
use super::place::Place;
use super::script::{self, Manager, Own, State};
use super::{HookError, HookName, block, husky, lefthook};

/// The hooks of one repository.
#[derive(Clone, Debug)]
pub struct Status {
    /// Where git looks.
    pub place: Place,
    /// One entry for every hook that matters here.
    pub hooks: Vec<HookStatus>,
    /// Hooks of keycull that git never starts, each in words.
    pub shadowed: Vec<String>,
}

/// One hook.
#[derive(Clone, Debug)]
pub struct HookStatus {
    /// Which.
    pub name: HookName,
    /// The ways in which keycull runs, in words; empty when it does not.
    pub runs: Vec<String>,
    /// What is there instead, or what is wrong, in words.
    pub otherwise: Vec<String>,
    /// Whether something keycull put there does not work.
    pub broken: bool,
}

impl Status {
    /// Whether keycull runs at all, and nothing of keycull's is broken or shadowed.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.shadowed.is_empty()
            && self.hooks.iter().any(|hook| !hook.runs.is_empty())
            && !self.hooks.iter().any(|hook| hook.broken)
    }
}

/// Looks at the hooks of the repository around `start`.
pub(super) fn status(start: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Result<Status, HookError> {
    let place = Place::of(start)?;
    let configured = configured::list(&place.top)?;
    let reads_configured = git::version(&place.top)? >= CONFIGURED_HOOKS;
    let expected: &[HookName] = if place.bare { &HookName::SERVER } else { &HookName::CLIENT };
    let mut hooks = Vec::new();
    for name in HookName::ALL {
        let mut hook = HookStatus { name, runs: Vec::new(), otherwise: Vec::new(), broken: false };
        hook.file(&place)?;
        configured.iter().for_each(|entry| hook.entry(entry, reads_configured));
        if expected.contains(&name) || !hook.runs.is_empty() || hook.broken {
            hooks.push(hook);
        }
    }
    let everywhere = Everywhere::of(&place.top, variable).ok();
    let shadowed = shadowed(&place, everywhere.as_ref())?;
    Ok(Status { place, hooks, shadowed })
}

impl HookStatus {
    /// What git finds in its directory of hooks.
    fn file(&mut self, place: &Place) -> Result<(), HookError> {
        let path = place.directory.join(self.name.as_str());
        match script::inspect(&path)? {
            State::Absent => {}
            State::Own(own) => self.own(&path, &own),
            State::Foreign { executable: false, .. } if !place.is_husky() => {
                self.otherwise.push(format!("{} is not executable, so git does not run it", path.display()));
            }
            State::Foreign { manager: Some(manager), .. } => self.managed(place, &path, manager)?,
            State::Foreign { mentions_keycull: true, .. } => {
                self.runs.push(format!("{}, which is not keycull's, mentions it", path.display()));
            }
            State::Foreign { .. } => self.otherwise.push(format!("{} is not keycull's", path.display())),
        }
        Ok(())
    }

    fn own(&mut self, path: &Path, own: &Own) {
        let shown = path.display();
        let mut fail = |what: String| {
            self.otherwise.push(what);
            self.broken = true;
        };
        if own.passes_on {
            self.otherwise.push(format!("{shown} only runs the repository's own hook"));
        } else if !own.executable {
            fail(format!("{shown} is not executable, so git does not run it: chmod +x {shown}"));
        } else if own.carriage_returns {
            fail(format!("{shown} has carriage returns and fails: `keycull hook install` writes it again"));
        } else if let Some(program) = program(own) {
            let mut text = format!("{shown} runs {}", program.display());
            if let Some(before) = &own.before {
                text.push_str(&format!(" and {}", before.display()));
            }
            if !own.current {
                text.push_str("; from another version: `keycull hook install` renews it");
            }
            self.runs.push(text);
        } else {
            fail(format!("{shown} finds no keycull and stops everything: put it on PATH"));
        }
    }

    /// A hook that a manager wrote: what the manager starts decides.
    fn managed(&mut self, place: &Place, path: &Path, manager: Manager) -> Result<(), HookError> {
        let name = self.name.as_str();
        let runs = match manager {
            Manager::PreCommit => {
                let legacy = path.with_file_name(format!("{name}.legacy"));
                let config = block::read(&place.top.join(".pre-commit-config.yaml"))?.unwrap_or_default();
                script::inspect(&legacy)?.is_own() || config.contains("keycull")
            }
            Manager::Husky => {
                let script = husky::directory(place).map(|directory| directory.join(name));
                let text = script.map_or(Ok(None), |script| block::read(&script))?;
                text.is_some_and(|text| text.contains("keycull"))
            }
            Manager::Lefthook => lefthook::runs(place, self.name)?,
        };
        if runs {
            self.runs.push(format!("{} runs it, by {}", manager.name(), path.display()));
        } else {
            self.otherwise.push(format!("{} is {}'s, which does not run it", path.display(), manager.name()));
        }
        Ok(())
    }

    /// A hook of git's configuration.
    fn entry(&mut self, entry: &Configured, git_reads_it: bool) {
        let concerns = entry.events.iter().any(|event| event == self.name.as_str());
        if !concerns || !entry.command.contains("keycull") {
            return;
        }
        let Configured { name, scope, .. } = entry;
        let shown = format!("hook.{name} of the {scope} configuration");
        if !git_reads_it {
            self.otherwise.push(format!("{shown}, which this git does not read"));
            self.broken = true;
        } else if entry.enabled {
            self.runs.push(shown);
        } else {
            self.otherwise.push(format!("{shown} is switched off"));
            self.broken = true;
        }
    }
}

/// The program a script would run, as its loop finds it.
fn program(own: &Own) -> Option<PathBuf> {
    let named = env::var_os("KEYCULL_BIN").map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    let file = if cfg!(windows) { "keycull.exe" } else { "keycull" };
    let on_path =
        env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    named
        .into_iter()
        .chain(on_path.map(|directory| directory.join(file)))
        .chain(own.program.clone())
        .find(|program| program.is_file())
}

/// Keycull's hooks in places that git does not look at, because it looks somewhere else.
fn shadowed(place: &Place, everywhere: Option<&Everywhere>) -> Result<Vec<String>, HookError> {
    let mut all = Vec::new();
    if !place.shadows_own() {
        return Ok(all);
    }
    let by = place.set_by.as_deref().unwrap_or("local");
    let instead = format!("core.hooksPath of the {by} configuration names {}", place.directory.display());
    let mut directories = vec![place.own.clone()];
    let user = everywhere.and_then(|everywhere| everywhere.set.clone());
    directories.extend(user.filter(|user| *user != place.directory));
    for directory in directories {
        for name in HookName::ALL {
            let path = directory.join(name.as_str());
            // The scripts for all repositories run the repository's own as well.
            let passed_on = directory == place.own && is_passed_on(place, name)?;
            if script::inspect(&path)?.is_own() && !passed_on {
                all.push(format!("{}: {instead}", path.display()));
            }
        }
    }
    Ok(all)
}

/// Whether the hook git starts is keycull's script for all repositories.
fn is_passed_on(place: &Place, name: HookName) -> Result<bool, HookError> {
    let text = block::read(&place.directory.join(name.as_str()));
    Ok(text
        .ok()
        .flatten()
        .is_some_and(|text| text.lines().any(|line| line.starts_with("everywhere='") && line.len() > 13)))
}
