//! The traversal passes every object exactly once, however git packed it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread::ThreadId;
use std::time::Duration;

use keycull::finding::GapKind;
use keycull::source::git::pack::{
    Base, DeltaMap, HashKind, Object, ObjectDirectories, ObjectKind, TraverseOptions, Visitor, traverse,
};

use super::pack_fixture::{Checker, HandMade, Repo, blob_name, options, run_git};

#[test]
fn packs_of_any_depth() {
    for hash in [HashKind::Sha1, HashKind::Sha256] {
        let repo = Repo::with_history(hash, 150);
        for depth in ["0", "1", "50", "4095"] {
            repo.git(&["repack", "-qadfk", &format!("--depth={depth}"), "--window=20"]);
            repo.pack();
            let checker = repo.assert_complete();
            let deltas = checker.deltas.load(Ordering::Relaxed);
            assert_eq!(deltas > 100, depth != "0", "{deltas} deltas at depth {depth}");
        }
    }
}

#[test]
fn loose_objects_only() {
    for hash in [HashKind::Sha1, HashKind::Sha256] {
        let repo = Repo::with_history(hash, 12);
        for pack in repo.files("pack") {
            let moved = repo.path().join("moved.pack");
            fs::rename(&pack, &moved).unwrap();
            fs::remove_file(pack.with_extension("idx")).unwrap();
            repo.git_with_input(&["unpack-objects", "-q"], &fs::read(&moved).unwrap());
        }
        assert!(repo.files("pack").is_empty());
        repo.assert_complete();
    }
}

#[test]
fn many_packs_and_a_multi_pack_index() {
    let repo = Repo::with_history(HashKind::Sha1, 400);
    repo.git(&[
        "-c",
        "pack.packSizeLimit=1m",
        "repack",
        "-qadfk",
        "--depth=1",
        "--window=2",
        "--max-pack-size=1m",
    ]);
    repo.add_history("second", 7, 40);
    repo.git(&["multi-pack-index", "write"]);
    assert!(repo.files("pack").len() > 1);
    repo.assert_complete();
}

#[test]
fn duplicates_in_several_packs_and_loose_are_passed_once() {
    let repo = Repo::with_history(HashKind::Sha1, 60);
    repo.git(&["repack", "-qadk"]);
    let all: Vec<String> = repo.expected().keys().map(ToString::to_string).collect();
    // Every third object again in another pack, every second in a third one, with other deltas.
    for (step, window) in [(3, "3"), (2, "40")] {
        let some = all.iter().step_by(step).map(|name| format!("{name}\n")).collect::<String>();
        let base = repo.objects().join("pack/pack");
        let window = format!("--window={window}");
        repo.git_with_input(
            &["pack-objects", "-q", "--no-reuse-delta", &window, base.to_str().unwrap()],
            some.as_bytes(),
        );
    }
    assert_eq!(repo.files("pack").len(), 3);
    let loose = run_git(repo.path(), &["cat-file", "blob", "main:dir0/file0"], b"");
    let name = repo.git(&["rev-parse", "main:dir0/file0"]);
    let elsewhere = Repo::empty(HashKind::Sha1);
    elsewhere.git_with_input(&["hash-object", "-w", "--stdin"], &loose);
    let (fan, rest) = name.trim().split_at(2);
    fs::create_dir_all(repo.objects().join(fan)).unwrap();
    fs::copy(elsewhere.objects().join(fan).join(rest), repo.objects().join(fan).join(rest)).unwrap();
    repo.assert_complete();
}

#[test]
fn bases_named_instead_of_measured() {
    let repo = Repo::with_history(HashKind::Sha1, 80);
    let names = repo.expected().keys().map(|name| format!("{name}\n")).collect::<String>();
    // Without --delta-base-offset, bases are named.
    let pack = run_git(
        repo.path(),
        &["pack-objects", "-q", "--stdout", "--no-reuse-delta", "--window=30"],
        names.as_bytes(),
    );
    let target = Repo::empty(HashKind::Sha1);
    target.git_with_input(&["index-pack", "--stdin"], &pack);
    assert_eq!(target.expected(), repo.expected());
    let checker = target.assert_complete();
    assert!(checker.deltas.load(Ordering::Relaxed) > 50);

    for extension in ["idx", "rev"] {
        target.files(extension).iter().for_each(|file| fs::remove_file(file).unwrap());
    }
    let (checker, traversal) = target.visit(&options(2));
    checker.assert_sound();
    assert_eq!((traversal.gaps, checker.kinds()), (vec![], repo.expected()));
}

