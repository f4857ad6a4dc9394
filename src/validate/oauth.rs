//! Access tokens for OAuth clients, fetched with a leaked client secret (RFC 6749, section 4.4).
//!
//! The token is as secret as the secret: it stands in the next requests of the same action and nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::finding::Secret;
use crate::rule::provider::{OauthClient, Piece, SendClient, Template};

use super::render::{self, RenderError};
use super::values::Values;

/// Longest token, in bytes; longer ones fit no header of common servers.
const LONGEST: usize = 8 * 1024;

/// Header value of `client_secret_basic`: id and secret are form-encoded before they are joined.
///
/// # Errors
///
/// A value is missing.
pub(super) fn basic(client: &OauthClient, values: &Values) -> Result<Secret, RenderError> {
    let mut pair = Zeroizing::new(String::new());
    render::percent(render::text(&client.id, values)?.expose(), &mut pair);
    pair.push(':');
    render::percent(render::text(&client.secret, values)?.expose(), &mut pair);
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    Ok(render::prefixed(b"Basic ", &Secret::new(encoded.as_bytes())))
}

/// The form of the token request, `more` (scope, audience) behind what the RFC asks for.
///
/// # Errors
///
/// A value is missing.
pub(super) fn form(
    client: &OauthClient,
    more: &[(String, Template)],
    values: &Values,
) -> Result<Zeroizing<Vec<u8>>, RenderError> {
    let literal = |text: &str| Template(vec![Piece::Literal(text.to_owned())]);
    let mut pairs = vec![("grant_type".to_owned(), literal("client_credentials"))];
    if client.send == SendClient::Post {
        pairs.push(("client_id".to_owned(), client.id.clone()));
        pairs.push(("client_secret".to_owned(), client.secret.clone()));
    }
    pairs.extend_from_slice(more);
    render::form(&pairs, values)
}

/// The token in an answer, if it is one for `Authorization: Bearer` (RFC 6750, section 2.1).
///
/// # Errors
///
/// There is none, or it is of another type, in words that hold nothing of it.
pub(super) fn token(answer: &Value) -> Result<Secret, String> {
    let text = answer.pointer("/access_token").and_then(Value::as_str);
    let text = text.ok_or("the answer lacks the access token the next request needs")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(allowed) {
        return Err("the access token in the answer has not the form of one".to_owned());
    }
    match answer.pointer("/token_type") {
        None => {}
        Some(Value::String(kind)) if kind.eq_ignore_ascii_case("bearer") => {}
        Some(_) => return Err("the access token in the answer is no bearer token".to_owned()),
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests;
