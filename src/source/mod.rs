//! Where content comes from: working trees, the index, git's object database, standard input.
//!
//! Level 2, beside the engine: a source reads and hands over [`Chunk`]s and knows nothing of
//! rules. What it could not read goes into [`Coverage`] as a gap;
//! only what makes the whole request meaningless is a [`SourceError`].

pub mod archive;
mod content;
mod error;
mod file;
pub mod git;
mod names;
mod parallel;
pub mod stdin;
pub mod text;
pub mod tree;

pub use content::Windows;
pub use error::SourceError;

use crate::chunk::Chunk;
use crate::finding::Coverage;

/// Takes what a source reads.
pub trait Sink: Sync {
    /// Content in scope. Called from many threads. True when something was found in it.
    fn chunk(&self, chunk: Chunk<'_>) -> bool;

    /// Content the base side already held (HEAD's version of a staged file, the base of a
    /// range): what is found in it is not new.
    ///
    /// Sources supply it only when [`Sink::chunk`] found something.
    fn base(&self, chunk: Chunk<'_>);

    /// Whether something was found that the base side is not known to have held; a source that
    /// can hand over more of the base side does so only as long as this is true.
    fn is_open(&self) -> bool {
        true
    }

    /// Asked between objects; true after Ctrl-C.
    fn cancelled(&self) -> bool;

    /// What became of a container: members read, and what of it could not be.
    fn note(&self, part: Coverage) {
        let _ = part;
    }

    /// Whether something would be found in `text`, without keeping it: for the many small names
    /// that come again and again. May say yes too often, never no too often.
    fn suspects(&self, text: &[u8]) -> bool {
        let _ = text;
        true
    }
}
