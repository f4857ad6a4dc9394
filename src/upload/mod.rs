//! Sends reports to services that show them: GitHub code scanning.
//!
//! Apart from `report`, because this opens sockets and that never does.

mod error;
mod github;
mod shard;

pub use error::UploadError;
pub use github::{Session, Target, Uploaded};
pub use shard::{Limits, Shard, shards};
