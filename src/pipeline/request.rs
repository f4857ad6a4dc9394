//! What to scan and how, with everything already decided that flags, environment and
//! configuration can say.

use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

use super::accept::Accept;
use super::incremental::Incremental;
use crate::finding::{InertEntry, RepoPath};
use crate::source::archive::Limits;
use crate::source::git::Repository;
use crate::source::git::index::IndexOptions;
use crate::source::git::objects::ObjectOptions;
use crate::source::git::range::RangeOptions;
use crate::source::tree::TreeOptions;
use crate::source::{SourceError, Windows};
use crate::triage::TriageOptions;

/// One place to look for secrets.
pub enum Scope {
    /// Files of a working tree or directory, or a single file.
    Files {
        /// Which files.
        options: TreeOptions,
        /// They are those of the request's repository, whose index and ignore rules hold.
        tracked: bool,
    },
    /// What the next commit would add.
    Staged(IndexOptions),
    /// Every object of the repository.
    History(ObjectOptions),
    /// What some commits bring in that others do not have.
    Range(RangeOptions),
    /// A stream of bytes.
    Stream {
        /// Read once; a second scan of the same request finds it empty.
        input: Mutex<Box<dyn Read + Send>>,
        /// Path to report.
        name: Option<RepoPath>,
        /// How large input is cut.
        windows: Windows,
        /// What opening containers may cost.
        archives: Limits,
    },
}

/// A whole scan.
pub struct ScanRequest {
    /// The repository that staged and history scopes read.
    pub repository: Option<Repository>,
    /// Places, in the order they are scanned.
    pub scopes: Vec<Scope>,
    /// Threads for the work after reading; 0 means as many as the machine runs at once.
    pub jobs: usize,
    /// What triage is to do.
    pub triage: TriageOptions,
    /// Gaps that do not change the exit code.
    pub accept: Vec<Accept>,
    /// Time after which the scan stops with a gap.
    pub time_budget: Option<Duration>,
    /// Entries that were left out because they came with the changes that are judged.
    pub not_in_force: Vec<InertEntry>,
    /// Hash of the settings that can change findings, for the coverage.
    pub config_hash: String,
    /// Go on from where the last scan of the history left off, and leave a state for the next.
    pub incremental: Option<Incremental>,
}

impl ScanRequest {
    /// A request without scopes, with defaults for the rest.
    #[must_use]
    pub fn new(triage: TriageOptions) -> Self {
        Self {
            repository: None,
            scopes: Vec::new(),
            jobs: 0,
            triage,
            accept: Vec::new(),
            time_budget: None,
            not_in_force: Vec::new(),
            config_hash: String::new(),
            incremental: None,
        }
    }
}

/// Why nothing was decided; exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A source cannot do what was asked.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Staged or history scope without a repository.
    #[error("the {scope} can only be scanned in a git repository; run `keycull scan .` to scan files")]
    NoRepository {
        /// What was asked for.
        scope: &'static str,
    },
    /// No scope at all.
    #[error("nothing to scan: name files, a repository or `-`")]
    NoScope,
}
