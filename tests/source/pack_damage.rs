//! Damaged and hostile packs: no panic, a gap for what is lost, and all the rest is passed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use keycull::finding::GapKind;
use keycull::source::git::pack::{HashKind, ObjectDirectories, TraverseOptions, traverse};

use super::pack_fixture::{Checker, HandMade, Repo, blob_name, options};

/// Git writes packs read-only; replaces one with other bytes.
fn overwrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Positions spread over a file, all of its header and trailer; ascending.
fn positions(length: usize) -> impl Iterator<Item = usize> {
    (0..64).chain((64..length - 60).step_by(149)).chain(length - 60..length)
}

fn repo_of_depth(depth: &str) -> Repo {
    let repo = Repo::with_history(HashKind::Sha1, 12);
    repo.git(&["repack", "-qadfk", &format!("--depth={depth}")]);
    repo
}

/// Every flipped byte is either without consequence or told; what is passed without a word is right.
#[test]
fn flipped_bytes_in_a_pack() {
    for depth in ["0", "50"] {
        let repo = repo_of_depth(depth);
        let expected = repo.expected();
        let path = repo.pack().with_extension("pack");
        let good = fs::read(&path).unwrap();
        for at in positions(good.len()) {
            for flip in [0x01, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                overwrite(&path, &bad);
                let (checker, traversal) = repo.visit(&options(1));
                let complete = checker.is_sound() && checker.kinds() == expected;
                assert!(complete || !traversal.gaps.is_empty(), "byte {at} ^ {flip:#x} went unnoticed");
                if depth == "0" && (12..good.len() - 20).contains(&at) {
                    let seen = checker.kinds();
                    assert!(seen.len() + 1 >= expected.len(), "byte {at} cost more than one object");
                }
            }
        }
        overwrite(&path, &good);
        repo.assert_complete();
    }
}

#[test]
fn truncated_packs() {
    let repo = repo_of_depth("50");
    let expected = repo.expected();
    let path = repo.pack().with_extension("pack");
    let good = fs::read(&path).unwrap();
    let mut seen_before = 0;
    for length in positions(good.len()) {
        overwrite(&path, &good[..length]);
        let (checker, traversal) = repo.visit(&options(1));
        checker.assert_sound();
        let seen = checker.kinds();
        assert!(!traversal.gaps.is_empty() || seen == expected, "cut at {length} went unnoticed");
        assert!(seen.iter().all(|(name, kind)| expected.get(name) == Some(kind)));
        assert!(seen.len() >= seen_before || length < 64, "cut at {length}: {} < {seen_before}", seen.len());
        seen_before = seen.len();
    }
    assert!(seen_before + 2 >= expected.len());
}

/// The pack is whole, so nothing is lost whatever is done to its index.
#[test]
fn flipped_bytes_in_an_index() {
    let repo = repo_of_depth("50");
    let expected = repo.expected();
    let path = repo.pack().with_extension("idx");
    let good = fs::read(&path).unwrap();
    for at in positions(good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        overwrite(&path, &bad);
        let (checker, traversal) = repo.visit(&options(1));
        checker.assert_sound();
        assert_eq!((traversal.gaps, checker.kinds()), (vec![], expected.clone()), "byte {at}");
    }
    overwrite(&path, &good[..good.len() / 2]);
    let (checker, traversal) = repo.visit(&options(1));
    assert_eq!((traversal.gaps, checker.kinds()), (vec![], expected));
}

#[test]
fn an_index_of_another_pack() {
    let repo = repo_of_depth("50");
    let other = Repo::empty(HashKind::Sha1);
    other.add_history("main", 99, 12);
    let index = fs::read(other.pack().with_extension("idx")).unwrap();
    let expected = repo.expected();
    overwrite(&repo.pack().with_extension("idx"), &index);
    let (checker, traversal) = repo.visit(&options(1));
    checker.assert_sound();
    assert_eq!((traversal.gaps, checker.kinds()), (vec![], expected));
}

#[test]
fn a_damaged_object_is_taken_from_another_place() {
    let repo = repo_of_depth("50");
    let expected = repo.expected();
    let damaged = repo.pack().with_extension("pack");
    let names = expected.keys().map(|name| format!("{name}\n")).collect::<String>();
    let second = repo.objects().join("pack/pack");
    repo.git_with_input(
        &["pack-objects", "-q", "--window=0", "--no-reuse-delta", second.to_str().unwrap()],
        names.as_bytes(),
    );
    let good = fs::read(&damaged).unwrap();
    for at in (12..good.len() - 20).step_by(101) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        overwrite(&damaged, &bad);
        let (checker, traversal) = repo.visit(&options(1));
        checker.assert_sound();
        let lost = traversal.gaps.iter().filter(|gap| gap.what.starts_with("object")).count();
        assert_eq!((lost, checker.kinds()), (0, expected.clone()), "byte {at}");
    }
}

