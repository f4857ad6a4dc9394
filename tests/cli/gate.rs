//! A change cannot silence the gate that judges it.

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, run};

use super::json;

const RANGE: [&str; 5] = ["scan", "--range", "main..HEAD", "--format", "json"];

/// A clean `main` with `files`, and the branch `topic` on it.
fn topic(files: &[(&str, &str)]) -> GitRepo {
    let repo = GitRepo::new();
    repo.write("readme.txt", "nothing\n");
    files.iter().for_each(|(path, text)| {
        repo.write(path, text);
    });
    repo.commit("start");
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    repo
}

fn leak() -> String {
    format!("KEY={}\n", stripe_key(1))
}

fn judged(repo: &GitRepo, more: &[&str]) -> Run {
    run(repo.path(), &[&RANGE[..], more].concat())
}

fn not_in_force(run: &Run) -> Vec<String> {
    let report = json(run);
    let inert = report["inert_suppressions"].as_array().expect("a list");
    inert
        .iter()
        .filter(|entry| entry["why"] == "not-in-force")
        .map(|entry| entry["entry"].as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn markers_that_come_with_the_range_do_not_count() {
    let key = stripe_key(1);
    for text in [
        format!("KEY={key} # keycull:allow made up\n"),
        format!("# keycull:allow[stripe-secret-key] -- made up\nKEY={key}\n"),
        format!("# keycull:allow-begin -- made up\nA=1\nKEY={key}\n# keycull:allow-end\n"),
        format!("KEY={key} # gitleaks:allow\n"),
        format!("KEY={key} # betterleaks:allow\n"),
        format!("KEY={key} # pragma: allowlist secret\n"),
        format!("# pragma: allowlist nextline secret\nKEY={key}\n"),
    ] {
        let repo = topic(&[]);
        repo.write("a.env", &text).commit("leak");
        run(repo.path(), &["scan", "--no-history"]).expect(0);
        let gate = judged(&repo, &[]).expect(1);
        assert!(gate.stdout.contains("allow-not-in-force"), "{text}{}", gate.stdout);
        judged(&repo, &["--config-from", "head"]).expect(0);
        judged(&repo, &["--allow-new-markers"]).expect(0);
    }
    let repo = topic(&[("keycull.toml", "allow-new-markers = true\n")]);
    repo.write("a.env", format!("KEY={key} # keycull:allow made up\n")).commit("leak");
    judged(&repo, &[]).expect(0);
}

#[test]
fn markers_of_other_tools_count_where_the_tool_is_configured() {
    let key = stripe_key(1);
    for (file, text) in [
        (".gitguardian.yaml", format!("KEY={key} # ggignore\n")),
        ("kingfisher.yaml", format!("KEY={key} # kingfisher:ignore\n")),
        (".secretlintrc.json", format!("KEY={key} // secretlint-disable-line\n")),
        (".secretlintrc.json", format!("// secretlint-disable-next-line\nKEY={key}\n")),
        (".trufflehogignore", format!("KEY={key} # trufflehog:ignore\n")),
    ] {
        let repo = topic(&[]);
        repo.write("a.env", &text);
        run(repo.path(), &["scan", "--no-history"]).expect(1);
        repo.write(file, "");
        let allowed = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(0);
        let marker = text.split(' ').find(|word| word.contains("ignore") || word.contains("disable"));
        let marker = marker.expect("a marker").lines().next().expect("a line");
        assert_eq!(json(&allowed)["findings"][0]["disposition"]["entry"], marker, "{}", allowed.stdout);
        run(repo.path(), &["scan", "--no-history", "--no-allow"]).expect(1);
        run(repo.path(), &["scan", "--no-history", "--no-config"]).expect(1);
        // Neither marker nor configuration count in the range that brings them.
        repo.commit("leak, and say it is none");
        judged(&repo, &[]).expect(1);
        judged(&repo, &["--allow-new-markers"]).expect(1);
        judged(&repo, &["--config-from", "head"]).expect(0);
    }
}

#[test]
fn settings_that_come_with_the_range_do_not_count() {
    for (file, text) in [
        ("keycull.toml", "[[allow]]\nreason = \"x\"\npaths = [\"*.env\"]\n"),
        ("keycull.toml", "exclude = [\"*.env\"]\n"),
        ("keycull.toml", "[rules]\nexclude = [\"stripe-*\"]\n"),
        ("keycull.toml", "[rules]\nselect = [\"github-*\"]\n"),
        ("keycull.toml", "import = \"none.toml\"\n"),
        (".gitleaks.toml", "[allowlist]\npaths = ['env']\n[extend]\nuseDefault = true\n"),
        (".gitleaks.toml", "[extend]\nuseDefault = true\ndisabledRules = ['stripe-access-token']\n"),
    ] {
        let repo = topic(&[]);
        repo.write(file, text).write("none.toml", "[[rules]]\nid = 'none'\nregex = 'nothing here'\n");
        repo.write("a.env", leak()).commit("leak");
        let gate = judged(&repo, &[]).expect(1);
        assert!(!not_in_force(&gate).is_empty(), "{text}{}", gate.stdout);
        // The generic rules are less sure of it.
        judged(&repo, &["--config-from", "head", "--confidence", "high"]).expect(0);
    }
    // What only raises the bar is not listed, and does not count either.
    for text in ["fail-on = \"critical,confidence=high\"\nconfidence = \"high\"\n", "not toml [["] {
        let repo = topic(&[]);
        repo.write("keycull.toml", text).write("a.env", leak()).commit("leak");
        judged(&repo, &[]).expect(1);
    }
}

#[test]
fn a_baseline_that_comes_with_the_range_does_not_count() {
    let repo = topic(&[]);
    repo.write("a.env", leak());
    run(repo.path(), &["baseline", "create"]).expect(0);
    repo.commit("leak");
    run(repo.path(), &["scan"]).expect(0);
    let gate = judged(&repo, &[]).expect(1);
    assert_eq!(not_in_force(&gate), ["keycull.baseline.toml:6"]);
    judged(&repo, &["--config-from", "head"]).expect(0);
    let text = run(repo.path(), &["scan", "--range", "main..HEAD"]).expect(1).stdout;
    assert!(text.contains("keycull.baseline.toml:6: not-in-force: it came with these changes"), "{text}");
}

#[test]
fn what_the_base_side_says_counts_even_when_the_range_takes_it_away() {
    let allow = "[[allow]]\nreason = \"x\"\npaths = [\"*.env\"]\n";
    let repo = topic(&[("keycull.toml", allow)]);
    repo.write("a.env", leak()).commit("leak");
    let gate = judged(&repo, &[]).expect(0);
    assert_eq!(not_in_force(&gate), [""; 0]);
    repo.remove("keycull.toml").commit("no more settings");
    judged(&repo, &[]).expect(0);
    judged(&repo, &["--config-from", "head"]).expect(1);
    let repo = topic(&[(".gitleaks.toml", "[extend]\nuseDefault = true\n[allowlist]\npaths = ['env']\n")]);
    repo.write("a.env", leak()).commit("leak");
    judged(&repo, &[]).expect(0);
}

#[test]
fn files_named_by_flag_come_from_the_base_side_too() {
    let repo = topic(&[]);
    repo.write("ci.toml", "exclude = [\"*.env\"]\n").write("a.env", leak()).commit("leak");
    let missing = judged(&repo, &["--config", "ci.toml"]).expect(2);
    assert!(missing.stderr.contains("the base side, commit "), "{}", missing.stderr);
    // Outside of the repository the range has no say.
    let outside = repo.outside().join("ci.toml");
    std::fs::write(&outside, "exclude = [\"*.env\"]\n").expect("a file");
    judged(&repo, &["--config", outside.to_str().expect("a plain path")]).expect(0);
}

#[test]
fn secrets_of_the_base_side_are_not_new_with_or_without_their_marker() {
    let marked = format!("KEY={} # keycull:allow made up\n", stripe_key(1));
    let repo = topic(&[("a.env", &marked)]);
    repo.write("a.env", format!("# moved\n\n    {marked}")).commit("indent");
    judged(&repo, &[]).expect(0);
    repo.write("a.env", marked.replace(&stripe_key(1), &stripe_key(2))).commit("another key");
    judged(&repo, &[]).expect(1);
}

#[test]
fn ignore_files_of_other_tools_do_not_count() {
    let repo = topic(&[]);
    let secret = stripe_key(1);
    let report = format!(
        "[{{\"RuleID\":\"stripe-access-token\",\"File\":\"a.env\",\"StartLine\":1,\"Secret\":\"{secret}\",\
          \"Match\":\"{secret}\",\"Fingerprint\":\"a.env:stripe-access-token:1\"}}]"
    );
    repo.write(".gitleaksignore", "# none\na.env:stripe-access-token:1\n")
        .write(".betterleaksignore", "a.env:stripe-access-token:1\n")
        .write(".secretsignore", "a.env\n")
        .write(".gitallowed", "KEY=.*\n")
        .write(".github/secret_scanning.yml", "paths-ignore:\n  - '**'\n")
        .write("a.env", leak());
    repo.commit("leak, and every way to hide it");
    let gate = judged(&repo, &[]).expect(1);
    let unread = [".betterleaksignore:1", ".gitallowed:1", ".gitleaksignore:2", ".secretsignore:1"];
    assert_eq!(not_in_force(&gate), unread);
    repo.write(".gitleaks-baseline.json", report).commit("a baseline");
    judged(&repo, &[]).expect(1);
}
