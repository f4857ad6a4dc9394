//! What can be wrong with a configuration file.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::Place;

/// A configuration file or value that cannot be used; always names the place.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is not TOML.
    #[error("{place}: not valid TOML: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says, on one line.
        message: String,
    },
    /// The two sides of a merge that nobody has settled.
    #[error("{place}: merge conflict markers; settle the conflict first")]
    Conflict {
        /// The first marker.
        place: Place,
    },
    /// A key nobody knows.
    #[error("{place}: unknown key `{key}`{}", suggestion.as_ref().map_or(String::new(), |s| format!(", did you mean `{s}`?")))]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key as written, with its tables.
        key: String,
        /// The known key nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// A value of the wrong type.
    #[error("{place}: `{key}` must be {expected}, not {got}")]
    Type {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        got: &'static str,
    },
    /// A value of the right type that says nothing sensible.
    #[error("{place}: `{key}`: {message}")]
    Value {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        message: String,
    },
}
