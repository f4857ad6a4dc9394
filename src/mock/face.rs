//! What the mock answers, by path: the requests of several providers.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::http::Reply;
use super::{Recorded, State};

/// Bytes beyond what a client reads.
const TOO_LONG: usize = 300 * 1024;

/// The answer; none for silence.
pub(super) fn answer(state: &mut State, request: &Recorded) -> Option<Reply> {
    let faults = state.faults.clone();
    let mutates = is_mutation(request);
    if faults.broken {
        return Some(Reply::empty(500));
    }
    if faults.html {
        return Some(Reply::text(200, "text/html", "<html><body>Please log in</body></html>"));
    }
    if let Some(redirect) = faults.redirect.filter(|redirect| mutates || redirect.reads) {
        let mut reply = Reply::empty(redirect.status);
        reply.headers.push(("Location".to_owned(), format!("http://{}{}", redirect.to, request.target)));
        return Some(reply);
    }
    if (mutates && faults.too_many_mutations) || (!mutates && faults.too_many > 0) {
        if !mutates {
            state.faults.too_many -= 1;
        }
        let mut reply = Reply::empty(429);
        reply.headers.push(("Retry-After".to_owned(), "1".to_owned()));
        return Some(reply);
    }
    if mutates && faults.forbidden {
        return Some(Reply::json(403, &json!({ "message": "forbidden" })));
    }
    let reply = route(state, request);
    if mutates && faults.hang_after_mutation {
        return None;
    }
    if mutates && faults.error_after_mutation {
        return Some(Reply::empty(500));
    }
    Some(dress(reply, request, faults.echo, faults.oversize))
}

/// Adds what an echoing or chatty server adds.
fn dress(mut reply: Reply, request: &Recorded, echo: bool, oversize: bool) -> Reply {
    if echo && reply.status != 204 {
        let mut said = String::from_utf8_lossy(&request.body).into_owned();
        said.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")));
        let mut value: Value = serde_json::from_slice(&reply.body).unwrap_or_else(|_| json!({}));
        if let Value::Object(members) = &mut value {
            for member in members.values_mut().filter(|member| member.is_string()) {
                *member = said.clone().into();
            }
            members.insert("you_said".to_owned(), said.into());
        }
        reply.body = value.to_string().into_bytes();
    }
    if oversize && reply.status != 204 {
        reply.body.resize(reply.body.len() + TOO_LONG, b' ');
    }
    reply
}

fn is_mutation(request: &Recorded) -> bool {
    let path = request.target.split('?').next().unwrap_or_default();
    let posts = ["/credentials/revoke", "/oauth/revoke", "/v1/revoke_tokens", "/leaks"];
    let changes = |action: &str| matches!(action, "UpdateAccessKey" | "DeleteAccessKey");
    let iam = path == "/" && form(request).iter().any(|(key, value)| key == "Action" && changes(value));
    request.method == "DELETE" || (request.method == "POST" && posts.contains(&path)) || iam
}

fn route(state: &mut State, request: &Recorded) -> Reply {
    let path = request.target.split('?').next().unwrap_or_default();
    match (request.method.as_str(), path) {
        (_, "/api/v4/personal_access_tokens/self") => gitlab(state, request),
        ("DELETE", "/api/v4/admin/token") => {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let token = body.pointer("/token").and_then(Value::as_str).unwrap_or_default();
            if !state.keys.is_live(&credential(request)) {
                refused()
            } else if kill(state, token) {
                Reply::empty(204)
            } else {
                Reply::json(404, &json!({ "message": "404 Not Found" }))
            }
        }
        ("GET", "/user") => whoami(state, request, "login"),
        ("GET", "/whoami") => whoami(state, request, "name"),
        ("POST", "/credentials/revoke") => bulk(state, request),
        ("DELETE", "/self") => own(state, request),
        ("GET", "/user/tokens/verify") => verify(state, request),
        ("GET", "/oauth/authorizations") => list(state, request),
        ("DELETE", _) if path.starts_with("/user/tokens/") || path.starts_with("/oauth/authorizations/") => {
            by_id(state, request, path)
        }
        ("POST", "/oauth/revoke") => {
            let token = value(&form(request), "token");
            kill(state, &token);
            // RFC 7009: also for tokens nobody has ever seen.
            Reply::empty(200)
        }
        ("POST", "/oauth/introspect") => {
            let active = state.keys.check(&value(&form(request), "token")).is_some();
            Reply::json(200, &json!({ "active": active }))
        }
        ("GET", "/v1/revocable_token_types") => Reply::json(200, &json!({ "types": ["drill_key"] })),
        ("POST", "/v1/revoke_tokens") => token_revocation(state, request),
        ("POST", "/leaks") => webhook(state, request),
        ("POST", "/") => aws(state, request),
        _ => Reply::json(404, &json!({ "message": "not found" })),
    }
}

fn kill(state: &mut State, secret: &str) -> bool {
    let lag = state.faults.slow;
    if state.faults.ignore_mutation { state.keys.is_live(secret) } else { state.keys.kill(secret, lag) }
}

/// The key of the request: `Authorization: Bearer` or `token`, or `PRIVATE-TOKEN`.
fn credential(request: &Recorded) -> String {
    if let Some(token) = request.header("private-token") {
        return token.to_owned();
    }
    let value = request.header("authorization").unwrap_or_default();
    value.split_once(' ').map_or(value, |(_, token)| token).to_owned()
}

fn refused() -> Reply {
    Reply::json(401, &json!({ "message": "401 Unauthorized" }))
}