#[test]
fn damaged_loose_objects() {
    let repo = Repo::empty(HashKind::Sha1);
    let name = repo.git_with_input(&["hash-object", "-w", "--stdin"], &b"some content\n".repeat(50));
    let other = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"other\n");
    let (fan, rest) = name.trim().split_at(2);
    let path = repo.objects().join(fan).join(rest);
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        overwrite(&path, &good[..at]);
        let (checker, traversal) = repo.visit(&options(1));
        checker.assert_sound();
        assert_eq!((checker.kinds().len(), traversal.gaps.len()), (1, 1), "cut at {at}");
        assert_eq!(traversal.gaps[0].kind, GapKind::Unreadable);
        assert!(traversal.gaps[0].what.contains(name.trim()));
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        overwrite(&path, &bad);
        let (checker, traversal) = repo.visit(&options(1));
        assert!(checker.is_sound() || !traversal.gaps.is_empty(), "byte {at}");
    }
    assert!(!other.is_empty());
}

#[test]
fn deltas_that_go_in_circles() {
    let mut pack = HandMade::new();
    let good = pack.blob(b"all is well\n");
    let delta = [12, 12, 0x90, 12];
    let one = pack.entry(7, 4, &[0xb2; 20], &delta);
    let two = pack.entry(7, 4, &[0xb1; 20], &delta);
    let own = pack.entry(7, 4, &[0xb3; 20], &delta);
    let hanging = pack.entry(6, 4, &[(pack.bytes.len() as u64 - one) as u8], &delta);
    let names = [
        (blob_name(b"all is well\n"), good),
        ([0xb1; 20], one),
        ([0xb2; 20], two),
        ([0xb3; 20], own),
        ([0xb4; 20], hanging),
    ];
    let repo = pack.into_repo(&names);
    let (checker, traversal) = repo.visit(&options(2));
    checker.assert_sound();
    assert_eq!(checker.kinds().len(), 1);
    assert_eq!(traversal.gaps.len(), 4, "{:?}", traversal.gaps);
    assert!(traversal.gaps.iter().all(|gap| gap.kind == GapKind::Unreadable && gap.why.contains("loops")));
}

#[test]
fn deltas_that_do_not_fit() {
    let mut pack = HandMade::new();
    let base = pack.blob(b"0123456789");
    let mut names = vec![(blob_name(b"0123456789"), base)];
    let bad: [&[u8]; 5] = [
        &[10, 4, 0x91, 8, 4],                                           // beyond the base
        &[9, 4, 0x90, 4],                                               // another base
        &[10, 5, 0x90, 4],                                              // too few bytes
        &[10, 4, 0],                                                    // reserved
        &[10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0x90, 4], // 2^53 bytes
    ];
    for (at, delta) in (1..).zip(bad) {
        let distance = pack.bytes.len() as u64 - base;
        let distance = [((distance >> 7) as u8).wrapping_sub(1) | 0x80, (distance & 0x7f) as u8];
        let distance = if pack.bytes.len() as u64 - base < 128 { &distance[1..] } else { &distance[..] };
        names.push(([at; 20], pack.entry(6, delta.len() as u64, distance, delta)));
    }
    let missing = pack.entry(7, 4, &[0xcc; 20], &[10, 4, 0x90, 4]);
    names.push(([9; 20], missing));
    let repo = pack.into_repo(&names);
    let (checker, traversal) = repo.visit(&options(2));
    checker.assert_sound();
    assert_eq!(checker.kinds().len(), 1);
    let count = |kind| traversal.gaps.iter().filter(|gap| gap.kind == kind).count();
    assert_eq!(traversal.gaps.len(), 6, "{:?}", traversal.gaps);
    assert_eq!([GapKind::Unreadable, GapKind::Budget, GapKind::Missing].map(count), [4, 1, 1]);
}

#[test]
fn sizes_that_lie() {
    let mut pack = HandMade::new();
    let good = pack.blob(b"all is well\n");
    let bomb = pack.entry(3, 10, &[], &vec![0; 50_000_000]);
    let huge = pack.entry(3, 1 << 60, &[], b"small");
    let large = pack.entry(3, 400 << 20, &[], b"small");
    let names =
        [(blob_name(b"all is well\n"), good), ([0xc1; 20], bomb), ([0xc2; 20], huge), ([0xc3; 20], large)];
    let repo = pack.into_repo(&names);
    let (checker, traversal) = repo.visit(&options(2));
    checker.assert_sound();
    assert_eq!(checker.kinds().len(), 1);
    let kinds: Vec<_> = traversal.gaps.iter().map(|gap| gap.kind).collect();
    assert_eq!(kinds, [GapKind::Unreadable, GapKind::Budget, GapKind::Budget]);

    let checker = Checker::new(HashKind::Sha1).streaming();
    let directories = ObjectDirectories::discover(&repo.objects(), HashKind::Sha1, None);
    let traversal = traverse(&directories, &options(2), &checker);
    checker.assert_sound();
    assert_eq!((checker.kinds().len(), traversal.gaps.len()), (1, 3));
    assert!(traversal.gaps.iter().all(|gap| gap.kind == GapKind::Unreadable), "{:?}", traversal.gaps);
}

