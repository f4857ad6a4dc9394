//! What a command about findings works on: a scanned directory, the rules, the findings, their secrets.
//!
//! Reports hold no secrets, so each is read again from its place, by the rule that found it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Given, Place as Setting};
use crate::engine::Engine;
use crate::finding::{Finding, RuleInfo};
use crate::pipeline::Facts;
use crate::revoke::{PlaceReader, Rescan, SecretSource, read_findings, short_id};
use crate::source::SourceError;
use crate::source::git::Repository;
use crate::validate::Operator;

use super::args::{FindingsArgs, PlaceArgs, ScanArgs, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome};
use super::rule_choice;
use super::scan;
use super::settings::RuleChoice;
use super::signals::Interrupt;

/// Largest report read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// A scanned directory and the rules that are known.
pub(super) struct Site {
    root: PathBuf,
    git_dir: Option<PathBuf>,
    engine: Engine,
    infos: Vec<Arc<RuleInfo>>,
    reader: PlaceReader,
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
        let around = repository.as_ref().map(|r| r.work_dir().unwrap_or(r.git_dir()).to_owned());
        let root = match (&args.root, around) {
            // A named directory is what was scanned, unless it is only a part of its repository.
            (_, Some(root)) => root,
            (Some(_), None) => start
                .canonicalize()
                .map_err(|error| Failure::from(error).context(format!("cannot use {}", start.display())))?,
            (None, None) => here,
        };
        let engine = rule_choice::engine(&choice(&args.rules))?;
        let infos = Facts::new(engine.rules()).all();
        let git_dir = repository.as_ref().map(|repository| repository.git_dir().to_owned());
        Ok(Self { reader: PlaceReader::new(root.clone(), repository), root, git_dir, engine, infos })
    }

    /// Directories an operator's file must not lie in.
    pub(super) fn scanned(&self) -> Vec<PathBuf> {
        std::iter::once(&self.root).chain(&self.git_dir).cloned().collect()
    }

    /// Hash of the rules in force: a plan holds under the same rules alone.
    pub(super) fn rules_hash(&self) -> String {
        format!("{:016x}", self.engine.rules().digest)
    }

    /// Reads secrets again.
    pub(super) fn source(&self) -> Rescan<'_> {
        Rescan::new(&self.engine, self.infos.clone(), Box::new(|place| self.reader.read(place)))
    }

    /// The findings a command is about, with their secrets.
    ///
    /// # Errors
    /// A report that cannot be read, or a scan that could not be done.
    pub(super) fn gather(
        &self,
        args: &FindingsArgs,
        places: &PlaceArgs,
        operator: &Operator,
        (voice, environment, interrupt): (&Voice, &Environment, &Interrupt),
    ) -> Outcome<Gathered> {
        let mut gathered = match args.findings.as_deref().or(args.from.as_deref()) {
            Some(file) => self.of_report(&text(file)?, file, operator)?,
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
        for finding in findings {
            if self.engine.rules().by_id(&finding.rule.id).is_none() {
                gathered.unread(&finding, UNKNOWN_RULE.to_owned());
            }
            gathered.findings.push(finding);
        }
        gathered
    }

    fn of_report(&self, text: &[u8], file: &Path, operator: &Operator) -> Outcome<Gathered> {
        let leaks = read_findings(text)
            .map_err(|error| Failure::from(error).context(format!("cannot read {}", shown(file))))?;
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
                    let finding = leak.without_secret(stranger(&leak.rule));
                    gathered.unread(&finding, UNKNOWN_RULE.to_owned());
                    finding
                }
            };
            gathered.findings.push(finding);
        }
        Ok(gathered)
    }
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

/// A description for a rule that nobody here knows.
fn stranger(id: &str) -> Arc<RuleInfo> {
    use crate::finding::{Confidence, Severity};
    Arc::new(RuleInfo {
        id: id.to_owned(),
        name: id.to_owned(),
        description: String::new(),
        provider: String::new(),
        kind: "token",
        severity: Severity::High,
        confidence: Confidence::High,
        references: Vec::new(),
        rotate: String::new(),
        public: false,
        guessable: false,
    })
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