fn gitlab(state: &mut State, request: &Recorded) -> Reply {
    let token = credential(request);
    if request.method == "DELETE" {
        return if kill(state, &token) { Reply::empty(204) } else { refused() };
    }
    match state.keys.check(&token) {
        Some(key) => Reply::json(
            200,
            &json!({ "id": key.id, "name": "drill", "active": true, "revoked": false, "scopes": ["api"] }),
        ),
        None => refused(),
    }
}

fn whoami(state: &mut State, request: &Recorded, field: &str) -> Reply {
    match state.keys.check(&credential(request)) {
        Some(_) => Reply::json(200, &json!({ field: "drill-user" })),
        None => refused(),
    }
}

fn bulk(state: &mut State, request: &Recorded) -> Reply {
    if request.header("authorization").is_some() {
        return Reply::empty(403);
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let Some(credentials) = body.pointer("/credentials").and_then(Value::as_array) else {
        return Reply::empty(422);
    };
    for credential in credentials.iter().filter_map(Value::as_str) {
        kill(state, credential);
    }
    Reply::json(202, &json!({ "message": "accepted" }))
}

fn own(state: &mut State, request: &Recorded) -> Reply {
    if kill(state, &credential(request)) { Reply::empty(204) } else { refused() }
}

fn verify(state: &mut State, request: &Recorded) -> Reply {
    match state.keys.check(&credential(request)) {
        Some(key) => {
            Reply::json(200, &json!({ "success": true, "result": { "id": key.id, "status": "active" } }))
        }
        None => Reply::json(401, &json!({ "success": false, "result": null })),
    }
}

fn list(state: &mut State, request: &Recorded) -> Reply {
    let token = credential(request);
    if state.keys.check(&token).is_none() {
        return refused();
    }
    let hidden = state.faults.wrong_list;
    let shown = state.keys.list().into_iter().filter(|key| !hidden || key.secret != token);
    let items: Vec<Value> =
        shown.map(|key| json!({ "id": key.id, "access_token": { "token": key.secret } })).collect();
    Reply::json(200, &Value::Array(items))
}

fn by_id(state: &mut State, request: &Recorded, path: &str) -> Reply {
    if !state.keys.is_live(&credential(request)) {
        return refused();
    }
    let id = path.rsplit('/').next().unwrap_or_default();
    let Some(key) = state.keys.by_id(id) else { return Reply::json(404, &json!({ "success": false })) };
    kill(state, &key.secret);
    Reply::json(200, &json!({ "success": true, "id": id }))
}

fn token_revocation(state: &mut State, request: &Recorded) -> Reply {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let Some(items) = body.as_array() else { return Reply::empty(400) };
    if items.iter().any(|item| item.pointer("/type").and_then(Value::as_str) != Some("drill_key")) {
        return Reply::empty(400);
    }
    for token in items.iter().filter_map(|item| item.pointer("/token").and_then(Value::as_str)) {
        kill(state, token);
    }
    Reply::empty(204)
}

fn webhook(state: &mut State, request: &Recorded) -> Reply {
    let signature = request.header("x-signature").unwrap_or_default();
    let Some((time, given)) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")) else {
        return Reply::empty(401);
    };
    // NOTE: HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&state.webhook_key).expect("HMAC accepts any key length");
    mac.update(format!("{time}.").as_bytes());
    mac.update(&request.body);
    let wanted: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    if given != wanted {
        return Reply::empty(401);
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let secret = body.pointer("/secret").and_then(Value::as_str).unwrap_or_default().to_owned();
    let result = if kill(state, &secret) { "revoked" } else { "already_dead" };
    Reply::json(200, &json!({ "result": result }))
}

/// IAM and STS: the signature is checked by signing again.
fn aws(state: &mut State, request: &Recorded) -> Reply {
    let form = form(request);
    let fault = |status: u16, code: &str| {
        let body = format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
        Reply::text(status, "text/xml", body)
    };
    let authorization = request.header("authorization").unwrap_or_default();
    let Some(id) = authorization.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next())
    else {
        return fault(403, "MissingAuthenticationToken");
    };
    let Some(key) = state.keys.by_id(id) else { return fault(403, "InvalidClientTokenId") };
    let date = request.header("x-amz-date").unwrap_or_default();
    let host = request.header("host").unwrap_or_default();
    let content_type = request.header("content-type").unwrap_or_default();
    let again = crate::validate::aws4_authorization(
        &crate::validate::Signed { host, content_type, date, body: &request.body },
        (&key.secret, &key.companion),
        authorization,
    );
    if again.as_deref() != Some(authorization) {
        return fault(403, "SignatureDoesNotMatch");
    }
    if value(&form, "Action") == "GetCallerIdentity" {
        if state.keys.check(&key.secret).is_none() {
            return fault(403, "InvalidClientTokenId");
        }
        let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/drill</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        return Reply::text(200, "text/xml", body);
    }
    if !state.keys.is_live(&key.secret) {
        return fault(403, "InvalidClientTokenId");
    }
    let Some(other) = state.keys.by_id(&value(&form, "AccessKeyId")) else {
        return fault(404, "NoSuchEntity");
    };
    match (value(&form, "Action").as_str(), value(&form, "Status").as_str()) {
        ("UpdateAccessKey", "Inactive") => {
            kill(state, &other.secret);
            Reply::text(200, "text/xml", "<UpdateAccessKeyResponse/>")
        }
        ("DeleteAccessKey", "") => {
            kill(state, &other.secret);
            Reply::text(200, "text/xml", "<DeleteAccessKeyResponse/>")
        }
        _ => fault(400, "ValidationError"),
    }
}

fn form(request: &Recorded) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(&request.body);
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn value(form: &[(String, String)], key: &str) -> String {
    form.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
