//! Several repositories in one run.
//!
//! Each is scanned as it would be alone, with its own `keycull.toml`; only flags, environment and
//! the user's own file say how the common report is written.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::finding::{RepoPath, SkipReason};
use crate::pipeline::{self, Part};
use crate::report::ReportOptions;
use crate::source::SourceError;
use crate::source::git::{Repository, submodules};

use super::args::{ScanArgs, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome};
use super::formats;
use super::scan;
use super::settings::Settings;
use super::shelf::Shelf;

/// A repository to scan.
#[derive(Debug)]
pub(super) struct Place {
    /// As it was given.
    name: String,
    path: PathBuf,
    /// Why nothing of it can be scanned, when that is known already.
    absent: Option<String>,
}

impl Place {
    fn new(name: String, path: PathBuf) -> Self {
        Self { name, path, absent: None }
    }
}

/// The repositories that `args` name, when there are several; none when this is a scan of one
/// thing.
///
/// # Errors
/// A list that cannot be read or names nothing.
pub(super) fn places(args: &ScanArgs, here: &Path) -> Outcome<Option<Vec<Place>>> {
    let places: Vec<Place> = match &args.repos_from {
        Some(list) => listed(list, here)?.into_iter().map(|(name, path)| Place::new(name, path)).collect(),
        None if args.paths.len() > 1 && all_repositories(args) => {
            args.paths.iter().map(|path| Place::new(path.display().to_string(), path.clone())).collect()
        }
        None if args.recurse_submodules => vec![superproject(args, here)?],
        None => return Ok(None),
    };
    let places = if args.recurse_submodules { with_submodules(places)? } else { places };
    if places.len() < 2 && args.repos_from.is_none() {
        // Nothing is nested in it.
        return Ok(None);
    }
    let mut seen = BTreeSet::new();
    let once = |place: &Place| seen.insert(place.path.canonicalize().unwrap_or(place.path.clone()));
    Ok(Some(places.into_iter().filter(once).collect()))
}

/// The one repository whose submodules are wanted: that around `here`, or the one that is named.
fn superproject(args: &ScanArgs, here: &Path) -> Outcome<Place> {
    let hint = "name repositories as a whole, or leave the paths away in one";
    let (name, start) = match args.paths.as_slice() {
        [] => (".".to_owned(), here.to_owned()),
        [path] => (path.display().to_string(), here.join(path)),
        _ => return Err(Failure::new("--recurse-submodules: not all paths are repositories").hint(hint)),
    };
    let repository = Repository::discover(&start)?;
    let root = repository.work_dir().unwrap_or(repository.git_dir()).to_owned();
    let is_whole = args.paths.is_empty() || start.canonicalize().ok() == root.canonicalize().ok();
    match is_whole {
        true => Ok(Place::new(name, root)),
        false => Err(Failure::new(format!(
            "--recurse-submodules: {name} is only a part of the repository {}",
            root.display()
        ))
        .hint(hint)),
    }
}

/// Most submodules inside one another that are followed.
const MAX_NESTED: usize = 16;

/// `places`, each followed by its submodules and theirs.
fn with_submodules(places: Vec<Place>) -> Outcome<Vec<Place>> {
    let mut all = Vec::new();
    for place in places {
        add_submodules(place, 0, &mut all)?;
    }
    Ok(all)
}

fn add_submodules(place: Place, depth: usize, all: &mut Vec<Place>) -> Outcome<()> {
    // What cannot be opened is told when it is scanned.
    let inner = match Repository::open(&place.path) {
        Ok(repository) if place.absent.is_none() => submodules(&repository)?,
        Ok(_) | Err(_) => Vec::new(),
    };
    let name = |path: &RepoPath| match place.name.as_str() {
        "." => path.to_string(),
        outer => format!("{}/{path}", outer.trim_end_matches('/')),
    };
    let nested = inner.into_iter().map(|submodule| {
        let name = name(&submodule.path);
        match submodule.place {
            Ok(path) => Place::new(name, path),
            Err(why) => Place { path: PathBuf::from(&name), name, absent: Some(why.to_owned()) },
        }
    });
    let nested: Vec<Place> = nested.collect();
    all.push(place);
    for mut place in nested {
        if depth + 1 == MAX_NESTED {
            place.absent = Some(format!("more than {MAX_NESTED} submodules are inside one another"));
        }
        add_submodules(place, depth + 1, all)?;
    }
    Ok(())
}

