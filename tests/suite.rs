//! The integration tests: one binary, modules mirror `src/`.

mod engine;
mod pipeline;
mod report;
mod source;
mod support;
