//! Containers that hold objects or records: git bundles and packs, SQLite databases, property lists,
//! 7z archives. What is in them reaches the sink, and damage, lies and loops do no harm.

use keycull::finding::{Coverage, GapKind, RepoPath, SkipReason};
use keycull::source::archive::Limits;
use keycull::source::git::pack::{HashKind, ObjectKind};
use keycull::source::{Windows, stdin};

use super::recorder::Recorder;
use crate::support::git::GitRepo;
use crate::support::pack::{gzip, zipped};
use crate::support::stores::{Packing, bundle, pack_entry as entry, pack_of, plist, seven_zip, sqlite};

const TEXT: &str = "needle in a haystack";

fn scanned(content: &[u8]) -> (Recorder, Coverage) {
    scanned_within(content, Limits::default())
}

fn scanned_within(content: &[u8], limits: Limits) -> (Recorder, Coverage) {
    let recorder = Recorder::default();
    let name = Some(RepoPath::from("x"));
    stdin::scan(&mut &content[..], name, Windows::default(), limits, &recorder).expect("memory reads");
    let notes = recorder.notes();
    let failed = notes.gaps.iter().find(|gap| gap.why.contains("a decoder failed"));
    assert!(failed.is_none(), "{failed:?}");
    (recorder, notes)
}

/// Where `text` was handed over, each place once.
fn places(recorder: &Recorder, text: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    let mut places: Vec<String> = recorder
        .chunks()
        .iter()
        .filter(|seen| holds(&seen.bytes))
        .map(|seen| seen.origin.to_string())
        .collect();
    places.sort();
    places.dedup();
    places
}

fn kinds(notes: &Coverage) -> Vec<GapKind> {
    notes.gaps.iter().map(|gap| gap.kind).collect()
}

