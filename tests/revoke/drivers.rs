//! Generic revokers, and built-in blocks whose requests the mock speaks.

use keycull::finding::{Finding, Secret};
use keycull::mock::{Faults, Kind};
use keycull::revoke::{Allowed, ApplyOptions, ApplyReport, Decision, Outcome, PlanOptions};

use super::stage::{Files, Stage, finding};

fn revoke(stage: &Stage, findings: &[Finding]) -> ApplyReport {
    let plan = stage.plan(findings, &PlanOptions::default());
    assert_eq!(plan.items[0].decision, Decision::Ready, "{plan:?}");
    let report = stage.apply(&Files::of(findings));
    let secrets: Vec<&str> =
        findings.iter().map(|one| std::str::from_utf8(one.secret.expose()).expect("is text")).collect();
    stage.assert_clean(&report, &secrets);
    report
}

/// A key file with `content`, outside the stage's folder so that the search for secrets does not meet it.
fn key_file(content: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, content).expect("is written");
    let text = path.to_str().expect("is text").to_owned();
    (folder, text)
}

#[test]
fn a_webhook_is_signed_and_believed_only_if_told_to() {
    let (_keep, file) = key_file("hook-key\n");
    for (trust, wanted) in [(true, Outcome::Revoked), (false, Outcome::AcceptedUnproven)] {
        let block = format!(
            "[[provider]]\nid = \"acme\"\ndriver = \"webhook\"\nrules = [\"acme-key\"]\nurl = \"https://keys.acme.example/leaks\"\nhmac_key_file = \"{file}\"\ntrust_answer = {trust}\n"
        );
        let stage = Stage::new(&["keys.acme.example"], &block);
        stage.mock.set_webhook_key(b"hook-key");
        let key = stage.mock.issue(Kind::Oauth, 1);
        let report = revoke(&stage, &[finding("acme-key", &key.secret, "a.env")]);
        assert_eq!(report.items[0].outcome, wanted, "{report:?}");
        assert!(!stage.mock.is_live(&key.secret));
    }
}

#[test]
fn a_wrong_webhook_key_is_a_refusal() {
    let (_keep, file) = key_file("another-key");
    let block = format!(
        "[[provider]]\nid = \"acme\"\ndriver = \"webhook\"\nrules = [\"acme-key\"]\nurl = \"https://keys.acme.example/leaks\"\nhmac_key_file = \"{file}\"\n"
    );
    let stage = Stage::new(&["keys.acme.example"], &block);
    stage.mock.set_webhook_key(b"hook-key");
    let key = stage.mock.issue(Kind::Oauth, 1);
    let report = revoke(&stage, &[finding("acme-key", &key.secret, "a.env")]);
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::NotAuthorised, 4));
    assert!(stage.mock.is_live(&key.secret));
}

#[test]
fn the_token_revocation_api_is_spoken() {
    let (_keep, file) = key_file("service-token");
    let block = |kind: &str| {
        format!(
            "[[provider]]\nid = \"tra\"\ndriver = \"gitlab-tra\"\nrules = [\"acme-key\"]\nurl = \"https://tra.acme.example\"\ntoken_file = \"{file}\"\ntoken_type = \"{kind}\"\n"
        )
    };
    let stage = Stage::new(&["tra.acme.example"], &block("drill_key"));
    let key = stage.mock.issue(Kind::Oauth, 1);
    let report = revoke(&stage, &[finding("acme-key", &key.secret, "a.env")]);
    assert_eq!(report.items[0].outcome, Outcome::AcceptedUnproven, "nothing can prove it: {report:?}");
    assert!(!stage.mock.is_live(&key.secret));
    let sent = stage.mock.requests();
    assert!(sent.iter().all(|request| request.header("authorization") == Some("service-token")));
    let stage = Stage::new(&["tra.acme.example"], &block("other_key"));
    let key = stage.mock.issue(Kind::Oauth, 1);
    let report = revoke(&stage, &[finding("acme-key", &key.secret, "a.env")]);
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Unsupported, 4));
    assert_eq!(stage.mock.requests().len(), 1, "the secret was not sent for a type it does not take");
}

