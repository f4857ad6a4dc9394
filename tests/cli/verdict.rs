//! Exit codes, thresholds, markers and silence.

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::run;

use super::json;

const FORMATS: [&str; 8] = ["text", "json", "jsonl", "sarif", "gitlab", "junit", "github", "gitleaks"];

#[test]
fn the_exit_code_is_the_same_in_every_format() {
    let clean = GitRepo::new();
    clean.write("a.txt", "nothing\n").commit("start");
    let leaking = GitRepo::new();
    leaking.write("a.env", format!("KEY={}\n", stripe_key(1))).commit("start");
    for format in FORMATS {
        run(clean.path(), &["scan", "--format", format]).expect(0);
        run(leaking.path(), &["scan", "--format", format]).expect(1);
    }
}

#[test]
fn fail_on_reports_milder_findings_without_failing() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)));
    let all = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    let severity = json(&all)["findings"][0]["severity"].as_str().expect("a severity").to_owned();
    run(repo.path(), &["scan", "--no-history", "--fail-on", &severity]).expect(1);
    if severity != "critical" {
        let mild = run(repo.path(), &["scan", "--no-history", "--fail-on", "critical", "--format", "json"])
            .expect(0);
        assert_eq!(json(&mild)["findings"].as_array().map(Vec::len), Some(1), "still reported");
    }
    let only = ["scan", "--no-history", "--rule", "stripe-*", "--format", "json"];
    assert_eq!(json(&run(repo.path(), &only).expect(1))["findings"].as_array().map(Vec::len), Some(1));
    run(repo.path(), &["scan", "--no-history", "--exclude-rule", "stripe-*", "--confidence", "high"])
        .expect(0);
}

#[test]
fn severity_decides_what_is_reported_at_all() {
    let repo = GitRepo::new();
    // A sandbox key: the same form, with `test` in it.
    repo.write("a.env", format!("KEY={}\n", stripe_key(1).replace("live", "test")));
    run(repo.path(), &["scan", "--no-history"]).expect(1);
    let none =
        run(repo.path(), &["scan", "--no-history", "--severity", "high", "--format", "json"]).expect(0);
    assert_eq!(json(&none)["findings"].as_array().map(Vec::len), Some(0));
}

#[test]
fn markers_allow_and_no_allow_shows_everything() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={} # keycull:allow[stripe-secret-key] made up\n", stripe_key(1)));
    let rules =
        json(&run(repo.path(), &["scan", "--no-history", "--no-allow", "--format", "json"]).expect(1));
    let id =
        rules["findings"][0]["rule"]["id"].as_str().or(rules["findings"][0]["rule"].as_str()).expect("an id");
    repo.write("a.env", format!("KEY={} # keycull:allow[{id}] made up\n", stripe_key(1)));
    run(repo.path(), &["scan", "--no-history"]).expect(0);
    run(repo.path(), &["scan", "--no-history", "--no-allow"]).expect(1);
}

#[test]
fn blocks_allow_what_is_between_their_ends() {
    let repo = GitRepo::new();
    let (first, second) = (stripe_key(1), stripe_key(2));
    let scan = |text: String, code: i32| {
        repo.write("a.env", text);
        run(repo.path(), &["scan", "--no-history"]).expect(code);
    };
    let begin = "# keycull:allow-begin[stripe-secret-key] until=2099-01-31 -- made up\n";
    scan(format!("{begin}\nA={first}\nB={second}\n# keycull:allow-end\n"), 0);
    scan(format!("{begin}\nA={first}\n# keycull:allow-end\nB={second}\n"), 1);
    scan(format!("{begin}\nA={first}\nB={second}\n"), 1);
    scan(
        format!("{}\nA={first}\n# keycull:allow-end\n", begin.replace("stripe-secret-key", "github-pat")),
        1,
    );
    scan(format!("{}\nA={first}\n# keycull:allow-end\n", begin.replace("2099", "2001")), 1);
}

#[test]
fn quiet_says_nothing_when_there_is_nothing_to_say() {
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n").commit("start");
    let silent = run(repo.path(), &["scan", "--quiet"]).expect(0);
    assert_eq!((silent.stdout.as_str(), silent.stderr.as_str()), ("", ""));
    repo.write("b.env", format!("KEY={}\n", stripe_key(1)));
    let loud = run(repo.path(), &["scan", "--quiet"]).expect(1);
    assert!(loud.stdout.contains("b.env") && loud.stderr.is_empty(), "{}{}", loud.stdout, loud.stderr);
}

#[test]
fn standard_error_stays_empty_without_a_terminal() {
    let repo = GitRepo::new();
    repo.write("a.txt", "nothing\n").commit("start");
    assert_eq!(run(repo.path(), &["scan"]).expect(0).stderr, "", "no progress line into a pipe");
    let talkative = run(repo.path(), &["scan", "-v"]).expect(0);
    assert!(talkative.stderr.contains("info: scanning: history"), "{}", talkative.stderr);
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let repo = GitRepo::new();
    for number in 0..40 {
        repo.write(format!("d{}/f{number}.env", number % 7), format!("KEY={}\n", stripe_key(number % 11)));
    }
    repo.commit("many");
    for format in ["text", "json", "jsonl", "sarif"] {
        let one = run(repo.path(), &["scan", "--jobs", "1", "--format", format]).expect(1);
        let four = run(repo.path(), &["scan", "--jobs", "4", "--format", format]).expect(1);
        assert_eq!(one.stdout, four.stdout, "{format}");
    }
}

#[test]
fn git_ignored_files_are_counted_and_scanned_on_request() {
    let repo = GitRepo::new();
    repo.write(".gitignore", "*.log\n").write("a.log", format!("KEY={}\n", stripe_key(1)));
    let clean = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(0);
    assert_eq!(json(&clean)["coverage"]["skipped"]["git-ignored"], 1);
    run(repo.path(), &["scan", "--no-history", "--no-ignore"]).expect(1);
    repo.git(&["add", "--force", "a.log"]);
    run(repo.path(), &["scan", "--no-history"]).expect(1);
}

#[test]
fn excluded_paths_are_counted_and_leave_the_history_alone_too() {
    let repo = GitRepo::new();
    repo.write("vendor/a.env", format!("KEY={}\n", stripe_key(1))).commit("vendored");
    let files =
        run(repo.path(), &["scan", "--no-history", "--exclude", "vendor", "--format", "json"]).expect(0);
    assert_eq!(json(&files)["coverage"]["skipped"]["excluded"], 1);
    run(repo.path(), &["scan", "--exclude", "vendor"]).expect(0);
    run(repo.path(), &["scan", "--exclude", "other"]).expect(1);
}
