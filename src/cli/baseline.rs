//! `keycull baseline`: writes what is known into the baseline, and takes out what is not needed.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::config::{BASELINE_NAME, Baseline, BaselineEntry, Overwrite, write_whole};
use crate::finding::{Confidence, Finding, ScanReport, Severity};

use super::args::{BaselineArgs, BaselineCommand, ConfigArgs, ScanArgs, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::say;
use super::scan::{self, Prepared};
use super::shelf::Shelf;

/// Part of the scope was not read.
const INCOMPLETE: u8 = 3;

/// Runs one of the baseline commands.
pub(super) fn run(command: &BaselineCommand, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    match command {
        BaselineCommand::Create(args) => create(args, voice, environment),
        BaselineCommand::Update(args) => update(args, voice, environment),
        BaselineCommand::Prune { path, baseline, dry_run, config } => {
            let paths = path.iter().cloned().collect();
            let asked =
                ScanArgs { paths, baseline: baseline.clone(), config: config.clone(), ..ScanArgs::default() };
            prune(&asked, *dry_run, voice, environment)
        }
    }
}

/// Reads the baseline `file`.
pub(super) fn read(file: &Path, shelf: &Shelf<'_>) -> Outcome<Baseline> {
    shelf.text(file).and_then(|text| Baseline::parse(&text, file)).map_err(|error| {
        let gone = !shelf.has(file);
        let hint = if gone {
            "`keycull baseline create` writes one from what a scan finds"
        } else {
            "mend the file by hand; docs/baseline.md describes it"
        };
        Failure::from(error).hint(hint)
    })
}

fn create(args: &BaselineArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let new = Words::of(args)?;
    // What is asked for does not exist yet, so the scan must not look for it.
    let asked = ScanArgs { baseline: None, ..asked(args) };
    let mut prepared = scan::prepare(&asked, voice, environment)?;
    let file = args.baseline.clone().map_or_else(|| place(&prepared), Ok)?;
    if file.symlink_metadata().is_ok() {
        return Err(there_already(&file));
    }
    prepared.request.triage.baseline = Baseline::default();
    let report = prepared.scan(!voice.quiet)?;
    refuse_interrupted(&report)?;
    let mut baseline = Baseline::default();
    let added = new.add(&mut baseline, &report);
    write(&file, &baseline, Overwrite::Never)?;
    told(&format!("wrote {} with {added} {}\n", shown(&file), entries(added)), &report)
}

fn update(args: &BaselineArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let new = Words::of(args)?;
    let prepared = scan::prepare(&asked(args), voice, environment)?;
    let file = in_force(&prepared)?;
    let report = prepared.scan(!voice.quiet)?;
    refuse_interrupted(&report)?;
    let mut baseline = prepared.request.triage.baseline.clone();
    let added = new.add(&mut baseline, &report);
    if added > 0 {
        write(&file, &baseline, Overwrite::Replace)?;
    }
    told(&format!("added {added} {} to {}\n", entries(added), shown(&file)), &report)
}

fn prune(asked: &ScanArgs, dry_run: bool, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let mut prepared = scan::prepare(asked, voice, environment)?;
    let file = in_force(&prepared)?;
    let triage = &mut prepared.request.triage;
    (triage.min_confidence, triage.min_severity) = (Confidence::Low, Severity::Info);
    triage.include_public = true;
    if !triage.seek_idle {
        return Err(Failure::new("only a scan of everything can tell which entries are not needed any more")
            .hint("name a whole repository or directory, and run all rules"));
    }
    let report = prepared.scan(!voice.quiet)?;
    if !report.coverage.is_complete() {
        let gaps = report.coverage.gaps.iter().filter(|gap| !gap.accepted).count();
        say(&format!("nothing removed: {gaps} things could not be read; `keycull scan` lists them\n"))?;
        return Ok(INCOMPLETE);
    }
    let mut baseline = prepared.request.triage.baseline.clone();
    let mut text = String::new();
    baseline.retain(|entry| match report.inert.iter().find(|inert| inert.entry == entry.named()) {
        Some(inert) => {
            let rule = entry.rule.as_deref().unwrap_or("-");
            let _ = writeln!(text, "{}  {rule}  {}", entry.fingerprint, inert.why.as_str());
            false
        }
        None => true,
    });
    let removed = prepared.request.triage.baseline.entries().len() - baseline.entries().len();
    if removed > 0 && !dry_run {
        write(&file, &baseline, Overwrite::Replace)?;
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    say(&format!("{}{verb} {removed} {} from {}\n", printable_lines(&text), entries(removed), shown(&file)))
}

/// What new entries say.
struct Words {
    reason: String,
    who: Option<String>,
    until: Option<Date>,
}

impl Words {
    fn of(args: &BaselineArgs) -> Outcome<Self> {
        let until = match &args.until {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                Failure::new(format!("--until: `{text}` is not a day")).hint("write it as YYYY-MM-DD")
            })?),
        };
        let reason =
            args.reason.as_deref().map_or("known when the baseline was made, not reviewed", str::trim);
        Ok(Self { reason: reason.to_owned(), who: args.who.clone(), until })
    }

    /// Adds the new findings of `report`; gives how many there were.
    fn add(&self, baseline: &mut Baseline, report: &ScanReport) -> usize {
        // Each half of a credential has an entry: it stays known where it is left alone.
        let halves = report.new_findings().flat_map(Finding::halves);
        let new = halves.filter(|half| half.disposition.is_new());
        new.filter(|half| baseline.insert(self.entry(half))).count()
    }

    fn entry(&self, finding: &Finding) -> BaselineEntry {
        let mut entry = BaselineEntry::new(finding.fingerprint.clone());
        entry.rule = Some(finding.rule.id.clone());
        entry.shows = Some(finding.redacted.clone()).filter(|text| text != "[redacted]");
        entry.reason = Some(self.reason.clone());
        entry.who.clone_from(&self.who);
        entry.until = self.until;
        entry
    }
}

