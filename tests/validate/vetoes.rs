//! What never goes out: each kind of it is put to every built-in block, and nothing is sent.

use std::sync::atomic::{AtomicUsize, Ordering};

use keycull::finding::{Checksum, Fingerprint, RuleInfo, Secret};
use keycull::net::{ManualClock, NetError, Request, Response, Transport};
use keycull::validate::{Operator, Providers, Subject, Validator, Wire, aws_account};

/// Counts what is sent, and answers nothing.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Transport for Counter {
    fn send(&self, _: &Request) -> Result<Response, NetError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(NetError::NotSent("nobody is there".to_owned()))
    }
}

/// The verdict on `secret`, why, and how many requests were sent.
fn ask(
    info: &RuleInfo,
    secret: &str,
    checksum: Checksum,
    parts: &[(&str, &str)],
    operator: &Operator,
) -> (&'static str, String, usize) {
    let (secret, clock, counter) = (Secret::new(secret), ManualClock::new(1_800_000_000), Counter::default());
    let fingerprint = Fingerprint::of(&secret, false, None);
    let subject = Subject {
        rule: info,
        secret: &secret,
        fingerprint: &fingerprint,
        checksum,
        document: None,
        parts: parts.iter().map(|(rule, part)| ((*rule).to_owned(), Secret::new(*part))).collect(),
    };
    let wire = Wire { transport: &counter, clock: &clock };
    let checked = Validator::new(Providers::builtin(), operator, wire).check(&subject);
    (checked.word(), checked.reason, counter.0.load(Ordering::SeqCst))
}

/// A value no block takes for a sample.
fn value() -> String {
    ["q8Zt2mW4vR", "7yL1pK9sXd"].concat().repeat(2)
}

#[test]
fn what_must_not_go_out_does_not() {
    let nobody = Operator::default();
    let mut forbidding = Operator::default();
    let mut served = 0;
    for provider in Providers::builtin().all().iter().filter(|provider| provider.validate.is_some()) {
        let id = provider.rules[0].as_str();
        let info = RuleInfo::clone(&crate::revoke::stage_rule(id));
        let refused = |info: &RuleInfo, secret: &str, checksum: Checksum, operator: &Operator, why: &str| {
            let (word, reason, sent) = ask(info, secret, checksum, &[], operator);
            assert_eq!((word, sent), ("not-attempted", 0), "{id}: {reason}");
            assert!(reason.contains(why), "{id}: {reason}");
        };
        refused(&info, &value(), Checksum::Failed, &nobody, "checksum is wrong");
        let public = RuleInfo { public: true, ..info.clone() };
        refused(&public, &value(), Checksum::Absent, &nobody, "public by design");
        for generic in
            [RuleInfo { kind: "generic", ..info.clone() }, RuleInfo { guessable: true, ..info.clone() }]
        {
            refused(&generic, &value(), Checksum::Passed, &nobody, "another system's password");
        }
        for sample in ["tok_your_key_here_please", "tok_EXAMPLEEXAMPLE1", &format!("tok_{}", "0".repeat(30))]
        {
            refused(&info, sample, Checksum::Absent, &nobody, "placeholder");
        }
        forbidding.never_validate = [id.to_owned()].into();
        refused(&info, &value(), Checksum::Absent, &forbidding, "forbids it");
        served += 1;
    }
    assert!(served >= 60, "{served} blocks were tried");
}

/// The same key with the same secret is asked about once its account is no trap.
#[test]
fn traps_are_left_alone() {
    let info = RuleInfo::clone(&crate::revoke::stage_rule("aws-access-key-id"));
    let id = ["AK", "IA", "Q3EGR7TZ", "W5NBK2HD"].concat();
    let account = aws_account(id.as_bytes()).expect("carries one");
    let secret = value();
    let parts = [("aws-secret-access-key", secret.as_str())];
    let traps = Operator { canary_accounts: [format!("{account:012}")].into(), ..Operator::default() };
    let (word, reason, sent) = ask(&info, &id, Checksum::Absent, &parts, &traps);
    assert_eq!((word, sent), ("not-attempted", 0), "{reason}");
    assert!(reason.contains("canary"), "{reason}");
    let (word, reason, sent) = ask(&info, &id, Checksum::Absent, &parts, &Operator::default());
    assert_eq!(word, "unknown", "{reason}");
    assert!(sent > 0, "{reason}");
}
