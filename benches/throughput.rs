//! Throughput of the engine on one core over real files, kept in memory.
//!
//! `cargo bench --bench throughput -- DIR... [--portable] [--rounds N]`; without a directory, the
//! sources of the crates this one depends on. Prints megabytes per second of processor time
//! (median over rounds) and what was found.

#![allow(clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use keycull::engine::{Engine, Scratch};

fn main() {
    let mut dirs = Vec::new();
    let (mut portable, mut rounds) = (false, 5);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {}
            "--portable" => portable = true,
            "--rounds" => rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            dir => dirs.push(PathBuf::from(dir)),
        }
    }
    if dirs.is_empty() {
        dirs.extend(registry());
    }
    let mut files = Vec::new();
    dirs.iter().for_each(|dir| read_all(dir, &mut files));
    let bytes: usize = files.iter().map(Vec::len).sum();
    println!("{} files, {:.1} MB", files.len(), bytes as f64 / 1e6);

    let engine = if portable { Engine::builtin().portable() } else { Engine::builtin() };
    let mut scratch = Scratch::default();
    let mut speeds = Vec::new();
    let mut by_rule = BTreeMap::new();
    for _ in 0..rounds {
        by_rule.clear();
        let mut out = Vec::new();
        let start = Instant::now();
        for file in &files {
            engine.scan(file, &mut scratch, &mut out);
            for hit in out.drain(..) {
                *by_rule.entry((hit.rule, hit.confidence)).or_insert(0u64) += 1;
            }
        }
        speeds.push(bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
    }
    speeds.sort_by(f64::total_cmp);
    println!(
        "median {:.0} MB/s (min {:.0}, max {:.0}), {:.2} ns/B",
        speeds[rounds / 2],
        speeds[0],
        speeds[rounds - 1],
        1e3 / speeds[rounds / 2]
    );
    for ((rule, confidence), count) in by_rule {
        println!("{count:8} {confidence:6} {}", engine.rules().get(rule).id);
    }
}

/// Sources of dependencies, as cargo keeps them.
fn registry() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let src = home.join("registry/src");
    src.is_dir().then_some(src)
}

fn read_all(path: &Path, files: &mut Vec<Vec<u8>>) {
    if path.is_dir() {
        let Ok(entries) = std::fs::read_dir(path) else { return };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().for_each(|path| read_all(path, files));
    } else if path.is_file() && path.metadata().is_ok_and(|meta| meta.len() < 8 << 20) {
        files.extend(std::fs::read(path));
    }
}
