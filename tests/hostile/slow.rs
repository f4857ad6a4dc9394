//! Cases of a size that takes long to make; the table of `docs/limits.md` comes from here.
//!
//! `KEYCULL_TEST_TABLE=table.md cargo test --test suite -- --ignored --test-threads 1 hostile::slow`

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use super::{Measured, measured, within_limits};
use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;

/// No case is to take longer, even in a debug build on a busy machine.
const MOST: Duration = Duration::from_secs(300);

#[track_caller]
fn row(case: &str, done: &Measured, code: i32) {
    within_limits(case, done, code, MOST);
}

fn leak() -> String {
    format!("KEY={}\n", stripe_key(1))
}

/// Scans one file of `content`.
fn file(case: &str, content: &[u8], code: i32) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("a.txt"), content).expect("a file");
    row(case, &measured(directory.path(), &["scan", "--format", "json", "a.txt"]), code);
}

/// A repository made of a `git fast-import` stream.
fn imported(stream: &[u8]) -> GitRepo {
    let repo = GitRepo::new();
    let mut child = repo
        .command()
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("git starts");
    child.stdin.take().expect("a pipe").write_all(stream).expect("git reads");
    assert!(child.wait().expect("git ends").success());
    repo
}

fn history(case: &str, repo: &GitRepo, code: i32) {
    row(case, &measured(repo.path(), &["scan", "--history-only", "--format", "json"]), code);
}

#[test]
#[ignore = "slow"]
fn long_lines_and_repetitions() {
    let mut line = "x = 1; ".repeat((300 << 20) / 7).into_bytes();
    line.extend_from_slice(leak().as_bytes());
    file("a line of 300 MB with a secret at its end", &line, 1);
    drop(line);
    file("`a` times 10^8", &vec![b'a'; 100_000_000], 0);
    file("10^7 opening brackets", &vec![b'['; 10_000_000], 0);
    file("300,000 copies of one secret", leak().repeat(300_000).as_bytes(), 1);
    let many: String = (0..100_000).fold(String::new(), |mut text, seed| {
        let _ = writeln!(text, "KEY={}", stripe_key(seed));
        text
    });
    file("100,000 different secrets", many.as_bytes(), 1);
}

#[test]
#[ignore = "slow"]
fn nothing_but_escapes() {
    for (case, unit) in [
        ("60 MB of `%41`", "%41"),
        ("60 MB of `\\u0041`", "\\u0041"),
        ("60 MB of `&#65;`", "&#65;"),
        ("60 MB of `=3D`", "=3D"),
        ("60 MB of strings in pieces", "\"a\" +\n"),
        ("60 MB of escapes of all kinds", "%41\\u0041&#65;=3D\\x41"),
    ] {
        let mut text = unit.repeat((60 << 20) / unit.len());
        let escaped: String = stripe_key(2).bytes().map(|byte| format!("%{byte:02x}")).collect();
        let _ = write!(text, "\nKEY={escaped}\n");
        file(case, text.as_bytes(), 1);
    }
}

#[test]
#[ignore = "slow"]
fn a_sparse_file_of_4_gb() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = std::fs::File::create(directory.path().join("big")).expect("a file");
    file.set_len(4 << 30).expect("a sparse file");
    row("a file of 4 GB", &measured(directory.path(), &["scan", "big"]), 0);
}

#[test]
#[ignore = "slow"]
fn a_blob_of_4_gb() {
    let repo = GitRepo::new();
    let file = std::fs::File::create(repo.path().join("big")).expect("a file");
    file.set_len(4 << 30).expect("a sparse file");
    // Packed from the start, so that git itself does not hold it.
    let settings = ["-c", "core.bigFileThreshold=1m", "-c", "core.compression=1"];
    repo.git(&[&settings[..], &["hash-object", "-w", "big"]].concat());
    std::fs::remove_file(repo.path().join("big")).expect("it was there");
    repo.write("a.txt", leak()).commit("leak");
    let done = measured(repo.path(), &["scan", "--history-only", "--format", "json"]);
    assert!(done.run.stdout.contains("\"budget\""), "{}", done.run.stdout);
    row("a blob of 4 GB (a gap), and a secret in another", &done, 1);
}

