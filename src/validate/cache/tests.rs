//! How long a verdict holds, for what, and for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::finding::{
    Checksum, Confidence, CredentialMode, Disposition, Evidence, Finding, Occurrence, Origin, Position,
    Region, RuleInfo, Secret, Severity, Span,
};
use crate::net::{ManualClock, NetError, Request, Response, Transport};
use crate::rule::provider::parse_file;
use crate::validate::{Operator, Providers, Validator, Wire};

/// Two providers that take keys of the same shape; the second one wants an id beside it.
const BLOCKS: &str = r#"
schema = 1
[[provider]]
id = "acme"
rules = ["acme-key", "acme-old-key"]
hosts = ["api.acme.example"]
evidence = "documentation"
references = ["https://acme.example"]
[provider.validate]
request = { method = "GET", url = "https://api.acme.example/me", bearer = true }
outcome = [ { is = "live", status = 200, json = { "/id" = "*" } }, { is = "dead", status = 401 } ]
[[provider]]
id = "other"
rules = ["other-key"]
hosts = ["api.other.example"]
parts = { id = { rule = "other-id", public = true } }
evidence = "documentation"
references = ["https://other.example"]
[provider.validate]
request = { method = "GET", url = "https://api.other.example/{id}", bearer = true }
outcome = [ { is = "live", status = 200, json = { "/id" = "*" } }, { is = "dead", status = 401 } ]
"#;

/// Answers every request with `status`, and counts them.
struct Server {
    status: Mutex<u16>,
    asked: AtomicUsize,
}

impl Server {
    fn saying(status: u16) -> Self {
        Self { status: Mutex::new(status), asked: AtomicUsize::new(0) }
    }

    fn says(&self, status: u16) {
        *self.status.lock().expect("is whole") = status;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Transport for Server {
    fn send(&self, _: &Request) -> Result<Response, NetError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let body = br#"{"id": 7}"#.to_vec();
        Ok(Response {
            status: *self.status.lock().expect("is whole"),
            headers: Vec::new(),
            body: body.into(),
        })
    }
}

fn secret(seed: u8) -> Secret {
    let letter = |at: u8| char::from(b'a' + (at.wrapping_mul(7).wrapping_add(seed.wrapping_mul(11))) % 26);
    Secret::new((0..40).map(letter).collect::<String>())
}

/// A credential and what belongs to it, to make subjects of.
struct Credential {
    rule: RuleInfo,
    secret: Secret,
    fingerprint: Fingerprint,
    parts: Vec<(String, Secret)>,
}

impl Credential {
    fn new(rule_id: &str, seed: u8) -> Self {
        let secret = secret(seed);
        let fingerprint = Fingerprint::of(&secret, false, None);
        Self { rule: RuleInfo::unknown(rule_id), secret, fingerprint, parts: Vec::new() }
    }

    fn with_id(mut self, id: &str) -> Self {
        self.parts.push(("other-id".to_owned(), Secret::new(id)));
        self
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            rule: &self.rule,
            secret: &self.secret,
            fingerprint: &self.fingerprint,
            checksum: Checksum::Absent,
            document: None,
            parts: self.parts.clone(),
        }
    }
}

/// `credential` as a scan finds it.
fn finding(credential: &Credential) -> Finding {
    let at = Position { line: 1, column: 1, column_utf16: 1 };
    let place = Occurrence {
        repository: None,
        origin: Origin::Stdin { name: None },
        path: None,
        object: None,
        span: Span::new(0, 1),
        region: Region { start: at, end: at },
        excerpt: String::new(),
        line_hash: None,
        timeline: None,
        decoded: Vec::new(),
        context: Vec::new(),
        confidence: Confidence::High,
        disposition: Disposition::New,
        notes: Vec::new(),
    };
    Finding {
        rule: Arc::new(credential.rule.clone()),
        fingerprint: credential.fingerprint.clone(),
        secret: credential.secret.clone(),
        redacted: "[redacted]".to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        mode: CredentialMode::Live,
        checksum: Checksum::Absent,
        validation: Validation::NotAttempted,
        companions: Vec::new(),
        components: Vec::new(),
        occurrences: vec![place],
        disposition: Disposition::New,
        notes: Vec::new(),
    }
}

