//! Objects of git's that are larger than the memory that a scan may take; rows of the table of
//! `docs/limits.md`, as in [`super::slow`].

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::{measured, within_limits};
use crate::support::git::GitRepo;
use crate::support::pack::zlib;
use crate::support::secret::stripe_key;

const MOST: Duration = Duration::from_secs(300);
/// Where windows of large content meet.
const WINDOW: usize = 8 << 20;

/// 500 MB of lines with a secret in front, at the end, and across every edge of a window.
fn large() -> Vec<u8> {
    const LINE: &str = "let total = total + price * count; // of all that were sold\n";
    const SIZE: usize = 500 << 20;
    let mut text = LINE.repeat(SIZE / LINE.len()).into_bytes();
    let last = (text.len() - 100) / LINE.len() * LINE.len();
    let edges = (1..SIZE / WINDOW).map(|window| window * WINDOW - 30);
    for (seed, at) in [0].into_iter().chain(edges).chain([last]).enumerate() {
        let leak = format!("\nKEY={}\n", stripe_key(seed as u64 + 10));
        text[at..at + leak.len()].copy_from_slice(leak.as_bytes());
    }
    text
}

#[test]
#[ignore = "slow"]
fn a_blob_of_500_mb_on_every_way() {
    let repo = GitRepo::new();
    repo.write("small.txt", "x = 1\n").commit("start");
    repo.write("big.txt", large());
    let scan = |case: &str, args: &[&str]| {
        let done = measured(repo.path(), &[args, &["--format", "json"]].concat());
        within_limits(case, &done, 1, MOST);
        places(&done.run.stdout)
    };
    let expected = scan("a file of 500 MB", &["scan", "--no-history"]);
    assert_eq!(expected.len(), 63, "{expected:?}");

    let id = repo.git(&[
        "-c",
        "core.bigFileThreshold=2g",
        "-c",
        "core.compression=1",
        "hash-object",
        "-w",
        "big.txt",
    ]);
    std::fs::remove_file(repo.path().join("big.txt")).expect("it was there");
    assert_eq!(scan("a loose blob of 500 MB", &["scan", "--history-only"]), expected);
    let entry = format!("100644,{},big.txt", id.trim());
    repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
    assert_eq!(scan("a staged blob of 500 MB", &["scan", "--staged"]), expected);
    repo.git(&["commit", "-qm", "big"]);
    repo.git(&["-c", "core.bigFileThreshold=1m", "repack", "-adq"]);
    let packed = scan("a packed blob of 500 MB", &["scan", "--history-only"]);
    assert_eq!(packed, expected);
    assert_eq!(scan("a packed blob of 500 MB in a range", &["scan", "--range", "HEAD~1..HEAD"]), expected);
    for round in ["", ", again"] {
        let case = format!("a packed blob of 500 MB, incremental{round}");
        assert_eq!(scan(&case, &["scan", "--history-only", "--incremental"]), expected);
    }
    index_of(repo.path());
    assert_eq!(scan("a packed blob of 500 MB without an index", &["scan", "--history-only"]), expected);
}

/// Removes the index of the only pack.
fn index_of(repo: &Path) {
    let packs = std::fs::read_dir(repo.join(".git/objects/pack")).expect("packs");
    for file in packs.map(|entry| entry.expect("an entry").path()) {
        if file.extension().is_none_or(|extension| extension != "pack") {
            std::fs::remove_file(file).expect("a file");
        }
    }
}

