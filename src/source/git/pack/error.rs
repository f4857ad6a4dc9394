//! Why an object could not be had.

use std::io;

use super::delta::DeltaError;
use crate::finding::{GapKind, Oid};

/// Why one object, or one pack, could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The file ends before the data does.
    #[error("it ends at byte {end}, its data does not; the file is truncated")]
    Truncated {
        /// Length of the file in bytes.
        end: u64,
    },
    /// An entry header that git never writes.
    #[error("the entry at offset {offset} has a malformed header")]
    Header {
        /// Offset in the pack.
        offset: u64,
    },
    /// The compressed stream is damaged or is longer or shorter than declared.
    #[error("its compressed data is damaged: {0}")]
    Inflate(&'static str),
    /// The packed bytes do not have the checksum that the index holds.
    #[error("its packed bytes do not match their checksum")]
    Checksum,
    /// The delta does not fit its base.
    #[error("its delta is malformed: {0}")]
    Delta(#[from] DeltaError),
    /// A delta's base is not in any place that could be searched.
    #[error("its delta base {0} is not there; a partial clone may fetch it with 'git fetch --refetch'")]
    MissingBase(Oid),
    /// The base of an offset delta is not where the delta says.
    #[error("its delta base at offset {0} is not an object")]
    NoBaseAt(u64),
    /// Deltas that are based on each other.
    #[error("its chain of deltas loops")]
    Cycle,
    /// Over a size budget.
    #[error("it takes {size} bytes, the limit is {limit} (--object-bytes)")]
    TooLarge {
        /// Declared size in bytes.
        size: u64,
        /// The budget in bytes.
        limit: u64,
    },
    /// More of it than whoever reads it can afford; in words.
    #[error("{0}")]
    Budget(String),
    /// A loose object without a proper `kind SP size NUL` header.
    #[error("its header is malformed")]
    LooseHeader,
    /// The file was there when listed and is gone.
    #[error("it is gone, and no other copy was found")]
    Gone,
    /// The operating system could not read it.
    #[error("{0}")]
    Io(String),
    /// A pack or index that is not one.
    #[error("{0}")]
    Malformed(String),
}

impl ObjectError {
    /// The kind of gap this leaves in a scan.
    #[must_use]
    pub const fn gap_kind(&self) -> GapKind {
        match self {
            Self::TooLarge { .. } | Self::Budget(_) => GapKind::Budget,
            Self::MissingBase(_) | Self::Gone => GapKind::Missing,
            Self::Truncated { .. }
            | Self::Header { .. }
            | Self::Inflate(_)
            | Self::Checksum
            | Self::Delta(_)
            | Self::NoBaseAt(_)
            | Self::Cycle
            | Self::LooseHeader
            | Self::Io(_)
            | Self::Malformed(_) => GapKind::Unreadable,
        }
    }
}

impl From<io::Error> for ObjectError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Gone } else { Self::Io(error.to_string()) }
    }
}
