//! From a request block and values to the request on the wire, each value encoded for its place.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::finding::Secret;
use crate::net::Request;
use crate::rule::provider::{
    self as model, Body, JsonTemplate, Origin, Piece, Provider, SendClient, Template, UrlTemplate, Variable,
};

use super::{oauth, sign, values::Values};

/// Why a request cannot be built. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RenderError {
    /// A variable has no value.
    #[error("{0} has no value")]
    Missing(String),
    /// A value does not fit its place: a line break in a header, an empty path segment, bytes that are no text.
    #[error("{variable} cannot stand in {place}")]
    Unfit {
        /// The variable, by name.
        variable: String,
        /// The kind of place.
        place: &'static str,
    },
}

/// Builds the request; `now` (seconds since 1970) goes into signatures.
///
/// # Errors
///
/// See [`RenderError`].
pub(super) fn request(
    provider: &Provider,
    block: &model::Request,
    values: &Values,
    now: i64,
) -> Result<Request, RenderError> {
    let (host, port, prefix) = match (&block.url.origin, &values.base) {
        (Origin::Host(host), _) => (host.clone(), 443, ""),
        (Origin::Base, Some(base)) => (base.host.clone(), base.port, base.path.as_str()),
        (Origin::Base, None) => return Err(RenderError::Missing("{base}".to_owned())),
    };
    let mut headers = Vec::new();
    for (name, value) in &block.headers {
        headers.push((name.clone(), header(value, values)?));
    }
    if let Some(token) = &block.bearer {
        headers.push(("Authorization".to_owned(), prefixed(b"Bearer ", &header(token, values)?)));
    }
    if let Some(basic) = &block.basic {
        headers.push(("Authorization".to_owned(), basic_header(basic, values)?));
    }
    if let Some(client) = block.oauth.as_ref().filter(|client| client.send == SendClient::Basic) {
        headers.push(("Authorization".to_owned(), oauth::basic(client, values)?));
    }
    let body = match (&block.body, &block.oauth) {
        (Body::Form(pairs), Some(client)) => {
            headers.push(("Content-Type".to_owned(), Secret::new("application/x-www-form-urlencoded")));
            oauth::form(client, pairs, values)?
        }
        (Body::Empty | Body::Json(_), Some(client)) => {
            headers.push(("Content-Type".to_owned(), Secret::new("application/x-www-form-urlencoded")));
            oauth::form(client, &[], values)?
        }
        (Body::Empty, None) => Zeroizing::default(),
        (Body::Form(pairs), None) => {
            headers.push(("Content-Type".to_owned(), Secret::new("application/x-www-form-urlencoded")));
            form(pairs, values)?
        }
        (Body::Json(template), None) => {
            headers.push(("Content-Type".to_owned(), Secret::new("application/json")));
            let value = json(template, values)?;
            // NOTE: a `Value` has string keys and no maps that could fail.
            Zeroizing::new(serde_json::to_vec(&value).expect("a JSON value serialises"))
        }
    };
    let target = target(&block.url, prefix, values)?;
    let method = block.method.as_str();
    let mut request = Request { method, host, port, target, headers, body };
    if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
        request.headers.push(("Accept".to_owned(), Secret::new("application/json")));
    }
    if let (Some(scope), Some(signer)) = (&block.sign, &provider.signer) {
        let keys = sign::Keys { id: text(&signer.key, values)?, secret: text(&signer.secret, values)? };
        sign::aws4(&mut request, &keys, scope, now);
    }
    Ok(request)
}

/// The bytes of a template, values as they are. Only for places that encode afterwards.
pub(super) fn text(template: &Template, values: &Values) -> Result<Secret, RenderError> {
    let mut bytes = Zeroizing::new(Vec::new());
    for piece in &template.0 {
        match piece {
            Piece::Literal(literal) => bytes.extend_from_slice(literal.as_bytes()),
            Piece::Variable(variable) => bytes.extend_from_slice(value(variable, values)?.expose()),
        }
    }
    Ok(Secret::new(bytes.as_slice()))
}

fn value<'v>(variable: &Variable, values: &'v Values) -> Result<&'v Secret, RenderError> {
    values.get(variable).ok_or_else(|| RenderError::Missing(variable.to_string()))
}

