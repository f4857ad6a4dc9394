//! husky: lines in the scripts below `.husky`, which belong to the repository.
//!
//! The lines go first, since a script may end early. husky 9 runs the scripts with `sh -e`;
//! older versions have a line in each that starts it again, after which the lines have to stand.

use std::path::{Path, PathBuf};

use super::block;
use super::place::Place;
use super::script::Manager;
use super::{Action, Change, HookError, HookName};

/// The directory of the scripts.
pub(super) fn directory(place: &Place) -> Option<PathBuf> {
    let directory = place.directory.ancestors().find(|path| path.file_name().is_some_and(|n| n == ".husky"));
    let default = place.top.join(".husky");
    directory.map(Path::to_owned).or_else(|| default.is_dir().then_some(default))
}

pub(super) fn install(place: &Place, names: &[HookName]) -> Result<Vec<Change>, HookError> {
    let directory = directory(place)
        .ok_or_else(|| HookError::NoManager { manager: Manager::Husky, top: place.top.clone() })?;
    let mut changes = Vec::new();
    for name in names {
        let path = directory.join(name.as_str());
        let old = block::read(&path)?;
        let mut text = old.clone().unwrap_or_default();
        let lines = block::shell_lines(*name);
        match block::find(&text) {
            Some(place) => block::renew(&mut text, place, &lines),
            None => text.insert_str(first_line(&text), &block::marked(&lines, old.is_none())),
        }
        block::write(&path, &text)?;
        changes.push(Change { action: Action::Edited, path });
    }
    Ok(changes)
}

pub(super) fn uninstall(place: &Place) -> Result<Vec<Change>, HookError> {
    let Some(directory) = directory(place) else { return Ok(Vec::new()) };
    let mut changes = Vec::new();
    for name in HookName::ALL {
        let path = directory.join(name.as_str());
        if block::take_out(&path)? {
            changes.push(Change { action: Action::Cleaned, path });
        }
    }
    Ok(changes)
}

/// Where the first command of a script may stand.
fn first_line(text: &str) -> usize {
    let mut at = 0;
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let starts_husky = line.contains("husky.sh") && !line.trim_start().starts_with('#');
        if (line.starts_with("#!") && place == 0 || starts_husky) && line.ends_with('\n') {
            place = at;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_go_first_but_after_what_starts_husky() {
        for (text, place) in [
            ("", 0),
            ("npm test", 0),
            ("npm test\nexit 0\n", 0),
            ("#!/bin/sh\nnpm test\n", 10),
            ("#!/bin/sh\n. \"$(dirname \"$0\")/_/husky.sh\"\n\nnpm test\n", 41),
        ] {
            assert_eq!(first_line(text), place, "{text:?}");
        }
    }
}
