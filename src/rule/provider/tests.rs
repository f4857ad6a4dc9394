use super::{Binding, ProviderError, parse_file};

/// A block that passes; tests change one thing in it.
const GOOD: &str = r#"
schema = 1
[[provider]]
id = "acme"
rules = ["acme-token"]
hosts = ["api.acme.example"]
evidence = "documentation"
references = ["https://acme.example/docs"]
[provider.validate]
request = { method = "GET", url = "https://api.acme.example/me", bearer = true }
outcome = [ { is = "live", status = 200, json = { "/id" = "*" }, keep = { who = "/id" } }, { is = "dead", status = 401 } ]
[provider.revoke]
class = "self"
binding = "self"
unattended = true
propagation = "10s"
request = { method = "DELETE", url = "https://api.acme.example/me/token", bearer = true }
outcome = [ { is = "accepted", status = 204 } ]
"#;

/// Two requests: who am I, then delete that id.
const STEPS: &str = r#"
schema = 1
[[provider]]
id = "acme"
rules = ["acme-token"]
hosts = ["api.acme.example"]
evidence = "documentation"
references = ["https://acme.example/docs"]
[provider.revoke]
class = "self"
binding = "intro"
propagation = "10s"
[[provider.revoke.step]]
name = "whoami"
request = { method = "GET", url = "https://api.acme.example/me", bearer = true }
need = [ { status = 200 } ]
take = { id = { json = "/id", match = "[0-9a-f]{8}" } }
[[provider.revoke.step]]
name = "delete"
mutates = true
request = { method = "DELETE", url = "https://api.acme.example/keys/{id}", bearer = true }
outcome = [ { is = "accepted", status = 204 } ]
"#;

fn errors(text: &str) -> Vec<ProviderError> {
    parse_file(text).err().unwrap_or_default()
}

/// Replaces `from` in `text` and expects exactly a complaint with `words`.
fn refuses(text: &str, from: &str, to: &str, words: &str) {
    assert!(text.contains(from), "the sample has no `{from}`");
    let found = errors(&text.replacen(from, to, 1));
    assert!(found.iter().any(|error| error.to_string().contains(words)), "wanted `{words}`, got {found:#?}");
}

#[test]
fn good_blocks_pass() {
    assert_eq!(errors(GOOD), []);
    assert_eq!(errors(STEPS), []);
    let provider = &parse_file(STEPS).expect("passes")[0];
    assert_eq!(provider.revoke.as_ref().expect("has one").binding, Binding::Intro);
}

#[test]
fn hosts_are_named_plain_and_https() {
    refuses(GOOD, "https://api.acme.example/me\"", "https://evil.example/me\"", "is not in `hosts`");
    refuses(
        GOOD,
        "https://api.acme.example/me\"",
        "http://api.acme.example/me\"",
        "does not start with https://",
    );
    refuses(
        GOOD,
        "https://api.acme.example/me\"",
        "https://{secret}.acme.example/me\"",
        "plain lower-case host",
    );
    refuses(
        GOOD,
        "https://api.acme.example/me\"",
        "https://u:p@api.acme.example/me\"",
        "plain lower-case host",
    );
    refuses(
        GOOD,
        "https://api.acme.example/me\"",
        "https://api.acme.example:8443/me\"",
        "plain lower-case host",
    );
    refuses(GOOD, "[\"api.acme.example\"]", "[\"10.0.0.1\"]", "plain lower-case host");
    refuses(GOOD, "https://api.acme.example/me\"", "{base}/me\"", "there is no `base`");
}

#[test]
fn unknown_keys_are_errors() {
    refuses(GOOD, "unattended = true", "unatended = true", "unknown field");
    refuses(GOOD, "bearer = true }", "bearer = true, follow = true }", "unknown field");
    refuses(GOOD, "schema = 1", "schema = 1\nextra = 1", "unknown field");
    refuses(GOOD, "schema = 1", "schema = 2", "schema 2 is not known");
}

