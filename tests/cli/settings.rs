//! Flags, variables and configuration files.

use std::fs;

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, command, run};

fn leaking() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)));
    repo
}

/// Runs `scan --no-history ARGS…` with variables set.
fn scan(repo: &GitRepo, variables: &[(&str, &str)], args: &[&str]) -> Run {
    let mut command = command(repo.path());
    command.args(["scan", "--no-history"]).args(args).envs(variables.iter().copied());
    command.output().expect("it runs").into()
}

#[test]
fn flags_beat_variables_beat_the_repository_beats_the_user() {
    let repo = leaking();
    let home = repo.outside().join("home");
    fs::create_dir_all(home.join("keycull")).expect("a directory");
    let user = home.join("keycull/config.toml");
    let home = home.to_str().expect("UTF-8").to_owned();
    let xdg = ("XDG_CONFIG_HOME", home.as_str());

    fs::write(&user, "exclude = [\"*.env\"]\nfail-on = \"critical\"\n").expect("a file");
    scan(&repo, &[xdg], &[]).expect(0);
    scan(&repo, &[xdg], &["--no-config"]).expect(1);
    fs::write(&user, "format = \"json\"\n").expect("a file");
    assert!(scan(&repo, &[xdg], &[]).expect(1).stdout.starts_with('{'));
    repo.write("keycull.toml", "format = \"jsonl\"\n");
    assert!(scan(&repo, &[xdg], &[]).expect(1).stdout.starts_with('{'));
    assert_eq!(scan(&repo, &[xdg], &[]).stdout.lines().count(), 1, "jsonl of the repository wins");
    let sarif = scan(&repo, &[xdg, ("KEYCULL_FORMAT", "sarif")], &[]).expect(1);
    assert!(sarif.stdout.contains("2.1.0"), "the variable wins");
    let text = scan(&repo, &[xdg, ("KEYCULL_FORMAT", "sarif")], &["--format", "text"]).expect(1);
    assert!(!text.stdout.starts_with('{'), "the flag wins");
}

#[test]
fn mistakes_in_the_file_name_file_line_and_the_nearest_key() {
    let repo = leaking();
    repo.write("keycull.toml", "# settings\nexlude = [\"*.env\"]\n");
    let run = scan(&repo, &[], &[]).expect(2);
    assert!(
        run.stderr.contains("keycull.toml:2: unknown key `exlude`, did you mean `exclude`?"),
        "{}",
        run.stderr
    );
    repo.write("keycull.toml", "confidence = [1]\n");
    assert!(scan(&repo, &[], &[]).expect(2).stderr.contains("keycull.toml:1: `confidence` must be a string"));
    repo.write("keycull.toml", "format = \"xml\"\n");
    assert!(scan(&repo, &[], &[]).expect(2).stderr.contains("keycull.toml:1"));
    scan(&repo, &[], &["--no-config"]).expect(1);
    scan(&repo, &[("KEYCULL_NO_CONFIG", "1")], &[]).expect(1);
    assert!(
        scan(&repo, &[("KEYCULL_JOBS", "lots")], &["--no-config"]).expect(2).stderr.contains("KEYCULL_JOBS")
    );
}

#[test]
fn a_named_file_takes_the_place_of_the_repository_s() {
    let repo = leaking();
    repo.write("keycull.toml", "nonsense\n");
    fs::write(repo.outside().join("other.toml"), "exclude = [\"*.env\"]\n").expect("a file");
    scan(&repo, &[], &["--config", "../other.toml"]).expect(0);
    scan(&repo, &[("KEYCULL_CONFIG", "../other.toml")], &[]).expect(0);
    scan(&repo, &[], &["--config", "../none.toml"]).expect(2);
}

#[test]
fn a_misspelt_variable_is_a_warning() {
    let run = scan(&leaking(), &[("KEYCULL_CONFIDENSE", "high")], &[]).expect(1);
    assert!(run.stderr.contains("KEYCULL_CONFIDENSE, did you mean KEYCULL_CONFIDENCE?"), "{}", run.stderr);
}

#[test]
fn rules_in_the_configuration_file_run() {
    let repo = GitRepo::new();
    let secret = format!("{}{}", "acme_", crate::support::secret::random(5, 32));
    repo.write("a.txt", format!("{secret}\n"));
    scan(&repo, &[], &[]).expect(0);
    let rule = "\n[[rule]]\nid = \"acme-key\"\nname = \"Acme key\"\ndescription = \"Opens Acme.\"\nkind = \"token\"\n\
                severity = \"high\"\nprefix = \"acme_\"\nbody = \"[A-Za-z0-9]{32}\"\n";
    repo.write("keycull.toml", format!("jobs = 1\n{rule}"));
    let found = scan(&repo, &[], &["--format", "json"]).expect(1);
    assert!(found.stdout.contains("acme-key"));
    repo.write("keycull.toml", format!("jobs = 1\n{}", rule.replace("token", "tokken")));
    let broken = scan(&repo, &[], &[]).expect(2);
    assert!(broken.stderr.contains("keycull.toml:3: rule `acme-key`"), "{}", broken.stderr);
}

#[test]
fn allow_tables_allow_in_files_and_history_and_name_themselves() {
    let repo = leaking();
    repo.commit("leak");
    let all = |args: &[&str]| {
        let mut words = vec!["scan", "--format", "json"];
        words.extend(args);
        run(repo.path(), &words)
    };
    let table = |conditions: &str| {
        repo.write("keycull.toml", format!("[[allow]]\nreason = \"made up\"\n{conditions}\n"));
    };
    table("paths = [\"*.env\"]\nrules = [\"stripe-*\"]");
    let report = super::json(&all(&[]).expect(0));
    let text = report["findings"].to_string();
    assert!(text.contains("\"keycull.toml:1 [[allow]]\"") && text.contains("made up"), "{text}");
    all(&["--no-allow"]).expect(1);
    table("paths = [\"*.txt\"]");
    let found = super::json(&all(&[]).expect(1));
    let print = found["findings"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    table(&format!("fingerprints = [\"{print}\"]"));
    all(&[]).expect(0);
    table(&format!("fingerprints = [\"{print}\"]\nuntil = 2001-01-01"));
    all(&[]).expect(1);
    table("rules = [\"strype-secret-key\"]");
    let refused = all(&[]).expect(2);
    assert!(refused.stderr.contains("did you mean `stripe-secret-key`?"), "{}", refused.stderr);
}

#[test]
fn init_writes_a_file_that_works_and_never_overwrites() {
    let repo = leaking();
    let sub = repo.path().join("sub");
    fs::create_dir(&sub).expect("a directory");
    run(&sub, &["init"]).expect(0);
    let file = repo.path().join("keycull.toml");
    let text = fs::read_to_string(&file).expect("in the repository's root");
    assert!(text.contains("# confidence = "));
    scan(&repo, &[], &[]).expect(1);
    fs::write(&file, "# mine\n").expect("a file");
    let again = run(repo.path(), &["init"]).expect(2);
    assert!(again.stderr.contains("hint: "));
    assert_eq!(fs::read_to_string(&file).expect("a file"), "# mine\n");
    run(repo.path(), &["init", "sub"]).expect(0);
    run(repo.path(), &["init", "no/such"]).expect(2);
}
