//! What configuration allows, in the form triage takes it.

use globset::Glob;

use crate::config::{AllowEntry, Given};
use crate::rule::RuleSet;
use crate::triage::AllowRule;

use super::failure::{Failure, Outcome};
use super::rule_choice;
use super::settings::path_globs;

/// Excluded paths as allowances, one for each glob.
///
/// Excluded files are left out unread; in history a path is known only once something was found.
///
/// # Errors
/// A glob that is not one.
pub(super) fn excluded(globs: &[Given<String>]) -> Outcome<Vec<AllowRule>> {
    let rule = |given: &Given<String>| {
        Ok(AllowRule {
            entry: format!("{} (exclude {:?})", given.place.short(), given.value),
            paths: Some(path_globs(std::slice::from_ref(given))?),
            reason: Some("excluded path".to_owned()),
            from_exclude: true,
            ..AllowRule::default()
        })
    };
    globs.iter().map(rule).collect()
}

/// The `[[allow]]` tables of the configuration.
///
/// # Errors
/// A glob that is not one, or an id that neither a rule of `rules` nor a built-in one has.
pub(super) fn entries(entries: &[AllowEntry], rules: &RuleSet) -> Outcome<Vec<AllowRule>> {
    let ids: Vec<&str> =
        rules.rules.iter().chain(RuleSet::builtin().rules.iter()).map(|rule| rule.id.as_ref()).collect();
    let rule = |entry: &AllowEntry| {
        let mut named = Vec::new();
        for pattern in &entry.rules {
            named.extend(matching(pattern, &ids)?);
        }
        named.sort_unstable();
        named.dedup();
        Ok(AllowRule {
            entry: format!("{} [[allow]]", entry.place.short()),
            rules: named,
            paths: if entry.paths.is_empty() { None } else { Some(path_globs(&entry.paths)?) },
            stopwords: entry.stopwords.clone(),
            fingerprints: entry.fingerprints.clone(),
            reason: Some(entry.reason.clone()),
            until: entry.until,
            from_exclude: false,
        })
    };
    entries.iter().map(rule).collect()
}

/// The ids `pattern` names; at least one.
fn matching(pattern: &Given<String>, ids: &[&str]) -> Outcome<Vec<String>> {
    let glob = Glob::new(&pattern.value).map_err(|error| {
        Failure::new(format!("{}: `{}` is not a glob: {}", pattern.place, pattern.value, error.kind()))
    })?;
    let glob = glob.compile_matcher();
    let named: Vec<String> = ids.iter().filter(|id| glob.is_match(id)).map(|id| (*id).to_owned()).collect();
    if named.is_empty() {
        return Err(rule_choice::unknown(&pattern.value, Some(pattern), ids.iter().copied()));
    }
    Ok(named)
}
