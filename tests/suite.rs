//! The integration tests: one binary, modules mirror `src/`.

mod architecture;
mod cli;
mod engine;
mod pipeline;
mod report;
mod source;
mod support;
