//! Halves of one credential that stand near each other.

use std::collections::{HashMap, HashSet};

use super::overlap::Kept;
use super::rulebook::{Partner, RuleBook};

/// How many secret halves to either side a half may be joined to: of more than that, the nearest have
/// other halves that are nearer to them.
const NEIGHBOURS: usize = 8;

/// Which places complete each other.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Pairs of indices into the settled places.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Places whose rule names a companion and that stand alone.
    pub(super) alone: Vec<usize>,
    /// Places that open nothing without a companion which is not there.
    pub(super) half: Vec<usize>,
    /// Places that are told together: the secret half, and one that is a part of it. No place is both,
    /// and each is a part once.
    pub(super) joined: Vec<(usize, usize)>,
}

/// Looks for the nearest companion of every place in the same content.
///
/// `places` are sorted by origin.
pub(super) fn link(places: &[Kept], rules: &dyn RuleBook) -> Links {
    let mut links = Links::default();
    let mut partners: HashMap<u16, Vec<Partner>> = HashMap::new();
    for place in places {
        partners.entry(place.rule).or_insert_with(|| rules.partners(place.rule));
    }
    let mut from = 0;
    while from < places.len() {
        let origin = &places[from].candidate.origin;
        let len = places[from..].iter().take_while(|place| place.candidate.origin == *origin).count();
        link_content(places, from..from + len, &partners, &mut links);
        from += len;
    }
    links
}

fn link_content(
    places: &[Kept],
    content: std::ops::Range<usize>,
    partners: &HashMap<u16, Vec<Partner>>,
    links: &mut Links,
) {
    // Indices by rule, in order of position, since the places are.
    let mut by_rule: HashMap<u16, Vec<usize>> = HashMap::new();
    for index in content.clone() {
        by_rule.entry(places[index].rule).or_default().push(index);
    }
    let mut near = Vec::new();
    for index in content {
        let partners = &partners[&places[index].rule];
        let (mut complete, mut lacking) = (partners.is_empty(), false);
        for partner in partners {
            let others = by_rule.get(&partner.rule).map_or(&[][..], Vec::as_slice);
            match nearest(places, others, index, partner.within_lines) {
                Some(other) => {
                    links.pairs.push((index, other));
                    complete = true;
                }
                None => lacking |= partner.required,
            }
            if partner.part_of {
                near.extend(neighbours(places, others, index, partner.within_lines));
            }
        }
        if !complete {
            links.alone.push(index);
        }
        if lacking {
            links.half.push(index);
        }
    }
    links.joined.extend(pair_off(places, near));
}

/// Lines and bytes between two places.
fn distance(places: &[Kept], one: usize, other: usize) -> (usize, usize) {
    let (here, there) = (&places[one].candidate, &places[other].candidate);
    let lines = there.region.start.line.abs_diff(here.region.start.line);
    (lines, there.span.start.abs_diff(here.span.start))
}

/// The secret halves `others` near the part at `index`, with their distances.
fn neighbours(
    places: &[Kept],
    others: &[usize],
    index: usize,
    lines: u16,
) -> Vec<((usize, usize), usize, usize)> {
    let start = places[index].candidate.span.start;
    let at = others.partition_point(|&other| places[other].candidate.span.start < start);
    others[at.saturating_sub(NEIGHBOURS)..others.len().min(at + NEIGHBOURS)]
        .iter()
        .filter(|&&other| other != index)
        .map(|&other| (distance(places, index, other), other, index))
        .filter(|(distance, ..)| distance.0 <= usize::from(lines))
        .collect()
}

/// Joins the nearest first. A secret half takes one part of each rule, a part belongs to one secret.
fn pair_off(places: &[Kept], mut near: Vec<((usize, usize), usize, usize)>) -> Vec<(usize, usize)> {
    near.sort_unstable();
    let (mut wholes, mut parts, mut taken) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut joined = Vec::new();
    for (_, whole, part) in near {
        let free = !parts.contains(&part) && !parts.contains(&whole) && !wholes.contains(&part);
        if free && taken.insert((whole, places[part].rule)) {
            wholes.insert(whole);
            parts.insert(part);
            joined.push((whole, part));
        }
    }
    joined
}

/// The place of `others` nearest to `index`, if it stands within `lines` lines.
fn nearest(places: &[Kept], others: &[usize], index: usize, lines: u16) -> Option<usize> {
    let here = &places[index].candidate;
    let at = others.partition_point(|&other| places[other].candidate.span.start < here.span.start);
    let before = others[..at].iter().rev().find(|&&other| other != index);
    let after = others[at..].iter().find(|&&other| other != index);
    before
        .into_iter()
        .chain(after)
        .copied()
        .filter(|&other| distance(places, index, other).0 <= usize::from(lines))
        .min_by_key(|&other| (distance(places, index, other), other))
}
