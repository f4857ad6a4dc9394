//! Generic revokers for one's own keys: signed webhook, GitLab's Token Revocation API, RFC 7009, a command.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::finding::{Evidence, Secret};
use crate::net::{NetError, Request, Response};
use crate::rule::provider::Word;
use crate::validate::{
    Address, Driver, DriverAuth, DriverKind, Event, Mutation, Observer, SendWhat, Traffic, Verdict, Wire,
    client_assertion,
};

use super::{PlanItem, PlannedRequest};

/// What a driver said.
pub(super) struct Said {
    /// As for a provider block.
    pub(super) verdict: Verdict,
    /// The service says it is dead, not merely that it will be.
    pub(super) dead: bool,
}

/// Digest of everything the block says.
pub(super) fn digest(driver: &Driver) -> String {
    Sha256::digest(format!("{driver:?}").as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What would be sent.
pub(super) fn requests(driver: &Driver) -> Vec<PlannedRequest> {
    let one = |method: &str, host: &str, path: String| PlannedRequest {
        method: method.to_owned(),
        host: host.to_owned(),
        path,
    };
    match &driver.kind {
        DriverKind::Webhook { url, .. } | DriverKind::Rfc7009 { url, .. } => {
            vec![one("POST", &url.host, path(url, ""))]
        }
        DriverKind::GitlabTra { url, .. } => vec![
            one("GET", &url.host, path(url, "/v1/revocable_token_types")),
            one("POST", &url.host, path(url, "/v1/revoke_tokens")),
        ],
        DriverKind::Exec { argv, .. } => vec![one("EXEC", "localhost", argv.join(" "))],
    }
}

/// Sends `secret` to the driver. `observe` is told before and after.
pub(super) fn send(
    driver: &Driver,
    item: &PlanItem,
    secret: &Secret,
    wire: Wire<'_>,
    observe: &mut Observer<'_>,
) -> Said {
    let result = match &driver.kind {
        DriverKind::Webhook { url, hmac_key_file, send } => {
            webhook(item, secret, url, hmac_key_file, *send, wire, observe)
        }
        DriverKind::GitlabTra { url, token_file, token_type } => {
            gitlab_tra(item, secret, url, token_file, token_type, wire, observe)
        }
        DriverKind::Rfc7009 { url, hint, auth, .. } => {
            rfc7009(secret, url, hint.as_deref(), auth, wire, observe)
        }
        DriverKind::Exec { argv, timeout } => exec(secret, argv, Duration::from_secs(*timeout), observe),
    };
    result.unwrap_or_else(|said| *said)
}

/// RFC 7662: whether the token is active. None if the driver has no such endpoint or it gave no answer.
pub(super) fn is_active(driver: &Driver, secret: &Secret, wire: Wire<'_>) -> Option<Result<bool, String>> {
    let DriverKind::Rfc7009 { introspect: Some(url), hint, auth, .. } = &driver.kind else { return None };
    let request = match token_form(secret, url, hint.as_deref(), auth, wire.clock.now()) {
        Ok(request) => request,
        Err(reason) => return Some(Err(reason)),
    };
    Some(match wire.transport.send(&request) {
        Ok(response) if response.status == 200 => parse(&response)
            .pointer("/active")
            .and_then(Value::as_bool)
            .ok_or_else(|| "the introspection endpoint did not say `active`".to_owned()),
        Ok(response) => Err(format!("the introspection endpoint answered {}", response.status)),
        Err(error) => Err(error.to_string()),
    })
}

/// Early exits carry what was said; boxed, because it is large beside the answer.
type Step<T> = Result<T, Box<Said>>;

fn said(word: Word, reason: impl Into<String>, status: Option<u16>, mutated: Mutation) -> Said {
    let evidence = Evidence { status, ..Evidence::default() };
    Said { verdict: Verdict { word, reason: reason.into(), evidence, account: None, mutated }, dead: false }
}

/// Nothing was sent, because something is missing on this side.
fn not_sent(reason: impl Into<String>) -> Box<Said> {
    Box::new(said(Word::Unknown, reason, None, Mutation::NotSent))
}

fn path(url: &Address, more: &str) -> String {
    let path = format!("{}{more}", url.path);
    if path.is_empty() { "/".to_owned() } else { path }
}

fn request(method: &'static str, url: &Address, more: &str, content_type: &str, body: Vec<u8>) -> Request {
    let mut headers = vec![("Accept".to_owned(), Secret::new("application/json"))];
    if !body.is_empty() {
        headers.push(("Content-Type".to_owned(), Secret::new(content_type)));
    }
    Request {
        method,
        host: url.host.clone(),
        port: url.port,
        target: Zeroizing::new(path(url, more)),
        headers,
        body: Zeroizing::new(body),
    }
}

/// Sends a mutating request once, telling `observe` before and after.
fn mutate(request: &Request, wire: Wire<'_>, observe: &mut Observer<'_>) -> Step<Response> {
    let path = request.target.as_str();
    let traffic =
        Traffic { step: "driver", mutates: true, method: request.method, host: &request.host, path };
    if observe(Event::Sending(&traffic)).is_break() {
        return Err(not_sent("stopped before the request"));
    }
    let result = wire.transport.send(request);
    let status = result.as_ref().ok().map(|response| response.status);
    if observe(Event::Done(&traffic, status)).is_break() {
        return Err(Box::new(said(Word::Unknown, "stopped after the request", status, Mutation::MaybeSent)));
    }
    result.map_err(|error: NetError| {
        let mutated = if error.may_have_arrived() { Mutation::MaybeSent } else { Mutation::NotSent };
        Box::new(said(Word::Unknown, error.to_string(), None, mutated))
    })
}

fn parse(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or(Value::Null)
}

/// What a status means where the answer says nothing better.
fn by_status(status: u16) -> Said {
    let word = match status {
        200..300 => Word::Accepted,
        401 | 403 => Word::NotAuthorised,
        404 | 405 | 501 => Word::Unsupported,
        400..=499 => Word::Failed,
        _ => Word::Unknown,
    };
    said(word, format!("the service answered {status}"), Some(status), Mutation::Answered)
}

/// Content of a key file without the line break at its end.
fn key(file: &Path) -> Step<Secret> {
    let bytes =
        std::fs::read(file).map_err(|error| not_sent(format!("cannot read {}: {error}", file.display())))?;
    let bytes = Zeroizing::new(bytes);
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.is_empty() {
        Err(not_sent(format!("{} is empty", file.display())))
    } else {
        Ok(Secret::new(text))
    }
}

fn text(secret: &Secret) -> Step<&str> {
    std::str::from_utf8(secret.expose())
        .map_err(|_| not_sent("the secret is not text, which the service needs"))
}

fn webhook(
    item: &PlanItem,
    secret: &Secret,
    url: &Address,
    key_file: &Path,
    what: SendWhat,
    wire: Wire<'_>,
    observe: &mut Observer<'_>,
) -> Step<Said> {
    let key = key(key_file)?;
    let now = wire.clock.now();
    let location = item.places.first().map(ToString::to_string);
    let mut message = json!({
        "version": 1, "event": "secret.leaked", "id": item.id, "rule": item.rule,
        "fingerprint": item.fingerprint, "location": location, "ts": now,
    });
    if what == SendWhat::Secret {
        message["secret"] = text(secret)?.into();
    }
    let body = message.to_string().into_bytes();
    let mut request = request("POST", url, "", "application/json", body);
    let signature = signature(key.expose(), now, &request.body);
    request.headers.push(("X-Signature".to_owned(), Secret::new(format!("t={now},v1={signature}"))));
    request.headers.push(("Idempotency-Key".to_owned(), Secret::new(format!("{}-revoke", item.id))));
    let response = mutate(&request, wire, observe)?;
    let answer = parse(&response);
    let word = match answer.pointer("/result").and_then(Value::as_str) {
        Some("revoked" | "accepted") => Word::Accepted,
        Some("already_dead") => Word::AlreadyDead,
        Some("unsupported") => Word::Unsupported,
        Some("denied") => Word::NotAuthorised,
        _ => return Ok(by_status(response.status)),
    };
    if !(200..300).contains(&response.status) {
        return Ok(by_status(response.status));
    }
    let mut said = said(word, "the service's own answer", Some(response.status), Mutation::Answered);
    said.dead = matches!(answer.pointer("/result").and_then(Value::as_str), Some("revoked" | "already_dead"));
    Ok(said)
}

/// HMAC-SHA256 over `<time>.<body>`, hexadecimal.
fn signature(key: &[u8], now: i64, body: &[u8]) -> String {
    // NOTE: HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts any key length");
    mac.update(format!("{now}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Form of the requests: docs.gitlab.com, "Token Revocation API".
fn gitlab_tra(
    item: &PlanItem,
    secret: &Secret,
    url: &Address,
    token_file: &Path,
    token_type: &str,
    wire: Wire<'_>,
    observe: &mut Observer<'_>,
) -> Step<Said> {
    let token = key(token_file)?;
    let authorised = |mut request: Request| {
        request.headers.push(("Authorization".to_owned(), token.clone()));
        request
    };
    let types = authorised(request("GET", url, "/v1/revocable_token_types", "", Vec::new()));
    let types = wire.transport.send(&types).map_err(|error| not_sent(error.to_string()))?;
    let listed = parse(&types);
    let listed = listed.pointer("/types").and_then(Value::as_array);
    match listed {
        _ if types.status == 401 => {
            return Ok(said(
                Word::NotAuthorised,
                "the service refused our token",
                Some(401),
                Mutation::NotSent,
            ));
        }
        Some(listed) if listed.iter().any(|one| one.as_str() == Some(token_type)) => {}
        Some(_) => {
            let reason = format!("the service does not revoke {token_type}");
            return Ok(said(Word::Unsupported, reason, Some(types.status), Mutation::NotSent));
        }
        None => {
            return Err(not_sent(format!(
                "the list of token types could not be read (status {})",
                types.status
            )));
        }
    }
    let location = item.places.first().map(ToString::to_string).unwrap_or_default();
    let body = json!([{ "type": token_type, "token": text(secret)?, "location": location }]);
    let post = request("POST", url, "/v1/revoke_tokens", "application/json", body.to_string().into_bytes());
    let response = mutate(&authorised(post), wire, observe)?;
    Ok(match response.status {
        204 => said(Word::Accepted, "accepted for eventual revocation", Some(204), Mutation::Answered),
        400 => {
            said(Word::Unsupported, "the service refused the list or the type", Some(400), Mutation::Answered)
        }
        429 => said(
            Word::Failed,
            "the service takes no more requests for now; apply a new plan later",
            Some(429),
            Mutation::Answered,
        ),
        status => by_status(status),
    })
}

fn token_form(
    secret: &Secret,
    url: &Address,
    hint: Option<&str>,
    auth: &DriverAuth,
    now: i64,
) -> Result<Request, String> {
    let why = |said: Box<Said>| said.verdict.reason;
    let mut form = Zeroizing::new(String::from("token="));
    encode(secret.expose(), &mut form);
    if let Some(hint) = hint {
        form.push_str("&token_type_hint=");
        encode(hint.as_bytes(), &mut form);
    }
    let mut basic = None;
    match auth {
        DriverAuth::None => {}
        DriverAuth::Basic { id, secret_file } => {
            let (mut user, mut pass) = (String::new(), Zeroizing::new(String::new()));
            encode(id.as_bytes(), &mut user);
            encode(key(secret_file).map_err(why)?.expose(), &mut pass);
            let pair = Zeroizing::new(format!("{user}:{}", pass.as_str()));
            let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_bytes()));
            basic = Some(Secret::new(format!("Basic {}", encoded.as_str())));
        }
        DriverAuth::Post { id, secret_file } => {
            form.push_str("&client_id=");
            encode(id.as_bytes(), &mut form);
            form.push_str("&client_secret=");
            encode(key(secret_file).map_err(why)?.expose(), &mut form);
        }
        DriverAuth::PrivateKey { id, key_file, kid } => {
            let own = key(key_file).map_err(why)?;
            let audience = format!("https://{}{}", url.host, path(url, ""));
            let assertion = client_assertion(&own, kid.as_deref(), id, &audience, now)
                .ok_or_else(|| format!("{} holds no PKCS #8 RSA key in PEM", key_file.display()))?;
            form.push_str("&client_id=");
            encode(id.as_bytes(), &mut form);
            form.push_str("&client_assertion_type=");
            encode(b"urn:ietf:params:oauth:client-assertion-type:jwt-bearer", &mut form);
            form.push_str("&client_assertion=");
            encode(assertion.expose(), &mut form);
        }
    }
    let mut request = request("POST", url, "", "application/x-www-form-urlencoded", form.as_bytes().to_vec());
    request.headers.extend(basic.map(|value| ("Authorization".to_owned(), value)));
    Ok(request)
}

/// `application/x-www-form-urlencoded`, as RFC 6749 wants it for client credentials too.
fn encode(bytes: &[u8], out: &mut String) {
    use std::fmt::Write as _;
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// RFC 7009: `200` is the answer for tokens the server has never seen, too, so it proves nothing.
fn rfc7009(
    secret: &Secret,
    url: &Address,
    hint: Option<&str>,
    auth: &DriverAuth,
    wire: Wire<'_>,
    observe: &mut Observer<'_>,
) -> Step<Said> {
    let request = token_form(secret, url, hint, auth, wire.clock.now()).map_err(not_sent)?;
    let response = mutate(&request, wire, observe)?;
    let answer = parse(&response);
    let error = answer.pointer("/error").and_then(Value::as_str);
    Ok(match (response.status, error) {
        (200, _) => {
            said(Word::Accepted, "accepted (or unknown to the server)", Some(200), Mutation::Answered)
        }
        (400, Some("unsupported_token_type")) => said(
            Word::Unsupported,
            "the server does not revoke this type of token",
            Some(400),
            Mutation::Answered,
        ),
        (400 | 401, Some("invalid_client")) => said(
            Word::NotAuthorised,
            "the server refused our client",
            Some(response.status),
            Mutation::Answered,
        ),
        (status, _) => by_status(status),
    })
}

/// Runs the operator's command with the secret on its standard input. Its output is thrown away.
fn exec(secret: &Secret, argv: &[String], timeout: Duration, observe: &mut Observer<'_>) -> Step<Said> {
    let (program, arguments) = argv.split_first().ok_or_else(|| not_sent("argv is empty"))?;
    let traffic = Traffic { step: "driver", mutates: true, method: "EXEC", host: "localhost", path: program };
    if observe(Event::Sending(&traffic)).is_break() {
        return Err(not_sent("stopped before the command"));
    }
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| not_sent(format!("cannot run {program}: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read its input still has an exit code.
        let _ = input.write_all(secret.expose());
    }
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code(),
            Ok(None) if started.elapsed() < timeout => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let stopped = matches!(observe(Event::Done(&traffic, None)), ControlFlow::Break(()));
    let mut said = match status {
        _ if stopped => said(Word::Unknown, "stopped after the command", None, Mutation::MaybeSent),
        Some(0) => said(Word::Accepted, "the command says revoked", None, Mutation::Answered),
        Some(10) => said(Word::AlreadyDead, "the command says already dead", None, Mutation::Answered),
        Some(11) => said(Word::Unsupported, "the command says unsupported", None, Mutation::Answered),
        Some(code) => said(Word::Failed, format!("the command ended with {code}"), None, Mutation::Answered),
        None => said(Word::Unknown, "the command did not end in time", None, Mutation::MaybeSent),
    };
    said.dead = matches!(status, Some(0 | 10)) && !stopped;
    Ok(said)
}