/// A header value: visible ASCII and blanks; a line break would start another header.
fn header(template: &Template, values: &Values) -> Result<Secret, RenderError> {
    for variable in template.variables() {
        let bytes = value(variable, values)?.expose();
        if bytes.is_empty() || !bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
            return Err(RenderError::Unfit { variable: variable.to_string(), place: "a header" });
        }
    }
    text(template, values)
}

pub(super) fn prefixed(prefix: &[u8], secret: &Secret) -> Secret {
    Secret::new(Zeroizing::new([prefix, secret.expose()].concat()).as_slice())
}

fn basic_header(basic: &model::BasicAuth, values: &Values) -> Result<Secret, RenderError> {
    use base64::Engine as _;
    let (user, pass) = (text(&basic.user, values)?, text(&basic.pass, values)?);
    if user.expose().contains(&b':') {
        return Err(RenderError::Unfit {
            variable: "the user name".to_owned(),
            place: "basic authentication",
        });
    }
    let pair = Zeroizing::new([user.expose(), b":", pass.expose()].concat());
    let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_slice()));
    Ok(prefixed(b"Basic ", &Secret::new(encoded.as_bytes())))
}

fn target(url: &UrlTemplate, prefix: &str, values: &Values) -> Result<Zeroizing<String>, RenderError> {
    let mut out = Zeroizing::new(prefix.to_owned());
    for segment in &url.path {
        out.push('/');
        out.push_str(&path_segment(segment, values)?);
    }
    if out.is_empty() {
        out.push('/');
    }
    for (index, (key, template)) in url.query.iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(key);
        out.push('=');
        for piece in &template.0 {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                Piece::Variable(variable) => percent(value(variable, values)?.expose(), &mut out),
            }
        }
    }
    Ok(out)
}

/// One path segment. A value that is empty or that servers read as a step up is refused.
fn path_segment(template: &Template, values: &Values) -> Result<Zeroizing<String>, RenderError> {
    let mut out = Zeroizing::new(String::new());
    for piece in &template.0 {
        match piece {
            Piece::Literal(literal) => out.push_str(literal),
            Piece::Variable(variable) => {
                let bytes = value(variable, values)?.expose();
                if bytes.is_empty() || bytes.iter().all(|byte| *byte == b'.') {
                    return Err(RenderError::Unfit { variable: variable.to_string(), place: "a path" });
                }
                percent(bytes, &mut out);
            }
        }
    }
    Ok(out)
}

/// RFC 3986 percent-encoding of everything but unreserved characters.
pub(super) fn percent(bytes: &[u8], out: &mut String) {
    use std::fmt::Write as _;
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

pub(super) fn form(pairs: &[(String, Template)], values: &Values) -> Result<Zeroizing<Vec<u8>>, RenderError> {
    let mut out = Zeroizing::new(String::new());
    for (key, template) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        percent(key.as_bytes(), &mut out);
        out.push('=');
        percent(text(template, values)?.expose(), &mut out);
    }
    Ok(Zeroizing::new(out.as_bytes().to_vec()))
}

fn json(template: &JsonTemplate, values: &Values) -> Result<Value, RenderError> {
    let string = |secret: &Secret, variable: &str| {
        let text = std::str::from_utf8(secret.expose());
        let unfit = |_| RenderError::Unfit { variable: variable.to_owned(), place: "a JSON string" };
        text.map(|text| Value::String(text.to_owned())).map_err(unfit)
    };
    Ok(match template {
        JsonTemplate::Bool(value) => Value::Bool(*value),
        JsonTemplate::Integer(value) => Value::from(*value),
        JsonTemplate::Float(value) => Value::from(*value),
        JsonTemplate::Text(template) => string(&text(template, values)?, "a value")?,
        JsonTemplate::Secrets => {
            let all = values.batch.iter().map(|secret| string(secret, "{secrets[]}"));
            Value::Array(all.collect::<Result<_, _>>()?)
        }
        JsonTemplate::Array(items) => {
            Value::Array(items.iter().map(|item| json(item, values)).collect::<Result<_, _>>()?)
        }
        JsonTemplate::Object(members) => {
            let members = members.iter().map(|(key, member)| Ok((key.clone(), json(member, values)?)));
            Value::Object(members.collect::<Result<_, RenderError>>()?)
        }
    })
}

#[cfg(test)]
mod tests;
