//! Several repositories in one run and one report.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, run, run_with_input};

use super::json;

/// A directory with the repositories `a`, `b` and `clean`; `a` and `b` share a key, `b` has one more.
fn fleet() -> GitRepo {
    let repo = GitRepo::new();
    let shared = format!("KEY={}\n", stripe_key(1));
    repo.write("x.env", &shared).commit("in a");
    repo.git(&["clone", "--quiet", ".", "../clean"]);
    repo.git(&["clone", "--quiet", ".", "../b"]);
    fs::rename(repo.path(), repo.outside().join("a")).expect("it can be renamed");
    let outside = repo.outside();
    let git = |place: &str, args: &[&str]| {
        let mut all = vec!["-C", place];
        all.extend(args);
        let done = crate::support::git::scrubbed_git().current_dir(&outside).args(&all).status();
        assert!(done.expect("git is installed").success());
    };
    fs::write(outside.join("b/y.env"), format!("KEY={}\n", stripe_key(2))).expect("a file");
    git("b", &["add", "--all"]);
    git("b", &["commit", "--quiet", "--message", "in b"]);
    fs::remove_dir_all(outside.join("clean")).expect("it is there");
    git(".", &["init", "--quiet", "--template=", "clean"]);
    fs::write(outside.join("clean/z.txt"), "nothing\n").expect("a file");
    git("clean", &["add", "--all"]);
    git("clean", &["commit", "--quiet", "--message", "one"]);
    repo
}

fn scan(directory: &Path, args: &[&str]) -> Run {
    let mut all = vec!["scan", "--format", "json"];
    all.extend(args);
    run(directory, &all)
}

/// For each finding, the repositories that hold it.
fn repositories(report: &Value) -> Vec<Vec<&str>> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|finding| {
            let list = finding["repositories"].as_array().expect("a list");
            list.iter().map(|name| name.as_str().expect("a name")).collect()
        })
        .collect()
}

#[test]
fn a_secret_of_two_repositories_is_one_finding() {
    let fleet = fleet();
    let outside = fleet.outside();
    let found = scan(&outside, &["a", "b", "clean"]).expect(1);
    let report = json(&found);
    assert_eq!(repositories(&report), [vec!["a", "b"], vec!["b"]]);
    assert_eq!(report["coverage"]["complete"], true, "{}", found.stdout);
    let scopes = report["coverage"]["scopes"].to_string();
    assert!(scopes.contains("full history of 3 repositories"), "{scopes}");
    let text = run(&outside, &["scan", "a", "b"]).expect(1).stdout;
    assert!(text.contains("across 2 repositories: a, b"), "{text}");
    assert!(text.contains("a: x.env:1:5") && text.contains("b: y.env:1:5"), "{text}");
    let sarif = run(&outside, &["scan", "a", "b", "--format", "sarif"]).expect(1).stdout;
    assert!(sarif.contains("\"b/y.env\"") && sarif.contains("\"a/x.env\""), "{sarif}");
}