/// A file of 100 MB in several versions: each is held with its base.
#[test]
#[ignore = "slow"]
fn versions_of_a_file_of_100_mb() {
    let repo = GitRepo::new();
    let mut text = b"one line of many that are all the same\n".repeat((100 << 20) / 39);
    for version in 0..4_u64 {
        let at = text.len() / 5 * version as usize / 39 * 39;
        let leak = format!("\nKEY={}\n", stripe_key(version));
        text[at..at + leak.len()].copy_from_slice(leak.as_bytes());
        repo.write("data.txt", &text).commit("a version");
    }
    repo.git(&["-c", "core.bigFileThreshold=2g", "-c", "pack.threads=1", "repack", "-adfq", "--depth=10"]);
    let done = measured(repo.path(), &["scan", "--history-only", "--format", "json"]);
    assert!(!done.run.stdout.contains("\"budget\""), "{}", done.run.stdout);
    within_limits("four versions of a file of 100 MB, as deltas", &done, 1, MOST);
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The header of an entry of a pack.
fn header(kind: u8, mut size: usize) -> Vec<u8> {
    let mut bytes = vec![kind << 4 | (size & 15) as u8];
    size >>= 4;
    while size > 0 {
        *bytes.last_mut().expect("one at least") |= 0x80;
        bytes.push((size & 0x7f) as u8);
        size >>= 7;
    }
    bytes
}

/// A pack without an index, in which 40 versions of 8 MiB have to be kept for what builds on them.
#[test]
#[ignore = "slow"]
fn a_pack_without_an_index_that_keeps_many_bases() {
    const SIZE: usize = 8 << 20;
    let mut base = vec![b' '; SIZE];
    base[..4].copy_from_slice(b"base");
    let mut pack = [b"PACK\0\0\0\x02".as_slice(), &81_u32.to_be_bytes()].concat();
    let mut offset = pack.len();
    pack.extend(header(3, SIZE));
    pack.extend(zlib(&base));
    for number in 0..40_u32 {
        // A short one that waits, and one of full size that the next ones build on.
        for length in [4, SIZE] {
            let mut delta = [varint(SIZE), varint(length)].concat();
            delta.push(4);
            delta.extend_from_slice(format!("{number:04}").as_bytes());
            let mut rest = length - 4;
            while rest > 0 {
                let part = rest.min(0xff_0000);
                delta.extend([0x80 | 0x01 | 0x70, 4]);
                delta.extend_from_slice(&(part as u32).to_le_bytes()[..3]);
                rest -= part;
            }
            let at = pack.len();
            pack.extend(header(6, delta.len()));
            let mut distance = at - offset;
            let mut place = vec![(distance & 0x7f) as u8];
            distance >>= 7;
            while distance > 0 {
                distance -= 1;
                place.insert(0, 0x80 | (distance & 0x7f) as u8);
                distance >>= 7;
            }
            pack.extend(place);
            pack.extend(zlib(&delta));
            if length == SIZE {
                offset = at;
            }
        }
    }
    let repo = GitRepo::new();
    repo.write("small.txt", "x = 1\n").commit("start");
    pack.extend([0; 20]);
    let directory = repo.path().join(".git/objects/pack");
    std::fs::create_dir_all(&directory).expect("a directory");
    let mut file = std::fs::File::create(directory.join("pack-0.pack")).expect("a file");
    file.write_all(&pack).expect("a pack");
    let done = measured(repo.path(), &["scan", "--history-only", "--format", "json"]);
    assert!(done.run.stdout.contains("\"budget\""), "{}", done.run.stdout);
    within_limits("a pack without an index with 320 MiB of bases", &done, 3, MOST);
}
/// Line, column and fingerprint of every occurrence in a report.
fn places(report: &str) -> BTreeSet<(u64, u64, String)> {
    let report: serde_json::Value = serde_json::from_str(report).expect("a report");
    let findings = report["findings"].as_array().expect("findings");
    let of = |finding: &serde_json::Value| {
        let name = finding["fingerprint"].as_str().expect("a fingerprint").to_owned();
        let occurrences = finding["occurrences"].as_array().expect("occurrences").clone();
        occurrences.into_iter().map(move |found| {
            let start = &found["start"];
            (
                start["line"].as_u64().expect("a line"),
                start["column"].as_u64().expect("a column"),
                name.clone(),
            )
        })
    };
    findings.iter().flat_map(of).collect()
}
