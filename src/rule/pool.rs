//! Many small lists held as one, so that those of the built-in rules need no pointers.
//!
//! A pointer in a `static` costs its own bytes, the length beside it and a relocation: 48 bytes for
//! a slice or a text, of which the rules have ten thousand.

use std::borrow::Cow;

use super::model::{List, Text};
use super::shape::{Item, Shape};

/// Ends each of [`Texts`].
const END: char = '\0';

/// A list of texts, none of which holds a NUL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The texts, each with [`END`] behind it.
    pub(super) joined: Text,
}

impl Texts {
    /// Takes `texts`.
    ///
    /// # Errors
    /// Gives back the first that holds a NUL.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut joined = String::new();
        for text in texts {
            if text.contains(END) {
                return Err(text);
            }
            joined.push_str(text);
            joined.push(END);
        }
        Ok(Self { joined: Cow::Owned(joined) })
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.joined.split_terminator(END)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    /// The first of them, if any.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.iter().next()
    }
}

/// One way an assignment rule matches: words the name must have, and the value's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Rule it belongs to.
    pub rule: u16,
    /// Ids of words, ascending; the name must have all of them.
    pub words: &'a [u16],
    /// Shape of the whole value.
    pub value: &'a [Item],
}

/// An [`Entry`] by places in the lists of [`Entries`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub(super) rule: u16,
    /// Number of its value.
    pub(super) value: u16,
    /// Where its words begin …
    pub(super) first: u32,
    /// … and how many it has.
    pub(super) count: u16,
}

/// The ways in which assignment rules match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// Ascending by rule.
    pub(super) rows: List<Row>,
    /// The words of all rows, one after another.
    pub(super) words: List<u16>,
    /// Each value once.
    pub(super) values: List<Shape>,
}

impl Entries {
    /// Adds an entry. Those of a rule come one after another, and behind those of all lower rules.
    ///
    /// # Errors
    /// When there are more entries or values than numbers for them (65,536).
    pub fn push(&mut self, rule: u16, words: &[u16], value: &[Item]) -> Result<(), String> {
        let full = |_| "too many values of assignment rules".to_owned();
        debug_assert!(self.rows.last().is_none_or(|last| last.rule <= rule), "rules out of order");
        // A rule's entries mostly share a value.
        let known = self.values.iter().rposition(|shape| shape[..] == *value);
        let number = known.unwrap_or(self.values.len()).try_into().map_err(full)?;
        let count = words.len().try_into().map_err(full)?;
        let first = self.words.len().try_into().map_err(full)?;
        if self.rows.len() > usize::from(u16::MAX) {
            return Err("too many entries of assignment rules".to_owned());
        }
        if known.is_none() {
            self.values.to_mut().push(Cow::Owned(value.to_vec()));
        }
        self.words.to_mut().extend(words);
        self.rows.to_mut().push(Row { rule, value: number, first, count });
        Ok(())
    }

    /// The entry of a number below [`Entries::len`].
    ///
    /// # Panics
    /// When there is none of that number.
    #[inline]
    #[must_use]
    pub fn get(&self, number: u16) -> Entry<'_> {
        self.entry(&self.rows[usize::from(number)])
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.rows.iter().map(|row| self.entry(row))
    }

    /// Those of one rule.
    pub fn of_rule(&self, rule: u16) -> impl Iterator<Item = Entry<'_>> {
        let first = self.rows.partition_point(|row| row.rule < rule);
        self.rows[first..].iter().take_while(move |row| row.rule == rule).map(|row| self.entry(row))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    #[inline]
    fn entry(&self, row: &Row) -> Entry<'_> {
        let first = row.first as usize;
        Entry {
            rule: row.rule,
            words: &self.words[first..first + usize::from(row.count)],
            value: &self.values[usize::from(row.value)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for list in [&[][..], &[""], &["a"], &["", "b\nc", ""]] {
            let texts = Texts::new(list.iter().copied()).expect("no NUL");
            assert!(texts.iter().eq(list.iter().copied()), "{list:?}");
            assert_eq!((texts.len(), texts.first()), (list.len(), list.first().copied()));
            assert_eq!(texts.is_empty(), list.is_empty());
        }
        assert_eq!(Texts::new(["a", "b\0"]), Err("b\0"));
    }

    #[test]
    fn entries_come_back_as_they_were() {
        let value = [Item::Lit(Cow::Borrowed(b"x".as_slice()))];
        let given: [(u16, &[u16], &[Item]); 4] =
            [(3, &[1, 2], &value), (4, &[], &[]), (4, &[7], &value), (5, &[1, 2, 9], &[])];
        let mut entries = Entries::default();
        for (rule, words, value) in given {
            entries.push(rule, words, value).expect("room");
        }
        let told: Vec<_> = entries.iter().map(|entry| (entry.rule, entry.words, entry.value)).collect();
        assert_eq!(told, given);
        assert_eq!(entries.values.len(), 2, "each value once");
        assert_eq!(entries.get(2).words, [7]);
        for rule in 2..7 {
            let alone = entries.of_rule(rule).map(|entry| entry.words);
            assert!(alone.eq(given.iter().filter(|one| one.0 == rule).map(|one| one.1)), "{rule}");
        }
    }
}
