//! Containers and encoded text that unpack to far too much.

use std::time::Duration;

use super::{measured, within_limits};
use crate::support::git::GitRepo;
use crate::support::pack::{self, Method};
use crate::support::secret::stripe_key;
use crate::support::stores::{self, Packing};
use crate::support::tool::run;

const MOST: Duration = Duration::from_secs(60);

fn case(name: &str, file: &str, content: &[u8]) -> super::Measured {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join(file), content).expect("a file");
    let done = measured(directory.path(), &["scan", "--format", "json", file]);
    within_limits(&format!("a bomb: {name}"), &done, 3, MOST);
    assert!(done.run.stdout.contains("\"budget\""), "{name}: {}", done.run.stdout);
    let accepted = run(directory.path(), &["scan", "--accept-incomplete", &format!("budget:{file}*"), file]);
    accepted.expect(0);
    done
}

#[test]
fn bombs_are_gaps_and_cost_little() {
    let zeros = vec![0; 120 << 20];
    let nested = pack::zipped(&[("inner.zip", &pack::zipped(&[("0", &zeros)]))]);
    let mut matryoshka = pack::zipped(&[("a", b"b")]);
    for _ in 0..30 {
        matryoshka = pack::zipped(&[("a.zip", &matryoshka)]);
    }
    let many: Vec<(String, &[u8], Method)> =
        (0..60_000).map(|n| (format!("{n}"), &b"x"[..], Method::Stored)).collect();
    let many: Vec<(&str, &[u8], Method)> = many.iter().map(|(n, d, m)| (n.as_str(), *d, *m)).collect();
    let half = pack::zip(&many);
    case("gzip", "a.gz", &pack::gzip(&zeros));
    case("bzip2", "a.bz2", &pack::bzip2(&zeros));
    case("zip", "a.zip", &nested);
    case("nested zip", "n.zip", &matryoshka);
    case("7z", "a.7z", &stores::seven_zip(&[("0", &zeros)], Packing::Lzma2));
    case("git pack", "a.pack", &stores::pack_of_blobs(&[&zeros, &zeros[1..]]));
    case("members", "m.tar", &pack::tar(&[("1.zip", &half), ("2.zip", &half)]));
}

#[test]
fn a_bomb_does_not_hide_what_stands_beside_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let leak = format!("KEY={}\n", stripe_key(9));
    let zeros = vec![0; 120 << 20];
    let content = pack::zipped(&[("a.env", leak.as_bytes()), ("0", &zeros)]);
    std::fs::write(directory.path().join("a.zip"), content).expect("a file");
    let found = run(directory.path(), &["scan", "--format", "json", "a.zip"]).expect(1);
    assert!(found.stdout.contains("a.zip!a.env"), "{}", found.stdout);
    assert!(found.stdout.contains("--archive-ratio"), "{}", found.stdout);
    let raised = ["scan", "--archive-ratio", "100000", "a.zip"];
    assert!(!run(directory.path(), &raised).expect(1).stdout.contains("--archive-ratio"));
}

#[test]
fn members_are_found_in_every_scope_and_named() {
    let repo = GitRepo::new();
    let leak = format!("KEY={}\n", stripe_key(10));
    let image =
        pack::tar(&[("manifest.json", b"[]"), ("layer.tar", &pack::tar(&[("app/.env", leak.as_bytes())]))]);
    repo.write("image.tar.gz", pack::gzip(&image));
    repo.git(&["add", "."]);
    for args in [&["scan", "--staged", "--format", "json"][..], &["scan", "--no-history", "--format", "json"]]
    {
        let found = run(repo.path(), args).expect(1);
        assert!(found.stdout.contains("image.tar.gz!layer.tar!app/.env"), "{}", found.stdout);
    }
    repo.commit("image");
    repo.git(&["rm", "-q", "image.tar.gz"]);
    repo.commit("gone");
    let found = run(repo.path(), &["scan", "--format", "json"]).expect(1);
    assert!(found.stdout.contains("image.tar.gz!layer.tar!app/.env"), "{}", found.stdout);
}

#[test]
fn names_of_members_lead_nowhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let leak = format!("KEY={}\n", stripe_key(11));
    let content =
        pack::zipped(&[("../../../outside", leak.as_bytes()), ("/etc/\x1b[31mred\nline", leak.as_bytes())]);
    std::fs::write(directory.path().join("a.zip"), content).expect("a file");
    let found = run(directory.path(), &["scan", "a.zip"]).expect(1);
    assert!(found.stdout.contains("a.zip!../../../outside"), "{}", found.stdout);
    assert!(!found.stdout.contains('\x1b') && !found.stdout.contains("red\nline"), "{}", found.stdout);
}
