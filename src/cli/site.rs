//! What a command about findings works on: a scanned directory, the rules, the findings, their secrets.
//!
//! Reports hold no secrets, so each is read again from its place, by the rule that found it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Given, Place as Setting};
use crate::engine::Engine;
use crate::finding::{Finding, RuleInfo, apart};
use crate::pipeline::Facts;
use crate::revoke::{
    Leak, Place, PlaceReader, Plan, Repositories, Rescan, SecretSource, read_findings, short_id,
};
use crate::source::SourceError;
use crate::source::git::Repository;
use crate::validate::Operator;

use super::args::{FindingsArgs, PlaceArgs, ScanArgs, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::many;
use super::rule_choice;
use super::scan;
use super::settings::RuleChoice;
use super::signals::Interrupt;

/// Largest report read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// Repositories that cannot be read are named up to this number.
const MOST_NAMED: usize = 5;

/// A scanned directory, the repositories that findings name, and the rules that are known.
pub(super) struct Site {
    /// What names of repositories are relative to.
    base: PathBuf,
    /// Whether a person said so.
    has_root: bool,
    engine: Engine,
    infos: Vec<Arc<RuleInfo>>,
    reader: PlaceReader,
    repositories: Repositories,
    /// Where the command line says that repositories are.
    named: BTreeMap<String, PathBuf>,
    /// Whether places outside of the named repositories are read.
    is_read: bool,
}

/// Findings with their secrets, and those whose secret could not be had.
#[derive(Default)]
pub(super) struct Gathered {
    /// All findings of the report, in its order; the secret of an unread one is empty.
    pub(super) findings: Vec<Finding>,
    /// Why the secret of a finding could not be read, by fingerprint and rule.
    pub(super) unread: BTreeMap<(String, String), String>,
}

impl Site {
    /// Opens the directory that was scanned and the rules.
    ///
    /// # Errors
    /// A directory or rule file that cannot be used.
    pub(super) fn open(args: &PlaceArgs) -> Outcome<Self> {
        let here = std::env::current_dir()
            .map_err(|error| Failure::from(error).context("cannot tell the current directory"))?;
        let start = args.root.as_ref().map_or_else(|| here.clone(), |root| here.join(root));
        let repository = match Repository::discover(&start) {
            Ok(repository) => Some(repository),
            Err(SourceError::NotARepository { .. }) => None,
            Err(error) => return Err(Failure::from(error)),
        };
        let reader = match (repository, &args.root) {
            // A named directory is what was scanned, unless it is only a part of its repository.
            (Some(repository), _) => PlaceReader::of_repository(repository),
            (None, Some(_)) => PlaceReader::new(
                start.canonicalize().map_err(|error| {
                    Failure::from(error).context(format!("cannot use {}", start.display()))
                })?,
                None,
            ),
            (None, None) => PlaceReader::new(here.clone(), None),
        };
        let engine = rule_choice::engine(&choice(&args.rules))?;
        let infos = Facts::new(engine.rules()).all();
        let named = named(args, &here)?;
        Ok(Self {
            base: start,
            has_root: args.root.is_some(),
            engine,
            infos,
            reader,
            repositories: Repositories::default(),
            named,
            is_read: true,
        })
    }

    /// The findings of the report that `args` name, whose repositories are opened; none if they name none.
    ///
    /// # Errors
    /// A report that cannot be read, or one of several repositories none of which is here.
    pub(super) fn report(&mut self, args: &FindingsArgs) -> Outcome<Option<Vec<Leak>>> {
        let Some(file) = args.findings.as_deref().or(args.from.as_deref()) else {
            return match self.named.is_empty() {
                true => Ok(None),
                false => Err(Failure::new(
                    "--repo and --repos-from say where the repositories of FINDINGS are",
                )
                .hint("scan them first: keycull scan --repos-from FILE --format jsonl -o findings.jsonl")),
            };
        };
        let leaks = read_findings(&text(file)?)
            .map_err(|error| Failure::from(error).context(format!("cannot read {}", shown(file))))?;
        let places = leaks.iter().flat_map(|leak| &leak.occurrences);
        let names: BTreeSet<&str> = places.clone().filter_map(|place| place.repository.as_deref()).collect();
        self.is_read = places.clone().any(|place| place.repository.is_none());
        self.know(&names, file);
        if self.repositories.are_all_missing()
            && !self.is_read
            && let Some((name, why)) = self.repositories.missing().next()
        {
            return Err(Failure::new(format!("no repository of {} can be read; {name}: {why}", shown(file)))
                .hint(advice(name)));
        }
        self.warn();
        Ok(Some(leaks))
    }

    /// Opens the repositories that `plan`, which stands in `file`, names.
    pub(super) fn know_plan(&mut self, plan: &Plan, file: &Path) {
        let parts = |item: &'_ crate::revoke::PlanItem| -> Vec<Place> {
            item.parts.iter().flat_map(|part| part.places.clone()).chain(item.places.clone()).collect()
        };
        let places: Vec<Place> = plan.items.iter().flat_map(parts).collect();
        let names: BTreeSet<&str> = places.iter().filter_map(|place| place.repository.as_deref()).collect();
        self.is_read = places.iter().any(|place| place.repository.is_none());
        self.know(&names, file);
        self.warn();
    }

    /// Opens the repositories called `names`, which are relative to `--root` or the current directory, else
    /// to the directory of `file`.
    fn know(&mut self, names: &BTreeSet<&str>, file: &Path) {
        let mut bases = vec![self.base.clone()];
        if file != Path::new("-") && !self.has_root {
            let beside = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            bases.push(beside.unwrap_or(Path::new(".")).to_owned());
        }
        self.repositories = Repositories::new(self.named.clone(), &bases);
        self.repositories.open(names.iter().copied());
    }

    /// Names what cannot be read, with the way to it.
    fn warn(&self) {
        let missing: Vec<(&str, &str)> = self.repositories.missing().collect();
        for (name, why) in missing.iter().take(MOST_NAMED) {
            log::warn!("repository {}: {}: {}", printable(name), printable(why), printable(&advice(name)));
        }
        if missing.len() > MOST_NAMED {
            log::warn!("{} more repositories cannot be read", missing.len() - MOST_NAMED);
        }
        for name in self.repositories.unasked() {
            log::debug!("nothing that is read is in the repository {}", printable(name));
        }
    }

    /// Directories an operator's file must not lie in: all that findings are read from.
    pub(super) fn scanned(&self) -> Vec<PathBuf> {
        let here = Some(&self.reader).filter(|reader| self.is_read || reader.has_repository());
        let here = here.into_iter().flat_map(PlaceReader::directories);
        here.chain(self.repositories.directories()).map(Path::to_owned).collect()
    }

    /// Hash of the rules in force: a plan holds under the same rules alone.
    pub(super) fn rules_hash(&self) -> String {
        format!("{:016x}", self.engine.rules().digest)
    }

    /// Reads secrets again.
    pub(super) fn source(&self) -> Rescan<'_> {
        Rescan::new(
            &self.engine,
            self.infos.clone(),
            Box::new(|place| match &place.repository {
                Some(name) => self.repositories.read(name, place),
                None => self.reader.read(place),
            }),
        )
    }

    /// The findings a command is about, with their secrets: `leaks` of [`Site::report`], or those of a scan.
    ///
    /// # Errors
    /// A scan that could not be done.
    pub(super) fn gather(
        &self,
        leaks: Option<Vec<Leak>>,
        (args, places): (&FindingsArgs, &PlaceArgs),
        operator: &Operator,
        (voice, environment, interrupt): (&Voice, &Environment, &Interrupt),
    ) -> Outcome<Gathered> {
        let mut gathered = match leaks {
            Some(leaks) => self.of_report(leaks, operator),
            None => {
                let scan = ScanArgs {
                    paths: places.root.iter().cloned().collect(),
                    rules: places.rules.clone(),
                    ..ScanArgs::default()
                };
                self.of_scan(scan::findings(&scan, voice, environment, interrupt)?)
            }
        };
        let only = |finding: &Finding| {
            let (rule, print) = (finding.rule.id.as_str(), finding.fingerprint.as_str());
            args.only.is_empty()
                || args
                    .only
                    .iter()
                    .any(|name| name == rule || name == print || *name == short_id(rule, print))
        };
        for name in &args.only {
            let named = |finding: &Finding| {
                let (rule, print) = (&finding.rule.id, finding.fingerprint.as_str());
                name == rule || name == print || *name == short_id(rule, print)
            };
            if !gathered.findings.iter().any(named) {
                log::warn!("--only {name}: no finding is called so");
            }
        }
        // Companions are needed to use the others, so nothing is taken out, only set aside.
        for finding in &mut gathered.findings {
            if !only(finding) {
                finding.disposition = crate::finding::Disposition::Baselined { reason: None };
            }
        }
        Ok(gathered)
    }

    /// What a scan found; rules of the scanned tree's own decide nothing here.
    fn of_scan(&self, findings: Vec<Finding>) -> Gathered {
        let mut gathered = Gathered::default();
        for finding in apart(findings) {
            if self.engine.rules().by_id(&finding.rule.id).is_none() {
                gathered.unread(&finding, UNKNOWN_RULE.to_owned());
            }
            gathered.findings.push(finding);
        }
        gathered
    }

    fn of_report(&self, leaks: Vec<Leak>, operator: &Operator) -> Gathered {
        let source = self.source();
        let mut gathered = Gathered::default();
        for leak in leaks {
            let known = source.rule(&leak.rule);
            let needed = leak.is_new
                && known
                    .as_ref()
                    .is_some_and(|rule| !rule.guessable || operator.driver_for(&rule.id).is_some());
            let read = if needed { leak.with_secret(&source, None) } else { Err(String::new()) };
            let finding = match (read, known) {
                (Ok(finding), _) => finding,
                (Err(reason), Some(rule)) => {
                    let finding = leak.without_secret(rule);
                    if needed {
                        gathered.unread(&finding, reason);
                    }
                    finding
                }
                (Err(_), None) => {
                    let finding = leak.without_secret(Arc::new(RuleInfo::unknown(&leak.rule)));
                    gathered.unread(&finding, UNKNOWN_RULE.to_owned());
                    finding
                }
            };
            gathered.findings.push(finding);
        }
        gathered
    }
}

