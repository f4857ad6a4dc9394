//! Lists of words and of telling texts, with tables that answer most questions with "no" at once.
//!
//! Apart from the lists, because several parts of the engine ask the same two questions: is this
//! word one of those, and does this value contain one of those.

/// Slots of a [`WordSet`]; at least twice the words of the longest list.
const SLOTS: usize = 512;

/// Longest word of a [`WordSet`].
const LONGEST: usize = 24;

/// A fixed list of lower-case words.
pub(super) struct WordSet {
    words: &'static [&'static str],
    /// Open-addressed: number of a word plus one.
    slots: [u8; SLOTS],
}

impl WordSet {
    /// The set of `words`: not empty ones, and fewer than 250.
    pub(super) const fn new(words: &'static [&'static str]) -> Self {
        assert!(words.len() < 250);
        let mut slots = [0; SLOTS];
        let mut number = 0;
        while number < words.len() {
            assert!(words[number].len() <= LONGEST);
            let mut slot = slot_of(words[number].as_bytes());
            while slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = number as u8 + 1;
            number += 1;
        }
        Self { words, slots }
    }

    /// Whether `word`, lower-case, is of the set.
    pub(super) fn has(&self, word: &[u8]) -> bool {
        if word.is_empty() {
            return false;
        }
        let mut slot = slot_of(word);
        while let Some(number) = self.slots[slot].checked_sub(1) {
            if self.words[usize::from(number)].as_bytes() == word {
                return true;
            }
            slot = (slot + 1) % SLOTS;
        }
        false
    }

    /// Whether `word` is of the set, in any case.
    pub(super) fn has_in_any_case(&self, word: &[u8]) -> bool {
        let mut folded = [0; LONGEST];
        let Some(folded) = folded.get_mut(..word.len()) else { return false };
        folded.copy_from_slice(word);
        folded.make_ascii_lowercase();
        self.has(folded)
    }

    /// The words, in the order of the list.
    pub(super) const fn words(&self) -> &'static [&'static str] {
        self.words
    }
}

const fn slot_of(word: &[u8]) -> usize {
    let len = word.len();
    let key =
        word[0] as u32 | (word[len - 1] as u32) << 8 | (word[len / 2] as u32) << 16 | (len as u32) << 24;
    (key.wrapping_mul(0x9E37_79B1) >> 23) as usize % SLOTS
}

/// A fixed list of texts to look for inside values, each of two bytes or more.
pub(super) struct Texts {
    texts: &'static [&'static str],
    /// One bit for the low five bits of each of a text's first two bytes; these do not depend on
    /// the case of letters.
    starts: [u32; 32],
}

impl Texts {
    /// The list of `texts`.
    pub(super) const fn new(texts: &'static [&'static str]) -> Self {
        let mut starts = [0; 32];
        let mut number = 0;
        while number < texts.len() {
            let text = texts[number].as_bytes();
            starts[(text[0] & 31) as usize] |= 1 << (text[1] & 31);
            number += 1;
        }
        Self { texts, starts }
    }

    /// Whether `value` contains one of the texts as they are written.
    pub(super) fn are_in(&self, value: &[u8]) -> bool {
        self.places(value).any(|rest| self.texts.iter().any(|text| rest.starts_with(text.as_bytes())))
    }

    /// Whether `value` contains one of the texts in any case.
    pub(super) fn are_in_any_case_in(&self, value: &[u8]) -> bool {
        let starts = |rest: &[u8], text: &str| {
            rest.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
        };
        self.places(value).any(|rest| self.texts.iter().any(|text| starts(rest, text)))
    }

    /// Whether `value` starts with one of the texts, in any case.
    pub(super) fn start_in_any_case(&self, value: &[u8]) -> bool {
        self.may_start(value)
            && self.texts.iter().any(|text| {
                value.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
            })
    }

    /// The ends of `value` that may start with one of the texts.
    fn places<'a>(&self, value: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        (0..value.len().saturating_sub(1)).map(|at| &value[at..]).filter(|rest| self.may_start(rest))
    }

    #[inline]
    fn may_start(&self, rest: &[u8]) -> bool {
        matches!(*rest, [a, b, ..] if self.starts[usize::from(a & 31)] >> (b & 31) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_their_words_and_no_others() {
        static SET: WordSet = WordSet::new(&["a", "key", "token", "tokens", "password"]);
        for word in SET.words() {
            assert!(
                SET.has(word.as_bytes()) && SET.has_in_any_case(word.to_uppercase().as_bytes()),
                "{word}"
            );
        }
        for word in ["", "b", "ke", "keys", "tokem", "Key", "passwords"] {
            assert!(!SET.has(word.as_bytes()), "{word}");
        }
        assert!(!SET.has_in_any_case(&[b'a'; 30]));
    }

    #[test]
    fn texts_are_found_wherever_they_stand() {
        static TEXTS: Texts = Texts::new(&["${", "!Ref", "your_"]);
        for value in ["a${", "${b}", "x!Ref", "your_"] {
            assert!(TEXTS.are_in(value.as_bytes()), "{value}");
        }
        for value in ["", "$", "$a{", "!ref", "YOUR_", "your"] {
            assert!(!TEXTS.are_in(value.as_bytes()), "{value}");
        }
        assert!(TEXTS.are_in_any_case_in(b"is YOUR_ key"));
        assert!(TEXTS.start_in_any_case(b"Your_key") && !TEXTS.start_in_any_case(b" your_key"));
    }
}
