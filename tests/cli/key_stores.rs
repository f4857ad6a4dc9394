//! Key stores and binary keys: found by their content, in files, in history and in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keycull::rule::example::{Rng, expand};

use crate::support::git::GitRepo;
use crate::support::tool::run;

use super::json;

/// A made-up store of a kind that examples know, in base64.
fn store(kind: &str) -> String {
    expand(&format!("${{keystore:{kind}}}"), &|_| String::new(), &mut Rng::seeded(kind)).expect("a kind")
}

fn bytes(kind: &str) -> Vec<u8> {
    STANDARD.decode(store(kind)).expect("base64")
}

/// Rule, path, severity and confidence of each finding.
fn told(report: &serde_json::Value) -> Vec<(String, String, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let findings = report["findings"].as_array().expect("findings");
    let mut told: Vec<_> = findings
        .iter()
        .map(|one| {
            let path = text(&one["occurrences"][0]["path"]);
            (path, text(&one["rule"]), text(&one["severity"]), text(&one["confidence"]))
        })
        .collect();
    told.sort();
    told
}

#[test]
fn stores_are_found_by_what_they_hold() {
    let repo = GitRepo::new();
    repo.write("app/server.p12", bytes("pkcs12"));
    repo.write("app/release.keystore", bytes("jks"));
    repo.write("app/debug.keystore", bytes("jks-debug"));
    repo.write("app/debug-new.keystore", bytes("pkcs12-debug"));
    repo.write("app/cacerts", bytes("jks-certificates"));
    repo.write("app/truststore.p12", bytes("pkcs12-certificates"));
    repo.write("app/secret.jceks", bytes("jceks"));
    repo.write("team.kdbx", bytes("kdbx"));
    repo.write("rsa.der", bytes("pkcs8-rsa"));
    repo.write("old.key", bytes("pkcs1"));
    repo.write("ec.key", bytes("sec1"));
    repo.write("gpg/0123.key", bytes("gnupg"));
    repo.write("gpg/4567.key", bytes("gnupg-protected"));
    let row = |path: &str, rule: &str, severity: &str| {
        (path.to_owned(), rule.to_owned(), severity.to_owned(), "high".to_owned())
    };
    let expected = [
        row("app/debug-new.keystore", "key-store-pkcs12", "info"),
        row("app/debug.keystore", "key-store-jks", "info"),
        row("app/release.keystore", "key-store-jks", "high"),
        row("app/secret.jceks", "key-store-jceks", "high"),
        row("app/server.p12", "key-store-pkcs12", "high"),
        row("ec.key", "private-key-der", "critical"),
        row("gpg/0123.key", "private-key-gnupg", "critical"),
        row("gpg/4567.key", "private-key-gnupg-protected", "medium"),
        row("old.key", "private-key-der", "critical"),
        row("rsa.der", "private-key-der", "critical"),
        row("team.kdbx", "key-store-keepass", "high"),
    ];
    let tree = json(&run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1));
    assert_eq!(told(&tree), expected);
    // What was deleted is in the history.
    repo.commit("stores");
    repo.git(&["rm", "-r", "--quiet", "."]);
    repo.commit("clean up");
    let history = json(&run(repo.path(), &["scan", "--format", "json"]).expect(1));
    assert_eq!(told(&history), expected);
}

#[test]
fn stores_in_base64_are_found_in_text() {
    let repo = GitRepo::new();
    let wrapped: Vec<String> = store("pkcs12")
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    repo.write("secret.yaml", format!("kind: Secret\ndata:\n  tls.p12: {}\n", store("pkcs12-debug")));
    repo.write("store.b64", wrapped.join("\n") + "\n");
    repo.write(".env", format!("SIGNING_KEY={}\n", store("pkcs8-rsa")));
    repo.write("ca.yaml", format!("data:\n  cacerts: {}\n", store("jks-certificates")));
    let report = json(&run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1));
    let rules: Vec<(String, String)> =
        told(&report).into_iter().map(|(path, rule, ..)| (path, rule)).collect();
    let row = |path: &str, rule: &str| (path.to_owned(), rule.to_owned());
    assert_eq!(
        rules,
        [
            row(".env", "private-key-der"),
            row("secret.yaml", "key-store-pkcs12"),
            row("store.b64", "key-store-pkcs12"),
        ]
    );
}
