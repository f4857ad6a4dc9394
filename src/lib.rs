//! keycull finds leaked credentials in git, proves whether they are live, and kills them.
//!
//! ```text
//! source ──Chunk──▶ engine ──Match──▶ triage ──Finding──▶ report
//! tree, index,      triggers →        attribute, dedup,   text, json(l), sarif
//! history, stdin    verify → decode   allow, severity
//! ```
//!
//! Dependencies run down the levels listed in `docs/architecture.md`; `tests/architecture.rs`
//! enforces them.

pub mod chunk;
pub mod ci;
pub mod cli;
pub mod config;
pub mod engine;
pub mod finding;
pub mod hook;
pub mod import;
pub mod mock;
pub mod net;
pub mod pipeline;
pub mod report;
pub mod revoke;
pub mod rule;
pub mod source;
pub mod triage;
pub mod upload;
pub mod validate;
