//! What a run writes down: journal, audit log, receipts, the report on standard output.

use std::path::{Path, PathBuf};

use crate::net::Clock;
use crate::revoke::{ApplyReport, Audit, Journal, Plan, write_receipt};

use super::super::args::RecordArgs;
use super::super::environment::Environment;
use super::super::failure::{Failure, Outcome};
use super::super::output;

/// Opens the journal of `plan`, which stands in `file` (none: standard input).
pub(super) fn journal(args: &RecordArgs, plan: &Plan, file: &Path) -> Outcome<Journal> {
    let path = match &args.journal {
        Some(path) => path.clone(),
        None if file == Path::new("-") => {
            return Err(Failure::new("a plan on standard input has no place for its journal")
                .hint("name one with --journal FILE, and the same one to resume"));
        }
        None => Plan::journal_path(file),
    };
    Ok(Journal::open(&path, &plan.digest)?)
}

/// Where the audit log is.
pub(in crate::cli) fn audit_path(named: Option<&Path>, environment: &Environment) -> Outcome<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let set = |name| environment.get(name).map(PathBuf::from);
    let state = set("XDG_STATE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| {
            if cfg!(windows) {
                set("LOCALAPPDATA")
            } else {
                set("HOME").map(|home| home.join(".local/state"))
            }
        })
        .ok_or_else(|| {
            Failure::new("there is no home directory for the audit log")
                .hint("name one with --audit-log FILE")
        })?;
    Ok(state.join("keycull").join("audit.jsonl"))
}

/// Opens the audit log for one run.
pub(super) fn audit(args: &RecordArgs, environment: &Environment, clock: &dyn Clock) -> Outcome<Audit> {
    let path = audit_path(args.audit_log.as_deref(), environment)?;
    if args.audit_log.is_none()
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::from(error).context(format!("cannot make {}", folder.display())))?;
    }
    let run = format!("{}-{}", clock.now(), std::process::id());
    Ok(Audit::open(&path, &run, &actor(environment))?)
}

/// User and, in CI, the job; no personal data.
fn actor(environment: &Environment) -> String {
    #[cfg(unix)]
    let user = format!("uid {}", rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    let user = "user".to_owned();
    let job = ["GITHUB_RUN_ID", "CI_JOB_ID", "BUILD_ID", "BUILDKITE_JOB_ID"].into_iter().find_map(|name| {
        let value = environment.get(name)?.to_str()?;
        // An id, not a place to write into the log.
        let plain =
            value.len() <= 64 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        plain.then(|| format!(", {name} {value}"))
    });
    user + &job.unwrap_or_default()
}

/// Tells what came of a run, stamps the receipts, gives the exit code.
pub(super) fn conclude(
    args: &RecordArgs,
    report: &ApplyReport,
    clock: &dyn Clock,
    signal: Option<u8>,
) -> Outcome<u8> {
    output::to_stdout(|out| {
        if args.format.as_deref() == Some("json") {
            out.write_all(report.to_json().as_bytes())
        } else {
            report.describe(out)
        }
    })?;
    if !report.dry_run {
        for file in &args.receipt {
            let stamped = write_receipt(file, report, clock.now())
                .map_err(|error| Failure::from(error).context(format!("no receipt in {}", file.display())))?;
            log::info!("{stamped} entries stamped in {}", file.display());
        }
    }
    Ok(match signal {
        Some(signal) if report.interrupted => 128 + signal,
        _ => report.exit_code(),
    })
}
