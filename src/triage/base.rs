//! Secrets the base side of a scan already held: they are not new.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::finding::Secret;

/// What was found in the content that a change replaces, as hashes, kept only for the scan.
///
/// Not bound to paths: sources hand over only content that the change touches, and what it
/// merely moves from one file to another is not new either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseSecrets(HashSet<[u8; 32]>);

impl BaseSecrets {
    /// Notes a secret of the base side.
    pub fn add(&mut self, secret: &[u8]) {
        self.0.insert(Sha256::digest(secret).into());
    }

    /// Whether the base side held `secret`.
    #[must_use]
    pub fn holds(&self, secret: &Secret) -> bool {
        !self.0.is_empty() && self.0.contains(&<[u8; 32]>::from(Sha256::digest(secret.expose())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_added_is_known() {
        let mut base = BaseSecrets::default();
        assert!(!base.holds(&Secret::new("alpha")));
        base.add(b"alpha");
        assert!(base.holds(&Secret::new("alpha")));
        assert!(!base.holds(&Secret::new("beta")));
    }
}
