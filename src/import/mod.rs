//! Files of other tools, read as those tools read them.
//!
//! Level 1: parsing and the semantics of what was parsed, without scanning. What runs with it is
//! in the engine and in triage; what turns it into keycull's own files is `keycull migrate`.

pub mod gitleaks;
pub mod ignores;
