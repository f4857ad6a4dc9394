//! Halves of one credential that stand near each other.

use std::collections::HashMap;

use super::overlap::Kept;
use super::rulebook::RuleBook;

/// Which places complete each other.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Pairs of indices into the settled places.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Places whose rule names a companion and that stand alone.
    pub(super) alone: Vec<usize>,
    /// Places that open nothing without a companion which is not there.
    pub(super) half: Vec<usize>,
}

/// Looks for the nearest companion of every place in the same content.
///
/// `places` are sorted by origin.
pub(super) fn link(places: &[Kept], rules: &dyn RuleBook) -> Links {
    let mut links = Links::default();
    let mut from = 0;
    while from < places.len() {
        let origin = &places[from].candidate.origin;
        let len = places[from..].iter().take_while(|place| place.candidate.origin == *origin).count();
        link_content(places, from..from + len, rules, &mut links);
        from += len;
    }
    links
}

fn link_content(places: &[Kept], content: std::ops::Range<usize>, rules: &dyn RuleBook, links: &mut Links) {
    // Indices by rule, in order of position, since the places are.
    let mut by_rule: HashMap<u16, Vec<usize>> = HashMap::new();
    for index in content.clone() {
        by_rule.entry(places[index].rule).or_default().push(index);
    }
    for index in content {
        let partners = rules.partners(places[index].rule);
        let (mut complete, mut lacking) = (partners.is_empty(), false);
        for partner in &partners {
            let others = by_rule.get(&partner.rule).map_or(&[][..], Vec::as_slice);
            match nearest(places, others, index, partner.within_lines) {
                Some(other) => {
                    links.pairs.push((index, other));
                    complete = true;
                }
                None => lacking |= partner.required,
            }
        }
        if !complete {
            links.alone.push(index);
        }
        if lacking {
            links.half.push(index);
        }
    }
}

/// The place of `others` nearest to `index`, if it stands within `lines` lines.
fn nearest(places: &[Kept], others: &[usize], index: usize, lines: u16) -> Option<usize> {
    let here = &places[index].candidate;
    let at = others.partition_point(|&other| places[other].candidate.span.start < here.span.start);
    let before = others[..at].iter().rev().find(|&&other| other != index);
    let after = others[at..].iter().find(|&&other| other != index);
    let distance = |other: usize| {
        let there = &places[other].candidate;
        let lines = there.region.start.line.abs_diff(here.region.start.line);
        (lines, there.span.start.abs_diff(here.span.start))
    };
    before
        .into_iter()
        .chain(after)
        .copied()
        .filter(|&other| distance(other).0 <= usize::from(lines))
        .min_by_key(|&other| (distance(other), other))
}
