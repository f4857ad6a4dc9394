//! Objects too large to be held: read in pieces where they are stored whole, gaps elsewhere.

use std::fs;
use std::sync::atomic::Ordering;

use keycull::finding::{Gap, GapKind};
use keycull::source::Windows;
use keycull::source::archive::Limits;
use keycull::source::git::Repository;
use keycull::source::git::history;
use keycull::source::git::index::{self, IndexOptions};
use keycull::source::git::objects::{self, ObjectOptions};
use keycull::source::git::pack::{HashKind, ObjectDirectories, TraverseOptions, traverse};
use keycull::source::git::range::{self, RangeOptions};

use super::pack_fixture::{Checker, Repo, options};
use super::recorder::{Recorder, Seen};
use crate::support::git::GitRepo;

/// Nearly everything is larger.
const SMALL: u64 = 400;

fn streamed(repo: &Repo, jobs: usize) -> (Checker, Vec<Gap>) {
    let directories = ObjectDirectories::discover(&repo.objects(), repo.hash, None);
    let checker = Checker::new(repo.hash).streaming();
    let traversal =
        traverse(&directories, &TraverseOptions { most_object: SMALL, ..options(jobs) }, &checker);
    checker.assert_sound();
    assert_eq!(traversal.counts.objects(), checker.kinds().len() as u64);
    (checker, traversal.gaps)
}

#[track_caller]
fn assert_all_streamed(repo: &Repo) {
    for jobs in [1, 3] {
        let (checker, gaps) = streamed(repo, jobs);
        assert_eq!(gaps, []);
        assert_eq!(checker.kinds(), repo.expected());
        assert!(checker.streamed.load(Ordering::Relaxed) > 20);
    }
}

#[test]
fn whole_objects_of_any_size_are_read() {
    for hash in [HashKind::Sha1, HashKind::Sha256] {
        let repo = Repo::with_history(hash, 40);
        repo.git(&["repack", "-qadfk", "--depth=0", "--window=0"]);
        assert_all_streamed(&repo);
        let pack = repo.pack().with_extension("pack");
        let expected = repo.expected();
        fs::remove_file(pack.with_extension("idx")).expect("it was there");
        let (checker, gaps) = streamed(&repo, 2);
        assert_eq!((gaps, checker.kinds()), (vec![], expected), "without an index");
        let moved = repo.path().join("moved.pack");
        fs::rename(&pack, &moved).expect("a pack");
        repo.git_with_input(&["unpack-objects", "-q"], &fs::read(&moved).expect("a pack"));
        assert_all_streamed(&repo);
    }
}

#[test]
fn deltas_that_are_too_large_are_gaps_unless_they_are_whole_elsewhere() {
    let repo = Repo::with_history(HashKind::Sha1, 60);
    repo.git(&["repack", "-qadfk", "--depth=50", "--window=20"]);
    let expected = repo.expected();
    for jobs in [1, 3] {
        let (checker, gaps) = streamed(&repo, jobs);
        let seen = checker.kinds();
        assert!(checker.streamed.load(Ordering::Relaxed) > 5, "bases");
        assert!(gaps.len() > 5 && gaps.iter().all(|gap| gap.kind == GapKind::Budget), "{gaps:?}");
        assert!(gaps.iter().all(|gap| gap.why.contains("--object-bytes")), "{gaps:?}");
        assert!(seen.iter().all(|(name, kind)| expected.get(name) == Some(kind)));
        // What is not seen is told, alone or as one of those lost with another.
        let lost: usize =
            gaps.iter()
                .map(|gap| {
                    1 + gap.why.split("; ").nth(1).map_or(0, |more| {
                        more.split(' ').next().expect("a number").parse().expect("a number")
                    })
                })
                .sum();
        assert!(seen.len() + lost >= expected.len(), "{} and {lost} of {}", seen.len(), expected.len());
    }
    // All of it once more, without deltas, in a smaller pack's place.
    let names: String = expected.keys().map(|name| format!("{name}\n")).collect();
    let base = repo.objects().join("pack/pack");
    let base = base.to_string_lossy();
    repo.git_with_input(&["pack-objects", "-q", "--window=0", "--no-reuse-delta", &base], names.as_bytes());
    assert_all_streamed(&repo);
}

#[test]
fn damage_in_a_large_object_is_a_gap_and_harms_no_other() {
    let repo = Repo::with_history(HashKind::Sha1, 40);
    repo.git(&["repack", "-qadfk", "--depth=0", "--window=0"]);
    let expected = repo.expected();
    let pack = repo.pack().with_extension("pack");
    let mut bytes = fs::read(&pack).expect("a pack");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::remove_file(&pack).expect("it was there");
    fs::write(&pack, bytes).expect("a pack");
    let (checker, gaps) = streamed(&repo, 2);
    assert_eq!(checker.kinds().len(), expected.len() - 1);
    assert!(
        gaps.iter().any(|gap| gap.kind == GapKind::Unreadable && gap.what.contains("object")),
        "{gaps:?}"
    );
}

