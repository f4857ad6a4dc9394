//! Runs the steps of an action: request, answer, verdict.
//!
//! Read-only requests are repeated with backoff when the network or the server is at fault. A
//! mutating request is sent once: whether it worked is found out by looking, not by sending again.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::finding::Evidence;
use crate::net::{Clock, NetError, Response, Transport};
use crate::rule::provider::{Auth, Outcome, Provider, Step, Word};

use super::answer::Answer;
use super::redact::Redactor;
use super::values::Values;
use super::{jwt, render};

/// Waits before the repetitions of a read-only request.
const BACKOFF: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// Longest `Retry-After` that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What came of an action.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The word of the outcome that matched, or `Unknown`.
    pub word: Word,
    /// Why, in words; holds nothing secret.
    pub reason: String,
    /// What the answer proves.
    pub evidence: Evidence,
    /// Account of the credential, where the provider tells.
    pub account: Option<String>,
    /// Whether the mutating request may have been acted on.
    pub mutated: Mutation,
}

/// How far the mutating request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// It was not sent.
    NotSent,
    /// It may have arrived; there is no answer.
    MaybeSent,
    /// It was answered.
    Answered,
}

/// What an action is about to do, or has done.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The mutating request goes out next.
    Sending(&'a Traffic<'a>),
    /// A request was answered, or not.
    Done(&'a Traffic<'a>, Option<u16>),
}

/// One request, as far as it may be written down.
#[derive(Clone, Copy, Debug)]
pub struct Traffic<'a> {
    /// Name of the step.
    pub step: &'a str,
    /// Whether it changes something.
    pub mutates: bool,
    /// Method.
    pub method: &'static str,
    /// Host.
    pub host: &'a str,
    /// Path with its variables unfilled.
    pub path: &'a str,
}

/// Told of every request; `Break` stops the action before the next one.
pub type Observer<'o> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 'o;

/// Network and time.
#[derive(Clone, Copy)]
pub struct Wire<'w> {
    /// Where requests go.
    pub transport: &'w dyn Transport,
    /// Time.
    pub clock: &'w dyn Clock,
}

/// Runs `steps` of `provider` for the credential in `values`.
pub fn run(
    provider: &Provider,
    steps: &[Step],
    values: &mut Values,
    wire: Wire<'_>,
    observe: &mut Observer<'_>,
) -> Verdict {
    let mut mutated = Mutation::NotSent;
    if let Some(Auth::JwtBearer(claims)) = &provider.auth {
        match jwt::assertion(claims, values, wire.clock.now()) {
            Ok(signed) => values.assertion = Some(signed),
            Err(error) => return unknown(error.to_string(), None, mutated),
        }
    }
    for (index, step) in steps.iter().enumerate() {
        let response = match exchange(provider, step, values, wire, observe, &mut mutated) {
            Ok(response) => response,
            Err(reason) => return unknown(reason, None, mutated),
        };
        let answer = Answer::new(&response);
        let redirect = (300..400).contains(&response.status);
        if !redirect && index + 1 < steps.len() && step.need.iter().any(|need| answer.meets(need)) {
            match take_all(step, &answer, values) {
                Ok(()) => continue,
                Err(reason) => return unknown(reason, Some(response.status), mutated),
            }
        }
        let outcome = step.outcomes.iter().find(|outcome| !redirect && answer.meets(&outcome.when));
        return match outcome {
            Some(outcome) => verdict(outcome, &response, &answer, values, mutated),
            None => unknown(unexpected(response.status), Some(response.status), mutated),
        };
    }
    unknown("the action has no request".to_owned(), None, mutated)
}

fn unexpected(status: u16) -> String {
    match status {
        300..400 => format!("status {status}: a redirect, which is never followed"),
        429 => "status 429: too many requests".to_owned(),
        500.. => format!("status {status}: the provider is at fault"),
        _ => format!("status {status}, and the answer is none of those the provider documents"),
    }
}

fn unknown(reason: String, status: Option<u16>, mutated: Mutation) -> Verdict {
    let evidence = Evidence { status, ..Evidence::default() };
    Verdict { word: Word::Unknown, reason, evidence, account: None, mutated }
}

