//! Rules as data: the schema people write, and the tables the engine reads.
//!
//! Level 1. Depends on nothing but the levels of `finding::level`, so that `build.rs`
//! compiles the very same code into the built-in tables.

mod builtin;
pub mod checksum;
pub mod class;
pub mod compile;
pub mod example;
mod filter;
pub mod format;
mod literal;
mod model;
pub mod pool;
pub mod provider;
pub mod schema;
pub mod shape;
mod store_example;
pub mod table;

pub use compile::{RuleError, Trust};
pub use model::{
    Branch, Companion, Find, FormatUse, Group, Kind, List, NameClass, Pattern, Rule, RuleSet, Text,
};
pub use pool::{Entries, Entry, Texts};
