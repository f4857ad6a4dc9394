//! Where a candidate is shown: its own path, or every path under which history holds its blob.

use std::collections::{BTreeSet, HashMap};

use crate::finding::{
    Attributor, Coverage, GapKind, Oid, Origin, Placement, Reachability, RepoPath, Timeline,
};

/// What history said about the blobs in question.
#[derive(Debug, Default)]
pub(super) struct Placements {
    asked: bool,
    known: HashMap<Oid, Vec<Placement>>,
    /// Part of the history could not be read, so that absence proves nothing.
    partial: bool,
}

impl Placements {
    /// Asks `attributor` about all blobs among `origins`, once.
    pub(super) fn of<'a>(
        origins: impl Iterator<Item = &'a Origin>,
        attributor: Option<&mut dyn Attributor>,
        coverage: &mut Coverage,
    ) -> Self {
        let blobs: Vec<Oid> = origins.filter_map(Origin::blob).collect::<BTreeSet<_>>().into_iter().collect();
        let Some(attributor) = attributor.filter(|_| !blobs.is_empty()) else { return Self::default() };
        let before = coverage.gaps.len();
        let mut known = attributor.attribute(&blobs, coverage);
        for places in known.values_mut() {
            places.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.timeline.cmp(&b.timeline)));
        }
        let cut = |kind| matches!(kind, GapKind::Shallow | GapKind::Interrupted);
        let partial = coverage.gaps.len() > before || coverage.gaps.iter().any(|gap| cut(gap.kind));
        Self { asked: true, known, partial }
    }

    /// Paths and times of what was found in `origin`; at least one.
    pub(super) fn places(&self, origin: &Origin) -> Vec<(Option<RepoPath>, Option<Timeline>)> {
        let Some(blob) = origin.blob().filter(|_| self.asked) else {
            return vec![(origin.path(), None)];
        };
        match self.known.get(&blob) {
            Some(places) if !places.is_empty() => places
                .iter()
                .map(|place| (Some(joined(origin, &place.path)), Some(place.timeline.clone())))
                .collect(),
            _ => vec![(origin.path(), Some(self.nowhere()))],
        }
    }

    /// The timeline of a blob that no commit was found to hold.
    fn nowhere(&self) -> Timeline {
        let reachable = if self.partial { Reachability::Unknown } else { Reachability::Unreachable };
        Timeline { introduced: None, last_seen: None, removed: None, at_head: false, reachable }
    }
}

/// `path` of the blob, with the members of archives inside it put behind.
fn joined(origin: &Origin, path: &RepoPath) -> RepoPath {
    match origin {
        Origin::Member { outer, path: inner } => {
            RepoPath::new([joined(outer, path).as_bytes(), b"!", inner.as_bytes()].concat())
        }
        Origin::Blob { .. }
        | Origin::File { .. }
        | Origin::FileName { .. }
        | Origin::SymlinkTarget { .. }
        | Origin::Index { .. }
        | Origin::Commit { .. }
        | Origin::Tag { .. }
        | Origin::Tree { .. }
        | Origin::RefName { .. }
        | Origin::GitFile { .. }
        | Origin::Stdin { .. } => path.clone(),
    }
}
