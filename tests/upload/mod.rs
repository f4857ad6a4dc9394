//! `keycull upload`, against a code scanning service on loopback that holds to GitHub's limits.

mod service;

use serde_json::{Value, json};

use crate::support::git::GitRepo;
use crate::support::secret::{random, stripe_key};
use crate::support::tool::{Run, command, run};
use service::Service;

/// A token, made up at run time.
fn token() -> String {
    format!("{}_{}", "ghs", random(77, 36))
}

fn upload(repo: &GitRepo, service: &Service, args: &[&str]) -> Run {
    let operator = repo.outside().join("operator.toml");
    let text = format!(
        "schema = 1\n[network]\nloopback_only = true\n[network.loopback]\n\"api.github.com\" = \"{}\"\n",
        service.address()
    );
    std::fs::write(&operator, text).expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&operator, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    }
    let mut command = command(repo.path());
    command
        .env("GITHUB_TOKEN", token())
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GITHUB_SHA", repo.git(&["rev-parse", "HEAD"]))
        .env("GITHUB_REF", "refs/heads/main")
        .args(["upload", "github", "--operator"])
        .arg(&operator)
        .args(args);
    let run: Run = command.output().expect("the program starts").into();
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(&token()), "the token leaked");
    run
}

/// A repository with a key in a file, one in the history, and the report of a scan.
fn scanned() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)))
        .write("b.env", format!("KEY={}\n", stripe_key(2)));
    repo.commit("leak");
    repo.remove("b.env").commit("take away");
    run(repo.path(), &["scan", "--report", "sarif=../keycull.sarif"]).expect(1);
    repo
}

#[test]
fn files_and_history_are_uploads_of_their_own() {
    let repo = scanned();
    let service = Service::start(&[]);
    let sent = upload(&repo, &service, &["../keycull.sarif"]).expect(0);
    assert!(sent.stdout.contains("uploaded keycull/tree/: 1 result, "), "{}", sent.stdout);
    assert!(sent.stdout.contains("uploaded keycull/history/: 1 result, "), "{}", sent.stdout);
    let taken = service.taken();
    assert_eq!(taken.len(), 2);
    for upload in &taken {
        assert_eq!(upload.body["commit_sha"], repo.git(&["rev-parse", "HEAD"]).as_str());
        assert_eq!(upload.body["ref"], "refs/heads/main");
        assert_eq!(upload.authorization, format!("Bearer {}", token()));
    }
    assert!(service.problems().is_empty(), "{:?}", service.problems());
    // A clean report is sent, too: it closes what was open.
    std::fs::write(repo.outside().join("clean.sarif"), log(&[("keycull", "keycull/tree/", 0)]).to_string())
        .expect("a file");
    upload(&repo, &service, &["../clean.sarif"]).expect(0);
    assert_eq!(service.taken().len(), 3);
}

#[test]
fn nothing_is_sent_without_being_asked_for() {
    let repo = scanned();
    let service = Service::start(&[]);
    let dry = upload(&repo, &service, &["../keycull.sarif", "--dry-run"]).expect(0);
    assert!(dry.stdout.contains("would send keycull/tree/: 1 result"), "{}", dry.stdout);
    let offline = upload(&repo, &service, &["../keycull.sarif", "--offline"]).expect(2);
    assert!(offline.stderr.contains("--offline"), "{}", offline.stderr);
    for (args, said) in [
        (&["../gone.sarif"][..], "cannot read"),
        (&["a.env"], "is no JSON"),
        (&["../operator.toml"], "is no JSON"),
        (&["../keycull.sarif", "--repository", "acme"], "is no repository"),
        (&["../keycull.sarif", "--repository", "acme/../shop"], "is no repository"),
        (&["../keycull.sarif", "--commit", "abc"], "is no full object name"),
        (&["../keycull.sarif", "--ref", "main"], "is no ref"),
        (&["../keycull.sarif", "--api", "http://api.github.com"], "is no address"),
        (&["../keycull.sarif", "--api", "https://elsewhere.example"], "elsewhere.example"),
    ] {
        let refused = upload(&repo, &service, args).expect(2);
        assert!(refused.stderr.contains(said), "{args:?}: {}", refused.stderr);
    }
    std::fs::write(repo.outside().join("x.json"), "{}").expect("a file");
    assert!(upload(&repo, &service, &["../x.json"]).expect(2).stderr.contains("no SARIF log"));
    assert_eq!(service.requests(), 0);
    let mut bare = command(repo.path());
    bare.args([
        "upload",
        "github",
        "../keycull.sarif",
        "--repository",
        "a/b",
        "--ref",
        "refs/heads/main",
        "--commit",
    ]);
    bare.arg(repo.git(&["rev-parse", "HEAD"]));
    let bare: Run = bare.output().expect("it starts").into();
    assert!(bare.expect(2).stderr.contains("GITHUB_TOKEN is not set"));
}