#[test]
fn secrets_stay_out_of_urls_unless_allowed() {
    refuses(GOOD, "example/me\"", "example/me/{secret}\"", "servers log URLs");
    refuses(GOOD, "example/me\"", "example/me?t={secret}\"", "servers log URLs");
    let allowed = GOOD.replacen("example/me\"", "example/me/{secret}\"", 1);
    let allowed = allowed.replacen("id = \"acme\"", "id = \"acme\"\nallow_secret_in_url = true", 1);
    assert_eq!(errors(&allowed), []);
}

#[test]
fn answers_never_map_redirects_or_bare_success() {
    refuses(
        GOOD,
        "is = \"dead\", status = 401",
        "is = \"dead\", status = 302",
        "a redirect never means anything",
    );
    refuses(GOOD, "json = { \"/id\" = \"*\" }, ", "", "`live` needs a json, xml or header condition");
    refuses(
        GOOD,
        "{ is = \"dead\", status = 401 }",
        "{ is = \"dead\", json = { \"/e\" = 1 } }",
        "names the status",
    );
    refuses(GOOD, "{ is = \"dead\", status = 401 }", "", "no answer means dead");
    refuses(GOOD, "\"accepted\"", "\"dead\"", "is not one of this action's words");
}

#[test]
fn a_claimed_binding_must_hold() {
    refuses(GOOD, "me/token\", bearer = true }", "me/token\" }", "binding `self` is claimed");
    refuses(GOOD, "binding = \"self\"", "binding = \"embed\"", "binding `embed` is claimed");
    refuses(STEPS, "keys/{id}\"", "keys/first\"", "binding `intro` is claimed");
    refuses(STEPS, "binding = \"intro\"", "binding = \"exact\"", "binding `exact` is claimed");
    refuses(STEPS, "keys/{id}\"", "keys/{other}\"", "{other} is not known here");
}

#[test]
fn taken_values_have_a_shape() {
    refuses(STEPS, ", match = \"[0-9a-f]{8}\"", "", "missing field `match`");
    refuses(STEPS, "[0-9a-f]{8}", ".*", "match takes at least 1");
    refuses(STEPS, "[0-9a-f]{8}", "[0-9a-f]+", "match takes at least 1");
    refuses(STEPS, "[0-9a-f]{8}", "(", "match:");
}

#[test]
fn only_the_first_of_a_list_cannot_be_said() {
    let find = r#"take = { id = { json_find = { in = "/*", where = { "/name" = "x" }, get = "/id", unique = true }, match = "[0-9]{8}" } }"#;
    let listed = STEPS.replacen("take = { id = { json = \"/id\", match = \"[0-9a-f]{8}\" } }", find, 1);
    refuses(&listed, "binding = \"intro\"", "binding = \"exact\"", "binding `exact` is claimed");
    refuses(&listed, "unique = true", "unique = false", "somebody else's key");
    refuses(&listed, "where = { \"/name\" = \"x\" }", "where = {}", "needs `where`");
    let exact =
        listed.replacen("\"x\"", "\"{secret}\"", 1).replacen("binding = \"intro\"", "binding = \"exact\"", 1);
    assert_eq!(errors(&exact), []);
}

#[test]
fn one_change_and_it_comes_last() {
    refuses(STEPS, "mutates = true", "mutates = false", "exactly one step says `mutates`");
    refuses(
        STEPS,
        "name = \"whoami\"",
        "name = \"whoami\"\nmutates = true",
        "exactly one step says `mutates`",
    );
    refuses(STEPS, "method = \"GET\"", "method = \"PUT\"", "changes something");
    refuses(GOOD, "method = \"GET\"", "method = \"DELETE\"", "changes something");
    let step = "[[provider.revoke.step]]\nrequest = { method = \"GET\", url = \"https://api.acme.example/me\", bearer = true }\nneed = [ { status = 200 } ]\n";
    let many =
        STEPS.replacen("[[provider.revoke.step]]", &format!("{}[[provider.revoke.step]]", step.repeat(3)), 1);
    assert!(errors(&many).iter().any(|e| e.to_string().contains("at most 4")), "{:?}", errors(&many));
}

