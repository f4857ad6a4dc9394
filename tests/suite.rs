//! The integration tests: one binary, modules mirror `src/`.

mod accuracy;
mod architecture;
mod cli;
#[path = "../benches/corpus.rs"]
mod corpus;
mod engine;
mod hostile;
mod net;
mod pipeline;
mod replay;
mod report;
mod revoke;
mod source;
mod support;
mod upload;
mod validate;
