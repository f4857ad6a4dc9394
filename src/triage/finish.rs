//! From candidates to findings: who keeps a place, what belongs together, what it is worth.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use rayon::prelude::*;

use super::allow::{AllowRule, Honour, Place, decide};
use super::base::BaseSecrets;
use super::baseline::{Named, entries_of};
use super::capture::Candidate;
use super::companion::{Links, link};
use super::crowd::Crowds;
use super::inert::Uses;
use super::join::{Row, Whole, join};
use super::overlap::{Kept, settle};
use super::placement::Placements;
use super::rulebook::{RuleBook, redaction};
use super::sample::published;
use super::standing::Standing;
use crate::config::Baseline;
use crate::finding::{
    Attributor, Checksum, Confidence, Coverage, CredentialMode, Disposition, Finding, Fingerprint,
    FingerprintKey, Match, Note, Occurrence, RepoPath, Secret, Severity, Timeline, Validation,
};
use crate::import::gitleaks::Allowlist;
use crate::rule::Kind;

/// What the user asked of triage.
#[derive(Clone, Debug)]
pub struct TriageOptions {
    /// The day on which allowances are judged.
    pub today: Date,
    /// Findings less sure than this are counted only.
    pub min_confidence: Confidence,
    /// Findings less severe than this are counted only.
    pub min_severity: Severity,
    /// Report keys that are publishable by design, too.
    pub include_public: bool,
    /// Entries of the configuration.
    pub allow: Vec<AllowRule>,
    /// Secrets that are known.
    pub baseline: Baseline,
    /// Whether markers, entries and the baseline count; published samples always do.
    pub honour_allows: bool,
    /// Whether markers beside the secret count. Those that come with the changes a gate judges
    /// do not.
    pub honour_markers: bool,
    /// Markers of other tools that count, too: see [`super::markers_in_use`].
    pub other_markers: Vec<&'static str>,
    /// Find out which entries were not needed, for a scan of everything they can speak of.
    pub seek_idle: bool,
    /// The operator's key for fingerprints.
    pub key: Option<FingerprintKey>,
    /// Whether GitHub's line hashes are wanted for content of history, too, not only for files.
    pub hash_history: bool,
}

impl TriageOptions {
    /// The defaults, with allowances judged as of `today`.
    #[must_use]
    pub fn new(today: Date) -> Self {
        Self {
            today,
            min_confidence: Confidence::Medium,
            min_severity: Severity::Info,
            include_public: false,
            allow: Vec::new(),
            baseline: Baseline::default(),
            honour_allows: true,
            honour_markers: true,
            other_markers: Vec::new(),
            seek_idle: false,
            key: None,
            hash_history: true,
        }
    }
}

impl TriageOptions {
    /// Whether any decision hangs on a fingerprint.
    fn asks_for_fingerprints(&self) -> bool {
        !self.baseline.entries().is_empty() || self.allow.iter().any(|entry| !entry.fingerprints.is_empty())
    }
}

/// What triage made of a scan.
#[derive(Clone, Debug, Default)]
pub struct Triaged {
    /// Findings at or above the thresholds, suppressed ones included, sorted.
    pub findings: Vec<Finding>,
    /// New findings below the asked-for confidence or severity.
    pub below_threshold: u64,
    /// Matches dropped because the base side held the same secret.
    pub known_in_base: u64,
    /// What the entries of the configuration and of the baseline did.
    pub uses: Uses,
}

