//! Runs a rule's own examples and negatives through the whole engine.
//!
//! Through the whole engine, because a test that asks the rule alone would not notice when the
//! filter in front of it drops the text.

use super::{Engine, Scratch};
use crate::finding::{Checksum, Confidence};
use crate::rule::example::{Rng, expand, random_match};
use crate::rule::{Branch, Rule};

/// An example that did not match, or a negative that did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The rule.
    pub rule: String,
    /// The template as written in the rule file.
    pub template: String,
    /// What happened instead.
    pub reason: String,
}

/// Tests every rule of `engine`.
#[must_use]
pub fn run(engine: &Engine) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (number, rule) in engine.rules().rules.iter().enumerate() {
        run_rule(engine, number as u16, rule, &mut failures);
    }
    failures
}

/// Tests rule `number` of `engine`.
#[must_use]
pub fn run_one(engine: &Engine, number: u16) -> Vec<Failure> {
    let mut failures = Vec::new();
    run_rule(engine, number, engine.rules().get(number), &mut failures);
    failures
}

fn run_rule(engine: &Engine, number: u16, rule: &Rule, failures: &mut Vec<Failure>) {
    let mut fail = |template: &str, reason: String| {
        failures.push(Failure { rule: rule.id.to_string(), template: template.to_owned(), reason });
    };
    let mut rng = Rng::seeded(&rule.id);
    for template in rule.examples.iter() {
        match expanded(engine, number, template, &mut rng) {
            Ok(text) if !found(engine, number, &text, true) => {
                fail(template, "the example is not found".to_owned());
            }
            Ok(_) => {}
            Err(reason) => fail(template, reason),
        }
    }
    for template in rule.negatives.iter() {
        match expanded(engine, number, template, &mut rng) {
            Ok(text) if found(engine, number, &text, false) => {
                fail(template, "the negative is found".to_owned());
            }
            Ok(_) => {}
            Err(reason) => fail(template, reason),
        }
    }
}

/// Fills `template`, with random tokens of rule `number` for `${self}`.
///
/// # Errors
/// The template's mistake.
pub fn expanded(engine: &Engine, number: u16, template: &str, rng: &mut Rng) -> Result<String, String> {
    expand(template, &|rng| own_token(engine, number, rng), rng)
}

/// A random token of the rule's first branch; its checksum, if it has one, is likely wrong.
#[must_use]
pub fn own_token(engine: &Engine, number: u16, rng: &mut Rng) -> String {
    let own = engine.rules().branches.iter().find(|branch| branch.rule == number);
    own.map_or_else(String::new, |branch| random_token(branch, rng))
}

/// A random text of `branch`.
#[must_use]
pub fn random_token(branch: &Branch, rng: &mut Rng) -> String {
    let mut token = if branch.before.is_empty() { Vec::new() } else { random_match(&branch.before, rng) };
    token.extend_from_slice(&branch.prefix);
    token.extend(random_match(&branch.body, rng));
    String::from_utf8_lossy(&token).into_owned()
}

/// Whether a default scan of `text` would report rule `number`. With `forged`, a match whose
/// checksum is wrong counts too: a made-up token cannot have the right one.
fn found(engine: &Engine, number: u16, text: &str, forged: bool) -> bool {
    let mut matches = Vec::new();
    engine.scan(text.as_bytes(), &mut Scratch::default(), &mut matches);
    let low_by_design = engine.rules().get(number).confidence == Confidence::Low;
    matches.iter().any(|hit| {
        let counts = low_by_design || hit.confidence > Confidence::Low;
        hit.rule == number && (counts || forged && hit.checksum == Checksum::Failed)
    })
}
