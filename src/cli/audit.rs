//! `keycull audit`: whether the audit log is whole.

use crate::revoke::verify_audit;

use super::args::AuditCommand;
use super::environment::Environment;
use super::failure::{Failure, Outcome};
use super::revoke::audit_path;
use super::say;

/// Checks the chain. 0 when it is whole, 1 when it is not, 2 when it cannot be read.
pub(super) fn run(command: &AuditCommand, environment: &Environment) -> Outcome<u8> {
    let AuditCommand::Verify { file, last } = command;
    let path = audit_path(file.as_deref(), environment)?;
    let verdict = match verify_audit(&path) {
        Ok(verdict) => verdict,
        Err(error @ crate::revoke::AuditError::Broken { .. }) => {
            super::complain(&format!("broken: {error}\n"));
            return Ok(1);
        }
        Err(error) => return Err(Failure::from(error)),
    };
    if let Some(wanted) = last.as_ref().filter(|wanted| **wanted != verdict.last) {
        super::complain(&format!(
            "broken: {} ends with another line than {wanted}: its end was cut, or lines were added\n",
            path.display()
        ));
        return Ok(1);
    }
    say(&format!("{}: {} lines, whole; the last is {}\n", path.display(), verdict.lines, verdict.last))
}