/// Makes findings of all candidates of a scan. The order of `candidates` does not matter.
pub fn finish(
    candidates: Vec<Candidate>,
    base: &BaseSecrets,
    attributor: Option<&mut dyn Attributor>,
    rules: &dyn RuleBook,
    options: &TriageOptions,
    coverage: &mut Coverage,
) -> Triaged {
    let before = candidates.len();
    let new: Vec<Candidate> = candidates.into_iter().filter(|c| !base.holds(&c.secret)).collect();
    let mut triaged = Triaged {
        known_in_base: (before - new.len()) as u64,
        uses: Uses::none(options),
        ..Triaged::default()
    };
    let places = settle(sorted(new), rules);
    let links = link(&places, rules);
    let groups = rank(group(&places, &links), &places, rules);
    let is_public = |group: &Group| !options.include_public && rules.info(group.rule).public;
    let (asked, others): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(|group| {
        !is_public(group)
            && group.confidence >= options.min_confidence
            && group.severity >= options.min_severity
    });
    let (drawn, others) = drawn_in(&asked, others, &links);
    let below: Vec<Group> = others.into_iter().filter(|group| !is_public(group)).collect();
    triaged.below_threshold = below.iter().filter(|group| group.sample.is_none()).count() as u64;

    let seen = asked.iter().chain(&drawn).flat_map(|group| &group.places);
    let origins = seen.map(|&at| &*places[at].candidate.origin);
    let placements = Placements::of(origins, attributor, coverage);
    let desk = Desk { places: &places, placements: &placements, rules, options, crowds: Crowds::of(&places) };
    let is_sure = |judged: &Judged| judged.confidence >= options.min_confidence;
    let (shown, mut unshown): (Vec<Row>, Vec<Row>) =
        desk.judge_all(&asked, &mut triaged.uses).into_iter().partition(|(_, judged)| is_sure(judged));
    unshown.extend(desk.judge_all(&drawn, &mut triaged.uses));
    let (wholes, mut hidden) = join(shown, unshown, &links.joined);
    // Without the places that are told elsewhere, what is left can be less sure.
    let (wholes, unsure): (Vec<Whole>, Vec<Whole>) =
        wholes.into_iter().partition(|whole| !whole.parts.is_empty() || is_sure(&whole.judged));
    hidden.extend(unsure.into_iter().map(|whole| (whole.group, whole.judged)));
    let counts = |(group, judged): &&Row| judged.disposition.is_new() && !is_public(group);
    triaged.below_threshold += hidden.iter().filter(counts).count() as u64;
    let findings = desk.findings(wholes);
    if options.seek_idle && options.honour_allows && triaged.uses.idle(options) {
        // What is not shown may still be what an entry is for.
        desk.judge_all(&below, &mut triaged.uses);
    }
    triaged.findings = with_companions(findings);
    triaged
}

/// Takes out of `others` what may be a part of something `asked`: with that one it is told, whatever
/// it is worth alone.
fn drawn_in(asked: &[Group], others: Vec<Group>, links: &Links) -> (Vec<Group>, Vec<Group>) {
    if links.joined.is_empty() {
        return (Vec::new(), others);
    }
    let known: HashSet<usize> = asked.iter().flat_map(|group| &group.places).copied().collect();
    let parts: HashSet<usize> =
        links.joined.iter().filter(|(whole, _)| known.contains(whole)).map(|&(_, part)| part).collect();
    others.into_iter().partition(|group| group.places.iter().any(|at| parts.contains(at)))
}

/// The fingerprint of each group. One secret under several rules is hashed once: the slow hash is
/// most of the time that a report with many passwords takes.
fn fingerprints(groups: &[&Group], rules: &dyn RuleBook, key: Option<&FingerprintKey>) -> Vec<Fingerprint> {
    let subject = |group: &Group| (rules.info(group.rule).guessable, group.secret.clone());
    let mut subjects: Vec<(bool, Secret)> = groups.iter().copied().map(subject).collect();
    subjects.sort_unstable_by(|a, b| (a.0, a.1.expose()).cmp(&(b.0, b.1.expose())));
    subjects.dedup();
    let (fast, slow) = subjects.split_at(subjects.partition_point(|(guessable, _)| !guessable));
    let some = |subjects: &[(bool, Secret)]| {
        Fingerprint::of_guessable(&subjects.iter().map(|(_, secret)| secret).collect::<Vec<_>>(), key)
    };
    let fast = fast.par_iter().map(|(_, secret)| Fingerprint::of(secret, false, key));
    let prints: Vec<Fingerprint> =
        fast.chain(slow.par_chunks(Fingerprint::AT_ONCE).flat_map_iter(some)).collect();
    let print = |group: &Group| {
        let (guessable, secret) = subject(group);
        let place = subjects.binary_search_by(|s| (s.0, s.1.expose()).cmp(&(guessable, secret.expose())));
        // NOTE: every group's subject was put there above.
        prints[place.expect("a subject of its own")].clone()
    };
    groups.iter().copied().map(print).collect()
}

/// Sorted by origin and place, without exact duplicates (overlapping windows, content that was
/// read twice).
fn sorted(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.par_sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.excerpt.cmp(&b.excerpt)));
    candidates.dedup_by(|a, b| order(a) == order(b));
    candidates
}

