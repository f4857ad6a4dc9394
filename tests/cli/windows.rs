//! What Windows does to a repository, as far as it can be done anywhere: carriage returns, paths with backslashes,
//! file systems without links or without regard for case.

use std::fs;

use keycull::rule::example::{Rng, expand};

use super::{json, places};
use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, run};
use crate::support::witness;

const SCAN: [&str; 3] = ["scan", "--format", "json"];

/// `text` with the line ends of Windows.
fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

fn scan(repo: &GitRepo, more: &[&str]) -> Run {
    run(repo.path(), &[&SCAN[..], more].concat())
}

fn leak(seed: u64) -> String {
    format!("A=1\nKEY={} # note\n", stripe_key(seed))
}

/// A private key over several lines.
fn block(seed: &str) -> String {
    let key = expand("${pem:PRIVATE KEY}", &|_| String::new(), &mut Rng::seeded(seed)).expect("a template");
    // The lines around it are in every key.
    key.lines().filter(|line| !line.starts_with('-')).for_each(witness::made);
    format!("{key}\n")
}

fn fingerprints(run: &Run) -> Vec<String> {
    let report = json(run);
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["fingerprint"].as_str().expect("a text").to_owned()).collect()
}

/// `autocrlf`: LF in git, CRLF in the working tree.
fn checked_out_on_windows(files: &[(&str, String)]) -> GitRepo {
    let repo = GitRepo::new();
    repo.git(&["config", "core.autocrlf", "true"]);
    for (path, text) in files {
        repo.write(path, crlf(text));
    }
    repo.commit("from Windows");
    repo
}

#[test]
fn lines_and_columns_are_those_of_editors() {
    let repo = GitRepo::new();
    repo.write("a.env", crlf(&leak(1))).commit("leak");
    for scope in ["--no-history", "--history-only"] {
        let report = json(&scan(&repo, &[scope]).expect(1));
        let place = &report["findings"][0]["occurrences"][0];
        let key = stripe_key(1).len() as u64;
        assert_eq!((&place["start"]["line"], &place["start"]["column"]), (&2.into(), &5.into()), "{scope}");
        assert_eq!(
            (&place["end"]["line"], &place["end"]["column"]),
            (&2.into(), &(5 + key).into()),
            "{scope}"
        );
        assert!(!place["excerpt"].as_str().expect("a text").contains('\r'), "{scope}");
    }
}

#[test]
fn markers_end_before_the_carriage_return() {
    let key = stripe_key(1);
    for (text, reason) in [
        (format!("KEY={key} # keycull:allow\n"), None),
        (format!("KEY={key} # keycull:allow[stripe-secret-key]\n"), None),
        (format!("KEY={key} # keycull:allow[stripe-secret-key] until=2999-01-31\n"), None),
        (format!("KEY={key} # keycull:allow until=2999-01-31 -- made up\n"), Some("made up")),
        (format!("# keycull:allow -- made up\nKEY={key}\n"), Some("made up")),
        (format!("# keycull:allow-begin -- made up\nKEY={key}\n# keycull:allow-end\n"), Some("made up")),
        (format!("KEY={key} # gitleaks:allow\n"), None),
        (format!("KEY={key} # pragma: allowlist secret\n"), None),
        (format!("# pragma: allowlist nextline secret\nKEY={key}\n"), None),
    ] {
        let repo = GitRepo::new();
        repo.write("a.env", crlf(&text));
        let report = json(&scan(&repo, &["--no-history"]).expect(0));
        let disposition = &report["findings"][0]["disposition"];
        assert_eq!(disposition["status"], "allowed", "{text}");
        assert_eq!(disposition["reason"].as_str(), reason, "{text}");
    }
    // The block ends where it says.
    let repo = GitRepo::new();
    let text = format!("# keycull:allow-begin x\nA={key}\n# keycull:allow-end\nB={}\n", stripe_key(2));
    repo.write("a.env", crlf(&text));
    scan(&repo, &["--no-history"]).expect(1);
}

