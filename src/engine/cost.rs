//! What each rule costs: how often it is triggered and tested, how long that takes, what it finds.
//!
//! A scan that is not asked to count pays one predictable branch for each test.

use std::time::{Duration, Instant};

use crate::finding::Match;

/// What one rule cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Times its prefix, literal or keyword stood in the text, or the words of a name chose it.
    pub triggers: u64,
    /// Times its shape, expression or verifier was run.
    pub verifications: u64,
    /// Time that took, measuring included.
    pub time: Duration,
    /// Matches, before they are joined to findings.
    pub matches: u64,
}

impl Cost {
    /// Adds what the same rule cost elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.triggers += other.triggers;
        self.verifications += other.verifications;
        self.time += other.time;
        self.matches += other.matches;
    }
}

/// The costs of all rules of an engine, by rule number.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    costs: Vec<Cost>,
}

impl Ledger {
    /// An empty ledger for `rules` rules.
    #[must_use]
    pub fn new(rules: usize) -> Self {
        Self { costs: vec![Cost::default(); rules] }
    }

    /// The costs, by rule number.
    #[must_use]
    pub fn costs(&self) -> &[Cost] {
        &self.costs
    }

    /// Verifications of all rules together.
    #[must_use]
    pub fn verifications(&self) -> u64 {
        self.costs.iter().map(|cost| cost.verifications).sum()
    }

    /// Adds what was counted elsewhere with the same rules.
    pub fn add(&mut self, other: &Self) {
        self.costs.iter_mut().zip(&other.costs).for_each(|(cost, other)| cost.add(other));
    }
}

/// Where the matches of a scan go, and what they cost if somebody asks.
pub(super) struct Finds<'a> {
    out: &'a mut Vec<Match>,
    ledger: Option<&'a mut Ledger>,
}

impl<'a> Finds<'a> {
    /// Matches go to `out`.
    pub(super) fn new(out: &'a mut Vec<Match>) -> Self {
        Self { out, ledger: None }
    }

    /// Matches go to `out`, costs to `ledger`.
    pub(super) fn counted(out: &'a mut Vec<Match>, ledger: &'a mut Ledger) -> Self {
        Self { out, ledger: Some(ledger) }
    }

    /// The same place, for a part of the scan.
    pub(super) fn reborrow(&mut self) -> Finds<'_> {
        Finds { out: &mut *self.out, ledger: self.ledger.as_deref_mut() }
    }

    /// Where the matches go.
    pub(super) fn matches(&mut self) -> &mut Vec<Match> {
        self.out
    }

    /// Matches so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Notes that `rule` was triggered.
    #[inline]
    pub(super) fn trigger(&mut self, rule: u16) {
        if let Some(ledger) = &mut self.ledger {
            ledger.costs[usize::from(rule)].triggers += 1;
        }
    }

    /// Runs one `test` of `rule`, which appends its matches.
    #[inline]
    pub(super) fn test(&mut self, rule: u16, test: impl FnOnce(&mut Vec<Match>)) {
        let Some(ledger) = &mut self.ledger else { return test(self.out) };
        let before = self.out.len();
        let start = Instant::now();
        test(self.out);
        let cost = &mut ledger.costs[usize::from(rule)];
        cost.time += start.elapsed();
        cost.verifications += 1;
        cost.matches += (self.out.len() - before) as u64;
    }
}