/// What makes two candidates the same one.
fn order(c: &Candidate) -> impl Ord + '_ {
    (&c.origin, c.span, c.rule, c.secret.expose(), &c.decoded)
}

/// All places of one secret under one rule.
#[derive(Debug)]
pub(super) struct Group {
    /// Where it stood among all groups; companions refer to it.
    pub(super) index: usize,
    rule: u16,
    secret: Secret,
    /// Indices of its places.
    places: Vec<usize>,
    /// Groups that complete its credential.
    partners: BTreeSet<usize>,
    /// Its rule names companions, and none stands near any of its places.
    alone: bool,
    /// It opens nothing without a companion that stands near none of its places.
    half: bool,
    /// Highest confidence it can have; paths can only lower it.
    confidence: Confidence,
    severity: Severity,
    mode: CredentialMode,
    checksum: Checksum,
    notes: Vec<Note>,
    /// Where it was published as a sample.
    sample: Option<&'static str>,
}

/// Groups places by rule and secret, in the order of their first places.
fn group(places: &[Kept], links: &Links) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<(u16, &[u8]), usize> = HashMap::new();
    let mut group_of = Vec::with_capacity(places.len());
    for (at, place) in places.iter().enumerate() {
        let index = *known.entry((place.rule, place.candidate.secret.expose())).or_insert_with(|| {
            groups.push(Group {
                index: groups.len(),
                rule: place.rule,
                secret: place.candidate.secret.clone(),
                places: Vec::new(),
                partners: BTreeSet::new(),
                alone: false,
                half: false,
                confidence: Confidence::Low,
                severity: Severity::Info,
                mode: CredentialMode::Live,
                checksum: place.candidate.checksum,
                notes: Vec::new(),
                sample: None,
            });
            groups.len() - 1
        });
        groups[index].places.push(at);
        group_of.push(index);
    }
    for &(one, other) in &links.pairs {
        let (one, other) = (group_of[one], group_of[other]);
        if one != other {
            groups[one].partners.insert(other);
            groups[other].partners.insert(one);
        }
    }
    let (alone, half): (BTreeSet<_>, BTreeSet<_>) =
        (links.alone.iter().collect(), links.half.iter().collect());
    for group in &mut groups {
        let complete = !group.partners.is_empty();
        group.alone = !complete && group.places.iter().any(|at| alone.contains(at));
        group.half = group.places.iter().all(|at| half.contains(at));
    }
    groups
}

/// Judges each group as such: severity, mode, remarks, and the confidence before paths count.
fn rank(mut groups: Vec<Group>, places: &[Kept], rules: &dyn RuleBook) -> Vec<Group> {
    for group in &mut groups {
        let info = rules.info(group.rule);
        // Rules of other tools' files find what they find there; whoever wrote them allows samples.
        let own = info.kind != Kind::Imported.as_str();
        group.sample = published(info, group.secret.expose()).filter(|_| own);
        let members = || group.places.iter().map(|&at| &places[at].candidate);
        group.confidence = members().map(Candidate::own_confidence).max().unwrap_or(Confidence::Low);
        group.severity = info.severity;
        if let Some(severity) = rules.test_severity(group.rule, group.secret.expose()) {
            group.severity = severity;
            group.mode = CredentialMode::Test;
            group.notes.push(note("test-key", "its form says test or sandbox"));
        }
        if group.checksum == Checksum::Failed {
            group.notes.push(note("checksum-failed", "its checksum is wrong: invented, cut or altered"));
        }
        let live = group.mode == CredentialMode::Live && !info.public;
        if let Some(prefix) = members().filter_map(|c| c.exposed).min().filter(|_| live) {
            group.severity = raised(group.severity);
            group.notes.push(Note {
                code: "client-exposed-name",
                text: format!(
                    "stands under a name with {prefix}: build tools ship such values to every client"
                ),
            });
        }
        if group.half {
            group.severity = group.severity.min(Severity::Info);
            group.confidence = Confidence::Low;
            group.notes.push(note("half-pair", "opens nothing without its other half, which is not here"));
        } else if !group.partners.is_empty() {
            if live {
                group.severity = raised(group.severity);
            }
            group.notes.push(note(COMPLETE, "the other half of this credential stands beside it"));
        } else if group.alone {
            // An id says whose the other half is, no more.
            if rules.partners(group.rule).iter().any(|partner| partner.part_of) {
                group.confidence = group.confidence.min(Confidence::Medium);
            }
            group.notes.push(note("half-pair", "the other half of this credential is not beside it"));
        }
    }
    groups
}

