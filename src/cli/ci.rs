//! `keycull ci`: what the pipeline is about, scanned as `keycull scan` would.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::ci::{self, Base, CiError, Pipeline, Scope, Surroundings, System};
use crate::finding::ScanReport;
use crate::report::{self, ReportOptions};
use crate::source::git::Repository;
use crate::source::git::range;

use super::args::{CiArgs, ScanArgs, Voice};
use super::complain;
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::scan;

/// Digits of object names that people read.
const SHORT: usize = 12;

/// Scans, writes the reports, and gives the exit code of a scan.
pub(super) fn run(args: &CiArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let mut asked = args.scan();
    let around = Process(environment);
    let pipeline = if args.base.is_some() || args.full { None } else { Some(pipeline(&around)?) };
    let text = match (&pipeline, &args.base) {
        (Some(found), _) => {
            let (event, what, why) = (&found.event, scope(&found.scope), &found.why);
            format!("{}, {event}: scanning {what} ({why})", found.system.as_str())
        }
        (None, Some(base)) => {
            let head = args.head.as_deref().unwrap_or("HEAD");
            asked.range = Some(format!("{base}..{head}"));
            format!("scanning {base}..{head} (asked for with --base)")
        }
        (None, None) => format!("scanning {} (asked for with --full)", scope(&Scope::Everything)),
    };
    // Whatever --quiet says: a gate over the wrong commits looks just like a good one.
    complain(&format!("keycull ci: {}\n", printable(&text)));
    if let Some(Pipeline { system, scope: Scope::Range { tip, base }, .. }) = &pipeline {
        all_there(*system, base, tip)?;
        asked.range = Some(format!("{}..{tip}", base.revision()));
    }
    if args.dry_run {
        return Ok(0);
    }
    let on_github = pipeline.as_ref().is_some_and(|found| found.system == System::GitHub);
    if on_github && asked.format.is_none() && environment.get("KEYCULL_FORMAT").is_none() {
        asked.format = Some(report::Format::Github.as_str().to_owned());
    }
    scanned(&asked, pipeline, voice, environment)
}

fn scanned(
    asked: &ScanArgs,
    pipeline: Option<Pipeline>,
    voice: &Voice,
    environment: &Environment,
) -> Outcome<u8> {
    let mut prepared = scan::prepare(asked, voice, environment)?;
    if let Some(found) = pipeline {
        prepared.comes_from(found.uri, found.branch);
    }
    let (code, report) = prepared.finish(asked, voice, environment)?;
    if let Some(file) = environment.get("GITHUB_STEP_SUMMARY") {
        summarise(Path::new(file), &report, prepared.report_options())?;
    }
    Ok(code)
}

fn pipeline(around: &Process<'_>) -> Outcome<Pipeline> {
    ci::pipeline(around).map_err(|error| {
        let hint = match &error {
            CiError::NoSystem => {
                "say what to scan: keycull ci --base origin/main, or everything: keycull ci --full"
            }
            CiError::Deleted { .. } => "do not run it for deleted refs",
            CiError::Event { .. }
            | CiError::Unset { .. }
            | CiError::Value { .. }
            | CiError::EventFile { .. } => {
                "say what to scan: keycull ci --base REV, or everything: keycull ci --full"
            }
        };
        Failure::from(error).hint(hint)
    })
}

/// Insists that both ends of a range are in the clone.
fn all_there(system: System, base: &Base, tip: &str) -> Outcome<()> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::from(error).context("cannot tell the current directory"))?;
    let repository = Repository::from_environment(&here).map_err(|error| {
        Failure::from(error).hint("check the repository out first, and run keycull inside it")
    })?;
    let fetch = match base {
        Base::Commit(id) => id.clone(),
        Base::Branch(name) => format!("+refs/heads/{name}:refs/remotes/origin/{name}"),
    };
    for (revision, fetch) in [(base.revision(), fetch), (tip.to_owned(), tip.to_owned())] {
        range::resolve(&repository, &format!("{revision}..{revision}")).map_err(|error| {
            Failure::from(error).context("the clone does not have all commits of the change").hint(format!(
                "{}, or fetch what is missing: git fetch --no-tags origin {fetch}",
                system.whole_clone()
            ))
        })?;
    }
    Ok(())
}

fn scope(scope: &Scope) -> String {
    let short = |id: &str| id.get(..SHORT).unwrap_or(id).to_owned();
    match scope {
        Scope::Everything => "all files and the whole history".to_owned(),
        Scope::Range { tip, base: Base::Commit(base) } => format!("{}..{}", short(base), short(tip)),
        Scope::Range { tip, base: Base::Branch(name) } => format!("origin/{name}..{}", short(tip)),
    }
}

/// Adds a table of the findings to the page of the job.
fn summarise(file: &Path, report: &ScanReport, options: &ReportOptions) -> Outcome<()> {
    let text = report::step_summary(report, options);
    let mut open = OpenOptions::new();
    let written =
        open.create(true).append(true).open(file).and_then(|mut out| out.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::from(error)
            .context(format!("cannot write the summary to {}", file.display()))
            .hint("unset GITHUB_STEP_SUMMARY to go without")
    })
}

/// The environment of this process.
struct Process<'a>(&'a Environment);

impl Surroundings for Process<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(|value| value.to_str()).map(ToOwned::to_owned)
    }

    fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        fs::read(file)
    }
}
