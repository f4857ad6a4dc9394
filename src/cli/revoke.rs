//! `keycull revoke`: plan, apply, verify, one key, the drill.

mod apply;
mod approval;
mod drill;
mod one;
mod plan;
mod records;

use super::args::{RevokeCommand, Voice};
use super::environment::Environment;
use super::failure::Outcome;

pub(super) use records::audit_path;

/// Runs one of the revoke commands and gives its exit code.
pub(super) fn run(command: &RevokeCommand, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    match command {
        RevokeCommand::Plan(args) => plan::run(args, voice, environment),
        RevokeCommand::Apply(args) => apply::run(args, environment),
        RevokeCommand::Verify(args) => apply::verify(args, environment),
        RevokeCommand::One(args) => one::run(args, environment),
        RevokeCommand::Drill(args) => drill::run(args),
    }
}
