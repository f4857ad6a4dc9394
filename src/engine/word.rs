//! Words of names: which of the rules' words does an identifier have?

use crate::rule::RuleSet;
use crate::rule::table::{WORD_SEED, word_slot, word_step};

/// Most words remembered of one name.
const MAX_FOUND: usize = 24;
/// Letters a glued word must have before a longer word may start with it.
const MIN_GLUED: usize = 6;

/// Endings that glued lower-case names have: `authtoken`, `accesskey`.
pub(super) const GLUED_ENDINGS: [&str; 6] = ["secret", "token", "key", "password", "passwd", "pwd"];

/// The rule words found in a name, without repetition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    ids: [u16; MAX_FOUND],
    len: usize,
}

impl Found {
    pub(super) const NONE: Found = Found { ids: [0; MAX_FOUND], len: 0 };

    pub(super) fn ids(&self) -> &[u16] {
        &self.ids[..self.len]
    }

    pub(super) fn add(&mut self, id: u16) {
        if self.len < MAX_FOUND && !self.ids().contains(&id) {
            self.ids[self.len] = id;
            self.len += 1;
        }
    }
}

/// Adds the rule words of `ident` to `found`: each word, two and three joined words, and glued
/// beginnings (`datadogapikey` has `datadog`).
pub(super) fn collect(rules: &RuleSet, ident: &[u8], found: &mut Found) {
    // Hashes of the last one, two and three words, joined; a word nobody started has none.
    let mut joined: [Option<u32>; 3] = [Some(WORD_SEED), None, None];
    let mut letters = 0;
    for (i, &byte) in ident.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            if letters > 0 {
                end_word(rules, &ident[i - letters..i], &mut joined, found);
                letters = 0;
            }
            continue;
        }
        if letters > 0 && starts_word(ident, i) {
            end_word(rules, &ident[i - letters..i], &mut joined, found);
            letters = 0;
        }
        if letters > 0 && byte.is_ascii_digit() && ident[i - 1].is_ascii_alphabetic() {
            probe_all(rules, &joined, found);
        }
        for hash in joined.iter_mut().flatten() {
            *hash = word_step(*hash, byte.to_ascii_lowercase());
        }
        letters += 1;
        if letters >= MIN_GLUED
            && let Some(id) = joined[0].and_then(|hash| probe(rules, hash))
            && rules.tables.word_is_prefix[usize::from(id)]
        {
            found.add(id);
        }
    }
    if letters > 0 {
        end_word(rules, &ident[ident.len() - letters..], &mut joined, found);
    }
}

/// Whether a camel hump starts at `i`: lower to upper, or the last upper of an acronym.
pub(super) fn starts_word(ident: &[u8], i: usize) -> bool {
    let (previous, this) = (ident[i - 1], ident[i]);
    let after = ident.get(i + 1).copied().unwrap_or(0);
    this.is_ascii_uppercase()
        && (previous.is_ascii_lowercase()
            || previous.is_ascii_digit()
            || previous.is_ascii_uppercase() && after.is_ascii_lowercase())
}

/// The words of `ident`, folded; digits belong to the word they follow.
pub(super) fn split(ident: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut inside = false;
    for (i, &byte) in ident.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            inside = false;
            continue;
        }
        if !inside || starts_word(ident, i) {
            words.push(Vec::new());
            inside = true;
        }
        if let Some(word) = words.last_mut() {
            word.push(byte.to_ascii_lowercase());
        }
    }
    words
}

fn end_word(rules: &RuleSet, word: &[u8], joined: &mut [Option<u32>; 3], found: &mut Found) {
    probe_all(rules, joined, found);
    if let Some(ending) = glued_ending(word) {
        let hash = ending.bytes().fold(WORD_SEED, word_step);
        probe(rules, hash).into_iter().for_each(|id| found.add(id));
    }
    *joined = [Some(WORD_SEED), joined[0], joined[1]];
}

/// The credential word a longer word ends in.
pub(super) fn glued_ending(word: &[u8]) -> Option<&'static str> {
    GLUED_ENDINGS.into_iter().find(|ending| {
        let tail =
            word.len().checked_sub(ending.len()).filter(|&start| start > 0).map(|start| &word[start..]);
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(ending.as_bytes()))
    })
}

fn probe_all(rules: &RuleSet, joined: &[Option<u32>; 3], found: &mut Found) {
    for hash in joined.iter().flatten() {
        if let Some(id) = probe(rules, *hash) {
            found.add(id);
        }
    }
}

/// The word whose hash is `hash`.
#[inline]
fn probe(rules: &RuleSet, hash: u32) -> Option<u16> {
    let slots = &rules.tables.word_slots;
    let mask = slots.len() - 1;
    let mut slot = word_slot(hash, mask);
    while let Some(id) = slots[slot].checked_sub(1) {
        let word = rules.words[usize::from(id)].bytes().fold(WORD_SEED, word_step);
        if word == hash {
            return Some(id);
        }
        slot = (slot + 1) & mask;
    }
    None
}
