//! Which secrets the baseline knows.

use rayon::prelude::*;

use crate::config::Baseline;
use crate::finding::{Fingerprint, Secret};

/// A secret and the fingerprint it is reported under.
pub(super) struct Named<'a> {
    pub(super) print: &'a Fingerprint,
    pub(super) secret: &'a Secret,
}

/// For each of `secrets` the index of its entry.
///
/// A secret keeps its entry when another kind of rule finds it now, and with it another form of
/// fingerprint is in use: a generic password of yesterday that a provider's rule knows today. The
/// slow form is tried only while there are entries in it that nothing else matched.
pub(super) fn entries_of(baseline: &Baseline, secrets: &[Named<'_>]) -> Vec<Option<usize>> {
    if baseline.entries().is_empty() {
        return vec![None; secrets.len()];
    }
    let direct: Vec<Option<usize>> = secrets.iter().map(|named| baseline.position(named.print)).collect();
    let mut open = vec![true; baseline.entries().len()];
    direct.iter().flatten().for_each(|&at| open[at] = false);
    let slow_ones = baseline
        .entries()
        .iter()
        .zip(&open)
        .any(|(entry, open)| *open && entry.fingerprint.as_str().starts_with("p1:"));
    direct
        .into_par_iter()
        .zip(secrets)
        .map(|(found, named)| found.or_else(|| in_another_form(baseline, named, slow_ones)))
        .collect()
}

fn in_another_form(baseline: &Baseline, named: &Named<'_>, slow: bool) -> Option<usize> {
    [false, true].into_iter().filter(|guessable| slow || !guessable).find_map(|guessable| {
        let prefix = if guessable { "p1:" } else { "t1:" };
        if named.print.as_str().starts_with(prefix) {
            return None;
        }
        baseline.position(&Fingerprint::of(named.secret, guessable, None))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BaselineEntry;

    #[test]
    fn a_secret_is_known_in_whatever_form_it_was_written_down() {
        let (alpha, beta) = (Secret::new("alpha"), Secret::new("beta"));
        for (written, reported) in [(true, false), (false, true), (true, true)] {
            let mut baseline = Baseline::default();
            baseline.insert(BaselineEntry::new(Fingerprint::of(&alpha, written, None)));
            let prints = [&alpha, &beta].map(|secret| Fingerprint::of(secret, reported, None));
            let named =
                [Named { print: &prints[0], secret: &alpha }, Named { print: &prints[1], secret: &beta }];
            assert_eq!(entries_of(&baseline, &named), [Some(0), None], "{written} {reported}");
        }
    }
}