fn asked(args: &BaselineArgs) -> ScanArgs {
    ScanArgs {
        paths: args.paths.clone(),
        no_history: args.no_history,
        confidence: args.confidence.clone(),
        accept_incomplete: args.accept_incomplete.clone(),
        baseline: args.baseline.clone(),
        config: ConfigArgs { ..args.config.clone() },
        ..ScanArgs::default()
    }
}

/// Where the baseline of what is scanned belongs.
fn place(prepared: &Prepared) -> Outcome<PathBuf> {
    if let Some(given) = &prepared.settings.baseline {
        return Ok(given.value.clone());
    }
    let root = prepared.root.as_ref();
    root.map(|root| root.join(BASELINE_NAME)).ok_or_else(|| {
        Failure::new("a bare repository has no place for a baseline").hint("name one: --baseline FILE")
    })
}

/// The baseline that is there.
fn in_force(prepared: &Prepared) -> Outcome<PathBuf> {
    match &prepared.settings.baseline {
        Some(given) => Ok(given.value.clone()),
        None => {
            let file = place(prepared)?;
            Err(Failure::new(format!("there is no baseline {}", shown(&file)))
                .hint("`keycull baseline create` writes one"))
        }
    }
}

fn write(file: &Path, baseline: &Baseline, overwrite: Overwrite) -> Outcome<()> {
    write_whole(file, &baseline.to_text(), overwrite).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return there_already(file);
        }
        Failure::from(error).context(format!("cannot write {}", shown(file)))
    })
}

fn there_already(file: &Path) -> Failure {
    Failure::new(format!("{} is there already", shown(file)))
        .hint("`keycull baseline update` adds what is new; remove the file to begin anew")
}

/// A scan that was broken off knows nothing of the rest.
fn refuse_interrupted(report: &ScanReport) -> Outcome<()> {
    if report.coverage.is_interrupted() {
        return Err(Failure::new("stopped by a signal; nothing was written"));
    }
    Ok(())
}

/// Says what was done; an incomplete scan is told and gives its own exit code.
fn told(text: &str, report: &ScanReport) -> Outcome<u8> {
    let gaps = report.coverage.gaps.iter().filter(|gap| !gap.accepted).count();
    if gaps == 0 {
        return say(text);
    }
    say(&format!("{text}incomplete: {gaps} things could not be read; `keycull scan` lists them\n"))?;
    Ok(INCOMPLETE)
}

fn entries(count: usize) -> &'static str {
    if count == 1 { "entry" } else { "entries" }
}

fn shown(file: &Path) -> String {
    printable(&file.display().to_string())
}

fn printable_lines(text: &str) -> String {
    text.lines().map(|line| printable(line) + "\n").collect()
}
