//! Reads a place again with the engine that found it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::{Engine, Scratch};
use crate::finding::{Match, RuleInfo, Secret, Span};
use crate::source::text;

use super::{Found, Place, SecretSource};

/// Farthest a credential's JSON object reaches on either side of its secret, in bytes.
const DOCUMENT_REACH: usize = 8 * 1024;
/// Opening braces tried for the start of such an object.
const MOST_STARTS: usize = 16;

/// Gives the bytes of a place: of the file, or of the git object.
pub type ReadPlace<'a> = dyn Fn(&Place) -> Result<Vec<u8>, String> + 'a;

/// Scans the whole content of a place again; what was moved inside it is still found.
pub struct Rescan<'a> {
    engine: &'a Engine,
    rules: Vec<Arc<RuleInfo>>,
    read: Box<ReadPlace<'a>>,
    /// What the last place held: reports name the findings of one place one after the other.
    last: Mutex<Option<(Key, All)>>,
}

/// Everything found at a place, with the number of its rule.
type All = Vec<(u16, Found)>;

/// Kind, path and object of a place.
type Key = (String, Option<String>, Option<String>);

impl<'a> Rescan<'a> {
    /// `rules` describe the rules of `engine`; `read` fetches content.
    #[must_use]
    pub fn new(engine: &'a Engine, rules: Vec<Arc<RuleInfo>>, read: Box<ReadPlace<'a>>) -> Self {
        Self { engine, rules, read, last: Mutex::new(None) }
    }
}

impl Rescan<'_> {
    /// Everything found at `place` now, with the number of its rule.
    fn scan(&self, place: &Place) -> Result<All, String> {
        let raw = zeroize::Zeroizing::new((self.read)(place)?);
        let (content, _) = text::decode(&raw);
        let mut matches = Vec::new();
        self.engine.scan(&content, &mut Scratch::default(), &mut matches);
        let found = |found: Match| {
            let plain = || Secret::new(found.secret.of(&content));
            let secret = Found {
                secret: found.decoded.as_ref().map_or_else(plain, |d| d.secret.clone()),
                checksum: found.checksum,
                document: if found.decoded.is_none() { document(&content, found.secret) } else { None },
            };
            (found.rule, secret)
        };
        Ok(matches.into_iter().map(found).collect())
    }
}

/// The innermost JSON object around `secret`, if it starts at most [`DOCUMENT_REACH`] bytes before.
fn document(content: &[u8], secret: Span) -> Option<Secret> {
    let from = secret.start.saturating_sub(DOCUMENT_REACH);
    let before = content.get(from..secret.start)?;
    let starts = before.iter().enumerate().rev().filter(|(_, byte)| **byte == b'{').map(|(at, _)| from + at);
    starts.take(MOST_STARTS).find_map(|start| {
        let text = &content[start..content.len().min(secret.end + DOCUMENT_REACH)];
        let mut objects = serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
        objects.next()?.ok()?;
        let end = start + objects.byte_offset();
        (end >= secret.end).then(|| Secret::new(&content[start..end]))
    })
}

impl SecretSource for Rescan<'_> {
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>> {
        self.rules.iter().find(|rule| rule.id == id).cloned()
    }

    fn read(&self, rule: &str, place: &Place) -> Result<Vec<Found>, String> {
        let number =
            self.engine.rules().by_id(rule).ok_or_else(|| format!("there is no rule {rule} any more"))?;
        let key = (place.kind.clone(), place.path.clone(), place.object.clone());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let all = match last.take() {
            Some((known, all)) if known == key => all,
            Some(_) | None => self.scan(place)?,
        };
        let found = all.iter().filter(|(rule, _)| *rule == number).map(|(_, found)| found.clone()).collect();
        *last = Some((key, all));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_object_around_the_secret_is_taken() {
        let content = br#"{ "keys": [ {"a": {"b": 1}, "k": "SECRET", "id": 7} ], "x": {} } {"#;
        let at = memchr::memmem::find(content, b"SECRET").expect("is there");
        let found = document(content, Span::new(at, at + 6)).expect("has one");
        assert_eq!(found.expose(), br#"{"a": {"b": 1}, "k": "SECRET", "id": 7}"#);
        assert!(document(b"{ k = SECRET }", Span::new(6, 12)).is_none());
        assert!(document(b"SECRET", Span::new(0, 6)).is_none());
    }
}
