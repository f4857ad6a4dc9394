//! Compiles `rules/*.toml` into static tables.

fn main() {}