#[test]
fn each_repository_is_scanned_as_if_it_were_alone() {
    let fleet = fleet();
    let outside = fleet.outside();
    scan(&outside, &["clean", "a", "--no-history"]).expect(1);
    fs::write(outside.join("a/keycull.toml"), "exclude = [\"x.env\"]\n").expect("a file");
    scan(&outside, &["clean", "a"]).expect(0);
    let report = json(&scan(&outside, &["a", "b"]).expect(1)).clone();
    let held: Vec<Vec<&str>> = repositories(&report);
    assert_eq!(held, [vec!["b"], vec!["b"]], "a's own exclude counts in a only");
    let ranges = scan(&outside, &["a", "b", "--since-date", "2020-01-01"]).expect(1);
    assert_eq!(json(&ranges)["findings"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_list_names_repositories_relative_to_itself() {
    let fleet = fleet();
    let outside = fleet.outside();
    fs::create_dir(outside.join("lists")).expect("a directory");
    fs::write(outside.join("lists/all"), "# ours\n\n../a\n  ../b/.git  \n../clean\n../a\n").expect("a file");
    let report = json(&scan(&outside, &["--repos-from", "lists/all"]).expect(1));
    assert_eq!(repositories(&report), [vec!["../a", "../b/.git"], vec!["../b/.git"]]);
    let piped = run_with_input(&outside, &["scan", "--repos-from", "-", "--format", "json"], b"clean\n");
    piped.expect(0);
    for (list, words) in [("lists/none", "cannot read the list"), ("lists/empty", "lists no repository")] {
        fs::write(outside.join("lists/empty"), "# nothing\n").expect("a file");
        let wrong = scan(&outside, &["--repos-from", list]).expect(2);
        assert!(wrong.stderr.contains(words) && wrong.stderr.contains("hint: "), "{}", wrong.stderr);
    }
    let wrong = scan(&outside, &["--repos-from", "lists/all", "a"]).expect(2);
    assert!(wrong.stderr.contains("cannot be used with"), "{}", wrong.stderr);
}

#[test]
fn a_broken_repository_does_not_stop_the_others_and_is_not_forgotten() {
    let fleet = fleet();
    let outside = fleet.outside();
    fs::create_dir_all(outside.join("broken")).expect("a directory");
    fs::write(outside.join("broken/.git"), "gitdir: /nowhere/at/all\n").expect("a file");
    fs::write(outside.join("list"), "clean\nbroken\nno-such-place\n").expect("a file");
    let cut = scan(&outside, &["--repos-from", "list"]).expect(3);
    let gaps: Vec<String> = json(&cut)["coverage"]["gaps"]
        .as_array()
        .expect("gaps")
        .iter()
        .map(|gap| gap["what"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(gaps, ["broken", "no-such-place"]);
    scan(&outside, &["--repos-from", "list", "--accept-incomplete", "unreadable"]).expect(0);
    scan(&outside, &["--repos-from", "list", "--accept-incomplete", "unreadable:broken"]).expect(3);
    // Findings win; and when nothing at all was scanned, nothing was decided.
    scan(&outside, &["clean", "broken", "a"]).expect(1);
    scan(&outside, &["clean", "broken"]).expect(3);
    fs::write(outside.join("list"), "broken\nno-such-place\n").expect("a file");
    let nothing = scan(&outside, &["--repos-from", "list"]).expect(2);
    assert!(nothing.stderr.contains("none of the repositories") && nothing.stdout.is_empty());
}

/// A repository with the submodule `vendor/inner`, whose own submodule `deep` holds one key, and it
/// another.
fn nested() -> GitRepo {
    let repo = GitRepo::new();
    let outside = repo.outside();
    let git = |place: &str, args: &[&str]| {
        let mut all = vec!["-C", place, "-c", "protocol.file.allow=always"];
        all.extend(args);
        let done = crate::support::git::scrubbed_git().current_dir(&outside).args(&all).status();
        assert!(done.expect("git is installed").success(), "{args:?}");
    };
    for (name, number) in [("deep", 1), ("inner", 2)] {
        git(".", &["init", "--quiet", "--template=", name]);
        fs::write(outside.join(name).join("x.env"), format!("KEY={}\n", stripe_key(number))).expect("a file");
        git(name, &["add", "--all"]);
        git(name, &["commit", "--quiet", "--message", "one"]);
    }
    git("inner", &["submodule", "--quiet", "add", "../deep", "deep"]);
    git("inner", &["commit", "--quiet", "--message", "two"]);
    let root = repo.path().to_str().expect("a plain path").to_owned();
    git(&root, &["submodule", "--quiet", "add", "../inner", "vendor/inner"]);
    git(&root, &["submodule", "--quiet", "update", "--init", "--recursive"]);
    git(&root, &["commit", "--quiet", "--message", "three"]);
    repo
}

#[test]
fn submodules_are_scanned_when_asked_for() {
    let repo = nested();
    let alone = scan(repo.path(), &[]);
    assert_eq!((alone.code, json(&alone)["findings"].as_array().map(Vec::len)), (0, Some(0)), "{alone:?}");
    assert_eq!(json(&alone)["coverage"]["skipped"]["submodule"], 1);

    for (from, args) in [("", &[][..]), ("vendor", &[]), ("", &["."])] {
        let args = [&["--recurse-submodules"], args].concat();
        let all = scan(&repo.path().join(from), &args);
        let report = json(&all);
        assert_eq!(all.code, 1, "{all:?}");
        let mut holders = repositories(&report);
        holders.sort();
        assert_eq!(holders, [vec!["vendor/inner"], vec!["vendor/inner/deep"]], "{from:?}");
        assert!(report["coverage"]["skipped"].get("submodule").is_none(), "{report}");
    }
    let part = scan(repo.path(), &["--recurse-submodules", "vendor"]);
    assert_eq!(part.code, 2);
    assert!(part.stderr.contains("vendor is only a part of the repository"), "{part:?}");
}

#[test]
fn a_submodule_that_cannot_be_scanned_is_a_gap() {
    let repo = nested();
    let inner = repo.path().join("vendor/inner");
    fs::remove_dir_all(&inner).expect("it is there");
    fs::create_dir(&inner).expect("as git leaves it");
    let gone = scan(repo.path(), &["--recurse-submodules"]);
    let report = json(&gone);
    assert_eq!(gone.code, 3, "{gone:?}");
    let gap = &report["coverage"]["gaps"][0];
    assert_eq!(gap["what"], "vendor/inner", "{report}");
    assert!(gap["why"].as_str().is_some_and(|why| why.contains("git submodule update")), "{gap}");

    // Nothing in a repository leads a scan to other repositories.
    #[cfg(unix)]
    {
        fs::remove_dir(&inner).expect("it is empty");
        std::os::unix::fs::symlink(repo.outside().join("inner"), &inner).expect("a link");
        let linked = scan(repo.path(), &["--recurse-submodules"]);
        assert_eq!(linked.code, 3, "{linked:?}");
        fs::remove_file(&inner).expect("it is there");
        fs::create_dir(&inner).expect("a directory");
        let elsewhere = repo.outside().join("inner/.git");
        fs::write(inner.join(".git"), format!("gitdir: {}\n", elsewhere.display())).expect("a file");
        let led_away = scan(repo.path(), &["--recurse-submodules"]);
        assert_eq!(led_away.code, 3, "{led_away:?}");
        assert_eq!(json(&led_away)["findings"].as_array().map(Vec::len), Some(0));
    }
}
