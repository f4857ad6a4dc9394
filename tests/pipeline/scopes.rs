//! The places a scan looks at.

use keycull::finding::{Confidence, Disposition, Reachability, Severity};
use keycull::pipeline::{ScanError, exit_code};

use super::{files, history, lines, of_repo, password, request, scan, staged, stream, token, try_scan};
use crate::support::git::GitRepo;

#[test]
fn a_clean_repository_is_clean() {
    let repo = GitRepo::new();
    repo.write("src/main.rs", "fn main() {}\n").commit("one");
    let report = scan(&of_repo(&repo, vec![files(&repo), history()]));
    assert_eq!((lines(&report), exit_code(&report, None)), (vec![], 0));
    assert_eq!(report.coverage.scopes, ["working tree", "full history"]);
    // The file of the working tree, the configuration and two reflogs.
    assert_eq!((report.coverage.files, report.coverage.blobs, report.coverage.commits), (4, 1, 1));
    assert!(report.coverage.is_complete() && !report.coverage.rules_hash.is_empty());
    assert!(report.rules.len() > 60 && report.rules.is_sorted_by(|a, b| a.id < b.id));
}

#[test]
fn a_secret_is_one_finding_in_tree_and_history() {
    let repo = GitRepo::new();
    let (kept, removed) = (token("kept"), token("removed"));
    repo.write(".env", format!("# config\nGITHUB_TOKEN={removed}\n")).commit("oops");
    repo.write(".env", "# config\n").write("app.py", format!("token = \"{kept}\"\n")).commit("better");
    let report = scan(&of_repo(&repo, vec![files(&repo), history()]));
    assert_eq!(exit_code(&report, None), 1);
    assert_eq!(report.findings.len(), 2, "{:?}", lines(&report));
    let by_secret = |secret: &str| {
        let same = |finding: &&keycull::finding::Finding| finding.secret.expose() == secret.as_bytes();
        report.findings.iter().find(same).expect("it was found")
    };
    let now = by_secret(&kept);
    let kinds: Vec<&str> = now.occurrences.iter().map(|place| place.origin.kind()).collect();
    assert_eq!(kinds, ["file", "blob"]);
    assert_eq!(now.primary().path.as_ref().map(ToString::to_string).as_deref(), Some("app.py"));
    assert_eq!(now.rule.id, "github-pat");
    assert_eq!((now.severity, now.confidence), (Severity::Critical, Confidence::High));
    let shown = format!("token = \"ghp_…{}\"", &kept[kept.len() - 4..]);
    assert_eq!(now.primary().excerpt, shown);
    let (start, end) = (now.primary().region.start, now.primary().region.end);
    assert_eq!((start.line, start.column, end.column), (1, 10, 10 + kept.len()));

    let gone = by_secret(&removed);
    assert_eq!(gone.occurrences.len(), 1);
    let place = gone.primary();
    assert_eq!((place.origin.kind(), place.region.start.line), ("blob", 2));
    assert_eq!(place.path.as_ref().map(ToString::to_string).as_deref(), Some(".env"));
    let timeline = place.timeline.as_ref().expect("history was asked");
    let subject = |commit: &Option<keycull::finding::CommitInfo>| commit.as_ref().map(|c| c.subject.clone());
    assert_eq!(subject(&timeline.introduced).as_deref(), Some("oops"));
    assert_eq!(subject(&timeline.removed).as_deref(), Some("better"));
    assert!(!timeline.at_head);
}

#[test]
fn what_no_ref_reaches_is_found_and_placed() {
    let repo = GitRepo::new();
    repo.write("a", "x").commit("one");
    let lost = token("lost");
    repo.write("deep/lost.env", format!("T={lost}")).commit("two");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    std::fs::remove_dir_all(repo.path().join(".git/logs")).expect("a reflog");
    let _ = std::fs::remove_file(repo.path().join(".git/ORIG_HEAD"));
    let report = scan(&of_repo(&repo, vec![files(&repo), history()]));
    assert_eq!(lines(&report), ["github-pat: blob deep/lost.env:1"]);
    let timeline = report.findings[0].primary().timeline.as_ref().expect("history was asked");
    assert_eq!(timeline.reachable, Reachability::Unreachable);
}

