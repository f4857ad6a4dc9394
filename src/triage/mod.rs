//! Everything about a match that depends on more than its own neighbourhood: the line it stands
//! on, other matches there, its path, its history, and who allowed it.
//!
//! Level 3. [`capture()`] runs while the content is at hand, on the scanning threads; [`finish()`]
//! runs once over all candidates. What it makes of them does not depend on their order.

mod allow;
mod aside;
mod base;
mod baseline;
mod capture;
mod companion;
mod context;
mod crowd;
mod excerpt;
mod exposure;
mod finish;
mod inert;
mod join;
mod lines;
mod marker;
mod marker_block;
mod other_tools;
mod overlap;
mod path_rank;
mod placement;
mod position;
mod rulebook;
mod sample;
mod standing;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_joined;

pub use allow::AllowRule;
pub use aside::Aside;
pub use base::BaseSecrets;
pub use capture::{Candidate, capture, capture_with};
pub use finish::{TriageOptions, Triaged, finish};
pub use inert::{Uses, inert};
pub use marker::InlineAllow;
pub use other_tools::markers_in_use;
pub use rulebook::{Partner, RuleBook};
