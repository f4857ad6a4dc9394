//! Joins sources, engine and triage into a scan.
//!
//! Level 4. Sources read and never match, the engine matches and never reads, triage judges what
//! both bring; only here do they meet.

mod accept;
mod book;
mod collector;
mod exit;
mod history;
mod incremental;
mod joined;
mod panics;
mod progress;
mod request;
mod run;

pub use accept::{Accept, ParseAcceptError};
pub use book::Facts;
pub use exit::exit_code;
pub use incremental::Incremental;
pub use joined::{Part, join};
pub use panics::quiet_panics;
pub use progress::{Progress, Silent};
pub use request::{ScanError, ScanRequest, Scope};
pub use run::run;