#[test]
fn unattended_needs_a_check_and_a_safe_binding() {
    refuses(GOOD, "binding = \"self\"", "binding = \"none\"", "unattended needs");
    refuses(STEPS, "propagation", "unattended = true\npropagation", "unattended needs");
}

#[test]
fn headers_belong_to_the_client() {
    let with = |header: &str| {
        GOOD.replacen("me\", bearer = true }", &format!("me\", header = {{ {header} }} }}"), 1)
    };
    assert!(errors(&with("Host = \"x\"")).iter().any(|e| e.to_string().contains("set by the client alone")));
    assert!(errors(&with("X = \"a\\r\\nb\"")).iter().any(|e| e.to_string().contains("control character")));
    assert!(errors(&with("\"a b\" = \"c\"")).iter().any(|e| e.to_string().contains("is no header name")));
    let twice =
        GOOD.replacen("bearer = true }", "bearer = true, header = { Authorization = \"x {secret}\" } }", 1);
    assert!(errors(&twice).iter().any(|e| e.to_string().contains("authorises itself twice")));
}

#[test]
fn generic_findings_are_never_served() {
    refuses(GOOD, "acme-token", "generic-password", "never sent anywhere");
}

#[test]
fn batches_and_lists_belong_together() {
    refuses(GOOD, "propagation", "batch = { max = 5 }\npropagation", "belong together");
    refuses(
        GOOD,
        "me/token\", bearer = true }",
        "me/token\", json = { c = \"{secrets[]}\" } }",
        "belong together",
    );
}

/// A token for an OAuth client, then a request with it.
const OAUTH: &str = r#"
schema = 1
[[provider]]
id = "acme"
rules = ["acme-client"]
hosts = ["api.acme.example"]
split = { re = '(?P<client>[a-z]{8})[.](?P<key>[a-z]{32})', public = ["client"] }
parts = { near = { rule = "acme-client-id", public = true } }
evidence = "documentation"
references = ["https://acme.example/docs"]
[[provider.validate.step]]
name = "token"
request = { method = "POST", url = "https://api.acme.example/token", oauth_client = { id = "{client}", secret = "{key}", send = "post" }, form = { scope = "me" } }
outcome = [ { is = "dead", status = 401, json = { "/error" = "invalid_client" } } ]
[[provider.validate.step]]
name = "me"
request = { method = "GET", url = "https://api.acme.example/me", bearer = "{auth.token}" }
outcome = [ { is = "live", status = 200, json = { "/id" = "*" } } ]
[provider.revoke]
class = "self"
binding = "embed"
propagation = "10s"
[[provider.revoke.step]]
name = "token"
request = { method = "POST", url = "https://api.acme.example/token", oauth_client = { id = "{client}", secret = "{key}", send = "basic" } }
[[provider.revoke.step]]
name = "kill"
mutates = true
request = { method = "DELETE", url = "https://api.acme.example/clients/{client}", bearer = "{auth.token}" }
outcome = [ { is = "accepted", status = 204 } ]
"#;

