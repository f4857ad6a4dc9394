//! Every built-in rule's examples fire through the whole engine, and its negatives stay silent.

use keycull::engine::{Engine, selftest};
use keycull::rule::RuleSet;

#[test]
fn examples_fire_and_negatives_stay_silent() {
    let failures = selftest::run(&Engine::builtin());
    let text: Vec<String> =
        failures.iter().map(|f| format!("{}: {}\n    {}", f.rule, f.reason, f.template)).collect();
    assert!(text.is_empty(), "{} of the examples and negatives are wrong:\n{}", text.len(), text.join("\n"));
}

#[test]
fn companions_exist() {
    let rules = RuleSet::builtin();
    for rule in rules.rules.iter() {
        for companion in rule.companions.iter() {
            assert!(rules.by_id(&companion.rule).is_some(), "{} names {}", rule.id, companion.rule);
        }
    }
}
