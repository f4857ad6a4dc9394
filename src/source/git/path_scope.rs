//! Which paths of a repository are asked for.

use globset::GlobSet;

use crate::finding::RepoPath;

/// Paths asked for, less those left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathScope<'a> {
    limits: &'a [RepoPath],
    exclude: &'a GlobSet,
}

/// What is to be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is asked for.
    Admitted,
    /// It is not among the paths asked for.
    OutOfScope,
    /// It is left out by a glob.
    Excluded,
}

impl<'a> PathScope<'a> {
    /// Everything that is, or lies below, one of `limits` (all, if there is none), and that no
    /// glob of `exclude` matches itself or a directory above it.
    pub(super) fn new(limits: &'a [RepoPath], exclude: &'a GlobSet) -> Self {
        Self { limits, exclude }
    }

    /// Whether only a part of the repository is asked for.
    pub(super) fn is_limited(&self) -> bool {
        self.limits.iter().all(|limit| !trimmed(limit).is_empty()) && !self.limits.is_empty()
    }

    /// Whether a file at `path` is asked for.
    pub(super) fn file(&self, path: &[u8]) -> Admission {
        if !self.has_limit_above(path) {
            Admission::OutOfScope
        } else if self.is_excluded(path) {
            Admission::Excluded
        } else {
            Admission::Admitted
        }
    }

    /// Whether anything below the directory `path` can be asked for.
    pub(super) fn directory(&self, path: &[u8]) -> Admission {
        let holds_limit = || self.limits.iter().any(|limit| is_within(trimmed(limit), path));
        if !self.has_limit_above(path) && !holds_limit() {
            Admission::OutOfScope
        } else if self.is_excluded(path) {
            Admission::Excluded
        } else {
            Admission::Admitted
        }
    }

    /// Whether `path` is asked for, excluded or not.
    pub(super) fn has_limit_above(&self, path: &[u8]) -> bool {
        self.limits.is_empty() || self.limits.iter().any(|limit| is_within(path, trimmed(limit)))
    }

    fn is_excluded(&self, path: &[u8]) -> bool {
        !self.exclude.is_empty()
            && std::iter::successors(Some(path), |path| {
                memchr::memrchr(b'/', path).map(|slash| &path[..slash])
            })
            .any(|path| self.exclude.is_match(&*String::from_utf8_lossy(path)))
    }
}

/// A limit without the slash at its end.
pub(super) fn trimmed(limit: &RepoPath) -> &[u8] {
    limit.as_bytes().strip_suffix(b"/").unwrap_or(limit.as_bytes())
}

/// Whether `path` is `limit` or lies below it; everything lies below an empty limit.
pub(super) fn is_within(path: &[u8], limit: &[u8]) -> bool {
    limit.is_empty() || path.strip_prefix(limit).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

#[cfg(test)]
mod tests {
    use globset::{Glob, GlobSetBuilder};

    use super::*;

    #[test]
    fn limits_hold_for_all_below_them_and_open_the_way_to_them() {
        let limits = ["a/b/".into(), "c.txt".into()];
        let exclude = GlobSetBuilder::new().add(Glob::new("**/gen").unwrap()).build().unwrap();
        let scope = PathScope::new(&limits, &exclude);
        assert!(scope.is_limited());
        for (path, file, directory) in [
            ("a/b/x", Admission::Admitted, Admission::Admitted),
            ("a/b", Admission::Admitted, Admission::Admitted),
            ("a", Admission::OutOfScope, Admission::Admitted),
            ("a/bc", Admission::OutOfScope, Admission::OutOfScope),
            ("c.txt", Admission::Admitted, Admission::Admitted),
            ("a/b/gen/x", Admission::Excluded, Admission::Excluded),
        ] {
            assert_eq!(scope.file(path.as_bytes()), file, "{path}");
            assert_eq!(scope.directory(path.as_bytes()), directory, "{path}");
        }
        let everything = ["".into()];
        assert!(!PathScope::new(&everything, &exclude).is_limited());
        assert!(!PathScope::new(&[], &exclude).is_limited());
    }
}
