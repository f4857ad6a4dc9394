//! Git repositories.

pub mod pack;