/// Code of the remark on a credential whose other half is there.
const COMPLETE: &str = "complete-credential";

/// Remarks on what the engine saw around a match.
fn trait_notes(traits: u16) -> impl Iterator<Item = Note> {
    let known = [
        (Match::TRAIT_PLACEHOLDER, "placeholder", "reads like a placeholder or a default"),
        (Match::TRAIT_COMPARED, "compared", "is compared with here, not assigned"),
    ];
    known.into_iter().filter(move |(bit, ..)| traits & bit != 0).map(|(_, code, text)| note(code, text))
}

fn note(code: &'static str, text: &str) -> Note {
    Note { code, text: text.to_owned() }
}

/// The next severity up; [`Severity::Critical`] stays.
fn raised(severity: Severity) -> Severity {
    Severity::ALL.into_iter().find(|level| *level > severity).unwrap_or(Severity::Critical)
}

/// What is needed to write findings.
struct Desk<'a> {
    places: &'a [Kept],
    placements: &'a Placements,
    rules: &'a dyn RuleBook,
    options: &'a TriageOptions,
    /// Where many secrets of one kind stand together.
    crowds: Crowds<'a>,
}

/// What is decided about a group.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// Known so early only when a decision hung on it.
    print: Option<Fingerprint>,
    /// At least one.
    pub(super) occurrences: Vec<Placed>,
    confidence: Confidence,
    disposition: Disposition,
}

/// An occurrence, and the place it is of.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// Index of the place; one place has an occurrence for each of its paths.
    pub(super) at: usize,
    pub(super) occurrence: Occurrence,
}

impl Judged {
    /// The same about no place.
    pub(super) fn without_places(&self) -> Self {
        let Self { print, occurrences: _, confidence, disposition } = self;
        let (print, disposition) = (print.clone(), disposition.clone());
        Self { print, occurrences: Vec::new(), confidence: *confidence, disposition }
    }

    /// The same about other places; to be settled.
    pub(super) fn with(&self, occurrences: Vec<Placed>) -> Self {
        Self { occurrences, ..self.without_places() }
    }

    /// Takes the sum of its places; none when there is none.
    pub(super) fn settled(mut self) -> Option<Self> {
        self.occurrences.sort_by(|a, b| {
            let (a, b) = (&a.occurrence, &b.occurrence);
            shown(a).cmp(&shown(b)).then_with(|| a.timeline.cmp(&b.timeline))
        });
        let places = || self.occurrences.iter().map(|placed| &placed.occurrence);
        let counted = places().filter(|place| place.disposition.is_new()).map(|place| place.confidence);
        let confidence = counted.max().or_else(|| places().map(|place| place.confidence).max())?;
        let disposition = match places().any(|place| place.disposition.is_new()) {
            true => Disposition::New,
            false => places().next()?.disposition.clone(),
        };
        Some(Self { confidence, disposition, ..self })
    }
}

