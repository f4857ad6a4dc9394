//! The levels of `docs/architecture.md`, checked: who may import whom, which crate may appear
//! where, where `unsafe` is allowed, and which file names say nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by level; a module may import only itself and lower levels.
const LEVELS: [&[&str]; 6] = [
    &["finding", "chunk"],
    &["rule", "config", "import", "net"],
    &["source", "engine"],
    &["triage", "validate", "revoke", "report", "upload"],
    &["pipeline", "hook", "ci", "mock"],
    &["cli"],
];

/// Imports within a level that are meant.
const ALLOWED_SIDEWAYS: [(&str, &str); 2] = [("chunk", "finding"), ("revoke", "validate")];

/// Modules that may import less than their level allows.
const ONLY_FROM: [(&str, &[&str]); 2] = [("report", &["finding"]), ("rule", &["finding"])];

/// Crates that may appear in some places only (files, or directories ending in `/`).
const CRATES: [(&str, &[&str]); 9] = [
    ("gix", &["src/source/git/"]),
    ("ureq", &["src/net/", "src/net.rs"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("serde_sarif", &["src/report/sarif.rs", "src/report/sarif/"]),
    ("indicatif", &["src/cli/"]),
    ("signal_hook", &["src/cli/"]),
    ("anyhow", &["src/cli/"]),
];

/// The only places with `unsafe`: memory maps and SIMD.
const UNSAFE: [&str; 5] = [
    "src/engine/mask_avx2.rs",
    "src/engine/mask_avx512.rs",
    "src/finding/slow_hash_avx512.rs",
    "src/engine/pack.rs",
    "src/source/git/pack/mmap.rs",
];

/// File names that do not say what is inside.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "misc", "types"];

#[test]
fn the_source_keeps_to_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    assert!(files.len() > 20, "the walk found only {} files", files.len());
    files.sort();
    let mut problems = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        problems.extend(check(&name, &fs::read_to_string(&file).expect("a source file")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn tests_that_need_tools_can_be_chosen_by_name() {
    // Split, so that this file is none of those it looks for.
    let mark = concat!("#[ignore = \"needs", " .ci/tools\"]");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("tests"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let named =
            text.contains("mod needs_tools") || file.file_stem().is_some_and(|stem| stem == "validators");
        assert!(!text.contains(mark) || named, "{}: .ci/run would not choose these tests", file.display());
    }
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a source directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// All problems of one file, each `file:line: what`.
fn check(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let parts: Vec<&str> = name.trim_end_matches(".rs").split('/').skip(1).collect();
    for part in &parts {
        if EMPTY_NAMES.contains(part) {
            problems.push(format!("{name}:1: `{part}` says nothing about what is inside"));
        }
    }
    let code = without_comments_and_strings(text);
    let module = parts[0];
    for (index, line) in code.lines().enumerate() {
        let mut complain = |what: String| problems.push(format!("{name}:{}: {what}", index + 1));
        for (krate, places) in CRATES {
            if uses_crate(line, krate) && !is_in(name, places) {
                complain(format!("`{krate}` may appear only in {}", places.join(", ")));
            }
        }
        if words(line).any(|(_, word)| word == "unsafe") && !is_in(name, &UNSAFE) {
            complain("`unsafe` is not allowed here".to_owned());
        }
    }
    if !matches!(module, "lib" | "main") {
        for (line, target) in imports(&code, &parts) {
            if let Some(what) = forbidden(module, &target) {
                problems.push(format!("{name}:{line}: {what}"));
            }
        }
    }
    problems
}

/// Why `module` may not import `target`; `None` when it may.
fn forbidden(module: &str, target: &str) -> Option<String> {
    let level = |name: &str| LEVELS.iter().position(|modules| modules.contains(&name));
    if module == target {
        return None;
    }
    let Some(own) = level(module) else { return Some(format!("module `{module}` has no level")) };
    let Some(other) = level(target) else { return Some(format!("`crate::{target}` has no level")) };
    let narrowed = ONLY_FROM.iter().find(|(name, _)| *name == module);
    if narrowed.is_some_and(|(_, allowed)| !allowed.contains(&target)) {
        return Some(format!("`{module}` may not import `{target}`"));
    }
    let fine = other < own || ALLOWED_SIDEWAYS.contains(&(module, target));
    (!fine).then(|| format!("`{module}` (level {own}) may not import `{target}` (level {other})"))
}

/// The top-level modules named by `crate::…` paths, and by `super::` chains that leave the
/// module at `parts`, with their lines.
fn imports(code: &str, parts: &[&str]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let line_at = |offset: usize| 1 + code[..offset].matches('\n').count();
    for (offset, word) in words(code) {
        if word == "crate" {
            let rest = &code[offset + word.len()..];
            let Some(path) = rest.strip_prefix("::") else { continue };
            found.extend(heads(path).into_iter().map(|head| (line_at(offset), head)));
        }
    }
    // `super` in `src/a/b.rs` is `a`, in `src/a/mod.rs` the crate itself.
    let depth = if parts.last() == Some(&"mod") { parts.len() - 1 } else { parts.len() };
    let mut at = 0;
    while let Some(next) = code[at..].find("super::") {
        let start = at + next;
        let mut rest = &code[start..];
        let mut climbed = 0;
        while let Some(shorter) = rest.strip_prefix("super::") {
            climbed += 1;
            rest = shorter;
        }
        // One `mod tests { … }` inside the file is one step more; top-level `super`s are counted
        // as if outside it, so at worst a climb out of the file's own module is overlooked.
        if climbed > depth || (climbed == depth && !parts.is_empty() && !in_inner_module(code, start)) {
            found.extend(heads(rest).into_iter().map(|head| (line_at(start), head)));
        }
        at = code.len() - rest.len();
    }
    found
}

/// Whether `offset` is inside a `mod x { … }` of the file.
fn in_inner_module(code: &str, offset: usize) -> bool {
    let before = &code[..offset];
    before.match_indices("mod ").any(|(at, _)| {
        let body = &before[at..];
        let opened = body.find('{').is_some_and(|brace| !body[..brace].contains(';'));
        opened && body.matches('{').count() > body.matches('}').count()
    })
}

/// The first names of a path: one, or those of a `{…}` group.
fn heads(path: &str) -> Vec<String> {
    let path = path.trim_start();
    let Some(group) = path.strip_prefix('{') else {
        return words(path).next().map(|(_, word)| word.to_owned()).into_iter().collect();
    };
    let (mut depth, mut heads, mut fresh) = (0_usize, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && (c.is_alphabetic() || c == '_') => {
                let word: String =
                    group[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                heads.push(word);
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

fn is_in(name: &str, places: &[&str]) -> bool {
    places.iter().any(|place| if place.ends_with('/') { name.starts_with(place) } else { name == *place })
}

/// Whether `line` names the crate: as the start of a path, or in `use krate…`.
fn uses_crate(line: &str, krate: &str) -> bool {
    words(line).any(|(at, word)| {
        let starts_path = line[at + word.len()..].starts_with("::") && !line[..at].ends_with("::");
        let used = line[..at].trim_end().ends_with("use") || line[..at].trim_end().ends_with("extern crate");
        word == krate && (starts_path || used)
    })
}

/// The identifiers of `text` with their offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(|c: char| c.is_alphabetic() || c == '_')?;
        let end =
            text[start..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(text.len(), |n| start + n);
        at = end;
        Some((start, &text[start..end]))
    })
}

/// `text` with comments and the insides of string literals blanked, line for line.
fn without_comments_and_strings(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let end = if rest.starts_with("//") {
            at + rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            at + rest.find("*/").map_or(rest.len(), |n| n + 2)
        } else if let Some(hashes) = raw_string_start(rest, at, bytes) {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = rest.find('"').map_or(rest.len(), |n| n + 1);
            at + rest[body..].find(&close).map_or(rest.len(), |n| body + n + close.len())
        } else if rest.starts_with('"') {
            at + string_end(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") {
            at + rest.find("\"'").map_or(1, |n| n + 2)
        } else if rest.starts_with("'\\\"'") {
            at + 4
        } else {
            code.push(bytes[at]);
            at += 1;
            while at < bytes.len() && !text.is_char_boundary(at) {
                code.push(bytes[at]);
                at += 1;
            }
            continue;
        };
        code.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
        at = end;
    }
    String::from_utf8(code).expect("only whole characters were replaced")
}

/// Number of `#` when a raw string starts here.
fn raw_string_start(rest: &str, at: usize, bytes: &[u8]) -> Option<usize> {
    let inside_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let after = rest.strip_prefix('r').or_else(|| rest.strip_prefix("br")).filter(|_| !inside_word)?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// Length of the string literal at the start of `rest`.
fn string_end(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn upward_and_sideways_imports_are_caught_with_their_line() {
    let up = "//! Text.\n\nuse crate::finding::Oid;\nuse crate::triage::finish;\n";
    assert_eq!(
        check("src/source/tree.rs", up),
        ["src/source/tree.rs:4: `source` (level 2) may not import `triage` (level 3)"]
    );
    let sideways = "use crate::engine::Engine;\n";
    assert_eq!(check("src/source/tree.rs", sideways).len(), 1);
    assert_eq!(check("src/revoke/mod.rs", "use crate::validate::x;\n").len(), 0);
    assert_eq!(check("src/validate/mod.rs", "use crate::revoke::x;\n").len(), 1);
    assert_eq!(
        check("src/report/text.rs", "use crate::rule::Rule;\n").len(),
        1,
        "reports know findings only"
    );
}

#[test]
fn groups_and_super_chains_are_seen_through() {
    let group = "use crate::{chunk::Chunk, finding::{Oid, Span}, pipeline};\n";
    assert_eq!(
        check("src/engine/mod.rs", group),
        ["src/engine/mod.rs:1: `engine` (level 2) may not import `pipeline` (level 4)"]
    );
    assert_eq!(check("src/source/git/pack.rs", "use super::super::super::cli::run;\n").len(), 1);
    assert_eq!(check("src/source/git/pack.rs", "use super::super::SourceError;\n").len(), 0);
    assert_eq!(check("src/source/mod.rs", "use super::engine::Engine;\n").len(), 1);
    let tests = "fn a() {}\nmod tests {\n    use super::a;\n}\n";
    assert_eq!(check("src/chunk.rs", tests).len(), 0);
}

#[test]
fn crates_unsafe_and_names_are_kept_in_their_places() {
    assert_eq!(check("src/source/tree.rs", "fn f(r: gix::Repository) {}\n").len(), 1);
    assert_eq!(check("src/source/git/mod.rs", "use gix::odb;\n").len(), 0);
    assert_eq!(check("src/source/tree.rs", "use super::gix::x;\nlet gix = 1;\n").len(), 0);
    assert_eq!(check("src/report/json.rs", "use serde_sarif::sarif;\n").len(), 1);
    assert_eq!(check("src/chunk.rs", "unsafe { f() }\n").len(), 1);
    assert_eq!(check("src/engine/utils.rs", "").len(), 1);
    let quiet = "// unsafe gix::x\n/* use clap::x */ let s = \"use ureq::x\"; let r = r#\"\"unsafe\"#;\n";
    assert_eq!(check("src/chunk.rs", quiet), Vec::<String>::new());
}
