//! The engine's rules as triage and reports want them.

use std::sync::{Arc, OnceLock};

use crate::engine::Engine;
use crate::engine::imported::Imported;
use crate::finding::{RepoPath, RuleInfo, Severity};
use crate::import::gitleaks::{Allowlist, Expression};
use crate::rule::checksum::Algorithm;
use crate::rule::{Companion, Rule, RuleSet};
use crate::triage::{Partner, RuleBook};

/// Facts of a rule set, written out for a rule when it first matters.
pub struct Facts<'a> {
    set: &'a RuleSet,
    infos: Vec<OnceLock<Arc<RuleInfo>>>,
    imported: Option<&'a Imported>,
    /// Allowlists with the rule they are for, if it is one alone.
    allowlists: Vec<(Option<u16>, &'a Allowlist)>,
}

impl<'a> Facts<'a> {
    /// Facts of the rules of `set`.
    #[must_use]
    pub fn new(set: &'a RuleSet) -> Self {
        Self {
            set,
            infos: set.rules.iter().map(|_| OnceLock::new()).collect(),
            imported: None,
            allowlists: Vec::new(),
        }
    }

    /// Facts of everything `engine` runs.
    #[must_use]
    pub fn of(engine: &'a Engine) -> Self {
        let facts = Self::new(engine.rules());
        let Some(imported) = engine.imported() else { return facts };
        let config = imported.config();
        let number = |id: &str| engine.rules().by_id(id);
        let mut allowlists: Vec<(Option<u16>, &Allowlist)> =
            config.allowlists.iter().map(|list| (None, list)).collect();
        for rule in &config.rules {
            let Some(number) = number(&rule.id) else { continue };
            allowlists.extend(rule.allowlists.iter().map(|list| (Some(number), list)));
        }
        for (id, list) in &config.builtin_allowlists {
            allowlists.extend(number(id).map(|number| (Some(number), list)));
        }
        Self { imported: Some(imported), allowlists, ..facts }
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
    fn allowlist(&self, index: u16) -> Option<&Allowlist> {
        self.allowlists.get(usize::from(index)).map(|(_, list)| *list)
    }

    fn allowlists_of(&self, rule: u16) -> Vec<u16> {
        let numbered = self.allowlists.iter().zip(0..);
        numbered
            .filter(|((only, _), _)| only.is_none_or(|only| only == rule))
            .map(|(_, number)| number)
            .collect()
    }

    fn looks_at(&self, rule: u16, path: Option<&RepoPath>) -> bool {
        let Some(imported) = self.imported else { return true };
        let Some(rule) = imported.rule(rule) else { return true };
        if path.is_some_and(|path| imported.is_own_file(path.as_bytes())) {
            return false;
        }
        let at = |any: &Expression| path.is_some_and(|path| any.is_match(path.as_bytes()));
        rule.path.as_ref().is_none_or(at)
    }

    fn info(&self, rule: u16) -> &Arc<RuleInfo> {
        self.infos[usize::from(rule)].get_or_init(|| Arc::new(describe(self.set.get(rule))))
    }

    fn partners(&self, rule: u16) -> Vec<Partner> {
        let partner = |other: &Companion| {
            let rule = self.set.by_id(&other.rule)?;
            Some(Partner {
                rule,
                within_lines: other.within_lines,
                required: other.required,
                part_of: other.part_of,
            })
        };
        self.set.get(rule).companions.iter().filter_map(partner).collect()
    }

    fn issuer_checks(&self, rule: u16) -> bool {
        use Algorithm::{Base32Otp, Base58check, Bech32Age, Jwt, NatsNkey};
        let checksum = self.set.get(rule).checksum;
        !matches!(checksum, Some(Base58check | Jwt | Base32Otp | Bech32Age | NatsNkey))
    }

    fn test_severity(&self, rule: u16, secret: &[u8]) -> Option<Severity> {
        let rule = self.set.get(rule);
        rule.is_test_key(secret).then_some(rule.test_severity)
    }

    fn visible_prefix(&self, rule: u16, secret: &[u8]) -> Option<usize> {
        self.set.get(rule).visible_prefix(secret)
    }
}
