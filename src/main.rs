//! The `keycull` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    keycull::cli::run(std::env::args_os())
}
