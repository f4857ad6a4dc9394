//! `keycull completions` and `keycull man`: pages made from the arguments themselves.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;
use super::failure::{Failure, Outcome};
use super::say;

/// Prints the completion script for `shell`.
pub(super) fn completions(shell: Shell) -> Outcome<u8> {
    let mut page = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keycull", &mut page);
    say(&String::from_utf8_lossy(&page))
}

/// Prints one manual page: the program, then each command with its options.
pub(super) fn manual() -> Outcome<u8> {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    let failed = |error| Failure::from(error).context("cannot make the manual page");
    Man::new(command.clone()).render(&mut page).map_err(failed)?;
    for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
        add(part, &mut page).map_err(failed)?;
    }
    say(&String::from_utf8_lossy(&page))
}

/// Adds the section of one command and of those below it.
fn add(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    // `build` gave every command its full name, for example `keycull-rules-list`.
    let name = command.get_display_name().unwrap_or(command.get_name()).replace('-', " ");
    page.extend(format!(".SH {}\n", name.to_uppercase()).as_bytes());
    let man = Man::new(command.clone());
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    command.get_subcommands().filter(|part| part.get_name() != "help").try_for_each(|part| add(part, page))
}
