//! Rules of gitleaks, run as gitleaks runs them: over the whole content, without triggers.
//!
//! Apart from the pass over the text, because such rules have no bounded neighbourhood: whether
//! one runs depends on words anywhere in the content, and composite rules on matches anywhere.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use crate::finding::{Checksum, Confidence, Match, Span};
use crate::import::gitleaks::{Config, Outcome, Required, Rule, Subject, shannon};

/// The rules of one configuration, with their numbers in the engine's rule set.
#[derive(Debug)]
pub struct Imported {
    config: Arc<Config>,
    numbers: Vec<Option<u16>>,
    keywords: Option<AhoCorasick>,
    /// Rules of each keyword.
    owners: Vec<Vec<usize>>,
}

/// A match of one rule.
#[derive(Clone, Copy, Debug)]
struct Hit {
    rule: usize,
    /// Where the expression matched, line feeds at its ends included.
    at: usize,
    span: Span,
    secret: Span,
    line: usize,
    column: usize,
}

impl Imported {
    /// Prepares the rules of `config`; `number` tells a rule's number, if it runs.
    #[must_use]
    pub fn new(config: Arc<Config>, number: impl Fn(&str) -> Option<u16>) -> Self {
        let numbers = config.rules.iter().map(|rule| number(&rule.id)).collect();
        let mut words: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, rule) in config.rules.iter().enumerate() {
            for word in &rule.keywords {
                words.entry(word).or_default().push(index);
            }
        }
        let keywords = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(words.keys()).ok();
        let owners = words.values().cloned().collect();
        Self { config, numbers, keywords, owners }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether `path` is the configuration itself, which its own rules do not look at.
    #[must_use]
    pub fn is_own_file(&self, path: &[u8]) -> bool {
        self.config.file.file_name().is_some_and(|name| name.as_encoded_bytes() == path)
    }

    /// The rule with number `number`.
    #[must_use]
    pub fn rule(&self, number: u16) -> Option<&Rule> {
        self.index(number).map(|index| &self.config.rules[index])
    }

    fn index(&self, number: u16) -> Option<usize> {
        self.numbers.iter().position(|known| *known == Some(number))
    }

    /// Appends the matches of all rules in `bytes` that start in `own`. `path` is where the content
    /// is, as far as that is known: rules for other paths do not run.
    pub fn scan(&self, bytes: &[u8], own: &Range<usize>, path: Option<&[u8]>, out: &mut Vec<Match>) {
        if path.is_some_and(|path| self.is_own_file(path)) {
            return;
        }
        let mut hits = Vec::new();
        let lines = Lines::of(bytes);
        for (index, runs) in self.candidates(bytes).into_iter().enumerate() {
            let rule = &self.config.rules[index];
            if !runs || rule.skip_report || self.numbers[index].is_none() {
                continue;
            }
            let found = self.find(index, bytes, &lines, path);
            hits.extend(if rule.required.is_empty() {
                found
            } else {
                self.complete(rule, found, bytes, &lines, path)
            });
        }
        for hit in hits.iter().filter(|hit| own.contains(&hit.at) && !self.outranked(hit, &hits, bytes, path))
        {
            // NOTE: rules without a number were left out above.
            let Some(number) = self.numbers[hit.rule] else { continue };
            out.push(Match {
                rule: number,
                trigger: hit.at,
                span: hit.span,
                secret: hit.secret,
                confidence: Confidence::Medium,
                checksum: Checksum::Absent,
                decoded: None,
                traits: 0,
            });
        }
    }

