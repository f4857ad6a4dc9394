//! `keycull rules`: what keycull looks for, and whether rule files are in order.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use crate::engine::{Engine, selftest};
use crate::rule::compile::{Trust, parse_file};
use crate::rule::{Pattern, Rule, RuleSet};

use super::args::RulesCommand;
use super::failure::{Failure, Outcome, printable};
use super::shelf::Shelf;
use super::{import, rule_choice, rule_cost, rule_coverage, rule_test, say};

/// Exit code when a rule fails its check.
const FAILED: u8 = 1;

/// Runs one of the rule commands.
pub(super) fn run(command: &RulesCommand) -> Outcome<u8> {
    match command {
        RulesCommand::List { rules, ids } => list(rules, ids),
        RulesCommand::Show { id, rules } => show(id, rules),
        RulesCommand::Check { files } => check(files),
        RulesCommand::Test { names, rules, rule } => {
            rule_test::run(&rule_test::Asked { names, files: rules, rule: rule.as_deref() })
        }
        RulesCommand::Coverage { each } => rule_coverage::coverage(*each),
        RulesCommand::Reference => rule_coverage::reference(),
        RulesCommand::Cost { path, rules, json } => rule_cost::run(path, rules, *json),
    }
}

fn list(files: &[PathBuf], ids: &[String]) -> Outcome<u8> {
    let set = rule_choice::with_files(files)?;
    let mut rules: Vec<&Rule> = set.rules.iter().collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    let all: Vec<&str> = rules.iter().map(|rule| rule.id.as_ref()).collect();
    let mut keep = vec![ids.is_empty(); rules.len()];
    for id in ids {
        let glob = GlobBuilder::new(id)
            .build()
            .map_err(|error| Failure::new(format!("`{id}` is not a glob: {}", error.kind())))?;
        let glob = glob.compile_matcher();
        let mut hit = false;
        for (rule, keep) in rules.iter().zip(&mut keep) {
            if glob.is_match(rule.id.as_ref()) {
                (*keep, hit) = (true, true);
            }
        }
        if !hit {
            return Err(rule_choice::unknown(id, None, all.iter().copied()));
        }
    }
    let rules: Vec<&Rule> =
        rules.into_iter().zip(keep).filter_map(|(rule, keep)| keep.then_some(rule)).collect();
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let line = |rule: &&Rule| {
        let public = if rule.public { "  (publishable: only on request)" } else { "" };
        format!("{:width$}  {:8}  {:6}  {}{public}\n", rule.id, rule.severity, rule.confidence, rule.name)
    };
    say(&rules.iter().map(line).collect::<String>())
}

fn show(id: &str, files: &[PathBuf]) -> Outcome<u8> {
    let set = rule_choice::with_files(files)?;
    let number = set
        .by_id(id)
        .ok_or_else(|| rule_choice::unknown(id, None, set.rules.iter().map(|rule| rule.id.as_ref())))?;
    say(&described(&set, number))
}

/// Everything about a rule that a person may want to know.
fn described(set: &RuleSet, number: u16) -> String {
    let rule = set.get(number);
    let mut text = format!("{}\n{}\n\n", rule.id, rule.name);
    let _ = writeln!(text, "{}\n", rule.description);
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<12} {value}");
        }
    };
    fact("provider", &rule.provider);
    fact("kind", rule.kind.as_str());
    fact("severity", rule.severity.as_str());
    fact("confidence", rule.confidence.as_str());
    fact("starts with", &rule.markers.join(", "));
    let words: Vec<String> = set
        .entries
        .iter()
        .filter(|entry| entry.rule == number)
        .map(|entry| {
            entry.words.iter().map(|id| set.words[usize::from(*id)].as_ref()).collect::<Vec<_>>().join(" ")
        })
        .collect();
    fact("named", &words.join(", "));
    fact("checksum", if rule.checksum.is_some() { "checked offline" } else { "" });
    let companions: Vec<String> = rule.companions.iter().map(|c| c.rule.to_string()).collect();
    fact("with", &companions.join(", "));
    fact("published", if rule.public { "by design; reported only when asked for with --rule" } else { "" });
    fact("examples", &format!("{}, and {} that must not match", rule.examples.len(), rule.negatives.len()));
    fact("rotate", &rule.rotate);
    for reference in rule.references.iter() {
        fact("see", reference);
    }
    text
}

