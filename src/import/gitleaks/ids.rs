//! Which rules of keycull stand for which default rules of gitleaks 8.30.1.
//!
//! The table is `ids.txt`: the id of gitleaks, a colon, and the ids of keycull, perhaps none.

use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("ids.txt");

type Table = BTreeMap<&'static str, Vec<&'static str>>;

fn table() -> &'static Table {
    static PARSED: OnceLock<Table> = OnceLock::new();
    PARSED.get_or_init(|| {
        let lines = TABLE.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(id, ids)| (id, ids.split_whitespace().collect())).collect()
    })
}

/// Whether `id` is a default rule of gitleaks.
#[must_use]
pub fn known(id: &str) -> bool {
    table().contains_key(id)
}

/// Ids of the rules of keycull that stand for the default rule `id` of gitleaks.
#[must_use]
pub fn counterparts(id: &str) -> &'static [&'static str] {
    table().get(id).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::gitleaks::ids;

    #[test]
    fn every_default_rule_is_listed() {
        assert_eq!(table().len(), 222);
        assert!(known("generic-api-key") && !known("generic-password"));
        assert_eq!(ids::counterparts("github-oauth"), ["github-oauth-token"]);
    }
}
