//! `keycull scan`: from what was asked for to reports and an exit code.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use anstream::{AutoStream, ColorChoice};
use globset::GlobSet;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{AcceptedGap, Given, Place};
use crate::engine::Engine;
use crate::finding::{Disposition, Finding, InertEntry, Inertness, ScanReport};
use crate::pipeline::{self, Accept, ScanRequest, Scope};
use crate::report::{self, Format, ReportOptions, RepositoryInfo};
use crate::revoke::SecretSource;
use crate::rule::RuleSet;
use crate::source::Windows;
use crate::source::git::index::IndexOptions;
use crate::source::git::objects::ObjectOptions;
use crate::source::git::range::RangeOptions;
use crate::source::git::{Head, Repository};
use crate::source::tree::TreeOptions;
use crate::triage::TriageOptions;

use super::allow;
use super::args::{PlaceArgs, ScanArgs, Voice};
use super::baseline;
use super::environment::Environment;
use super::failure::{Failure, Outcome};
use super::formats::{self, Wanted};
use super::gate::Gate;
use super::many;
use super::output::{self, Destination};
use super::progress::Line;
use super::rule_choice;
use super::settings::{Color, Settings, path_globs};
use super::shelf::Shelf;
use super::signals::Interrupt;
use super::site::Site;
use super::state_key;
use super::target::{History, Target};
use super::validate;

/// Nothing found at or above the level asked for.
pub(super) const CLEAN: u8 = 0;
/// Findings.
pub(super) const FINDINGS: u8 = 1;
/// Nothing found, but part of the scope was not read.
pub(super) const INCOMPLETE: u8 = 3;

/// Scans, writes the reports, and gives the exit code.
pub(super) fn run(args: &ScanArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let here = here()?;
    if let Some(places) = many::places(args, &here)? {
        return many::run(places, args, voice, environment, &here);
    }
    let mut prepared = prepare_in(&here, args, voice, environment, listen()?)?;
    prepared.finish(args, voice, environment).map(|(code, _)| code)
}

/// A scan that only needs to be started.
pub(super) struct Prepared {
    /// What was asked for.
    pub settings: Settings,
    /// What is to be done; commands that are not `scan` change its triage.
    pub request: ScanRequest,
    /// Where the configuration file and the baseline of what is scanned are.
    pub root: Option<PathBuf>,
    engine: Engine,
    reports: Vec<Wanted>,
    options: ReportOptions,
    interrupt: Interrupt,
    /// Where what was found is read again, when providers are to be asked about it.
    site: Option<Site>,
}

/// Works out everything a scan needs.
pub(super) fn prepare(args: &ScanArgs, voice: &Voice, environment: &Environment) -> Outcome<Prepared> {
    prepare_in(&here()?, args, voice, environment, listen()?)
}

fn here() -> Outcome<PathBuf> {
    std::env::current_dir().map_err(|error| Failure::from(error).context("cannot tell the current directory"))
}

/// Starts to listen for signals.
pub(super) fn listen() -> Outcome<Interrupt> {
    Interrupt::listen().map_err(|error| Failure::from(error).context("cannot listen for signals"))
}

/// [`prepare`] with paths that count from `here`.
pub(super) fn prepare_in(
    here: &Path,
    args: &ScanArgs,
    voice: &Voice,
    environment: &Environment,
    interrupt: Interrupt,
) -> Outcome<Prepared> {
    if args.fail_on.as_deref() == Some(LIVE) && !args.validate {
        return Err(Failure::new("--fail-on live: nobody asks whether anything is live")
            .hint("add --validate, which sends what is found to its provider"));
    }
    let target = Target::resolve(args, here)?;
    let gate = target.gate().filter(|_| !args.config.head_decides());
    let root = target.config_root(here).or_else(|| gate.as_ref().map(|gate| gate.root.clone()));
    let shelf = gate.as_ref().map_or(Shelf::Disk, Gate::base);
    let read = |shelf: &Shelf<'_>| Settings::of_scan(args, voice, environment, root.as_deref(), shelf);
    let settings = read(&shelf)?;
    let not_in_force =
        gate.as_ref().map(|gate| gate.added(&settings, |shelf| read(shelf).ok())).unwrap_or_default();
    let reports = formats::wanted(args, &settings)?;
    reports.iter().try_for_each(|report| report.to.check(args.show_secrets))?;
    let engine = rule_choice::engine_from(&settings.rules, &shelf)?;
    let mut triage = triage_from(args, &settings, &engine, &shelf)?;
    triage.honour_markers = gate.is_none() || settings.allow_new_markers;
    let options = report_options(args, voice, &target);
    let site = if args.validate {
        Some(Site::open(&PlaceArgs { root: target.root(), ..PlaceArgs::default() })?)
    } else {
        None
    };
    drop((gate, shelf));
    let mut request = request(target, args, &settings, &reports, triage)?;
    request.not_in_force = not_in_force;
    if args.incremental {
        request.incremental = state_key::incremental(environment);
    }
    Ok(Prepared { settings, request, root, engine, reports, options, interrupt, site })
}

