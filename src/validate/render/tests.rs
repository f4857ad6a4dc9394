use super::*;
use crate::rule::provider::parse_file;

/// A provider with one request, whose `request` table is `body`.
fn provider(request: &str) -> Provider {
    let text = format!(
        r#"
schema = 1
[[provider]]
id = "acme"
rules = ["acme-token"]
hosts = ["api.acme.example"]
allow_secret_in_url = true
evidence = "documentation"
references = ["https://acme.example"]
[provider.validate]
request = {request}
outcome = [ {{ is = "live", status = 204 }}, {{ is = "dead", status = 401 }} ]
"#
    );
    parse_file(&text).unwrap_or_else(|errors| panic!("{errors:?}")).remove(0)
}

fn render(request: &str, secret: &[u8]) -> Result<Request, RenderError> {
    let provider = provider(request);
    let values = Values::of(&provider, &Secret::new(secret), &[], None).expect("fits");
    let block = &provider.validate.as_ref().expect("has one").steps[0].request;
    super::request(&provider, block, &values, 0)
}

const NASTY: &[u8] = b"a/b?c=d&e\"f\\g%h i#../";

#[test]
fn path_and_query_are_percent_encoded() {
    let url = r#"{ method = "GET", url = "https://api.acme.example/k/{secret}:off?q={secret}&r=1" }"#;
    let encoded = "a%2Fb%3Fc%3Dd%26e%22f%5Cg%25h%20i%23..%2F";
    let request = render(url, NASTY).expect("fits");
    assert_eq!(request.target.as_str(), format!("/k/{encoded}:off?q={encoded}&r=1"));
    assert_eq!((request.host.as_str(), request.port), ("api.acme.example", 443));
}

#[test]
fn a_value_cannot_climb_the_path() {
    let url = r#"{ method = "GET", url = "https://api.acme.example/k/{secret}/x" }"#;
    for bad in [&b".."[..], b".", b""] {
        assert!(matches!(render(url, bad), Err(RenderError::Unfit { place: "a path", .. })));
    }
}

#[test]
fn headers_refuse_line_breaks() {
    let header = r#"{ method = "GET", url = "https://api.acme.example/", header = { X-Key = "{secret}" } }"#;
    for bad in [&b"a\r\nHost: evil"[..], b"a\nb", b"a\0b", b"\xff"] {
        assert!(matches!(render(header, bad), Err(RenderError::Unfit { place: "a header", .. })));
    }
    let bearer = r#"{ method = "GET", url = "https://api.acme.example/", bearer = true }"#;
    assert!(render(bearer, b"a\r\nb").is_err());
    let good = render(bearer, b"abc").expect("fits");
    assert!(good.headers.contains(&("Authorization".to_owned(), Secret::new("Bearer abc"))));
}

#[test]
fn json_goes_through_the_serializer() {
    let json = r#"{ method = "POST", url = "https://api.acme.example/", json = { token = "{secret}", list = [1, true, "x{secret}"] } }"#;
    let request = render(json, NASTY).expect("fits");
    let value: Value = serde_json::from_slice(&request.body).expect("is JSON");
    let nasty = std::str::from_utf8(NASTY).expect("is text");
    assert_eq!(value, serde_json::json!({ "token": nasty, "list": [1, true, format!("x{nasty}")] }));
    assert!(matches!(render(json, b"\xff"), Err(RenderError::Unfit { place: "a JSON string", .. })));
}

#[test]
fn forms_and_basic_are_encoded() {
    let form =
        r#"{ method = "POST", url = "https://api.acme.example/", form = { token = "{secret}", z = "1 2" } }"#;
    let request = render(form, NASTY).expect("fits");
    let text = std::str::from_utf8(&request.body).expect("is text");
    assert_eq!(text, "token=a%2Fb%3Fc%3Dd%26e%22f%5Cg%25h%20i%23..%2F&z=1%202");
    let basic =
        r#"{ method = "GET", url = "https://api.acme.example/", basic = { user = "u", pass = "{secret}" } }"#;
    let request = render(basic, b"p").expect("fits");
    assert!(request.headers.contains(&("Authorization".to_owned(), Secret::new("Basic dTpw"))));
    let user = r#"{ method = "GET", url = "https://api.acme.example/", basic = { user = "{secret}" } }"#;
    assert!(render(user, b"a:b").is_err());
}

#[test]
fn debug_shows_no_secret() {
    let url = r#"{ method = "GET", url = "https://api.acme.example/{secret}", bearer = true }"#;
    let request = render(url, b"hunter2hunter2").expect("fits");
    assert!(!format!("{request:?}").contains("hunter2"));
}
