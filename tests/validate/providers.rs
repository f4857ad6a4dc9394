//! Every built-in block against scripted answers: no request leaves its hosts; pages, redirects
//! and faults prove nothing; every answer it names is understood.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Mutex;

use keycull::finding::{Checksum, Fingerprint, Secret, Validation};
use keycull::net::{ManualClock, NetError, Request, Response, Transport};
use keycull::rule::provider::{Condition, Expect, Origin, PartFrom, Provider, Step, TakeFrom, Word};
use keycull::validate::{Address, Operator, Providers, Subject, Validator, Values, Wire, run};
use serde_json::{Value, json};

/// Where self-hosted providers are in these tests.
const SELF_HOSTED: &str = "self-hosted.example";
/// A value that looks like nobody's key.
const SECRET: &str = concat!("q8Zt2mW4vR", "7yL1pK9sXd", "q8Zt2mW4vR", "7yL1pK9sXd");

/// Gives the scripted answers in turn (the last one for ever) and notes the hosts.
struct Script {
    answers: Mutex<Vec<Response>>,
    hosts: Mutex<Vec<String>>,
}

impl Script {
    fn new(answers: Vec<Response>) -> Self {
        Self { answers: Mutex::new(answers), hosts: Mutex::default() }
    }
}

/// An answer that would lead elsewhere, too.
fn reply(status: u16, body: &str) -> Response {
    let headers = vec![("location".to_owned(), "https://evil.example/".to_owned())];
    Response { status, headers, body: body.as_bytes().to_vec().into() }
}

impl Transport for Script {
    fn send(&self, request: &Request) -> Result<Response, NetError> {
        self.hosts.lock().expect("is whole").push(request.host.clone());
        let mut answers = self.answers.lock().expect("is whole");
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}

/// An operator who names one server for every provider that can be self-hosted.
fn operator() -> Operator {
    let address = Address::parse(&format!("https://{SELF_HOSTED}")).expect("is one");
    let bases = Providers::builtin().all().iter().filter_map(|provider| provider.base.as_ref());
    Operator {
        bases: bases.map(|base| (base.name.clone(), address.clone())).collect(),
        ..Operator::default()
    }
}

/// A value in the form the block wants: GCP needs a real RSA key, made once by `openssl`.
fn sample(provider: &Provider) -> Secret {
    if provider.parse_json {
        let key = std::process::Command::new("openssl")
            .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
            .output()
            .expect("openssl runs");
        let key = String::from_utf8(key.stdout).expect("is PEM");
        let leaked = json!({ "private_key": key, "private_key_id": "ab12", "client_email": "a@b.example", "project_id": "p" });
        return Secret::new(leaked.to_string());
    }
    let long = SECRET.repeat(2);
    let pool = [
        SECRET.to_owned(),
        format!("{}.{}.{}", ["S", "G"].concat(), &SECRET[..22], &long[..43]),
        format!("discord.com/api/webhooks/123456789012345678/{}", &long[..68]),
    ];
    let Some(split) = &provider.split else { return Secret::new(SECRET) };
    let whole = regex::bytes::Regex::new(&format!("^(?:{})$", split.pattern)).expect("was checked");
    let fitting = pool.iter().find(|text| whole.is_match(text.as_bytes()));
    Secret::new(fitting.unwrap_or_else(|| panic!("no sample fits {}", provider.id)).as_str())
}

fn parts(provider: &Provider) -> Vec<(String, Secret)> {
    let near = provider.parts.values().filter_map(|part| match part {
        PartFrom::Own => None,
        PartFrom::Near { rule, .. } => Some(rule.clone()),
        PartFrom::Operator { name } => Some(format!("operator:{name}")),
    });
    near.map(|rule| (rule, Secret::new(SECRET))).collect()
}

fn may_reach(provider: &Provider, host: &str) -> bool {
    provider.hosts.iter().any(|own| own == host) || (provider.base.is_some() && host == SELF_HOSTED)
}

/// Answers that prove nothing, whatever the kind.
const REFUSALS: [(&str, u16, &str); 9] = [
    ("page", 200, "<html><body>Please log in</body></html>"),
    ("redirect 302", 302, ""),
    ("redirect 307", 307, "{}"),
    ("forbidden", 403, "<html>Access denied by the proxy</html>"),
    ("too many", 429, ""),
    ("server error", 500, "{}"),
    ("bad gateway", 502, "<html></html>"),
    ("unavailable", 503, "<html></html>"),
    ("teapot", 418, "teapot"),
];

/// Asks about a sample of `provider` by `steps` (its own check if none), with these answers; no other host is asked.
fn ask(provider: &Provider, steps: Option<&[Step]>, answers: Vec<Response>) -> Validation {
    let (operator, clock) = (operator(), ManualClock::new(1_800_000_000));
    let (secret, script) = (sample(provider), Script::new(answers));
    let info = crate::revoke::stage_rule(&provider.rules[0]);
    let fingerprint = Fingerprint::of(&secret, false, None);
    let subject = Subject {
        rule: &info,
        secret: &secret,
        fingerprint: &fingerprint,
        checksum: Checksum::Absent,
        document: None,
        parts: parts(provider),
    };
    let wire = Wire { transport: &script, clock: &clock };
    let validator = Validator::new(Providers::builtin(), &operator, wire);
    let checked = match steps {
        Some(steps) => validator.check_with(provider, steps, &subject),
        None => validator.check_at(provider, &subject),
    };
    let hosts = script.hosts.into_inner().expect("is whole");
    assert!(hosts.iter().all(|host| may_reach(provider, host)), "{}: {hosts:?}", provider.id);
    assert!(!hosts.is_empty(), "{}: was not asked", provider.id);
    checked.validation
}

/// Answers that lead through `steps` to each outcome that says `word`.
fn leading_to(steps: &[Step], word: Word) -> Vec<Vec<Response>> {
    let mut all = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let before = || steps[..index].iter().map(|step| answer(&step.need[0], Some(step)));
        let ends = step.outcomes.iter().filter(|outcome| outcome.is == word);
        all.extend(ends.map(|outcome| before().chain([answer(&outcome.when, None)]).collect()));
    }
    all
}