impl Desk<'_> {
    /// What is decided about each group.
    fn judge_all<'g>(&self, groups: &'g [Group], uses: &mut Uses) -> Vec<(&'g Group, Judged)> {
        let all: Vec<&Group> = groups.iter().collect();
        let prints = match self.options.asks_for_fingerprints() {
            true => fingerprints(&all, self.rules, self.options.key.as_ref()),
            false => Vec::new(),
        };
        let named: Vec<Named<'_>> =
            groups.iter().zip(&prints).map(|(group, print)| Named { print, secret: &group.secret }).collect();
        let known = entries_of(&self.options.baseline, &named);
        all.into_iter()
            .enumerate()
            .filter_map(|(at, group)| {
                let known = known.get(at).copied().flatten();
                let judged = self.judge(group, prints.get(at), known, &mut uses.allow)?;
                if let Some(entry) = known {
                    uses.baseline[entry] += 1;
                }
                Some((group, judged))
            })
            .collect()
    }

    /// What is decided about a group; none when its rule looks at none of its places.
    fn judge(
        &self,
        group: &Group,
        print: Option<&Fingerprint>,
        known: Option<usize>,
        uses: &mut [u64],
    ) -> Option<Judged> {
        let mut occurrences = Vec::with_capacity(group.places.len());
        for &at in &group.places {
            let found = self.occurrences(group, &self.places[at], print, known, uses);
            occurrences.extend(found.into_iter().map(|occurrence| Placed { at, occurrence }));
        }
        let (confidence, disposition) = (Confidence::Low, Disposition::New);
        Judged { print: print.cloned(), occurrences, confidence, disposition }.settled()
    }

    /// The findings that are shown, with their components. Only these need their fingerprints in any case.
    fn findings<'g>(&self, wholes: Vec<Whole<'g>>) -> Vec<Joined<'g>> {
        let rows = |whole: &Whole<'g>| {
            let parts = whole.parts.iter().map(|(group, judged)| (*group, judged.print.is_none()));
            std::iter::once((whole.group, whole.judged.print.is_none())).chain(parts).collect::<Vec<_>>()
        };
        let nameless: Vec<&Group> =
            wholes.iter().flat_map(rows).filter(|(_, nameless)| *nameless).map(|(group, _)| group).collect();
        let mut prints = fingerprints(&nameless, self.rules, self.options.key.as_ref()).into_iter();
        let mut named = |(group, judged): Row<'g>| {
            let print = judged.print.clone().or_else(|| prints.next())?;
            Some((group, self.finding(group, judged, print)))
        };
        let joined = |Whole { group, judged, parts, elsewhere }: Whole<'g>| {
            let (group, mut finding) = named((group, judged))?;
            if elsewhere {
                finding.notes.iter_mut().filter(|note| note.code == COMPLETE).for_each(|note| {
                    note.text =
                        "the other half of this credential stands beside it in another place".to_owned();
                });
            }
            let parts: Vec<(&Group, Finding)> = parts.into_iter().filter_map(&mut named).collect();
            Some(Joined { group, finding, parts })
        };
        // NOTE: each group without a fingerprint got its one above, so that none is left out.
        wholes.into_iter().filter_map(joined).collect()
    }

    fn finding(&self, group: &Group, judged: Judged, fingerprint: Fingerprint) -> Finding {
        Finding {
            rule: self.rules.info(group.rule).clone(),
            fingerprint,
            secret: group.secret.clone(),
            redacted: group.secret.redacted(redaction(self.rules, group.rule, group.secret.expose())),
            severity: group.severity,
            confidence: judged.confidence,
            mode: group.mode,
            checksum: group.checksum,
            validation: Validation::NotAttempted,
            companions: Vec::new(),
            components: Vec::new(),
            occurrences: judged.occurrences.into_iter().map(|placed| placed.occurrence).collect(),
            disposition: judged.disposition,
            notes: group.notes.clone(),
        }
    }

    /// One occurrence for each path under which the place is known.
    fn occurrences(
        &self,
        group: &Group,
        kept: &Kept,
        print: Option<&Fingerprint>,
        known: Option<usize>,
        uses: &mut [u64],
    ) -> Vec<Occurrence> {
        let candidate = &kept.candidate;
        let found = self.placements.places(&candidate.origin);
        found
            .into_iter()
            .filter(|(path, _)| self.rules.looks_at(candidate.rule, path.as_ref()))
            .map(|(path, timeline)| {
                let place = Place {
                    rules: [&self.rules.info(kept.rule).id, &self.rules.info(candidate.rule).id],
                    path: path.as_ref(),
                    secret: &candidate.secret,
                    fingerprint: print,
                    allows: &candidate.allows,
                    pardon: self.pardon(candidate, path.as_ref(), timeline.as_ref()),
                };
                let options = self.options;
                let honour = Honour {
                    any: options.honour_allows,
                    markers: options.honour_markers,
                    others: &options.other_markers,
                    today: options.today,
                };
                let known = known.map(|entry| &options.baseline.entries()[entry]);
                let verdict = decide(&place, group.sample, &options.allow, known, honour);
                if let Some(entry) = verdict.entry {
                    uses[entry] += 1;
                }
                let mut notes = verdict.notes;
                let mut confidence = candidate.own_confidence().min(group.confidence);
                let standing = Standing::of(path.as_ref(), candidate);
                let info = self.rules.info(candidate.rule);
                let proven =
                    candidate.checksum == Checksum::Passed && self.rules.issuer_checks(candidate.rule);
                if !proven && info.kind != Kind::Imported.as_str() {
                    confidence = standing.judge(confidence, info, &mut notes);
                }
                if standing.is_test() && self.crowds.hold(kept) {
                    confidence = confidence.lowered();
                    notes.push(note("test-vectors", "stands among many of its kind in one test file"));
                }
                notes.extend(trait_notes(candidate.traits));
                notes.extend(self.rule_notes(kept));
                Occurrence {
                    repository: None,
                    origin: (*candidate.origin).clone(),
                    path,
                    object: candidate.origin.object(),
                    span: candidate.span,
                    region: candidate.region,
                    excerpt: candidate.excerpt.clone(),
                    line_hash: candidate.line_hash.clone(),
                    timeline,
                    decoded: candidate.decoded.clone(),
                    context: candidate.context.clone(),
                    confidence,
                    disposition: verdict.disposition,
                    notes,
                }
            })
            .collect()
    }

    /// The first allowlist of an imported configuration that holds at a place.
    fn pardon(
        &self,
        candidate: &Candidate,
        path: Option<&RepoPath>,
        timeline: Option<&Timeline>,
    ) -> Option<&Allowlist> {
        let commit =
            timeline.and_then(|timeline| timeline.introduced.as_ref()).map(|commit| commit.id.to_string());
        candidate.pardons.iter().find_map(|(number, settled)| {
            let list = self.rules.allowlist(*number)?;
            (*settled || list.place(path.map(RepoPath::as_bytes), commit.as_deref())).then_some(list)
        })
    }

    /// Remarks on other rules that saw the same place.
    fn rule_notes(&self, kept: &Kept) -> Vec<Note> {
        let mut notes = Vec::new();
        if kept.rule != kept.candidate.rule {
            notes.push(Note {
                code: "known-from-elsewhere",
                text: format!(
                    "matched by {} here; another place tells whose it is",
                    self.rules.info(kept.candidate.rule).id
                ),
            });
        }
        let mut also: Vec<&str> = kept.also.iter().map(|&rule| self.rules.info(rule).id.as_str()).collect();
        also.sort_unstable();
        if !also.is_empty() {
            notes.push(Note { code: "also-matched", text: format!("also matched by {}", also.join(", ")) });
        }
        notes
    }
}

