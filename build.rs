//! Compiles `rules/*.toml` into static tables; a broken rule fails the build with file, line and
//! reason.

// The rule compiler is the crate's own; only the parts a build needs are used here.
#![allow(dead_code, missing_docs, unreachable_pub)]

#[path = "src/finding/level.rs"]
mod level;

mod finding {
    pub use crate::level::{Confidence, Severity};
}

#[path = "src/rule"]
mod rule {
    pub mod checksum;
    pub mod class;
    pub mod compile;
    pub mod emit;
    pub mod filter;
    pub mod format;
    pub mod literal;
    pub mod model;
    pub mod pool;
    #[allow(unused_imports)]
    pub mod provider;
    pub mod schema;
    pub mod shape;
    pub mod table;
}

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use rule::compile::{Trust, assemble, digest, parse_file};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=src/rule");
    println!("cargo::rerun-if-changed=src/finding/level.rs");
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(messages) => {
            for message in messages {
                println!("cargo::error={message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Vec<String>> {
    let one = |message: String| vec![message];
    let files = rule_files(Path::new("rules")).map_err(one)?;
    let (mut drafts, mut errors, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for path in &files {
        let text = fs::read_to_string(path).map_err(|e| one(format!("{}: {e}", path.display())))?;
        match parse_file(&path.display().to_string().replace('\\', "/"), &text, Trust::BuiltIn) {
            Ok(found) => drafts.extend(found),
            Err(found) => errors.extend(found.iter().map(ToString::to_string)),
        }
        texts.push(text);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let set = assemble(drafts, digest(texts.iter().map(String::as_bytes))).map_err(one)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| one("OUT_DIR is not set".to_owned()))?);
    embed_providers(&out)?;
    fs::write(out.join("builtin_rules.rs"), rule::emit::source(&set)).map_err(|e| one(e.to_string()))
}

/// Checks `rules/providers/*.toml` and embeds their text: it is parsed again at run time, and only
/// by the commands that use the network, so a scan pays nothing for it.
fn embed_providers(out: &Path) -> Result<(), Vec<String>> {
    let one = |message: String| vec![message];
    let root = env::current_dir().map_err(|e| one(e.to_string()))?;
    let (mut table, mut errors) = (String::from("&[\n"), Vec::new());
    for path in rule_files(Path::new("rules/providers")).map_err(one)? {
        let text = fs::read_to_string(&path).map_err(|e| one(format!("{}: {e}", path.display())))?;
        if let Err(found) = rule::provider::parse_file(&text) {
            errors.extend(found.iter().map(|problem| format!("{}: {problem}", path.display())));
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        table.push_str(&format!(
            "    ({stem:?}, include_str!({:?})),\n",
            root.join(&path).display().to_string()
        ));
    }
    table.push_str("]\n");
    if !errors.is_empty() {
        return Err(errors);
    }
    fs::write(out.join("providers.rs"), table).map_err(|e| one(e.to_string()))
}

/// All `*.toml` directly under `dir`, sorted, so that the tables do not depend on the file system.
fn rule_files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", dir.display()))?.path();
        if path.extension().is_some_and(|ext| ext == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
