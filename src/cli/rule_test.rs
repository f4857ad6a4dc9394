//! `keycull rules test`: do the examples of rules still hold, and what does a rule make of a text?
//!
//! `rules check` is about files: form, ids, patterns, and their examples as one figure. This is about
//! rules: each chosen one by itself, and the way from its trigger to the report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use jiff::Zoned;

use crate::chunk::{Chunk, Encoding};
use crate::engine::cost::{Cost, Ledger};
use crate::engine::{Engine, Scratch, selftest};
use crate::finding::{
    Confidence, Coverage, Disposition, Finding, Match, Occurrence, Origin, RepoPath, Severity, apart,
};
use crate::pipeline::Facts;
use crate::rule::RuleSet;
use crate::triage::{BaseSecrets, Candidate, TriageOptions, Triaged, capture_with, finish};

use super::failure::{Failure, Outcome, printable};
use super::{rule_choice, say, site};

/// An example failed, or a rule finds nothing in a text.
const FAILED: u8 = 1;

/// What of the examples is told.
pub(super) struct Asked<'a> {
    /// Rule files, rule ids, or globs over ids; with `rule`, the one text to try.
    pub(super) names: &'a [String],
    /// More rule files.
    pub(super) files: &'a [PathBuf],
    /// The rule to try against a text.
    pub(super) rule: Option<&'a str>,
}

/// Runs examples, or tries a rule.
pub(super) fn run(asked: &Asked<'_>) -> Outcome<u8> {
    match asked.rule {
        Some(rule) => try_rule(rule, asked),
        None => examples(asked),
    }
}

/// Each chosen rule's examples and negatives through the whole engine.
fn examples(asked: &Asked<'_>) -> Outcome<u8> {
    let is_file = |name: &&String| name.ends_with(".toml") || Path::new(name.as_str()).is_file();
    let (named, ids): (Vec<&String>, Vec<&String>) = asked.names.iter().partition(is_file);
    let named: Vec<PathBuf> = named.into_iter().map(PathBuf::from).collect();
    let files: Vec<PathBuf> = asked.files.iter().chain(&named).cloned().collect();
    let engine = match files.is_empty() {
        true => Engine::builtin(),
        false => Engine::with_rules(rule_choice::with_files(&files)?),
    };
    let set = engine.rules();
    let mut chosen = vec![asked.names.is_empty(); set.rules.len()];
    if !named.is_empty() {
        let own = rule_choice::alone(&named)?;
        for (rule, chosen) in set.rules.iter().zip(&mut chosen) {
            *chosen |= own.by_id(&rule.id).is_some();
        }
    }
    for id in ids {
        choose(set, id, &mut chosen)?;
    }
    let mut text = String::new();
    let (mut rules, mut templates, mut failed) = (0, 0, 0);
    for (number, rule) in set.rules.iter().enumerate().filter(|(number, _)| chosen[*number]) {
        let failures = selftest::run_one(&engine, number as u16);
        rules += 1;
        templates += rule.examples.len() + rule.negatives.len();
        failed += failures.len();
        let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
        if !asked.names.is_empty() || !failures.is_empty() {
            let (found, passed_over) = (rule.examples.len(), rule.negatives.len());
            let _ = writeln!(text, "{verdict:<7} {}: {found} to be found, {passed_over} not", rule.id);
        }
        for failure in failures {
            let _ = writeln!(text, "        {}: {}", failure.reason, printable(&failure.template));
        }
        if rule.examples.is_empty() {
            let _ = writeln!(text, "        no example: nothing shows that it finds anything");
        }
    }
    let _ = writeln!(text, "{rules} rules, {templates} examples, {failed} failures");
    say(&text)?;
    Ok(if failed == 0 { 0 } else { FAILED })
}

fn choose(set: &RuleSet, id: &str, chosen: &mut [bool]) -> Outcome<()> {
    let glob = GlobBuilder::new(id)
        .build()
        .map_err(|error| Failure::new(format!("`{id}` is not a glob: {}", error.kind())))?;
    let glob = glob.compile_matcher();
    let mut any = false;
    for (rule, chosen) in set.rules.iter().zip(chosen) {
        if glob.is_match(rule.id.as_ref()) {
            (*chosen, any) = (true, true);
        }
    }
    match any {
        true => Ok(()),
        false => Err(rule_choice::unknown(id, None, set.rules.iter().map(|rule| rule.id.as_ref()))
            .hint("name a rule, a glob over ids, or a rule file")),
    }
}