#[test]
fn rfc_7009_is_proven_by_introspection() {
    let block = "[[provider]]\nid = \"sso\"\ndriver = \"rfc7009\"\nrules = [\"acme-key\"]\nurl = \"https://sso.acme.example/oauth/revoke\"\nintrospection_url = \"https://sso.acme.example/oauth/introspect\"\n";
    let stage = Stage::new(&["sso.acme.example"], block);
    let key = stage.mock.issue(Kind::Oauth, 1);
    let report = revoke(&stage, &[finding("acme-key", &key.secret, "a.env")]);
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Revoked, 0), "{report:?}");
    let stage = Stage::new(&["sso.acme.example"], block);
    let key = stage.mock.issue(Kind::Oauth, 1);
    stage.mock.set_faults(Faults { ignore_mutation: true, ..Faults::default() });
    let report = revoke(&stage, &[finding("acme-key", &key.secret, "a.env")]);
    assert_eq!(report.items[0].outcome, Outcome::AcceptedUnproven, "200 proves nothing");
}

#[cfg(unix)]
#[test]
fn a_command_gets_the_secret_on_its_input_alone() {
    let (_keep, seen) = key_file("");
    let cases =
        [(0, Outcome::Revoked), (10, Outcome::AlreadyDead), (11, Outcome::Unsupported), (3, Outcome::Failed)];
    for (code, wanted) in cases {
        let block = format!(
            "[[provider]]\nid = \"cmd\"\ndriver = \"exec\"\nrules = [\"acme-key\"]\nargv = [\"/bin/sh\", \"-c\", \"cat > {seen}; echo $0; exit {code}\"]\ntrust_answer = true\n"
        );
        let stage = Stage::new(&[], &block);
        let secret = format!("acme_{}", "q7Wm2Zt9".repeat(4) + "Ab3");
        let report = revoke(&stage, &[finding("acme-key", &secret, "a.env")]);
        assert_eq!(report.items[0].outcome, wanted, "{report:?}");
        assert_eq!(std::fs::read_to_string(&seen).expect("was written"), secret);
    }
}

#[test]
fn a_client_can_prove_itself_by_its_own_key() {
    let pem = std::process::Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .expect("openssl runs");
    let (_keep, file) = key_file(&String::from_utf8(pem.stdout).expect("is PEM"));
    let block = format!(
        "[[provider]]\nid = \"oauth\"\ndriver = \"rfc7009\"\nrules = [\"acme-key\"]\nurl = \"https://id.acme.example/oauth/revoke\"\nintrospection_url = \"https://id.acme.example/oauth/introspect\"\nclient_auth = \"private_key_jwt\"\nclient_id = \"responder\"\nclient_key_file = \"{file}\"\nclient_key_id = \"k1\"\n"
    );
    let stage = Stage::new(&["id.acme.example"], &block);
    let key = stage.mock.issue(Kind::Oauth, 1);
    let report = revoke(&stage, &[finding("acme-key", &key.secret, "a.env")]);
    assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
    for request in stage.mock.requests() {
        let body = String::from_utf8(request.body).expect("a form");
        let value = |key: &str| body.split('&').find_map(|pair| pair.strip_prefix(key)).unwrap_or_default();
        assert_eq!(value("client_id="), "responder");
        assert!(value("client_assertion_type=").ends_with("jwt-bearer"), "{body}");
        let assertion = value("client_assertion=");
        let payload = assertion.split('.').nth(1).expect("three parts");
        let payload = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload);
        let claims: serde_json::Value = serde_json::from_slice(&payload.expect("base64")).expect("JSON");
        assert_eq!((&claims["iss"], &claims["sub"]), (&"responder".into(), &"responder".into()));
        let audience = claims["aud"].as_str().expect("one");
        assert_eq!(audience, format!("https://id.acme.example{}", request.target));
        assert!(claims["exp"].as_i64() > claims["iat"].as_i64() && claims["jti"].is_string());
    }
}

#[test]
fn github_takes_a_batch_and_dies_later() {
    let stage = Stage::new(&["api.github.com"], "");
    let keys: Vec<_> = (0..3).map(|seed| stage.mock.issue(Kind::Github, seed)).collect();
    let other = stage.mock.issue(Kind::Github, 99);
    let findings: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(at, key)| finding("github-pat", &key.secret, &format!("{at}.env")))
        .collect();
    stage.plan(&findings, &PlanOptions::default());
    stage.mock.set_faults(Faults { slow: 2, ..Faults::default() });
    let report = stage.apply(&Files::of(&findings));
    assert!(report.items.iter().all(|item| item.outcome == Outcome::Revoked), "{report:?}");
    let posts: Vec<_> =
        stage.mock.requests().into_iter().filter(|request| request.method == "POST").collect();
    assert_eq!(posts.len(), 1, "one request for all three");
    assert_eq!(posts[0].header("authorization"), None, "it must not be authenticated");
    assert!(stage.mock.is_live(&other.secret));
}