#[test]
fn a_base_in_another_place() {
    let mut pack = HandMade::new();
    let base = blob_name(b"0123456789\n");
    let only = pack.entry(7, 5, &base, &[11, 4, 0x91, 1, 4]);
    let repo = pack.into_repo(&[(blob_name(b"1234"), only)]);
    let (_, traversal) = repo.visit(&options(1));
    assert_eq!(traversal.gaps.len(), 1);
    assert_eq!(traversal.gaps[0].kind, GapKind::Missing);

    repo.git_with_input(&["hash-object", "-w", "--stdin"], b"0123456789\n");
    let (checker, traversal) = repo.visit(&options(1));
    checker.assert_sound();
    assert_eq!((traversal.gaps, checker.kinds().len()), (vec![], 2));
}

/// Entries hidden between those that the index names are not passed over in silence.
#[test]
fn entries_that_the_index_leaves_out() {
    let mut pack = HandMade::new();
    let first = pack.blob(b"named\n");
    let _hidden = pack.blob(b"hidden\n");
    let last = pack.blob(b"named as well\n");
    let mut named = HandMade { bytes: pack.bytes, count: 2 };
    named.count = 2;
    let repo = named.into_repo(&[(blob_name(b"named\n"), first), (blob_name(b"named as well\n"), last)]);
    let (checker, traversal) = repo.visit(&options(1));
    checker.assert_sound();
    assert_eq!((checker.kinds().len(), traversal.gaps.len()), (2, 1));
    assert!(traversal.gaps[0].why.contains("does not name"));
}

#[test]
fn a_chain_deeper_than_git_ever_makes() {
    for indexed in [true, false] {
        let mut pack = HandMade::new();
        let mut offset = pack.blob(b"0123456789");
        let mut names = vec![(blob_name(b"0123456789"), offset)];
        let mut content = b"0123456789".to_vec();
        for at in 0..30_000_u32 {
            content[4..8].copy_from_slice(&at.to_be_bytes());
            let mut delta = vec![10, 10, 0x90, 4, 4];
            delta.extend_from_slice(&at.to_be_bytes());
            delta.extend_from_slice(&[0x91, 8, 2]);
            let distance = pack.bytes.len() as u64 - offset;
            assert!(distance < 128);
            offset = pack.entry(6, delta.len() as u64, &[distance as u8], &delta);
            names.push((blob_name(&content), offset));
        }
        let repo = pack.into_repo(if indexed { &names } else { &[] });
        let (checker, traversal) = repo.visit(&TraverseOptions { most_held: 1000, ..options(2) });
        checker.assert_sound();
        assert_eq!((traversal.gaps, checker.kinds().len()), (vec![], names.len()));
    }
}

#[test]
fn things_that_are_no_packs() {
    let repo = Repo::with_history(HashKind::Sha1, 5);
    let expected = repo.expected();
    let directory = repo.objects().join("pack");
    for (name, content) in
        [("pack-a.pack", &b""[..]), ("pack-b.pack", b"PACK"), ("pack-c.pack", b"no pack at all")]
    {
        fs::write(directory.join(name), content).unwrap();
    }
    fs::create_dir(directory.join("pack-d.pack")).unwrap();
    fs::write(directory.join("pack-e.idx"), b"no index").unwrap();
    fs::write(directory.join("tmp_pack_x"), b"being written").unwrap();
    let (checker, traversal) = repo.visit(&options(2));
    checker.assert_sound();
    assert_eq!(checker.kinds(), expected);
    assert_eq!(traversal.gaps.len(), 4, "{:?}", traversal.gaps);
}

/// A repack took a pack away and left only its index: a gap only if its objects are nowhere else.
#[test]
fn a_pack_that_is_gone() {
    let repo = repo_of_depth("50");
    let expected = repo.expected();
    let old = repo.pack();
    let index = fs::read(old.with_extension("idx")).unwrap();
    repo.git(&["repack", "-qadfk", "--depth=1"]);
    let orphan = repo.objects().join("pack/pack-gone.idx");
    fs::write(&orphan, &index).unwrap();
    let (checker, traversal) = repo.visit(&options(1));
    assert_eq!((traversal.gaps, checker.kinds()), (vec![], expected));
    fs::remove_file(repo.pack().with_extension("pack"))
        .or_else(|_| fs::remove_file(&repo.files("pack")[0]))
        .unwrap();
    let (_, traversal) = repo.visit(&options(1));
    assert!(traversal.gaps.iter().any(|gap| gap.kind == GapKind::Missing), "{:?}", traversal.gaps);
}

/// Git never writes such a pack; without an index, names come from the content.
#[test]
fn an_object_that_a_pack_holds_twice_is_passed_once() {
    for indexed in [true, false] {
        let mut pack = HandMade::new();
        let (one, two) = (pack.blob(b"once is enough\n"), pack.blob(b"once is enough\n"));
        let other = pack.blob(b"another\n");
        let name = blob_name(b"once is enough\n");
        let names = [(name, one), (name, two), (blob_name(b"another\n"), other)];
        let repo = pack.into_repo(if indexed { &names } else { &[] });
        let (checker, traversal) = repo.visit(&options(2));
        checker.assert_sound();
        assert_eq!((checker.kinds().len(), traversal.counts.blobs, traversal.gaps), (2, 2, vec![]));
    }
}
