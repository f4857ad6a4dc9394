//! Many different secrets of one kind in one content: in test code these are test vectors.

use std::collections::{HashMap, HashSet};

use super::overlap::Kept;
use crate::finding::Origin;

/// So many different secrets of one rule are a crowd.
const MANY: usize = 5;

/// Contents and the rules of which they hold a crowd.
#[derive(Debug, Default)]
pub(super) struct Crowds<'a>(HashSet<(&'a Origin, u16)>);

impl<'a> Crowds<'a> {
    pub(super) fn of(places: &'a [Kept]) -> Self {
        let mut secrets: HashMap<(&Origin, u16), HashSet<&[u8]>> = HashMap::new();
        for place in places {
            let origin = &*place.candidate.origin;
            secrets.entry((origin, place.rule)).or_default().insert(place.candidate.secret.expose());
        }
        Self(secrets.into_iter().filter(|(_, of)| of.len() >= MANY).map(|(crowd, _)| crowd).collect())
    }

    /// Whether `place` stands in a crowd.
    pub(super) fn hold(&self, place: &Kept) -> bool {
        self.0.contains(&(&*place.candidate.origin, place.rule))
    }
}