/// The repositories that the command line names, by what findings call them.
fn named(args: &PlaceArgs, here: &Path) -> Outcome<BTreeMap<String, PathBuf>> {
    let mut named = match args.repos_from.as_deref() {
        Some(list) if list == Path::new("-") => {
            return Err(Failure::new("--repos-from: standard input is for the findings")
                .hint("put the list into a file"));
        }
        Some(list) => many::listed(list, here)?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    for one in &args.repositories {
        let (name, path) = one.split_once('=').unwrap_or((one, one));
        let path = here.join(path);
        if name.is_empty() || !path.is_dir() {
            return Err(Failure::new(format!("--repo {one}: {} is no directory", path.display()))
                .hint("--repo NAME=PATH says where the repository is that the findings call NAME"));
        }
        named.insert(name.to_owned(), path);
    }
    Ok(named)
}

/// The next command for a repository that is not found.
fn advice(name: &str) -> String {
    format!("run this where the scan ran, or say where it is: --repo {name}=PATH")
}

/// What is said of findings whose rule is neither built in nor named with `--rules`.
const UNKNOWN_RULE: &str = "its rule is neither built in nor in a file named with --rules";

impl Gathered {
    fn unread(&mut self, finding: &Finding, reason: String) {
        let key = (finding.fingerprint.as_str().to_owned(), finding.rule.id.clone());
        self.unread.insert(key, reason);
    }

    /// Findings that count and whose secret is here.
    pub(super) fn readable(&self) -> Vec<Finding> {
        let read = |finding: &&Finding| {
            let key = (finding.fingerprint.as_str().to_owned(), finding.rule.id.clone());
            !self.unread.contains_key(&key)
        };
        self.findings.iter().filter(read).cloned().collect()
    }
}

fn choice(files: &[PathBuf]) -> RuleChoice {
    let given = |file: &PathBuf| Given { value: file.clone(), place: Setting::Flag("--rules") };
    RuleChoice { files: files.iter().map(given).collect(), ..RuleChoice::default() }
}

/// Content of `file`; `-` is standard input.
pub(super) fn text(file: &Path) -> Outcome<Vec<u8>> {
    let mut text = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES).read_to_end(&mut text)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(MOST_BYTES).read_to_end(&mut text))
    };
    read.map_err(|error| Failure::from(error).context(format!("cannot read {}", shown(file))))?;
    Ok(text)
}

/// `file` in words.
pub(super) fn shown(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}
