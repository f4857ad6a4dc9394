//! Two halves of one credential: told once, known by either half, never lost.

use crate::support::git::GitRepo;
use crate::support::secret::random;
use crate::support::tool::run;

use super::json;

/// A made-up AWS key id and its secret.
fn pair() -> (String, String) {
    let id = format!(
        "{}{}",
        "AKIA",
        random(7, 64).to_uppercase().replace(['0', '1', '8', '9'], "")[..16].to_owned()
    );
    (id, random(8, 40))
}

fn credentials() -> String {
    let (id, secret) = pair();
    format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

#[test]
fn a_key_id_is_told_with_its_secret() {
    let repo = GitRepo::new();
    repo.write("credentials", credentials()).commit("keys");
    let report = json(&run(repo.path(), &["scan", "--format", "json"]).expect(1));
    assert_eq!(report["summary"]["findings"], 1, "{report:#}");
    let whole = &report["findings"][0];
    assert_eq!(whole["rule"], "aws-secret-access-key");
    let half = &whole["components"][0];
    assert_eq!(half["rule"], "aws-access-key-id");
    assert_eq!(half["occurrences"][0]["start"]["line"], 2);
    let text = run(repo.path(), &["scan"]).expect(1).stdout;
    assert!(text.contains("other half   AWS access key id") && text.contains("in line 2"), "{text}");
    // Either fingerprint leads to it.
    let print = half["fingerprint"].as_str().expect("a fingerprint");
    let told = run(repo.path(), &["explain", print]).expect(0).stdout;
    assert!(told.contains("told as a part of aws-secret-access-key"), "{told}");
    // Keys are dealt with by either half as before.
    let file = repo.outside().join("found.jsonl");
    run(repo.path(), &["scan", "--format", "jsonl", "-o", &file.to_string_lossy()]).expect(1);
    let plan = run(repo.path(), &["revoke", "plan", &file.to_string_lossy(), "--only", "aws-access-key-id"]);
    assert!(plan.stdout.contains("aws-access-key-id"), "{}\n{}", plan.stdout, plan.stderr);
}

#[test]
fn a_baseline_knows_both_halves_wherever_they_stand() {
    let repo = GitRepo::new();
    repo.write("credentials", credentials()).commit("keys");
    let made = run(repo.path(), &["baseline", "create"]).expect(0);
    assert!(made.stdout.contains("with 2 entries"), "{}", made.stdout);
    let report = json(&run(repo.path(), &["scan", "--format", "json", "--fail-on-stale"]).expect(0));
    assert_eq!(report["inert_suppressions"].as_array().map(Vec::len), Some(0));
    repo.write("credentials", format!("aws_access_key_id = {}\n", pair().0));
    run(repo.path(), &["scan", "--no-history"]).expect(0);
    // Without the secret's entry the secret is new, and the id stays known.
    let name = repo.path().join("keycull.baseline.toml");
    let file = std::fs::read_to_string(&name).expect("a baseline");
    let entries: Vec<&str> = file.split("[[finding]]").collect();
    let without = |rule: &str| {
        let kept: Vec<&str> = entries.iter().filter(|entry| !entry.contains(rule)).copied().collect();
        std::fs::write(&name, kept.join("[[finding]]")).expect("is written");
        repo.write("credentials", credentials());
        let report = json(&run(repo.path(), &["scan", "--format", "json", "--no-history"]).expect(1));
        let findings = report["findings"].as_array().expect("findings").clone();
        let told = findings.iter().map(|one| (one["rule"].clone(), one["disposition"]["status"].clone()));
        told.collect::<Vec<_>>()
    };
    assert_eq!(without("aws-secret-access-key"), [("aws-secret-access-key".into(), "new".into())]);
    assert_eq!(
        without("aws-access-key-id"),
        [("aws-access-key-id".into(), "new".into()), ("aws-secret-access-key".into(), "baselined".into())]
    );
}

#[test]
fn history_joins_where_both_stand_and_tells_of_the_rest() {
    let (id, secret) = pair();
    let repo = GitRepo::new();
    repo.write("settings.env", format!("AWS_ACCESS_KEY_ID={id}\n")).commit("the id");
    repo.write("settings.env", format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n"))
        .commit("both");
    repo.write("settings.env", "").commit("neither");
    let report = json(&run(repo.path(), &["scan", "--format", "json"]).expect(1));
    let rules: Vec<&str> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|one| one["rule"].as_str().expect("a rule"))
        .collect();
    assert_eq!(rules.len(), 2, "{report:#}");
    assert!(rules.contains(&"aws-access-key-id") && rules.contains(&"aws-secret-access-key"), "{rules:?}");
    let of = |rule: &str| {
        let all = report["findings"].as_array().expect("findings");
        all.iter().find(|one| one["rule"] == rule).expect("is there").clone()
    };
    assert_eq!(of("aws-access-key-id")["occurrences"].as_array().map(Vec::len), Some(1), "the first version");
    assert_eq!(of("aws-secret-access-key")["components"][0]["occurrences"].as_array().map(Vec::len), Some(1));
    let exit = run(repo.path(), &["scan", "--fail-on", "critical"]);
    exit.expect(1);
}

#[test]
fn what_a_password_opens_is_told_and_nothing_more() {
    let repo = GitRepo::new();
    let password = random(31, 14);
    repo.write(
        "app.yml",
        format!("db:\n  host: db.internal.example\n  user: reporting\n  password: \"{password}\"\n"),
    );
    repo.write("same.yml", format!("db:\n  user: {password}\n  password: \"{password}\"\n"));
    repo.commit("settings");
    let report = json(&run(repo.path(), &["scan", "--format", "json"]).expect(1));
    let places: Vec<&serde_json::Value> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .flat_map(|one| one["occurrences"].as_array().expect("places"))
        .collect();
    let in_file = |name: &str| places.iter().filter(|place| place["path"] == name).collect::<Vec<_>>();
    let told = &in_file("app.yml")[0]["context"];
    assert_eq!((&told["user"], &told["host"]), (&"reporting".into(), &"db.internal.example".into()));
    assert!(in_file("same.yml").iter().all(|place| place.get("context").is_none()));
    let text = run(repo.path(), &["scan"]).expect(1).stdout;
    assert!(text.contains("for reporting at db.internal.example"), "{text}");
}
