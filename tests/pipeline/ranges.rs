//! What is new in a range, and when it came.

use keycull::finding::{Reachability, ScanReport, Timeline};
use keycull::pipeline::exit_code;

use super::{lines, of_repo, range, scan, token};
use crate::support::git::GitRepo;

fn scanned(repo: &GitRepo, text: &str) -> ScanReport {
    scan(&of_repo(repo, vec![range(repo, text)]))
}

fn subjects(timeline: &Timeline) -> [Option<String>; 3] {
    [&timeline.introduced, &timeline.last_seen, &timeline.removed]
        .map(|commit| commit.as_ref().map(|commit| commit.subject.clone()))
}

#[test]
fn a_secret_that_was_removed_again_is_found_with_its_commits() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("base");
    repo.git(&["switch", "--quiet", "--create", "topic"]);
    repo.write("conf/.env", format!("x\nT={}\n", token("gone"))).commit("oops");
    repo.write("a.txt", "b").commit("work");
    repo.write("conf/.env", "x\n").commit("hide it");
    let report = scanned(&repo, "main..topic");
    assert_eq!(lines(&report), ["github-pat: blob conf/.env:2"]);
    assert_eq!(exit_code(&report, None), 1);
    let timeline = report.findings[0].primary().timeline.clone().expect("a range has history");
    assert_eq!(subjects(&timeline), ["oops", "work", "hide it"].map(|text| Some(text.to_owned())));
    assert!(!timeline.at_head);
    let names = vec!["refs/heads/topic".to_owned()];
    assert_eq!(timeline.reachable, Reachability::Refs { names, more: 0 });
}

#[test]
fn moves_copies_and_new_indentation_are_not_new() {
    let repo = GitRepo::new();
    let (moved, copied, indented) = (token("moved"), token("copied"), token("indented"));
    repo.write("moved.env", format!("A={moved}\n"));
    repo.write("copied.env", format!("B={copied}\n"));
    repo.write("code.py", format!("key = \"{indented}\"\n")).commit("base");
    repo.git(&["mv", "moved.env", "renamed.env"]);
    repo.write("sub/copy.env", format!("# again\nB={copied}\n"));
    repo.write("code.py", format!("if True:\n    key = \"{indented}\"\n")).commit("shuffle");
    let report = scanned(&repo, "HEAD~1..HEAD");
    assert_eq!((lines(&report), exit_code(&report, None)), (vec![], 0));
    repo.write("sub/copy.env", format!("B={copied}\nC={}\n", token("new"))).commit("add one");
    assert_eq!(lines(&scanned(&repo, "HEAD~2..HEAD")), ["github-pat: blob sub/copy.env:2"]);
}

#[test]
fn what_the_base_gained_meanwhile_is_not_new_either() {
    let repo = GitRepo::new();
    let shared = token("shared");
    repo.write("a.txt", "a").commit("base");
    repo.git(&["switch", "--quiet", "--create", "topic"]);
    repo.write("x.env", format!("A={shared}\n")).commit("picked from main");
    repo.git(&["switch", "--quiet", "main"]);
    repo.write("y.env", format!("A={shared}\n")).commit("on main");
    assert_eq!(lines(&scanned(&repo, "main..topic")), [""; 0]);
    assert_eq!(lines(&scanned(&repo, "main~1..topic")), ["github-pat: blob x.env:1"]);
}

#[test]
fn a_secret_that_comes_back_is_new() {
    let repo = GitRepo::new();
    let secret = token("back");
    repo.write("x.env", format!("A={secret}\n")).commit("add");
    repo.write("x.env", "A=\n").commit("remove");
    repo.write("x.env", format!("A={secret}\n")).commit("revert");
    let report = scanned(&repo, "HEAD~1..HEAD");
    assert_eq!(lines(&report), ["github-pat: blob x.env:1"]);
    assert!(report.findings[0].primary().timeline.as_ref().expect("a timeline").at_head);
}

#[test]
fn merges_messages_and_names_are_scanned() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("base");
    repo.git(&["switch", "--quiet", "--create", "side"]);
    repo.write("s.txt", "s").commit("side");
    repo.git(&["switch", "--quiet", "main"]);
    repo.write("m.txt", "m").commit("main");
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    let name = token("name");
    repo.write("evil.env", format!("E={}\n", token("evil"))).write(format!("d/{name}/x"), "x");
    repo.commit(&format!("merge\n\nsee {}", token("message")));
    repo.git(&["tag", "--annotate", "v1", "--message", &format!("with {}", token("tag"))]);
    let mut found = lines(&scanned(&repo, "HEAD^1..HEAD"));
    found.sort();
    let expected = [
        "github-pat: blob evil.env:1".to_owned(),
        "github-pat: commit -:8".to_owned(),
        format!("github-pat: file-name d/{name}:1"),
        "github-pat: tag -:6".to_owned(),
    ];
    let shape = |line: &String| line.split(':').take(2).collect::<Vec<_>>().join(":");
    let kinds: Vec<String> = found.iter().map(shape).collect();
    assert_eq!(kinds, expected.iter().map(shape).collect::<Vec<_>>(), "{found:?}");
}

#[test]
fn a_range_on_another_branch_tells_what_head_holds() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("base");
    repo.git(&["switch", "--quiet", "--create", "topic"]);
    repo.write("x.env", format!("A={}\n", token("x"))).commit("add");
    repo.git(&["switch", "--quiet", "main"]);
    let report = scanned(&repo, "main..topic");
    assert!(!report.findings[0].primary().timeline.as_ref().expect("a timeline").at_head);
    repo.git(&["cherry-pick", "topic"]);
    let report = scanned(&repo, "main~1..topic");
    assert!(report.findings[0].primary().timeline.as_ref().expect("a timeline").at_head);
}

#[test]
fn the_report_does_not_depend_on_threads() {
    let repo = GitRepo::new();
    repo.write("a.txt", "a").commit("base");
    for round in 0..90 {
        let text = format!("A={}\nB={}\n", token(&format!("{}", round % 20)), token(&format!("r{round}")));
        repo.write(format!("d{}/f{}.env", round % 3, round % 7), text);
        repo.commit(&format!("round {round}"));
    }
    let with = |jobs: usize| {
        let mut scope = range(&repo, "HEAD~90..HEAD");
        if let keycull::pipeline::Scope::Range(options) = &mut scope {
            options.jobs = jobs;
        }
        let report = scan(&keycull::pipeline::ScanRequest { jobs, ..of_repo(&repo, vec![scope]) });
        assert_eq!(report.findings.len(), 110);
        format!("{:#?}\n{:#?}", report.findings, report.coverage)
    };
    assert_eq!(with(1), with(4));
}
