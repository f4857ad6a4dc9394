//! `keycull hook run`: what an installed hook starts. Scans what git is about to take, says what
//! stops it and what comes next, and says nothing when all is well.

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::Mutex;

use anstream::{AutoStream, ColorChoice};

use crate::engine::Engine;
use crate::finding::{RepoPath, ScanReport};
use crate::hook::{self, HookName};
use crate::pipeline::{self, ScanRequest, Scope};
use crate::report::{self, Format, ReportOptions};
use crate::source::git::index::IndexOptions;
use crate::source::git::{Head, Repository};
use crate::source::{SourceError, Windows};

use super::super::args::{HookRunArgs, ScanArgs, Voice};
use super::super::environment::Environment;
use super::super::failure::{Failure, Outcome};
use super::super::progress::Line;
use super::super::settings::{Color, Settings};
use super::super::shelf::Shelf;
use super::super::signals::Interrupt;
use super::super::{USAGE, complain, rule_choice, scan};
use super::advice::{self, Circumstances};

/// Nothing was found and everything was read.
pub(super) const CLEAN: u8 = 0;
/// There are findings.
const FINDINGS: u8 = 1;
/// Nothing was found, but not everything was read.
pub(super) const INCOMPLETE: u8 = 3;

/// Runs the hook; the exit code is that of a scan.
///
/// # Errors
/// Never: a failure is written here, with the command that goes on without the hook.
pub(super) fn run(args: &HookRunArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let name: HookName = args.name.parse().map_err(Failure::new)?;
    let here = std::env::current_dir()
        .map_err(|error| Failure::from(error).context("cannot tell the current directory"))?;
    let hook = Hook { name, args, voice, environment, here: &here };
    let outcome = match name {
        HookName::PreCommit | HookName::PreMergeCommit => hook.index(),
        HookName::CommitMsg => hook.message(),
        HookName::PrePush => hook.push(),
        HookName::PreReceive | HookName::Update => hook.receive(),
    };
    outcome.or_else(|failure| {
        failure.write(voice.verbose > 0, &mut io::stderr().lock());
        complain(&advice::undecided(name));
        Ok(USAGE)
    })
}

/// One run of a hook.
pub(super) struct Hook<'a> {
    pub(super) name: HookName,
    pub(super) args: &'a HookRunArgs,
    pub(super) voice: &'a Voice,
    pub(super) environment: &'a Environment,
    pub(super) here: &'a Path,
}

