//! One secret, several rules: who keeps the place.
//!
//! Per place, never per scan: a match loses only to another match of the same content.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::capture::Candidate;
use super::rulebook::RuleBook;
use crate::finding::Confidence;

/// Above this many matches in one heap of overlaps, decoded secrets are compared for equality
/// only, not for one containing the other, so that hostile content stays cheap.
const PAIRWISE: usize = 512;

/// A candidate that kept its place.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) candidate: Candidate,
    /// The rule it is reported under; differs from the candidate's own when a generic rule saw a
    /// secret that another place tells the owner of.
    pub(super) rule: u16,
    /// Other, non-generic rules that matched here and lost.
    pub(super) also: Vec<u16>,
}

/// Standing of a match among those that overlap it; the greater one wins.
type Standing = (u8, u8, usize, Confidence);

/// How specific a rule is: nothing known of the owner, a form without an owner, a known owner.
fn standing(rules: &dyn RuleBook, rule: u16) -> (u8, u8) {
    let info = rules.info(rule);
    let kind = match info.kind {
        "block" => 5,
        "token" | "imported" => 4,
        "uri" => 3,
        "assignment" => 2,
        _ => 1,
    };
    let owner = match info.kind {
        "generic" => 0,
        "imported" => 1,
        // A key block is exact even though nobody knows whose it is.
        "block" => 2,
        _ if info.provider == "generic" => 1,
        _ => 2,
    };
    (owner, kind)
}

fn full_standing(rules: &dyn RuleBook, candidate: &Candidate) -> Standing {
    let (owner, kind) = standing(rules, candidate.rule);
    (owner, kind, candidate.span.len(), candidate.confidence)
}

/// Settles all places. `candidates` are sorted by origin and start, without duplicates; so is
/// the result.
pub(super) fn settle(candidates: Vec<Candidate>, rules: &dyn RuleBook) -> Vec<Kept> {
    let mut kept = Vec::with_capacity(candidates.len());
    let mut heap: Vec<Candidate> = Vec::new();
    let mut heap_end = 0;
    for candidate in candidates {
        let apart = heap
            .last()
            .is_some_and(|last| last.origin != candidate.origin || candidate.span.start >= heap_end);
        if apart {
            kept.extend(settle_heap(std::mem::take(&mut heap), rules));
            heap_end = 0;
        }
        heap_end = heap_end.max(candidate.span.end);
        heap.push(candidate);
    }
    kept.extend(settle_heap(heap, rules));
    adopt(&mut kept, rules);
    kept
}

/// Settles a set of matches that hang together by overlaps.
fn settle_heap(mut heap: Vec<Candidate>, rules: &dyn RuleBook) -> Vec<Kept> {
    let small = heap.len() <= PAIRWISE;
    if heap.len() > 1 {
        heap.sort_by_cached_key(|c| {
            (Reverse(full_standing(rules, c)), c.span, rules.info(c.rule).id.clone())
        });
    }
    let mut kept: Vec<Kept> = Vec::with_capacity(heap.len());
    for candidate in heap {
        // Rules of an imported configuration report side by side, as they were written to.
        let imported = |rule: u16| rules.info(rule).kind == "imported";
        let both = |winner: &Kept| imported(winner.rule) && imported(candidate.rule);
        match kept.iter_mut().find(|winner| !both(winner) && conflict(&winner.candidate, &candidate, small)) {
            None => kept.push(Kept { rule: candidate.rule, candidate, also: Vec::new() }),
            Some(winner) => {
                let telling = rules.info(candidate.rule).kind != "generic" && candidate.rule != winner.rule;
                if telling && !winner.also.contains(&candidate.rule) {
                    winner.also.push(candidate.rule);
                }
            }
        }
    }
    kept.sort_by_key(|kept| (kept.candidate.span, kept.rule));
    kept
}

/// Whether two matches of one content claim the same secret.
///
/// All that was decoded from one run shares that run's span, so decoded secrets are compared by
/// their bytes.
fn conflict(a: &Candidate, b: &Candidate, contain: bool) -> bool {
    if !a.span.overlaps(b.span) {
        return false;
    }
    if a.decoded.is_empty() || b.decoded.is_empty() {
        return true;
    }
    let (a, b) = (a.secret.expose(), b.secret.expose());
    a == b || contain && (memchr::memmem::find(a, b).is_some() || memchr::memmem::find(b, a).is_some())
}

/// Puts what a generic rule saw under the rule that knows the very same secret from elsewhere:
/// one secret, one finding, all its places.
///
/// Only when exactly one rule knows it, and not as a coin toss: a value that stands under the
/// names of several providers is a sample, and says nothing about a place without a name. Nor do
/// secrets that people choose: equal ones need not be the same.
fn adopt(kept: &mut [Kept], rules: &dyn RuleBook) {
    let generic = |place: &Kept| rules.info(place.rule).kind == "generic";
    let mut owners: HashMap<&[u8], Option<u16>> = HashMap::new();
    let knows = |place: &&Kept| {
        !generic(place) && !rules.info(place.rule).guessable && place.candidate.confidence > Confidence::Low
    };
    for place in kept.iter().filter(knows) {
        owners
            .entry(place.candidate.secret.expose())
            .and_modify(|owner| *owner = owner.filter(|rule| *rule == place.rule))
            .or_insert(Some(place.rule));
    }
    let adopted: Vec<(usize, u16)> = kept
        .iter()
        .enumerate()
        .filter(|(_, place)| generic(place))
        .filter_map(|(index, place)| Some((index, (*owners.get(place.candidate.secret.expose())?)?)))
        .collect();
    for (index, rule) in adopted {
        kept[index].rule = rule;
    }
}
