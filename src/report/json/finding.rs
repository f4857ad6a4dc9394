//! The finding object of JSON and JSON lines.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::finding::{
    AllowSource, Checksum, CommitInfo, CredentialMode, Disposition, Occurrence, Origin, Position,
    Reachability, RepoPath, Timeline, Validation,
};
use crate::report::calendar::instant;
use crate::report::place::{course, days, is_present, repositories};
use crate::report::view::View;
use crate::report::wording;

/// One leaked secret with all its places.
#[derive(Serialize)]
pub(in crate::report) struct Finding<'a> {
    fingerprint: &'a str,
    rule: &'a str,
    rule_name: &'a str,
    provider: &'a str,
    kind: &'static str,
    severity: &'static str,
    confidence: &'static str,
    mode: &'static str,
    checksum: &'static str,
    redacted: &'a str,
    /// Only with raw secrets asked for, and when they are UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    /// Instead of `secret` when the bytes are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_base64: Option<String>,
    /// How to rotate it by hand.
    rotate: String,
    /// Only when its provider was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Proof>,
    disposition: Verdict,
    companions: Vec<&'a str>,
    /// Other halves of the credential, with the places where they stand beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Finding<'a>>,
    notes: Vec<Note>,
    /// Those that hold it, when several were scanned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repositories: Vec<String>,
    /// Over all places that count.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Course>,
    occurrences: Vec<Place>,
}

impl<'a> Finding<'a> {
    pub(in crate::report) fn of(view: &View<'a>, finding: &'a crate::finding::Finding) -> Self {
        let raw = view.shows_secrets().then(|| finding.secret.expose());
        let text = raw.and_then(|bytes| std::str::from_utf8(bytes).ok());
        Self {
            fingerprint: finding.fingerprint.as_str(),
            rule: &finding.rule.id,
            rule_name: &finding.rule.name,
            provider: &finding.rule.provider,
            kind: finding.rule.kind,
            severity: finding.severity.as_str(),
            confidence: finding.confidence.as_str(),
            mode: match finding.mode {
                CredentialMode::Live => "live",
                CredentialMode::Test => "test",
            },
            checksum: match finding.checksum {
                Checksum::Absent => "absent",
                Checksum::Passed => "passed",
                Checksum::Failed => "failed",
            },
            redacted: &finding.redacted,
            secret: text,
            secret_base64: raw.filter(|_| text.is_none()).map(|bytes| STANDARD.encode(bytes)),
            rotate: view.masked(&wording::rotate(&finding.rule)),
            validation: Proof::of(view, &finding.validation),
            disposition: Verdict::of(view, &finding.disposition),
            companions: finding.companions.iter().map(crate::finding::Fingerprint::as_str).collect(),
            components: finding.components.iter().map(|half| Finding::of(view, half)).collect(),
            notes: notes(view, &finding.notes),
            repositories: repositories(view, finding),
            timeline: course(finding).map(|timeline| Course::of(view, &timeline)),
            occurrences: finding.occurrences.iter().map(|place| Place::of(view, place)).collect(),
        }
    }
}

