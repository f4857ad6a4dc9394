//! Tokens without a checksum whose parts must fit together.

use base64::Engine as _;

use crate::finding::Checksum;

use super::json::{is_object, string_member};
use super::{LENIENT, LENIENT_URL, verdict};

/// JSON Web Tokens (RFC 7515): `Passed` when header and payload are JSON objects and the
/// signature has the length its algorithm makes; `Failed` for `alg: none`, an empty or cut
/// signature, or parts that do not decode. Algorithms unknown here, and encrypted tokens
/// (five parts), give `Absent`.
pub(super) fn jwt(token: &[u8]) -> Checksum {
    let parts: Vec<&[u8]> = token.splitn(6, |&b| b == b'.').collect();
    let decode = |part: &[u8]| LENIENT_URL.decode(part).unwrap_or_default();
    let Some(header) = parts.first().map(|part| decode(part)) else { return Checksum::Failed };
    let Some(algorithm) = string_member(&header, "alg") else { return Checksum::Failed };
    if parts.len() == 5 && string_member(&header, "enc").is_some() {
        return Checksum::Absent;
    }
    let [_, payload, signature] = parts[..] else { return Checksum::Failed };
    let signature = decode(signature);
    if algorithm.eq_ignore_ascii_case(b"none") || signature.is_empty() || !is_object(&decode(payload)) {
        return Checksum::Failed;
    }
    let length = signature.len();
    match algorithm {
        b"HS256" => verdict(length == 32),
        b"HS384" => verdict(length == 48),
        b"HS512" => verdict(length == 64),
        b"ES256" | b"ES256K" | b"EdDSA" | b"Ed25519" => verdict(length == 64),
        b"ES384" => verdict(length == 96),
        b"ES512" => verdict(length == 132),
        b"RS256" | b"RS384" | b"RS512" | b"PS256" | b"PS384" | b"PS512" => {
            // The modulus: 1024 bits or more, in whole bytes.
            verdict(length >= 128)
        }
        _ => Checksum::Absent,
    }
}

/// Macaroons, binary format 2, in URL-safe base64 behind a prefix that ends in `-`: location,
/// identifier, caveats and a 32-byte signature, with nothing missing and nothing over.
///
/// Format: libmacaroons, `doc/format.txt`.
pub(super) fn macaroon(token: &[u8]) -> Checksum {
    let body = token.iter().position(|&b| b == b'-').map_or(token, |dash| &token[dash + 1..]);
    let Ok(decoded) = LENIENT_URL.decode(body) else { return Checksum::Failed };
    verdict(parse_macaroon(&decoded).is_some())
}

const END_OF_SECTION: u64 = 0;
const LOCATION: u64 = 1;
const IDENTIFIER: u64 = 2;
const SIGNATURE: u64 = 6;

fn parse_macaroon(bytes: &[u8]) -> Option<()> {
    let mut rest = bytes.strip_prefix(&[2])?;
    let (mut kind, mut field) = read_field(&mut rest)?;
    if kind == LOCATION {
        if !field.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        (kind, field) = read_field(&mut rest)?;
    }
    if kind != IDENTIFIER || field.is_empty() || read_field(&mut rest)?.0 != END_OF_SECTION {
        return None;
    }
    // Caveats: sections of fields, closed by an empty section.
    while read_field(&mut rest)?.0 != END_OF_SECTION {
        while read_field(&mut rest)?.0 != END_OF_SECTION {}
    }
    let (kind, signature) = read_field(&mut rest)?;
    (kind == SIGNATURE && signature.len() == 32 && rest.is_empty()).then_some(())
}

/// A type and its bytes; the end-of-section type has no length and no bytes.
fn read_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let kind = read_number(rest)?;
    if kind == END_OF_SECTION {
        return Some((kind, &[]));
    }
    let length = usize::try_from(read_number(rest)?).ok()?;
    let (field, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((kind, field))
}

/// A base-128 number of at most five bytes.
fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

/// Sentry organisation tokens, `sntrys_<base64 JSON>_<43>`: the JSON names time and server.
/// Other Sentry tokens are plain hex and give `Absent`.
pub(super) fn sentry(token: &[u8]) -> Checksum {
    let Some(body) = token.strip_prefix(b"sntrys_") else { return Checksum::Absent };
    let Some(split) = body.iter().rposition(|&b| b == b'_') else { return Checksum::Failed };
    let (json, secret) = (&body[..split], &body[split + 1..]);
    let json = LENIENT.decode(json).unwrap_or_default();
    let names_server = ["url", "region_url"].iter().any(|name| string_member(&json, name).is_some());
    let secret = LENIENT.decode(secret).or_else(|_| LENIENT_URL.decode(secret));
    verdict(names_server && secret.is_ok_and(|secret| secret.len() == 32))
}

