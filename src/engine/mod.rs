//! Finding secrets in bytes.

pub mod checksum;
pub mod format;
