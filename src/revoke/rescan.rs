//! Reads a place again with the engine that found it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::{Engine, Scratch};
use crate::finding::{Match, RepoPath, RuleInfo, Secret, Span};
use crate::source::{archive, text};

use super::{Found, Place, SecretSource};

/// Farthest a credential's JSON object reaches on either side of its secret, in bytes.
const DOCUMENT_REACH: usize = 8 * 1024;
/// Opening braces tried for the start of such an object.
const MOST_STARTS: usize = 16;

/// Kind of the places that are members of containers.
const MEMBER: &str = "archive-member";

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

/// Repository, kind, path and object of a place.
type Key = (Option<String>, String, Option<String>, Option<String>);

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
        let mut all = All::new();
        for raw in self.contents(place)? {
            all.extend(self.everything(&zeroize::Zeroizing::new(raw)));
        }
        Ok(all)
    }

    /// What `place` holds: one content, or those of a container's members of that path.
    fn contents(&self, place: &Place) -> Result<Vec<Vec<u8>>, String> {
        if place.kind != MEMBER {
            return Ok(vec![(self.read)(place)?]);
        }
        let path = place.path_bytes().ok_or("the report does not tell which container it is in")?;
        let mut outer_read =
            Err("the report does not tell which member of the container it is in".to_owned());
        // The container's own name may hold the mark that stands between it and its members.
        for at in memchr::memchr_iter(b'!', &path).take(MOST_STARTS) {
            let kind = if place.object.is_some() { "blob" } else { "file" };
            let name = RepoPath::new(&path[..at]).to_uri();
            let outer = Place { kind: kind.to_owned(), path: Some(name), ..place.clone() };
            match (self.read)(&outer) {
                Ok(content) => {
                    let members: Vec<RepoPath> =
                        path[at + 1..].split(|&byte| byte == b'!').map(RepoPath::new).collect();
                    let found = archive::extract(&content, &members);
                    if !found.is_empty() {
                        return Ok(found);
                    }
                    outer_read = Err("the container has no such member any more".to_owned());
                }
                Err(why) if outer_read.is_err() => outer_read = Err(why),
                Err(_) => {}
            }
        }
        outer_read
    }

    /// Everything found in `raw`.
    fn everything(&self, raw: &[u8]) -> All {
        let (content, _) = text::decode(raw);
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
        matches.into_iter().map(found).collect()
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
        let key = (place.repository.clone(), place.kind.clone(), place.path.clone(), place.object.clone());
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
    fn a_secret_in_a_member_is_found_again() {
        use crate::revoke::SecretSource as _;
        use std::io::Write as _;

        let engine = Engine::builtin();
        let token = format!("{}_{}_{}", "sk", "live", "Zk3rT9bWq7LmX2vNc5JhY8pD");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(format!("key = {token}\n").as_bytes()).expect("memory");
        let packed = packer.finish().expect("memory");
        let read = |place: &Place| match (place.kind.as_str(), place.path.as_deref()) {
            ("file", Some("a%21b.gz")) => Ok(packed.clone()),
            other => Err(format!("no {other:?}")),
        };
        let rescan = Rescan::new(&engine, Vec::new(), Box::new(read));
        let at =
            |path: &str| Place { kind: MEMBER.to_owned(), path: Some(path.to_owned()), ..Place::default() };
        let found = rescan.read("stripe-secret-key", &at("a%21b.gz%21content")).expect("is there");
        assert_eq!(found[0].secret.expose(), token.as_bytes());
        let gone = rescan.read("stripe-secret-key", &at("a%21b.gz%21other")).unwrap_err();
        assert!(gone.contains("no such member"), "{gone}");
        assert!(rescan.read("stripe-secret-key", &at("x.gz%21content")).is_err());
    }

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