/// A validator over a scripted server, whose clock is moved by hand.
struct Bench {
    providers: Providers,
    operator: Operator,
    server: Server,
    clock: ManualClock,
}

impl Bench {
    fn new(status: u16) -> Self {
        Self {
            providers: Providers::of(parse_file(BLOCKS).expect("passes")),
            operator: Operator::default(),
            server: Server::saying(status),
            clock: ManualClock::new(1_800_000_000),
        }
    }

    fn validator(&self) -> Validator<'_> {
        let wire = Wire { transport: &self.server, clock: &self.clock };
        Validator::new(&self.providers, &self.operator, wire)
    }
}

#[test]
fn a_verdict_is_used_again_for_a_quarter_of_an_hour_and_no_longer() {
    let bench = Bench::new(200);
    let (validator, key) = (bench.validator(), Credential::new("acme-key", 1));
    assert_eq!(validator.check(&key.subject()).word(), "live");
    bench.server.says(401);
    bench.clock.sleep(GOOD_FOR - Duration::from_secs(1));
    assert_eq!((validator.check(&key.subject()).word(), bench.server.asked()), ("live", 1));
    bench.clock.sleep(Duration::from_secs(1));
    assert_eq!((validator.check(&key.subject()).word(), bench.server.asked()), ("dead", 2));
    // A dead key is not asked about again, either, until its time is over.
    bench.clock.sleep(GOOD_FOR / 2);
    assert_eq!((validator.check(&key.subject()).word(), bench.server.asked()), ("dead", 2));
}

/// Set back, a clock must not make a verdict young again; set on, or after a sleep, it is old.
#[test]
fn a_clock_that_jumps_ends_a_verdict() {
    for jump in [-1, -3600, i64::from(i32::MIN), 15 * 60, 86_400 * 400] {
        let bench = Bench::new(200);
        let (validator, key) = (bench.validator(), Credential::new("acme-key", 1));
        assert_eq!(validator.check(&key.subject()).word(), "live");
        bench.clock.jump(jump);
        bench.server.says(401);
        assert_eq!((validator.check(&key.subject()).word(), bench.server.asked()), ("dead", 2), "{jump}");
    }
    let before = Moment { steady: Duration::from_secs(5), wall: 5 };
    assert!(
        !before.is_recent(Moment { steady: Duration::from_secs(4), wall: 5 }),
        "the steady one went back"
    );
    assert!(!before.is_recent(Moment { steady: Duration::from_secs(5), wall: i64::MIN }));
    assert!(
        !Moment { steady: Duration::ZERO, wall: i64::MIN }
            .is_recent(Moment { steady: Duration::ZERO, wall: i64::MAX })
    );
    assert!(before.is_recent(before));
}

#[test]
fn verdicts_belong_to_one_secret_of_one_provider_with_its_parts() {
    let bench = Bench::new(200);
    let validator = bench.validator();
    let mut asked = 0;
    let mut ask = |credential: &Credential, fresh: bool| {
        let rule = validator.check(&credential.subject()).rule;
        assert_eq!(rule, credential.rule.id, "the verdict names the rule that asked");
        asked += usize::from(fresh);
        assert_eq!(bench.server.asked(), asked);
    };
    ask(&Credential::new("acme-key", 1), true);
    ask(&Credential::new("acme-key", 1), false);
    ask(&Credential::new("acme-old-key", 1), false); // the same block, the same key
    ask(&Credential::new("acme-key", 2), true);
    ask(&Credential::new("other-key", 1).with_id("one"), true);
    ask(&Credential::new("other-key", 1).with_id("two"), true);
    ask(&Credential::new("other-key", 1).with_id("one"), false);
    // Without its id nothing can be asked, and nothing is taken over from those that have one.
    let bare = validator.check(&Credential::new("other-key", 1).subject());
    assert_eq!((bare.word(), bench.server.asked()), ("not-attempted", asked));
}

#[test]
fn what_proves_nothing_is_not_kept_and_ends_what_was_known() {
    let bench = Bench::new(418);
    let (validator, key) = (bench.validator(), Credential::new("acme-key", 1));
    for asked in 1..4 {
        assert_eq!((validator.check(&key.subject()).word(), bench.server.asked()), ("unknown", asked));
    }
    bench.server.says(200);
    assert_eq!(validator.check(&key.subject()).word(), "live");
    // Asked in any case, it gives no verdict now; what was true before is no longer told.
    bench.server.says(403);
    assert_eq!(validator.check_now(&key.subject()).word(), "unknown");
    assert_eq!(validator.check(&key.subject()).word(), "unknown");
    let nobodys = Credential::new("nobodys-key", 1);
    assert_eq!(validator.check(&nobodys.subject()).word(), "not-attempted");
}

