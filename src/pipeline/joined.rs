//! Scans of several repositories as one report.
//!
//! Each repository is scanned as it would be alone; only then are the reports joined. A secret that
//! several of them hold becomes one finding with all its places.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::accept::{Accept, mark};
use crate::finding::{Coverage, Finding, Fingerprint, GapKind, InertEntry, ScanReport};

/// What became of one of several repositories.
#[derive(Debug)]
pub struct Part {
    /// What to call it, as it was named.
    pub name: String,
    /// Its report, or why nothing of it was scanned.
    pub outcome: Result<ScanReport, String>,
}

/// Joins the reports of several repositories, in their order. One that could not be scanned at all
/// is a gap, unless `accept` covers it.
#[must_use]
pub fn join(parts: Vec<Part>, accept: &[Accept]) -> ScanReport {
    let mut joined = ScanReport::default();
    let mut known: HashMap<(String, Fingerprint), usize> = HashMap::new();
    let mut rules = BTreeMap::new();
    let mut scopes: BTreeMap<String, u64> = BTreeMap::new();
    let mut hashes = [BTreeSet::new(), BTreeSet::new()];
    for Part { name, outcome } in parts {
        let report = match outcome {
            Ok(report) => report,
            Err(why) => {
                let mut broken = Coverage::default();
                broken.gap(GapKind::Unreadable, name, why);
                mark(&mut broken, accept);
                joined.coverage.merge(broken);
                continue;
            }
        };
        let repository: Arc<str> = Arc::from(name);
        for finding in report.findings {
            let finding = named(finding, &repository);
            let key = (finding.rule.id.clone(), finding.fingerprint.clone());
            match known.get(&key) {
                Some(&at) => joined.findings[at].absorb(finding),
                None => {
                    known.insert(key, joined.findings.len());
                    joined.findings.push(finding);
                }
            }
        }
        joined.below_threshold += report.below_threshold;
        let inert = report.inert.into_iter();
        joined.inert.extend(
            inert.map(|entry| InertEntry { entry: format!("{repository}: {}", entry.entry), ..entry }),
        );
        rules.extend(report.rules.into_iter().map(|rule| (rule.id.clone(), rule)));
        let mut coverage = report.coverage;
        coverage.scopes.drain(..).for_each(|scope| *scopes.entry(scope).or_default() += 1);
        hashes[0].insert(std::mem::take(&mut coverage.rules_hash));
        hashes[1].insert(std::mem::take(&mut coverage.config_hash));
        coverage.gaps.iter_mut().for_each(|gap| gap.what = format!("{repository}: {}", gap.what));
        coverage.nested.iter_mut().for_each(|path| *path = format!("{repository}/{path}"));
        joined.coverage.merge(coverage);
    }
    joined.rules = rules.into_values().collect();
    let scopes = scopes.into_iter().map(|(scope, count)| match count {
        1 => format!("{scope} of 1 repository"),
        count => format!("{scope} of {count} repositories"),
    });
    joined.coverage.scopes = scopes.collect();
    let [rules_hash, config_hash] = hashes.map(|all| Vec::from_iter(all).join("+"));
    (joined.coverage.rules_hash, joined.coverage.config_hash) = (rules_hash, config_hash);
    joined.coverage.gaps.sort();
    joined.inert.sort();
    joined
}

fn named(mut finding: Finding, repository: &Arc<str>) -> Finding {
    for half in std::iter::once(&mut finding.occurrences)
        .chain(finding.components.iter_mut().map(|part| &mut part.occurrences))
    {
        half.iter_mut().for_each(|place| place.repository = Some(Arc::clone(repository)));
    }
    finding
}
