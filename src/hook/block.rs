//! A few lines of keycull's in a file of somebody else's, that can be found and taken out again
//! without a trace.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::HookError;
use super::name::HookName;

/// How the first line of a block begins.
const BEGIN: &str = "# keycull-hook begin";
/// The last line of a block.
const END: &str = "# keycull-hook end";
/// Ends the first line when the file did not exist before.
const NEW_FILE: &str = " (this file is new)";

/// The text of the file at `path`; none when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<String>, HookError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HookError::File { action: "read", path: path.to_owned(), source }),
    }
}

/// Writes `text` over the file at `path`, whose permissions stay.
pub(super) fn write(path: &Path, text: &str) -> Result<(), HookError> {
    let failed = |source| HookError::File { action: "write", path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

/// `body`, whose every line is ended, between the marks.
pub(super) fn marked(body: &str, new_file: bool) -> String {
    format!("{BEGIN}{}\n{body}{END}\n", if new_file { NEW_FILE } else { "" })
}

/// Place of the block in `text`, with its line end.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        let plain = line.trim();
        if plain.starts_with(BEGIN) {
            start.get_or_insert(at);
        }
        at += line.len();
        if plain == END
            && let Some(start) = start
        {
            return Some(start..at);
        }
    }
    None
}

/// Puts `body` into the block at `place` of `text`.
pub(super) fn renew(text: &mut String, place: Range<usize>, body: &str) {
    let block = marked(body, is_new_file(&text[place.clone()]));
    text.replace_range(place, &block);
}

fn is_new_file(block: &str) -> bool {
    block.lines().next().is_some_and(|line| line.ends_with(NEW_FILE))
}

/// Takes the block out of the file at `path`, and the file away when it held nothing before.
/// False when there was no block.
pub(super) fn take_out(path: &Path) -> Result<bool, HookError> {
    let Some(mut text) = read(path)? else { return Ok(false) };
    let Some(place) = find(&text) else { return Ok(false) };
    let new_file = is_new_file(&text[place.clone()]);
    text.replace_range(place, "");
    if new_file && text.is_empty() {
        super::script::remove(path)?;
    } else {
        write(path, &text)?;
    }
    Ok(true)
}

/// Shell lines that run keycull as the hook `name`, for scripts other programs start.
///
/// A later line of the script may read the list of refs too, so `pre-push` leaves it there.
pub(super) fn shell_lines(name: HookName) -> String {
    let once = name.without_it().unwrap_or("git push");
    let look = format!(
        "keycull=${{KEYCULL_BIN:-keycull}}\n\
         command -v \"$keycull\" >/dev/null || {{\n\
         \techo \"keycull was not found, so nothing was scanned: install it, or run {once}\" >&2\n\
         \texit 1\n\
         }}\n"
    );
    let run = if name == HookName::PrePush {
        format!(
            "keycull_refs=$(cat)\n\
             printf '%s\\n' \"$keycull_refs\" | \"$keycull\" hook run {name} \"$@\" || exit\n\
             exec <<keycull_end\n\
             $keycull_refs\n\
             keycull_end\n"
        )
    } else {
        format!("\"$keycull\" hook run {name} \"$@\" || exit\n")
    };
    look + &run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let old = "first\nlast without an end";
        let block = marked("x\n", false);
        let with = format!("first\n{block}last without an end");
        assert_eq!(find(&with), Some(6..6 + block.len()));
        fs::write(&path, &with).unwrap();
        assert!(take_out(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), old);
        assert!(!take_out(&path).unwrap());
        fs::write(&path, marked("x\n", true)).unwrap();
        assert!(take_out(&path).unwrap() && !path.exists());
        fs::write(&path, marked("x\n", true) + "y\n").unwrap();
        assert!(take_out(&path).unwrap() && fs::read_to_string(&path).unwrap() == "y\n");
        assert_eq!(find("# keycull-hook begin\nno end\n"), None);
    }
}
