//! What a step that fetches a token for an OAuth client must keep to.

use super::super::compile::Problems;
use super::super::model::{Action, Body, Expect, Method, PartFrom, Provider, Step, Word};
use super::super::template::Variable;

/// A step that fetches a token for an OAuth client: by the form of RFC 6749, with nothing in its way.
pub(super) fn check(provider: &Provider, place: &str, step: &Step, problems: &mut Problems<'_>) {
    let Some(client) = &step.request.oauth else { return };
    if step.mutates {
        problems.add(
            place,
            "fetching a token changes nothing: the step with `oauth_client` does not say `mutates`",
        );
    }
    let own = ["grant_type", "client_id", "client_secret"];
    let in_its_way = match &step.request.body {
        Body::Empty => false,
        Body::Form(pairs) => pairs.iter().any(|(key, _)| own.contains(&key.as_str())),
        Body::Json(_) => true,
    };
    if step.request.method != Method::Post || in_its_way {
        problems.add(
            place,
            "oauth_client: is a POST whose `form` leaves grant_type, client_id and client_secret to it",
        );
    }
    if !client.secret.variables().any(|variable| provider.is_secret(variable)) {
        problems.add(place, "oauth_client.secret: names nothing that leaked");
    }
    if client.id.0.is_empty() {
        problems.add(place, "oauth_client.id: is empty");
    }
    // A block may say what is needed, but nothing weaker.
    for need in &step.need {
        if need.status != [200]
            || !need.json.iter().any(|(at, expect)| at == "/access_token" && *expect == Expect::Any)
        {
            problems.add(place, "oauth_client: leave `need` away; it is status 200 with an access_token");
        }
    }
}

/// Whether `action` of `validate` authenticates a client whose id may be another one's; it must not say `dead` then.
pub(super) fn is_guessed(
    provider: &Provider,
    place: &str,
    action: &Action,
    problems: &mut Problems<'_>,
) -> bool {
    let mut guessed = action.steps.iter().filter(|step| has_guessed_id(provider, step)).peekable();
    if place != "validate" || guessed.peek().is_none() {
        return false;
    }
    if guessed.any(|step| step.outcomes.iter().any(|outcome| outcome.is == Word::Dead)) {
        problems.add(
            place,
            "the client id stands near the secret and may be another client's: a refusal is `unknown` here, and \
             `dead` only in `revoke.post`",
        );
    }
    true
}

/// Whether `step` authenticates a client whose id another rule found near the secret.
fn has_guessed_id(provider: &Provider, step: &Step) -> bool {
    let near = |variable: &Variable| matches!(variable, Variable::Named(name) if matches!(provider.parts.get(name), Some(PartFrom::Near { .. })));
    step.request.oauth.iter().any(|client| client.id.variables().any(near))
}
