//! The integration tests: one binary, modules mirror `src/`.

mod engine;
mod report;
mod pipeline;
mod source;
mod support;