/// A repository in which a file changes a little from commit to commit.
fn history(format: &str) -> GitRepo {
    let repo = GitRepo::with_options(&[&format!("--object-format={format}")]);
    let noise: String =
        (0..2_000_u64).map(|n| format!("line {}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    repo.write("dir/named.txt", &noise).commit("first");
    repo.write("dir/named.txt", format!("{noise}{TEXT}\n")).commit("second needle in a message");
    repo.git(&["tag", "-a", "-m", "a needle in a tag", "v1"]);
    repo.write("dir/named.txt", format!("{noise}third\n")).commit("third");
    repo
}

#[test]
fn all_objects_of_a_bundle_are_members() {
    for (format, version) in [("sha1", "--version=2"), ("sha1", "--version=3"), ("sha256", "--version=3")] {
        let repo = history(format);
        let (seen, notes) = scanned(&bundle(&repo, &[version], &["--all"]));
        assert_eq!(notes.gaps, [], "{format} {version}");
        let id = |revision: &str| format!("x!{}", repo.git(&["rev-parse", revision]).trim());
        assert_eq!(places(&seen, TEXT), [id("main~1:dir/named.txt")], "{format}: a blob that is a delta");
        assert_eq!(places(&seen, "needle in a message"), [id("main~1")]);
        assert_eq!(places(&seen, "needle in a tag"), [id("v1")]);
        assert_eq!(places(&seen, "named.txt"), ["x"], "a name in a tree");
        assert_eq!(places(&seen, "refs/tags/v1"), ["x"], "the header");
    }
}

#[test]
fn packs_outside_a_repository_are_read() {
    for format in ["sha1", "sha256"] {
        let repo = history(format);
        repo.git(&["repack", "-q", "-a", "-d"]);
        let packs = repo.path().join(".git/objects/pack");
        let mut files = std::fs::read_dir(packs).expect("packs").map(|file| file.expect("a file").path());
        let pack = files.find(|path| path.extension().is_some_and(|end| end == "pack")).expect("a pack");
        let (seen, notes) = scanned(&std::fs::read(pack).expect("a pack"));
        assert_eq!(notes.gaps, [], "{format}");
        let blob = repo.git(&["rev-parse", "main~1:dir/named.txt"]);
        assert_eq!(places(&seen, TEXT), [format!("x!{}", blob.trim())], "{format}");
    }
}

#[test]
fn a_bundle_of_changes_says_what_it_lacks_and_shows_what_it_adds() {
    let repo = history("sha1");
    let (seen, notes) = scanned(&bundle(&repo, &[], &["main~2..main"]));
    assert_eq!(kinds(&notes), [GapKind::Missing], "{:?}", notes.gaps);
    assert!(notes.gaps[0].why.contains("does not hold"), "{:?}", notes.gaps);
    let found = places(&seen, TEXT);
    assert!(found.len() == 1 && found[0].starts_with("x!object-at-"), "{found:?}");
    assert_eq!(places(&seen, "needle in a message").len(), 1);
}

#[test]
fn containers_in_a_bundle_and_bundles_in_a_container_are_opened() {
    let repo = GitRepo::new();
    repo.write("a.zip", zipped(&[("a.env", format!("{TEXT}\n").as_bytes())])).commit("zip");
    let packed = bundle(&repo, &[], &["--all"]);
    let blob = repo.git(&["rev-parse", "main:a.zip"]);
    let (seen, _) = scanned(&zipped(&[("backup.bundle", &packed)]));
    assert_eq!(places(&seen, TEXT), [format!("x!backup.bundle!{}!a.env", blob.trim())]);
}

#[test]
fn hostile_packs_are_gaps() {
    let text = format!("{TEXT}\n");
    let blob = || entry(3, text.len(), &[], text.as_bytes());
    let found = |content: &[u8]| {
        let (seen, notes) = scanned(content);
        (places(&seen, TEXT).len(), kinds(&notes))
    };
    assert_eq!(found(&pack_of(1, &[blob()])), (1, vec![]));
    assert_eq!(found(&pack_of(u32::MAX, &[blob()])), (1, vec![GapKind::Unreadable]), "a lying count");
    // Two deltas, each based on the other by name, and one based on itself.
    let delta = [8, 8, 0x88, 8];
    let looped: Vec<_> = [1, 2].map(|n| entry(7, delta.len(), &[n; 20], &delta)).to_vec();
    assert_eq!(found(&pack_of(3, &[vec![blob()], looped].concat())), (1, vec![GapKind::Missing]));
    // A size that does not hold, either way.
    assert_eq!(found(&pack_of(2, &[blob(), entry(3, 5, &[], &[b'x'; 90])])).1, [GapKind::Unreadable]);
    assert_eq!(found(&pack_of(2, &[blob(), entry(3, 5_000_000, &[], b"x")])).1, [GapKind::Unreadable]);
    // A delta that makes a gigabyte out of nothing.
    let growing = [&[0x15, 0x80, 0x80, 0x80, 0x80, 4][..], &[0xf0, 0xff, 0xff, 0xff].repeat(50)].concat();
    let grown = entry(6, growing.len(), &[blob().len() as u8], &growing);
    let (places, gaps) = found(&pack_of(2, &[blob(), grown]));
    assert!(places == 1 && gaps == [GapKind::Budget], "{places} {gaps:?}");
    // Many copies of an object, and many deltas of it.
    let copies = vec![blob(); 3_000];
    let name = HashKind::Sha1.name_object(ObjectKind::Blob, text.as_bytes());
    let deltas = vec![entry(7, 4, name.as_bytes(), &[21, 21, 0x90, 21]); 3_000];
    assert_eq!(found(&pack_of(6_000, &[copies, deltas].concat())), (1, vec![]));
}

#[test]
fn packs_keep_to_the_budgets() {
    let zeros = vec![0; 40 << 20];
    let bomb = pack_of(3, &[entry(3, zeros.len(), &[], &zeros), entry(3, zeros.len(), &[], &zeros), vec![]]);
    let (_, notes) = scanned(&bomb);
    assert!(notes.gaps.iter().any(|gap| gap.why.contains("--archive-ratio")), "{:?}", notes.gaps);
    let text = format!("{TEXT}\n");
    let many = vec![entry(3, text.len(), &[], text.as_bytes()); 600];
    let (seen, notes) = scanned_within(&pack_of(600, &many), Limits { entries: 100, ..Limits::default() });
    assert!(notes.gaps.iter().any(|gap| gap.why.contains("--archive-entries")), "{:?}", notes.gaps);
    assert_eq!(places(&seen, TEXT).len(), 1, "what came before is scanned");
    assert!(notes.gaps.iter().all(|gap| gap.kind == GapKind::Budget), "{:?}", notes.gaps);
}

#[test]
fn values_in_a_database_are_whole_and_apart() {
    let long = format!("{}{TEXT}{}", "x".repeat(2_000 - 10), "y".repeat(3_000));
    let content = sqlite(1024, &[&["glued", "together", TEXT], &["setting", "value"], &[&long]]);
    let (seen, notes) = scanned(&content);
    assert_eq!(notes.gaps, []);
    assert_eq!(places(&seen, &format!("\n{TEXT}\n")), ["x!page-2"], "each value has a line of its own");
    assert_eq!(places(&seen, "setting = \"value\""), ["x!page-2"]);
    assert_eq!(places(&seen, &long), ["x!page-2"], "divided over pages in the file");
    assert!(memchr::memmem::find(&content, long.as_bytes()).is_none());
    // A row that is deleted is in the file all the same.
    let mut deleted = sqlite(512, &[&["other"], &[TEXT]]);
    deleted[512 + 4] = 1;
    let (seen, _) = scanned(&deleted);
    assert_eq!(places(&seen, TEXT), ["x"]);
    // UTF-16, and a container among the values.
    let mut wide = sqlite(1024, &[&["ab"]]);
    wide[59] = 2;
    let (seen, _) = scanned(&wide);
    assert_eq!(places(&seen, "\u{6261}\n"), ["x!page-2"]);
}

#[test]
fn hostile_databases_end() {
    let long = "z".repeat(5_000);
    let whole = sqlite(512, &[&[&long], &["a", "b"], &[TEXT]]);
    // Overflow pages that go round in a circle.
    let mut circle = whole.clone();
    circle[1024..1028].copy_from_slice(&3_u32.to_be_bytes());
    let (seen, _) = scanned(&circle);
    assert!(!places(&seen, TEXT).is_empty());
    // All cells are one, and it claims to be as long as the file.
    let mut claims = sqlite(512, &[&[TEXT]]);
    claims.resize(512 * 4_000, 0);
    for page in 2..4_000 {
        let start = page * 512;
        claims[start] = 0x0d;
        claims[start + 3..start + 5].copy_from_slice(&200_u16.to_be_bytes());
        for cell in 0..200 {
            let at = start + 8 + 2 * cell;
            claims[at..at + 2].copy_from_slice(&(408 + (cell % 100) as u16).to_be_bytes());
        }
        for at in 408..510 {
            claims[start + at] = if at % 3 == 2 { 0x7f } else { 0xff };
        }
    }
    let start = std::time::Instant::now();
    let (seen, _) = scanned(&claims);
    assert!(!places(&seen, TEXT).is_empty());
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    for (page, reserved) in [(0, 0), (3, 0), (256, 0), (512, 255), (1, 255), (0xffff, 0)] {
        let mut odd = whole.clone();
        odd[16..18].copy_from_slice(&u16::to_be_bytes(page));
        odd[20] = reserved;
        assert!(!places(&scanned(&odd).0, TEXT).is_empty(), "pages of {page} less {reserved}");
    }
    let mut cut = whole.clone();
    cut.truncate(whole.len() - 700);
    assert_eq!(kinds(&scanned(&cut).1), [GapKind::Unreadable]);
}

#[test]
fn property_lists_are_pairs_and_data() {
    let content = plist(&[("password", TEXT), ("größe", "große nadel")], &gzip(TEXT.as_bytes()));
    let (seen, notes) = scanned(&content);
    assert_eq!(notes.gaps, []);
    assert_eq!(places(&seen, &format!("password = \"{TEXT}\"\n")), ["x!strings"]);
    assert_eq!(places(&seen, "größe = \"große nadel\""), ["x!strings"], "UTF-16");
    assert_eq!(places(&seen, TEXT), ["x!data-5!content", "x!strings"]);
    let mut lying = content.clone();
    let at = lying.len() - 17;
    for count in [0xff, 0x7f, 20] {
        lying[at] = count;
        let (seen, notes) = scanned(&lying);
        assert_eq!(kinds(&notes), [GapKind::Unreadable], "{count} objects");
        assert!(!places(&seen, TEXT).is_empty());
    }
}

#[test]
fn dictionaries_that_overlap_end() {
    // Each object is a dictionary of all the bytes behind it, and refers to everything.
    let mut list = b"bplist00".to_vec();
    let bodies = 60_000_u32;
    for number in 0..bodies {
        list.extend_from_slice(&[0xdf, 0x12]);
        list.extend_from_slice(&((bodies - number) * 3).to_be_bytes());
    }
    list.resize(list.len() + 100, 0);
    let table = list.len() as u64;
    (0..bodies).for_each(|number| list.extend_from_slice(&(8 + 6 * number).to_be_bytes()));
    list.extend_from_slice(&[0, 0, 0, 0, 0, 0, 4, 1]);
    [u64::from(bodies), 0, table].iter().for_each(|field| list.extend_from_slice(&field.to_be_bytes()));
    let start = std::time::Instant::now();
    assert_eq!(kinds(&scanned(&list).1), [GapKind::Unreadable]);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn seven_zip_in_every_packing() {
    let text = format!("{TEXT}\n{}", "more ".repeat(400));
    let members: [(&str, &[u8]); 3] =
        [("a/one.txt", b"one"), ("b/größe.env", text.as_bytes()), ("c", b"last needle")];
    for packing in
        [Packing::Stored, Packing::Lzma, Packing::Lzma2, Packing::Deflate, Packing::Bzip2, Packing::Filtered]
    {
        let content = seven_zip(&members, packing);
        let (seen, notes) = scanned(&content);
        assert_eq!(notes.gaps, [], "{packing:?}");
        assert_eq!(places(&seen, TEXT), ["x!b/größe.env"], "{packing:?}");
        assert_eq!(places(&seen, "last needle"), ["x!c"], "{packing:?}");
        assert_eq!(places(&seen, "a/one.txt"), ["x"], "{packing:?}: names");
        let (seen, notes) = scanned(&content[..content.len() - 1]);
        assert_eq!(kinds(&notes), [GapKind::Unreadable], "{packing:?}");
        assert_eq!(places(&seen, TEXT).len(), usize::from(packing == Packing::Stored), "{packing:?}");
    }
    let (_, notes) = scanned(&seven_zip(&members, Packing::Encrypted));
    assert_eq!((notes.skipped[&SkipReason::Encrypted], notes.gaps), (1, vec![]));
    let zeros = vec![0; 100 << 20];
    let (_, notes) = scanned(&seven_zip(&[("0", &zeros)], Packing::Lzma2));
    assert!(notes.gaps.iter().any(|gap| gap.why.contains("--archive-ratio")), "{:?}", notes.gaps);
}

/// One small file of each kind, the bundle with as many commits; archives packed both ways.
fn small_files(commits: usize, packing: Packing) -> [Vec<u8>; 5] {
    let repo = GitRepo::new();
    for more in &["", "and\n"][..commits] {
        repo.write("a", format!("{TEXT}\n{more}")).commit("change");
    }
    let text = format!("{TEXT}\n");
    let members: [(&str, &[u8]); 2] = [("a", text.as_bytes()), ("b", b"b")];
    [
        bundle(&repo, &[], &["--all"]),
        sqlite(512, &[&["a", "b"], &[&TEXT.repeat(60)]]),
        plist(&[("a", TEXT), ("größe", "große")], b"data"),
        seven_zip(&members, packing),
        seven_zip(&members, Packing::Filtered),
    ]
}

#[test]
fn every_truncation_is_survived() {
    for content in small_files(2, Packing::Lzma2) {
        for len in 0..content.len() {
            let (_, notes) = scanned(&content[..len]);
            // As long as it can be told what it is, it is told that it is cut off. A database says
            // how many pages it has behind its first ones.
            let told = !notes.gaps.is_empty() || len < 512;
            assert!(
                told,
                "{len} of {} bytes of {:?}",
                content.len(),
                content[..8].escape_ascii().to_string()
            );
        }
    }
}

#[test]
fn every_changed_byte_is_survived() {
    for content in small_files(1, Packing::Lzma) {
        for at in 0..content.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = content.clone();
                changed[at] = value;
                scanned(&changed);
            }
        }
    }
}
