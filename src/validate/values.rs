//! What the variables of a provider block stand for in one credential.

use std::collections::BTreeMap;

use zeroize::Zeroize as _;

use crate::finding::Secret;
use crate::rule::provider::{PartFrom, Provider, Variable};

use super::base::Address;

/// Before the name of a credential of the operator's own among the parts; no rule has such an id.
pub(super) const OPERATOR: &str = "operator:";

/// Values of one credential (or of a batch), by variable.
#[derive(Clone, Debug)]
pub struct Values {
    /// The leaked secret.
    pub secret: Secret,
    /// All secrets of a batch; the one secret otherwise.
    pub batch: Vec<Secret>,
    /// Where `{base}` points.
    pub base: Option<Address>,
    /// The assertion of this run, if the provider makes one.
    pub assertion: Option<Secret>,
    /// The access token of this run, once a step has fetched it.
    pub token: Option<Secret>,
    named: BTreeMap<String, Secret>,
    fields: BTreeMap<String, Secret>,
}

/// Why a credential does not fit its provider block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A part found by another rule is missing.
    #[error("part `{part}` is missing: no finding of rule {rule} belongs to this one")]
    PartMissing {
        /// Name of the part.
        part: String,
        /// Rule that finds it.
        rule: String,
    },
    /// The secret has not the shape the block expects.
    #[error("the secret has not the form the provider's requests need")]
    Shape,
    /// The block needs an address the operator has not given.
    #[error("no address is known for `{0}`: name it under [base] in the operator's file")]
    NoBase(String),
}

impl Values {
    /// Takes a credential apart. `parts` holds what other rules found, by rule id; `base` is the
    /// operator's address for this provider, if any.
    ///
    /// # Errors
    ///
    /// See [`ValueError`].
    pub fn of(
        provider: &Provider,
        secret: &Secret,
        parts: &[(String, Secret)],
        base: Option<&Address>,
    ) -> Result<Self, ValueError> {
        let mut values = Self {
            secret: secret.clone(),
            batch: vec![secret.clone()],
            base: address(provider, base)?,
            assertion: None,
            token: None,
            named: BTreeMap::new(),
            fields: BTreeMap::new(),
        };
        if let Some(split) = &provider.split {
            values.split(&split.pattern)?;
        }
        if provider.parse_json {
            values.read_fields()?;
        }
        for (name, from) in &provider.parts {
            let value = match from {
                PartFrom::Own => secret.clone(),
                // Only `admin` needs it, and only there it is handed over.
                PartFrom::Operator { name: own } => {
                    match parts.iter().find(|(id, _)| id.strip_prefix(OPERATOR) == Some(own)) {
                        Some((_, credential)) => credential.clone(),
                        None => continue,
                    }
                }
                PartFrom::Near { rule, .. } => {
                    let found = parts.iter().find(|(id, _)| id == rule);
                    let missing = || ValueError::PartMissing { part: name.clone(), rule: rule.clone() };
                    found.ok_or_else(missing)?.1.clone()
                }
            };
            values.named.insert(name.clone(), value);
        }
        Ok(values)
    }

    fn split(&mut self, pattern: &str) -> Result<(), ValueError> {
        let whole = whole(pattern).map_err(|_| ValueError::Shape)?;
        let captures = whole.captures(self.secret.expose()).ok_or(ValueError::Shape)?;
        for name in whole.capture_names().flatten() {
            if let Some(group) = captures.name(name) {
                self.named.insert(name.to_owned(), Secret::new(group.as_bytes()));
            }
        }
        Ok(())
    }

    fn read_fields(&mut self) -> Result<(), ValueError> {
        let document: serde_json::Value =
            serde_json::from_slice(self.secret.expose()).map_err(|_| ValueError::Shape)?;
        let serde_json::Value::Object(members) = document else { return Err(ValueError::Shape) };
        for (name, value) in members {
            if let serde_json::Value::String(mut text) = value {
                self.fields.insert(name, Secret::new(text.as_bytes()));
                text.zeroize();
            }
        }
        Ok(())
    }

    /// The bytes `variable` stands for; `{secrets[]}` has none of its own.
    #[must_use]
    pub fn get(&self, variable: &Variable) -> Option<&Secret> {
        match variable {
            Variable::Secret => Some(&self.secret),
            Variable::Secrets => None,
            Variable::Field(name) => self.fields.get(name),
            Variable::Assertion => self.assertion.as_ref(),
            Variable::Token => self.token.as_ref(),
            Variable::Named(name) => self.named.get(name),
        }
    }

    /// Adds a value an answer gave.
    pub fn take(&mut self, name: &str, value: Secret) {
        self.named.insert(name.to_owned(), value);
    }

    /// Everything that must not appear in any output: the secret, its groups, fields and parts, and what
    /// was made or fetched with it.
    pub fn sensitive(&self) -> impl Iterator<Item = &Secret> {
        let own = self.batch.iter().chain(self.named.values()).chain(self.fields.values());
        own.chain(&self.assertion).chain(&self.token)
    }
}

fn address(provider: &Provider, given: Option<&Address>) -> Result<Option<Address>, ValueError> {
    let Some(base) = &provider.base else { return Ok(None) };
    if let Some(given) = given {
        return Ok(Some(given.clone()));
    }
    // NOTE: the lint has parsed the default as an https address.
    let default = base.default.as_deref().and_then(|text| Address::parse(text).ok());
    default.map(Some).ok_or_else(|| ValueError::NoBase(base.name.clone()))
}

/// `pattern` over the whole of a value.
pub(super) fn whole(pattern: &str) -> Result<regex::bytes::Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(&format!("^(?:{pattern})$")).unicode(false).size_limit(1 << 20).build()
}
