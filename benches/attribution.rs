//! Attribution against git itself, on a real repository:
//! `cargo bench --bench attribution -- REPOSITORY [BLOBS] [SEED]`.
//!
//! Takes random blobs of all history and compares, for each path that holds one: the paths, the
//! commit that introduced it, the one that removed it, and whether HEAD has it, with what
//! `git log --raw -c` (merges against all parents) and `git ls-tree` say.

#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use keycull::finding::{Attributor, Coverage, Oid};
use keycull::source::git::Repository;
use keycull::source::git::attribution::Attribution;

/// The commits that bring a blob to a path and take it away from it, each oldest first.
#[derive(Default)]
struct Logged {
    came: Vec<String>,
    went: Vec<String>,
}

type Places = BTreeMap<(String, String), Logged>;

fn git(repository: &str, arguments: &[&str], mut line: impl FnMut(&[u8])) {
    let mut child = Command::new("git")
        .args(["-C", repository, "-c", "core.quotePath=false"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut buffer = Vec::new();
    while output.read_until(b'\n', &mut buffer).expect("git's output") > 0 {
        line(buffer.trim_ascii_end());
        buffer.clear();
    }
    assert!(child.wait().expect("git ends").success(), "git {arguments:?}");
}

/// Random blobs of the object database.
fn sample(repository: &str, count: usize, mut seed: u64) -> BTreeSet<String> {
    let mut names = Vec::new();
    git(
        repository,
        &["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"],
        |line| {
            if let Some(name) = line.strip_prefix(b"blob ") {
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        },
    );
    let mut chosen = BTreeSet::new();
    while chosen.len() < count.min(names.len()) {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        chosen.insert(names[(seed >> 33) as usize % names.len()].clone());
    }
    chosen
}

fn logged(repository: &str, chosen: &BTreeSet<String>) -> Places {
    let mut places = Places::new();
    let mut commit = String::new();
    let arguments = [
        "log",
        "--all",
        "--topo-order",
        "--reverse",
        "--root",
        "-c",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--format=%H",
    ];
    git(repository, &arguments, |line| {
        if line.first() != Some(&b':') {
            if !line.is_empty() {
                commit = String::from_utf8_lossy(line).into_owned();
            }
            return;
        }
        let text = String::from_utf8_lossy(line);
        let (meta, path) = text.split_once('\t').expect("a path");
        let parents = meta.bytes().take_while(|byte| *byte == b':').count();
        let fields: Vec<&str> = meta.trim_start_matches(':').split(' ').collect();
        let names = &fields[parents + 1..2 * parents + 2];
        let (before, after) = (&names[..parents], names[parents]);
        let place = |blob: &str| (blob.to_owned(), path.to_owned());
        if chosen.contains(after) && !before.contains(&after) {
            places.entry(place(after)).or_default().came.push(commit.clone());
        }
        for gone in before.iter().filter(|name| chosen.contains(**name) && **name != after) {
            let went = &mut places.entry(place(gone)).or_default().went;
            if went.last() != Some(&commit) {
                went.push(commit.clone());
            }
        }
    });
    places
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(path) = arguments.first() else {
        return println!("usage: attribution REPOSITORY [BLOBS] [SEED]");
    };
    let number = |at: usize, default: u64| arguments.get(at).and_then(|n| n.parse().ok()).unwrap_or(default);
    let chosen = sample(path, number(1, 500) as usize, number(2, 1));

    let repository = Repository::open(Path::new(path)).expect("a repository");
    let blobs: Vec<Oid> = chosen.iter().map(|name| name.parse().expect("a name")).collect();
    let started = Instant::now();
    let found = Attribution::new(&repository).attribute(&blobs, &mut Coverage::default());
    println!("attribution of {} blobs: {:.2} s", blobs.len(), started.elapsed().as_secs_f64());

    let mut at_head = BTreeSet::new();
    git(path, &["ls-tree", "-r", "HEAD"], |line| {
        let text = String::from_utf8_lossy(line);
        let (meta, path) = text.split_once('\t').expect("a path");
        let name = meta.split(' ').nth(2).expect("a name");
        if chosen.contains(name) {
            at_head.insert((name.to_owned(), path.to_owned()));
        }
    });
    let places = logged(path, &chosen);

    let mut told = BTreeMap::new();
    for (blob, list) in &found {
        for placement in list {
            told.insert((blob.to_string(), placement.path.to_text()), &placement.timeline);
        }
    }
    let (mut same, mut wrong) = (0, 0);
    let mut complain = |place: &(String, String), what: &str| {
        wrong += 1;
        println!("{} {}: {what}", place.0, place.1);
    };
    for place in places.keys().filter(|place| !told.contains_key(*place)) {
        complain(place, "git has it there, attribution has not");
    }
    for (place, timeline) in &told {
        let Some(logged) = places.get(place) else {
            // NOTE: what only reflogs reach is not in `git log --all`.
            continue;
        };
        let name = |commit: &Option<keycull::finding::CommitInfo>| commit.as_ref().map(|c| c.id.to_string());
        let (introduced, removed) = (name(&timeline.introduced), name(&timeline.removed));
        let first_of = |list: &[String], commit: &Option<String>| {
            commit.as_ref().is_some_and(|commit| {
                list.contains(commit)
                    && list
                        .iter()
                        .filter(|other| *other != commit)
                        .all(|other| !is_ancestor(path, other, commit))
            })
        };
        let last_of = |list: &[String], commit: &Option<String>| {
            commit.as_ref().is_some_and(|commit| list.contains(commit))
        };
        let mut good = true;
        let mut check = |fine: bool, what: &str| {
            if !fine {
                good = false;
                complain(place, what);
            }
        };
        check(first_of(&logged.came, &introduced), "another commit introduced it");
        check(timeline.at_head == at_head.contains(place), "HEAD has it, or has it not");
        check(!timeline.at_head || removed.is_none(), "is at HEAD and removed");
        check(
            removed.is_none() || logged.went.is_empty() || last_of(&logged.went, &removed),
            "removed by another",
        );
        same += usize::from(good);
    }
    println!("{} placements: {same} as git says, {wrong} differences", told.len());
}

fn is_ancestor(repository: &str, one: &str, other: &str) -> bool {
    let done =
        Command::new("git").args(["-C", repository, "merge-base", "--is-ancestor", one, other]).status();
    done.expect("git is installed").success()
}
