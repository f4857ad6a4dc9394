//! Reasons why a source cannot do what was asked at all.

use std::io;
use std::path::PathBuf;

/// A request that makes no sense here, or an environment that does not allow it.
///
/// Leads to exit code 2. What fails for a single file or object is a gap in
/// [`Coverage`](crate::finding::Coverage) instead, and never ends up here.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No repository at or above the path.
    #[error(
        "not a git repository (or any parent): {}: run `keycull scan {}` to scan files without git",
        path.display(),
        path.display()
    )]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// There is a repository, but it cannot be opened.
    #[error("cannot open the git repository {}: {reason}; run `git -C {} status` to see what git says", path.display(), path.display())]
    Open {
        /// Its git directory.
        path: PathBuf,
        /// What the git library says.
        reason: String,
    },
    /// The path to scan does not exist or cannot be looked at.
    #[error("cannot read {}: {source}; check the path and its permissions", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The path is neither a file nor a directory.
    #[error("{} is not a file or a directory; to scan what it delivers, run `keycull scan - < {}`", path.display(), path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A path limit that nothing matches.
    #[error("nothing in {scope} matches `{limit}`; `git ls-files` lists the paths git knows")]
    EmptyLimit {
        /// The limit as given.
        limit: String,
        /// What was searched, in words.
        scope: &'static str,
    },
    /// A scan that needs a working tree, in a repository that has none.
    #[error("{} is a bare repository: it has no {what}; run `keycull scan {} --history-only`", path.display(), path.display())]
    Bare {
        /// The git directory.
        path: PathBuf,
        /// What is missing, in words.
        what: &'static str,
    },
    /// The index cannot be read.
    #[error("cannot read the index {}: {reason}; run `git -C {} status` to check it", path.display(), path.parent().unwrap_or(path).display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What the index is compared with cannot be read.
    #[error("cannot read HEAD of {}: {reason}; run `git -C {} fsck` to check the repository", path.display(), path.display())]
    Head {
        /// The git directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A revision that leads to no commit here.
    #[error("cannot find `{revision}`: {reason}; {next}")]
    Revision {
        /// As it was written.
        revision: String,
        /// Why it leads nowhere.
        reason: String,
        /// What to do about it, with a command where there is one.
        next: String,
    },
    /// A range that is none.
    #[error(
        "`{text}` is one revision, not a range; `{text}..HEAD` is what HEAD adds to it, `{text}^!` what it adds itself"
    )]
    NoRange {
        /// As it was written.
        text: String,
    },
    /// Standard input failed before anything was decided.
    #[error("cannot read standard input: {0}; run the command again, or scan a file instead")]
    Stdin(#[source] io::Error),
    /// The object database cannot be listed at all.
    #[error("cannot list the objects of {}: {reason}; run `git -C {} fsck` to check the repository", path.display(), path.display())]
    Objects {
        /// The git directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Worker threads could not be started.
    #[error("cannot start worker threads: {0}; try `--jobs 1`")]
    Threads(String),
}
