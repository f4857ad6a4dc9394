//! `keycull revoke drill`: the fire alarm.

use std::path::{Path, PathBuf};

use crate::mock::drill::{DrillOptions, DrillReport, drill};

use super::super::args::DrillArgs;
use super::super::failure::{Failure, Outcome};
use super::super::output;

/// Holds a drill and tells what it showed. 0 when everything held, 1 when something did not.
pub(super) fn run(args: &DrillArgs) -> Outcome<u8> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::from(error).context("cannot tell where this program is"))?;
    let folder = Folder::make(args.keep.as_deref())?;
    let options =
        DrillOptions { seed: args.seed.unwrap_or(1), faults: args.faults.clone().unwrap_or_default() };
    let report = drill(&folder.path, &program, &options)?;
    output::to_stdout(|out| {
        if args.format.as_deref() == Some("json") {
            // NOTE: strings and numbers only; nothing in it can fail.
            let text = serde_json::to_string_pretty(&report).expect("a report serialises");
            return writeln!(out, "{text}");
        }
        out.write_all(told(&report).as_bytes())
    })?;
    Ok(u8::from(!report.passed()))
}

fn told(report: &DrillReport) -> String {
    let mut text = String::new();
    for check in &report.checks {
        let word = if check.held { "held  " } else { "FAILED" };
        text.push_str(&format!("{word}  {}\n", check.what));
    }
    let outcomes: Vec<String> =
        report.outcomes.iter().map(|(word, count)| format!("{count} {word}")).collect();
    text.push_str(&format!("keys: {}\n", outcomes.join(", ")));
    let (seconds, tenths) = (report.commit_to_dead_ms / 1000, report.commit_to_dead_ms % 1000 / 100);
    text.push_str(&format!(
        "{} {seconds}.{tenths} s from the commit to the last dead key; killed {} times on the way\n",
        if report.passed() { "Passed:" } else { "FAILED:" },
        report.kills
    ));
    text
}

/// Where a drill is held: removed afterwards, unless it was named.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn make(named: Option<&Path>) -> Outcome<Self> {
        let failed = |path: &Path, error: std::io::Error| {
            Failure::from(error).context(format!("cannot hold a drill in {}", path.display()))
        };
        let Some(path) = named else {
            let name = format!("keycull-drill-{}-{}", std::process::id(), stamp());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir(&path).map_err(|error| failed(&path, error))?;
            return Ok(Self { path, keep: false });
        };
        std::fs::create_dir_all(path).map_err(|error| failed(path, error))?;
        if std::fs::read_dir(path).map_err(|error| failed(path, error))?.next().is_some() {
            return Err(Failure::new(format!("{} is not empty", path.display()))
                .hint("name an empty or a new directory with --keep"));
        }
        Ok(Self { path: path.to_owned(), keep: true })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Nanoseconds, so that no other drill picks the same name.
fn stamp() -> u32 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos())
}