fn take_all(step: &Step, answer: &Answer<'_>, values: &mut Values) -> Result<(), String> {
    if step.request.oauth.is_some() {
        values.token = Some(answer.token()?);
    }
    for (name, take) in &step.take {
        let value = answer.take(take, values)?;
        values.take(name, value);
    }
    Ok(())
}

fn verdict(
    outcome: &Outcome,
    response: &Response,
    answer: &Answer<'_>,
    values: &Values,
    mutated: Mutation,
) -> Verdict {
    let redactor = Redactor::of(values);
    let mut evidence = Evidence { status: Some(response.status), ..Evidence::default() };
    let mut account = None;
    for keep in &outcome.keep {
        let mut texts = answer.keep(&keep.from).into_iter().map(|text| redactor.clean(&text));
        match keep.name.as_str() {
            "scopes" => {
                let all: Vec<String> = texts.collect();
                let words =
                    all.iter().flat_map(|text| text.split([',', ' '])).filter(|word| !word.is_empty());
                evidence.scopes = words.map(str::to_owned).collect();
            }
            "expires" => evidence.expires = texts.next(),
            "account" => account = texts.next(),
            _ => evidence.identity = texts.next(),
        }
    }
    let said = outcome.reason.clone();
    let reason = said
        .unwrap_or_else(|| format!("status {}: {}", response.status, outcome.is.as_str().replace('_', " ")));
    Verdict { word: outcome.is, reason, evidence, account, mutated }
}

/// One step's request, repeated if it only reads.
fn exchange(
    provider: &Provider,
    step: &Step,
    values: &Values,
    wire: Wire<'_>,
    observe: &mut Observer<'_>,
    mutated: &mut Mutation,
) -> Result<Response, String> {
    let mut waits = BACKOFF.iter();
    loop {
        let request =
            render::request(provider, &step.request, values, wire.clock.now()).map_err(|e| e.to_string())?;
        let path = step.request.url.path_template();
        let traffic = Traffic {
            step: &step.name,
            mutates: step.mutates,
            method: request.method,
            host: &request.host,
            path: &path,
        };
        let stopped = || "stopped before the next request".to_owned();
        if step.mutates {
            if observe(Event::Sending(&traffic)).is_break() {
                return Err(stopped());
            }
            *mutated = Mutation::MaybeSent;
        }
        let result = wire.transport.send(&request);
        if step.mutates {
            *mutated = match &result {
                Ok(_) => Mutation::Answered,
                Err(error) if error.may_have_arrived() => Mutation::MaybeSent,
                Err(_) => Mutation::NotSent,
            };
        }
        let status = result.as_ref().ok().map(|response| response.status);
        if observe(Event::Done(&traffic, status)).is_break() {
            return Err(stopped());
        }
        let wait = if step.mutates { None } else { pause(&result, step, &mut waits) };
        match (wait, result) {
            (Some(wait), _) => wire.clock.sleep(wait),
            (None, Ok(response)) => return Ok(response),
            (None, Err(error)) => return Err(error.to_string()),
        }
    }
}

/// How long to wait before a read-only request is repeated; none if its answer stands.
fn pause(
    result: &Result<Response, NetError>,
    step: &Step,
    waits: &mut std::slice::Iter<'_, Duration>,
) -> Option<Duration> {
    match result {
        Ok(response) => {
            let answer = Answer::new(response);
            let known = step.outcomes.iter().any(|outcome| answer.meets(&outcome.when));
            let passing = matches!(response.status, 429 | 500 | 502 | 503 | 504);
            if known || !passing {
                return None;
            }
            let planned = *waits.next()?;
            let asked = response.retry_after().unwrap_or(planned);
            (asked <= LONGEST_WAIT).then(|| asked.max(planned))
        }
        Err(NetError::NotSent(_) | NetError::NoAnswer(_)) => waits.next().copied(),
        Err(
            NetError::Offline
            | NetError::HostRefused(_)
            | NetError::PrivateAddress { .. }
            | NetError::TooLarge { .. }
            | NetError::Throttled { .. },
        ) => None,
    }
}