/// Live, dead, and all that proves nothing: every kind runs every row.
#[test]
fn every_kind_holds_the_whole_table() {
    let wanted: BTreeSet<&str> = REFUSALS.iter().map(|(row, ..)| *row).chain(["live", "dead"]).collect();
    let mut kinds = 0;
    for provider in Providers::builtin().all() {
        let Some(validate) = &provider.validate else { continue };
        let mut held = BTreeSet::new();
        for (row, status, body) in REFUSALS {
            let said = ask(provider, None, vec![reply(status, body)]);
            assert!(matches!(said, Validation::Unknown(_)), "{} {row}: {said:?}", provider.id);
            held.insert(row);
        }
        for answers in leading_to(&validate.steps, Word::Live) {
            let said = ask(provider, None, answers);
            assert!(matches!(said, Validation::Live(_)), "{} live: {said:?}", provider.id);
            held.insert("live");
        }
        // Where another server's key looks the same as a dead one, only the check after the deed says dead.
        let posts =
            provider.ways().filter_map(|(_, way)| way.post.as_ref()).map(|post| Some(&post.steps[..]));
        for steps in [None].into_iter().chain(posts) {
            for answers in leading_to(steps.unwrap_or(&validate.steps), Word::Dead) {
                let said = ask(provider, steps, answers);
                assert!(matches!(said, Validation::Dead(_)), "{} dead: {said:?}", provider.id);
                held.insert("dead");
            }
        }
        assert_eq!(held, wanted, "{}: some rows were not run", provider.id);
        kinds += usize::from(provider.sibling_of.is_none());
    }
    assert!(kinds >= 60, "{kinds} kinds");
}

/// Puts `value` at a JSON pointer, making what is missing on the way.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let Some((first, rest)) = pointer.strip_prefix('/').map(|p| p.split_once('/').unwrap_or((p, ""))) else {
        if document.is_null() {
            *document = value;
        }
        return;
    };
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    let inner = if first == "0" {
        if !document.is_array() {
            *document = json!([null]);
        }
        &mut document[0]
    } else {
        if !document.is_object() {
            *document = json!({});
        }
        &mut document[first]
    };
    if rest.is_empty() { *inner = value } else { put(inner, &rest, value) }
}

fn expected(expect: &Expect) -> Value {
    match expect {
        Expect::Any => json!("something"),
        Expect::OneOf(values) => serde_json::to_value(&values[0]).expect("is a scalar"),
    }
}

