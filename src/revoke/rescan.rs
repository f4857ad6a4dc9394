//! Reads a place again with the engine that found it.

use std::sync::Arc;

use crate::engine::{Engine, Scratch};
use crate::finding::{RuleInfo, Secret};
use crate::source::text;

use super::{Found, Place, SecretSource};

/// Gives the bytes of a place: of the file, or of the git object.
pub type ReadPlace<'a> = dyn Fn(&Place) -> Result<Vec<u8>, String> + 'a;

/// Scans the whole content of a place again; what was moved inside it is still found.
pub struct Rescan<'a> {
    engine: &'a Engine,
    rules: Vec<Arc<RuleInfo>>,
    read: Box<ReadPlace<'a>>,
}

impl<'a> Rescan<'a> {
    /// `rules` describe the rules of `engine`; `read` fetches content.
    #[must_use]
    pub fn new(engine: &'a Engine, rules: Vec<Arc<RuleInfo>>, read: Box<ReadPlace<'a>>) -> Self {
        Self { engine, rules, read }
    }
}

impl SecretSource for Rescan<'_> {
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>> {
        self.rules.iter().find(|rule| rule.id == id).cloned()
    }

    fn read(&self, rule: &str, place: &Place) -> Result<Vec<Found>, String> {
        let number =
            self.engine.rules().by_id(rule).ok_or_else(|| format!("there is no rule {rule} any more"))?;
        let raw = zeroize::Zeroizing::new((self.read)(place)?);
        let (content, _) = text::decode(&raw);
        let mut matches = Vec::new();
        self.engine.scan(&content, &mut Scratch::default(), &mut matches);
        let found = matches.into_iter().filter(|found| found.rule == number).map(|found| {
            let plain = || Secret::new(found.secret.of(&content));
            Found {
                secret: found.decoded.as_ref().map_or_else(plain, |d| d.secret.clone()),
                checksum: found.checksum,
            }
        });
        Ok(found.collect())
    }
}
