//! Reads findings back from a report: everything but the secrets, which no report holds.
//!
//! Understands the JSON report and JSON lines. What is missing is read again from the places the
//! report names, and believed only if it has the fingerprint the report names.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::finding::{
    Checksum, CommitInfo, Confidence, CredentialMode, Disposition, Finding, Fingerprint, FingerprintKey,
    Occurrence, Oid, Origin, Position, Reachability, Region, RepoPath, RuleInfo, Secret, Severity, Span,
    Timeline, Validation,
};

use super::{Place, SecretSource};

/// Deepest nesting of containers a report may name.
const DEEPEST: usize = 16;

/// A finding of a report, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Id of the rule that found it.
    pub rule: String,
    /// Identity of the secret.
    pub fingerprint: Fingerprint,
    /// The form that may be shown.
    pub redacted: String,
    /// Whether it counts: neither allowed nor in a baseline.
    pub is_new: bool,
    /// Findings that complete it.
    pub companions: Vec<Fingerprint>,
    /// Where it stands; never empty.
    pub occurrences: Vec<Occurrence>,
}

/// Why a report cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindingsError {
    /// Neither of the two formats.
    #[error("this is no report of keycull: write one with `keycull scan --format jsonl`")]
    Form,
    /// One finding makes no sense.
    #[error("finding {number}: {problem}")]
    Finding {
        /// From 1; in JSON lines the line.
        number: usize,
        /// What is wrong.
        problem: String,
    },
}

/// Reads a JSON report or JSON lines. An empty text is a report without findings.
///
/// # Errors
///
/// See [`FindingsError`].
pub fn read_findings(text: &[u8]) -> Result<Vec<Leak>, FindingsError> {
    if let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(text)
        && document.contains_key("schema")
    {
        let Some(Value::Array(findings)) = document.get("findings") else { return Err(FindingsError::Form) };
        let leaks = findings.iter().enumerate().map(|(at, value)| leaks(at + 1, value.clone()));
        return Ok(merged(leaks.collect::<Result<Vec<_>, _>>()?));
    }
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    let full = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let leaks = full.map(|(at, line)| match serde_json::from_slice::<Value>(line) {
        Ok(value) => leaks(at + 1, value),
        Err(_) if at == 0 => Err(FindingsError::Form),
        Err(error) => Err(FindingsError::Finding { number: at + 1, problem: error.to_string() }),
    });
    Ok(merged(leaks.collect::<Result<Vec<_>, _>>()?))
}

/// A half that also stands elsewhere alone is one leak with all its places.
fn merged(leaks: Vec<Vec<Leak>>) -> Vec<Leak> {
    let mut all: Vec<Leak> = Vec::with_capacity(leaks.len());
    let mut known: HashMap<(String, Fingerprint), usize> = HashMap::new();
    for leak in leaks.into_iter().flatten() {
        match known.get(&(leak.rule.clone(), leak.fingerprint.clone())) {
            Some(&at) => {
                let first = &mut all[at];
                first.is_new |= leak.is_new;
                first.companions.extend(leak.companions);
                first.companions.sort();
                first.companions.dedup();
                first.occurrences.extend(leak.occurrences);
            }
            None => {
                known.insert((leak.rule.clone(), leak.fingerprint.clone()), all.len());
                all.push(leak);
            }
        }
    }
    all
}

/// A finding as reports write it, as far as it is read.
#[derive(Deserialize)]
struct Written {
    fingerprint: String,
    rule: String,
    redacted: String,
    disposition: Status,
    #[serde(default)]
    companions: Vec<String>,
    #[serde(default)]
    components: Vec<Written>,
    occurrences: Vec<WrittenPlace>,
}

#[derive(Deserialize)]
struct Status {
    status: String,
}

#[derive(Deserialize)]
struct WrittenPlace {
    repository: Option<String>,
    path: Option<String>,
    path_base64: Option<String>,
    origin: WrittenOrigin,
    object: Option<String>,
    start: Point,
    end: Point,
    span: Range,
    disposition: Status,
    timeline: Option<Course>,
}

