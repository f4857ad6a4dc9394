//! The token request and what its answers mean, against scripted answers.

use std::sync::Mutex;

use super::*;
use crate::finding::{Checksum, Fingerprint, RuleInfo, Validation};
use crate::net::{ManualClock, NetError, Request, Response, Transport};
use crate::rule::provider::{Provider, parse_file};
use crate::validate::{Checked, Operator, Providers, Subject, Validator, Wire};

const BLOCK: &str = r#"
schema = 1
[[provider]]
id = "acme"
rules = ["acme-client"]
hosts = ["api.acme.example", "login.acme.example"]
split = { re = '(?P<client>[a-z:]{8})[.](?P<key>[!-~]{32})', public = ["client"] }
evidence = "documentation"
references = ["https://acme.example/docs"]

[[provider.validate.step]]
name = "token"
request = { method = "POST", url = "https://login.acme.example/token", oauth_client = { id = "{client}", secret = "{key}", send = "basic" }, form = { scope = "me read" } }
outcome = [
  { is = "dead", status = [400, 401], json = { "/error" = "invalid_client" } },
  { is = "restricted", status = 400, json = { "/error" = "invalid_scope" } },
]

[[provider.validate.step]]
name = "me"
request = { method = "GET", url = "https://api.acme.example/me", bearer = "{auth.token}" }
outcome = [
  { is = "live", status = 200, json = { "/id" = "*" }, keep = { who = "/name" } },
  { is = "restricted", status = 403, json = { "/error" = "*" } },
]
"#;

/// Gives the scripted answers in turn, the last one for ever, and keeps what was sent.
struct Server {
    answers: Mutex<Vec<(u16, String)>>,
    sent: Mutex<Vec<Request>>,
}

impl Transport for Server {
    fn send(&self, request: &Request) -> Result<Response, NetError> {
        self.sent.lock().expect("is whole").push(request.clone());
        let mut answers = self.answers.lock().expect("is whole");
        let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let headers = vec![("location".to_owned(), "https://evil.example/".to_owned())];
        Ok(Response { status, headers, body: body.into_bytes().into() })
    }
}

fn leaked() -> Secret {
    Secret::new(format!("a:client.{}", "k+/%".repeat(8)))
}

fn token_value() -> String {
    "t0ken-~.".repeat(6)
}

fn granted() -> String {
    format!(r#"{{"access_token": "{}", "token_type": "Bearer", "expires_in": 3600}}"#, token_value())
}

fn block(text: &str) -> Provider {
    parse_file(text).expect("passes").remove(0)
}

/// Asks with these answers: the verdict, and the requests.
fn ask(provider: &Provider, answers: &[(u16, &str)]) -> (Checked, Vec<Request>) {
    let server = Server {
        answers: Mutex::new(answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect()),
        sent: Mutex::default(),
    };
    let rule = RuleInfo::unknown("acme-client");
    let (secret, clock, operator) = (leaked(), ManualClock::new(1_800_000_000), Operator::default());
    let fingerprint = Fingerprint::of(&secret, false, None);
    let subject = Subject {
        rule: &rule,
        secret: &secret,
        fingerprint: &fingerprint,
        checksum: Checksum::Absent,
        document: None,
        parts: Vec::new(),
    };
    let providers = Providers::of(vec![provider.clone()]);
    let wire = Wire { transport: &server, clock: &clock };
    let checked = Validator::new(&providers, &operator, wire).check_now(&subject);
    (checked, server.sent.into_inner().expect("is whole"))
}

fn header(request: &Request, name: &str) -> Option<String> {
    let (_, value) = request.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8(value.expose().to_vec()).expect("is text"))
}

/// What is said, the answers, the verdict, and how many requests are sent.
type Row<'r> = (&'r str, &'r [(u16, &'r str)], &'r str, usize);

