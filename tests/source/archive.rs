//! Containers: what is in them reaches the sink under the right name, and what does not is told.

use std::collections::BTreeSet;
use std::time::Duration;

use keycull::finding::{Coverage, GapKind, RepoPath, SkipReason};
use keycull::source::Windows;
use keycull::source::archive::{self, Limits};
use keycull::source::git::index::{self, IndexOptions};
use keycull::source::git::objects::{self, ObjectOptions};
use keycull::source::git::{Repository, history};
use keycull::source::stdin;
use keycull::source::tree::{self, TreeOptions};

use super::recorder::Recorder;
use crate::support::git::GitRepo;
use crate::support::pack::{self, Method};
use crate::support::stores::{self, Packing};

/// Paths under which `text` was handed over, and what was noted.
fn holding(content: &[u8], limits: Limits, text: &str) -> (Vec<String>, Coverage) {
    let recorder = Recorder::default();
    let name = Some(RepoPath::from("x"));
    stdin::scan(&mut &content[..], name, Windows::default(), limits, &recorder).expect("memory reads");
    (paths(&recorder, text), recorder.notes())
}

fn paths(recorder: &Recorder, text: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let chunks = recorder.chunks();
    let found: BTreeSet<String> =
        chunks.iter().filter(|seen| holds(&seen.bytes)).map(|seen| seen.origin.to_string()).collect();
    found.into_iter().collect()
}

const TEXT: &str = "needle in a haystack";

fn text() -> Vec<u8> {
    format!("first line\n{TEXT}\nlast line\n").into_bytes()
}

#[test]
fn members_of_every_format_are_handed_over() {
    let text = text();
    let members: [(&str, &[u8]); 2] = [("dir/a.env", &text), ("b.txt", b"other")];
    let long = format!("{}/a.env", "long".repeat(40));
    let office = pack::zipped(&[("word/document.xml", &text)]);
    let deb = pack::ar(&[("debian-binary", b"2.0\n"), ("data.tar.xz", &pack::xz(&pack::tar(&members)))]);
    let cases = [
        (pack::zipped(&members), "x!dir/a.env"),
        (pack::zip(&[("dir/a.env", &text, Method::Stored)]), "x!dir/a.env"),
        (pack::zip(&[("dir/a.env", &text, Method::Streamed)]), "x!dir/a.env"),
        (pack::tar(&members), "x!dir/a.env"),
        (pack::ar(&members), "x!dir/a.env"),
        (pack::cpio(&members), "x!dir/a.env"),
        (pack::rpm(b"", &members), "x!dir/a.env"),
        (pack::rpm(&text, &[]), "x!header"),
        (pack::gzip(&pack::tar(&members)), "x!dir/a.env"),
        (pack::bzip2(&pack::tar(&members)), "x!dir/a.env"),
        (pack::xz(&pack::tar(&members)), "x!dir/a.env"),
        (pack::zstd(&pack::tar(&members)), "x!dir/a.env"),
        (pack::lz4(&pack::tar(&members)), "x!dir/a.env"),
        (pack::gzip(&text), "x!content"),
        (pack::bzip2(&text), "x!content"),
        (pack::xz(&text), "x!content"),
        (pack::zstd(&text), "x!content"),
        (pack::lz4(&text), "x!content"),
        (pack::zipped(&[("in.jar", &pack::zipped(&members))]), "x!in.jar!dir/a.env"),
        (pack::tar(&[("layer.tar", &pack::tar(&members))]), "x!layer.tar!dir/a.env"),
        (pack::zipped(&[("a.docx", &office)]), "x!a.docx!word/document.xml"),
        (pack::tar(&[("repo/x.deb", &deb)]), "x!repo/x.deb!data.tar.xz!dir/a.env"),
        (pack::pdf(TEXT), "x!object-4"),
        (pack::tar(&[(&long, &text)]), &format!("x!{long}")),
        (stores::seven_zip(&members, Packing::Lzma2), "x!dir/a.env"),
        (stores::plist(&[("name", TEXT)], b"x"), "x!strings"),
        (stores::plist(&[("name", "x")], &pack::gzip(&text)), "x!data-3!content"),
        (stores::sqlite(512, &[&["name", TEXT]]), "x!page-2"),
    ];
    for (content, path) in &cases {
        assert!(archive::is_container(content), "{path}");
        let (found, notes) = holding(content, Limits::default(), TEXT);
        // A stored or uncompressed member may show in its container's own bytes as well.
        assert!(found.iter().any(|found| found == path), "{path}: {found:?}");
        assert_eq!(notes.gaps, [], "{path}");
    }
}