/// The value of `--fail-on` that is a verdict, not a level.
pub(super) const LIVE: &str = "live";

/// What `args` finds, with its secrets, for commands that go on from there. Nothing is written.
///
/// # Errors
/// As a scan. What could not be read is only warned about: the keys that were found are no less leaked.
pub(super) fn findings(
    args: &ScanArgs,
    voice: &Voice,
    environment: &Environment,
    interrupt: &Interrupt,
) -> Outcome<Vec<Finding>> {
    let here = here()?;
    let target = Target::resolve(args, &here)?;
    let settings =
        Settings::of_scan(args, voice, environment, target.config_root(&here).as_deref(), &Shelf::Disk)?;
    let engine = rule_choice::engine(&settings.rules)?;
    let triage = triage(args, &settings, &engine)?;
    let request = request(target, args, &settings, &[], triage)?;
    let line = Line::start(!voice.quiet);
    let outcome = pipeline::run(&request, &engine, &line, interrupt.flag());
    drop(line);
    let report = outcome?;
    if !report.coverage.is_complete() {
        log::warn!(
            "not everything could be read: there may be more keys; `keycull scan` names what is missing"
        );
    }
    Ok(report.findings)
}

/// The exit code of `docs/exit-codes.md`, with `--fail-on` and `--fail-on-stale` taken into account.
pub(super) fn exit_code(report: &ScanReport, settings: &Settings, interrupt: &Interrupt) -> u8 {
    let on = settings.fail_on;
    let counts = |finding: &&Finding| match &finding.disposition {
        Disposition::New => true,
        Disposition::Baselined { .. } => on.baselined,
        Disposition::Allowed { .. } => false,
    };
    let fails = |finding: &Finding| finding.severity >= on.severity && finding.confidence >= on.confidence;
    let stale = |entry: &InertEntry| matches!(entry.why, Inertness::Unused | Inertness::Expired);
    if report.coverage.is_interrupted() {
        pipeline::exit_code(report, interrupt.signal())
    } else if report.findings.iter().filter(counts).any(fails)
        || settings.fail_on_stale && report.inert.iter().any(stale)
    {
        FINDINGS
    } else if report.coverage.is_complete() {
        CLEAN
    } else {
        INCOMPLETE
    }
}

impl Prepared {
    /// Scans, writes the reports, and gives the exit code and what was found.
    pub(super) fn finish(
        &mut self,
        args: &ScanArgs,
        voice: &Voice,
        environment: &Environment,
    ) -> Outcome<(u8, ScanReport)> {
        let started = now();
        let mut report = self.scan(!voice.quiet)?;
        if let Some(site) = &self.site {
            let asking = (&args.network, args.rules.as_slice());
            let reading = (&site.source() as &dyn SecretSource, self.interrupt.flag());
            validate::during_scan(&mut report, asking, environment, &site.scanned(), reading)?;
        }
        self.options.time = Some((started, now()));
        for wanted in &self.reports {
            write(&report, wanted, &self.options, self.settings.color)?;
        }
        let code = exit_code(&report, &self.settings, &self.interrupt);
        let gated = args.fail_on.as_deref() == Some(LIVE) && code == FINDINGS;
        Ok((if gated { validate::gate(&report, self.interrupt.flag()) } else { code }, report))
    }