/// Order of occurrences: those with a path first, files before history, then by position.
fn shown(place: &Occurrence) -> impl Ord + '_ {
    (place.path.is_none(), &place.path, place.object, place.span, &place.origin, &place.decoded)
}

/// A finding on its way out, with the groups it came from.
struct Joined<'g> {
    group: &'g Group,
    finding: Finding,
    parts: Vec<(&'g Group, Finding)>,
}

impl Joined<'_> {
    /// The finding with its parts inside. The whole is as severe as the worst half and as sure as the
    /// surest one, of those that count if it counts.
    fn whole(self, prints: &HashMap<usize, Fingerprint>) -> Finding {
        let Self { group, mut finding, parts } = self;
        let inside: BTreeSet<usize> = parts.iter().map(|(part, _)| part.index).chain([group.index]).collect();
        let companions = |group: &Group| {
            let others = group.partners.iter().filter(|partner| !inside.contains(partner));
            let mut companions: Vec<Fingerprint> =
                others.filter_map(|partner| prints.get(partner).cloned()).collect();
            companions.sort();
            companions
        };
        finding.companions = companions(group);
        for (group, mut part) in parts {
            part.companions = companions(group);
            part.notes.retain(|note| note.code != COMPLETE);
            if part.disposition.is_new() == finding.disposition.is_new() {
                finding.severity = finding.severity.max(part.severity);
                finding.confidence = finding.confidence.max(part.confidence);
            }
            finding.components.push(part);
        }
        finding
    }
}

/// Names each finding's companions, puts components in, and sorts all.
fn with_companions(findings: Vec<Joined<'_>>) -> Vec<Finding> {
    let rows = |joined: &Joined<'_>| {
        let own = (joined.group.index, joined.finding.fingerprint.clone());
        let parts = joined.parts.iter().map(|(group, part)| (group.index, part.fingerprint.clone()));
        parts.chain([own]).collect::<Vec<_>>()
    };
    let prints: HashMap<usize, Fingerprint> = findings.iter().flat_map(rows).collect();
    let mut findings: Vec<Finding> = findings.into_iter().map(|joined| joined.whole(&prints)).collect();
    findings.sort_by(|a, b| {
        let (first, second) = (a.primary(), b.primary());
        shown(first)
            .cmp(&shown(second))
            .then_with(|| a.rule.id.cmp(&b.rule.id))
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
    });
    findings
}