#[test]
fn an_encrypted_document_is_counted_and_what_can_be_read_of_it_is_read() {
    let document = String::from_utf8_lossy(&pack::pdf(TEXT)).into_owned();
    assert!(document.contains("%%EOF"));
    let locked = |document: Vec<u8>| {
        let end = document.len() - "%%EOF\n".len();
        [&document[..end], b"trailer\n<< /Encrypt 5 0 R >>\n%%EOF\n"].concat()
    };
    let encrypted = |notes: &Coverage| notes.skipped.get(&SkipReason::Encrypted).copied();
    let (found, notes) = holding(&locked(pack::pdf(TEXT)), Limits::default(), TEXT);
    assert_eq!((found, encrypted(&notes)), (vec!["x!object-4".to_owned()], Some(1)), "some streams are not");
    assert_eq!(notes.gaps, []);
    // What an encrypted stream holds is noise, and no damage.
    let mut noise = locked(pack::pdf(TEXT));
    let at = memchr::memmem::find(&noise, b"stream\n").expect("a stream") + 7;
    noise[at..at + 30].iter_mut().for_each(|byte| *byte ^= 0x5a);
    let (found, notes) = holding(&noise, Limits::default(), TEXT);
    assert_eq!((found, encrypted(&notes)), (vec![], Some(1)));
    assert_eq!(notes.gaps, []);
    // A document that merely speaks of it hides nothing.
    let (found, _) = holding(&pack::pdf("a needle in /Encrypt"), Limits::default(), "a needle in /Encrypt");
    assert_eq!(found, ["x!object-4"]);
}

#[test]
fn transcoded_members_are_text() {
    let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let content = pack::zipped(&[("a.reg", &[&b"\xff\xfe"[..], &wide].concat())]);
    assert_eq!(holding(&content, Limits::default(), TEXT).0, ["x!a.reg"]);
}

#[test]
fn names_comments_and_hidden_parts_are_scanned() {
    let text = text();
    let (found, _) = holding(&pack::tar(&[(TEXT, b"x")]), Limits::default(), TEXT);
    assert_eq!(found, ["x"], "a member's name");
    let mut commented = pack::zipped(&[("a", b"b")]);
    let at = commented.len() - 2;
    commented[at..].copy_from_slice(&(TEXT.len() as u16).to_le_bytes());
    commented.extend_from_slice(TEXT.as_bytes());
    assert_eq!(holding(&commented, Limits::default(), TEXT).0, ["x"], "a comment");
    // An entry the directory does not mention.
    let hidden = pack::zip(&[("hidden", &text, Method::Deflated)]);
    let body = &hidden[..hidden.len() - 22 - 46 - "hidden".len()];
    let stub = [body, &pack::zipped(&[("a", b"b")])].concat();
    let (found, notes) = holding(&stub, Limits::default(), TEXT);
    assert_eq!((found, notes.gaps), (vec!["x!hidden".to_owned()], vec![]), "a hidden entry");
    // A program in front: offsets count from the archive's start.
    let program = [&b"#!/bin/sh\nexec java -jar \"$0\"\n"[..], &pack::zipped(&[("a.env", &text)])].concat();
    assert_eq!(holding(&program, Limits::default(), TEXT).0, ["x!a.env"], "an archive behind a script");
    let trailing = [&pack::gzip(b"first")[..], TEXT.as_bytes()].concat();
    assert_eq!(holding(&trailing, Limits::default(), TEXT).0, ["x"], "behind a gzip file");
    let twice = [pack::gzip(b"first"), pack::gzip(&text)].concat();
    assert_eq!(holding(&twice, Limits::default(), TEXT).0, ["x!content"], "a second gzip member");
}

#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes_and_told() {
    let noise: Vec<u8> = (0_u32..60_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let members: [(&str, &[u8]); 2] = [("a.env", TEXT.as_bytes()), ("noise", &noise)];
    let whole = [
        pack::zipped(&members),
        pack::tar(&members),
        pack::gzip(&pack::tar(&members)),
        pack::xz(&pack::tar(&members)),
        pack::zstd(&pack::tar(&members)),
        pack::lz4(&pack::tar(&members)),
        pack::ar(&members),
        pack::cpio(&members),
    ];
    for (case, content) in whole.iter().enumerate() {
        let cut = &content[..content.len() / 2];
        let (found, notes) = holding(cut, Limits::default(), TEXT);
        if !(3..=5).contains(&case) {
            // One block of xz, Zstandard or LZ4 is unpacked as a whole or not at all.
            assert!(found.iter().any(|path| path == "x!a.env"), "case {case}: {found:?}");
        }
        let kinds: Vec<GapKind> = notes.gaps.iter().map(|gap| gap.kind).collect();
        assert!(kinds.contains(&GapKind::Unreadable), "case {case}: {:?}", notes.gaps);
    }
}

