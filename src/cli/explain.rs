//! `keycull explain`: why something is, or is not, reported.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::finding::{
    AllowSource, Checksum, Confidence, CredentialMode, Disposition, Finding, Fingerprint, Note, Occurrence,
    Severity, apart,
};
use crate::rule::{Kind, RuleSet};

use super::args::{ExplainArgs, ScanArgs, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::say;
use super::scan::{self, Prepared};

/// Nothing that a rule looks at is there.
const NOTHING: u8 = 1;

/// What is to be explained.
enum Subject {
    Secret(Fingerprint),
    Line(PathBuf, usize),
}

/// Scans for the subject with everything shown, and tells all about it.
pub(super) fn run(args: &ExplainArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let subject = subject(&args.what)?;
    let mut asked = ScanArgs { config: args.config.clone(), ..ScanArgs::default() };
    match &subject {
        Subject::Secret(_) => asked.paths.extend(args.path.clone()),
        Subject::Line(file, _) => asked.paths.push(file.clone()),
    }
    let mut prepared = scan::prepare(&asked, voice, environment)?;
    let triage = &mut prepared.request.triage;
    let asked_for = (triage.min_confidence, triage.min_severity);
    (triage.min_confidence, triage.min_severity) = (Confidence::Low, Severity::Info);
    triage.include_public = true;
    let report = prepared.scan(!voice.quiet)?;
    let mut text = String::new();
    let wholes: Vec<(String, String)> = report
        .findings
        .iter()
        .flat_map(|whole| {
            let text = format!("{} {}", whole.rule.id, whole.fingerprint);
            whole.components.iter().map(move |part| (part.fingerprint.to_string(), text.clone()))
        })
        .collect();
    for finding in &apart(report.findings) {
        let places: Vec<&Occurrence> =
            finding.occurrences.iter().filter(|place| concerns(&subject, finding, place)).collect();
        if !places.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            explain(finding, &places, asked_for, &prepared, &mut text);
            for (_, whole) in wholes.iter().filter(|(part, _)| *part == finding.fingerprint.as_str()) {
                let _ = writeln!(
                    text,
                    "{:<12} where both stand together it is told as a part of {whole}",
                    "joined"
                );
            }
        }
    }
    if text.is_empty() {
        say(&format!("{}\n", nothing(&subject)))?;
        return Ok(NOTHING);
    }
    say(&text)
}

fn subject(what: &str) -> Outcome<Subject> {
    if let Ok(print) = what.parse() {
        return Ok(Subject::Secret(print));
    }
    let line = what.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<usize>().ok()?)));
    match line {
        Some((file, line)) if !file.is_empty() && line > 0 => Ok(Subject::Line(PathBuf::from(file), line)),
        Some(_) | None => Err(Failure::new(format!("`{what}` is neither a fingerprint nor FILE:LINE"))
            .hint("take a fingerprint out of a report, or name a line: keycull explain config/app.env:12")),
    }
}

fn concerns(subject: &Subject, finding: &Finding, place: &Occurrence) -> bool {
    match subject {
        Subject::Secret(print) => finding.fingerprint == *print,
        Subject::Line(_, line) => (place.region.start.line..=place.region.end.line).contains(line),
    }
}

fn nothing(subject: &Subject) -> String {
    match subject {
        Subject::Secret(print) => format!(
            "no secret with the fingerprint {print} was found; fingerprints follow the secret, so a changed one has another"
        ),
        Subject::Line(file, line) => format!(
            "no rule finds anything in line {line} of {}: no known form, and no random or password-like value under a \
             telling name",
            printable(&file.display().to_string())
        ),
    }
}

fn explain(
    finding: &Finding,
    places: &[&Occurrence],
    (confidence, severity): (Confidence, Severity),
    prepared: &Prepared,
    text: &mut String,
) {
    let rule = &finding.rule;
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<12} {}", printable(value));
    };
    fact("rule", &format!("{}: {}", rule.id, rule.name));
    fact("trigger", &trigger(prepared.rules(), &rule.id));
    fact("secret", &finding.redacted);
    fact("fingerprint", finding.fingerprint.as_str());
    fact("severity", &format!("{} (the rule says {})", finding.severity, rule.severity));
    let checksum = match finding.checksum {
        Checksum::Absent => "",
        Checksum::Passed => ", checksum correct",
        Checksum::Failed => ", checksum wrong: invented, cut or altered",
    };
    let mode = if finding.mode == CredentialMode::Test { ", test credential" } else { "" };
    fact(
        "confidence",
        &format!("{} (the rule says {}){checksum}{mode}", finding.confidence, rule.confidence),
    );
    finding.notes.iter().for_each(|note| fact("because", &note.text));
    let verdict = if !finding.disposition.is_new() {
        "no".to_owned()
    } else if finding.confidence < confidence {
        format!("no: below the asked-for confidence, {confidence}")
    } else if finding.severity < severity {
        format!("no: below the asked-for severity, {severity}")
    } else if rule.public {
        "no: publishable by design; only when its rule is selected".to_owned()
    } else {
        "yes".to_owned()
    };
    fact("reported", &verdict);
    for place in places {
        let name = place.path.as_ref().map_or_else(|| place.origin.to_string(), ToString::to_string);
        let start = place.region.start;
        fact("place", &format!("{name}:{}:{}  {} confidence", start.line, start.column, place.confidence));
        fact("", &disposition(&place.disposition));
        place.notes.iter().for_each(|note: &Note| fact("", &note.text));
        for detail in &place.context {
            fact("", &format!("{} beside it: {}", detail.facet.as_str(), detail.value));
        }
    }
}

/// What made the engine look.
fn trigger(rules: &RuleSet, id: &str) -> String {
    let Some(number) = rules.by_id(id) else { return String::new() };
    let rule = rules.get(number);
    match rule.kind {
        Kind::Token if !rule.markers.is_empty() => {
            format!("its form, which begins with {}", rule.markers.join(" or "))
        }
        Kind::Token => "its form".to_owned(),
        Kind::Assignment => {
            let mut names: Vec<String> = rules
                .entries
                .iter()
                .filter(|entry| entry.rule == number)
                .map(|entry| {
                    let words = entry.words.iter().map(|word| rules.words[usize::from(*word)].as_ref());
                    words.collect::<Vec<_>>().join("+")
                })
                .collect();
            names.dedup();
            format!("a value of its form under a name with {}", names.join(" or "))
        }
        Kind::Block => "a key block".to_owned(),
        Kind::Uri => "credentials in a URL, header or credential file".to_owned(),
        Kind::Generic => "a random or password-like value under a telling name".to_owned(),
        Kind::Imported => "an expression of an imported configuration, over the whole content".to_owned(),
    }
}

fn disposition(disposition: &Disposition) -> String {
    let because =
        |reason: &Option<String>| reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    match disposition {
        Disposition::New => "nothing suppresses it".to_owned(),
        Disposition::Baselined { reason } => format!("in the baseline{}", because(reason)),
        Disposition::Allowed { by, reason, until } => {
            let by = match by {
                AllowSource::Inline { marker } => format!("allowed by the marker {marker} beside it"),
                AllowSource::Config { entry } => format!("allowed by {entry}"),
                AllowSource::KnownSample => "a published sample that opens nothing".to_owned(),
            };
            let until = until.as_ref().map_or_else(String::new, |day| format!(", until {day}"));
            format!("{by}{until}{}", because(reason))
        }
    }
}