#[test]
#[ignore = "slow"]
fn a_working_tree_of_a_million_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    // Few files with many names each: a file system has room for those.
    for number in 0..1_000 {
        let part = root.join(format!("d{number}"));
        std::fs::create_dir(&part).expect("a directory");
        let first = part.join("f0");
        std::fs::write(&first, if number == 999 { leak() } else { "x = 1\n".to_owned() }).expect("a file");
        for other in 1..1_000 {
            std::fs::hard_link(&first, part.join(format!("f{other}"))).expect("a link");
        }
    }
    row("a working tree of a million files", &measured(root, &["scan", "--format", "json", "."]), 1);
}

fn commit(stream: &mut String, number: usize, message: &str, changes: &str) {
    let _ = write!(
        stream,
        "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\ndata {}\n{message}\n{changes}\n",
        1_600_000_000 + number,
        message.len()
    );
}

/// A repository with one commit of `count` files in one directory. Streams for `git fast-import` take it
/// hours to read.
fn wide(count: usize) -> GitRepo {
    let repo = GitRepo::new();
    repo.write("f", "x");
    let blob = repo.git(&["hash-object", "-w", "f"]);
    let mut child = repo
        .command()
        .arg("mktree")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git starts");
    let entries = (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "100644 blob {blob}\tf{number:07}");
        text
    });
    child.stdin.take().expect("a pipe").write_all(entries.as_bytes()).expect("git reads");
    let tree = child.wait_with_output().expect("git ends");
    let tree = String::from_utf8(tree.stdout).expect("a name");
    let commit = repo.git(&["commit-tree", tree.trim(), "-m", "wide"]);
    repo.git(&["update-ref", "refs/heads/main", &commit]);
    repo
}

#[test]
#[ignore = "slow"]
fn deep_and_wide_histories() {
    let mut chain = String::new();
    for number in 0..100_000 {
        commit(
            &mut chain,
            number,
            "m",
            &format!("M 644 inline f\ndata {}\n{number}\n", number.to_string().len()),
        );
    }
    history("a chain of 100,000 commits", &imported(chain.as_bytes()), 0);

    let mut deep = String::new();
    commit(&mut deep, 0, "deep", &format!("M 644 inline {}f\ndata 1\nx\n", "d/".repeat(2_000)));
    history("directories 2,000 deep", &imported(deep.as_bytes()), 0);

    history("a directory of a million files", &wide(1_000_000), 0);

    let mut message = String::new();
    commit(
        &mut message,
        0,
        &format!("{}{}", "word ".repeat(10 << 20), leak()),
        "M 644 inline f\ndata 1\nx\n",
    );
    history("a commit message of 50 MB with a secret at its end", &imported(message.as_bytes()), 1);
}

#[test]
#[ignore = "slow"]
fn a_million_refs() {
    let repo = GitRepo::new();
    let id = repo.write("a", "b").commit("start");
    let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    for number in 0..1_000_000 {
        let _ = writeln!(packed, "{} refs/tags/t{number:07}", id.trim());
    }
    std::fs::write(repo.path().join(".git/packed-refs"), packed).expect("refs");
    history("a million refs", &repo, 0);
}

#[test]
#[ignore = "slow"]
fn attributes_and_ignores_by_the_thousand() {
    let repo = GitRepo::new();
    let lines: String = (0..200_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "*a{number}*b*c*d filter=x");
        text
    });
    repo.write(".gitattributes", &lines).write("a.txt", leak());
    let ignores: String = (0..20_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "*a{number}*b*c*d");
        text
    });
    repo.write(".gitignore", &ignores);
    row("200,000 attributes and 20,000 ignores", &measured(repo.path(), &["scan", "--no-history"]), 1);
}