impl Hook<'_> {
    /// What the commit would add.
    fn index(&self) -> Outcome<u8> {
        let repository = self.repository()?;
        let Some(root) = repository.work_dir() else {
            return Err(Failure::new("a bare repository has no index: nothing can be committed here"));
        };
        if let Some(range) = self.framework_range()? {
            return self.gate(repository, range);
        }
        let settings = self.settings(Some(root))?;
        let engine = rule_choice::engine(&settings.rules)?;
        let unborn = matches!(repository.head(), Head::Unborn);
        let scope = scan::staged(IndexOptions::default(), &settings, settings.exclude_globs()?);
        let request = self.request(&settings, &engine, Some(repository), scope)?;
        let mut scanned = self.scan(&settings, &engine, request)?;
        if self.is_by_hand() && is_empty(&scanned.report) {
            scanned = self.everything(&settings, &engine)?;
        }
        let now = Circumstances { unborn, ..Circumstances::default() };
        self.tell(&scanned, &settings, now)
    }

    /// Everything git tracks: what `pre-commit run --all-files` means, which tells hooks nothing.
    fn everything(&self, settings: &Settings, engine: &Engine) -> Outcome<Scanned> {
        let options = IndexOptions { whole: true, ..IndexOptions::default() };
        let scope = scan::staged(options, settings, settings.exclude_globs()?);
        let request = self.request(settings, engine, Some(self.repository()?), scope)?;
        self.scan(settings, engine, request)
    }

    /// Whether the pre-commit framework runs hooks without a commit: git names its index to the
    /// hooks of a commit.
    fn is_by_hand(&self) -> bool {
        self.environment.get("PRE_COMMIT").is_some() && self.environment.get("GIT_INDEX_FILE").is_none()
    }

    /// The message of the commit.
    fn message(&self) -> Outcome<u8> {
        let [file] = self.args.arguments.as_slice() else {
            return Err(Failure::new("commit-msg needs the file that holds the message")
                .hint("git names it; by hand: keycull hook run commit-msg .git/COMMIT_EDITMSG"));
        };
        let file = Path::new(file);
        let text = fs::read(file).map_err(|error| {
            Failure::from(error).context(format!("cannot read the message in {}", file.display()))
        })?;
        let repository = self.repository()?;
        let settings = self.settings(repository.work_dir())?;
        let engine = rule_choice::engine(&settings.rules)?;
        let variable = |name: &str| self.environment.get(name).map(ToOwned::to_owned);
        let cleanup = hook::cleanup(self.here, variable).map_err(super::failure)?;
        let scope = Scope::Stream {
            input: Mutex::new(Box::new(Cursor::new(cleanup.apply(&text)))),
            name: Some(RepoPath::new(*b"commit message")),
            windows: Windows::default(),
            archives: settings.archives,
        };
        let request = self.request(&settings, &engine, Some(repository), scope)?;
        let scanned = self.scan(&settings, &engine, request)?;
        self.tell(&scanned, &settings, Circumstances::default())
    }

    /// The repository git started the hook for.
    pub(super) fn repository(&self) -> Outcome<Repository> {
        Repository::from_environment(self.here).map_err(|error| {
            if !matches!(error, SourceError::NotARepository { .. }) {
                return Failure::from(error);
            }
            Failure::new("not inside a git repository: hooks run where git starts them")
                .hint("run it in a repository; `keycull scan .` scans the files of a directory")
        })
    }

    pub(super) fn settings(&self, root: Option<&Path>) -> Outcome<Settings> {
        self.settings_from(root, &Shelf::Disk)
    }

    /// The settings below `root`, whose files `shelf` holds.
    pub(super) fn settings_from(&self, root: Option<&Path>, shelf: &Shelf<'_>) -> Outcome<Settings> {
        let mut settings = Settings::of_hook(self.args, self.voice, self.environment, root, shelf)?;
        settings.confidence = settings.hook.confidence;
        Ok(settings)
    }

    pub(super) fn request(
        &self,
        settings: &Settings,
        engine: &Engine,
        repository: Option<Repository>,
        scope: Scope,
    ) -> Outcome<ScanRequest> {
        self.request_from(settings, engine, repository, scope, &Shelf::Disk)
    }

    /// A request whose baseline `shelf` holds.
    pub(super) fn request_from(
        &self,
        settings: &Settings,
        engine: &Engine,
        repository: Option<Repository>,
        scope: Scope,
        shelf: &Shelf<'_>,
    ) -> Outcome<ScanRequest> {
        let triage = scan::triage_from(&ScanArgs::default(), settings, engine, shelf)?;
        let mut request = ScanRequest::new(triage);
        request.jobs = settings.jobs;
        request.config_hash = settings.hash(false, &request.triage.baseline);
        request.accept = scan::accepted(settings)?;
        request.repository = repository;
        request.scopes.push(scope);
        Ok(request)
    }

    pub(super) fn scan(
        &self,
        settings: &Settings,
        engine: &Engine,
        request: ScanRequest,
    ) -> Outcome<Scanned> {
        let interrupt =
            Interrupt::listen().map_err(|error| Failure::from(error).context("cannot listen for signals"))?;
        let line = Line::start(!self.voice.quiet);
        let outcome = pipeline::run(&request, engine, &line, interrupt.flag());
        drop(line);
        let report = outcome?;
        let code = scan::exit_code(&report, settings, &interrupt);
        let repository = request.repository.as_ref().map(scan::info);
        Ok(Scanned {
            report,
            code,
            options: ReportOptions { quiet: true, repository, ..ReportOptions::default() },
        })
    }

    /// Writes what was found, and what comes next.
    pub(super) fn tell(&self, scanned: &Scanned, settings: &Settings, now: Circumstances) -> Outcome<u8> {
        if scanned.code == CLEAN && scanned.report.new_findings().next().is_none() {
            return Ok(CLEAN);
        }
        self.show(scanned, settings)?;
        match scanned.code {
            CLEAN => {}
            FINDINGS => complain(&advice::found(self.name, &scanned.report, now)),
            _ => complain(&advice::incomplete(self.name, now)),
        }
        Ok(scanned.code)
    }

    /// Writes the report to standard error: git passes that on from every hook, and keeps the
    /// standard output of some for itself.
    pub(super) fn show(&self, scanned: &Scanned, settings: &Settings) -> Outcome<()> {
        let mut options = scanned.options.clone();
        options.color = match settings.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
        };
        let mut text = Vec::new();
        report::write(&scanned.report, Format::Text, &options, &mut text)
            .map_err(|error| Failure::from(error).context("cannot write the report"))?;
        // NOTE: nobody may be listening any more; the exit code still speaks.
        let _ = io::stderr().lock().write_all(&text);
        Ok(())
    }
}

/// A scan and its verdict.
pub(super) struct Scanned {
    pub(super) report: ScanReport,
    pub(super) code: u8,
    pub(super) options: ReportOptions,
}

/// Whether nothing at all was in scope.
fn is_empty(report: &ScanReport) -> bool {
    let coverage = &report.coverage;
    coverage.index_entries == 0 && coverage.skipped.is_empty() && coverage.gaps.is_empty()
}
