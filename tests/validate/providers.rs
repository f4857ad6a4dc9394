//! Every built-in block against scripted answers: no request leaves its hosts, and pages, redirects and faults prove nothing.

use std::sync::Mutex;

use keycull::finding::{Checksum, Fingerprint, Secret, Validation};
use keycull::net::{ManualClock, NetError, Request, Response, Transport};
use keycull::validate::{Operator, Providers, Subject, Validator, Wire};

/// Answers everything alike and notes the hosts.
struct Always {
    status: u16,
    body: &'static str,
    hosts: Mutex<Vec<String>>,
}

impl Transport for Always {
    fn send(&self, request: &Request) -> Result<Response, NetError> {
        self.hosts.lock().expect("is whole").push(request.host.clone());
        let headers = vec![("location".to_owned(), "https://evil.example/".to_owned())];
        Ok(Response { status: self.status, headers, body: self.body.as_bytes().to_vec().into() })
    }
}

#[test]
fn no_block_believes_pages_redirects_or_faults() {
    let providers = Providers::builtin();
    let operator = Operator::default();
    let clock = ManualClock::new(1_800_000_000);
    let mut asked = 0;
    for provider in providers.all() {
        let Some(secret) = sample(provider) else { continue };
        for (status, body) in [
            (200, "<html><body>Please log in</body></html>"),
            (302, ""),
            (307, "{}"),
            (429, ""),
            (500, "{}"),
            (503, "<html></html>"),
            (418, "teapot"),
        ] {
            let transport = Always { status, body, hosts: Mutex::default() };
            let wire = Wire { transport: &transport, clock: &clock };
            let validator = Validator::new(providers, &operator, wire);
            for rule in &provider.rules {
                let info = crate::revoke::stage_rule(rule);
                let print = Fingerprint::of(&secret, false, None);
                let parts = parts(provider);
                let subject = Subject {
                    rule: &info,
                    secret: &secret,
                    fingerprint: &print,
                    checksum: Checksum::Absent,
                    parts,
                };
                let checked = validator.check_now(&subject);
                let firm = matches!(checked.validation, Validation::Live(_) | Validation::Dead(_));
                assert!(!firm, "{}: {status} {body}: {checked:?}", provider.id);
            }
            let hosts = transport.hosts.into_inner().expect("is whole");
            assert!(hosts.iter().all(|host| provider.hosts.contains(host)), "{}: {hosts:?}", provider.id);
            asked += hosts.len();
        }
    }
    assert!(asked > 50, "the blocks were really asked: {asked}");
}

/// A value in the form the block's `split` wants.
fn sample(provider: &keycull::rule::provider::Provider) -> Option<Secret> {
    if provider.parse_json {
        return None;
    }
    let pool = [
        "q8Zt2mW4vR7yL1pK9sXdq8Zt2mW4vR7yL1pK9sXd".to_owned(),
        "q8Zt2mW4vR7yL1pK9sXd-us12".to_owned(),
        format!(
            "{}.{}.{}",
            ["S", "G"].concat(),
            "q8Zt2mW4vR7yL1pK9sXdAb",
            "q8Zt2mW4vR7yL1pK9sXdq8Zt2mW4vR7yL1pK9sXd123"
        ),
        format!(
            "discord.com/api/webhooks/123456789012345678/{}",
            "q8Zt2mW4vR7yL1pK9sXd".repeat(3) + "abcdefgh"
        ),
        format!("{}kQ3vWx7CNTRL-{}", ["tskey", "-api-"].concat(), "q8Zt2mW4vR7yL1pK9sXdq8Zt2mW4vR7y"),
        format!("123456789:{}", "AAq8Zt2mW4vR7yL1pK9sXdq8Zt2mW4vR7yL"),
    ];
    let Some(split) = &provider.split else { return Some(Secret::new(pool[0].as_str())) };
    let whole = regex::bytes::Regex::new(&format!("^(?:{})$", split.pattern)).expect("was checked");
    let fitting = pool.iter().find(|text| whole.is_match(text.as_bytes()));
    Some(Secret::new(fitting.unwrap_or_else(|| panic!("no sample fits {}", provider.id)).as_str()))
}

fn parts(provider: &keycull::rule::provider::Provider) -> Vec<(String, Secret)> {
    let near = provider.parts.values().filter_map(|part| match part {
        keycull::rule::provider::PartFrom::Own => None,
        keycull::rule::provider::PartFrom::Near { rule, .. } => Some(rule.clone()),
    });
    near.map(|rule| (rule, Secret::new("q8Zt2mW4vR7yL1pK9sXdq8Zt2mW4vR7yL1pK9sXd"))).collect()
}
