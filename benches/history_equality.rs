//! Holds the scan in delta order against two slower ones, match for match:
//! `cargo bench --bench history_equality -- GIT_DIR… [deltas|alone|git]`.
//!
//! * `deltas`: what the program does: only what a delta changed is searched,
//! * `alone`: the same traversal, every blob searched whole,
//! * `git`: every object that `git cat-file --batch-all-objects` prints, searched whole.
//!
//! Compared are blob, rule, trigger, places of match and secret, verdicts and the secret's bytes of every
//! match. Blobs that differ are named.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use keycull::chunk::Chunk;
use keycull::engine::{Copied, Engine, Scratch, Trace};
use keycull::finding::{Match, Oid, Origin};
use keycull::source::archive::Limits;
use keycull::source::git::Repository;
use keycull::source::git::history::{DeltaSink, scan_since};
use keycull::source::git::objects::ObjectOptions;
use keycull::source::git::pack::DeltaMap;
use keycull::source::{Sink, Windows, stdin};

/// Matches by blob: how many, and the sum of their hashes, which does not depend on their order.
type Tally = BTreeMap<Oid, (usize, u64)>;

/// Searches every blob and counts.
struct Counter<'e> {
    engine: &'e Engine,
    deltas: bool,
    tally: Mutex<Tally>,
    /// The blob that standard input stands for.
    current: Mutex<Option<Oid>>,
}

impl<'e> Counter<'e> {
    fn new(engine: &'e Engine, deltas: bool) -> Self {
        Self { engine, deltas, tally: Mutex::default(), current: Mutex::default() }
    }

    fn count(&self, chunk: &Chunk<'_>, matches: &[Match]) {
        let current = *self.current.lock().expect("no panics");
        let id = match chunk.origin {
            Origin::Blob { id } => Some(*id),
            Origin::Stdin { .. } => current,
            Origin::File { .. }
            | Origin::FileName { .. }
            | Origin::SymlinkTarget { .. }
            | Origin::Index { .. }
            | Origin::Commit { .. }
            | Origin::Tag { .. }
            | Origin::Tree { .. }
            | Origin::RefName { .. }
            | Origin::GitFile { .. }
            | Origin::Member { .. } => None,
        };
        let Some(id) = id.filter(|_| !matches.is_empty()) else { return };
        let mut lines: Vec<u64> = matches
            .iter()
            .map(|hit| {
                let mut hasher = DefaultHasher::new();
                format!("{hit:?} {:?} {:?}", chunk.encoding, hit.secret_bytes(chunk.bytes)).hash(&mut hasher);
                hasher.finish()
            })
            .collect();
        // A place may be found from several sides.
        lines.sort_unstable();
        lines.dedup();
        let mut tally = self.tally.lock().expect("no panics");
        let entry = tally.entry(id).or_default();
        entry.0 += lines.len();
        entry.1 = lines.iter().fold(entry.1, |sum, line| sum.wrapping_add(*line));
    }
}

impl Sink for Counter<'_> {
    fn chunk(&self, chunk: Chunk<'_>) -> bool {
        let mut matches = Vec::new();
        self.engine.scan_range(chunk.bytes, chunk.window.own(), &mut Scratch::default(), &mut matches);
        self.count(&chunk, &matches);
        false
    }

    fn base(&self, _: Chunk<'_>) {}

    fn suspects(&self, _: &[u8]) -> bool {
        false
    }

    fn cancelled(&self) -> bool {
        false
    }
}

impl DeltaSink for Counter<'_> {
    type Bench = Scratch;
    type Trace = Trace;

    fn sink(&self) -> &dyn Sink {
        self
    }

    fn bench(&self) -> Scratch {
        Scratch::default()
    }

    fn found(&self) -> Vec<Oid> {
        Vec::new()
    }

    fn blob(
        &self,
        scratch: &mut Scratch,
        chunk: &Chunk<'_>,
        base: Option<(&Trace, &DeltaMap)>,
        keep: bool,
    ) -> Option<Trace> {
        if !self.deltas {
            let mut matches = Vec::new();
            self.engine.scan(chunk.bytes, scratch, &mut matches);
            self.count(chunk, &matches);
            return None;
        }
        let trace = match base {
            Some((trace, delta)) => {
                let copies = delta.copies().iter().map(|copy| Copied {
                    base: copy.base as usize,
                    target: copy.target as usize,
                    length: copy.length as usize,
                });
                self.engine.retrace(chunk.bytes, trace, copies, keep, scratch)
            }
            None => self.engine.trace(chunk.bytes, keep, scratch),
        };
        self.count(chunk, trace.matches());
        keep.then_some(trace)
    }
}

fn by_traversal(counter: &Counter<'_>, git_dir: &Path) {
    let repository = Repository::open(git_dir).expect("a repository");
    scan_since(&repository, &ObjectOptions::default(), None, counter).expect("a scan");
}

fn by_git(counter: &Counter<'_>, git_dir: &Path) {
    let mut git = Command::new("git")
        .arg("-C")
        .arg(git_dir)
        .args(["cat-file", "--batch-all-objects", "--unordered", "--batch"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("git");
    let mut output = BufReader::new(git.stdout.take().expect("a pipe"));
    let (mut line, mut content) = (String::new(), Vec::new());
    loop {
        line.clear();
        if output.read_line(&mut line).expect("git's output") == 0 {
            break;
        }
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [id, kind, size] = words[..] else { continue };
        content.resize(size.parse::<usize>().expect("a size") + 1, 0);
        output.read_exact(&mut content).expect("git's output");
        if kind == "blob" {
            *counter.current.lock().expect("no panics") = Some(id.parse().expect("a name"));
            let blob = &content[..content.len() - 1];
            stdin::scan(&mut &blob[..], None, Windows::default(), Limits::default(), counter)
                .expect("memory reads");
        }
    }
    assert!(git.wait().expect("git").success());
}

/// Seconds of processor time so far, of this process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after.split_ascii_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (modes, places): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|word| ["deltas", "alone", "git"].contains(&word.as_str()));
    if places.is_empty() {
        return println!("usage: history_equality GIT_DIR… [deltas|alone|git]");
    }
    let engine = Engine::builtin();
    let mut differ = false;
    for place in &places {
        let mut first: Option<Tally> = None;
        for mode in ["deltas", "alone", "git"] {
            if !modes.is_empty() && !modes.iter().any(|wanted| wanted == mode) {
                continue;
            }
            let counter = Counter::new(&engine, mode == "deltas");
            let (since, before) = (Instant::now(), cpu());
            match mode {
                "git" => by_git(&counter, Path::new(place)),
                _ => by_traversal(&counter, Path::new(place)),
            }
            let tally = counter.tally.into_inner().expect("no panics");
            let matches: usize = tally.values().map(|(count, _)| count).sum();
            let digest = tally.values().fold(0_u64, |sum, (_, digest)| sum.wrapping_add(*digest));
            println!(
                "{place} {mode}: {matches} matches in {} blobs, digest {digest:016x}, {:.2} s CPU, {:.2} s",
                tally.len(),
                cpu() - before,
                since.elapsed().as_secs_f64(),
            );
            let Some(expected) = &first else {
                first = Some(tally);
                continue;
            };
            let ids: std::collections::BTreeSet<&Oid> = expected.keys().chain(tally.keys()).collect();
            for id in ids.into_iter().filter(|id| expected.get(id) != tally.get(id)) {
                differ = true;
                println!("  {id}: {:?} and {:?}", expected.get(id), tally.get(id));
            }
        }
    }
    assert!(!differ, "the scans differ");
}
