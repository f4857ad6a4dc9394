//! The engine: its rules, and that its fast paths equal the reference.

mod cost;
mod decode;
mod deltas;
mod differential;
mod linear;
mod rules;
