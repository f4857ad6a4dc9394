//! The engine: its rules, and that its fast paths equal the reference.

mod deltas;
mod differential;
mod rules;
