//! One credential, one finding: halves that stand together are told with the secret half.
//!
//! Works on what is already judged, so that joining decides nothing: whoever allowed a half, or knew
//! it in the baseline, did so before. A half leaves its own finding only at places where the other
//! one's finding counts if it does; everywhere else it stays as it is.

use std::collections::{BTreeMap, HashMap};

use super::finish::{Group, Judged, Placed};
use crate::finding::RepoPath;

/// A group and what was decided about it.
pub(super) type Row<'g> = (&'g Group, Judged);

/// A finding to be, with its other halves.
pub(super) struct Whole<'g> {
    pub(super) group: &'g Group,
    pub(super) judged: Judged,
    /// Sorted by the first places of their groups.
    pub(super) parts: Vec<Row<'g>>,
    /// Some of its own places are told with another finding.
    pub(super) elsewhere: bool,
}

/// Where the secret half counts: path and whether it does.
type Standing = Vec<(Option<RepoPath>, bool)>;

/// Joins rows. `joined` has pairs of places: the secret half, and its part.
///
/// What is in `drawn` is told only as a part of something in `shown`; the second of what is given back
/// is what was left of it.
pub(super) fn join<'g>(
    shown: Vec<Row<'g>>,
    drawn: Vec<Row<'g>>,
    joined: &[(usize, usize)],
) -> (Vec<Whole<'g>>, Vec<Row<'g>>) {
    let firm = shown.len();
    let mut rows: Vec<Row<'g>> = shown;
    rows.extend(drawn);
    let standings = standings(&rows[..firm], joined);
    let mut parts: Vec<BTreeMap<usize, Vec<Placed>>> = vec![BTreeMap::new(); firm];
    let mut moved = vec![false; rows.len()];
    let wholes: HashMap<usize, usize> = joined.iter().map(|&(whole, part)| (part, whole)).collect();
    for (at, (_, judged)) in rows.iter_mut().enumerate() {
        let mut own = Vec::with_capacity(judged.occurrences.len());
        for placed in std::mem::take(&mut judged.occurrences) {
            let whole = wholes.get(&placed.at).and_then(|whole| standings.get(whole));
            let taker = whole.filter(|(_, standing)| takes(standing, &placed)).map(|(row, _)| *row);
            match taker {
                Some(row) => {
                    moved[at] = true;
                    parts[row].entry(at).or_default().push(placed);
                }
                None => own.push(placed),
            }
        }
        judged.occurrences = own;
    }
    let prints: Vec<Row<'g>> = rows.iter().map(|(group, judged)| (*group, judged.without_places())).collect();
    let mut parts = parts.into_iter();
    let (mut wholes, mut left) = (Vec::new(), Vec::new());
    for (at, (group, judged)) in rows.into_iter().enumerate() {
        let own = if moved[at] { judged.settled() } else { Some(judged) };
        let parts = if at < firm { parts.next().unwrap_or_default() } else { BTreeMap::new() };
        // NOTE: who takes a part keeps the place it takes it at, so no part is lost with a row.
        let Some(judged) = own else { continue };
        if at >= firm {
            left.push((group, judged));
            continue;
        }
        let part = |(row, places): (usize, Vec<Placed>)| {
            let (group, judged) = &prints[row];
            Some((*group, judged.with(places).settled()?))
        };
        let mut parts: Vec<Row<'g>> = parts.into_iter().filter_map(part).collect();
        parts.sort_by_key(|(group, _)| group.index);
        wholes.push(Whole { group, judged, parts, elsewhere: moved[at] });
    }
    (wholes, left)
}

/// For each place of a secret half: its row, and how it stands under each path.
fn standings(rows: &[Row<'_>], joined: &[(usize, usize)]) -> HashMap<usize, (usize, Standing)> {
    let mut standings: HashMap<usize, (usize, Standing)> = HashMap::new();
    let wanted: std::collections::HashSet<usize> = joined.iter().map(|&(whole, _)| whole).collect();
    for (row, (_, judged)) in rows.iter().enumerate() {
        for placed in judged.occurrences.iter().filter(|placed| wanted.contains(&placed.at)) {
            let place = &placed.occurrence;
            let standing = standings.entry(placed.at).or_insert_with(|| (row, Vec::new()));
            standing.1.push((place.path.clone(), place.disposition.is_new()));
        }
    }
    standings
}

/// Whether a part may be told there: what counts must not vanish behind what does not.
fn takes(standing: &Standing, part: &Placed) -> bool {
    let place = &part.occurrence;
    standing.iter().any(|(path, new)| *path == place.path && (*new || !place.disposition.is_new()))
}