    /// Says where the repository comes from, for reports that link to it.
    pub(super) fn comes_from(&mut self, uri: Option<String>, branch: Option<String>) {
        if let Some(repository) = &mut self.options.repository {
            (repository.uri, repository.branch) = (uri, branch);
        }
    }

    /// How reports are written.
    pub(super) fn report_options(&self) -> &ReportOptions {
        &self.options
    }

    /// The rules that run.
    pub(super) fn rules(&self) -> &RuleSet {
        self.engine.rules()
    }

    /// Scans, with a line of progress if that is wanted.
    pub(super) fn scan(&self, talk: bool) -> Outcome<ScanReport> {
        let line = Line::start(talk);
        let outcome = pipeline::run(&self.request, &self.engine, &line, self.interrupt.flag());
        drop(line);
        Ok(outcome?)
    }
}

fn request(
    target: Target,
    args: &ScanArgs,
    settings: &Settings,
    reports: &[Wanted],
    triage: TriageOptions,
) -> Outcome<ScanRequest> {
    let mut request = ScanRequest::new(triage);
    request.triage.seek_idle = target.is_everything() && settings.rules.is_everything();
    request.jobs = settings.jobs;
    // Only GitHub's code scanning looks at them, and for a history they take long.
    request.triage.hash_history = reports.iter().any(|wanted| wanted.format == Format::Sarif);
    request.config_hash = settings.hash(args.no_allow, &request.triage.baseline);
    request.accept = accepted(settings)?;
    let exclude = settings.exclude_globs()?;
    match target {
        Target::Stdin { name } => {
            let input = Mutex::new(Box::new(io::stdin()) as Box<dyn io::Read + Send>);
            request.scopes.push(Scope::Stream {
                input,
                name,
                windows: Windows::default(),
                archives: settings.archives,
            });
        }
        Target::Index { repository, limits } => {
            let options = IndexOptions { limits, ..IndexOptions::default() };
            request.scopes.push(staged(options, settings, exclude));
            request.repository = Some(*repository);
        }
        Target::Repository { repository, files, history } => {
            if let Some(root) = repository.work_dir().filter(|_| files) {
                let options = tree(root, settings, reports)?;
                request.scopes.push(Scope::Files { options, tracked: true });
            }
            match history {
                History::Nothing => {}
                History::Objects => {
                    let (jobs, archives) = (settings.jobs, settings.archives);
                    let options = ObjectOptions { jobs, archives, ..ObjectOptions::default() };
                    request.scopes.push(Scope::History(options));
                }
                History::Reachable(options) => request.scopes.push(range(*options, settings, exclude)),
            }
            request.repository = Some(*repository);
        }
        Target::Range { repository, options } => {
            request.scopes.push(range(*options, settings, exclude));
            request.repository = Some(*repository);
        }
        Target::Files { root, limits, repository } => {
            let options = TreeOptions { limits, ..tree(&root, settings, reports)? };
            request.scopes.push(Scope::Files { options, tracked: repository.is_some() });
            request.repository = repository.map(|repository| *repository);
        }
    }
    Ok(request)
}

/// The gaps that may stay.
pub(super) fn accepted(settings: &Settings) -> Outcome<Vec<Accept>> {
    let parsed = |gap: &Given<AcceptedGap>| {
        gap.value.to_string().parse().map_err(|error| {
            Failure::from(error)
                .context(gap.place.clone())
                .hint("see docs/exit-codes.md for the kinds of gaps")
        })
    };
    settings.accept.iter().map(parsed).collect()
}

/// What triage is to do, with the baseline as it is on disk.
pub(super) fn triage(args: &ScanArgs, settings: &Settings, engine: &Engine) -> Outcome<TriageOptions> {
    triage_from(args, settings, engine, &Shelf::Disk)
}

