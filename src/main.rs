//! The `keycull` command.

fn main() {}
