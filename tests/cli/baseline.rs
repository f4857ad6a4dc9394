//! Accepting what is known: created, updated, pruned, and never more than what was accepted.

use crate::support::git::GitRepo;
use crate::support::secret::{random, stripe_key};
use crate::support::tool::run;

use super::json;

const NAME: &str = "keycull.baseline.toml";

/// A repository with one key at its head and one only in its history.
fn leaking() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)));
    repo.write("old.env", format!("KEY={}\n", stripe_key(2))).commit("leak");
    repo.git(&["rm", "--quiet", "old.env"]);
    repo.commit("clean up");
    repo
}

fn text(repo: &GitRepo) -> String {
    std::fs::read_to_string(repo.path().join(NAME)).expect("a baseline")
}

#[test]
fn what_is_in_the_baseline_is_counted_and_does_not_fail() {
    let repo = leaking();
    run(repo.path(), &["scan"]).expect(1);
    let made =
        run(repo.path(), &["baseline", "create", "--reason", "before our time", "--who", "Dana"]).expect(0);
    assert!(made.stdout.contains("with 2 entries"), "{}", made.stdout);
    let file = text(&repo);
    assert!(file.contains("reason = \"before our time\"\nwho = \"Dana\"\n"), "{file}");
    assert!(!file.contains(&stripe_key(1)) && !file.contains(&stripe_key(2)), "no secret in it");
    let scan = run(repo.path(), &["scan", "--format", "json"]).expect(0);
    let report = json(&scan);
    assert_eq!(report["summary"]["suppressed"]["baseline"], 2);
    assert_eq!(report["findings"][0]["disposition"]["reason"], "before our time");
    assert_eq!(report["inert_suppressions"].as_array().map(Vec::len), Some(0));
    repo.commit("the baseline itself");
    run(repo.path(), &["scan"]).expect(0);
    run(repo.path(), &["scan", "--no-allow"]).expect(1);
    run(repo.path(), &["scan", "--fail-on", "any"]).expect(1);
    run(repo.path(), &["scan", "--no-config"]).expect(1);
}

#[test]
fn moving_renaming_and_indenting_revive_nothing_and_a_changed_secret_shows() {
    let repo = leaking();
    run(repo.path(), &["baseline", "create"]).expect(0);
    repo.remove("a.env");
    repo.write("deep/b.yaml", format!("\n\n# moved\nx:\n      key: '{}'\n", stripe_key(1)));
    run(repo.path(), &["scan"]).expect(0);
    repo.write("deep/b.yaml", format!("\n\n# moved\nx:\n      key: '{}'\n", stripe_key(3)));
    run(repo.path(), &["scan"]).expect(1);
}

#[test]
fn update_keeps_what_people_wrote_and_adds_what_is_new() {
    let repo = leaking();
    run(repo.path(), &["baseline", "update"]).expect(2);
    run(repo.path(), &["baseline", "create"]).expect(0);
    run(repo.path(), &["baseline", "create"]).expect(2);
    let edited = text(&repo).replace("not reviewed", "reviewed by Kim");
    repo.write(NAME, format!("# ours\n{edited}"));
    let nothing = run(repo.path(), &["baseline", "update"]).expect(0);
    assert!(nothing.stdout.contains("added 0 entries"), "{}", nothing.stdout);
    repo.write("c.env", format!("KEY={}\n", stripe_key(3)));
    run(repo.path(), &["baseline", "update", "--reason", "new", "--until", "2099-12-31"]).expect(0);
    let file = text(&repo);
    assert_eq!(file.matches("[[finding]]").count(), 3);
    assert_eq!(file.matches("reviewed by Kim").count(), 2);
    assert!(file.starts_with("# ours\n") && file.contains("until = 2099-12-31\n"), "{file}");
    run(repo.path(), &["scan"]).expect(0);
}

#[test]
fn unused_and_expired_entries_are_told_and_pruned() {
    let repo = leaking();
    repo.write("b.env", format!("KEY={}\n", stripe_key(3)));
    run(repo.path(), &["baseline", "create"]).expect(0);
    repo.remove("b.env");
    repo.write("c.env", format!("KEY={}\n", stripe_key(4)));
    run(repo.path(), &["baseline", "update", "--until", "2001-01-01"]).expect(0);
    let scan = run(repo.path(), &["scan", "--format", "json"]).expect(1);
    let inert = json(&scan)["inert_suppressions"].clone();
    let whys: Vec<&str> =
        inert.as_array().unwrap().iter().map(|entry| entry["why"].as_str().unwrap()).collect();
    assert_eq!(whys.len(), 2, "{inert}");
    assert!(whys.contains(&"unused") && whys.contains(&"expired"), "{inert}");
    let note = json(&scan)["findings"].to_string();
    assert!(note.contains("baseline-expired"), "{note}");
    repo.remove("c.env");
    run(repo.path(), &["scan"]).expect(0);
    run(repo.path(), &["scan", "--fail-on-stale"]).expect(1);
    // A part of the repository cannot tell.
    run(repo.path(), &["scan", "--no-history", "--fail-on-stale"]).expect(0);
    let before = text(&repo);
    let dry = run(repo.path(), &["baseline", "prune", "--dry-run"]).expect(0);
    assert!(dry.stdout.contains("would remove 2 entries"), "{}", dry.stdout);
    assert_eq!(text(&repo), before);
    run(repo.path(), &["baseline", "prune"]).expect(0);
    assert_eq!(text(&repo).matches("[[finding]]").count(), 2);
    run(repo.path(), &["scan", "--fail-on-stale"]).expect(0);
}

