//! lefthook: a configuration file of keycull's own, which `lefthook.yml` takes in by `extends`.
//!
//! keycull runs as a *script* of lefthook, not as a command: commands are passed over when
//! lefthook finds no changed files (seen with 2.2.2: "no matching push files"), which is the
//! case for tags, messages and branches that only take files away.

use std::path::{Path, PathBuf};

use super::block;
use super::place::Place;
use super::script::{self, Manager};
use super::{Action, Change, HookError, HookName};

/// Names lefthook's configuration may have in a form that can be changed here.
const CONFIGURATIONS: [&str; 4] = ["lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml"];

/// Keycull's part of the configuration.
const PART: &str = ".lefthook-keycull.yml";

/// First line of the files that are keycull's.
const MARK: &str = "# keycull-hook 2, written by `keycull hook install --lefthook`\n";

/// The configuration of lefthook, where there is one.
pub(super) fn configuration(place: &Place) -> Option<PathBuf> {
    CONFIGURATIONS.iter().map(|name| place.top.join(name)).find(|path| path.is_file())
}

pub(super) fn install(place: &Place, names: &[HookName]) -> Result<Vec<Change>, HookError> {
    let configuration = configuration(place)
        .ok_or_else(|| HookError::NoManager { manager: Manager::Lefthook, top: place.top.clone() })?;
    let text = block::read(&configuration)?.unwrap_or_default();
    let extended = extended(&text, &configuration)?;
    let part = place.top.join(PART);
    let mut files = vec![(part, part_text(names))];
    for name in names {
        let script = format!("#!/bin/sh\n{MARK}{}", block::shell_lines(*name));
        files.push((script_path(place, &text, *name), script));
    }
    for (path, _) in &files {
        if block::read(path)?.is_some_and(|text| !is_own(&text)) {
            let why = "it is not keycull's";
            return Err(HookError::Form { path: path.clone(), why, by_hand: "move it away".to_owned() });
        }
    }
    let mut changes = Vec::new();
    for (path, content) in files {
        block::write(&path, &content)?;
        changes.push(Change { action: Action::Installed, path });
    }
    if extended != text {
        block::write(&configuration, &extended)?;
        changes.push(Change { action: Action::Edited, path: configuration });
    }
    Ok(changes)
}

pub(super) fn uninstall(place: &Place) -> Result<Vec<Change>, HookError> {
    let Some(configuration) = configuration(place) else { return Ok(Vec::new()) };
    let text = block::read(&configuration)?.unwrap_or_default();
    let mut changes = Vec::new();
    if block::take_out(&configuration)? {
        changes.push(Change { action: Action::Cleaned, path: configuration });
    }
    let scripts = HookName::ALL.map(|name| script_path(place, &text, name));
    for path in scripts.into_iter().chain([place.top.join(PART)]) {
        if block::read(&path)?.is_some_and(|text| is_own(&text)) {
            script::remove(&path)?;
            // NOTE: fails, as it should, unless keycull's file was the only one.
            let emptied = path.parent().filter(|parent| *parent != place.top);
            if emptied.is_some_and(|parent| std::fs::remove_dir(parent).is_ok()) {
                let _ = emptied.and_then(Path::parent).filter(|p| *p != place.top).map(std::fs::remove_dir);
            }
            changes.push(Change { action: Action::Removed, path });
        }
    }
    Ok(changes)
}

/// Whether lefthook runs keycull as the hook `name`: by keycull's part, or however the
/// configuration mentions it.
pub(super) fn runs(place: &Place, name: HookName) -> Result<bool, HookError> {
    let Some(configuration) = configuration(place) else { return Ok(false) };
    let text = block::read(&configuration)?.unwrap_or_default();
    if !text.contains(PART) {
        return Ok(text.contains("keycull"));
    }
    let part = block::read(&place.top.join(PART))?.unwrap_or_default();
    let listed = part.lines().any(|line| line.strip_suffix(':') == Some(name.as_str()));
    Ok(listed && script_path(place, &text, name).is_file())
}

fn is_own(text: &str) -> bool {
    text.contains(MARK)
}

/// The hooks as lefthook reads them.
fn part_text(names: &[HookName]) -> String {
    let mut text = MARK.to_owned();
    for name in names {
        let stdin = if *name == HookName::PrePush { "      use_stdin: true\n" } else { "" };
        text.push_str(&format!("{name}:\n  scripts:\n    \"keycull\":\n      runner: sh\n{stdin}"));
    }
    text
}

/// Where lefthook looks for the script of the hook `name`.
fn script_path(place: &Place, configuration: &str, name: HookName) -> PathBuf {
    let set = configuration.lines().find_map(|line| line.strip_prefix("source_dir:"));
    let directory = set.map(|value| value.split(" #").next().unwrap_or_default().trim());
    let directory = directory.map(|value| value.trim_matches(|c| c == '"' || c == '\''));
    place.top.join(directory.unwrap_or(".lefthook")).join(name.as_str()).join("keycull")
}

/// `text` with keycull's part taken in.
fn extended(text: &str, path: &Path) -> Result<String, HookError> {
    if block::find(text).is_some() {
        return Ok(text.to_owned());
    }
    let refuse = |why| {
        let by_hand = format!("extends: [{PART}]");
        Err(HookError::Form { path: path.to_owned(), why, by_hand })
    };
    let mut start = 0;
    let mut at = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let end = at + line.len();
        let plain = line.trim_end();
        if plain == "---" && text[..at].lines().all(is_blank) {
            start = end;
        } else if plain.starts_with(['{', '%']) {
            return refuse("it is not written as a list of hooks");
        } else if let Some(rest) = plain.strip_prefix("extends:") {
            let item = lines.peek().copied().unwrap_or_default();
            let indent = &item[..item.len() - item.trim_start().len()];
            if !is_blank(rest) || !item.trim_start().starts_with("- ") {
                return refuse("its `extends` is not written with one file a line");
            }
            let block = block::marked(&format!("{indent}- {PART}\n"), false);
            return Ok(format!("{}{block}{}", &text[..end], &text[end..]));
        }
        at = end;
    }
    let block = block::marked(&format!("extends:\n  - {PART}\n"), false);
    Ok(format!("{}{block}{}", &text[..start], &text[start..]))
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_taken_in_whatever_the_file_looks_like() {
        let extended = |text: &str| extended(text, Path::new("lefthook.yml"));
        for (text, before, after) in [
            ("", "", ""),
            ("pre-commit:\n  x: y\n", "", "pre-commit:\n  x: y\n"),
            ("# a\n---\npre-commit:\n", "# a\n---\n", "pre-commit:\n"),
            ("a: b\nextends:\n  - c.yml\n", "a: b\nextends:\n", "  - c.yml\n"),
            ("extends:\n- c.yml", "extends:\n", "- c.yml"),
        ] {
            let with = extended(text).unwrap();
            let place = block::find(&with).unwrap();
            assert_eq!((&with[..place.start], &with[place.end..]), (before, after), "{with}");
            assert!(with.contains(PART));
            assert_eq!(extended(&with).unwrap(), with, "twice is once");
        }
        for text in ["extends: [a.yml]\n", "{}\n", "extends:\n"] {
            assert!(extended(text).unwrap_err().hint().contains(PART), "{text}");
        }
    }
}