#[test]
fn one_secret_is_one_finding_in_the_tree_and_in_git() {
    let repo = checked_out_on_windows(&[("a.env", leak(1)), ("key.pem", block("one"))]);
    let both = scan(&repo, &[]).expect(1);
    assert_eq!(fingerprints(&both).len(), 2, "{}", both.stdout);
    let tree = fingerprints(&scan(&repo, &["--no-history"]).expect(1));
    let history = fingerprints(&scan(&repo, &["--history-only"]).expect(1));
    assert_eq!((tree.len(), &tree), (2, &history));
    let report = json(&both);
    for finding in report["findings"].as_array().expect("findings") {
        assert_eq!(finding["occurrences"].as_array().map(Vec::len), Some(2), "a file and a blob: {finding}");
    }
}

#[test]
fn a_baseline_of_one_system_holds_on_another() {
    let repo = checked_out_on_windows(&[("a.env", leak(1)), ("key.pem", block("one"))]);
    run(repo.path(), &["baseline", "create", "--no-history"]).expect(0);
    let file = repo.path().join("keycull.baseline.toml");
    fs::write(&file, crlf(&fs::read_to_string(&file).expect("a baseline"))).expect("a file");
    repo.commit("baseline");
    scan(&repo, &[]).expect(0);
    // Somewhere else, with the line ends of git.
    repo.git(&["clone", "--quiet", "--config", "core.autocrlf=false", ".", "../linux"]);
    let linux = repo.outside().join("linux");
    assert!(!fs::read_to_string(linux.join("key.pem")).expect("a key").contains('\r'));
    assert!(!fs::read_to_string(linux.join("keycull.baseline.toml")).expect("a baseline").contains('\r'));
    run(&linux, &["scan"]).expect(0);
    // A key that only changed its line ends is not new, to a hook or a gate.
    repo.git(&["config", "core.autocrlf", "false"]);
    // Git looks no further than times and sizes where they tell it nothing new.
    repo.git(&["add", "--renormalize", "."]);
    fs::remove_file(&file).expect("the baseline");
    repo.commit("line ends");
    assert!(repo.git(&["show", "HEAD:key.pem"]).contains('\r'), "git holds what is on disk now");
    run(repo.path(), &["scan", "--range", "HEAD~1..HEAD"]).expect(0);
    repo.write("key.pem", block("one"));
    repo.git(&["add", "key.pem"]);
    run(repo.path(), &["scan", "--staged"]).expect(0);
    repo.commit("and back");
    run(repo.path(), &["scan", "--range", "HEAD~1..HEAD"]).expect(0);
    repo.write("key.pem", crlf(&block("two"))).commit("another key");
    run(repo.path(), &["scan", "--range", "HEAD~1..HEAD"]).expect(1);
}

#[test]
fn a_baseline_keeps_its_line_ends() {
    let repo = GitRepo::new();
    repo.write("a.env", leak(1));
    run(repo.path(), &["baseline", "create", "--reason", "known"]).expect(0);
    let file = repo.path().join("keycull.baseline.toml");
    let text = fs::read_to_string(&file).expect("a baseline");
    assert!(!text.contains('\r'));
    fs::write(&file, crlf(&text.replace("[[finding]]", "# ours\n[[finding]]"))).expect("a file");
    repo.write("b.env", leak(2));
    run(repo.path(), &["baseline", "update", "--reason", "known, too"]).expect(0);
    let text = fs::read_to_string(&file).expect("a baseline");
    assert_eq!(
        (text.matches("\r\n").count(), text.matches('\n').count()),
        (text.lines().count(), text.lines().count())
    );
    assert!(text.contains("# ours\r\n[[finding]]\r\n") || text.contains("# ours\r\n"), "{text}");
    scan(&repo, &[]).expect(0);
    fs::remove_file(repo.path().join("a.env")).expect("a file");
    repo.commit("one left");
    run(repo.path(), &["baseline", "prune"]).expect(0);
    let text = fs::read_to_string(&file).expect("a baseline");
    assert_eq!(
        (text.matches("[[finding]]").count(), text.matches("\r\n").count()),
        (1, text.lines().count())
    );
    fs::write(&file, crlf("<<<<<<< ours\n")).expect("a file");
    let conflict = scan(&repo, &[]).expect(2);
    assert!(conflict.stderr.contains("keycull.baseline.toml:1"), "{}", conflict.stderr);
}

