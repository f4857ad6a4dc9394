//! The command line: reads arguments, runs one command, turns the result into an exit code.
//!
//! Level 5. What is typed is in `args`, what it means in `settings` and `target`; every command
//! has its file.

mod allow;
mod args;
mod audit;
mod baseline;
mod ci;
mod environment;
mod explain;
mod failure;
mod formats;
mod gate;
mod hook;
mod import;
mod init;
mod logger;
mod many;
mod migrate;
mod mock_provider;
mod network;
mod output;
mod pages;
mod progress;
mod revisions;
mod revoke;
mod rule_choice;
mod rule_cost;
mod rule_coverage;
mod rule_test;
mod rules;
mod scan;
mod settings;
mod shelf;
mod signals;
mod site;
mod state_key;
mod target;
mod upload;
mod validate;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, Voice};
use environment::Environment;
use failure::Outcome;
use logger::Verbosity;

/// Exit code when nothing was decided: wrong usage, configuration or environment.
const USAGE: u8 = 2;

/// Runs the command line `arguments` (the program's name first) and gives the exit code.
///
/// Never panics: a defect ends with exit code 2 and the place of the defect, but not with the
/// text of the panic, which may quote what was being scanned.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "unknown place".to_owned(), ToString::to_string);
        complain(&format!(
            "error: internal error at {place}\nhint: please report it with this line; nothing was decided\n"
        ));
    }));
    let code = match Cli::try_parse_from(arguments) {
        Ok(cli) => panic::catch_unwind(|| execute(cli)).unwrap_or(USAGE),
        Err(answer) => {
            // Help and version come this way too; a closed pipe is no reason to fail.
            let _ = answer.print();
            u8::try_from(answer.exit_code()).unwrap_or(USAGE)
        }
    };
    ExitCode::from(code)
}

fn execute(cli: Cli) -> u8 {
    let Voice { verbose, quiet, .. } = cli.voice;
    logger::start(Verbosity { quiet, verbose });
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => {
            failure.write(verbose > 0, &mut io::stderr().lock());
            USAGE
        }
    }
}

fn dispatch(cli: Cli) -> Outcome<u8> {
    match cli.command {
        Command::Scan(args) => scan::run(&args, &cli.voice, &Environment::of_process()),
        Command::Ci(args) => ci::run(&args, &cli.voice, &Environment::of_process()),
        Command::Upload(command) => upload::run(&command, &Environment::of_process()),
        Command::Validate(args) => validate::run(&args, &cli.voice, &Environment::of_process()),
        Command::Revoke(command) => revoke::run(&command, &cli.voice, &Environment::of_process()),
        Command::Audit(command) => audit::run(&command, &Environment::of_process()),
        Command::MockProvider(args) => mock_provider::run(&args),
        Command::Baseline(command) => baseline::run(&command, &cli.voice, &Environment::of_process()),
        Command::Migrate(args) => migrate::run(&args, &cli.voice, &Environment::of_process()),
        Command::Explain(args) => explain::run(&args, &cli.voice, &Environment::of_process()),
        Command::Rules(command) => rules::run(&command),
        Command::Init(args) => init::run(&args),
        Command::Hook(command) => hook::run(&command, &cli.voice, &Environment::of_process()),
        Command::Completions { shell } => pages::completions(shell),
        Command::Man => pages::manual(),
    }
}

/// Writes to standard output; a reader that went away is no error.
fn say(text: &str) -> Outcome<u8> {
    output::to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(0)
}

/// Writes to standard error, whatever comes of it.
fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
