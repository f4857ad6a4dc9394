//! Turns matches into candidates while the content is at hand.
//!
//! After this step nobody needs the content again: a candidate owns all that triage and reports
//! want to know of its surroundings.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::aside::{Aside, Asides};
use super::context;
use super::excerpt::Masks;
use super::exposure::exposed_prefix;
use super::lines::Lines;
use super::marker::{self, Found, InlineAllow};
use super::marker_block;
use super::position::regions;
use super::rulebook::RuleBook;
use super::standing;
use crate::chunk::{Chunk, Encoding};
use crate::engine::imported;
use crate::finding::{Checksum, Confidence, Detail, Match, Origin, Region, Secret, Span, line_hashes};
use crate::import::gitleaks::{Outcome, Subject};

/// Markers alone on their lines are followed upwards this many lines.
const STACKED_MARKERS: usize = 8;

/// One match with what its surroundings say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What was scanned.
    pub origin: Arc<Origin>,
    /// Index of the rule.
    pub rule: u16,
    /// The secret in plain bytes.
    pub secret: Secret,
    /// Offsets of the secret in the whole content as scanned.
    pub span: Span,
    /// Lines and columns of the secret.
    pub region: Region,
    /// The line it stands on, every secret masked.
    pub excerpt: String,
    /// GitHub's `primaryLocationLineHash`, where it was computed.
    pub line_hash: Option<String>,
    /// Encodings it was wrapped in, from the outside in.
    pub decoded: Vec<&'static str>,
    /// Confidence from the value and its neighbourhood.
    pub confidence: Confidence,
    /// Result of the checksum.
    pub checksum: Checksum,
    /// Allow markers that speak of this place, whether they hold or not.
    pub allows: Vec<Arc<InlineAllow>>,
    /// Prefix of the name it stands under, if such names are shipped to clients.
    pub exposed: Option<&'static str>,
    /// Allowlists that may speak of it, and whether the content alone has settled that they hold.
    pub pardons: Vec<(u16, bool)>,
    /// What lines beside it say of what it opens.
    pub context: Vec<Detail>,
    /// What its surroundings say it is there for.
    pub aside: Aside,
    /// What the engine saw of the neighbourhood, an or of `Match::TRAIT_…`.
    pub traits: u16,
}

impl Candidate {
    /// Its confidence with its checksum taken into account.
    #[must_use]
    pub fn own_confidence(&self) -> Confidence {
        match self.checksum {
            Checksum::Passed => Confidence::High,
            Checksum::Failed => Confidence::Low,
            Checksum::Absent => self.confidence,
        }
    }
}

/// Captures all `matches` of one chunk.
#[must_use]
pub fn capture(chunk: &Chunk<'_>, matches: &[Match], rules: &dyn RuleBook) -> Vec<Candidate> {
    capture_with(chunk, matches, rules, true)
}

/// [`capture()`], with or without GitHub's line hashes: these look at every line above a match.
#[must_use]
pub fn capture_with(
    chunk: &Chunk<'_>,
    matches: &[Match],
    rules: &dyn RuleBook,
    hashed: bool,
) -> Vec<Candidate> {
    if matches.is_empty() {
        return Vec::new();
    }
    let spans: Vec<Span> = matches.iter().map(|hit| hit.secret).collect();
    let mut page = Page {
        bytes: chunk.bytes,
        lines: Lines::new(chunk.bytes),
        masks: Masks::new(chunk.bytes, matches, rules),
        markers: BTreeMap::new(),
        blocks: None,
        asides: Asides::default(),
    };
    let origin = Arc::new(chunk.origin.clone());
    // NOTE: content is in memory or mapped, so its offsets fit a usize; a window of a larger
    // stream on a 32-bit machine saturates instead of wrapping.
    let base = usize::try_from(chunk.window.offset).unwrap_or(usize::MAX);
    let shift = |span: Span| Span::new(base.saturating_add(span.start), base.saturating_add(span.end));
    let regions = regions(chunk, &spans);
    let hashes = if hashed { github_hashes(chunk, &regions) } else { vec![None; regions.len()] };
    matches
        .iter()
        .zip(regions)
        .zip(hashes)
        .map(|((hit, region), line_hash)| {
            let context = page.context(hit, rules.info(hit.rule).kind);
            let raised = hit.confidence == Confidence::Low
                && standing::is_of_a_login(chunk.bytes, hit, rules.info(hit.rule), &context);
            let confidence = if raised { Confidence::Medium } else { hit.confidence };
            Candidate {
                origin: Arc::clone(&origin),
                rule: hit.rule,
                secret: hit.secret(chunk.bytes),
                span: shift(hit.secret),
                region,
                excerpt: match &hit.decoded {
                    Some(decoded) => page.masks.decoded_excerpt(decoded, rules, hit.rule),
                    None => page.masks.excerpt(chunk.bytes, &mut page.lines, hit.secret),
                },
                line_hash,
                decoded: hit.decoded.as_ref().map(|decoded| decoded.chain.clone()).unwrap_or_default(),
                confidence,
                checksum: hit.checksum,
                allows: page.allows(hit, rules.info(hit.rule).kind == "imported"),
                exposed: page.exposed(hit),
                pardons: pardons(chunk, hit, rules),
                context,
                aside: page.asides.around(chunk.bytes, hit.secret),
                traits: hit.traits,
            }
        })
        .collect()
}

