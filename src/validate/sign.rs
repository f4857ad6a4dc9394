//! AWS Signature Version 4.
//!
//! Source: AWS General Reference, "Signature Version 4 signing process"; tested with the values of
//! AWS's published test suite.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::finding::Secret;
use crate::net::Request;
use crate::rule::provider::Signature;

/// An access key.
pub(super) struct Keys {
    /// Access key id.
    pub(super) id: Secret,
    /// Secret access key.
    pub(super) secret: Secret,
}

/// Adds `X-Amz-Date` and `Authorization` to `request`. Signs host, content type and date.
pub(super) fn aws4(request: &mut Request, keys: &Keys, scope: &Signature, now: i64) {
    let stamp = stamp(now);
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("accept"));
    request.headers.push(("X-Amz-Date".to_owned(), Secret::new(stamp.as_str())));
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut signed: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| {
            (name.to_ascii_lowercase(), String::from_utf8_lossy(value.expose()).trim().to_owned())
        })
        .collect();
    signed.push(("host".to_owned(), request.host.clone()));
    signed.sort();
    let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let canonical = Zeroizing::new(format!(
        "{}\n{path}\n{}\n{lines}\n{names}\n{}",
        request.method,
        pairs.join("&"),
        hex(&Sha256::digest(request.body.as_slice()))
    ));
    let day = &stamp[..8];
    let range = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{stamp}\n{range}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let signature = hex(&mac(&signing_key(&keys.secret, day, scope), to_sign.as_bytes())[..]);
    let id = String::from_utf8_lossy(keys.id.expose());
    let value =
        format!("AWS4-HMAC-SHA256 Credential={id}/{range}, SignedHeaders={names}, Signature={signature}");
    request.headers.push(("Authorization".to_owned(), Secret::new(value)));
}

/// A form post as a server sees it, to check its signature.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// `Host` header.
    pub host: &'a str,
    /// `Content-Type` header.
    pub content_type: &'a str,
    /// `X-Amz-Date` header.
    pub date: &'a str,
    /// Body.
    pub body: &'a [u8],
}

/// The `Authorization` header a `POST /` of `signed` has under `(id, secret)`, for the service and
/// region that `given` (the header that came) names. None if the date or `given` is malformed.
///
/// For servers: the mock provider signs again and compares.
#[must_use]
pub fn aws4_authorization(signed: &Signed<'_>, (id, secret): (&str, &str), given: &str) -> Option<String> {
    let mut range = given.split_once("Credential=")?.1.split(',').next()?.split('/').skip(2);
    let scope = Signature { region: range.next()?.to_owned(), service: range.next()?.to_owned() };
    let now = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", signed.date).ok()?.to_datetime().ok()?;
    let now = now.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    let mut request = Request {
        method: "POST",
        host: signed.host.to_owned(),
        port: 443,
        target: Zeroizing::new("/".to_owned()),
        headers: vec![("Content-Type".to_owned(), Secret::new(signed.content_type))],
        body: Zeroizing::new(signed.body.to_vec()),
    };
    aws4(&mut request, &Keys { id: Secret::new(id), secret: Secret::new(secret) }, &scope, now);
    let (_, value) = request.headers.pop()?;
    String::from_utf8(value.expose().to_vec()).ok()
}

/// `20150830T123600Z`.
fn stamp(now: i64) -> String {
    let time = jiff::Timestamp::from_second(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn signing_key(secret: &Secret, day: &str, scope: &Signature) -> Zeroizing<Vec<u8>> {
    let first = Zeroizing::new([b"AWS4", secret.expose()].concat());
    [day, &scope.region, &scope.service, "aws4_request"]
        .iter()
        .fold(first, |key, part| mac(&key, part.as_bytes()))
}

fn mac(key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
    // NOTE: HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts any key length");
    mac.update(data);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The access key of AWS's signing test suite, put together here.
    fn keys() -> Keys {
        let secret = ["wJalrXUtnFEMI", "K7MDENG+bPxRfiCY", "EXAMPLE", "KEY"];
        Keys {
            id: Secret::new(["AKID", "EXAMPLE"].concat()),
            secret: Secret::new(format!("{}/{}{}{}", secret[0], secret[1], secret[2], secret[3])),
        }
    }

    fn signature(mut request: Request, service: &str) -> String {
        let scope = Signature { service: service.to_owned(), region: "us-east-1".to_owned() };
        aws4(&mut request, &keys(), &scope, 1_440_938_160);
        let (_, value) = request.headers.pop().expect("was added");
        let value = String::from_utf8(value.expose().to_vec()).expect("is text");
        value.rsplit_once("Signature=").expect("has one").1.to_owned()
    }

    fn request(
        method: &'static str,
        host: &str,
        target: &str,
        content_type: Option<&str>,
        body: &str,
    ) -> Request {
        Request {
            method,
            host: host.to_owned(),
            port: 443,
            target: Zeroizing::new(target.to_owned()),
            headers: content_type
                .map(|value| ("Content-Type".to_owned(), Secret::new(value)))
                .into_iter()
                .collect(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn the_published_test_suite_agrees() {
        let host = "example.amazonaws.com";
        // Case get-vanilla.
        let vanilla = request("GET", host, "/", None, "");
        let wanted = ["5fa00fa31553b73ebf1942676e86291e", "8372ff2a2260956d9b8aae1d763fbf31"].concat();
        assert_eq!(signature(vanilla, "service"), wanted);
        // Case get-vanilla-query-order-key-case.
        let query = request("GET", host, "/?Param2=value2&Param1=value1", None, "");
        let wanted = ["b97d918cfa904a5beff61c982a1b6f45", "8b799221646efd99d3219ec94cdf2500"].concat();
        assert_eq!(signature(query, "service"), wanted);
        // Case post-x-www-form-urlencoded.
        let form = "application/x-www-form-urlencoded";
        let post = request("POST", host, "/", Some(form), "Param1=value1");
        let wanted = ["ff11897932ad3f4e8b18135d722051e5", "ac45fc38421b1da7b9d196a0fe09473a"].concat();
        assert_eq!(signature(post, "service"), wanted);
    }

    #[test]
    fn the_worked_example_of_the_documentation_agrees() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let list =
            request("GET", "iam.amazonaws.com", "/?Action=ListUsers&Version=2010-05-08", Some(form), "");
        let wanted = ["5d672d79c15b13162d9279b0855cfba6", "789a8edb4c82c400e06b5924a6f2b5d7"].concat();
        assert_eq!(signature(list, "iam"), wanted);
    }
}
