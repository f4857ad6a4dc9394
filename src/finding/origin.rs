//! Where content came from, and how history tells when it came and went.

use std::collections::HashMap;
use std::fmt;

use super::{Oid, RepoPath};

/// Where a chunk of content came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A file of the working tree (or of a plain directory).
    File {
        /// Path relative to the scanned root.
        path: RepoPath,
    },
    /// The name of a file, scanned as text.
    FileName {
        /// The path whose text was scanned.
        path: RepoPath,
    },
    /// The target a symbolic link names, scanned as text.
    SymlinkTarget {
        /// The link.
        path: RepoPath,
    },
    /// An entry of the index: what the next commit would hold.
    Index {
        /// Path of the entry.
        path: RepoPath,
        /// The staged blob.
        blob: Oid,
    },
    /// A blob of the object database; its paths are found by attribution.
    Blob {
        /// The blob.
        id: Oid,
    },
    /// Header and message of a commit.
    Commit {
        /// The commit.
        id: Oid,
    },
    /// Header and message of an annotated tag.
    Tag {
        /// The tag object.
        id: Oid,
    },
    /// File names in a tree object, scanned as text.
    Tree {
        /// The tree.
        id: Oid,
    },
    /// The name of a ref.
    RefName {
        /// Full name, for example `refs/heads/main`.
        name: RepoPath,
    },
    /// A file of the git directory itself, for example `config`.
    GitFile {
        /// Path relative to the git directory.
        path: RepoPath,
    },
    /// Standard input.
    Stdin {
        /// Name given with `--stdin-name`.
        name: Option<RepoPath>,
    },
    /// A member of an archive or another container.
    Member {
        /// What holds it.
        outer: Box<Origin>,
        /// Path inside.
        path: RepoPath,
    },
}

impl Origin {
    /// The blob whose paths only history knows, for content read from one.
    #[must_use]
    pub fn blob(&self) -> Option<Oid> {
        match self {
            Self::Blob { id } => Some(*id),
            Self::Member { outer, .. } => outer.blob(),
            Self::File { .. }
            | Self::FileName { .. }
            | Self::SymlinkTarget { .. }
            | Self::Index { .. }
            | Self::Commit { .. }
            | Self::Tag { .. }
            | Self::Tree { .. }
            | Self::RefName { .. }
            | Self::GitFile { .. }
            | Self::Stdin { .. } => None,
        }
    }

    /// The path to show, when the origin itself knows one: `outer.zip!inner` for members.
    #[must_use]
    pub fn path(&self) -> Option<RepoPath> {
        match self {
            Self::File { path }
            | Self::FileName { path }
            | Self::SymlinkTarget { path }
            | Self::Index { path, .. }
            | Self::GitFile { path } => Some(path.clone()),
            Self::RefName { name } => Some(name.clone()),
            Self::Stdin { name } => name.clone(),
            Self::Member { outer, path } => {
                let mut joined = outer.path().unwrap_or_default().as_bytes().to_vec();
                joined.push(b'!');
                joined.extend_from_slice(path.as_bytes());
                Some(RepoPath::new(joined))
            }
            Self::Blob { .. } | Self::Commit { .. } | Self::Tag { .. } | Self::Tree { .. } => None,
        }
    }

    /// The git object the content was read from, if any.
    #[must_use]
    pub fn object(&self) -> Option<Oid> {
        match self {
            Self::Index { blob: id, .. }
            | Self::Blob { id }
            | Self::Commit { id }
            | Self::Tag { id }
            | Self::Tree { id } => Some(*id),
            Self::Member { outer, .. } => outer.object(),
            Self::File { .. }
            | Self::FileName { .. }
            | Self::SymlinkTarget { .. }
            | Self::RefName { .. }
            | Self::GitFile { .. }
            | Self::Stdin { .. } => None,
        }
    }

    /// Stable kebab-case name of the kind of origin, for reports.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::FileName { .. } => "file-name",
            Self::SymlinkTarget { .. } => "symlink-target",
            Self::Index { .. } => "index",
            Self::Blob { .. } => "blob",
            Self::Commit { .. } => "commit",
            Self::Tag { .. } => "tag",
            Self::Tree { .. } => "tree",
            Self::RefName { .. } => "ref-name",
            Self::GitFile { .. } => "git-file",
            Self::Stdin { .. } => "stdin",
            Self::Member { .. } => "archive-member",
        }
    }
}

impl fmt::Display for Origin {
    /// For people: the path when there is one, else the object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path(), self.object()) {
            (Some(path), _) => write!(f, "{path}"),
            (None, Some(id)) => write!(f, "{} {}", self.kind(), id.short(12)),
            (None, None) => f.write_str("standard input"),
        }
    }
}

/// A commit, as far as a report needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitInfo {
    /// The commit.
    pub id: Oid,
    /// Author's name; personal data, left out of SARIF.
    pub author: String,
    /// Author date, seconds since 1970-01-01 UTC.
    pub date: i64,
    /// First line of the message.
    pub subject: String,
}

/// From where a blob can still be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reachability {
    /// From these refs (full names, sorted; cut to a few, the rest counted).
    Refs {
        /// Names, at most a handful.
        names: Vec<String>,
        /// How many more there are.
        more: u64,
    },
    /// Only from the reflog.
    Reflog,
    /// From nothing: dangling, removed by the next `git gc --prune=now`.
    Unreachable,
    /// Not worked out.
    Unknown,
}

/// When a secret came, went, and where it still is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeline {
    /// First commit, in topological order, that holds it.
    pub introduced: Option<CommitInfo>,
    /// Last commit that holds it.
    pub last_seen: Option<CommitInfo>,
    /// Commit that removed it, if it was removed.
    pub removed: Option<CommitInfo>,
    /// Whether it is in the tree of `HEAD`.
    pub at_head: bool,
    /// From where it can be reached.
    pub reachable: Reachability,
}

/// One path under which history holds a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Path in the trees.
    pub path: RepoPath,
    /// When it was there.
    pub timeline: Timeline,
}

/// Finds where and when history holds given blobs.
///
/// Implemented by `source::git`, used by `triage`, so that neither knows the other.
pub trait Attributor {
    /// All placements of each of `blobs`; a blob that no commit holds has none.
    ///
    /// Paid once for all blobs. What could not be read is added to `coverage` as gaps.
    fn attribute(&mut self, blobs: &[Oid], coverage: &mut super::Coverage) -> HashMap<Oid, Vec<Placement>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_name_their_container() {
        let outer = Box::new(Origin::File { path: "a/b.zip".into() });
        let member = Origin::Member { outer, path: "c.env".into() };
        assert_eq!(member.to_string(), "a/b.zip!c.env");
    }
}