/// Discord bot tokens: the first part is the base64 of the bot's number, 17 to 20 digits.
/// `mfa.` tokens have no such part and give `Absent`.
pub(super) fn discord(token: &[u8]) -> Checksum {
    let parts: Vec<&[u8]> = token.splitn(4, |&b| b == b'.').collect();
    let [user, time, signature] = parts[..] else { return Checksum::Absent };
    let user = LENIENT_URL.decode(user).unwrap_or_default();
    let is_number = (17..=20).contains(&user.len()) && user.iter().all(u8::is_ascii_digit);
    verdict(is_number && (5..=8).contains(&time.len()) && (27..=44).contains(&signature.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example::{Rng, expand};

    fn text(template: &str) -> String {
        expand(template, &|_| String::new(), &mut Rng::seeded("structured")).unwrap()
    }

    fn web_token(header: &str, payload: &str, signature: usize) -> String {
        let encode = |bytes: &[u8]| LENIENT_URL.encode(bytes).trim_end_matches('=').to_owned();
        let signature = Rng::seeded(header).bytes(signature);
        [header.as_bytes(), payload.as_bytes(), &signature].map(encode).join(".")
    }

    #[test]
    fn web_tokens_are_judged_by_algorithm_and_signature() {
        let judge =
            |header: &str, payload: &str, signature| jwt(web_token(header, payload, signature).as_bytes());
        assert_eq!(jwt(text("${jwt}").as_bytes()), Checksum::Passed);
        assert_eq!(judge(r#"{"alg":"RS256"}"#, "{}", 256), Checksum::Passed);
        assert_eq!(judge(r#"{"alg":"HS256"}"#, "{}", 31), Checksum::Failed);
        assert_eq!(judge(r#"{"alg":"HS256"}"#, "{}", 0), Checksum::Failed);
        assert_eq!(judge(r#"{"alg":"nOnE"}"#, "{}", 32), Checksum::Failed);
        assert_eq!(judge(r#"{"alg":"HS256"}"#, "{", 32), Checksum::Failed);
        assert_eq!(judge(r#"{"typ":"JWT"}"#, "{}", 32), Checksum::Failed);
        assert_eq!(judge(r#"{"alg":"X1"}"#, "{}", 32), Checksum::Absent);
        let encrypted = web_token(r#"{"alg":"dir","enc":"A256GCM"}"#, "{}", 32) + ".aaaa.bbbb";
        assert_eq!(jwt(encrypted.as_bytes()), Checksum::Absent);
    }

    #[test]
    fn a_web_token_cut_anywhere_fails() {
        let token = text("${jwt}");
        for end in 0..token.len() - 1 {
            assert_eq!(jwt(&token.as_bytes()[..end]), Checksum::Failed, "{end}");
        }
    }

    fn made_macaroon() -> Vec<u8> {
        let mut bytes = vec![2, 1, 16];
        bytes.extend(b"registry.invalid");
        bytes.extend([2, 36]);
        bytes.extend(text("${uuid}").bytes());
        bytes.extend([0, 2, 3, b'[', b'1', b']', 0, 0, 6, 32]);
        bytes.extend(Rng::seeded("macaroon").bytes(32));
        bytes
    }

    #[test]
    fn macaroons_are_whole_or_fail() {
        let bytes = made_macaroon();
        let token = |bytes: &[u8]| format!("pypi-{}", LENIENT_URL.encode(bytes).trim_end_matches('='));
        assert_eq!(macaroon(token(&bytes).as_bytes()), Checksum::Passed);
        for end in 0..bytes.len() {
            assert_eq!(macaroon(token(&bytes[..end]).as_bytes()), Checksum::Failed);
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(macaroon(token(&longer).as_bytes()), Checksum::Failed);
        let mut other_version = bytes;
        other_version[0] = 1;
        assert_eq!(macaroon(token(&other_version).as_bytes()), Checksum::Failed);
    }

    #[test]
    fn sentry_tokens_name_their_server() {
        let token = |json: &str| {
            format!(
                "sntrys_{}_{}",
                LENIENT.encode(json),
                LENIENT.encode(Rng::seeded("s").bytes(32)).trim_end_matches('=')
            )
        };
        assert_eq!(
            sentry(token(r#"{"iat":1,"url":"https://s.invalid","org":"o"}"#).as_bytes()),
            Checksum::Passed
        );
        assert_eq!(sentry(token(r#"{"iat":1}"#).as_bytes()), Checksum::Failed);
        assert_eq!(sentry(text("${sntryu_:lowerhex:64}").as_bytes()), Checksum::Absent);
    }

    #[test]
    fn discord_tokens_start_with_a_number() {
        let token = text("${b64url:${digit:18}}.${alnum:6}.${base64url:38}");
        assert_eq!(discord(token.as_bytes()), Checksum::Passed);
        let token = text("${b64url:${alpha:18}}.${alnum:6}.${base64url:38}");
        assert_eq!(discord(token.as_bytes()), Checksum::Failed);
        assert_eq!(discord(b"mfa.aaaa"), Checksum::Absent);
    }
}