/// An answer that meets `condition`, and holds what the step takes.
fn answer(condition: &Condition, step: Option<&Step>) -> Response {
    let mut document = Value::Null;
    for (at, expect) in &condition.json {
        put(&mut document, at, expected(expect));
    }
    for (name, take) in step.iter().flat_map(|step| &step.take) {
        let value = ["0".repeat(32), "0".repeat(36), "token-".repeat(6)];
        let shape = regex::Regex::new(&format!("^(?:{})$", take.pattern)).expect("was checked");
        let value = value
            .iter()
            .find(|value| shape.is_match(value))
            .unwrap_or_else(|| panic!("no sample for {name}"));
        match &take.from {
            TakeFrom::Json(at) => put(&mut document, at, json!(value)),
            TakeFrom::Find { filter, get, .. } => {
                let mut item = Value::Null;
                filter.iter().for_each(|(at, _)| put(&mut item, at, json!(SECRET)));
                put(&mut item, get, json!(value));
                document = json!([{ "id": "somebody else's" }, item]);
            }
        }
    }
    let xml: String = condition
        .xml
        .iter()
        .map(|(name, expect)| format!("<{name}>{}</{name}>", expected(expect).as_str().expect("is text")))
        .collect();
    let body = if xml.is_empty() { document.to_string() } else { xml };
    let headers =
        condition.header.iter().map(|(name, expect)| (name.clone(), expected(expect).to_string())).collect();
    Response { status: *condition.status.first().expect("has one"), headers, body: body.into_bytes().into() }
}

/// Runs `steps` with an answer made for each outcome of each step; the block must say that outcome's word.
fn understands(provider: &Provider, place: &str, steps: &[Step], seen: &mut BTreeMap<&'static str, usize>) {
    let (operator, clock) = (operator(), ManualClock::new(1_800_000_000));
    let secret = sample(provider);
    for (index, step) in steps.iter().enumerate() {
        for outcome in &step.outcomes {
            let before = steps[..index].iter().map(|step| answer(&step.need[0], Some(step)));
            let script = Script::new(before.chain([answer(&outcome.when, None)]).collect());
            let base = provider.base.as_ref().and_then(|base| operator.bases.get(&base.name));
            let mut values = Values::of(provider, &secret, &parts(provider), base).expect("fits");
            let wire = Wire { transport: &script, clock: &clock };
            let mut changes = 0;
            let verdict = run(provider, steps, &mut values, wire, &mut |event| {
                changes += usize::from(matches!(event, keycull::validate::Event::Sending(_)));
                ControlFlow::Continue(())
            });
            assert_eq!(verdict.word, outcome.is, "{} {place} {}: {verdict:?}", provider.id, step.name);
            assert_eq!(changes, usize::from(step.mutates), "{} {place}: changes announced", provider.id);
            let hosts = script.hosts.into_inner().expect("is whole");
            assert!(hosts.iter().all(|host| may_reach(provider, host)), "{}: {hosts:?}", provider.id);
            *seen.entry(outcome.is.as_str()).or_default() += 1;
        }
    }
}

#[test]
fn every_answer_a_block_names_is_understood() {
    let mut seen = BTreeMap::new();
    for provider in Providers::builtin().all() {
        if let Some(validate) = &provider.validate {
            understands(provider, "validate", &validate.steps, &mut seen);
        }
        for (place, revocation) in provider.ways() {
            understands(provider, place, &revocation.steps, &mut seen);
            if let Some(post) = &revocation.post {
                understands(provider, "post", &post.steps, &mut seen);
            }
        }
    }
    assert!(seen["live"] >= 60 && seen["dead"] >= 50 && seen["accepted"] >= 20, "{seen:?}");
}

/// Refusals, faults, pages and redirects as the answer to the request that changes something: none of them is
/// taken for the deed, and a page that a bare status lets through is always followed by a check.
#[test]
fn no_block_takes_refusals_for_deeds() {
    let (operator, clock) = (operator(), ManualClock::new(1_800_000_000));
    let mut asked = 0;
    for provider in Providers::builtin().all() {
        for (place, revocation) in provider.ways() {
            let secret = sample(provider);
            for (_, status, body) in REFUSALS {
                let (last, before) = revocation.steps.split_last().expect("has steps");
                let mut answers: Vec<Response> =
                    before.iter().map(|step| answer(&step.need[0], Some(step))).collect();
                answers.push(reply(status, body));
                let script = Script::new(answers);
                let base = provider.base.as_ref().and_then(|base| operator.bases.get(&base.name));
                let mut values = Values::of(provider, &secret, &parts(provider), base).expect("fits");
                let wire = Wire { transport: &script, clock: &clock };
                let verdict =
                    run(provider, &revocation.steps, &mut values, wire, &mut |_| ControlFlow::Continue(()));
                let deed = matches!(verdict.word, Word::Accepted | Word::AlreadyDead);
                let name = format!("{} {place} {}: {status}: {verdict:?}", provider.id, last.name);
                let proven = provider.validate.is_some() || revocation.post.is_some();
                assert!(!deed || (status == 200 && proven), "{name}");
                let sent = script.hosts.into_inner().expect("is whole").len();
                assert_eq!(sent, revocation.steps.len(), "{name}: a change is sent once, never again");
                asked += 1;
            }
        }
    }
    assert!(asked >= 20 * REFUSALS.len(), "the blocks were really asked: {asked}");
}

