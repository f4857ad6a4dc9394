//! Hooks in git's configuration: `hook.<name>.command`, since git 2.54. They run besides the
//! hooks that are files, so nothing has to be chained and nothing is shadowed.

use std::path::Path;

use super::git::{self, CONFIGURED_HOOKS, Scope, answer};
use super::script::quoted;
use super::{Action, Change, HookError, HookName};

/// A hook that some configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Configured {
    /// Its friendly name.
    pub(super) name: String,
    /// What it runs.
    pub(super) command: String,
    /// On what.
    pub(super) events: Vec<String>,
    /// Whether it is switched on.
    pub(super) enabled: bool,
    /// `local`, `global`, `system`.
    pub(super) scope: String,
}

/// The friendly name of keycull's entry; git takes no name that is a hook's.
fn friendly(name: HookName) -> String {
    format!("keycull-{name}")
}

pub(super) fn install(
    start: &Path,
    scope: Scope,
    names: &[HookName],
    program: Option<&Path>,
) -> Result<Vec<Change>, HookError> {
    let found = git::version(start)?;
    if found < CONFIGURED_HOOKS {
        return Err(HookError::TooOld { found });
    }
    let mut changes = Vec::new();
    for name in names {
        let key = |last: &str| format!("hook.{}.{last}", friendly(*name));
        answer(start, &["config", scope.flag(), "--replace-all", &key("command"), &command(*name, program)])?;
        answer(start, &["config", scope.flag(), "--replace-all", &key("event"), name.as_str()])?;
        changes.push(Change { action: Action::Set, path: key("command").into() });
    }
    Ok(changes)
}

pub(super) fn uninstall(start: &Path, scope: Scope) -> Result<Vec<Change>, HookError> {
    let mut changes = Vec::new();
    for name in HookName::ALL {
        let key = format!("hook.{}.command", friendly(name));
        if answer(start, &["config", scope.flag(), "--get", &key]).is_ok() {
            let section = format!("hook.{}", friendly(name));
            answer(start, &["config", scope.flag(), "--remove-section", &section])?;
            changes.push(Change { action: Action::Unset, path: key.into() });
        }
    }
    Ok(changes)
}

/// Every hook the configuration names, of whatever scope.
pub(super) fn list(start: &Path) -> Result<Vec<Configured>, HookError> {
    let keys = r"^hook\..*\.(command|event|enabled)$";
    // Fails when there is none.
    let Ok(text) = answer(start, &["config", "--show-scope", "--null", "--get-regexp", keys]) else {
        return Ok(Vec::new());
    };
    Ok(parse(&text))
}

/// Reads what `git config --show-scope --null --get-regexp` prints.
fn parse(text: &str) -> Vec<Configured> {
    let mut hooks: Vec<Configured> = Vec::new();
    let mut parts = text.split('\0');
    while let (Some(scope), Some(setting)) = (parts.next(), parts.next()) {
        let (key, value) = setting.split_once('\n').unwrap_or((setting, "true"));
        let Some((name, last)) = key.strip_prefix("hook.").and_then(|key| key.rsplit_once('.')) else {
            continue;
        };
        let at = hooks.iter().position(|hook| hook.name == name).unwrap_or_else(|| {
            hooks.push(Configured { name: name.to_owned(), enabled: true, ..Configured::default() });
            hooks.len() - 1
        });
        let hook = &mut hooks[at];
        match last {
            "command" => {
                hook.command = value.to_owned();
                hook.scope = scope.to_owned();
            }
            "event" if value.is_empty() => hook.events.clear(),
            "event" => hook.events.push(value.to_owned()),
            _ => hook.enabled = !matches!(value, "false" | "no" | "off" | "0" | ""),
        }
    }
    hooks
}

/// The shell line of an entry. Git appends the arguments of the hook.
fn command(name: HookName, program: Option<&Path>) -> String {
    let fall_back = program
        .and_then(Path::to_str)
        .map(|program| format!("command -v \"$k\" >/dev/null || k={}; ", quoted(program)))
        .unwrap_or_default();
    let once = name.without_it().unwrap_or("it again");
    format!(
        "k=${{KEYCULL_BIN:-keycull}}; {fall_back}command -v \"$k\" >/dev/null || {{ echo 'keycull was not \
         found, so nothing was scanned: install it, or run {once}' >&2; exit 1; }}; \"$k\" hook run {name}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_lists_is_joined_by_name() {
        let text = "global\0hook.a.b.command\nx y\0global\0hook.a.b.event\npre-commit\0\
                    local\0hook.a.b.event\npre-push\0local\0hook.off.enabled\nfalse\0";
        let hooks = parse(text);
        assert_eq!(hooks.len(), 2);
        assert_eq!((hooks[0].name.as_str(), hooks[0].command.as_str()), ("a.b", "x y"));
        assert_eq!(hooks[0].events, ["pre-commit", "pre-push"]);
        assert!(hooks[0].enabled && !hooks[1].enabled);
        assert!(parse("").is_empty());
    }
}