#[test]
fn a_thin_pack_finds_its_bases_in_other_places() {
    let repo = Repo::with_history(HashKind::Sha1, 80);
    repo.git(&["repack", "-qadk"]);
    let range = b"main\n^main~5\n";
    let thin =
        run_git(repo.path(), &["pack-objects", "-q", "--stdout", "--thin", "--revs", "--window=30"], range);

    // The rest of the history in one repository, the thin pack as it is in it.
    let target = Repo::empty(HashKind::Sha1);
    repo.git(&["branch", "older", "main~5"]);
    target.git(&["fetch", "-q", repo.path().to_str().unwrap(), "older:refs/heads/main"]);
    let before = target.expected();
    target.git_with_input(&["index-pack", "--stdin", "--fix-thin"], &thin);
    let fixed = target.assert_complete();
    assert!(fixed.kinds().len() > before.len());

    // No index can be made for a pack whose bases are elsewhere without completing it.
    let quarantine = Repo::empty(HashKind::Sha1);
    fs::write(quarantine.objects().join("pack/pack-thin.pack"), &thin).unwrap();
    let (checker, traversal) = quarantine.visit(&options(1));
    checker.assert_sound();
    assert!(traversal.gaps.iter().any(|gap| gap.kind == GapKind::Unreadable), "{:?}", traversal.gaps);
    assert!(!checker.kinds().is_empty());
}

#[test]
fn index_version_one_and_no_index_at_all() {
    let repo = Repo::with_history(HashKind::Sha1, 60);
    repo.git(&["-c", "pack.indexVersion=1", "repack", "-qadfk"]);
    assert_ne!(&fs::read(repo.pack().with_extension("idx")).unwrap()[..4], b"\xfftOc");
    repo.assert_complete();
    let expected = repo.expected();
    fs::remove_file(repo.pack().with_extension("idx")).unwrap();
    let (checker, traversal) = repo.visit(&options(2));
    checker.assert_sound();
    assert_eq!((traversal.gaps, checker.kinds()), (vec![], expected));
}

#[test]
fn objects_of_alternates() {
    let lender = Repo::with_history(HashKind::Sha1, 30);
    let borrower = Repo::empty(HashKind::Sha1);
    borrower.add_history("own", 5, 10);
    fs::write(borrower.objects().join("info/alternates"), format!("{}\n", lender.objects().display()))
        .unwrap();
    assert!(borrower.expected().len() > lender.expected().len());
    borrower.assert_complete();
}

#[test]
fn only_wanted_kinds_are_passed() {
    let repo = Repo::with_history(HashKind::Sha1, 40);
    repo.git(&["repack", "-qadk"]);
    for kinds in [&[ObjectKind::Blob][..], &[ObjectKind::Commit, ObjectKind::Tag], &[ObjectKind::Tree], &[]] {
        let checker = Checker::new(repo.hash).wanting(kinds);
        let directories = ObjectDirectories::discover(&repo.objects(), repo.hash, None);
        let traversal = traverse(&directories, &options(2), &checker);
        checker.assert_sound();
        let mut expected = repo.expected();
        expected.retain(|_, kind| kinds.contains(kind));
        assert_eq!((traversal.gaps, checker.kinds()), (vec![], expected));
    }
}

#[test]
fn a_small_memory_budget_changes_nothing() {
    let repo = Repo::with_history(HashKind::Sha1, 150);
    repo.git(&["repack", "-qadfk", "--depth=4095", "--window=50"]);
    let expected = repo.expected();
    for most_held in [0, 20_000] {
        for jobs in [1, 3] {
            let (checker, traversal) = repo.visit(&TraverseOptions { most_held, ..options(jobs) });
            checker.assert_sound();
            assert_eq!((traversal.gaps, checker.kinds()), (vec![], expected.clone()));
        }
    }
}

