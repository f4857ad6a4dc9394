//! The drill with a scanner that looks at the work tree alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::sync::atomic::AtomicBool;

use keycull::engine::Engine;
use keycull::finding::{Checksum, Finding, RuleInfo, Secret};
use keycull::mock::drill::{Scanner, drill, drill_rule};
use keycull::pipeline::{Facts, ScanRequest, Scope, Silent, run};
use keycull::revoke::{Found, Place, PlanOptions, Rescan, SecretSource};
use keycull::rule::Trust;
use keycull::rule::compile::{assemble, parse_file};
use keycull::source::git::Repository;
use keycull::source::git::objects::ObjectOptions;
use keycull::source::tree::TreeOptions;
use keycull::triage::TriageOptions;

use super::stage;

struct WorkTree;

struct Reader(PathBuf);

fn keys(text: &str) -> Vec<String> {
    let pattern = regex::Regex::new("drill_[0-9A-Za-z]{36}").expect("is a pattern");
    pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

impl Scanner for WorkTree {
    fn scan(&self, folder: &Path) -> Result<Vec<Finding>, String> {
        let mut findings = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let name = path.file_name().expect("has a name").to_string_lossy().into_owned();
            findings.extend(keys(&text).iter().map(|key| stage::finding("drill-key", key, &name)));
        }
        Ok(findings)
    }

    fn source(&self, folder: &Path) -> Box<dyn SecretSource + '_> {
        Box::new(Reader(folder.to_owned()))
    }
}

impl SecretSource for Reader {
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>> {
        Some(stage::rule(id))
    }

    fn read(&self, _: &str, place: &Place) -> Result<Vec<Found>, String> {
        let path = self.0.join(place.path.as_ref().ok_or("no path")?);
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let found = |key: &String| Found {
            secret: Secret::new(key.as_str()),
            checksum: Checksum::Passed,
            document: None,
        };
        Ok(keys(&text).iter().map(found).collect())
    }
}

#[test]
fn the_drill_passes_with_a_cut_at_every_point() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = drill(folder.path(), &WorkTree, 7).expect("is held");
    assert!(report.passed(), "{:#?}", report.checks);
    assert_eq!(report.cuts, 6, "each point was reached and cut");
}

/// The real thing: files and history through the engine and triage, and the engine again to read.
struct Real {
    engine: Engine,
}

impl Scanner for Real {
    fn scan(&self, folder: &Path) -> Result<Vec<Finding>, String> {
        let files = Scope::Files { options: TreeOptions::new(folder), tracked: true };
        let scopes = vec![files, Scope::History(ObjectOptions::default())];
        let triage = TriageOptions::new(jiff::civil::date(2026, 6, 15));
        let repository = Some(Repository::open(folder).map_err(|error| error.to_string())?);
        let request = ScanRequest { repository, scopes, ..ScanRequest::new(triage) };
        let report = run(&request, &self.engine, &Silent, &AtomicBool::new(false));
        report.map(|report| report.findings).map_err(|error| error.to_string())
    }

    fn source(&self, folder: &Path) -> Box<dyn SecretSource + '_> {
        let folder = folder.to_owned();
        let read = move |place: &Place| match (&place.kind[..], &place.object) {
            ("file", _) => {
                let path = String::from_utf8(place.path_bytes().ok_or("no path")?).expect("is text");
                std::fs::read(folder.join(path)).map_err(|error| error.to_string())
            }
            (_, Some(object)) => {
                let mut command = crate::support::git::scrubbed_git();
                let output = command.arg("-C").arg(&folder).args(["cat-file", "blob", object]).output();
                Ok(output.map_err(|error| error.to_string())?.stdout)
            }
            (kind, None) => Err(format!("cannot read {kind}")),
        };
        Box::new(Rescan::new(&self.engine, Facts::new(self.engine.rules()).all(), Box::new(read)))
    }
}

#[test]
fn the_drill_passes_with_the_real_scanner() {
    let drafts = parse_file("drill.toml", drill_rule(), Trust::User).expect("is a rule");
    let engine = Engine::with_rules(assemble(drafts, 0).expect("is a set"));
    let folder = tempfile::tempdir().expect("a folder");
    let report = drill(folder.path(), &Real { engine }, 9).expect("is held");
    assert!(report.passed(), "{:#?}", report.checks);
    assert!(report.commit_to_dead < std::time::Duration::from_secs(60), "{:?}", report.commit_to_dead);
}

#[test]
fn a_scanner_that_misses_a_key_fails_the_drill() {
    struct Blind;
    impl Scanner for Blind {
        fn scan(&self, folder: &Path) -> Result<Vec<Finding>, String> {
            WorkTree.scan(folder).map(|mut findings| {
                findings.pop();
                findings
            })
        }
        fn source(&self, folder: &Path) -> Box<dyn SecretSource + '_> {
            WorkTree.source(folder)
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let report = drill(folder.path(), &Blind, 8).expect("is held");
    assert!(!report.passed(), "a key that was not found is still live");
}

#[test]
fn a_service_account_key_is_read_with_the_file_it_stands_in() {
    let pem = std::process::Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .expect("openssl runs");
    let pem = String::from_utf8(pem.stdout).expect("is PEM");
    let file = serde_json::json!({
        "type": "service_account", "project_id": "billing", "private_key_id": "ab12".repeat(10), "private_key": pem,
        "client_email": "ci@billing.iam.gserviceaccount.com", "token_uri": "https://evil.example/",
    });
    let engine = Engine::builtin();
    // Google writes `type` first; the detection rule counts on it.
    let rest = file.to_string().replacen("\"type\":\"service_account\",", "", 1).replacen(
        ",\"type\":\"service_account\"",
        "",
        1,
    );
    let text = rest.replacen('{', "{\"type\": \"service_account\", ", 1);
    let content = format!("// config\nexport default {text};\n");
    let rules = Facts::new(engine.rules()).all();
    let source = Rescan::new(&engine, rules, Box::new(move |_: &Place| Ok(content.clone().into_bytes())));
    let place = Place { kind: "file".to_owned(), path: Some("key.js".to_owned()), ..Place::default() };
    let found = source.read("google-service-account-key", &place).expect("is read").remove(0);
    let document = found.document.expect("the object around it");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(document.expose()).expect("is JSON"), file);

    let mut leaked = stage::finding("google-service-account-key", "x", "key.js");
    leaked.fingerprint = keycull::finding::Fingerprint::of(&found.secret, false, None);
    leaked.secret = found.secret;
    let stage = stage::Stage::new(&["oauth2.googleapis.com", "iam.googleapis.com"], "");
    let plan = stage.plan_from(&[leaked], &PlanOptions::default(), Some(&source));
    // The mock knows no such face: what counts is that the assertion went to Google's own address alone.
    assert_eq!(plan.items[0].verdict, "unknown", "{plan:?}");
    let requests = stage.mock.requests();
    assert!(
        !requests.is_empty() && requests.iter().all(|r| r.header("host") == Some("oauth2.googleapis.com"))
    );
}