/// What one rule makes of a text, among all rules as a scan has them.
fn try_rule(id: &str, asked: &Asked<'_>) -> Outcome<u8> {
    let [name] = asked.names else {
        return Err(Failure::new("--rule tries a rule against one text")
            .hint(format!("name a file, or `-` for standard input: keycull rules test --rule {id} FILE")));
    };
    let engine = Engine::with_rules(rule_choice::with_files(asked.files)?);
    let set = engine.rules();
    let number = set
        .by_id(id)
        .ok_or_else(|| rule_choice::unknown(id, None, set.rules.iter().map(|rule| rule.id.as_ref())))?;
    let bytes = site::text(Path::new(name))?;
    let mut matches = Vec::new();
    let mut ledger = Ledger::new(set.rules.len());
    engine.scan_counted(&bytes, 0..bytes.len(), &mut Scratch::default(), &mut matches, &mut ledger);
    let trial = Trial { engine: &engine, number, name, bytes: &bytes, matches: &matches };
    let (text, reported) = trial.told(&ledger.costs()[usize::from(number)]);
    say(&text)?;
    Ok(if reported > 0 { 0 } else { FAILED })
}

/// A rule that was run over a text.
struct Trial<'a> {
    engine: &'a Engine,
    number: u16,
    name: &'a str,
    bytes: &'a [u8],
    matches: &'a [Match],
}

impl Trial<'_> {
    /// The account, and how many places a scan would report.
    fn told(&self, cost: &Cost) -> (String, usize) {
        let rule = self.engine.rules().get(self.number);
        let (triaged, candidates) = self.triaged();
        let findings = apart(triaged.findings);
        let (mut text, mut reported) = (String::new(), 0);
        let own: Vec<&Candidate> = candidates.iter().filter(|one| one.rule == self.number).collect();
        let mut told: Vec<(usize, usize)> = Vec::new();
        for one in &own {
            // One secret may have been found from several triggers.
            if told.contains(&(one.span.start, one.span.end)) {
                continue;
            }
            told.push((one.span.start, one.span.end));
            let start = one.region.start;
            let (verdict, counts) = verdict(&rule.id, one, &findings);
            reported += usize::from(counts);
            let name = printable(self.name);
            let _ = writeln!(
                text,
                "{name}:{}:{}  {}",
                start.line,
                start.column,
                if counts { "match" } else { "no" }
            );
            let _ = writeln!(text, "    {}", printable(one.excerpt.trim()));
            let _ = writeln!(text, "    {verdict}");
        }
        let missed = cost.triggers.saturating_sub(own.len() as u64);
        let _ = writeln!(text, "{}: {} places, {reported} a scan reports", rule.id, told.len());
        if cost.triggers == 0 {
            let _ =
                writeln!(text, "nothing triggers it here: none of its prefixes, literals or words is there");
        } else if missed > 0 {
            let _ = writeln!(
                text,
                "its prefix, literal or words stand in {missed} more places without a value of its form beside them"
            );
        }
        (text, reported)
    }

    /// What a scan makes of the matches, whatever its thresholds are.
    fn triaged(&self) -> (Triaged, Vec<Candidate>) {
        let facts = Facts::of(self.engine);
        let path = Some(self.name).filter(|name| *name != "-").map(RepoPath::new);
        let origin = Origin::Stdin { name: path };
        let chunk = Chunk::whole(self.bytes, &origin, Encoding::Plain);
        let candidates = capture_with(&chunk, self.matches, &facts, false);
        let options = TriageOptions {
            min_confidence: Confidence::Low,
            min_severity: Severity::Info,
            include_public: true,
            ..TriageOptions::new(Zoned::now().date())
        };
        let none = BaseSecrets::default();
        let triaged = finish(candidates.clone(), &none, None, &facts, &options, &mut Coverage::default());
        (triaged, candidates)
    }
}

/// What becomes of a match in a scan with the default thresholds, and whether that reports it.
fn verdict(id: &str, one: &Candidate, findings: &[Finding]) -> (String, bool) {
    let here = |place: &&Occurrence| place.span.overlaps(one.span);
    let found = findings.iter().find_map(|finding| {
        let place = finding.occurrences.iter().find(here).filter(|_| finding.rule.id == id)?;
        Some((finding, place))
    });
    let Some((finding, place)) = found else {
        let other = findings.iter().find(|finding| finding.occurrences.iter().any(|place| here(&place)));
        let winner = other.map_or("another rule", |finding| finding.rule.id.as_str());
        return (format!("not reported under this rule: {winner} knows the place better"), false);
    };
    let mut words = vec![format!("{} {}", finding.severity, printable(&finding.redacted))];
    words.push(format!("{} confidence", place.confidence));
    let mut counts = true;
    match &place.disposition {
        Disposition::New => {}
        Disposition::Allowed { .. } => {
            words.push("allowed".to_owned());
            counts = false;
        }
        Disposition::Baselined { .. } => counts = false,
    }
    if place.confidence < Confidence::Medium {
        words.push("below the default threshold, medium".to_owned());
        counts = false;
    }
    if finding.rule.public {
        words.push("publishable by design: only reported when its rule is asked for".to_owned());
        counts = false;
    }
    let notes = finding.notes.iter().chain(&place.notes);
    words.extend(notes.map(|note| printable(&note.text)));
    (words.join("; "), counts)
}