#[test]
fn unused_allow_tables_are_told() {
    let repo = leaking();
    repo.write(
        "keycull.toml",
        "[[allow]]\nreason = \"ours\"\nrules = [\"stripe-*\"]\n\n[[allow]]\nreason = \"gone\"\npaths = [\"x/**\"]\n",
    );
    let report = json(&run(repo.path(), &["scan", "--format", "json"]).expect(0));
    assert_eq!(report["inert_suppressions"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(report["inert_suppressions"][0]["entry"], "keycull.toml:5 [[allow]]");
    let text = run(repo.path(), &["scan"]).expect(0).stdout;
    assert!(text.contains("1 suppression does nothing:\n  keycull.toml:5 [[allow]]: unused"), "{text}");
}

#[test]
fn a_shallow_clone_prunes_nothing() {
    let repo = leaking();
    run(repo.path(), &["baseline", "create"]).expect(0);
    repo.commit("baseline");
    repo.git(&[
        "clone",
        "--quiet",
        "--depth",
        "1",
        &format!("file://{}", repo.path().display()),
        "../shallow",
    ]);
    let shallow = repo.outside().join("shallow");
    let before = std::fs::read(shallow.join(NAME)).unwrap();
    run(&shallow, &["baseline", "prune"]).expect(3);
    assert_eq!(std::fs::read(shallow.join(NAME)).unwrap(), before);
}

#[test]
fn a_broken_baseline_stops_the_scan_and_stays_as_it_is() {
    let repo = leaking();
    run(repo.path(), &["baseline", "create"]).expect(0);
    let good = text(&repo);
    for (damage, said) in [
        (format!("<<<<<<< ours\n{good}=======\n>>>>>>> theirs\n"), "keycull.baseline.toml:1: merge conflict"),
        (good.replace("reason", "raeson"), "did you mean `reason`?"),
        (format!("{good}\n[[finding]\n"), "not valid TOML"),
        ("\u{0}\u{1}".to_owned(), "not valid TOML"),
    ] {
        repo.write(NAME, &damage);
        for command in [&["scan"][..], &["baseline", "update"], &["baseline", "prune"]] {
            let failed = run(repo.path(), command).expect(2);
            assert!(failed.stderr.contains(said), "{}", failed.stderr);
        }
        assert_eq!(text(&repo), damage);
    }
    run(repo.path(), &["scan", "--baseline", "no/such.toml"]).expect(2);
    run(repo.path(), &["baseline", "update", "--until", "soon"]).expect(2);
}

#[test]
fn a_baseline_elsewhere_is_named_by_flag_or_setting() {
    let repo = leaking();
    let elsewhere = repo.outside().join("known.toml");
    let elsewhere = elsewhere.to_str().expect("a plain path");
    run(repo.path(), &["baseline", "create", "--baseline", elsewhere]).expect(0);
    run(repo.path(), &["scan"]).expect(1);
    run(repo.path(), &["scan", "--baseline", elsewhere]).expect(0);
    std::fs::create_dir(repo.path().join("security")).unwrap();
    std::fs::copy(elsewhere, repo.path().join("security/known.toml")).unwrap();
    repo.write("keycull.toml", "baseline = \"security/known.toml\"\n");
    run(repo.path(), &["scan"]).expect(0);
    repo.write("keycull.toml", "baseline = \"../known.toml\"\n");
    run(repo.path(), &["scan"]).expect(2);
}

#[test]
fn passwords_are_known_by_a_slow_hash() {
    let repo = GitRepo::new();
    repo.write("app.ini", format!("password = \"{}\"\n", random(7, 20))).commit("leak");
    run(repo.path(), &["scan"]).expect(1);
    run(repo.path(), &["baseline", "create"]).expect(0);
    let file = text(&repo);
    assert!(file.contains("fingerprint = \"p1:") && !file.contains("shows = "), "{file}");
    run(repo.path(), &["scan"]).expect(0);
}

#[test]
fn fail_on_takes_severity_confidence_and_newness() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)));
    for (conditions, code) in [
        ("new", 1),
        ("critical,confidence=high", 1),
        ("confidence=high", 1),
        ("any", 1),
        ("", 2),
        ("confidence=sure", 2),
        ("old", 2),
    ] {
        run(repo.path(), &["scan", "--no-history", "--fail-on", conditions]).expect(code);
    }
    repo.remove("a.env");
    repo.write("tests/app.ini", format!("password = \"{}\"\n", random(7, 20)));
    let low = ["scan", "--no-history", "--confidence", "low", "--format", "json"];
    let confidence = json(&run(repo.path(), &low).expect(1))["findings"][0]["confidence"].clone();
    assert_ne!(confidence, "high");
    run(repo.path(), &[&low[..], &["--fail-on", "confidence=high"]].concat()).expect(0);
}