#[test]
fn every_answer_to_the_token_request_has_its_meaning() {
    let provider = block(BLOCK);
    let granted = granted();
    let long = format!(r#"{{"access_token": "{}"}}"#, "a".repeat(LONGEST + 1));
    let me = (200, r#"{"id": 1, "name": "octo"}"#);
    let rows: &[Row<'_>] = &[
        ("live", &[(200, &granted), me], "live", 2),
        ("dead", &[(401, r#"{"error": "invalid_client"}"#)], "dead", 1),
        ("dead, the other status of the RFC", &[(400, r#"{"error": "invalid_client"}"#)], "dead", 1),
        ("it may not do that", &[(400, r#"{"error": "invalid_scope"}"#)], "live", 1),
        ("another error", &[(400, r#"{"error": "invalid_request"}"#)], "unknown", 1),
        ("refused without a word", &[(401, "")], "unknown", 1),
        ("forbidden", &[(403, "<html>proxy</html>")], "unknown", 1),
        ("forbidden, JSON", &[(403, r#"{"error": "invalid_client"}"#)], "unknown", 1),
        ("too many", &[(429, "")], "unknown", 4),
        ("server error", &[(500, "{}")], "unknown", 4),
        ("unavailable", &[(503, "")], "unknown", 4),
        ("server error, then live", &[(503, ""), (200, &granted), me], "live", 3),
        ("page", &[(200, "<html>log in</html>")], "unknown", 1),
        ("redirect 302", &[(302, &granted)], "unknown", 1),
        ("redirect 307", &[(307, &granted)], "unknown", 1),
        ("created", &[(201, &granted)], "unknown", 1),
        ("no token", &[(200, r#"{"token_type": "Bearer"}"#)], "unknown", 1),
        ("null", &[(200, r#"{"access_token": null}"#)], "unknown", 1),
        ("a number", &[(200, r#"{"access_token": 7}"#)], "unknown", 1),
        ("empty", &[(200, r#"{"access_token": ""}"#)], "unknown", 1),
        ("two lines", &[(200, r#"{"access_token": "abc\r\nX-Admin: 1"}"#)], "unknown", 1),
        ("too long", &[(200, &long)], "unknown", 1),
        ("not for bearers", &[(200, r#"{"access_token": "abcdefgh", "token_type": "mac"}"#)], "unknown", 1),
        ("type is no text", &[(200, r#"{"access_token": "abcdefgh", "token_type": 1}"#)], "unknown", 1),
        ("type not told", &[(200, r#"{"access_token": "abcdefgh"}"#), me], "live", 2),
        ("the token is refused", &[(200, &granted), (401, "{}")], "unknown", 2),
        ("the token may not", &[(200, &granted), (403, r#"{"error": "scope"}"#)], "live", 2),
        ("page instead of the person", &[(200, &granted), (200, "<html></html>")], "unknown", 2),
        ("redirect with the token", &[(200, &granted), (302, "")], "unknown", 2),
    ];
    for (row, answers, word, requests) in rows {
        let (checked, sent) = ask(&provider, answers);
        assert_eq!((checked.word(), sent.len()), (*word, *requests), "{row}: {}", checked.reason);
        assert!(sent.iter().all(|request| request.host.ends_with(".acme.example")), "{row}");
    }
}

#[test]
fn the_client_says_who_it_is_as_the_rfc_has_it() {
    let form = |request: &Request| String::from_utf8(request.body.to_vec()).expect("is text");
    let (_, sent) = ask(&block(BLOCK), &[(200, &granted()), (200, r#"{"id": 1}"#)]);
    // Both are form-encoded before they are joined: an id may hold a colon.
    let pair = format!("a%3Aclient:{}", "k%2B%2F%25".repeat(8));
    assert_eq!(header(&sent[0], "authorization"), Some(format!("Basic {}", STANDARD.encode(pair))));
    assert_eq!(form(&sent[0]), "grant_type=client_credentials&scope=me%20read");
    assert_eq!(header(&sent[0], "content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(header(&sent[0], "accept").as_deref(), Some("application/json"));
    assert_eq!(header(&sent[1], "authorization"), Some(format!("Bearer {}", token_value())));
    assert_eq!((sent[0].method, sent[1].method, sent[1].body.len()), ("POST", "GET", 0));

    let post = BLOCK.replace("\"basic\" }, form = { scope = \"me read\" }", "\"post\" }");
    let (checked, sent) = ask(&block(&post), &[(200, &granted()), (200, r#"{"id": 1}"#)]);
    assert_eq!((checked.word(), header(&sent[0], "authorization")), ("live", None));
    let secret = "k%2B%2F%25".repeat(8);
    assert_eq!(
        form(&sent[0]),
        format!("grant_type=client_credentials&client_id=a%3Aclient&client_secret={secret}")
    );
}

#[test]
fn the_token_is_never_told() {
    let token = token_value();
    for echo in [token.clone(), format!("you sent {token}"), STANDARD.encode(&token)] {
        let me = format!(r#"{{"id": 1, "name": "{echo}"}}"#);
        let (checked, _) = ask(&block(BLOCK), &[(200, &granted()), (200, &me)]);
        let Validation::Live(evidence) = &checked.validation else { panic!("{checked:?}") };
        assert_eq!(evidence.identity.as_deref(), Some("[redacted]"), "{echo}");
        assert!(!format!("{checked:?} {}", checked.to_json()).contains(&token[8..]));
    }
    // Errors name what is missing, never what is there.
    for bad in
        [r#"{"access_token": "no token at all"}"#, r#"{"access_token": "abcdefgh", "token_type": "mac"}"#]
    {
        let (checked, _) = ask(&block(BLOCK), &[(200, bad)]);
        assert!(
            !checked.reason.contains("no token at all") && !checked.reason.contains("abcdefgh"),
            "{checked:?}"
        );
        assert!(checked.reason.contains("access token"), "{checked:?}");
    }
    let provider = block(BLOCK);
    let mut values = Values::of(&provider, &leaked(), &[], None).expect("fits");
    values.token = Some(Secret::new(token.as_str()));
    assert!(!format!("{values:?}").contains(&token[..12]));
    assert!(values.sensitive().any(|secret| secret.expose() == token.as_bytes()));
}
