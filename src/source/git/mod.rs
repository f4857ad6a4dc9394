//! Git repositories, read as objects.
//!
//! The only place that knows the git library. Nothing here runs a command, reads a diff or
//! writes anything.

pub mod attribution;
mod commits;
mod committed;
mod compare;
mod content;
mod delta_cache;
mod excludes;
mod file_at;
pub mod history;
pub mod index;
mod lfs;
mod lookup;
pub mod objects;
mod own_files;
pub mod pack;
mod path_scope;
mod plain_text;
mod quarantine;
pub mod range;
mod record;
mod refs;
mod reftable;
mod repository;
mod seen;
mod submodules;
mod tracked;
mod tree_delta;
mod tree_entries;

pub use file_at::{commit_of, file_at};
pub use repository::{Head, Repository};
pub use seen::Seen;
pub use submodules::{Submodule, submodules};

pub(super) use excludes::{exclude_files, ignores_case};
pub(super) use repository::is_nested_repository;
pub(super) use tracked::{Tracked, TrackedKind};
pub(super) use tree_entries::TreeEntries;