#[test]
fn a_token_is_asked_for_by_the_form_of_the_rfc() {
    assert_eq!(errors(OAUTH), []);
    let provider = &parse_file(OAUTH).expect("passes")[0];
    let first = &provider.validate.as_ref().expect("has one").steps[0];
    assert_eq!(first.need[0].status, [200], "a token is needed, without a word in the block");
    refuses(OAUTH, "send = \"post\"", "send = \"jwt\"", "`jwt` is not basic or post");
    refuses(OAUTH, ", send = \"post\"", "", "missing field `send`");
    refuses(OAUTH, "send = \"post\" }", "send = \"post\", url = \"x\" }", "unknown field `url`");
    refuses(OAUTH, "method = \"POST\"", "method = \"GET\"", "is a POST");
    refuses(OAUTH, "scope = \"me\"", "grant_type = \"password\"", "leaves grant_type");
    refuses(OAUTH, "scope = \"me\"", "client_secret = \"{key}\"", "leaves grant_type");
    refuses(OAUTH, "form = { scope", "json = { scope", "is a POST whose `form`");
    refuses(OAUTH, "form = { scope = \"me\" }", "bearer = true", "authorises itself twice");
    refuses(OAUTH, "secret = \"{key}\"", "secret = \"{client}\"", "names nothing that leaked");
    refuses(OAUTH, "secret = \"{key}\"", "secret = \"constant\"", "names nothing that leaked");
    refuses(OAUTH, "secret = \"{key}\"", "secret = \"{other}\"", "{other} is not known here");
    refuses(OAUTH, "id = \"{client}\"", "id = \"\"", "oauth_client.id: is empty");
    refuses(OAUTH, "name = \"token\"", "name = \"token\"\nneed = [ { status = 200 } ]", "leave `need` away");
    refuses(OAUTH, "api.acme.example/token", "evil.example/token", "is not in `hosts`");
}

#[test]
fn a_token_is_as_secret_as_what_it_was_fetched_with() {
    refuses(
        OAUTH,
        "https://api.acme.example/me\"",
        "https://api.acme.example/me?t={auth.token}\"",
        "servers log URLs",
    );
    refuses(GOOD, "bearer = true", "bearer = \"{auth.token}\"", "{auth.token} is not known here");
    let early = "oauth_client = { id = \"{client}\", secret = \"{auth.token}\"";
    refuses(
        OAUTH,
        "oauth_client = { id = \"{client}\", secret = \"{key}\"",
        early,
        "{auth.token} is not known here",
    );
    // Who revokes what the token is good for has not said which secret dies.
    let own = OAUTH.replacen("clients/{client}", "clients/self", 1);
    refuses(&own, "binding = \"embed\"", "binding = \"self\"", "binding `self` is claimed");
    let killed = "mutates = true\nrequest = { method = \"POST\", url = \"https://api.acme.example/token\", oauth_client = { id = \"{client}\", secret = \"{key}\", send = \"post\" } }";
    let own = "mutates = true\nrequest = { method = \"DELETE\", url = \"https://api.acme.example/clients/{client}\", bearer = \"{auth.token}\" }";
    refuses(OAUTH, own, killed, "fetching a token changes nothing");
    refuses(OAUTH, own, killed, "fetches a second token");
    let step = "[[provider.revoke.step]]\nrequest = { method = \"GET\", url = \"https://api.acme.example/me\", bearer = true }\nneed = [ { status = 200 } ]\n";
    let at = OAUTH.rfind("[[provider.revoke.step]]").expect("has one");
    let many = format!("{}{}{}", &OAUTH[..at], step.repeat(3), &OAUTH[at..]);
    assert!(
        errors(&many).iter().any(|e| e.to_string().contains("at most 4")),
        "the token is one of the four"
    );
}

/// With an id that merely stood near by, a refusal may mean the wrong id, not a dead secret.
#[test]
fn a_guessed_client_id_proves_no_death() {
    let guessed = OAUTH.replace("id = \"{client}\"", "id = \"{near}\"");
    refuses(&guessed, "name", "name", "may be another client's");
    let careful = guessed.replacen("{ is = \"dead\", status = 401", "{ is = \"unknown\", status = 401", 1);
    assert_eq!(errors(&careful), []);
    let certain = OAUTH.replacen("{ is = \"dead\", status = 401", "{ is = \"unknown\", status = 401", 1);
    assert!(errors(&certain).iter().any(|error| error.to_string().contains("no answer means dead")));
}
