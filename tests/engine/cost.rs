//! No built-in rule costs more than its share without saying why.

use keycull::engine::cost::Ledger;
use keycull::engine::{Engine, Scratch, selftest};
use keycull::rule::example::Rng;

use crate::corpus;

/// Largest part of all verifications that a rule may have without a reason, in percent.
const SHARE: u64 = 2;

/// Text like source code, values under telling names, and the examples of every rule.
fn generated(engine: &Engine) -> Vec<u8> {
    let mut text = corpus::source("cost", 2 << 20);
    text.extend(corpus::dense("cost", 128 << 10));
    let mut rng = Rng::seeded("cost");
    for (number, rule) in engine.rules().rules.iter().enumerate() {
        for template in rule.examples.iter() {
            let example = selftest::expanded(engine, number as u16, template, &mut rng);
            text.extend(example.expect("a valid example").as_bytes());
            text.push(b'\n');
        }
    }
    text
}

fn counted(engine: &Engine, text: &[u8]) -> Ledger {
    let mut ledger = Ledger::new(engine.rules().rules.len());
    let mut found = Vec::new();
    engine.scan_counted(text, 0..text.len(), &mut Scratch::default(), &mut found, &mut ledger);
    let mut plain = Vec::new();
    engine.scan(text, &mut Scratch::default(), &mut plain);
    assert!(found == plain, "counting changes what is found");
    // What is found in decoded text is told, but costs are those of the text as it stands.
    let plain = found.iter().filter(|hit| hit.decoded.is_none()).count();
    assert_eq!(ledger.costs().iter().map(|cost| cost.matches).sum::<u64>(), plain as u64);
    ledger
}

#[test]
fn no_rule_costs_more_than_its_share_without_a_reason() {
    let engine = Engine::builtin();
    let ledger = counted(&engine, &generated(&engine));
    let all = ledger.verifications();
    let dear = |(rule, cost): &(&keycull::rule::Rule, &keycull::engine::cost::Cost)| {
        cost.verifications * 100 > all * SHARE && rule.cost_reason.is_empty()
    };
    let rules = engine.rules().rules.iter().zip(ledger.costs()).filter(dear);
    let lines: Vec<String> = rules
        .map(|(rule, cost)| format!("{}: {} of {all} verifications", rule.id, cost.verifications))
        .collect();
    assert!(
        lines.is_empty(),
        "make these rules cheaper (a rarer prefix, more telling words), or give `cost_reason`:\n{}",
        lines.join("\n")
    );
}

#[test]
fn a_careless_rule_is_noticed() {
    let careless = r#"schema = 1
[[rule]]
id = "careless"
name = "Careless"
description = "Fires on every name that has a common word in it."
kind = "assignment"
severity = "low"
words = ["integrity", "checksum", "data", "error", "name", "state"]
value = "word{16,128}"
"#;
    let drafts = keycull::rule::compile::parse_file("careless.toml", careless, keycull::rule::Trust::User);
    let mut all = keycull::rule::compile::drafts_of(keycull::rule::RuleSet::builtin());
    all.extend(drafts.expect("a valid rule"));
    let engine = Engine::with_rules(keycull::rule::compile::assemble(all, 0).expect("a valid set"));
    let ledger = counted(&engine, &corpus::source("careless", 1 << 20));
    let number = engine.rules().by_id("careless").expect("the rule");
    let cost = ledger.costs()[usize::from(number)];
    assert!(cost.verifications * 100 > ledger.verifications() * SHARE, "{cost:?}");
    assert!(cost.triggers >= cost.verifications && cost.matches > 0, "{cost:?}");
}
