//! Ignore files are understood as git understands them: the same files are left out.

use std::collections::BTreeSet;

use keycull::rule::example::Rng;
use keycull::source::git::Repository;
use keycull::source::tree::{TreeOptions, scan};

use super::recorder::Recorder;
use crate::support::git::GitRepo;

const DIRECTORIES: [&str; 8] = ["", "a/", "ab/", "a/b/", "a/a/", "ab/b/", "a/b/a/", ".d/"];
const NAMES: [&str; 7] = ["f", "b.b", "a.b", "B.b", "bb", "x y", "a]b"];
/// What patterns are put together from.
const PIECES: [&str; 24] = [
    "a",
    "b",
    "ab",
    "a.b",
    "f",
    ".",
    "*",
    "*",
    "**",
    "**/",
    "/**",
    "/",
    "/",
    "?",
    "[ab]",
    "[!a]",
    "[a-b.]",
    "[]a]",
    "[[:alpha:]]",
    "\\a",
    "\\*",
    " ",
    "!",
    "[",
];

fn file(rng: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..1 + rng.below(4) {
        for _ in 0..1 + rng.below(5) {
            text.push_str(PIECES[rng.below(PIECES.len())]);
        }
        text.push_str(["\n", "\n", "/\n", " \n", "\r\n"][rng.below(5)]);
    }
    text
}

#[test]
fn the_same_files_are_left_out_as_by_git() {
    let repo = GitRepo::new();
    for directory in DIRECTORIES {
        for name in NAMES {
            repo.write(format!("{directory}{name}"), "x");
        }
    }
    let mut rng = Rng::seeded("ignores");
    for round in 0..400 {
        let (top, nested) = (file(&mut rng), file(&mut rng));
        repo.write(".gitignore", &top).write("a/.gitignore", &nested);
        repo.git(&["config", "core.ignoreCase", if round % 4 == 0 { "true" } else { "false" }]);
        let listed = repo.git(&["ls-files", "-z", "--others", "--exclude-standard"]);
        let expected: BTreeSet<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        let recorder = Recorder::default();
        let opened = Repository::open(repo.path()).expect("git made it");
        scan(&TreeOptions::new(repo.path()), Some(&opened), &recorder).expect("a scan");
        let seen = recorder.paths("file");
        let seen: BTreeSet<&str> = seen.iter().map(String::as_str).collect();
        assert_eq!(seen, expected, "round {round}: {top:?} and below a/ {nested:?}");
    }
}