#[test]
fn refusals_are_told_in_plain_language() {
    let repo = scanned();
    let echo = format!("you sent {}", token());
    let cases: [(u16, &str, &str); 9] = [
        (401, "Bad credentials", "does not know this token"),
        (403, "Resource not accessible by integration", "security-events: write"),
        (403, "Code Security must be enabled for this repository to use code scanning.", "not switched on"),
        (404, "Not Found", "no acme/shop that this token can see"),
        (413, "Payload Too Large", "refuses the size"),
        (422, "commit not found", "commit not found"),
        (422, &echo, "you sent [redacted]"),
        (400, "Invalid request", "Invalid request"),
        (418, "no coffee", "status 418"),
    ];
    for (status, message, said) in cases {
        // The first requests ask for earlier uploads, one for each driver; then comes the upload.
        let service = Service::start(&[(404, ""), (404, ""), (status, message)]);
        let failed = upload(&repo, &service, &["../keycull.sarif", "--no-wait"]).expect(2);
        assert!(
            failed.stderr.contains(said) && failed.stderr.contains("hint: "),
            "{status}: {}",
            failed.stderr
        );
    }
    let service = Service::start(&[]);
    let address = service.address();
    drop(service);
    let mut nobody = command(repo.path());
    let operator = repo.outside().join("operator.toml");
    nobody
        .env("GITHUB_TOKEN", token())
        .args(["upload", "github", "../keycull.sarif", "--repository", "a/b", "--ref", "refs/heads/main"])
        .args(["--commit", &repo.git(&["rev-parse", "HEAD"]), "--operator"])
        .arg(&operator);
    let text = std::fs::read_to_string(&operator).expect("a file");
    let at = text.rfind(" = \"").expect("an address");
    std::fs::write(&operator, format!("{} = \"{address}\"\n", &text[..at])).expect("a file");
    let failed = Run::from(nobody.output().expect("it starts")).expect(2);
    assert!(failed.stderr.contains("no connection to api.github.com"), "{}", failed.stderr);
}

