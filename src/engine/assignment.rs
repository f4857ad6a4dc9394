//! Value first: a random-looking run, the name on its left, and the rules its words select.

use super::cost::Finds;
use super::name::{self, Name};
use super::scan::Run;
use super::value::{self, Value};
use super::word::{self, Found};
use super::{Engine, entropy, generic, token};
use crate::finding::{Match, Span};
use crate::rule::shape::match_forward;
use crate::rule::{Entry, RuleSet};

/// Tests the run at `run` as a value: assignment rules by the words of its name, else the
/// generic detector. The trigger is the first byte of the run.
pub(super) fn scan(engine: &Engine, bytes: &[u8], run: Run, finds: &mut Finds<'_>) {
    scan_by::<ByTable>(engine, bytes, run, finds);
}

/// How rules are selected for a value.
pub(super) trait Select {
    /// Adds the rule words of an identifier to those found.
    fn words(rules: &RuleSet, ident: &[u8], found: &mut Found);

    /// Whether any rule may match this value, whatever its name.
    fn may_fit(rules: &RuleSet, bytes: &[u8], run: Run, value: Value) -> bool;
}

/// By the rule set's tables.
struct ByTable;

impl Select for ByTable {
    fn words(rules: &RuleSet, ident: &[u8], found: &mut Found) {
        word::collect(rules, ident, found);
    }

    fn may_fit(rules: &RuleSet, bytes: &[u8], run: Run, value: Value) -> bool {
        let values = &rules.tables.values;
        // Without a quote the bare run is tested, too.
        values.admits(value.of(bytes)) || value.quote.is_none() && values.admits(&bytes[run.start..run.end])
    }
}

/// By splitting and comparing texts, for the reference engine.
pub(super) struct ByText;

impl Select for ByText {
    fn words(rules: &RuleSet, ident: &[u8], found: &mut Found) {
        words_by_text(rules, ident, found);
    }

    fn may_fit(_: &RuleSet, _: &[u8], _: Run, _: Value) -> bool {
        true
    }
}

/// [`scan`] with rules selected in the way `S`.
pub(super) fn scan_by<S: Select>(engine: &Engine, bytes: &[u8], run: Run, finds: &mut Finds<'_>) {
    if name::follows_generated(bytes, run.start) {
        return;
    }
    let Some(value) = value::around(bytes, run) else { return };
    if is_digest(value.of(bytes)) {
        return;
    }
    let before = finds.len();
    let name = name::left_of(bytes, value.start);
    by_name::<S>(engine.rules(), bytes, run, value, &name, finds);
    if finds.len() == before
        && let Some(outer) = value::outer(bytes, value)
        && S::may_fit(engine.rules(), bytes, run, outer)
    {
        let name = name::left_of(bytes, outer.start);
        by_name::<S>(engine.rules(), bytes, run, outer, &name, finds);
    }
    if finds.len() == before {
        generic::scan_value(engine, bytes, run.start, value, &name, finds);
    }
}

/// Tests the entries that the `name` of `value`, or what stands around it, selects.
fn by_name<S: Select>(
    rules: &RuleSet,
    bytes: &[u8],
    run: Run,
    value: Value,
    name: &Name,
    finds: &mut Finds<'_>,
) {
    if !S::may_fit(rules, bytes, run, value) {
        return;
    }
    let before = finds.len();
    let mut found = Found::NONE;
    for (span, _) in name.idents() {
        S::words(rules, span.of(bytes), &mut found);
    }
    entries(rules, bytes, run, value, &found, finds);
    if finds.len() > before {
        return;
    }
    let known = found.ids().len();
    add_surroundings::<S>(rules, bytes, value, name, &mut found);
    if found.ids().len() > known {
        entries(rules, bytes, run, value, &found, finds);
    }
}

/// `sha512-…` and the like: integrity values of lock files, far too many to parse names for.
fn is_digest(value: &[u8]) -> bool {
    value.first() == Some(&b's')
        && [b"sha512-".as_slice(), b"sha256-", b"sha384-", b"sha1-"]
            .iter()
            .any(|start| value.starts_with(start))
}