#[test]
fn objects_over_the_size_budget_are_gaps() {
    let repo = Repo::with_history(HashKind::Sha1, 20);
    let big: Vec<u8> = b"0123456789\n".repeat(20_000);
    let packed = repo.git_with_input(&["hash-object", "-w", "--stdin"], &big);
    repo.git(&["repack", "-qadk"]);
    let loose = repo.git_with_input(&["hash-object", "-w", "--stdin"], &[&big[..], b"x"].concat());
    let (checker, traversal) = repo.visit(&TraverseOptions { most_object: 100_000, ..options(2) });
    checker.assert_sound();
    assert_eq!(traversal.gaps.len(), 2);
    for (gap, name) in traversal.gaps.iter().zip([loose, packed]) {
        assert_eq!(gap.kind, GapKind::Budget);
        assert!(gap.what.contains(name.trim()), "{gap:?}");
    }
    assert_eq!(checker.kinds().len(), repo.expected().len() - 2);
}

/// A visitor that is slow and notes who works.
struct Slow(Mutex<HashSet<ThreadId>>);

impl Slow {
    fn see(&self) {
        std::thread::sleep(Duration::from_millis(1));
        self.0.lock().expect("no panic").insert(std::thread::current().id());
    }
}

impl Visitor for Slow {
    type Local = ();
    type State = ();

    fn local(&self) {}

    fn wants(&self, _: ObjectKind) -> bool {
        true
    }

    fn root(&self, (): &mut (), _: &Object<'_>) {
        self.see();
    }

    fn child(&self, (): &mut (), _: &Object<'_>, _: &Base<'_, ()>, _: &DeltaMap) {
        self.see();
    }

    fn cancelled(&self) -> bool {
        false
    }
}

#[test]
fn idle_threads_get_branches_of_the_only_tree() {
    // Flat: 60 deltas of one base; and deep: each of six deltas has nine of its own.
    for width in [60, 6] {
        let mut pack = HandMade::new();
        let content = b"0123456789abcdef".repeat(1250);
        let mut bases = vec![(pack.blob(&content), content.clone())];
        let mut names = vec![(blob_name(&content), bases[0].0)];
        for at in 0..60_u8 {
            let base = if at < width { 0 } else { 1 + usize::from(at % width) };
            let (offset, content) = &bases[base];
            let content = [&content[..], &[at]].concat();
            let sizes = |length: usize| {
                [(length & 0x7f) as u8 | 0x80, (length >> 7 & 0x7f) as u8 | 0x80, (length >> 14) as u8]
            };
            let length = content.len() - 1;
            let copy = [0xb0, (length & 0xff) as u8, (length >> 8) as u8, 1, at];
            let delta = [&sizes(length)[..], &sizes(length + 1), &copy].concat();
            let distance = pack.bytes.len() as u64 - offset;
            let far = [((distance >> 7).wrapping_sub(1) & 0x7f) as u8 | 0x80, (distance & 0x7f) as u8];
            let distance = if distance < 128 { &far[1..] } else { &far[..] };
            let offset = pack.entry(6, delta.len() as u64, distance, &delta);
            names.push((blob_name(&content), offset));
            bases.push((offset, content));
        }
        let repo = pack.into_repo(&names);
        repo.assert_complete();
        let directories = ObjectDirectories::discover(&repo.objects(), repo.hash, None);
        let slow = Slow(Mutex::default());
        let traversal = traverse(&directories, &options(4), &slow);
        assert_eq!((traversal.counts.blobs, traversal.gaps), (61, vec![]));
        assert_eq!(traversal.idle.len(), 4);
        let threads = slow.0.lock().expect("no panic").len();
        assert!(threads > 1, "all done by one thread");
    }
}

#[test]
fn stops_when_asked() {
    let repo = Repo::with_history(HashKind::Sha1, 60);
    let directories = ObjectDirectories::discover(&repo.objects(), repo.hash, None);
    for jobs in [1, 3] {
        let checker = Checker::new(repo.hash).stopping_after(20);
        let traversal = traverse(&directories, &options(jobs), &checker);
        assert!(traversal.cancelled && checker.kinds().len() < 60);
        assert_eq!(traversal.gaps.len(), 1);
        assert_eq!(traversal.gaps[0].kind, GapKind::Interrupted);
    }
}

#[test]
fn nothing_at_all() {
    let (checker, traversal) = Repo::empty(HashKind::Sha1).visit(&options(2));
    assert_eq!((traversal.gaps, checker.kinds()), (vec![], BTreeMap::new()));
}
