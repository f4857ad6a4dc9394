//! Secrets the base side of a scan already held: they are not new.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::finding::{Origin, RepoPath, Secret};

/// What was found in the content that a change replaces, as hashes, kept only for the scan.
///
/// Bound to the path where there is one: a secret that HEAD's version of a file held is not new
/// in that file, but it is in another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseSecrets(HashSet<(Option<RepoPath>, [u8; 32])>);

impl BaseSecrets {
    /// Notes a secret of the base side.
    pub fn add(&mut self, origin: &Origin, secret: &[u8]) {
        self.0.insert((origin.path(), Sha256::digest(secret).into()));
    }

    /// Whether `secret` was known at this place, or somewhere without a path of its own.
    #[must_use]
    pub fn holds(&self, origin: &Origin, secret: &Secret) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let hash: [u8; 32] = Sha256::digest(secret.expose()).into();
        self.0.contains(&(None, hash)) || self.0.contains(&(origin.path(), hash))
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: BaseSecrets) {
        self.0.extend(other.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_in_its_own_file_only() {
        let file = |path: &str| Origin::File { path: path.into() };
        let mut base = BaseSecrets::default();
        base.add(&file("a"), b"alpha");
        assert!(base.holds(&file("a"), &Secret::new("alpha")));
        assert!(!base.holds(&file("b"), &Secret::new("alpha")));
        assert!(!base.holds(&file("a"), &Secret::new("beta")));
        let id = "00".repeat(20).parse().unwrap();
        base.add(&Origin::Blob { id }, b"beta");
        assert!(base.holds(&file("b"), &Secret::new("beta")), "base content without a path holds everywhere");
    }
}