/// Whether the paths are repositories; one that is gone or broken counts, if another is whole.
fn all_repositories(args: &ScanArgs) -> bool {
    let limits = args.staged || args.history_only || super::revisions::is_wanted(args);
    let mut whole = 0;
    for path in &args.paths {
        match Repository::open(path) {
            Ok(_) => whole += 1,
            Err(SourceError::NotARepository { .. }) => return false,
            Err(_) if limits => return false,
            Err(_) => {}
        }
    }
    whole > 0
}

/// The lines of a list, and the paths they stand for: relative to the directory the list is in.
///
/// # Errors
/// A list that cannot be read or names nothing.
pub(super) fn listed(list: &Path, here: &Path) -> Outcome<Vec<(String, PathBuf)>> {
    let failed = |error| Failure::from(error).context(format!("cannot read the list {}", list.display()));
    let hint = "a list has one path a line, for example from: find . -name .git -prune";
    let (text, base) = if list.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| failed(error).hint(hint))?;
        (text, here.to_owned())
    } else {
        let text = std::fs::read_to_string(list).map_err(|error| failed(error).hint(hint))?;
        (text, list.parent().unwrap_or(Path::new("")).to_owned())
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let places: Vec<(String, PathBuf)> = lines.map(|line| (line.to_owned(), base.join(line))).collect();
    if places.is_empty() {
        return Err(Failure::new(format!("{} lists no repository", list.display())).hint(hint));
    }
    Ok(places)
}

/// Scans all `places`, writes the reports, and gives the exit code: findings win, then what is
/// missing.
pub(super) fn run(
    places: Vec<Place>,
    args: &ScanArgs,
    voice: &Voice,
    environment: &Environment,
    here: &Path,
) -> Outcome<u8> {
    if args.validate {
        return Err(Failure::new(
            "--validate reads every secret again, which works in one repository at a time",
        )
        .hint("scan the repositories first, then run `keycull scan --validate` in those with findings"));
    }
    let common = Settings::of_scan(args, voice, environment, None, &Shelf::Disk)?;
    let reports = formats::wanted(args, &common)?;
    reports.iter().try_for_each(|report| report.to.check(args.show_secrets))?;
    let accept = scan::accepted(&common)?;
    let interrupt = scan::listen()?;

    let started = scan::now();
    let mut parts = Vec::new();
    let mut codes = Vec::new();
    let mut first_failure = None;
    for place in places {
        if let Some(why) = place.absent {
            parts.push(Part { name: place.name, outcome: Err(why) });
            continue;
        }
        // What each prepares depends on the format that all are written in.
        let format = reports.first().map(|report| report.format.as_str().to_owned());
        let one = ScanArgs { paths: vec![place.path], repos_from: None, format, ..args.clone() };
        let prepared = scan::prepare_in(here, &one, voice, environment, interrupt.clone());
        let scanned = prepared.and_then(|prepared| {
            let mut report = prepared.scan(!voice.quiet)?;
            if args.recurse_submodules {
                // They are parts of this report.
                report.coverage.skipped.remove(&SkipReason::Submodule);
            }
            codes.push(scan::exit_code(&report, &prepared.settings, &interrupt));
            Ok(report)
        });
        let outcome = scanned.map_err(|failure| {
            let why = failure.in_one_line();
            first_failure.get_or_insert(failure);
            why
        });
        parts.push(Part { name: place.name, outcome });
    }
    // Nothing was decided when not one of them could be scanned.
    if let (true, Some(failure)) = (codes.is_empty(), first_failure) {
        return Err(failure.context("none of the repositories can be scanned; the first"));
    }
    let report = pipeline::join(parts, &accept);
    let options = ReportOptions {
        show_secrets: args.show_secrets,
        quiet: voice.quiet,
        time: Some((started, scan::now())),
        ..ReportOptions::default()
    };
    for wanted in &reports {
        scan::write(&report, wanted, &options, common.color)?;
    }
    let joined = pipeline::exit_code(&report, interrupt.signal());
    Ok(match codes.contains(&scan::FINDINGS) {
        true if !report.coverage.is_interrupted() => scan::FINDINGS,
        _ if joined == scan::FINDINGS && report.coverage.is_complete() => scan::CLEAN,
        _ if joined == scan::FINDINGS => scan::INCOMPLETE,
        _ => joined,
    })
}