#[test]
fn no_secret_is_kept() {
    let bench = Bench::new(200);
    let key = Credential::new("other-key", 1).with_id("some-public-id");
    let provider = bench.providers.for_rule("other-key");
    let kept = Key::of(provider, &key.subject());
    let checked = bench.validator().check(&key.subject());
    let all = format!("{kept:?} {checked:?} {}", checked.to_json());
    for piece in [key.secret.expose(), b"some-public-id"] {
        let text = String::from_utf8_lossy(piece);
        assert!(!all.contains(&*text) && !all.contains(&text[8..]), "{all}");
    }
    // Where one part ends and the next begins counts.
    let joined = |parts: [(&str, &str); 2]| {
        let mut key = Credential::new("other-key", 1);
        key.parts = parts.iter().map(|(rule, part)| ((*rule).to_owned(), Secret::new(*part))).collect();
        Key::of(provider, &key.subject())
    };
    assert_ne!(joined([("a", "bc"), ("d", "e")]), joined([("a", "b"), ("cd", "e")]));
}

#[test]
fn many_threads_see_whole_verdicts() {
    let (cache, clock, bench) = (Cache::default(), ManualClock::new(1_800_000_000), Bench::new(200));
    let provider = bench.providers.for_rule("acme-key");
    let of = |seed: u8, status: u16| Checked {
        rule: "acme-key".to_owned(),
        fingerprint: format!("print {seed}"),
        validation: Validation::Live(Evidence { status: Some(status), ..Evidence::default() }),
        reason: format!("reason {seed}"),
        account: None,
        restricted: false,
        provider: None,
    };
    std::thread::scope(|scope| {
        for thread in 0..8_u16 {
            let (cache, clock, of) = (&cache, &clock, &of);
            scope.spawn(move || {
                for round in 0..200_u16 {
                    let seed = (round % 5) as u8;
                    let key = Key::of(provider, &Credential::new("acme-key", seed).subject());
                    cache.put(key.clone(), &of(seed, 200 + thread), clock);
                    let seen = cache.get(&key, clock).expect("is there");
                    assert_eq!(
                        (seen.fingerprint, seen.reason),
                        (format!("print {seed}"), format!("reason {seed}"))
                    );
                }
            });
        }
    });
    assert_eq!(cache.locked().len(), 5);
    // A thread that dies while it holds the lock takes nothing along.
    let died = std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _held = cache.locked();
            panic!("on purpose");
        });
        holder.join().is_err()
    });
    let key = Key::of(provider, &Credential::new("acme-key", 0).subject());
    assert!(died && cache.get(&key, &clock).is_some());
}

/// Forty findings of one key, five at a time: one request. A finding that lacks a part is no answer for one that has it.
#[test]
fn a_key_in_forty_places_is_asked_about_once() {
    let bench = Bench::new(200);
    let findings: Vec<_> = (0..40).map(|_| finding(&Credential::new("acme-key", 1))).collect();
    let checked =
        bench.validator().check_all(&findings, &findings, &HashMap::new(), 5, &AtomicBool::new(false));
    assert!(checked.len() == 40 && checked.iter().all(|one| one.word() == "live"));
    assert_eq!(bench.server.asked(), 1);

    let bare = finding(&Credential::new("other-key", 2));
    let mut whole = bare.clone();
    let mut id = finding(&Credential::new("other-id", 3));
    id.secret = Secret::new("some-id");
    id.fingerprint = Fingerprint::of(&id.secret, false, None);
    whole.companions = vec![id.fingerprint.clone()];
    let all = [bare.clone(), whole.clone(), id];
    let checked =
        bench.validator().check_all(&[bare, whole], &all, &HashMap::new(), 5, &AtomicBool::new(false));
    let words: Vec<&str> = checked.iter().map(Checked::word).collect();
    assert_eq!(words, ["not-attempted", "live"]);
}
