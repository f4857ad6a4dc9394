//! The search for secrets in everything that is written during the tests: it must be able to find one.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;

use crate::support::git::GitRepo;
use crate::support::secret::{random, stripe_key};
use crate::support::tool::{Run, command};
use crate::support::witness;

#[test]
fn a_secret_is_noticed_in_any_form() {
    let key = stripe_key(8001);
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let forms = [
        key.clone(),
        format!("cut {}", &key[6..key.len() - 4]),
        hex.to_uppercase(),
        hex,
        base64(&key),
        base64(&format!("user:{key}@host")),
        base64(&format!("Bearer {key}")),
        base64(&format!("x {key}")),
    ];
    for form in &forms {
        assert!(witness::holds_a_secret(format!("a {form} b").as_bytes()), "{form}");
    }
    // What reports show of it, and what is nobody's.
    for text in [format!("{}…{}", &key[..8], &key[key.len() - 4..]), "f".repeat(60), base64(&hex_of_nobody())]
    {
        assert!(!witness::holds_a_secret(text.as_bytes()), "{text}");
    }
}

fn hex_of_nobody() -> String {
    (0..40u8).map(|byte| format!("{:02x}", byte.wrapping_mul(37))).collect()
}

#[test]
fn a_program_that_tells_a_secret_is_noticed() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(8002))).commit("Add it");
    let scan = |more: &[&str]| {
        let mut scan = command(repo.path());
        scan.args(["scan", "--format", "jsonl"]).args(more).output().expect("it runs")
    };
    assert_eq!(Run::from(scan(&[])).expect(1).stdout.lines().count(), 1);
    let told = scan(&["--show-secrets"]);
    assert!(witness::holds_a_secret(&told.stdout), "this run told the secret");
}

/// Not a test by itself: a run of tests in which one secret is made, and told if the environment says so.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child() {
    let Ok(telling) = std::env::var("KEYCULL_TEST_TELLING") else { return };
    let secret = random(8003, 40);
    let text = if telling == "yes" { format!("it is {secret}") } else { "nothing".to_owned() };
    witness::said("a file", text.as_bytes());
}

#[test]
fn the_search_over_the_whole_run_can_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let search = |directory: &Path| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/witness");
        let run = Command::new(script).arg(directory).output().expect("the script runs");
        (
            run.status.code(),
            format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr)),
        )
    };
    assert_eq!(search(folder.path()).0, Some(2), "nothing was watched");
    for (telling, code) in [("no", 0), ("yes", 1)] {
        let directory = folder.path().join(telling);
        let child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "cli::witness::child", "--ignored"])
            .env("KEYCULL_TEST_WITNESS", &directory)
            .env("KEYCULL_TEST_TELLING", telling)
            .output()
            .expect("it runs");
        assert_eq!(child.status.success(), telling == "no", "the run itself notices, too");
        let (found, said) = search(&directory);
        assert_eq!(found, Some(code), "{telling}: {said}");
    }
}
