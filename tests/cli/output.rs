//! Reports: several in one run, files written whole, and no secret by accident.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{command, run};
use crate::support::witness;

use super::{json, places};

const FORMATS: [&str; 8] = ["text", "json", "jsonl", "sarif", "gitlab", "junit", "github", "gitleaks"];

fn leaking() -> (GitRepo, String) {
    let repo = GitRepo::new();
    let key = stripe_key(1);
    repo.write("a.env", format!("KEY={key}\n")).commit(&format!("oops {key}"));
    (repo, key)
}

#[test]
fn one_run_writes_every_report_asked_for() {
    let (repo, _) = leaking();
    let mut args: Vec<String> = vec!["scan".into()];
    for format in FORMATS {
        args.extend(["--report".into(), format!("{format}=../out.{format}")]);
    }
    let run = run(repo.path(), &args).expect(1);
    assert!(run.stdout.contains("a.env"), "the text report is on standard output");
    for format in FORMATS {
        let text = fs::read_to_string(repo.outside().join(format!("out.{format}"))).expect("a report");
        assert!(text.contains("a.env"), "{format}");
    }
}

#[test]
fn a_report_file_holds_what_standard_output_would() {
    let (repo, _) = leaking();
    for format in ["text", "json", "jsonl", "sarif"] {
        let direct = run(repo.path(), &["scan", "--format", format]).expect(1);
        let filed = run(repo.path(), &["scan", "--format", format, "--output", "../report"]).expect(1);
        assert_eq!(filed.stdout, "");
        assert_eq!(
            fs::read_to_string(repo.outside().join("report")).expect("a report"),
            direct.stdout,
            "{format}"
        );
    }
}

#[test]
fn no_output_holds_the_secret_unless_asked() {
    let (repo, key) = leaking();
    for format in FORMATS {
        for verbosity in ["--quiet", "-vv"] {
            let run = run(repo.path(), &["scan", "--format", format, verbosity]).expect(1);
            let body = &key["sk_live_".len()..];
            for text in [&run.stdout, &run.stderr] {
                assert!(
                    !text.contains(body) && !text.contains(&body[4..20]),
                    "{format} {verbosity} shows the secret"
                );
            }
        }
    }
    let raw = run(repo.path(), &["scan", "--format", "jsonl", "--show-secrets"]).expect(1);
    assert!(raw.stdout.contains(&key));
    let sarif = run(repo.path(), &["scan", "--format", "sarif", "--show-secrets"]).expect(1);
    assert!(!sarif.stdout.contains(&key), "SARIF is made to be uploaded");
}

#[cfg(unix)]
#[test]
fn raw_secrets_are_refused_for_files_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let (repo, key) = leaking();
    let file = repo.outside().join("raw.jsonl");
    witness::planted(&file);
    let args = ["scan", "--format", "jsonl", "--show-secrets", "--output", "../raw.jsonl"];
    run(repo.path(), &args).expect(1);
    assert_eq!(fs::metadata(&file).expect("a report").permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).expect("a report").contains(&key));

    fs::write(&file, "old").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("permissions");
    run(repo.path(), &args).expect(2);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "old");

    let redirected = fs::File::create(repo.outside().join("redirected")).expect("a file");
    let status =
        command(repo.path()).args(["scan", "--show-secrets"]).stdout(redirected).status().expect("it runs");
    assert_eq!(status.code(), Some(2), "standard output redirected to such a file counts as well");
}

#[test]
fn a_report_inside_the_tree_is_not_scanned_by_the_run_that_writes_it() {
    let (repo, key) = leaking();
    repo.write("report.json", format!("{{\"old\": \"{key}\"}}\n"));
    let args = ["scan", "--no-history", "--format", "json", "--output", "report.json"];
    run(repo.path(), &args).expect(1);
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(repo.path().join("report.json")).expect("a report")).expect("JSON");
    let places = report["findings"][0]["occurrences"].as_array().expect("places");
    assert!(places.iter().all(|place| place["path"] == "a.env"), "{places:?}");
    // In another run it is a file like any other.
    repo.write("report.json", format!("{{\"old\": \"{key}\"}}\n"));
    let other = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    assert_eq!(super::places(&other), ["a.env", "report.json"]);
    let _ = places;
}

#[test]
fn an_old_report_stays_when_nothing_is_decided() {
    let (repo, _) = leaking();
    let file = repo.outside().join("report.json");
    fs::write(&file, "old").expect("a file");
    run(repo.path(), &["scan", "--rule", "nope", "--output", "../report.json"]).expect(2);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "old");
    let litter = fs::read_dir(repo.outside()).expect("a directory").count();
    assert_eq!(litter, 2, "the repository and the report");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let repo = GitRepo::new();
    // Far more than a pipe holds.
    for number in 0..400 {
        repo.write(format!("f{number}.env"), format!("KEY={}\n", stripe_key(number)));
    }
    let mut child = command(repo.path())
        .args(["scan", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut first = [0; 10];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some output");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "the verdict stays");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn every_sarif_region_read_again_is_the_secret() {
    let repo = GitRepo::new();
    let keys = [stripe_key(1), stripe_key(2), stripe_key(3)];
    let text = format!("plain = {}\n\tünïcödé 🔑 = '{}'\r\n\n🔑🔑{} trailing\n", keys[0], keys[1], keys[2]);
    repo.write("dir with blank/a%b.env", &text);
    let run = run(repo.path(), &["scan", "--no-history", "--format", "sarif"]).expect(1);
    let log = json(&run);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let mut seen = Vec::new();
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "dir%20with%20blank/a%25b.env");
        let region = &place["region"];
        let number = |name: &str| usize::try_from(region[name].as_u64().expect("a number")).expect("small");
        assert_eq!(region["startLine"], region.get("endLine").unwrap_or(&region["startLine"]).clone());
        let line: Vec<u16> =
            text.split('\n').nth(number("startLine") - 1).expect("a line").encode_utf16().collect();
        let cut = &line[number("startColumn") - 1..number("endColumn") - 1];
        seen.push(String::from_utf16(cut).expect("whole characters"));
    }
    seen.sort();
    let mut expected = keys.to_vec();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn colours_follow_the_flag_and_the_terminal() {
    let (repo, _) = leaking();
    let escape = '\u{1b}';
    assert!(!run(repo.path(), &["scan"]).expect(1).stdout.contains(escape), "a pipe is no terminal");
    assert!(run(repo.path(), &["scan", "--color", "always"]).expect(1).stdout.contains(escape));
    assert!(!run(repo.path(), &["scan", "--color", "never"]).expect(1).stdout.contains(escape));
    let json_report = run(repo.path(), &["scan", "--color", "always", "--format", "json"]).expect(1);
    assert!(!json_report.stdout.contains(escape));
    assert!(!places(&json_report).is_empty() && json(&json_report)["findings"].is_array());
}
