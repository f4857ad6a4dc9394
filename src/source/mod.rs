//! Where content comes from.

pub mod git;
