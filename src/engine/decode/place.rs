//! Where escapes are, in about a byte each.
//!
//! Text of nothing but escapes has one every third byte, so what is remembered of one counts: its
//! content can be read again, its place is written as the distance to the one before.

use crate::finding::Span;

/// Places between two that can be found without reading all before them.
const EVERY: usize = 256;
/// Largest number that half a byte holds.
const HALF: usize = 15;

/// Where an escape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The escape in the encoded text.
    pub(super) source: Span,
    /// What it is found by: its first byte, or the line feed between joined strings.
    pub(super) found_at: usize,
}

impl Place {
    /// The same escape in content that has `from` at `to`.
    pub(super) fn moved(self, from: usize, to: usize) -> Self {
        let source = Span::new(self.source.start - from + to, self.source.end - from + to);
        Self { source, found_at: self.found_at - from + to }
    }
}

/// Places in the order in which they are found.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Each as one byte, the distance from where the last one was found and the length; or as a zero
    /// and three numbers of seven bits a byte.
    steps: Vec<u8>,
    /// Where every [`EVERY`]th begins.
    marks: Vec<Mark>,
    count: usize,
    last: Option<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Where the place before is found; 0 before the first.
    before: usize,
    /// Offset of its step.
    at: usize,
}

impl Places {
    /// Forgets all, but not the memory.
    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.marks.clear();
        self.count = 0;
        self.last = None;
    }

    /// The one found last.
    pub(super) fn last(&self) -> Option<Place> {
        self.last
    }

    /// Adds a place that is found behind all others.
    pub(super) fn push(&mut self, place: Place) {
        let Place { source, found_at } = place;
        let before = self.last.map_or(0, |last| last.found_at);
        debug_assert!(self.count == 0 || before < found_at, "found out of order");
        debug_assert!(source.start <= found_at && found_at < source.end, "found outside of itself");
        if self.count.is_multiple_of(EVERY) {
            self.marks.push(Mark { before, at: self.steps.len() });
        }
        self.count += 1;
        self.last = Some(place);
        let (distance, back, len) = (found_at - before, found_at - source.start, source.end - found_at);
        if distance <= HALF && back == 0 && len <= HALF {
            self.steps.push((distance << 4 | len) as u8);
        } else {
            self.steps.push(0);
            [distance, back, len].into_iter().for_each(|number| write(&mut self.steps, number));
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> Iter<'_> {
        Iter { steps: &self.steps, before: 0 }
    }

    /// Those found at `least` or behind it.
    pub(super) fn from(&self, least: usize) -> impl Iterator<Item = Place> + '_ {
        let passed = self.marks.partition_point(|mark| mark.before < least);
        let start = passed.checked_sub(1).map_or(Mark { before: 0, at: 0 }, |place| self.marks[place]);
        let iter = Iter { steps: &self.steps[start.at..], before: start.before };
        iter.skip_while(move |place| place.found_at < least)
    }
}

impl Extend<Place> for Places {
    fn extend<I: IntoIterator<Item = Place>>(&mut self, places: I) {
        places.into_iter().for_each(|place| self.push(place));
    }
}

/// [`Places::iter`].
pub(super) struct Iter<'a> {
    steps: &'a [u8],
    before: usize,
}

impl Iterator for Iter<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let (&step, rest) = self.steps.split_first()?;
        self.steps = rest;
        let (distance, back, len) = match step {
            0 => (read(&mut self.steps), read(&mut self.steps), read(&mut self.steps)),
            step => (usize::from(step) >> 4, 0, usize::from(step) & HALF),
        };
        let found_at = self.before + distance;
        self.before = found_at;
        Some(Place { source: Span::new(found_at - back, found_at + len), found_at })
    }
}

fn write(steps: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        steps.push(number as u8 | 0x80);
        number >>= 7;
    }
    steps.push(number as u8);
}

fn read(steps: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    while let Some((&byte, rest)) = steps.split_first() {
        *steps = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_of_escapes_takes_a_byte_each() {
        let mut places = Places::default();
        places.extend((0..10_000).map(|n| Place { source: Span::new(3 * n, 3 * n + 3), found_at: 3 * n }));
        assert_eq!(places.steps.len(), 10_000);
        assert_eq!(places.iter().nth(9_999).map(|place| place.source), Some(Span::new(29_997, 30_000)));
    }

    proptest! {
        #[test]
        fn what_was_put_in_comes_out(
            steps in prop::collection::vec((1_usize..40, 0_usize..3, 1_usize..20, any::<bool>()), 0..900),
            least in 0_usize..40_000,
        ) {
            let mut at = 0;
            let wanted: Vec<Place> = steps
                .into_iter()
                .map(|(distance, back, len, far)| {
                    at += if far { distance * 50 } else { distance };
                    Place { source: Span::new(at - back.min(at), at + len), found_at: at }
                })
                .collect();
            let mut places = Places::default();
            places.extend(wanted.iter().copied());
            prop_assert_eq!(places.iter().collect::<Vec<_>>(), wanted.clone());
            prop_assert_eq!(places.last(), wanted.last().copied());
            let behind: Vec<Place> = wanted.into_iter().filter(|place| place.found_at >= least).collect();
            prop_assert_eq!(places.from(least).collect::<Vec<_>>(), behind);
        }
    }
}