    /// Numbers of the rules that look at paths alone and find `path`.
    pub fn paths<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = u16> + 'a {
        self.config.rules.iter().zip(&self.numbers).filter_map(move |(rule, number)| {
            let alone = rule.regex.is_none() && !rule.skip_report;
            number.filter(|_| alone && rule.path.as_ref().is_some_and(|any| any.is_match(path)))
        })
    }

    /// For each rule whether one of its keywords is there, or it has none.
    fn candidates(&self, bytes: &[u8]) -> Vec<bool> {
        let mut runs: Vec<bool> = self.config.rules.iter().map(|rule| rule.keywords.is_empty()).collect();
        let mut seen = vec![false; self.owners.len()];
        for hit in self.keywords.iter().flat_map(|words| words.find_overlapping_iter(bytes)) {
            let word = hit.pattern().as_usize();
            if !std::mem::replace(&mut seen[word], true) {
                self.owners[word].iter().for_each(|&rule| runs[rule] = true);
            }
        }
        runs
    }

    /// All matches of one rule that its group and entropy leave, and that no allowlist takes away
    /// whatever the place.
    fn find(&self, index: usize, bytes: &[u8], lines: &Lines, path: Option<&[u8]>) -> Vec<Hit> {
        let rule = &self.config.rules[index];
        let Some(regex) = &rule.regex else { return Vec::new() };
        let elsewhere = |path: &[u8]| rule.path.as_ref().is_some_and(|any| !any.is_match(path));
        if path.is_some_and(elsewhere) {
            return Vec::new();
        }
        let mut hits = Vec::new();
        for found in regex.regex().find_iter(bytes) {
            let lead = found.as_bytes().iter().take_while(|&&b| b == b'\n').count();
            let tail = found.as_bytes()[lead..].iter().rev().take_while(|&&b| b == b'\n').count();
            let span = Span::new(found.start() + lead, found.end() - tail);
            let Some(secret) = secret(rule, span, bytes).filter(|secret| !secret.is_empty()) else {
                continue;
            };
            if rule.entropy != 0.0 && shannon(secret.of(bytes)) <= rule.entropy {
                continue;
            }
            let (line, column) = lines.position(found.start());
            hits.push(Hit { rule: index, at: found.start(), span, secret, line, column });
        }
        hits
    }

    /// The matches of a composite rule that have all their parts near them.
    fn complete(
        &self,
        rule: &Rule,
        found: Vec<Hit>,
        bytes: &[u8],
        lines: &Lines,
        path: Option<&[u8]>,
    ) -> Vec<Hit> {
        if found.is_empty() {
            return found;
        }
        let parts: Vec<(&Required, Vec<Hit>)> = rule
            .required
            .iter()
            .map(|part| {
                let index = self.config.rules.iter().position(|rule| rule.id == part.id);
                let hits = index.map(|index| self.find(index, bytes, lines, path)).unwrap_or_default();
                let counted = hits.into_iter().filter(|hit| !self.allowed(hit, bytes, path)).collect();
                (part, counted)
            })
            .collect();
        let near = |hit: &Hit, part: &Required, other: &Hit| {
            part.lines.is_none_or(|most| hit.line.abs_diff(other.line) <= most)
                && part.columns.is_none_or(|most| hit.column.abs_diff(other.column) <= most)
        };
        found
            .into_iter()
            .filter(|hit| parts.iter().all(|(part, hits)| hits.iter().any(|other| near(hit, part, other))))
            .collect()
    }

    /// Whether an allowlist holds for `hit`, as far as content and path tell.
    fn allowed(&self, hit: &Hit, bytes: &[u8], path: Option<&[u8]>) -> bool {
        let subject = Subject {
            secret: hit.secret.of(bytes),
            hit: hit.span.of(bytes),
            line: line(bytes, hit.at, hit.span),
        };
        let rule = &self.config.rules[hit.rule];
        self.config.allowlists.iter().chain(&rule.allowlists).any(|list| match list.content(&subject) {
            Outcome::Holds => true,
            Outcome::Depends => list.place(path, None),
            Outcome::Fails => false,
        })
    }

    /// A rule called generic gives way to another on the same line whose secret holds its own.
    fn outranked(&self, hit: &Hit, all: &[Hit], bytes: &[u8], path: Option<&[u8]>) -> bool {
        let generic = |hit: &Hit| self.config.rules[hit.rule].id.to_lowercase().contains("generic");
        generic(hit)
            && !self.allowed(hit, bytes, path)
            && all.iter().any(|other| {
                other.line == hit.line
                    && !generic(other)
                    && memchr::memmem::find(other.secret.of(bytes), hit.secret.of(bytes)).is_some()
                    && !self.allowed(other, bytes, path)
            })
    }
}

/// The secret in a match. The expression is run on the match alone, as gitleaks does: what stands
/// around it is not seen.
fn secret(rule: &Rule, span: Span, bytes: &[u8]) -> Option<Span> {
    let regex = rule.regex.as_ref()?;
    if regex.groups() == 0 {
        return Some(span);
    }
    let Some(captures) = regex.regex().captures(span.of(bytes)) else { return Some(span) };
    let group = if rule.group > 0 {
        // A group that took no part is an empty secret, which nobody can report.
        captures.get(rule.group)?
    } else {
        match captures.iter().skip(1).flatten().find(|group| !group.is_empty()) {
            Some(group) => group,
            None => return Some(span),
        }
    };
    Some(Span::new(span.start + group.start(), span.start + group.end()))
}

/// The line a match stands on, from the line feed before it to the end of its last line.
#[must_use]
pub fn line(bytes: &[u8], at: usize, span: Span) -> &[u8] {
    let at = at.min(bytes.len());
    let start = memchr::memrchr(b'\n', &bytes[..(at + 1).min(bytes.len())]).unwrap_or(0);
    let end = at + span.len();
    let stop = memchr::memchr(b'\n', &bytes[end.min(bytes.len())..]).map_or(bytes.len(), |more| end + more);
    &bytes[start..stop.max(start)]
}

