//! `keycull hook`: installs, removes and shows the git hooks.

use std::path::Path;

use crate::hook::{self, Hook, HookError, State};

use super::args::HookCommand;
use super::failure::{Failure, Outcome, printable};
use super::say;

/// Runs one of the hook commands for the repository around the current directory.
///
/// `status` gives 0 when every hook runs keycull and 1 otherwise.
pub(super) fn run(command: &HookCommand) -> Outcome<u8> {
    let here = Path::new(".");
    match command {
        HookCommand::Install => {
            let program = std::env::current_exe().ok();
            say(&lines(&hook::install(here, program.as_deref()).map_err(failure)?))
        }
        HookCommand::Uninstall => {
            let removed = hook::uninstall(here).map_err(failure)?;
            if removed.is_empty() {
                return say("no hook of keycull is installed here\n");
            }
            say(&removed.iter().map(|hook| format!("removed {}\n", shown(hook))).collect::<String>())
        }
        HookCommand::Status => status(here),
    }
}

fn status(here: &Path) -> Outcome<u8> {
    let (place, hooks) = hook::status(here).map_err(failure)?;
    let mut text = lines(&hooks);
    if let Some(scope) = &place.shared {
        let directory = printable(&place.directory.display().to_string());
        text.push_str(&format!("note: core.hooksPath of the {scope} configuration sets {directory}\n"));
    }
    let all_run = hooks.iter().all(|hook| {
        matches!(hook.state, State::Own { executable: true, .. } | State::Foreign { mentions_keycull: true })
    });
    say(&text)?;
    Ok(u8::from(!all_run))
}

fn lines(hooks: &[Hook]) -> String {
    hooks.iter().map(|hook| format!("{}: {} ({})\n", hook.name, described(hook.state), shown(hook))).collect()
}

fn described(state: State) -> &'static str {
    match state {
        State::Absent => "not installed",
        State::Own { executable: false, .. } => "installed, but not executable: git does not run it",
        State::Own { current: false, .. } => {
            "installed, from another version: `keycull hook install` renews it"
        }
        State::Own { .. } => "installed",
        State::Foreign { mentions_keycull: true } => "a hook of somebody else that mentions keycull",
        State::Foreign { mentions_keycull: false } => "a hook of somebody else",
    }
}

fn shown(hook: &Hook) -> String {
    printable(&hook.path.display().to_string())
}

fn failure(error: HookError) -> Failure {
    let hint = error.hint();
    Failure::from(error).hint(hint)
}
