//! `keycull validate`, and the asking that `scan --validate` does: are these keys live?

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::finding::{Finding, ScanReport, Validation, apart};
use crate::revoke::{SecretSource, documents};
use crate::validate::{Checked, Validator, exit_code};

use super::args::{NetworkArgs, ValidateArgs, Voice};
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::network::Network;
use super::output;
use super::signals::Interrupt;
use super::site::Site;

/// Requests under way at once.
const JOBS: usize = 5;

/// Asks about every finding that counts, tells, and gives the exit code.
pub(super) fn run(args: &ValidateArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let interrupt = listen()?;
    let mut site = Site::open(&args.places)?;
    let leaks = site.report(&args.findings)?;
    let network = Network::open(&args.network, environment, &site.scanned())?;
    let context = (voice, environment, &interrupt);
    let gathered = site.gather(leaks, (&args.findings, &args.places), &network.operator, context)?;
    let mut findings = gathered.readable();
    let all = findings.clone();
    findings.retain(|finding| finding.disposition.is_new());
    let mut checked = ask(&network, &findings, &all, &site.source(), interrupt.flag());
    for finding in gathered.findings.iter().filter(|finding| finding.disposition.is_new()) {
        let key = (finding.fingerprint.as_str().to_owned(), finding.rule.id.clone());
        if let Some(reason) = gathered.unread.get(&key) {
            findings.push(finding.clone());
            // Who has no such rule has nobody to ask, either.
            let known = site.source().rule(&finding.rule.id).is_some();
            let tell = if known { Checked::unread } else { Checked::not_asked };
            checked.push(tell(finding, reason));
        }
    }
    let lines = args.format.as_deref() == Some("jsonl");
    output::to_stdout(|out| {
        for (finding, one) in findings.iter().zip(&checked) {
            if lines { writeln!(out, "{}", one.to_json())? } else { tell(finding, one, out)? }
        }
        if lines { Ok(()) } else { sum_up(&checked, out) }
    })?;
    Ok(interrupt.signal().map_or_else(|| exit_code(&checked), |signal| 128 + signal))
}

/// Asks about the findings of a scan that count, and writes the verdicts into the report.
///
/// Findings by rules of the scanned tree's own are left alone: the tree must not decide what is sent.
pub(super) fn during_scan(
    report: &mut ScanReport,
    (args, rules): (&NetworkArgs, &[PathBuf]),
    environment: &Environment,
    scanned: &[PathBuf],
    (source, cancel): (&dyn SecretSource, &AtomicBool),
) -> Outcome<()> {
    let network = Network::open(args, environment, scanned)?;
    let trusted = super::rule_choice::with_files(rules)?;
    let eligible =
        |finding: &&Finding| finding.disposition.is_new() && trusted.by_id(&finding.rule.id).is_some();
    let all = apart(report.findings.clone());
    let findings: Vec<Finding> = all.iter().filter(eligible).cloned().collect();
    let checked = ask(&network, &findings, &all, source, cancel);
    let verdicts: HashMap<(&str, &str), &Validation> = findings
        .iter()
        .zip(&checked)
        .map(|(finding, one)| ((finding.rule.id.as_str(), finding.fingerprint.as_str()), &one.validation))
        .collect();
    let verdict = |half: &Finding| {
        let said = verdicts.get(&(half.rule.id.as_str(), half.fingerprint.as_str()));
        said.filter(|_| half.disposition.is_new()).map(|said| (*said).clone())
    };
    for finding in report.findings.iter_mut() {
        for half in &mut finding.components {
            half.validation = verdict(half).unwrap_or(Validation::NotAttempted);
        }
        let own = verdict(finding).unwrap_or(Validation::NotAttempted);
        let parts = finding.components.iter().map(|half| half.validation.clone());
        // Who knows whether one half works knows it of the credential.
        finding.validation =
            parts.fold(own, |said, other| if weight(&other) > weight(&said) { other } else { said });
    }
    Ok(())
}

/// What counts of the verdicts on the halves of one credential.
fn weight(validation: &Validation) -> u8 {
    match validation {
        Validation::NotAttempted => 0,
        Validation::Dead(_) => 1,
        Validation::Unknown(_) => 2,
        Validation::Live(_) => 3,
    }
}

fn ask(
    network: &Network,
    findings: &[Finding],
    all: &[Finding],
    source: &dyn SecretSource,
    cancel: &AtomicBool,
) -> Vec<Checked> {
    let documents = documents(findings, &network.providers, source);
    let validator = Validator::new(&network.providers, &network.operator, network.wire());
    validator.check_all(findings, all, &documents, JOBS, cancel)
}

/// Listens for signals.
pub(super) fn listen() -> Outcome<Interrupt> {
    Interrupt::listen().map_err(|error| Failure::from(error).context("cannot listen for signals"))
}

fn tell(finding: &Finding, one: &Checked, out: &mut dyn io::Write) -> io::Result<()> {
    let word = if one.restricted { "restricted" } else { one.word() };
    writeln!(out, "{word:<14} {}  {}", finding.rule.id, printable(&finding.redacted))?;
    writeln!(out, "    {}", printable(&one.reason))?;
    if let Validation::Live(evidence) | Validation::Dead(evidence) = &one.validation {
        let facts = [
            evidence.identity.as_ref().map(|who| format!("belongs to {who}")),
            one.account.as_ref().map(|account| format!("account {account}")),
            (!evidence.scopes.is_empty()).then(|| format!("may {}", evidence.scopes.join(", "))),
            evidence.expires.as_ref().map(|date| format!("expires {date}")),
        ];
        for fact in facts.into_iter().flatten() {
            writeln!(out, "    {}", printable(&fact))?;
        }
    }
    let place = crate::revoke::Place::of(finding.primary());
    writeln!(out, "    at {}", printable(&place.to_string()))?;
    if !matches!(one.validation, Validation::Dead(_)) && !finding.rule.rotate.is_empty() {
        writeln!(out, "    by hand: {}", printable(&finding.rule.rotate))?;
    }
    Ok(())
}

fn sum_up(checked: &[Checked], out: &mut dyn io::Write) -> io::Result<()> {
    let count = |word: &str| checked.iter().filter(|one| one.word() == word).count();
    writeln!(
        out,
        "{} live, {} dead, {} unknown, {} not asked about",
        count("live"),
        count("dead"),
        count("unknown"),
        count("not-attempted")
    )
}

/// Exit code of a scan under `--fail-on live`: 1 if something is live, 3 if that is unknown of something.
pub(super) fn gate(report: &ScanReport, cancel: &AtomicBool) -> u8 {
    let any =
        |wanted: fn(&Validation) -> bool| report.new_findings().any(|finding| wanted(&finding.validation));
    if any(|validation| matches!(validation, Validation::Live(_))) {
        1
    } else if any(|validation| matches!(validation, Validation::Unknown(_)))
        || cancel.load(Ordering::Relaxed)
        || !report.coverage.is_complete()
    {
        3
    } else {
        0
    }
}
