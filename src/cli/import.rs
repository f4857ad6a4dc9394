//! Configurations of other tools: found, read, and their rules made part of a rule set.

use std::borrow::Cow;
use std::path::Path;

use crate::config;
use crate::finding::{Confidence, Severity};
use crate::import::gitleaks::{self, Config};
use crate::rule::compile::{Draft, drafts_of};
use crate::rule::pool::Texts;
use crate::rule::{Kind, Rule, RuleSet};

use super::failure::{Failure, Outcome};
use super::shelf::Shelf;

/// Whether `file` is a configuration of gitleaks or betterleaks: by its name, else by its content.
pub(super) fn is_foreign(file: &Path, shelf: &Shelf<'_>) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name == config::FILE_NAME {
        return false;
    }
    gitleaks::NAMES.contains(&name) || shelf.text(file).is_ok_and(|text| gitleaks::is_gitleaks(&text))
}

/// Reads a configuration of gitleaks, and tells what in it does nothing.
pub(super) fn read(file: &Path, shelf: &Shelf<'_>) -> Outcome<Config> {
    let config =
        parse(&shelf.text(file)?, file, &|path| shelf.text(path).map_err(|error| error.to_string()))?;
    for warning in &config.warnings {
        log::warn!("{}:{}: {}", warning.file.display(), warning.line, warning.text);
    }
    log::info!("rules and allowlists read from {}", file.display());
    Ok(config)
}

/// Parses a configuration of gitleaks; `load` reads what it extends.
pub(super) fn parse(
    text: &str,
    file: &Path,
    load: &dyn Fn(&Path) -> Result<String, String>,
) -> Outcome<Config> {
    Config::parse(text, file, load).map_err(|error| {
        Failure::from(error)
            .hint("docs/migration.md tells how configurations of gitleaks are read; --no-config reads none")
    })
}

/// The rules that run with `config`: the built-in ones it leaves, if it builds on default rules, and its
/// own.
pub(super) fn drafts(config: &Config) -> Vec<Draft> {
    let own = |id: &str| config.rules.iter().any(|rule| rule.id == id);
    let mut drafts = if config.use_default { drafts_of(RuleSet::builtin()) } else { Vec::new() };
    drafts.retain(|draft| {
        let id = draft.rule.id.as_ref();
        !config.builtin_off.contains(id) && !own(id)
    });
    drafts.extend(
        config.rules.iter().filter(|rule| !rule.skip_report).map(|rule| Draft::bare(described(rule))),
    );
    drafts
}

fn described(rule: &gitleaks::Rule) -> Rule {
    let text = |text: &str| Cow::Owned(text.to_owned());
    let name = if rule.description.is_empty() { &rule.id } else { &rule.description };
    Rule {
        id: text(&rule.id),
        name: text(name),
        description: text(&rule.description),
        provider: text("imported"),
        kind: Kind::Imported,
        severity: Severity::High,
        confidence: Confidence::Medium,
        public: false,
        chosen: false,
        min_entropy: 0,
        checksum: None,
        test_markers: Cow::Owned(Vec::new()),
        test_severity: Severity::Low,
        companions: Cow::Owned(Vec::new()),
        markers: Cow::Owned(Vec::new()),
        examples: Texts::default(),
        negatives: Texts::default(),
        references: Texts::default(),
        rotate: text(""),
        evidence: text(""),
        cost_reason: text(""),
    }
}
