//! `.gitleaks.toml`, and `.betterleaks.toml` of betterleaks 1.x: rules and allowlists, with the
//! semantics of gitleaks 8.30.1.
//!
//! The facts were learnt from its documentation and by running it. Where it does something by
//! accident that hides secrets, keycull does not; `docs/migration.md` lists these places.

mod allowlist;
mod config;
mod entropy;
mod error;
mod expression;
mod ids;
mod raw;

pub use allowlist::{Allowlist, Outcome, Subject};
pub use config::{Config, NAMES, Required, Rule, Warning, is_gitleaks};
pub use entropy::shannon;
pub use error::ImportError;
pub use expression::Expression;
pub use ids::{counterparts, known};