#[test]
fn installations_are_asked_in_turn_and_dead_means_dead_everywhere() {
    let (providers, operator, clock) = (Providers::builtin(), operator(), ManualClock::new(1_800_000_000));
    let secret = Secret::new(SECRET);
    let rule = crate::revoke::stage_rule("launchdarkly-access-token");
    let fingerprint = Fingerprint::of(&secret, false, None);
    let ask = |answers: &[u16]| {
        let body = |status: u16| if status == 200 { &b"{\"accountId\":\"a\"}"[..] } else { b"{}" };
        let answers = answers.iter().map(|s| Response {
            status: *s,
            headers: Vec::new(),
            body: body(*s).to_vec().into(),
        });
        let script = Script::new(answers.collect());
        let subject = Subject {
            rule: &rule,
            secret: &secret,
            fingerprint: &fingerprint,
            checksum: Checksum::Absent,
            document: None,
            parts: Vec::new(),
        };
        let wire = Wire { transport: &script, clock: &clock };
        let checked = Validator::new(providers, &operator, wire).check_now(&subject);
        (
            checked.word(),
            checked.provider.unwrap_or_default(),
            script.hosts.into_inner().expect("is whole").len(),
        )
    };
    assert_eq!(ask(&[200]), ("live", "launchdarkly-access-token".to_owned(), 1));
    assert_eq!(ask(&[401, 200]), ("live", "launchdarkly-eu-access-token".to_owned(), 2));
    assert_eq!(ask(&[401, 401, 401]).0, "dead");
    assert_eq!(ask(&[401, 418, 401]).0, "unknown", "one that does not answer may be the one it is live at");
    assert_eq!(ask(&[418, 401, 200]).0, "live");
}

#[test]
fn the_built_in_set_is_as_wide_as_promised() {
    let all = Providers::builtin().all();
    // Installations of one provider are one kind.
    let kinds = || all.iter().filter(|provider| provider.sibling_of.is_none());
    let checked = kinds().filter(|provider| provider.validate.is_some()).count();
    let safe = |provider: &&Provider| provider.revoke.as_ref().is_some_and(|revoke| revoke.binding.is_safe());
    let revocable = kinds().filter(safe).count();
    let mut out = std::io::stdout().lock();
    std::io::Write::write_all(
        &mut out,
        format!("{checked} kinds can be checked, {revocable} of them can be revoked\n").as_bytes(),
    )
    .expect("is told");
    assert!(checked >= 60, "{checked} kinds can be checked");
    assert!(revocable >= 20, "{revocable} kinds can be revoked");
    let registries = ["npmjs", "pypi", "crates", "rubygems"];
    for provider in all {
        assert!(!provider.references.is_empty(), "{}", provider.id);
        let named = |host: &String| registries.iter().any(|registry| host.contains(registry));
        assert!(!provider.hosts.iter().any(named), "{}: a package registry", provider.id);
        let steps = provider.validate.iter().flat_map(|validate| &validate.steps);
        for step in steps {
            assert!(matches!(step.request.url.origin, Origin::Host(_) | Origin::Base));
            assert!(!step.outcomes.iter().any(|outcome| outcome.is == Word::Accepted), "{}", provider.id);
        }
    }
}

#[test]
fn every_rule_a_block_serves_exists() {
    let rules = keycull::rule::RuleSet::builtin();
    let mut missing = Vec::new();
    for provider in Providers::builtin().all() {
        let near = provider.parts.values().filter_map(|part| match part {
            PartFrom::Own | PartFrom::Operator { .. } => None,
            PartFrom::Near { rule, .. } => Some(rule),
        });
        for id in provider.rules.iter().chain(near).filter(|id| rules.by_id(id).is_none()) {
            missing.push(format!("{}: {id}", provider.id));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