#[test]
fn settings_and_configurations_may_have_carriage_returns() {
    let repo = GitRepo::new();
    for (name, seed) in [("a.env", 1), ("b.txt", 2), ("c.yml", 3)] {
        repo.write(name, leak(seed));
    }
    let settings = "# ours\nexclude = [\n  \"*.env\",\n]\n\n[[allow]]\nreason = \"x\"\npaths = [\"b.txt\"]\n";
    repo.write("keycull.toml", crlf(settings));
    assert_eq!(places(&scan(&repo, &["--no-history"]).expect(1)).first().map(String::as_str), Some("b.txt"));
    let report = json(&scan(&repo, &["--no-history"]).expect(1));
    let new: Vec<&str> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["disposition"]["status"] == "new")
        .map(|finding| finding["occurrences"][0]["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(new, ["c.yml"]);
    repo.write("keycull.toml", crlf("# one\n# two\nnonsense = 1\n"));
    let wrong = scan(&repo, &[]).expect(2);
    assert!(wrong.stderr.contains("keycull.toml:3"), "{}", wrong.stderr);
    fs::remove_file(repo.path().join("keycull.toml")).expect("a file");
    let config = "[extend]\nuseDefault = true\n[[allowlists]]\npaths = [\n  '''\\.env$''', # one\n  '''\\.txt$''',\n]\nstopwords = [\"none\"]\n";
    repo.write(".gitleaks.toml", crlf(config));
    let report = json(&scan(&repo, &["--no-history"]).expect(1));
    assert_eq!(report["summary"]["suppressed"]["config"].as_u64(), Some(2), "{}", report["summary"]);
}

#[test]
fn ignore_files_with_carriage_returns_and_backslashes_are_carried_over() {
    let repo = GitRepo::new();
    for (at, name) in (1..).zip(["d/a.env", "d/b.env", "d/c.env", "d/e.env", "d/f.env"]) {
        repo.write(name, crlf(&leak(at)));
    }
    repo.write(".gitleaksignore", crlf("# known\nd\\a.env:stripe-access-token:2\n\n"))
        .write(".secretsignore", crlf("d/b.env\n"))
        .write(".gitallowed", crlf("d/c.env:.*:KEY=.*\n"))
        .write(".gitleaks.toml", crlf("[extend]\nuseDefault = true\n[allowlist]\npaths = ['^d/e\\.env$']\n"))
        .write(".github/secret_scanning.yml", crlf("paths-ignore:\n  - 'd/f.env'\n"));
    repo.commit("settled elsewhere");
    scan(&repo, &[]).expect(1);
    run(repo.path(), &["migrate"]).expect(0);
    scan(&repo, &[]).expect(0);
    // A path of a drive is none of a repository, and said to be found nowhere.
    repo.remove("keycull.toml").remove("keycull.baseline.toml");
    repo.write(".gitleaksignore", "C:\\work\\d\\a.env:stripe-access-token:2\n");
    let carried = run(repo.path(), &["migrate"]).expect(0);
    assert!(carried.stdout.contains(".gitleaksignore:1"), "{}", carried.stdout);
    scan(&repo, &[]).expect(1);
}

#[test]
fn globs_with_backslashes_between_names_are_refused() {
    let repo = GitRepo::new();
    repo.write("d/a.env", leak(1));
    for (args, config) in [
        (&["--exclude", "d\\a.env"][..], ""),
        (&["--exclude", "C:\\repo\\d\\*"], ""),
        (&[], "exclude = ['d\\a.env']\n"),
        (&[], "[[allow]]\nreason = \"x\"\npaths = ['d\\a.env']\n"),
    ] {
        repo.write("keycull.toml", config);
        let refused = scan(&repo, args).expect(2);
        assert!(refused.stderr.contains("write / between directories"), "{}", refused.stderr);
    }
    repo.write("keycull.toml", "exclude = ['d/a.env']\n");
    scan(&repo, &["--no-history"]).expect(0);
}

#[test]
fn links_checked_out_as_files_are_files_with_a_path_in_them() {
    let repo = GitRepo::new();
    repo.git(&["config", "core.symlinks", "false"]);
    let target = format!("../{}", stripe_key(3));
    for (name, target) in [("link", "a.env"), ("nowhere", "../gone"), ("leak", target.as_str())] {
        fs::write(repo.outside().join("target"), target).expect("a file");
        let blob = repo.git(&["hash-object", "-w", "../target"]);
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("120000,{blob},{name}")]);
    }
    repo.write("a.env", leak(1));
    repo.git(&["add", "a.env"]);
    fs::remove_file(repo.outside().join("target")).expect("a file");
    let staged = scan(&repo, &["--staged"]).expect(1);
    assert_eq!(places(&staged), ["a.env", "leak"]);
    repo.git(&["commit", "--quiet", "--message", "links"]);
    repo.git(&["checkout", "--quiet", "--force", "HEAD"]);
    assert_eq!(fs::read(repo.path().join("link")).expect("a file, not a link"), b"a.env");
    let report = scan(&repo, &[]).expect(1);
    assert_eq!(fingerprints(&report).len(), 2, "{}", report.stdout);
    let coverage = &json(&report)["coverage"];
    assert_eq!((&coverage["complete"], coverage["gaps"].as_array().map(Vec::len)), (&true.into(), Some(0)));
    run(repo.path(), &["baseline", "create"]).expect(0);
    scan(&repo, &[]).expect(0);
    repo.git(&["diff", "--quiet"]);
}