#[test]
fn messages_and_names_are_content() {
    let repo = GitRepo::new();
    let (message, name, branch) = (token("message"), token("name"), token("branch"));
    repo.write(format!("notes-{name}.txt"), "x").commit(&format!("Use {message} for now"));
    repo.git(&["branch", &format!("try/{branch}")]);
    let report = scan(&of_repo(&repo, vec![files(&repo), history()]));
    let mut kinds: Vec<(&str, Vec<&str>)> = report
        .findings
        .iter()
        .map(|finding| {
            let which = match finding.secret.expose() {
                secret if secret == message.as_bytes() => "message",
                secret if secret == name.as_bytes() => "name",
                secret if secret == branch.as_bytes() => "branch",
                _ => "other",
            };
            (which, finding.occurrences.iter().map(|place| place.origin.kind()).collect())
        })
        .collect();
    kinds.sort();
    assert_eq!(kinds[0], ("branch", vec!["ref-name"]));
    assert_eq!(kinds[1], ("message", vec!["commit"]));
    assert_eq!(kinds[2].0, "name");
    assert!(kinds[2].1.contains(&"file-name"), "{kinds:?}");
    assert_eq!(kinds.len(), 3);
}

#[test]
fn staged_means_new_in_the_index() {
    let repo = GitRepo::new();
    let (old, new, later) = (token("old"), token("new"), token("later"));
    repo.write("a.env", format!("A={old}\n")).commit("one");
    repo.write("a.env", format!("# moved down\n\nA={old}\nB={new}\n"));
    repo.git(&["add", "a.env"]);
    repo.write("a.env", format!("A={later}\n"));
    let report = scan(&of_repo(&repo, vec![staged()]));
    assert_eq!(lines(&report), ["github-pat: index a.env:4"]);
    assert_eq!(exit_code(&report, None), 1);

    repo.git(&["commit", "--quiet", "--message", "two"]);
    let report = scan(&of_repo(&repo, vec![staged()]));
    assert_eq!((lines(&report), exit_code(&report, None)), (vec![], 0));
}

#[test]
fn a_moved_secret_is_not_new() {
    let repo = GitRepo::new();
    let old = token("old");
    repo.write("a.env", format!("A={old}\n")).commit("one");
    repo.git(&["mv", "a.env", "b.env"]);
    let report = scan(&of_repo(&repo, vec![staged()]));
    assert_eq!(lines(&report), [""; 0]);
}

#[test]
fn standard_input_is_content_with_a_name() {
    let report = scan(&request(vec![stream(&format!("x\nTOKEN={}\n", token("in")))]));
    assert_eq!(lines(&report), ["github-pat: stdin input.env:2"]);
    let allowed = format!("TOKEN={} # keycull:allow[github-pat] until=2026-12-31 -- drill\n", token("in"));
    let report = scan(&request(vec![stream(&allowed)]));
    assert!(matches!(report.findings[0].disposition, Disposition::Allowed { .. }));
    assert_eq!(exit_code(&report, None), 0);
}

#[test]
fn scopes_that_make_no_sense_are_errors() {
    assert!(matches!(try_scan(&request(vec![])), Err(ScanError::NoScope)));
    for scope in [staged(), history()] {
        assert!(matches!(try_scan(&request(vec![scope])), Err(ScanError::NoRepository { .. })));
    }
}

#[test]
fn the_report_does_not_depend_on_threads() {
    let repo = GitRepo::new();
    for round in 0..4 {
        for file in 0..12 {
            let text = format!(
                "A={}\nB={}\npassword = \"{}\"\n",
                token(&format!("{file}")),
                token(&format!("{round}/{file}")),
                password(&format!("{round}x{file}"))
            );
            repo.write(format!("d{}/f{file}.env", file % 3), text);
        }
        repo.commit(&format!("round {round}"));
    }
    let with = |jobs: usize| {
        let mut scopes = vec![files(&repo), history()];
        for scope in &mut scopes {
            match scope {
                keycull::pipeline::Scope::Files { options, .. } => options.jobs = jobs,
                keycull::pipeline::Scope::History(options) => options.jobs = jobs,
                keycull::pipeline::Scope::Range(options) => options.jobs = jobs,
                keycull::pipeline::Scope::Staged(_) | keycull::pipeline::Scope::Stream { .. } => {}
            }
        }
        let report = scan(&keycull::pipeline::ScanRequest { jobs, ..of_repo(&repo, scopes) });
        assert!(report.findings.len() >= 60, "{}", report.findings.len());
        format!("{:#?}\n{:#?}", report.findings, report.coverage)
    };
    let one = with(1);
    assert_eq!(with(4), one);
    assert_eq!(with(0), one);
}