/// 202 is a receipt and no death certificate.
#[test]
fn githubs_yes_is_not_believed() {
    let stage = Stage::new(&["api.github.com"], "");
    let key = stage.mock.issue(Kind::Github, 1);
    let findings = [finding("github-pat", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    stage.mock.set_faults(Faults { ignore_mutation: true, ..Faults::default() });
    let report = stage.apply(&Files::of(&findings));
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::AcceptedUnproven, 3), "{report:?}");
    assert!(report.items[0].reason.contains("still live"), "{report:?}");
    assert!(stage.mock.is_live(&key.secret));
}

#[test]
fn gitlab_revokes_itself() {
    let stage = Stage::new(&["gitlab.com"], "");
    let key = stage.mock.issue(Kind::Gitlab, 1);
    let report = revoke(&stage, &[finding("gitlab-pat", &key.secret, "a.env")]);
    assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
    let stage =
        Stage::new(&["git.acme.example", "gitlab.com"], "[base]\ngitlab = \"https://git.acme.example\"\n");
    let key = stage.mock.issue(Kind::Gitlab, 1);
    revoke(&stage, &[finding("gitlab-pat", &key.secret, "a.env")]);
    let hosts = stage.mock.requests();
    assert!(
        hosts
            .iter()
            .all(|request| request.header("host").is_some_and(|host| host.starts_with("git.acme.example")))
    );
}

#[test]
fn an_administrator_revokes_by_value() {
    let stage = Stage::new(&["gitlab.com"], "");
    let key = stage.mock.issue(Kind::Gitlab, 1);
    let findings = [finding("gitlab-pat", &key.secret, "a.env")];
    let admin = PlanOptions { admin: true, ..PlanOptions::default() };
    let plan = stage.plan(&findings, &admin);
    assert!(
        matches!(&plan.items[0].decision, Decision::Manual(why) if why.contains("gitlab-admin")),
        "{plan:?}"
    );

    // The file is read when the key is killed, so it can name a key this mock has issued.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("admin");
    let stage =
        Stage::new(&["gitlab.com"], &format!("[credentials]\ngitlab-admin = \"{}\"\n", file.display()));
    let (key, boss) = (stage.mock.issue(Kind::Gitlab, 1), stage.mock.issue(Kind::Gitlab, 2));
    std::fs::write(&file, format!("{}\n", boss.secret)).expect("is written");
    let findings = [finding("gitlab-pat", &key.secret, "a.env")];
    let plan = stage.plan(&findings, &admin);
    assert_eq!(plan.items[0].action.as_ref().map(|action| action.class.as_str()), Some("admin"));
    let own = ApplyOptions { allow: Allowed::OwnKey, ..super::stage::yes() };
    let report = stage.apply_cut(&Files::of(&findings), &own, &|_| false).expect("is decided");
    assert_eq!(report.items[0].outcome, Outcome::Refused, "--allow self stops it");
    let report = stage.apply(&Files::of(&findings));
    assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
    assert!(!stage.mock.is_live(&key.secret) && stage.mock.is_live(&boss.secret));
    stage.assert_clean(&report, &[&key.secret, &boss.secret]);
}

/// The three partitions of AWS.
const AWS: [&str; 6] = [
    "iam.amazonaws.com",
    "sts.amazonaws.com",
    "iam.us-gov.amazonaws.com",
    "sts.us-gov-west-1.amazonaws.com",
    "iam.cn-north-1.amazonaws.com.cn",
    "sts.cn-north-1.amazonaws.com.cn",
];