/// Text that is cut into many windows, with a needle in front, at the end and on every edge, as it is and
/// in UTF-16, and a container of that size.
fn with_large_files() -> GitRepo {
    let repo = GitRepo::new();
    let mut text: String = (0..4_000).map(|line| format!("line {line} é😀 of the file\n")).collect();
    text.insert_str(0, "needle-front ");
    text.push_str("needle-end");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let tar = tar_of("inner.txt", text.as_bytes());
    repo.write("text.txt", &text).write("wide.txt", wide).write("box.tar", tar).write("small.txt", "needle");
    repo
}

fn tar_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = [&header[..], content].concat();
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar
}

const CUT: Windows = Windows { whole_up_to: 2_000, size: 4_096, overlap: 100 };

fn limits(object: u64) -> Limits {
    Limits { object, ..Limits::default() }
}

/// Chunks as they come with all held, and with nothing large held; they must not differ.
#[track_caller]
fn assert_same(scan: impl Fn(Limits, &Recorder)) -> Vec<Seen> {
    let [held, streamed] = [limits(1 << 30), limits(2_000)].map(|limits| {
        let recorder = Recorder::default();
        scan(limits, &recorder);
        recorder.chunks()
    });
    assert!(held.len() > 100, "{} chunks", held.len());
    assert!(held == streamed, "{} and {} chunks", held.len(), streamed.len());
    held
}

#[test]
fn what_is_read_in_pieces_gives_the_same_chunks() {
    let repo = with_large_files();
    repo.git(&["add", "."]);
    let open = || Repository::open(repo.path()).expect("git made it");
    let windows = CUT;
    assert_same(|archives, sink| {
        let coverage =
            index::scan(&open(), &IndexOptions { windows, archives, ..IndexOptions::default() }, sink);
        assert_eq!(coverage.expect("a scan").gaps, []);
    });
    repo.commit("large");
    for packed in [false, true] {
        if packed {
            repo.git(&["-c", "core.bigFileThreshold=1k", "repack", "-adfq"]);
        }
        let reference = Recorder::default();
        let options = ObjectOptions { windows, archives: limits(1 << 30), ..ObjectOptions::default() };
        objects::scan(&open(), &options, &reference).expect("a scan");
        let chunks = assert_same(|archives, sink| {
            let options = ObjectOptions { archives, ..options };
            assert_eq!(history::scan(&open(), &options, sink).expect("a scan").gaps, []);
        });
        assert!(chunks == reference.chunks());
        assert_same(|archives, sink| {
            let head = repo.git(&["rev-parse", "HEAD"]).trim().parse().expect("a name");
            let options = RangeOptions { windows, archives, ..RangeOptions::of_objects("all", [head], []) };
            assert_eq!(range::scan(&open(), &options, sink).expect("a scan").gaps, []);
        });
    }
}

#[test]
fn a_delta_that_is_too_large_is_a_gap_on_every_way() {
    let repo = with_large_files();
    repo.commit("large");
    let mut text = fs::read(repo.path().join("text.txt")).expect("a file");
    text.extend_from_slice(b"\nmore");
    repo.write("text.txt", &text).commit("larger");
    repo.git(&["repack", "-adfq", "--depth=10", "--window=10"]);
    let open = || Repository::open(repo.path()).expect("git made it");
    let deltas = repo.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(deltabase)"]);
    assert!(
        deltas.lines().any(|line| line.starts_with("blob") && !line.ends_with(&"0".repeat(40))),
        "{deltas}"
    );
    let budget = |gaps: &[Gap]| {
        gaps.iter().filter(|gap| gap.kind == GapKind::Budget).count() == gaps.len() && !gaps.is_empty()
    };
    let archives = limits(2_000);
    let options = ObjectOptions { archives, ..ObjectOptions::default() };
    let gaps = history::scan(&open(), &options, &Recorder::default()).expect("a scan").gaps;
    assert!(budget(&gaps) && gaps[0].why.contains("--object-bytes"), "{gaps:?}");
    let head = repo.git(&["rev-parse", "HEAD"]).trim().parse().expect("a name");
    let options = RangeOptions { archives, ..RangeOptions::of_objects("all", [head], []) };
    let gaps = range::scan(&open(), &options, &Recorder::default()).expect("a scan").gaps;
    assert!(budget(&gaps) && gaps[0].why.contains("--object-bytes"), "{gaps:?}");
    let whole = IndexOptions { archives, whole: true, ..IndexOptions::default() };
    let gaps = index::scan(&open(), &whole, &Recorder::default()).expect("a scan").gaps;
    let in_head = gaps.is_empty() || budget(&gaps);
    assert!(in_head, "{gaps:?}");
}