#[test]
fn names_that_differ_in_case_only_are_two_places() {
    let repo = GitRepo::new();
    for (name, seed) in [("readme.env", 1), ("README.env", 2)] {
        fs::write(repo.outside().join("content"), leak(seed)).expect("a file");
        let blob = repo.git(&["hash-object", "-w", "../content"]);
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{name}")]);
    }
    fs::remove_file(repo.outside().join("content")).expect("a file");
    repo.git(&["config", "core.ignorecase", "true"]);
    assert_eq!(places(&scan(&repo, &["--staged"]).expect(1)), ["README.env", "readme.env"]);
    repo.git(&["commit", "--quiet", "--message", "both"]);
    // Only one of them fits on a disk without regard for case.
    repo.git(&["checkout", "--quiet", "--force", "HEAD", "--", "readme.env"]);
    assert_eq!(places(&scan(&repo, &[]).expect(1)), ["README.env", "readme.env"]);
    repo.write("keycull.toml", "[[allow]]\nreason = \"x\"\npaths = [\"readme.env\"]\n");
    let report = json(&scan(&repo, &[]).expect(1));
    let allowed = |finding: &&serde_json::Value| finding["disposition"]["status"] == "allowed";
    assert_eq!(report["findings"].as_array().expect("findings").iter().filter(allowed).count(), 1);
}

#[test]
fn reports_are_written_where_a_drive_letter_says() {
    let repo = GitRepo::new();
    repo.write("a.env", leak(1));
    // The first `=` divides, not the colon; everywhere else this is a file of that name.
    run(repo.path(), &["scan", "--no-history", "--report", "json=C:out.json"]).expect(1);
    assert!(repo.path().join("C:out.json").is_file());
}

#[test]
fn hooks_have_line_feeds_and_other_files_keep_what_they_have() {
    let repo = GitRepo::new();
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.git(&["config", "core.eol", "crlf"]);
    run(repo.path(), &["hook", "install"]).expect(0);
    let hooks = fs::read_dir(repo.path().join(".git/hooks")).expect("a directory");
    let scripts: Vec<String> =
        hooks.map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a script")).collect();
    assert_eq!(scripts.len(), 4);
    assert!(scripts.iter().all(|script| script.starts_with("#!/bin/sh\n") && !script.contains('\r')));
    run(repo.path(), &["hook", "uninstall"]).expect(0);
    for (flag, file, text) in [
        ("--lefthook", "lefthook.yml", "pre-commit:\n  commands:\n    other:\n      run: exit 0\n"),
        ("--husky", ".husky/pre-commit", "#!/bin/sh\nexit 0\n"),
    ] {
        let text = crlf(text);
        repo.write(file, &text);
        run(repo.path(), &["hook", "install", flag]).expect(0);
        let added = fs::read_to_string(repo.path().join(file)).expect("a file");
        assert!(added.contains("keycull") && added != text, "{added}");
        let theirs: Vec<&str> = text.lines().filter(|line| !line.starts_with("#!")).collect();
        assert!(theirs.iter().all(|line| added.contains(&format!("{line}\r\n"))), "{added}");
        run(repo.path(), &["hook", "uninstall", flag]).expect(0);
        assert_eq!(fs::read_to_string(repo.path().join(file)).expect("a file"), text);
    }
}
