//! Damaged repositories through the program itself: never a crash, never green, and everything
//! that can be read is scanned.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::git::GitRepo;
use crate::support::secret::{random, stripe_key};
use crate::support::tool::{Run, command, run};

/// Git writes packs read-only; replaces one with other bytes.
fn overwrite(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).expect("a file");
}

fn history(repo: &GitRepo) -> Run {
    let run = run(repo.path(), &["scan", "--history-only", "--format", "json"]);
    assert!(matches!(run.code, 0 | 1 | 3), "{}\n{}", run.code, run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// The only file of `.git/objects/pack` with this extension.
fn packed(repo: &GitRepo, extension: &str) -> PathBuf {
    let entries = fs::read_dir(repo.path().join(".git/objects/pack")).expect("a directory");
    let mut files = entries.map(|entry| entry.expect("an entry").path());
    files.find(|path| path.extension().is_some_and(|found| found == extension)).expect("a pack")
}

/// A packed history without secrets.
fn clean() -> GitRepo {
    let repo = GitRepo::new();
    for round in 0..6 {
        repo.write("a.txt", format!("{}\nround {round}\n", "some words and more of them\n".repeat(40)));
        repo.commit(&format!("round {round}"));
    }
    repo.git(&["repack", "-adfq"]);
    repo
}

/// A loose object by its content; gives its file.
fn put(repo: &GitRepo, content: &[u8]) -> PathBuf {
    let mut child = repo
        .command()
        .args(["hash-object", "-w", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git is installed");
    child.stdin.take().expect("a pipe").write_all(content).expect("git reads");
    let output = child.wait_with_output().expect("it ends");
    let name = String::from_utf8(output.stdout).expect("text");
    let (fan, rest) = name.trim().split_at(2);
    repo.path().join(".git/objects").join(fan).join(rest)
}

#[test]
fn a_truncated_pack_is_never_green() {
    let repo = clean();
    let pack = packed(&repo, "pack");
    let good = fs::read(&pack).expect("a pack");
    for length in [0, 4, 12, 31, good.len() / 2, good.len() - 21, good.len() - 1] {
        overwrite(&pack, &good[..length]);
        let run = history(&repo);
        assert_eq!(run.code, 3, "cut at {length}: {}", run.stdout);
        assert!(run.stdout.contains("\"complete\": false") || run.stdout.contains("\"complete\":false"));
    }
    overwrite(&pack, &good);
    assert_eq!(history(&repo).code, 0);
}

#[test]
fn flipped_bits_are_never_green_where_they_cost_something() {
    let repo = clean();
    let pack = packed(&repo, "pack");
    let good = fs::read(&pack).expect("a pack");
    for at in (12..good.len() - 20).step_by(good.len() / 12) {
        let mut bad = good.clone();
        bad[at] ^= 0x18;
        overwrite(&pack, &bad);
        assert_eq!(history(&repo).code, 3, "byte {at}");
    }
}

#[test]
fn an_index_that_lies_hides_nothing() {
    let repo = clean();
    repo.write("k.env", format!("KEY={}\n", stripe_key(7))).commit("leak");
    repo.git(&["repack", "-adfq"]);
    let index = packed(&repo, "idx");
    let good = fs::read(&index).expect("an index");
    for lie in [
        b"".to_vec(),
        b"no index".to_vec(),
        [&good[..8], &[0xff; 1024], &good[1032..]].concat(),
        good[..good.len() / 2].to_vec(),
        { [&good[..1032], &vec![0; good.len() - 1032]].concat() },
    ] {
        overwrite(&index, &lie);
        assert_eq!(history(&repo).code, 1, "{} bytes", lie.len());
    }
    fs::remove_file(&index).expect("an index");
    assert_eq!(history(&repo).code, 1);
}

#[test]
fn the_rest_of_a_damaged_repository_is_scanned() {
    let repo = clean();
    let leak = put(&repo, format!("KEY={}\n", stripe_key(8)).as_bytes());
    let pack = packed(&repo, "pack");
    let good = fs::read(&pack).expect("a pack");
    overwrite(&pack, &good[..good.len() / 3]);
    let found = history(&repo);
    assert_eq!(found.code, 1);
    assert!(found.stdout.contains("unreadable"), "{}", found.stdout);
    fs::remove_file(leak).expect("a loose object");
    assert_eq!(history(&repo).code, 3);
}

/// Sizes of 2^60, streams that never end, headers without an end: told, in little memory.
#[test]
fn loose_objects_that_lie_about_their_size() {
    let repo = clean();
    let zlib = |bytes: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let bomb = [b"blob 10\0".to_vec(), vec![0; 300 << 20]].concat();
    let whole = zlib(&bomb);
    let contents = [
        zlib(b"blob 1152921504606846976\0small"),
        zlib(b"blob 99999999999999999999999\0"),
        zlib(&[b'x'; 5000]),
        whole,
        b"not zlib at all".to_vec(),
        Vec::new(),
    ];
    for (number, content) in contents.iter().enumerate() {
        let file = put(&repo, format!("object {number}").as_bytes());
        overwrite(&file, content);
    }
    let run = history(&repo);
    assert_eq!(run.code, 3);
    for number in 0..contents.len() {
        let file = put(&repo, format!("object {number}").as_bytes());
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(run.stdout.contains(&name), "object {number} is not told: {}", run.stdout);
    }
}

#[test]
fn missing_objects_are_told() {
    let repo = GitRepo::new();
    repo.write("a.txt", "one").write("k.env", format!("KEY={}\n", stripe_key(9))).commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:a.txt"]);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    for name in [&blob, &tree] {
        let (fan, rest) = name.split_at(2);
        fs::remove_file(repo.path().join(".git/objects").join(fan).join(rest)).expect("a loose object");
        let run = history(&repo);
        assert_eq!(run.code, 1);
        assert!(run.stdout.contains("\"missing\"") && run.stdout.contains(&name[..12]), "{}", run.stdout);
    }
}

#[test]
fn broken_and_cyclic_refs_do_not_stop_a_scan() {
    let repo = clean();
    let heads = repo.path().join(".git/refs/heads");
    fs::write(heads.join("one"), "ref: refs/heads/two\n").expect("a ref");
    fs::write(heads.join("two"), "ref: refs/heads/one\n").expect("a ref");
    fs::write(heads.join("nowhere"), format!("{}\n", "12".repeat(20))).expect("a ref");
    assert!(matches!(history(&repo).code, 0 | 3));
    for bad in ["", "garbage", "ref: ", "ref: ../../outside", &"f".repeat(39), "\0\0\0\0"] {
        fs::write(heads.join("broken"), bad).expect("a ref");
        let run = history(&repo);
        assert_eq!(run.code, 3, "{bad:?}: {}", run.stdout);
    }
    fs::remove_file(heads.join("broken")).expect("a ref");
    fs::write(repo.path().join(".git/packed-refs"), "garbage\nmore of it\n").expect("a file");
    assert_eq!(history(&repo).code, 3);
    fs::remove_file(repo.path().join(".git/packed-refs")).expect("a file");
    repo.write("k.env", format!("KEY={}\n", stripe_key(10)));
    repo.git(&["add", "."]);
    // HEAD leads round in circles: what is staged cannot be told from what was there before.
    fs::write(repo.path().join(".git/HEAD"), "ref: refs/heads/one\n").expect("HEAD");
    let all = run(repo.path(), &["scan"]);
    assert_eq!(all.code, 1, "{}{}", all.stdout, all.stderr);
}

/// Objects move from loose to packed and back while scans run.
#[test]
fn a_repository_that_is_repacked_meanwhile_is_read_whole() {
    let repo = GitRepo::new();
    repo.write("k.env", format!("KEY={}\n", stripe_key(11))).commit("leak");
    for round in 0..40 {
        repo.write(format!("d{}/f{round}.txt", round % 7), random(round, 4000)).commit("more");
    }
    let mut scans = Vec::new();
    for round in 0..8 {
        let scan = command(repo.path())
            .args(["scan", "--history-only", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        scans.push(scan);
        repo.git(if round % 2 == 0 { &["repack", "-adfq"][..] } else { &["gc", "--quiet", "--prune=now"] });
        repo.write("another.txt", random(round + 99, 900)).commit("again");
    }
    for scan in scans {
        let run = Run::from(scan.wait_with_output().expect("it ends"));
        assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("stripe-secret-key"));
    }
}
