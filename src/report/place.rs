//! What a place is called, and whether it is still there.

use super::view::View;
use crate::finding::{CommitInfo, Finding, Occurrence, Origin, Reachability, RepoPath, Timeline};

/// Whether the secret stands there now: on disk, in the index, in a ref's name, or at `HEAD`.
pub(super) fn is_present(place: &Occurrence) -> bool {
    stands_in_files(&place.origin) || place.timeline.as_ref().is_some_and(|timeline| timeline.at_head)
}

fn stands_in_files(origin: &Origin) -> bool {
    match origin {
        Origin::File { .. }
        | Origin::FileName { .. }
        | Origin::SymlinkTarget { .. }
        | Origin::Index { .. }
        | Origin::RefName { .. }
        | Origin::GitFile { .. }
        | Origin::Stdin { .. } => true,
        Origin::Member { outer, .. } => stands_in_files(outer),
        Origin::Blob { .. } | Origin::Commit { .. } | Origin::Tag { .. } | Origin::Tree { .. } => false,
    }
}

/// Places of a finding that count.
pub(super) fn counted(finding: &Finding) -> impl Iterator<Item = &Occurrence> {
    finding.occurrences.iter().filter(|place| place.disposition.is_new())
}

/// The other halves of the credential that stand beside it at a place, each with its place there.
pub(super) fn beside<'a>(
    finding: &'a Finding,
    at: &Occurrence,
) -> impl Iterator<Item = (&'a Finding, &'a Occurrence)> {
    let (origin, path, repository) = (at.origin.clone(), at.path.clone(), at.repository.clone());
    finding.components.iter().flat_map(move |half| {
        let (origin, path, repository) = (origin.clone(), path.clone(), repository.clone());
        let same = move |place: &&Occurrence| {
            place.origin == origin && place.path == path && place.repository == repository
        };
        half.occurrences.iter().filter(same).map(move |place| (half, place))
    })
}

/// The place where history first held the secret, as far as dates tell; else the first that
/// counts.
pub(super) fn earliest(finding: &Finding) -> &Occurrence {
    let introduced = |place: &&Occurrence| Some(place.timeline.as_ref()?.introduced.as_ref()?.date);
    counted(finding)
        .filter_map(|place| Some((introduced(&place)?, place)))
        .min_by_key(|&(date, _)| date)
        .map_or_else(|| finding.primary(), |(_, place)| place)
}

/// When the secret as such came and went, over all places that count: where it moved from one path
/// to another it was neither removed nor introduced. None when no history was scanned.
pub(super) fn course(finding: &Finding) -> Option<Timeline> {
    let all: Vec<&Timeline> = counted(finding).filter_map(|place| place.timeline.as_ref()).collect();
    let at_head = all.iter().any(|timeline| timeline.at_head);
    let age = |commit: &&CommitInfo| (commit.date, commit.id);
    let gone = all.iter().all(|timeline| timeline.removed.is_some());
    let here = all.iter().filter(|timeline| timeline.at_head == at_head);
    let widest = |timeline: &&&Timeline| match &timeline.reachable {
        Reachability::Refs { names, more } => (3, names.len() as u64 + more),
        Reachability::Reflog => (2, 0),
        Reachability::Unreachable => (1, 0),
        Reachability::Unknown => (0, 0),
    };
    Some(Timeline {
        introduced: all.iter().filter_map(|timeline| timeline.introduced.as_ref()).min_by_key(age).cloned(),
        last_seen: here.filter_map(|timeline| timeline.last_seen.as_ref()).max_by_key(age).cloned(),
        removed: all
            .iter()
            .filter_map(|timeline| timeline.removed.as_ref())
            .max_by_key(age)
            .filter(|_| gone && !at_head)
            .cloned(),
        at_head,
        // NOTE: `max_by_key` takes the last of equals; the first is the one shown first.
        reachable: all.iter().rev().max_by_key(widest)?.reachable.clone(),
    })
}

/// Whole days from the commit that brought it to the one that removed it, or else to the last one
/// that has it; None when either is not known. By the authors' clocks, and never below 0.
pub(super) fn days(timeline: &Timeline) -> Option<i64> {
    let end = timeline.removed.as_ref().or(timeline.last_seen.as_ref())?;
    Some((end.date.saturating_sub(timeline.introduced.as_ref()?.date) / 86_400).max(0))
}