/// Offsets of line feeds, to count lines as gitleaks does.
struct Lines(Vec<usize>);

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        Self(memchr::memchr_iter(b'\n', bytes).collect())
    }

    /// Line and column of a match. The line feed belongs to the line after it.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.0.partition_point(|&feed| feed <= at);
        let start = before.checked_sub(1).map_or(0, |last| self.0[last]);
        (before, at - start)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What `config` finds in `text` at `path`: rule and secret.
    fn found(config: &str, path: Option<&str>, text: &str) -> Vec<(String, String)> {
        let config = Config::parse(config, Path::new(".gitleaks.toml"), &|_| Err("none".to_owned()))
            .unwrap_or_else(|error| panic!("{error}"));
        let ids: Vec<String> = config.rules.iter().map(|rule| rule.id.clone()).collect();
        let number = |id: &str| ids.iter().position(|known| known == id).map(|at| at as u16);
        let imported = Imported::new(Arc::new(config), number);
        let mut out = Vec::new();
        imported.scan(text.as_bytes(), &(0..text.len()), path.map(str::as_bytes), &mut out);
        let told = |hit: &Match| {
            (
                ids[usize::from(hit.rule)].clone(),
                String::from_utf8_lossy(hit.secret.of(text.as_bytes())).into_owned(),
            )
        };
        out.iter().map(told).collect()
    }

    fn secrets(config: &str, text: &str) -> Vec<String> {
        found(config, None, text).into_iter().map(|(_, secret)| secret).collect()
    }

    #[test]
    fn groups_choose_the_secret() {
        let rule = |rest: &str| format!("[[rules]]\nid = 'a'\n{rest}\n");
        assert_eq!(secrets(&rule("regex = 'k=\\w+'"), "k=abc"), ["k=abc"]);
        assert_eq!(secrets(&rule("regex = 'k=(x)?(\\w+)'"), "k=abc"), ["abc"]);
        assert_eq!(secrets(&rule("regex = '(k)=(\\w+)'\nsecretGroup = 2"), "k=abc"), ["abc"]);
        assert_eq!(secrets(&rule("regex = '(k)(x)?='\nsecretGroup = 2"), "k="), [""; 0]);
        // Run on the match alone, `\\B` fails, and the whole match is the secret.
        assert_eq!(secrets(&rule("regex = '\\B(k)=\\w'"), "ak=1"), ["k=1"]);
        assert_eq!(secrets(&rule("regex = '\\n(\\w+)\\n'"), "\nabc\n"), ["\nabc\n".trim()]);
    }

    #[test]
    fn keywords_are_anywhere_in_the_content_and_entropy_must_be_exceeded() {
        let config = "[[rules]]\nid = 'a'\nregex = 'x=(\\w+)'\nkeywords = ['Needle', 'two']\nentropy = 2.0\n";
        assert_eq!(secrets(config, "x=abcde"), [""; 0]);
        assert_eq!(secrets(config, "x=abcde NEEDLE"), ["abcde"]);
        assert_eq!(secrets(config, "x=abcd needle"), [""; 0], "exactly 2 bits are not enough");
    }

    #[test]
    fn rules_for_paths_run_there_only() {
        let config =
            "[[rules]]\nid = 'a'\nregex = 'x\\w'\npath = '\\.env$'\n[[rules]]\nid = 'p'\npath = 'p12$'\n";
        assert_eq!(found(config, Some("a.env"), "xy").len(), 1);
        assert_eq!(found(config, Some("a.txt"), "xy").len(), 0);
        assert_eq!(found(config, None, "xy").len(), 1, "unknown: decided later");
    }

    #[test]
    fn composite_rules_need_their_parts() {
        let config = "[[rules]]\nid = 'id'\nregex = 'id=\\d+'\nskipReport = true\n\
                      [[rules]]\nid = 'key'\nregex = 'key=\\d+'\n\
                      [[rules.required]]\nid = 'id'\nwithinLines = 1\n";
        assert_eq!(secrets(config, "key=1"), [""; 0]);
        assert_eq!(secrets(config, "id=7\nkey=1"), ["key=1"]);
        assert_eq!(secrets(config, "id=7\n\nkey=1"), [""; 0]);
        let columns = config.replace("withinLines = 1", "withinColumns = 3");
        assert_eq!(secrets(&columns, "  id=7 key=1"), [""; 0]);
        assert_eq!(secrets(&columns, "  id=7\n\n  key=1"), ["key=1"]);
    }

    #[test]
    fn generic_rules_give_way() {
        let config =
            "[[rules]]\nid = 'my-Generic'\nregex = 'k=(\\w+)'\n[[rules]]\nid = 'exact'\nregex = 'acme\\w+'\n";
        assert_eq!(
            found(config, None, "k=acme1\nk=other"),
            [("my-Generic".to_owned(), "other".to_owned()), ("exact".to_owned(), "acme1".to_owned())]
        );
        let allowed = format!("{config}[[rules.allowlists]]\nstopwords = ['acme1']\n");
        assert_eq!(found(&allowed, None, "k=acme1").len(), 2, "what does not count displaces nothing");
        let elsewhere = format!("{config}[[rules.allowlists]]\npaths = ['^docs/']\n");
        assert_eq!(found(&elsewhere, Some("docs/a"), "k=acme1").len(), 2, "nor what does not count there");
        assert_eq!(found(&elsewhere, Some("src/a"), "k=acme1").len(), 1);
    }

    #[test]
    fn lines_begin_with_the_line_feed_before_them() {
        let text = b"a\nkey=1 # x\nb";
        assert_eq!(line(text, 2, Span::new(2, 7)), b"\nkey=1 # x");
        assert_eq!(line(text, 0, Span::new(0, 1)), b"a");
        assert_eq!(line(text, 12, Span::new(12, 13)), b"\nb");
    }
}
