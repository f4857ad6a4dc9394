//! `keycull migrate`: turns what other tools were told into `keycull.toml` and a baseline.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use crate::config::{
    self, BASELINE_NAME, Baseline, BaselineEntry, FILE_NAME, Overwrite, quoted, write_whole,
};
use crate::finding::{Confidence, Finding, Occurrence, Origin, Severity};
use crate::import::gitleaks::{self, Expression};
use crate::import::ignores::{self, Mark, Settled};

use super::args::{MigrateArgs, ScanArgs, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::say;
use super::scan;

/// Part of the scope was not read.
const INCOMPLETE: u8 = 3;
/// Names under which reports of gitleaks are kept as its baseline.
const REPORTS: [&str; 3] = [".gitleaks-baseline.json", "gitleaks-baseline.json", "gitleaks-report.json"];

/// What is carried over.
#[derive(Default)]
struct Carried {
    /// Files something was read from.
    files: Vec<String>,
    import: Option<String>,
    settled: Vec<Settled>,
    /// Globs of paths, and where they come from.
    paths: Vec<(String, Vec<String>)>,
    /// Expressions of `.gitallowed`.
    allowed: Vec<(String, Expression)>,
    /// What has no counterpart.
    lost: Vec<String>,
}

/// Reads everything, scans once, and writes both files.
pub(super) fn run(args: &MigrateArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let asked = ScanArgs { paths: args.path.iter().cloned().collect(), ..ScanArgs::default() };
    let mut prepared = scan::prepare(&asked, voice, environment)?;
    let root = prepared.root.clone().ok_or_else(|| {
        Failure::new("there is no working tree to migrate").hint("run it in a clone with files")
    })?;
    for name in [FILE_NAME, BASELINE_NAME] {
        if root.join(name).symlink_metadata().is_ok() {
            return Err(Failure::new(format!("{name} is there already")).hint("remove it to migrate anew"));
        }
    }
    let mut carried = gather(&root, &args.report)?;
    if carried.files.is_empty() {
        return Err(Failure::new(
            "found nothing to migrate: no file of gitleaks, betterleaks, detect-secrets, ripsecrets, \
                                 git-secrets or GitHub secret scanning",
        )
        .hint("`keycull init` writes a configuration to start from"));
    }
    let triage = &mut prepared.request.triage;
    (triage.min_confidence, triage.min_severity) = (Confidence::Low, Severity::Info);
    let report = prepared.scan(!voice.quiet)?;
    if report.coverage.is_interrupted() {
        return Err(Failure::new("stopped by a signal; nothing was written"));
    }
    // Other tools know each half of a credential by itself.
    let halves = report.new_findings().flat_map(Finding::halves);
    let findings: Vec<&Finding> = halves.filter(|half| half.disposition.is_new()).collect();
    let baseline = settle(&mut carried, &findings, &root);
    let text = told(&carried, &baseline, args.dry_run);
    if !args.dry_run {
        write(&root.join(FILE_NAME), &configuration(&carried))?;
        if !baseline.entries().is_empty() {
            write(&root.join(BASELINE_NAME), &baseline.to_text())?;
        }
    }
    say(&text)?;
    Ok(if report.coverage.is_complete() { 0 } else { INCOMPLETE })
}

fn gather(root: &Path, reports: &[PathBuf]) -> Outcome<Carried> {
    let mut carried = Carried::default();
    let read = |name: &str| {
        let file = root.join(name);
        file.is_file().then(|| config::text_of(&file)).transpose()
    };
    for name in gitleaks::NAMES {
        if carried.import.is_none() && root.join(name).is_file() {
            carried.import = Some(name.to_owned());
            carried.files.push(name.to_owned());
        }
    }
    for name in [".gitleaksignore", ".betterleaksignore"] {
        if let Some(text) = read(name)? {
            let (entries, lost) = ignores::gitleaks_ignore(name, &text);
            carried.take(name, entries, lost);
        }
    }
    let named = reports
        .iter()
        .cloned()
        .chain(REPORTS.iter().map(|name| root.join(name)).filter(|file| file.is_file()));
    for file in named {
        let (name, text) = (ignores::name_of(&file), config::text_of(&file)?);
        let entries = ignores::gitleaks_report(&name, &text)
            .map_err(|why| Failure::new(format!("{name} is no report of gitleaks: {why}")))?;
        carried.take(&name, entries, Vec::new());
    }
    if let Some(text) = read(".secrets.baseline")? {
        let entries = ignores::detect_secrets(".secrets.baseline", &text).map_err(|why| {
            Failure::new(format!(".secrets.baseline is no baseline of detect-secrets: {why}"))
        })?;
        carried.take(".secrets.baseline", entries, Vec::new());
    }
    if let Some(text) = read(".secretsignore")? {
        let (globs, lost) = ignores::path_globs(".secretsignore", &text);
        carried.take(".secretsignore", Vec::new(), lost);
        carried.paths.push((".secretsignore".to_owned(), globs));
    }
    if let Some(text) = read(".github/secret_scanning.yml")? {
        carried.take("secret_scanning.yml", Vec::new(), Vec::new());
        carried.paths.push(("secret_scanning.yml".to_owned(), ignores::paths_ignore(&text)));
    }
    if let Some(text) = read(".gitallowed")? {
        carried.take(".gitallowed", Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match Expression::new(line) {
                Ok(expression) => carried.allowed.push((format!(".gitallowed:{number}"), expression)),
                Err(why) => carried.lost.push(format!(".gitallowed:{number}: `{line}`: {why}")),
            }
        }
    }
    Ok(carried)
}

impl Carried {
    fn take(&mut self, name: &str, entries: Vec<Settled>, lost: Vec<String>) {
        self.files.push(name.to_owned());
        self.settled.extend(entries);
        self.lost.extend(lost);
    }
}

/// The baseline for what was settled; what is found nowhere any more is noted as lost.
fn settle(carried: &mut Carried, findings: &[&Finding], root: &Path) -> Baseline {
    let mut baseline = Baseline::default();
    for settled in &carried.settled {
        let hits = findings
            .iter()
            .filter(|finding| finding.occurrences.iter().any(|place| fits(settled, finding, place)));
        let mut found = false;
        for finding in hits {
            found = true;
            baseline.insert(entry(finding, &settled.reason));
        }
        if !found {
            carried.lost.push(format!(
                "{}: keycull finds nothing there, so there is nothing to accept",
                settled.label
            ));
        }
    }
    for (label, expression) in &carried.allowed {
        let hits = findings
            .iter()
            .filter(|finding| finding.occurrences.iter().any(|place| allowed(expression, place, root)));
        let mut found = false;
        for finding in hits {
            found = true;
            baseline.insert(entry(finding, &format!("allowed by {label}")));
        }
        let what = if found {
            "what it allows today is in the baseline; it will not allow more"
        } else {
            "it allows nothing of today"
        };
        carried.lost.push(format!("{label}: an expression over lines: {what}"));
    }
    baseline
}

fn fits(settled: &Settled, finding: &Finding, place: &Occurrence) -> bool {
    let here = place.path.as_ref().is_some_and(|path| path.to_string() == settled.path);
    let introduced = || place.timeline.as_ref().and_then(|timeline| timeline.introduced.as_ref());
    let from =
        |commit: &String| introduced().is_some_and(|info| info.id.to_string().starts_with(commit.as_str()));
    here && match &settled.mark {
        Mark::Raw(secret) => {
            let (ours, theirs) = (finding.secret.expose(), secret.as_bytes());
            !theirs.is_empty()
                && (memchr::memmem::find(ours, theirs).is_some()
                    || memchr::memmem::find(theirs, ours).is_some())
        }
        Mark::Sha1(hash) => {
            let digest = Sha1::digest(finding.secret.expose());
            digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>() == hash.to_ascii_lowercase()
        }
        Mark::Line(line) => {
            let lines = place.region.start.line..=place.region.end.line;
            let now = || matches!(place.origin, Origin::File { .. });
            lines.contains(line) && settled.commit.as_ref().map_or_else(now, from)
        }
    }
}

/// Whether an expression of `.gitallowed` matches the line of a file as git-secrets prints it.
fn allowed(expression: &Expression, place: &Occurrence, root: &Path) -> bool {
    let Origin::File { path } = &place.origin else { return false };
    let number = place.region.start.line;
    let Ok(bytes) = std::fs::read(root.join(path.to_string())) else { return false };
    let Some(line) = bytes.split(|&byte| byte == b'\n').nth(number - 1) else { return false };
    expression.is_match(&[format!("{path}:{number}:").as_bytes(), line].concat())
}

fn entry(finding: &Finding, reason: &str) -> BaselineEntry {
    let mut entry = BaselineEntry::new(finding.fingerprint.clone());
    entry.rule = Some(finding.rule.id.clone());
    entry.shows = Some(finding.redacted.clone()).filter(|text| text != "[redacted]");
    entry.reason = Some(reason.to_owned());
    entry
}

/// The text of `keycull.toml`.
fn configuration(carried: &Carried) -> String {
    let mut text =
        String::from("# Carried over by `keycull migrate`; docs/config.md lists every key.\nschema = 1\n");
    if let Some(name) = &carried.import {
        let _ = write!(
            text,
            "\n# Rules and allowlists of this file hold as they are written there.\nimport = {}\n",
            quoted(name)
        );
    }
    for (name, globs) in carried.paths.iter().filter(|(_, globs)| !globs.is_empty()) {
        let globs: Vec<String> = globs.iter().map(|glob| quoted(glob)).collect();
        let _ = write!(
            text,
            "\n[[allow]]\nreason = {}\npaths = [{}]\n",
            quoted(&format!("carried over from {name}")),
            globs.join(", ")
        );
    }
    text
}

fn told(carried: &Carried, baseline: &Baseline, dry: bool) -> String {
    let verb = if dry { "would write" } else { "wrote" };
    let mut text = format!("read {}\n{verb} {FILE_NAME}\n", carried.files.join(", "));
    if !baseline.entries().is_empty() {
        let _ = writeln!(text, "{verb} {BASELINE_NAME} with {} secrets", baseline.entries().len());
    }
    if !carried.lost.is_empty() {
        let _ = writeln!(text, "not carried:");
        for lost in &carried.lost {
            let _ = writeln!(text, "  {}", printable(lost));
        }
    }
    text.push_str("next: look at both files, run `keycull scan`, and commit them; the old files can go once nothing reads them\n");
    text
}

fn write(file: &Path, text: &str) -> Outcome<()> {
    write_whole(file, text, Overwrite::Never)
        .map_err(|error| Failure::from(error).context(format!("cannot write {}", file.display())))
}