/// What triage is to do, with the baseline as `shelf` holds it.
pub(super) fn triage_from(
    args: &ScanArgs,
    settings: &Settings,
    engine: &Engine,
    shelf: &Shelf<'_>,
) -> Outcome<TriageOptions> {
    let mut options = TriageOptions::new(Timestamp::now().to_zoned(TimeZone::UTC).date());
    options.min_confidence = settings.confidence;
    options.min_severity = settings.severity;
    // Rules for publishable keys run only when they are among the rules asked for.
    options.include_public = !settings.rules.select.is_empty();
    options.honour_allows = !args.no_allow;
    options.other_markers = settings.markers.clone();
    options.allow = allow::excluded(&settings.exclude)?;
    options.allow.extend(allow::entries(&settings.allow, engine.rules())?);
    if let Some(file) = &settings.baseline {
        options.baseline = baseline::read(&file.value, shelf)?;
    }
    settings.known.entries().iter().for_each(|entry| {
        options.baseline.insert(entry.clone());
    });
    Ok(options)
}

/// The index as `options` say, read as `settings` say.
pub(super) fn staged(options: IndexOptions, settings: &Settings, exclude: GlobSet) -> Scope {
    let (jobs, archives) = (settings.jobs, settings.archives);
    Scope::Staged(IndexOptions { exclude, jobs, archives, ..options })
}

/// The range of `options`, read as `settings` say.
pub(super) fn range(options: RangeOptions, settings: &Settings, exclude_paths: GlobSet) -> Scope {
    let (jobs, archives) = (settings.jobs, settings.archives);
    Scope::Range(RangeOptions { exclude_paths, jobs, archives, ..options })
}

/// Options for the files below `root`; a report that is written there is not scanned.
fn tree(root: &Path, settings: &Settings, reports: &[Wanted]) -> Outcome<TreeOptions> {
    let exclude = with_reports(root, settings, reports)?;
    let (no_ignore, jobs, archives) = (settings.no_ignore, settings.jobs, settings.archives);
    Ok(TreeOptions { no_ignore, exclude, jobs, archives, ..TreeOptions::new(root) })
}

fn with_reports(root: &Path, settings: &Settings, reports: &[Wanted]) -> Outcome<GlobSet> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut globs = settings.exclude.clone();
    for wanted in reports {
        let Destination::File(file) = &wanted.to else { continue };
        let full = file.canonicalize().ok();
        let below = full.as_deref().and_then(|full| full.strip_prefix(&root).ok()).and_then(Path::to_str);
        if let Some(below) = below {
            let value = format!("/{}", globset::escape(below));
            globs.push(Given { value, place: Place::Flag("--output") });
        }
    }
    path_globs(&globs)
}

fn report_options(args: &ScanArgs, voice: &Voice, target: &Target) -> ReportOptions {
    let repository = match target {
        Target::Index { repository, .. }
        | Target::Repository { repository, .. }
        | Target::Range { repository, .. } => Some(repository),
        Target::Files { repository, .. } => repository.as_ref(),
        Target::Stdin { .. } => None,
    };
    ReportOptions {
        show_secrets: args.show_secrets,
        quiet: voice.quiet,
        repository: repository.map(|repository| info(repository)),
        ..ReportOptions::default()
    }
}

pub(super) fn info(repository: &Repository) -> RepositoryInfo {
    let revision = match repository.head() {
        Head::Commit(id) => Some(id.to_string()),
        Head::Unborn | Head::Unknown { .. } => None,
    };
    RepositoryInfo { revision, ..RepositoryInfo::default() }
}

pub(super) fn write(
    report: &ScanReport,
    wanted: &Wanted,
    options: &ReportOptions,
    color: Color,
) -> Outcome<()> {
    let mut options = options.clone();
    // Everything but the one format that demands a time stays the same from run to run.
    options.time = options.time.filter(|_| wanted.format == Format::Gitlab);
    match &wanted.to {
        Destination::Stdout => {
            options.color = match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            };
            options.width = terminal_width();
            output::to_stdout(|out| report::write(report, wanted.format, &options, out))
        }
        Destination::File(path) => {
            options.color = color == Color::Always;
            Ok(report::write_file(path, report, wanted.format, &options)?)
        }
    }
}

/// Columns of the terminal on standard output, if that is one.
pub(super) fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
