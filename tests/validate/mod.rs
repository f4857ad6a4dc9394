//! Checking credentials.

mod providers;
mod vetoes;
