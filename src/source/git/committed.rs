//! What refs name, by the beginning of their names.

use super::refs;
use super::repository::{Repository, oid};
use crate::finding::Oid;

impl Repository {
    /// The objects that refs name whose full names begin with `prefix`, for example
    /// `refs/remotes/origin/`. Refs that cannot be read, and all refs in reftables, are left out.
    #[must_use]
    pub fn ref_targets(&self, prefix: &str) -> Vec<Oid> {
        let mut ids: Vec<Oid> = refs::read(self)
            .list
            .iter()
            .filter(|found| found.name.starts_with(prefix.as_bytes()))
            .filter_map(|found| found.target.as_deref().map(oid))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