#[test]
fn a_key_of_another_aws_partition_is_found_live_and_revoked_there() {
    // Only the partition for governments is this mock's; the first one does not know its keys.
    let first = keycull::mock::MockProvider::start(0, Faults::default()).expect("a port");
    let stage = Stage::new(
        &AWS[2..],
        &format!(
            "[network.loopback]\n\"sts.amazonaws.com\" = \"{0}\"\n\"iam.amazonaws.com\" = \"{0}\"\n",
            first.address()
        ),
    );
    let key = stage.mock.issue(Kind::Aws, 1);
    let secret = finding("aws-secret-access-key", &key.companion, "a.env");
    let mut id = finding("aws-access-key-id", &key.secret, "a.env");
    id.companions = vec![secret.fingerprint.clone()];
    let findings = [id, secret];
    let only = PlanOptions { only: ["aws-access-key-id".to_owned()].into(), ..PlanOptions::default() };
    let plan = stage.plan(&findings, &only);
    assert_eq!(plan.items[0].action.as_ref().expect("one").provider, "aws-us-gov-access-key");
    let report = stage.apply(&Files::of(&findings));
    assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
    assert!(!stage.mock.is_live(&key.secret));
    let asked = first.requests();
    assert!(!asked.is_empty(), "the first partition was asked");
    assert!(
        asked.iter().all(|request| String::from_utf8_lossy(&request.body).contains("GetCallerIdentity")),
        "nothing was to be changed there"
    );
}

#[test]
fn a_key_of_aws_is_deleted_only_on_request() {
    for (delete, action) in [(false, "UpdateAccessKey"), (true, "DeleteAccessKey")] {
        let stage = Stage::new(&AWS, "");
        let (key, other) = (stage.mock.issue(Kind::Aws, 1), stage.mock.issue(Kind::Aws, 2));
        let secret = finding("aws-secret-access-key", &key.companion, "a.env");
        let mut id = finding("aws-access-key-id", &key.secret, "a.env");
        id.companions = vec![secret.fingerprint.clone()];
        let findings = [id, secret];
        let only = ["aws-access-key-id".to_owned()].into();
        let plan = stage.plan(&findings, &PlanOptions { only, delete, ..PlanOptions::default() });
        assert_eq!(plan.items[0].action.as_ref().map(|action| action.reversible), Some(!delete));
        let report = stage.apply(&Files::of(&findings));
        assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
        let sent: Vec<String> =
            stage.mock.requests().iter().map(|r| String::from_utf8_lossy(&r.body).into_owned()).collect();
        let changes = sent.iter().filter(|body| !body.contains("GetCallerIdentity"));
        assert!(
            changes.clone().count() == 1 && changes.clone().all(|body| body.contains(action)),
            "{action}"
        );
        assert!(!stage.mock.is_live(&key.secret) && stage.mock.is_live(&other.secret));
    }
}

#[test]
fn aws_turns_the_leaked_key_off_and_no_other() {
    let stage = Stage::new(&AWS, "");
    let (key, other) = (stage.mock.issue(Kind::Aws, 1), stage.mock.issue(Kind::Aws, 2));
    let secret = finding("aws-secret-access-key", &key.companion, "a.env");
    let mut id = finding("aws-access-key-id", &key.secret, "a.env");
    id.companions = vec![secret.fingerprint.clone()];
    let report = {
        let findings = [id.clone(), secret.clone()];
        let plan = stage.plan(
            &findings,
            &PlanOptions { only: ["aws-access-key-id".to_owned()].into(), ..PlanOptions::default() },
        );
        assert_eq!(plan.items.len(), 1);
        assert_eq!(plan.items[0].account.as_deref(), Some("123456789012"));
        assert!(plan.items[0].action.as_ref().is_some_and(|action| action.reversible));
        stage.apply(&Files::of(&findings))
    };
    assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
    assert!(!stage.mock.is_live(&key.secret) && stage.mock.is_live(&other.secret));
    stage.assert_clean(&report, &[&key.companion]);
    // The id of one key with the secret of another is no pair, and proves nothing.
    let stage = Stage::new(&AWS, "");
    let (key, other) = (stage.mock.issue(Kind::Aws, 1), stage.mock.issue(Kind::Aws, 2));
    let wrong = finding("aws-secret-access-key", &other.companion, "a.env");
    let mut id = finding("aws-access-key-id", &key.secret, "a.env");
    id.companions = vec![wrong.fingerprint.clone()];
    let plan = stage.plan(
        &[id, wrong],
        &PlanOptions { only: ["aws-access-key-id".to_owned()].into(), ..PlanOptions::default() },
    );
    assert!(matches!(&plan.items[0].decision, Decision::Refused(_)), "{:?}", plan.items[0].decision);
    let _ = Secret::new("");
}