/// Checks rule files, or without any the built-in rules: first the form, then every example
/// through the whole engine.
fn check(files: &[PathBuf]) -> Outcome<u8> {
    let foreign = |file: &&PathBuf| import::is_foreign(file, &Shelf::Disk);
    let (foreign, own): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(foreign);
    for file in &foreign {
        say(&imported(file)?)?;
    }
    if own.is_empty() && !foreign.is_empty() {
        return Ok(0);
    }
    check_own(&own.into_iter().cloned().collect::<Vec<_>>())
}

/// What is to be known of a configuration of gitleaks before it is used.
fn imported(file: &Path) -> Outcome<String> {
    let config = import::read(file, &Shelf::Disk)?;
    let mut text = String::new();
    for rule in config.rules.iter().filter(|rule| rule.regex.is_some() && rule.keywords.is_empty()) {
        let _ = writeln!(text, "rule `{}`: slow: without `keywords` it is held against all content", rule.id);
    }
    let name = printable(&file.display().to_string());
    let rules = config.rules.len();
    let _ = writeln!(
        text,
        "{rules} rules as gitleaks runs them, over whole contents, since nothing anchors their expressions ({name})"
    );
    Ok(text)
}

/// Checks rule files of keycull's own form; without any, the built-in rules.
fn check_own(files: &[PathBuf]) -> Outcome<u8> {
    let mistakes = files.iter().map(|file| mistakes(file)).collect::<Outcome<Vec<_>>>()?.concat();
    if !mistakes.is_empty() {
        say(&mistakes)?;
        return Ok(FAILED);
    }
    let (engine, what) = if files.is_empty() {
        (Engine::builtin(), "built in".to_owned())
    } else {
        // Names that a built-in rule has already are found by joining the two.
        rule_choice::with_files(files)?;
        let names: Vec<String> = files.iter().map(|file| printable(&file.display().to_string())).collect();
        (Engine::with_rules(rule_choice::alone(files)?), names.join(", "))
    };
    let failures = selftest::run(&engine);
    let rules = engine.rules().rules.len();
    let examples: usize = engine.rules().rules.iter().map(|r| r.examples.len() + r.negatives.len()).sum();
    let mut text: String = failures
        .iter()
        .map(|failure| {
            format!("rule `{}`: {}: {}\n", failure.rule, failure.reason, printable(&failure.template))
        })
        .collect();
    text.push_str(&slow_patterns(engine.rules()));
    let _ = writeln!(text, "{rules} rules, {examples} examples, {} failures ({what})", failures.len());
    say(&text)?;
    Ok(if failures.is_empty() { 0 } else { FAILED })
}

/// A line for each pattern that has to be searched for everywhere.
fn slow_patterns(set: &RuleSet) -> String {
    let slow = set.patterns.iter().filter(|pattern| pattern.keywords.is_empty());
    let line = |pattern: &Pattern| {
        format!(
            "rule `{}`: slow: no text of three characters is certain to be in every match, so all content is \
             searched; give `keywords`, or a pattern with a fixed part\n",
            set.get(pattern.rule).id
        )
    };
    slow.map(line).collect()
}

/// All mistakes of one rule file, one a line.
fn mistakes(file: &Path) -> Outcome<String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::from(error).context(format!("cannot read the rule file {}", file.display()))
    })?;
    let errors = parse_file(&file.to_string_lossy(), &text, Trust::User).err().unwrap_or_default();
    Ok(errors.iter().map(|error| printable(&error.to_string()) + "\n").collect())
}
