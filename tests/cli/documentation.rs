//! The documentation says what the program does: settings, variables, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use keycull::config::{ALLOW_KEYS, KEYS, OTHER_VARIABLES};

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a document")
}

#[test]
fn every_key_has_its_row() {
    let text = document("docs/config.md");
    for key in &KEYS {
        let start = format!("| `{}` | ", key.name);
        let row = text.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("docs/config.md has no row for `{}`", key.name));
        for part in [key.default, key.variable, key.flag] {
            assert!(row.contains(&format!("| `{part}` |")), "the row of `{}` lacks `{part}`", key.name);
        }
        assert!(row.contains(key.meaning), "the row of `{}` says something else than the program", key.name);
    }
}

#[test]
fn every_row_is_a_key() {
    let text = document("docs/config.md");
    let table =
        text.split("## Keys").nth(1).and_then(|rest| rest.split("\n\nBesides").next()).expect("the table");
    let rows: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(rows, known, "same keys, same order");
}

#[test]
fn every_key_of_allow_tables_has_its_row() {
    let text = document("docs/config.md");
    let section = text.split("## Allowed findings").nth(1).and_then(|rest| rest.split("\n## ").next());
    let section = section.expect("the section");
    let rows: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(rows, ALLOW_KEYS.map(|key| key.name));
    assert!(ALLOW_KEYS.iter().all(|key| section.contains(key.meaning)));
}

#[test]
fn every_variable_is_known_and_documented() {
    let text = document("docs/config.md");
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let mentioned: BTreeSet<&str> = text
        .match_indices("KEYCULL_")
        .map(|(at, _)| &text[at..at + text[at..].find(|c| !is_name(c)).unwrap_or(text.len() - at)])
        .filter(|name| *name != "KEYCULL_")
        .collect();
    let known: BTreeSet<&str> =
        KEYS.iter().map(|key| key.variable).chain(OTHER_VARIABLES.iter().map(|(name, _)| *name)).collect();
    assert_eq!(mentioned, known);
}

#[test]
fn the_readme_names_every_format_and_exit_code() {
    let text = document("README.md");
    for format in keycull::report::Format::ALL {
        assert!(text.contains(&format!("`{format}`")), "{format}");
    }
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 130, 143 |"] {
        assert!(text.contains(code), "{code}");
    }
    let ci = document(".ci/run");
    assert!(text.contains("\ncargo test "), "the command that passes the tests");
    assert!(ci.contains("\ncargo test\n"), "CI runs the very command");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/architecture.md",
        "docs/config.md",
        "docs/exit-codes.md",
    ] {
        let text = document(name);
        let directory = root.join(name).parent().expect("a directory").to_owned();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().expect("a closing bracket");
            assert!(directory.join(target).exists(), "{name} links to {target}, which is not there");
        }
    }
}
