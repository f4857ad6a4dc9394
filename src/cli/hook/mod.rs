//! `keycull hook`: installs, removes, shows and is the git hooks.

mod advice;
mod push;
mod run;
mod server;

use std::path::Path;

use crate::hook::{self, Action, Change, HookError, HookName, Status, Target};

use super::args::{HookCommand, HookPlace, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::say;

/// Runs one of the hook commands for the repository around the current directory.
///
/// `status` gives 0 when keycull runs and nothing of it is broken, and 1 otherwise.
pub(super) fn run(command: &HookCommand, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let here = Path::new(".");
    let variable = |name: &str| environment.get(name).map(ToOwned::to_owned);
    match command {
        HookCommand::Install { place, hook } => {
            let names = hook
                .iter()
                .map(|name| name.parse().map_err(Failure::new))
                .collect::<Outcome<Vec<HookName>>>()?;
            let program = std::env::current_exe().ok();
            let changes =
                hook::install(here, target(place), &names, program.as_deref(), variable).map_err(failure)?;
            let mut text = lines(&changes);
            if target(place) == Target::Husky || target(place) == Target::Lefthook {
                text.push_str("commit these files: whoever works here then needs keycull on PATH\n");
            }
            say(&text)
        }
        HookCommand::Uninstall { place } => {
            let changes = hook::uninstall(here, target(place), variable).map_err(failure)?;
            if changes.is_empty() {
                return say("no hook of keycull is installed there\n");
            }
            say(&lines(&changes))
        }
        HookCommand::Status => {
            let status = hook::status(here, variable).map_err(failure)?;
            say(&shown(&status))?;
            Ok(u8::from(!status.is_healthy()))
        }
        HookCommand::Run(args) => run::run(args, voice, environment),
    }
}

fn target(place: &HookPlace) -> Target {
    if place.husky {
        Target::Husky
    } else if place.lefthook {
        Target::Lefthook
    } else if place.config {
        Target::Configuration { global: place.global }
    } else if place.global {
        Target::Everywhere
    } else {
        Target::Directory
    }
}

fn lines(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let path = printable(&change.path.display().to_string());
        match &change.action {
            Action::Installed => format!("installed {path}\n"),
            Action::Renewed => format!("renewed {path}\n"),
            Action::Chained { kept } => {
                let kept = printable(&kept.display().to_string());
                format!("installed {path}; the hook that was there still runs, as {kept}\n")
            }
            Action::Edited => format!("added to {path}\n"),
            Action::Removed => format!("removed {path}\n"),
            Action::Restored => format!("restored {path}\n"),
            Action::Cleaned => format!("removed from {path}\n"),
            Action::Set => format!("set {path}\n"),
            Action::Unset => format!("unset {path}\n"),
        }
    };
    changes.iter().map(line).collect()
}

fn shown(status: &Status) -> String {
    let mut text = String::new();
    for hook in &status.hooks {
        let name = hook.name;
        match hook.runs.as_slice() {
            [] if hook.otherwise.is_empty() => text.push_str(&format!("{name}: not installed\n")),
            [] => text.push_str(&format!("{name}: not scanned\n")),
            runs => {
                runs.iter().for_each(|way| text.push_str(&format!("{name}: scanned; {}\n", printable(way))))
            }
        }
        for other in &hook.otherwise {
            text.push_str(&format!("  note: {}\n", printable(other)));
        }
    }
    for path in &status.shadowed {
        text.push_str(&format!("never runs: {}\n", printable(path)));
    }
    if let Some(scope) = &status.place.set_by {
        let directory = printable(&status.place.directory.display().to_string());
        text.push_str(&format!("git looks in {directory} (core.hooksPath of the {scope} configuration)\n"));
    }
    text
}

fn failure(error: HookError) -> Failure {
    let hint = error.hint();
    Failure::from(error).hint(hint)
}
