//! From the files of other tools to keycull's own.

use sha1::{Digest, Sha1};

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::run;

fn leak(seed: u64) -> String {
    format!("x\nKEY={}\n", stripe_key(seed))
}

#[test]
fn what_was_settled_stays_settled_and_new_secrets_fail() {
    let repo = GitRepo::new();
    repo.write("old.env", leak(1));
    let first = repo.commit("first");
    repo.write("now.env", leak(2))
        .write("report.env", leak(3))
        .write("audited.env", leak(4))
        .write("docs/a.env", leak(5));
    repo.write("line.env", leak(6));
    repo.git(&["rm", "--quiet", "old.env"]);
    repo.commit("second");
    repo.write(".gitleaks.toml", "[extend]\nuseDefault = true\n");
    repo.write(
        ".gitleaksignore",
        format!("# c\n{first}:old.env:stripe-access-token:2\nnow.env:stripe-access-token:2\ngone.env:x:1\n"),
    );
    repo.write(
        ".gitleaks-baseline.json",
        format!(
            "[{{\"RuleID\":\"x\",\"File\":\"report.env\",\"Secret\":\"{}\",\"StartLine\":9}}]",
            stripe_key(3)
        ),
    );
    let hash: String = Sha1::digest(stripe_key(4)).iter().map(|byte| format!("{byte:02x}")).collect();
    repo.write(
        ".secrets.baseline",
        format!("{{\"results\":{{\"audited.env\":[{{\"type\":\"T\",\"hashed_secret\":\"{hash}\",\"is_secret\":false}}]}}}}"),
    );
    repo.write(".secretsignore", "docs/\n!x\n").write(".gitallowed", "line\\.env:2:KEY\n");
    let dry = run(repo.path(), &["migrate", "--dry-run"]).expect(0);
    assert!(dry.stdout.contains("would write keycull.toml") && !repo.path().join("keycull.toml").exists());
    let done = run(repo.path(), &["migrate"]).expect(0);
    for part in [
        "keycull.baseline.toml with 5 secrets",
        ".gitleaksignore:4: keycull finds nothing",
        ".secretsignore:2: `!x`",
    ] {
        assert!(done.stdout.contains(part), "{part}\n{}", done.stdout);
    }
    // They are secrets and hashes themselves, and nobody reads them any more.
    repo.remove(".gitleaks-baseline.json").remove(".secrets.baseline");
    run(repo.path(), &["scan"]).expect(0);
    let text = std::fs::read_to_string(repo.path().join("keycull.toml")).expect("written");
    assert!(text.contains("import = \".gitleaks.toml\"") && text.contains("paths = [\"docs/\"]"), "{text}");
    repo.write("new.env", leak(7));
    run(repo.path(), &["scan"]).expect(1);
    run(repo.path(), &["migrate"]).expect(2);
}

#[test]
fn nothing_to_migrate_and_broken_files_are_told() {
    let repo = GitRepo::new();
    repo.write("a.txt", "x\n").commit("start");
    run(repo.path(), &["migrate"]).expect(2);
    repo.write(".secrets.baseline", "{");
    let broken = run(repo.path(), &["migrate"]).expect(2);
    assert!(broken.stderr.contains("no baseline of detect-secrets"), "{}", broken.stderr);
    assert!(
        !repo.path().join("keycull.toml").exists() && !repo.path().join("keycull.baseline.toml").exists()
    );
}
