//! Assertions signed with a leaked private key (RFC 7523), as Google's token endpoint takes them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::finding::Secret;
use crate::rule::provider::JwtBearer;

use super::render::{self, RenderError};
use super::values::Values;

/// Seconds an assertion is good for. The provider allows an hour; a check needs less.
const LIFETIME: i64 = 300;

/// Signs the assertion `claims` asks for, valid from `now`.
///
/// # Errors
///
/// A key that is no PKCS #8 RSA key in PEM, or a missing field.
pub(super) fn assertion(claims: &JwtBearer, values: &Values, now: i64) -> Result<Secret, RenderError> {
    let unfit = || RenderError::Unfit { variable: claims.key.to_string(), place: "an RS256 signature" };
    let key = render::text(&claims.key, values)?;
    let plain = |template| -> Result<String, RenderError> {
        let bytes = render::text(template, values)?;
        Ok(String::from_utf8_lossy(bytes.expose()).into_owned())
    };
    let kid = claims.kid.as_ref().map(plain).transpose()?;
    let mut payload = serde_json::json!({
        "iss": plain(&claims.issuer)?, "aud": claims.audience, "iat": now, "exp": now + LIFETIME,
    });
    if let Some(scope) = &claims.scope {
        payload["scope"] = scope.as_str().into();
    }
    signed(&key, kid.as_deref(), &payload).ok_or_else(unfit)
}

/// The assertion by which an OAuth client proves who it is at `audience` (RFC 7523, section 3).
///
/// None if `key` is no PKCS #8 RSA key in PEM.
#[must_use]
pub fn client_assertion(
    key: &Secret,
    kid: Option<&str>,
    client: &str,
    audience: &str,
    now: i64,
) -> Option<Secret> {
    let mut id = [0; 16];
    ring::rand::SecureRandom::fill(&SystemRandom::new(), &mut id).ok()?;
    let payload = serde_json::json!({
        "iss": client, "sub": client, "aud": audience, "jti": URL_SAFE_NO_PAD.encode(id), "iat": now,
        "exp": now + LIFETIME,
    });
    signed(key, kid, &payload)
}

/// A JWT over `payload`, signed RS256.
fn signed(key: &Secret, kid: Option<&str>, payload: &serde_json::Value) -> Option<Secret> {
    let pair = RsaKeyPair::from_pkcs8(&der(key)?).ok()?;
    let mut header = serde_json::json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    let mut text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(payload.to_string())
    );
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    text.push('.');
    text.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Some(Secret::new(Zeroizing::new(text).as_bytes()))
}

/// The bytes between the PEM lines of a `PRIVATE KEY`.
fn der(pem: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(pem.expose()).ok()?;
    let label = "PRIVATE KEY-----";
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}"))?;
    let (body, _) = rest.split_once("-----END")?;
    let packed = Zeroizing::new(body.chars().filter(|c| !c.is_whitespace()).collect::<String>());
    STANDARD.decode(packed.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::rule::provider::parse_file;

    const BLOCK: &str = r#"
schema = 1
[[provider]]
id = "acme"
rules = ["acme-key"]
hosts = ["token.acme.example"]
parse = "json"
evidence = "documentation"
references = ["https://acme.example"]
auth = { jwt_bearer = { alg = "RS256", key = "{f.private_key}", kid = "{f.private_key_id}", iss = "{f.client_email}", aud = "https://token.acme.example/", scope = "all" } }
[provider.validate]
request = { method = "POST", url = "https://token.acme.example/", form = { assertion = "{auth.assertion}" } }
outcome = [ { is = "live", status = 200, json = { "/access_token" = "*" } }, { is = "dead", status = 400 } ]
"#;

    /// A fresh RSA key, made by the `openssl` command: (PEM private key, DER public key).
    fn key() -> (String, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key.pem");
        let run = |args: &[&str]| {
            let output = Command::new("openssl").args(args).output().expect("openssl runs");
            assert!(output.status.success(), "openssl {args:?}");
            output.stdout
        };
        let path = file.to_str().expect("is text");
        run(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path]);
        let public = run(&["rsa", "-in", path, "-RSAPublicKey_out", "-outform", "DER"]);
        (std::fs::read_to_string(&file).expect("was written"), public)
    }

    #[test]
    fn the_assertion_verifies_and_says_what_it_should() {
        let (private, public) = key();
        let leaked = serde_json::json!({
            "private_key": private, "private_key_id": "kid-1", "client_email": "robot@acme.example",
            "token_uri": "https://evil.example/",
        });
        let provider = parse_file(BLOCK).expect("passes").remove(0);
        let values = Values::of(&provider, &Secret::new(leaked.to_string()), &[], None).expect("fits");
        let Some(crate::rule::provider::Auth::JwtBearer(claims)) = &provider.auth else { panic!("has one") };
        let signed = assertion(claims, &values, 1_000).expect("signs");
        let text = std::str::from_utf8(signed.expose()).expect("is text");
        let (head, signature) = text.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("is base64");
        ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, public)
            .verify(head.as_bytes(), &signature)
            .expect("the signature holds");
        let claims = URL_SAFE_NO_PAD.decode(head.split_once('.').expect("two parts").1).expect("is base64");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("is JSON");
        assert_eq!(
            claims,
            serde_json::json!({ "iss": "robot@acme.example", "aud": "https://token.acme.example/", "iat": 1000, "exp": 1300, "scope": "all" })
        );
    }
}
