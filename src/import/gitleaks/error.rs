//! What can be wrong with a gitleaks configuration.

use std::path::PathBuf;

use thiserror::Error;

/// A configuration that cannot be used; always names the place.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}: {why}", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The text is not what it should be.
    #[error("{}:{line}: {what}", file.display())]
    Invalid {
        /// Which file.
        file: PathBuf,
        /// 1-based line.
        line: usize,
        /// What is wrong.
        what: String,
    },
}
