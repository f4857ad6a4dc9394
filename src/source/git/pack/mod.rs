//! The own pack traversal: every object of an object database once, in delta order.
//!
//! Looking objects up one by one rebuilds the same delta chains again and again. This module
//! turns it round: it lays out each pack as a forest of bases and deltas, walks the trees depth
//! first, builds each object once from the base that is still in memory, and frees the base when
//! its last child is built. What is done with the objects is a [`Visitor`]'s business; it also
//! learns, for each delta, which ranges were copied from where and which are new, and hands its own
//! state down from base to child. Nothing here knows what anyone searches for.
//!
//! ```text
//! ObjectDirectories ─▶ Database ─▶ Forest per pack ─▶ workers ─▶ Visitor
//! alternates           packs,      who is a delta     depth      root, child
//!                      loose       of whom            first
//! ```
//!
//! Nothing on disk is trusted: whatever is damaged becomes a gap, and all the rest is still visited.

mod bytes;
mod crew;
mod database;
mod delta;
mod directories;
mod error;
mod file;
mod forest;
mod heavy;
mod index;
mod inflate;
mod known;
mod loose;
mod mmap;
mod object;
mod reindex;
mod stream;
mod traverse;
mod unindexed;
mod visitor;
mod walk;

pub(in crate::source) use bytes::{EntryKind, PackBytes};
pub use database::Database;
#[cfg(test)]
pub(in crate::source) use delta::Delta;
pub use delta::{CopyRange, DeltaError, DeltaMap};
pub use directories::ObjectDirectories;
pub use error::ObjectError;
pub(in crate::source::git) use heavy::{HEAVY, turn};
pub(in crate::source) use inflate::Inflater;
pub(in crate::source) use known::Known;
pub use object::{HashKind, ObjectKind};
pub use traverse::{Counts, Traversal, TraverseOptions, traverse, traverse_opened};
pub(in crate::source) use unindexed::{Bounds, Fate, added, build, locate};
pub use visitor::{Base, Object, Visitor};