#[test]
fn encrypted_members_and_unknown_formats_are_counted_and_no_gap() {
    let content = pack::zip(&[("a", b"secret", Method::Encrypted), ("b.env", &text(), Method::Deflated)]);
    let (found, notes) = holding(&content, Limits::default(), TEXT);
    assert_eq!(found, ["x!b.env"]);
    assert_eq!((notes.skipped[&SkipReason::Encrypted], notes.gaps), (1, vec![]));
    let rar = [&b"Rar!\x1a\x07\x01\0"[..], TEXT.as_bytes()].concat();
    let (found, notes) = holding(&rar, Limits::default(), TEXT);
    assert_eq!(found, ["x"], "its bytes are scanned");
    assert_eq!(notes.skipped[&SkipReason::Opaque("not-unpacked-rar")], 1);
}

fn budget_gaps(content: &[u8], limits: Limits) -> Vec<String> {
    let (_, notes) = holding(content, limits, TEXT);
    assert!(notes.gaps.iter().all(|gap| gap.kind == GapKind::Budget), "{:?}", notes.gaps);
    notes.gaps.into_iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect()
}

#[test]
fn every_budget_is_a_gap_that_names_its_flag() {
    let text = text();
    let ten: Vec<(String, &[u8])> = (0..10).map(|n| (format!("m{n}"), &text[..])).collect();
    let ten: Vec<(&str, &[u8])> = ten.iter().map(|(name, data)| (name.as_str(), *data)).collect();
    let content = pack::zipped(&ten);
    let all = Limits::default();
    assert_eq!(budget_gaps(&content, all), Vec::<String>::new());
    let cases = [
        (Limits { bytes: 100, ..all }, "--archive-bytes"),
        (Limits { entries: 9, ..all }, "--archive-entries"),
        (Limits { total: 100, ..all }, "--archive-total"),
        (Limits { time: Duration::ZERO, ..all }, "--archive-time"),
    ];
    for (limits, flag) in cases {
        let gaps = budget_gaps(&content, limits);
        assert!(gaps.len() == 1 && gaps[0].starts_with("x: ") && gaps[0].contains(flag), "{flag}: {gaps:?}");
    }
    let mut nested = text.clone();
    for depth in 0..4 {
        nested = pack::zipped(&[(&format!("level{depth}"), &nested)]);
    }
    let gaps = budget_gaps(&nested, Limits { depth: 3, ..all });
    assert!(gaps.len() == 1 && gaps[0].starts_with("x!level3!level2!level1: "), "{gaps:?}");
    assert_eq!(holding(&nested, Limits { depth: 4, ..all }, TEXT).0, ["x!level3!level2!level1!level0"]);
    assert_eq!(holding(&nested, Limits { depth: 0, ..all }, TEXT).0, Vec::<String>::new());
}

#[test]
fn bombs_go_off_in_a_gap() {
    let zeros = vec![0; 100 << 20];
    for packed in [pack::gzip(&zeros), pack::bzip2(&zeros), pack::zipped(&[("0", &zeros)]), pack::lz4(&zeros)]
    {
        let gaps = budget_gaps(&packed, Limits::default());
        assert!(gaps.len() == 1 && gaps[0].contains("--archive-ratio"), "{gaps:?}");
    }
    // gzip inside gzip inside gzip …
    let mut nested = pack::gzip(b"core");
    for _ in 0..200 {
        nested = pack::gzip(&nested);
    }
    let gaps = budget_gaps(&nested, Limits::default());
    assert!(gaps.len() == 1 && gaps[0].contains("--archive-depth"), "{gaps:?}");
}

