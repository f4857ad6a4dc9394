//! What a scan looked at, what it did not, and whether that makes it incomplete.

use std::collections::BTreeMap;

/// Kind of thing that should have been read and was not. Any of these makes a scan incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapKind {
    /// History is cut by a shallow clone.
    Shallow,
    /// An object or file that is named but not there (partial clone, pruned, deleted meanwhile).
    Missing,
    /// Present but not readable: permission, corruption, malformed pack, I/O error.
    Unreadable,
    /// Over a size, ratio, depth, count or time budget.
    Budget,
    /// Stopped by a signal before the end; cannot be accepted.
    Interrupted,
}

impl GapKind {
    /// Stable lower-case name, as `--accept-incomplete` takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shallow => "shallow",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Budget => "budget",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One thing inside the requested scope that was not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gap {
    /// What kind of failure.
    pub kind: GapKind,
    /// The file, object or range concerned, safe to print.
    pub what: String,
    /// Why, in plain words, with the next command where there is one.
    pub why: String,
    /// Named by `--accept-incomplete`: stays in the report, does not change the exit code.
    pub accepted: bool,
}

/// Why something was left out on purpose or by nature; does not make a scan incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// Untracked and ignored by git's ignore files.
    GitIgnored,
    /// Matched an `exclude` of the user.
    Excluded,
    /// Encrypted archive member.
    Encrypted,
    /// Not a regular file: FIFO, socket, device.
    NotAFile,
    /// A repository inside the scanned tree; scanned only when named.
    NestedRepository,
    /// A submodule; scanned only with `--recurse-submodules`.
    Submodule,
    /// Git LFS pointer whose content lives elsewhere.
    LfsPointer,
    /// Outside the requested paths.
    OutOfScope,
    /// In a format that is not unpacked, named; its bytes were scanned as they are.
    Opaque(&'static str),
}

impl SkipReason {
    /// Stable kebab-case name used in reports; that of the format for [`SkipReason::Opaque`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitIgnored => "git-ignored",
            Self::Excluded => "excluded",
            Self::Encrypted => "encrypted",
            Self::NotAFile => "not-a-file",
            Self::NestedRepository => "nested-repository",
            Self::Submodule => "submodule",
            Self::LfsPointer => "lfs-pointer",
            Self::OutOfScope => "out-of-scope",
            Self::Opaque(format) => format,
        }
    }
}

/// Account of a scan: every report carries one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// What was asked for, in words, for example `working tree`, `full history`, `index`.
    pub scopes: Vec<String>,
    /// Refs whose history was in scope.
    pub refs: u64,
    /// Commits whose messages were scanned.
    pub commits: u64,
    /// Annotated tags whose messages were scanned.
    pub tags: u64,
    /// Trees whose file names were scanned.
    pub trees: u64,
    /// Distinct blobs scanned.
    pub blobs: u64,
    /// Files scanned (working tree, standard input, archive members).
    pub files: u64,
    /// Index entries scanned.
    pub index_entries: u64,
    /// Content bytes scanned, after decompression.
    pub bytes: u64,
    /// What was left out on purpose, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// What should have been read and was not, sorted.
    pub gaps: Vec<Gap>,
    /// Hash of the rules in force, so that results can be compared and caches invalidated.
    pub rules_hash: String,
    /// Hash of the settings that can change findings.
    pub config_hash: String,
    /// Named repositories found below the scanned tree and not scanned.
    pub nested: Vec<String>,
}

impl Coverage {
    /// Counts one thing left out for `reason`.
    pub fn skip(&mut self, reason: SkipReason) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// Notes one thing that should have been read.
    pub fn gap(&mut self, kind: GapKind, what: impl Into<String>, why: impl Into<String>) {
        self.gaps.push(Gap { kind, what: what.into(), why: why.into(), accepted: false });
    }

    /// Adds the counts of a part of the scan. Scopes, hashes and nested names are joined.
    pub fn merge(&mut self, part: Coverage) {
        self.scopes.extend(part.scopes);
        self.refs += part.refs;
        self.commits += part.commits;
        self.tags += part.tags;
        self.trees += part.trees;
        self.blobs += part.blobs;
        self.files += part.files;
        self.index_entries += part.index_entries;
        self.bytes += part.bytes;
        for (reason, count) in part.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.gaps.extend(part.gaps);
        self.nested.extend(part.nested);
    }

    /// Whether everything in scope was read, apart from accepted gaps.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.gaps.iter().all(|gap| gap.accepted)
    }

    /// Whether a signal ended the scan early.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.gaps.iter().any(|gap| gap.kind == GapKind::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_gaps_do_not_make_a_scan_incomplete() {
        let mut coverage = Coverage::default();
        assert!(coverage.is_complete());
        coverage.gap(GapKind::Missing, "blob 00", "partial clone");
        assert!(!coverage.is_complete());
        coverage.gaps[0].accepted = true;
        assert!(coverage.is_complete());
    }

    #[test]
    fn merging_adds_up() {
        let mut one = Coverage { files: 2, ..Coverage::default() };
        one.skip(SkipReason::Excluded);
        let mut two = Coverage { files: 3, ..Coverage::default() };
        two.skip(SkipReason::Excluded);
        one.merge(two);
        assert_eq!((one.files, one.skipped[&SkipReason::Excluded]), (5, 2));
    }
}