/// The allowlists that hold for a match, or would at some place.
fn pardons(chunk: &Chunk<'_>, hit: &Match, rules: &dyn RuleBook) -> Vec<(u16, bool)> {
    let numbers = rules.allowlists_of(hit.rule);
    if numbers.is_empty() {
        return Vec::new();
    }
    // A rule for paths alone has no secret, and only places speak of it.
    let named = matches!(chunk.origin, Origin::FileName { .. }) && rules.info(hit.rule).kind == "imported";
    let feeds = chunk.bytes.get(hit.trigger..hit.span.start).unwrap_or_default();
    let at = if feeds.iter().all(|&b| b == b'\n') { hit.trigger.min(hit.span.start) } else { hit.span.start };
    let subject = if named {
        Subject { secret: b"", hit: b"", line: b"" }
    } else {
        Subject {
            secret: hit.secret_bytes(chunk.bytes),
            hit: hit.span.of(chunk.bytes),
            line: imported::line(chunk.bytes, at, hit.span),
        }
    };
    let held = |number: u16| match rules.allowlist(number)?.content(&subject) {
        Outcome::Holds => Some((number, true)),
        Outcome::Depends => Some((number, false)),
        Outcome::Fails => None,
    };
    numbers.into_iter().filter_map(held).collect()
}

/// GitHub's line hashes of `regions`.
///
/// None where GitHub could not compute the same: parts of larger content, content that is not the
/// file's own bytes, and files with lone carriage returns, whose lines it counts differently.
fn github_hashes(chunk: &Chunk<'_>, regions: &[Region]) -> Vec<Option<String>> {
    let own = match chunk.origin {
        Origin::File { .. } | Origin::Index { .. } | Origin::Blob { .. } | Origin::Stdin { .. } => true,
        Origin::FileName { .. }
        | Origin::SymlinkTarget { .. }
        | Origin::Commit { .. }
        | Origin::Tag { .. }
        | Origin::Tree { .. }
        | Origin::RefName { .. }
        | Origin::GitFile { .. }
        | Origin::Member { .. } => false,
    };
    let lone = |at: usize| chunk.bytes.get(at + 1) != Some(&b'\n');
    if !own
        || chunk.encoding != Encoding::Plain
        || !chunk.is_whole()
        || memchr::memchr_iter(b'\r', chunk.bytes).any(lone)
    {
        return vec![None; regions.len()];
    }
    let lines: Vec<usize> = regions.iter().map(|region| region.start.line).collect();
    line_hashes(chunk.bytes, &lines)
        .into_iter()
        .map(|hash| Some(hash).filter(|hash| !hash.is_empty()))
        .collect()
}

/// A chunk with what was already worked out about its lines.
struct Page<'a> {
    bytes: &'a [u8],
    lines: Lines<'a>,
    masks: Masks,
    /// Markers by start of line.
    markers: BTreeMap<usize, Arc<[Marker]>>,
    /// Blocks of allowed lines, once somebody asked for them.
    blocks: Option<Vec<(Range<usize>, Arc<InlineAllow>)>>,
    asides: Asides,
}

/// A marker whose reason is ready to print.
struct Marker {
    found: Found,
    allow: Arc<InlineAllow>,
}