#[test]
fn working_tree_index_and_blobs_are_opened_alike() {
    let repo = GitRepo::new();
    let text = text();
    let content = pack::gzip(&pack::tar(&[("etc/app.env", &text)]));
    repo.write("sub/x.tgz", &content);
    let files = Recorder::default();
    tree::scan(&TreeOptions::new(repo.path()), None, &files).expect("a tree");
    assert_eq!(paths(&files, TEXT), ["sub/x.tgz!etc/app.env"]);

    repo.git(&["add", "."]);
    let repository = Repository::open(repo.path()).expect("a repository");
    let staged = Recorder::default();
    index::scan(&repository, &IndexOptions::default(), &staged).expect("an index");
    assert_eq!(paths(&staged, TEXT), ["sub/x.tgz!etc/app.env"]);

    repo.git(&["commit", "-q", "-m", "pack"]);
    let repository = Repository::open(repo.path()).expect("a repository");
    let (slow, fast) = (Recorder::default(), Recorder::default());
    objects::scan(&repository, &ObjectOptions::default(), &slow).expect("objects");
    history::scan(&repository, &ObjectOptions::default(), &fast).expect("objects");
    assert_eq!(paths(&slow, TEXT).len(), 1);
    assert!(paths(&slow, TEXT)[0].ends_with("!etc/app.env"), "{:?}", paths(&slow, TEXT));
    assert_eq!(paths(&fast, TEXT), paths(&slow, TEXT));
}

#[test]
fn large_containers_are_streamed() {
    // Small windows make everything large.
    let windows = Windows { whole_up_to: 1_000, size: 5_000, overlap: 100 };
    let noise: Vec<u8> = (0_u32..60_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let text = text();
    let members: [(&str, &[u8]); 3] = [("noise", &noise), ("a.env", &text), ("more", &noise)];
    let mut streamed = Vec::new();
    for (name, data) in members {
        streamed.push((name, data, Method::Streamed));
    }
    for content in [
        pack::zipped(&members),
        pack::zip(&streamed),
        pack::tar(&members),
        pack::gzip(&pack::tar(&members)),
        pack::zstd(&pack::tar(&members)),
    ] {
        let recorder = Recorder::default();
        let name = Some(RepoPath::from("x"));
        let coverage = stdin::scan(&mut &content[..], name, windows, Limits::default(), &recorder);
        assert_eq!(coverage.expect("memory reads").bytes, content.len() as u64);
        assert_eq!(paths(&recorder, TEXT), ["x!a.env"]);
        assert_eq!(recorder.notes().gaps, []);
    }
}

#[test]
fn a_member_can_be_taken_out_again() {
    let text = text();
    let content = pack::zipped(&[("in.tar", &pack::tar(&[("a.env", &text)])), ("b", b"c")]);
    let path = |path: &str| RepoPath::from(path);
    assert_eq!(archive::extract(&content, &[path("in.tar"), path("a.env")]), [text]);
    assert_eq!(archive::extract(&content, &[path("b")]), [b"c".to_vec()]);
    assert_eq!(archive::extract(&content, &[path("in.tar"), path("b")]), Vec::<Vec<u8>>::new());
}

#[test]
fn damaged_containers_never_panic() {
    use keycull::rule::example::Rng;
    let text = text();
    let members: [(&str, &[u8]); 2] = [("a.env", &text), ("b", &[7; 5_000])];
    let repo = GitRepo::new();
    repo.write("a.env", &text).commit("one");
    let whole = [
        pack::zipped(&members),
        pack::tar(&members),
        pack::gzip(&pack::tar(&members)),
        pack::bzip2(&pack::tar(&members)),
        pack::xz(&pack::tar(&members)),
        pack::zstd(&pack::tar(&members)),
        pack::lz4(&pack::tar(&members)),
        pack::ar(&members),
        pack::cpio(&members),
        pack::rpm(&text, &members),
        pack::pdf(TEXT),
        stores::seven_zip(&members, Packing::Lzma),
        stores::seven_zip(&members, Packing::Filtered),
        stores::plist(&[("name", TEXT), ("größe", "große")], &pack::gzip(&text)),
        stores::sqlite(512, &[&["name", TEXT], &[&"long ".repeat(400)]]),
        stores::bundle(&repo, &[], &["--all"]),
    ];
    let mut rng = Rng::seeded("damage");
    for content in &whole {
        for _ in 0..60 {
            let mut bytes = content.clone();
            for _ in 0..1 + rng.below(8) {
                let at = rng.below(bytes.len());
                bytes[at] = rng.below(256) as u8;
            }
            if rng.below(4) == 0 {
                bytes.truncate(rng.below(bytes.len()));
            }
            let (_, notes) = holding(&bytes, Limits::default(), TEXT);
            let failed = notes.gaps.iter().find(|gap| gap.why.contains("a decoder failed"));
            assert!(failed.is_none(), "{failed:?}");
        }
    }
}
