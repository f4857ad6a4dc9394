//! Words of names: which of the rules' words does an identifier have?

use std::borrow::Cow;

use crate::rule::RuleSet;
use crate::rule::table::{Tables, WORD_BASE, WORD_SEED, word_slot, word_step};

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

/// A word, or the part of it read so far.
#[derive(Clone, Copy)]
struct Part {
    hash: u32,
    /// [`WORD_BASE`] to the power of `len`.
    power: u32,
    /// Letters and digits; 0 when there is no such word.
    len: usize,
}

impl Part {
    const NONE: Part = Part { hash: WORD_SEED, power: 1, len: 0 };

    fn push(&mut self, folded: u8) {
        self.hash = word_step(self.hash, folded);
        self.power = self.power.wrapping_mul(WORD_BASE);
        self.len += 1;
    }

    /// This word with `next` behind it.
    fn joined(self, next: Self) -> Self {
        Part {
            hash: self.hash.wrapping_mul(next.power).wrapping_add(next.hash),
            power: self.power.wrapping_mul(next.power),
            len: self.len + next.len,
        }
    }
}

/// Adds the rule words of `ident` to `found`: each word, two and three joined words, and glued
/// beginnings (`datadogapikey` has `datadog`).
pub(super) fn collect(rules: &RuleSet, ident: &[u8], found: &mut Found) {
    let mut reader = Reader { words: &rules.words, tables: &rules.tables, ident, found };
    reader.read();
}

struct Reader<'a> {
    words: &'a [Cow<'static, str>],
    tables: &'a Tables,
    ident: &'a [u8],
    found: &'a mut Found,
}

impl Reader<'_> {
    fn read(&mut self) {
        let ident = self.ident;
        // The last two words, the nearest last, and the one being read.
        let mut earlier = [Part::NONE; 2];
        let mut word = Part::NONE;
        for (i, &byte) in ident.iter().enumerate() {
            let inside = byte.is_ascii_alphanumeric();
            if word.len > 0 && (!inside || byte.is_ascii_uppercase() && starts_word(ident, i)) {
                self.end_word(&mut earlier, word, i);
                word = Part::NONE;
            }
            if !inside {
                continue;
            }
            if word.len > 0 && byte.is_ascii_digit() && ident[i - 1].is_ascii_alphabetic() {
                self.probe_all(earlier, word, i);
            }
            word.push(byte.to_ascii_lowercase());
            if word.len >= MIN_GLUED
                && let Some(id) = self.probe(word, i + 1)
                && self.tables.word_is_prefix[usize::from(id)]
            {
                self.found.add(id);
            }
        }
        if word.len > 0 {
            self.end_word(&mut earlier, word, ident.len());
        }
    }

    /// Ends `word` in front of `end`.
    fn end_word(&mut self, earlier: &mut [Part; 2], word: Part, end: usize) {
        self.probe_all(*earlier, word, end);
        if let Some(ending) = glued_ending(&self.ident[end - word.len..end]) {
            let mut part = Part::NONE;
            ending.bytes().for_each(|byte| part.push(byte));
            self.probe(part, end).into_iter().for_each(|id| self.found.add(id));
        }
        *earlier = [earlier[1], word];
    }

    /// Looks up `word` alone, and joined with the one and the two before it.
    fn probe_all(&mut self, earlier: [Part; 2], word: Part, end: usize) {
        self.probe(word, end).into_iter().for_each(|id| self.found.add(id));
        if earlier[1].len > 0 {
            let two = earlier[1].joined(word);
            self.probe(two, end).into_iter().for_each(|id| self.found.add(id));
            if earlier[0].len > 0 {
                self.probe(earlier[0].joined(two), end).into_iter().for_each(|id| self.found.add(id));
            }
        }
    }

    /// The word that the last letters and digits in front of `end` are.
    #[inline]
    fn probe(&self, part: Part, end: usize) -> Option<u16> {
        let slots = &self.tables.word_slots;
        let mask = slots.len() - 1;
        let mut slot = word_slot(part.hash, mask);
        while let Some(id) = slots[slot].checked_sub(1) {
            if self.tables.word_hashes[usize::from(id)] == part.hash && self.is_word(id, part, end) {
                return Some(id);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// Hashes are equal by chance now and then.
    fn is_word(&self, id: u16, part: Part, end: usize) -> bool {
        let word = self.words[usize::from(id)].as_bytes();
        let letters = self.ident[..end].iter().rev().filter(|byte| byte.is_ascii_alphanumeric());
        word.len() == part.len
            && word.iter().rev().zip(letters).all(|(byte, letter)| *byte == letter.to_ascii_lowercase())
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

/// The credential word a longer word ends in.
pub(super) fn glued_ending(word: &[u8]) -> Option<&'static str> {
    if !matches!(word.last(), Some(b't' | b'T' | b'n' | b'N' | b'y' | b'Y' | b'd' | b'D')) {
        return None;
    }
    GLUED_ENDINGS.into_iter().find(|ending| {
        let tail =
            word.len().checked_sub(ending.len()).filter(|&start| start > 0).map(|start| &word[start..]);
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(ending.as_bytes()))
    })
}
