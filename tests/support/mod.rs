//! What several integration tests build on.

pub(crate) mod git;
pub(crate) mod pack;
pub(crate) mod secret;
pub(crate) mod stores;
pub(crate) mod tool;
pub(crate) mod witness;
