//! Throughput of the engine and its stages on one core, over files kept in memory.
//!
//! `cargo bench --bench throughput -- [DIR…] [--back-end N] [--portable] [--rounds N] [--stages] [--hostile] [--found]`;
//! without a directory, the sources of the crates this one depends on. Prints megabytes per second
//! of processor time, least and median of the rounds.
//!
//! Back end 0 is the fastest this processor has, the last one is portable.
//!
//! `--stages` measures engines with fewer and fewer rules, so that the difference of two lines is
//! what a stage costs. `--hostile` measures inputs made to be slow. `--found` lists what was found.

#![allow(clippy::print_stdout, missing_docs)]

mod corpus;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use keycull::engine::{Engine, Scratch};
use keycull::rule::compile::{assemble, drafts_of};
use keycull::rule::{Kind, RuleSet};

fn main() {
    let mut dirs = Vec::new();
    let (mut back_end, mut stages, mut hostile, mut list, mut rounds) = (0, false, false, false, 5);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {}
            "--portable" => back_end = usize::MAX,
            "--back-end" => back_end = args.next().and_then(|n| n.parse().ok()).unwrap_or(back_end),
            "--stages" => stages = true,
            "--hostile" => hostile = true,
            "--found" => list = true,
            "--rounds" => rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            dir => dirs.push(PathBuf::from(dir)),
        }
    }
    let back_end = back_end.min(Engine::back_ends() - 1);
    let with = |engine: Engine| engine.on_back_end(back_end);
    let engine = with(Engine::builtin());
    println!("{} rules, back end {back_end} of {}", engine.rules().rules.len(), Engine::back_ends());
    if hostile {
        for (name, text) in corpus::hostile(8 << 20) {
            measure(name, &engine, &[text], rounds.min(3));
        }
        return;
    }
    if dirs.is_empty() {
        dirs.extend(registry());
    }
    let mut files = Vec::new();
    dirs.iter().for_each(|dir| read_all(dir, &mut files));
    println!("{} files, {:.1} MB", files.len(), files.iter().map(Vec::len).sum::<usize>() as f64 / 1e6);
    if stages {
        for (name, kinds) in [
            ("masks and runs", &[][..]),
            ("and prefixes (token rules)", &[Kind::Token][..]),
            ("and formats (blocks, uris)", &[Kind::Token, Kind::Block, Kind::Uri][..]),
            ("and names (assignment rules)", &[Kind::Token, Kind::Block, Kind::Uri, Kind::Assignment][..]),
        ] {
            measure(name, &with(Engine::with_rules(only(kinds))), &files, rounds);
        }
    }
    measure("whole engine", &engine, &files, rounds);
    if list {
        found(&engine, &files);
    }
}

/// The built-in rules of `kinds`.
fn only(kinds: &[Kind]) -> RuleSet {
    let mut drafts = drafts_of(RuleSet::builtin());
    drafts.retain(|draft| kinds.contains(&draft.rule.kind));
    assemble(drafts, 0).expect("a part of the built-in rules")
}

fn measure(name: &str, engine: &Engine, files: &[Vec<u8>], rounds: usize) {
    let bytes: usize = files.iter().map(Vec::len).sum();
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let start = Instant::now();
    let mut costs: Vec<f64> = (0..rounds.max(1))
        .map(|_| {
            let before = processor_seconds(start);
            for file in files {
                engine.scan(file, &mut scratch, &mut out);
                out.clear();
            }
            (processor_seconds(start) - before) * 1e9 / bytes as f64
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    let (least, median) = (costs[0], costs[costs.len() / 2]);
    println!(
        "{name:32} best {:5.0} MB/s, median {:5.0} MB/s; {least:.3} to {median:.3} ns/B",
        1e3 / least,
        1e3 / median
    );
}

/// Processor time of this thread; on systems that do not tell, time since `start`.
fn processor_seconds(start: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn found(engine: &Engine, files: &[Vec<u8>]) {
    let (mut scratch, mut out, mut by_rule) = (Scratch::default(), Vec::new(), BTreeMap::new());
    for file in files {
        engine.scan(file, &mut scratch, &mut out);
        for hit in out.drain(..) {
            *by_rule.entry((hit.rule, hit.confidence)).or_insert(0u64) += 1;
        }
    }
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