impl Page<'_> {
    /// The client-exposed prefix of the name a match stands under. The engine knows names that
    /// stand on other lines; it does not say which prefix they have.
    fn exposed(&mut self, hit: &Match) -> Option<&'static str> {
        let line = self.lines.around(hit.secret.start);
        let named = hit.traits & Match::TRAIT_CLIENT_EXPOSED != 0;
        exposed_prefix(self.bytes, line.start, hit.span, hit.secret).or(named.then_some("a client prefix"))
    }

    /// What stands beside a match; key blocks and what expressions of others find have nothing beside them.
    fn context(&self, hit: &Match, kind: &str) -> Vec<Detail> {
        if matches!(kind, "block" | "imported") {
            return Vec::new();
        }
        let is_clean = |range: Range<usize>| {
            let text = String::from_utf8_lossy(&self.bytes[range.clone()]).into_owned();
            self.masks.safe_text(self.bytes, range) == text
        };
        context::beside(self.bytes, hit, is_clean)
    }

    /// The markers that speak of a match: on the lines where match and secret start and where
    /// the secret ends, and on the lines above the first two. For an imported rule the marker of
    /// gitleaks counts as there: on any line of the match.
    fn allows(&mut self, hit: &Match, imported: bool) -> Vec<Arc<InlineAllow>> {
        let (span, secret) = (hit.span, hit.secret);
        let mut starts = vec![self.lines.around(secret.start).start, self.lines.around(span.start).start];
        starts.dedup();
        let mut own = starts.clone();
        own.push(self.lines.around(secret.end - 1).start);
        own.dedup();
        let mut allows = Vec::new();
        for line in own {
            let outside = |at: usize| at < secret.start || secret.end <= at;
            let markers = self.markers_on(line);
            let speaks = |marker: &&Marker| marker.found.same_line && outside(marker.found.at);
            allows.extend(markers.iter().filter(speaks).map(|marker| Arc::clone(&marker.allow)));
        }
        if imported {
            allows.extend(self.within(span));
        }
        for start in starts {
            let mut line = start;
            for _ in 0..STACKED_MARKERS {
                let Some(above) = self.lines.above(line) else { break };
                let markers = self.markers_on(above.start);
                let before = allows.len();
                let speaks = |marker: &&Marker| marker.found.next_line;
                allows.extend(markers.iter().filter(speaks).map(|marker| Arc::clone(&marker.allow)));
                if allows.len() == before {
                    break;
                }
                line = above.start;
            }
        }
        allows.extend(self.blocks_around(secret));
        allows.sort();
        allows.dedup();
        allows
    }

    /// The markers of gitleaks on the lines of `span`.
    fn within(&mut self, span: Span) -> Vec<Arc<InlineAllow>> {
        let (mut start, mut allows) = (self.lines.around(span.start).start, Vec::new());
        while start < span.end {
            let markers = self.markers_on(start);
            let theirs = |marker: &&Marker| marker.allow.marker == "gitleaks:allow";
            allows.extend(markers.iter().filter(theirs).map(|marker| Arc::clone(&marker.allow)));
            start = self.lines.around(start).end + 1;
        }
        allows
    }

    /// The markers whose blocks hold all of `secret`.
    fn blocks_around(&mut self, secret: Span) -> Vec<Arc<InlineAllow>> {
        if self.blocks.is_none() {
            let found = marker_block::find(self.bytes, |at| self.lines.around(at));
            let told = found.into_iter().map(|block| (block.range, self.told(block.found).allow)).collect();
            self.blocks = Some(told);
        }
        let holds = |range: &Range<usize>| range.start <= secret.start && secret.end <= range.end;
        let around = self.blocks.iter().flatten().filter(|(range, _)| holds(range));
        around.map(|(_, allow)| Arc::clone(allow)).collect()
    }

    /// A marker with its reason as it may be printed.
    fn told(&self, found: Found) -> Marker {
        let reason = found.reason.clone().map(|range| {
            let text = self.masks.safe_text(self.bytes, range);
            marker::cut_reason(text)
        });
        Marker { allow: Arc::new(InlineAllow { reason, ..found.allow.clone() }), found }
    }

    fn markers_on(&mut self, start: usize) -> Arc<[Marker]> {
        if let Some(known) = self.markers.get(&start) {
            return Arc::clone(known);
        }
        let line = self.lines.around(start);
        let found = marker::find(self.bytes, line).into_iter();
        let markers: Arc<[Marker]> = found.map(|found| self.told(found)).collect();
        self.markers.insert(start, Arc::clone(&markers));
        markers
    }
}