/// The words of `ident` by splitting and comparing texts.
fn words_by_text(rules: &RuleSet, ident: &[u8], found: &mut Found) {
    let words = word::split(ident);
    for i in 0..words.len() {
        for joined in 1..=3.min(words.len() - i) {
            let text = words[i..i + joined].concat();
            for (id, word) in rules.words.iter().enumerate() {
                // Before a digit a word may end, too: `key1`.
                let cut = text.iter().enumerate().any(|(k, b)| {
                    b.is_ascii_digit()
                        && k > 0
                        && !text[k - 1].is_ascii_digit()
                        && text[..k] == *word.as_bytes()
                        && k > text.len() - words[i + joined - 1].len()
                });
                let ending =
                    joined == 1 && word::glued_ending(&text).is_some_and(|ending| ending == word.as_ref());
                let glued =
                    joined == 1 && rules.tables.word_is_prefix[id] && text.starts_with(word.as_bytes());
                if text == word.as_bytes() || cut || glued || ending {
                    found.add(id as u16);
                }
            }
        }
    }
}

/// Adds the words of the enclosing key, and of the line that names a `value`.
fn add_surroundings<S: Select>(rules: &RuleSet, bytes: &[u8], value: Value, name: &Name, found: &mut Found) {
    let nearest = name.idents().first().map(|(span, _)| span.of(bytes));
    if nearest.is_some_and(|ident| ident.eq_ignore_ascii_case(b"value"))
        && let Some(span) = name::sibling_above(bytes, value.start)
    {
        S::words(rules, span.of(bytes), found);
    }
    if let Some(span) = name::enclosing(bytes, value.start) {
        S::words(rules, span.of(bytes), found);
    }
}

/// Tests the entries that hang under the found words.
fn entries(rules: &RuleSet, bytes: &[u8], run: Run, value: Value, found: &Found, finds: &mut Finds<'_>) {
    let tables = &rules.tables;
    for &word in found.ids() {
        let range = usize::from(tables.entry_starts[usize::from(word)])
            ..usize::from(tables.entry_starts[usize::from(word) + 1]);
        for &number in &tables.entry_list[range] {
            let entry = rules.entries.get(number);
            if entry.words.iter().all(|word| found.ids().contains(word)) {
                finds.trigger(entry.rule);
                finds.test(entry.rule, |out| out.extend(test(rules, bytes, run, value, entry)));
            }
        }
    }
}

/// One entry against the whole value, or against the bare run when the value is longer.
fn test(rules: &RuleSet, bytes: &[u8], run: Run, value: Value, entry: Entry<'_>) -> Option<Match> {
    let fits = |start: usize, end: usize| match_forward(entry.value, &bytes[..end], start) == Some(end);
    let secret = if fits(value.start, value.end) {
        Span::new(value.start, value.end)
    } else if value.quote.is_none() && fits(run.start, run.end) && stands_alone(bytes, run) {
        Span::new(run.start, run.end)
    } else {
        return None;
    };
    let rule = rules.get(entry.rule);
    let text = secret.of(bytes);
    if rule.min_entropy > 0 && entropy::shannon(text) < rule.min_entropy {
        return None;
    }
    let (confidence, checksum) = token::judge(rule, text, text);
    Some(Match {
        rule: entry.rule,
        trigger: run.start,
        span: secret,
        secret,
        confidence,
        checksum,
        decoded: None,
        traits: 0,
    })
}

/// Whether punctuation that secrets do not contain stands on both sides of the run.
fn stands_alone(bytes: &[u8], run: Run) -> bool {
    let inner = |byte: u8| matches!(byte, b'.' | b'~' | b'%');
    let before = run.start.checked_sub(1).is_none_or(|i| !inner(bytes[i]));
    before && bytes.get(run.end).is_none_or(|&byte| !inner(byte) && byte != b'=')
}