#[derive(Deserialize)]
struct WrittenOrigin {
    kind: String,
    path: Option<String>,
    path_base64: Option<String>,
    object: Option<String>,
    container: Option<Box<WrittenOrigin>>,
}

#[derive(Deserialize)]
struct Point {
    line: usize,
    column: usize,
    column_utf16: usize,
}

#[derive(Deserialize)]
struct Range {
    start: usize,
    end: usize,
}

#[derive(Deserialize)]
struct Course {
    introduced: Option<Commit>,
    removed: Option<Commit>,
    at_head: bool,
    reachable: Reach,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

#[derive(Deserialize)]
struct Reach {
    from: String,
    #[serde(default)]
    refs: Vec<String>,
    #[serde(default)]
    more: u64,
}

/// A finding and its components, companions of each other.
fn leaks(number: usize, value: Value) -> Result<Vec<Leak>, FindingsError> {
    let failed = |problem: String| FindingsError::Finding { number, problem };
    let mut written: Written = serde_json::from_value(value).map_err(|error| failed(error.to_string()))?;
    let mut halves = std::mem::take(&mut written.components);
    halves.insert(0, written);
    let mut leaks: Vec<Leak> =
        halves.into_iter().map(Written::leak).collect::<Result<_, _>>().map_err(failed)?;
    let prints: Vec<Fingerprint> = leaks.iter().map(|leak| leak.fingerprint.clone()).collect();
    for leak in &mut leaks {
        leak.companions.extend(prints.iter().filter(|print| **print != leak.fingerprint).cloned());
        leak.companions.sort();
        leak.companions.dedup();
    }
    Ok(leaks)
}

impl Written {
    fn leak(self) -> Result<Leak, String> {
        let print = |text: &String| text.parse::<Fingerprint>().map_err(|error| error.to_string());
        let occurrences: Vec<Occurrence> =
            self.occurrences.into_iter().map(WrittenPlace::occurrence).collect::<Result<_, _>>()?;
        if occurrences.is_empty() {
            return Err("names no place".to_owned());
        }
        Ok(Leak {
            fingerprint: print(&self.fingerprint)?,
            companions: self.companions.iter().map(print).collect::<Result<_, _>>()?,
            rule: self.rule,
            redacted: self.redacted,
            is_new: self.disposition.status == "new",
            occurrences,
        })
    }
}

impl WrittenPlace {
    fn occurrence(self) -> Result<Occurrence, String> {
        let at = |point: &Point| Position {
            line: point.line,
            column: point.column,
            column_utf16: point.column_utf16,
        };
        let new = self.disposition.status == "new";
        Ok(Occurrence {
            repository: self.repository.map(Arc::from),
            origin: self.origin.origin(0)?,
            path: path(self.path, self.path_base64)?,
            object: self.object.map(|id| oid(&id)).transpose()?,
            span: Span::new(self.span.start, self.span.end.max(self.span.start)),
            region: Region { start: at(&self.start), end: at(&self.end) },
            excerpt: String::new(),
            line_hash: None,
            timeline: self.timeline.map(Course::timeline).transpose()?,
            decoded: Vec::new(),
            context: Vec::new(),
            confidence: Confidence::High,
            disposition: if new { Disposition::New } else { Disposition::Baselined { reason: None } },
            notes: Vec::new(),
        })
    }
}

impl WrittenOrigin {
    fn origin(self, depth: usize) -> Result<Origin, String> {
        if depth > DEEPEST {
            return Err("its containers are nested too deeply".to_owned());
        }
        let object = self.object.as_deref().map(oid).transpose()?;
        let id = || object.ok_or_else(|| format!("a place of kind {} names no object", self.kind));
        let path = path(self.path.clone(), self.path_base64.clone())?;
        let named = || path.clone().ok_or_else(|| format!("a place of kind {} names no path", self.kind));
        Ok(match self.kind.as_str() {
            "file" => Origin::File { path: named()? },
            "file-name" => Origin::FileName { path: named()? },
            "symlink-target" => Origin::SymlinkTarget { path: named()? },
            "index" => Origin::Index { path: named()?, blob: id()? },
            "blob" => Origin::Blob { id: id()? },
            "commit" => Origin::Commit { id: id()? },
            "tag" => Origin::Tag { id: id()? },
            "tree" => Origin::Tree { id: id()? },
            "ref-name" => Origin::RefName { name: named()? },
            "git-file" => Origin::GitFile { path: named()? },
            "stdin" => Origin::Stdin { name: path },
            "archive-member" => {
                let outer = self.container.ok_or("an archive member names no archive")?;
                Origin::Member { outer: Box::new(outer.origin(depth + 1)?), path: path.unwrap_or_default() }
            }
            other => return Err(format!("places of kind `{other}` are not known")),
        })
    }
}

impl Course {
    fn timeline(self) -> Result<Timeline, String> {
        // Author, date and subject are in the report; nothing here needs them.
        let commit = |commit: Commit| {
            oid(&commit.id).map(|id| CommitInfo {
                id,
                author: String::new(),
                date: 0,
                subject: String::new(),
            })
        };
        Ok(Timeline {
            introduced: self.introduced.map(commit).transpose()?,
            last_seen: None,
            removed: self.removed.map(commit).transpose()?,
            at_head: self.at_head,
            reachable: match self.reachable.from.as_str() {
                "refs" => Reachability::Refs { names: self.reachable.refs, more: self.reachable.more },
                "reflog" => Reachability::Reflog,
                "nothing" => Reachability::Unreachable,
                _ => Reachability::Unknown,
            },
        })
    }
}

fn oid(text: &str) -> Result<Oid, String> {
    text.parse().map_err(|_| format!("`{text}` is no object name"))
}

fn path(text: Option<String>, base64: Option<String>) -> Result<Option<RepoPath>, String> {
    match (base64, text) {
        (Some(encoded), _) => match STANDARD.decode(encoded) {
            Ok(bytes) => Ok(Some(RepoPath::new(bytes))),
            Err(_) => Err("a path is not base64".to_owned()),
        },
        (None, text) => Ok(text.map(|text| RepoPath::new(text.into_bytes()))),
    }
}

impl Leak {
    /// The finding, its secret read again from `source`.
    ///
    /// # Errors
    ///
    /// Why the secret cannot be had, in words: its rule is not known, or no place holds it any more.
    pub fn with_secret(
        &self,
        source: &dyn SecretSource,
        key: Option<&FingerprintKey>,
    ) -> Result<Finding, String> {
        let rule = source
            .rule(&self.rule)
            .ok_or_else(|| format!("rule {} is not known here; name its file with --rules", self.rule))?;
        let mut problems = Vec::new();
        for place in self.occurrences.iter().map(Place::of) {
            match source.read(&self.rule, &place) {
                Ok(found) => match found.into_iter().find(|f| self.fingerprint.matches(&f.secret, key)) {
                    Some(found) => return Ok(self.finding(rule, found.secret, found.checksum)),
                    None => problems.push(format!("{place} does not hold this secret any more")),
                },
                Err(reason) => problems.push(format!("{place}: {reason}")),
            }
        }
        Err(problems.into_iter().next().unwrap_or_else(|| "the report names no place".to_owned()))
    }

    /// The finding without its secret, for those that are never sent anywhere.
    #[must_use]
    pub fn without_secret(&self, rule: Arc<RuleInfo>) -> Finding {
        self.finding(rule, Secret::new(Vec::new()), Checksum::Absent)
    }

    fn finding(&self, rule: Arc<RuleInfo>, secret: Secret, checksum: Checksum) -> Finding {
        let severity: Severity = rule.severity;
        Finding {
            fingerprint: self.fingerprint.clone(),
            secret,
            redacted: self.redacted.clone(),
            severity,
            confidence: Confidence::High,
            mode: CredentialMode::Live,
            checksum,
            validation: Validation::NotAttempted,
            companions: self.companions.clone(),
            components: Vec::new(),
            occurrences: self.occurrences.clone(),
            disposition: if self.is_new { Disposition::New } else { Disposition::Baselined { reason: None } },
            notes: Vec::new(),
            rule,
        }
    }
}
