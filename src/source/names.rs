//! File names as content: which of them can hold a secret at all.

use super::Sink;
use crate::chunk::{Chunk, Encoding, Window};
use crate::finding::{Origin, RepoPath};

/// Fewest characters in a row that a token of any rule has.
const TOKEN: usize = 16;

/// Whether one component of a path could hold a token: a run of 16 or more token characters
/// with a letter and a digit among them.
///
/// Almost every name fails this, so names cost next to nothing.
pub(crate) fn may_hold_token(name: &[u8]) -> bool {
    name.len() >= TOKEN
        && name.split(|&byte| !(byte.is_ascii_alphanumeric() || b"_-+/=.~%".contains(&byte))).any(|run| {
            run.len() >= TOKEN
                && run.iter().any(u8::is_ascii_digit)
                && run.iter().any(u8::is_ascii_alphabetic)
        })
}

/// Hands over `path` when its last component could hold a token; only triggers in that are looked
/// at, so that a directory's name is not found again in every path below it.
pub(crate) fn offer(path: RepoPath, sink: &dyn Sink) {
    let name = path.file_name().len();
    if may_hold_token(path.file_name()) {
        let bytes = path.as_bytes().to_vec();
        let window = Window { own_start: bytes.len() - name, ..Window::whole(bytes.len()) };
        let origin = Origin::FileName { path };
        sink.chunk(Chunk { bytes: &bytes, origin: &origin, encoding: Encoding::Plain, window });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_passed_over() {
        for name in ["main.rs", "a_rather_long_descriptive_name.txt", "2026-11-22-12-00-00-00"] {
            assert!(!may_hold_token(name.as_bytes()), "{name}");
        }
        assert!(may_hold_token(format!("backup {}", "a1b2".repeat(5)).as_bytes()));
    }
}
