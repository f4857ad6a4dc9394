//! The provider blocks in force: the built-in ones, and those of the operator's file.

use std::collections::HashMap;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::rule::provider::{Provider, parse_file};

use super::operator::Operator;
use super::sign::hex;

/// Text of `rules/providers/*.toml`, checked by `build.rs`.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/providers.rs"));

/// A set of provider blocks, looked up by detection rule.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    list: Vec<Provider>,
    by_rule: HashMap<String, Vec<usize>>,
    builtin: usize,
}

impl Providers {
    /// The built-in blocks; parsed on first use.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static SET: OnceLock<Providers> = OnceLock::new();
        SET.get_or_init(|| {
            let mut list = Vec::new();
            for (name, text) in BUILTIN {
                // NOTE: the build has parsed the same text with the same code.
                list.extend(
                    parse_file(text).unwrap_or_else(|_| panic!("rules/providers/{name}.toml was checked")),
                );
            }
            Self::of(list)
        })
    }

    /// A set of `list` alone.
    #[must_use]
    pub fn of(list: Vec<Provider>) -> Self {
        let mut set = Self { builtin: list.len(), ..Self::default() };
        for provider in list {
            set.push(provider);
        }
        set
    }

    /// The built-in set plus the blocks of `operator`.
    #[must_use]
    pub fn chosen(operator: &Operator) -> Self {
        Self::with(&operator.providers)
    }

    /// The built-in set plus the operator's blocks, which win for the rules they name.
    #[must_use]
    pub fn with(more: &[Provider]) -> Self {
        let mut set = Self::builtin().clone();
        for provider in more {
            set.push(provider.clone());
        }
        set
    }

    fn push(&mut self, provider: Provider) {
        for rule in &provider.rules {
            let serving = self.by_rule.entry(rule.clone()).or_default();
            if provider.sibling_of.is_none() {
                serving.clear();
            }
            serving.push(self.list.len());
        }
        self.list.push(provider);
    }

    /// All blocks.
    #[must_use]
    pub fn all(&self) -> &[Provider] {
        &self.list
    }

    /// The block that serves `rule`; of several installations the first.
    #[must_use]
    pub fn for_rule(&self, rule: &str) -> Option<&Provider> {
        self.all_for_rule(rule).next()
    }

    /// All blocks that serve `rule`: the first, and its siblings (other installations of the provider).
    pub fn all_for_rule(&self, rule: &str) -> impl Iterator<Item = &Provider> {
        self.by_rule.get(rule).into_iter().flatten().map(|at| &self.list[*at])
    }

    /// The block called `id`; of two, the operator's.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Provider> {
        self.list.iter().rev().find(|provider| provider.id == id)
    }

    /// Whether the block called `id` is a built-in one.
    #[must_use]
    pub fn is_builtin(&self, id: &str) -> bool {
        self.list.iter().rposition(|provider| provider.id == id).is_some_and(|at| at < self.builtin)
    }

    /// SHA-256 of everything the block says, 16 digits: a plan holds only under the same block.
    #[must_use]
    pub fn digest(provider: &Provider) -> String {
        // NOTE: `Debug` of the model is complete and in fixed order; the digest is compared by the same build only.
        hex(&Sha256::digest(format!("{} {provider:?}", env!("CARGO_PKG_VERSION")).as_bytes())[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_blocks_do_not_overlap() {
        let all = Providers::builtin().all();
        assert!(!all.is_empty());
        let alone = all.iter().filter(|provider| provider.sibling_of.is_none());
        let mut rules: Vec<&String> = alone.flat_map(|provider| &provider.rules).collect();
        let before = rules.len();
        rules.sort();
        rules.dedup();
        assert_eq!(rules.len(), before, "a rule is claimed twice");
        let mut ids: Vec<&String> = all.iter().map(|provider| &provider.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all.len(), "an id is used twice");
    }
}
