//! The engine's rules as triage and reports want them.

use std::sync::{Arc, OnceLock};

use crate::finding::{RuleInfo, Severity};
use crate::rule::{Rule, RuleSet};
use crate::triage::{Partner, RuleBook};

/// Facts of a rule set, written out for a rule when it first matters.
pub struct Facts<'a> {
    set: &'a RuleSet,
    infos: Vec<OnceLock<Arc<RuleInfo>>>,
}

impl<'a> Facts<'a> {
    /// Facts of the rules of `set`.
    #[must_use]
    pub fn new(set: &'a RuleSet) -> Self {
        Self { set, infos: set.rules.iter().map(|_| OnceLock::new()).collect() }
    }

    /// Descriptions of all rules, sorted by id.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<RuleInfo>> {
        let mut all: Vec<Arc<RuleInfo>> =
            (0..self.infos.len()).map(|index| Arc::clone(self.info(index as u16))).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }
}

fn describe(rule: &Rule) -> RuleInfo {
    RuleInfo {
        id: rule.id.to_string(),
        name: rule.name.to_string(),
        description: rule.description.to_string(),
        provider: rule.provider.to_string(),
        kind: rule.kind.as_str(),
        severity: rule.severity,
        confidence: rule.confidence,
        references: rule.references.iter().map(ToString::to_string).collect(),
        rotate: rule.rotate.to_string(),
        public: rule.public,
        guessable: rule.guessable(),
    }
}

impl RuleBook for Facts<'_> {
    fn info(&self, rule: u16) -> &Arc<RuleInfo> {
        self.infos[usize::from(rule)].get_or_init(|| Arc::new(describe(self.set.get(rule))))
    }

    fn partners(&self, rule: u16) -> Vec<Partner> {
        let partner = |id: &str, within_lines| {
            let rule = self.set.by_id(id)?;
            Some(Partner { rule, within_lines, required: false })
        };
        let companions = self.set.get(rule).companions.iter();
        companions.filter_map(|other| partner(&other.rule, other.within_lines)).collect()
    }

    fn test_severity(&self, rule: u16, secret: &[u8]) -> Option<Severity> {
        let rule = self.set.get(rule);
        rule.is_test_key(secret).then_some(rule.test_severity)
    }

    fn visible_prefix(&self, rule: u16, secret: &[u8]) -> Option<usize> {
        self.set.get(rule).visible_prefix(secret)
    }
}