/// Name of a place without line and column: its path, else the object it stands in.
pub(super) fn name(view: &View<'_>, place: &Occurrence) -> String {
    match repository(view, place) {
        Some(repository) => format!("{repository}: {}", own_name(view, place)),
        None => own_name(view, place),
    }
}

/// The repository of a place, when several were scanned.
pub(super) fn repository(view: &View<'_>, place: &Occurrence) -> Option<String> {
    place.repository.as_deref().map(|name| view.prose(name))
}

/// The repositories that hold a secret, each once, in order; empty when only one was scanned.
pub(super) fn repositories(view: &View<'_>, finding: &Finding) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in counted(finding).filter_map(|place| repository(view, place)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn own_name(view: &View<'_>, place: &Occurrence) -> String {
    match (&place.origin, view.path_of(place), place.object) {
        (Origin::GitFile { .. }, Some(path), _) => format!(".git/{path}"),
        (_, Some(path), _) => path.to_string(),
        (origin, None, Some(id)) => format!("{} {}", origin.kind(), id.short(12)),
        (Origin::Stdin { .. }, None, None) => "<stdin>".to_owned(),
        (origin, None, None) => origin.kind().to_owned(),
    }
}

/// Name of a place with line and column, in the form editors and terminals open.
pub(super) fn label(view: &View<'_>, place: &Occurrence) -> String {
    let name = name(view, place);
    match kind_of_name(&place.origin) {
        Some(what) => format!("{name} ({what})"),
        None => format!("{name}:{}:{}", place.region.start.line, place.region.start.column),
    }
}

/// For places that are names, where a line and column would mean nothing: what is named.
fn kind_of_name(origin: &Origin) -> Option<&'static str> {
    match origin {
        Origin::FileName { .. } | Origin::Tree { .. } => Some("file name"),
        Origin::SymlinkTarget { .. } => Some("link target"),
        Origin::RefName { .. } => Some("ref name"),
        Origin::File { .. }
        | Origin::Index { .. }
        | Origin::Blob { .. }
        | Origin::Commit { .. }
        | Origin::Tag { .. }
        | Origin::GitFile { .. }
        | Origin::Stdin { .. }
        | Origin::Member { .. } => None,
    }
}

/// Reference for tools that want a file for everything: a relative percent-encoded path, made up
/// from the object for what is no file (`commit/<id>`).
pub(super) fn uri(view: &View<'_>, place: &Occurrence) -> String {
    match repository(view, place) {
        Some(name) => {
            let name = RepoPath::new(name).to_uri();
            format!("{}/{}", relative(name.trim_end_matches('/')), own_uri(view, place))
        }
        None => own_uri(view, place),
    }
}

fn own_uri(view: &View<'_>, place: &Occurrence) -> String {
    match (&place.origin, view.path_of(place), place.object) {
        (Origin::GitFile { .. }, Some(path), _) => format!(".git/{}", relative(&path.to_uri())),
        (_, Some(path), _) => relative(&path.to_uri()).to_owned(),
        (origin, None, Some(id)) => format!("{}/{id}", origin.kind()),
        (origin, None, None) => origin.kind().to_owned(),
    }
}

/// Absolute paths lose their root: GitHub refuses whatever it cannot place in the repository.
fn relative(uri: &str) -> &str {
    let cut = uri.trim_start_matches('/');
    if cut.is_empty() { "root" } else { cut }
}

/// Name of a place as text, control characters kept where the path is UTF-8: for formats that
/// escape them and tools that look the file up.
pub(super) fn exact_name(view: &View<'_>, place: &Occurrence) -> String {
    match view.path_of(place).map(|path| String::from_utf8(path.as_bytes().to_vec())) {
        Some(Ok(path)) if !matches!(place.origin, Origin::GitFile { .. }) => match &place.repository {
            Some(repository) => format!("{}/{path}", view.masked(repository).trim_end_matches('/')),
            None => path,
        },
        _ => name(view, place),
    }
}