/// A log with runs of `(driver, category, results)`.
fn log(runs: &[(&str, &str, usize)]) -> Value {
    let run = |(driver, category, results): &(&str, &str, usize)| {
        let result = |n: usize| {
            json!({
                "ruleId": "r",
                "message": {"text": format!("Secret {n}.")},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": format!("f{n}")}, "region": {"startLine": 1}}}]
            })
        };
        let results: Vec<Value> = (0..*results).map(result).collect();
        let text = json!({"text": "A rule."});
        json!({
            "tool": {"driver": {"name": driver, "rules": [{"id": "r", "shortDescription": text, "fullDescription": text, "help": text}]}},
            "automationDetails": {"id": category},
            "results": results
        })
    };
    json!({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": runs.iter().map(run).collect::<Vec<_>>()})
}

mod session {
    //! Below the command line, where time can be handed in.

    use std::sync::Arc;
    use std::time::Duration;

    use keycull::finding::Secret;
    use keycull::net::{Client, Clock as _, ManualClock, NetOptions, Rate};
    use keycull::upload::{Limits, Session, Target, UploadError, Uploaded};

    use super::*;

    fn target() -> Target {
        Target {
            host: "api.github.com".to_owned(),
            port: 443,
            prefix: String::new(),
            repository: "acme/shop".to_owned(),
            commit: "ab".repeat(20),
            reference: "refs/heads/main".to_owned(),
        }
    }

    fn upload(
        service: &Service,
        log: &Value,
        limits: Limits,
    ) -> (Result<Vec<Uploaded>, UploadError>, Duration) {
        let clock = Arc::new(ManualClock::new(0));
        let options = NetOptions {
            loopback: [("api.github.com".to_owned(), service.address())].into(),
            loopback_only: true,
            rate: Rate { burst: 1000, every: Duration::from_millis(1) },
            ..NetOptions::default()
        };
        let client = Client::new(options, clock.clone()).expect("a client");
        let (target, token) = (target(), Secret::new(token()));
        let patience = Duration::from_secs(60);
        let session = Session {
            transport: &client,
            clock: clock.as_ref(),
            target: &target,
            token: &token,
            patience,
            limits,
        };
        let before = clock.steady();
        (session.upload(log), clock.steady().saturating_sub(before))
    }

    #[test]
    fn a_run_beyond_the_limits_is_divided_and_the_service_takes_all() {
        let service = Service::start(&[]);
        let log = log(&[("keycull", "keycull/tree/", 30_000), ("keycull-history", "keycull/history/", 3)]);
        let (sent, _) = upload(&service, &log, Limits::default());
        let told: Vec<_> =
            sent.expect("is taken").into_iter().map(|sent| (sent.category, sent.results)).collect();
        let expected = [("keycull/tree/", 25_000), ("keycull/tree-2/", 5_000), ("keycull/history/", 3)];
        assert_eq!(told, expected.map(|(category, results)| (category.to_owned(), results)));
        assert!(service.problems().is_empty(), "{:?}", service.problems());
        // The service does refuse what exceeds them.
        let (refused, _) = upload(&service, &log, Limits { results: 40_000, bytes: usize::MAX });
        assert!(matches!(refused, Err(UploadError::Invalid { status: 422, .. })), "{refused:?}");
    }

    #[test]
    fn what_a_larger_upload_left_behind_is_emptied() {
        let service = Service::start(&[]);
        let limits = Limits { results: 2, bytes: 1 << 20 };
        upload(&service, &log(&[("keycull", "keycull/tree/", 5)]), limits).0.expect("is taken");
        assert_eq!(
            service.open(),
            [
                ("keycull/tree-2/".to_owned(), 2),
                ("keycull/tree-3/".to_owned(), 1),
                ("keycull/tree/".to_owned(), 2)
            ]
        );
        upload(&service, &log(&[("keycull", "keycull/tree/", 1)]), limits).0.expect("is taken");
        assert_eq!(service.open(), [("keycull/tree/".to_owned(), 1)]);
    }

    #[test]
    fn troubles_of_the_server_are_waited_for_and_not_for_ever() {
        let log = log(&[("keycull", "keycull/tree/", 1)]);
        let service = Service::start(&[(404, ""), (503, ""), (502, ""), (202, "")]);
        upload(&service, &log, Limits::default()).0.expect("is taken in the end");
        let service = Service::start(&[(404, ""), (503, ""), (503, ""), (503, ""), (503, "")]);
        let (failed, waited) = upload(&service, &log, Limits::default());
        assert_eq!(failed, Err(UploadError::Down { status: 503, tries: 4 }));
        assert!(waited >= Duration::from_secs(10) && waited <= Duration::from_secs(60), "{waited:?}");
        let service = Service::start(&[(404, ""), (429, "slow down"), (202, "")]);
        upload(&service, &log, Limits::default()).0.expect("is taken in the end");
    }

    #[test]
    fn an_upload_is_done_when_it_is_processed() {
        let log = log(&[("keycull", "keycull/tree/", 1)]);
        let service = Service::start(&[]);
        service.process("failed");
        let (failed, _) = upload(&service, &log, Limits::default());
        assert!(
            matches!(&failed, Err(UploadError::Failed { said, .. }) if said.contains("made up")),
            "{failed:?}"
        );
        service.process("pending");
        let (slow, waited) = upload(&service, &log, Limits::default());
        assert!(matches!(slow, Err(UploadError::Slow { seconds: 60, .. })), "{slow:?}");
        assert!(waited >= Duration::from_secs(60), "{waited:?}");
    }
}
