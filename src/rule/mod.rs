//! Rules as data: the schema people write, and the tables the engine reads.
//!
//! Level 1. Depends on nothing but the levels of `finding::level`, so that `build.rs`
//! compiles the very same code into the built-in tables.

pub mod checksum;
pub mod class;
pub mod example;
pub mod format;
pub mod schema;
pub mod shape;