/// What the provider said.
#[derive(Serialize)]
struct Proof {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

impl Proof {
    fn of(view: &View<'_>, validation: &Validation) -> Option<Self> {
        let blank = Self {
            verdict: validation.as_str(),
            reason: None,
            status: None,
            identity: None,
            scopes: Vec::new(),
            expires: None,
        };
        let masked = |text: &Option<String>| text.as_deref().map(|text| view.masked(text));
        match validation {
            Validation::NotAttempted => None,
            Validation::Unknown(reason) => Some(Self { reason: Some(view.masked(reason)), ..blank }),
            Validation::Live(evidence) | Validation::Dead(evidence) => Some(Self {
                status: evidence.status,
                identity: masked(&evidence.identity),
                scopes: evidence.scopes.iter().map(|scope| view.masked(scope)).collect(),
                expires: masked(&evidence.expires),
                ..blank
            }),
        }
    }
}

#[derive(Serialize)]
struct Note {
    code: &'static str,
    text: String,
}

fn notes(view: &View<'_>, notes: &[crate::finding::Note]) -> Vec<Note> {
    notes.iter().map(|note| Note { code: note.code, text: view.masked(&note.text) }).collect()
}

fn context(view: &View<'_>, place: &Occurrence) -> BTreeMap<&'static str, String> {
    place.context.iter().map(|detail| (detail.facet.as_str(), view.masked(&detail.value))).collect()
}

/// Whether it counts, and who said otherwise.
#[derive(Serialize)]
struct Verdict {
    status: &'static str,
    /// `inline`, `config` or `known-sample`.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    /// The marker as written, or the entry of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl Verdict {
    fn of(view: &View<'_>, disposition: &Disposition) -> Self {
        let plain = Self { status: "new", by: None, entry: None, reason: None, until: None };
        let masked = |text: &Option<String>| text.as_deref().map(|text| view.masked(text));
        match disposition {
            Disposition::New => plain,
            Disposition::Baselined { reason } => {
                Self { status: "baselined", reason: masked(reason), ..plain }
            }
            Disposition::Allowed { by, reason, until } => {
                let (by, entry) = match by {
                    AllowSource::Inline { marker } => ("inline", Some(view.masked(marker))),
                    AllowSource::Config { entry } => ("config", Some(view.masked(entry))),
                    AllowSource::KnownSample => ("known-sample", None),
                };
                let (reason, until) = (masked(reason), masked(until));
                Self { status: "allowed", by: Some(by), entry, reason, until }
            }
        }
    }
}

/// One place.
#[derive(Serialize)]
struct Place {
    /// When several were scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(flatten)]
    path: Name,
    origin: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    present: bool,
    start: Point,
    end: Point,
    span: Range,
    excerpt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_hash: Option<String>,
    decoded: Vec<&'static str>,
    /// What lines beside it say of what it opens.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: BTreeMap<&'static str, String>,
    confidence: &'static str,
    disposition: Verdict,
    notes: Vec<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Course>,
}

impl Place {
    fn of(view: &View<'_>, place: &Occurrence) -> Self {
        Self {
            repository: place.repository.as_deref().map(|name| view.masked(name)),
            path: Name::of(view, place.path.as_ref()),
            origin: Source::of(view, &place.origin),
            object: place.object.map(|id| id.to_string()),
            present: is_present(place),
            start: Point::of(place.region.start),
            end: Point::of(place.region.end),
            span: Range { start: place.span.start, end: place.span.end },
            excerpt: view.masked(&place.excerpt),
            line_hash: place.line_hash.clone().filter(|hash| !hash.is_empty()),
            decoded: place.decoded.clone(),
            context: context(view, place),
            confidence: place.confidence.as_str(),
            disposition: Verdict::of(view, &place.disposition),
            notes: notes(view, &place.notes),
            timeline: place.timeline.as_ref().map(|timeline| Course::of(view, timeline)),
        }
    }
}

/// A path: as text, and its bytes too when they are not UTF-8.
#[derive(Serialize, Default)]
struct Name {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
}

impl Name {
    fn of(view: &View<'_>, path: Option<&RepoPath>) -> Self {
        let Some(path) = path.map(|path| view.path(path)) else { return Self::default() };
        match std::str::from_utf8(path.as_bytes()) {
            Ok(text) => Self { path: Some(text.to_owned()), path_base64: None },
            Err(_) => {
                Self { path: Some(path.to_text()), path_base64: Some(STANDARD.encode(path.as_bytes())) }
            }
        }
    }
}

/// What the content was read from.
#[derive(Serialize)]
struct Source {
    kind: &'static str,
    #[serde(flatten)]
    path: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// What an archive member was found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Box<Source>>,
}

impl Source {
    fn of(view: &View<'_>, origin: &Origin) -> Self {
        let (path, container) = if let Origin::Member { outer, path } = origin {
            (Some(path.clone()), Some(Box::new(Self::of(view, outer))))
        } else {
            (origin.path(), None)
        };
        // A member's object is its container's.
        let object = origin.object().filter(|_| container.is_none()).map(|id| id.to_string());
        Self { kind: origin.kind(), path: Name::of(view, path.as_ref()), object, container }
    }
}

#[derive(Serialize)]
struct Point {
    line: usize,
    column: usize,
    column_utf16: usize,
}

impl Point {
    fn of(position: Position) -> Self {
        Self { line: position.line, column: position.column, column_utf16: position.column_utf16 }
    }
}

#[derive(Serialize)]
struct Range {
    start: usize,
    end: usize,
}

#[derive(Serialize)]
struct Course {
    #[serde(skip_serializing_if = "Option::is_none")]
    introduced: Option<Commit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Commit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Commit>,
    /// From `introduced` to `removed`, else to `last_seen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    exposed_days: Option<i64>,
    at_head: bool,
    reachable: Reach,
}

impl Course {
    fn of(view: &View<'_>, timeline: &Timeline) -> Self {
        let commit = |info: &Option<CommitInfo>| info.as_ref().map(|info| Commit::of(view, info));
        Self {
            introduced: commit(&timeline.introduced),
            last_seen: commit(&timeline.last_seen),
            removed: commit(&timeline.removed),
            exposed_days: days(timeline),
            at_head: timeline.at_head,
            reachable: Reach::of(view, &timeline.reachable),
        }
    }
}

#[derive(Serialize)]
struct Commit {
    id: String,
    author: String,
    date: String,
    subject: String,
}

impl Commit {
    fn of(view: &View<'_>, info: &CommitInfo) -> Self {
        Self {
            id: info.id.to_string(),
            author: view.masked(&info.author),
            date: instant(info.date),
            subject: view.masked(&info.subject),
        }
    }
}

#[derive(Serialize)]
struct Reach {
    from: &'static str,
    refs: Vec<String>,
    more: u64,
}

impl Reach {
    fn of(view: &View<'_>, reachable: &Reachability) -> Self {
        let from = |from| Self { from, refs: Vec::new(), more: 0 };
        match reachable {
            Reachability::Refs { names, more } => {
                Self { from: "refs", refs: names.iter().map(|name| view.masked(name)).collect(), more: *more }
            }
            Reachability::Reflog => from("reflog"),
            Reachability::Unreachable => from("nothing"),
            Reachability::Unknown => from("unknown"),
        }
    }
}
