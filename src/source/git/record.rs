//! A plain binary form for what is kept between runs: numbers, texts and object names, each
//! with its length. Whatever does not fit when it is read is refused.

use crate::finding::Oid;

/// Appends values.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A number: seven bits a byte, the lowest first.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Bytes and their number.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
    }

    /// Object names of one length.
    pub(super) fn ids(&mut self, ids: &[Oid]) {
        self.number(ids.len() as u64);
        self.number(ids.first().map_or(0, |id| id.as_bytes().len()) as u64);
        ids.iter().for_each(|id| self.0.extend_from_slice(id.as_bytes()));
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Takes the values in the order in which they were written.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return None;
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.bytes(length)
    }

    pub(super) fn ids(&mut self) -> Option<Vec<Oid>> {
        let count = usize::try_from(self.number()?).ok()?;
        let length = usize::try_from(self.number()?).ok()?;
        if count == 0 {
            return Some(Vec::new());
        }
        let raw = self.bytes(count.checked_mul(length).filter(|&bytes| bytes > 0)?)?;
        raw.chunks_exact(length).map(|id| Oid::from_bytes(id).ok()).collect()
    }

    /// A number, then as many items as it says. Each takes at least a byte, so that a lie about
    /// the number ends with the bytes.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Some(items)
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let ids: Vec<Oid> = [[1; 20], [2; 20]].iter().map(|raw| Oid::from_bytes(raw).unwrap()).collect();
        let numbers = [0, 127, 128, 1 << 40, u64::MAX];
        let mut out = Writer::default();
        numbers.iter().for_each(|&number| out.number(number));
        out.text(b"text");
        out.ids(&ids);
        out.ids(&[]);
        let bytes = out.into_bytes();
        let read = |bytes: &[u8]| -> Option<()> {
            let mut input = Reader::new(bytes);
            for number in numbers {
                assert_eq!(input.number()?, number);
            }
            assert_eq!(input.text()?, b"text");
            assert_eq!(input.ids()?, ids);
            assert_eq!(input.ids()?, []);
            input.is_at_end().then_some(())
        };
        assert!(read(&bytes).is_some());
        (0..bytes.len()).for_each(|cut| assert!(read(&bytes[..cut]).is_none(), "{cut}"));
        assert_eq!(Reader::new(&[0xff; 10]).number(), None);
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number(), None);
        assert_eq!(Reader::new(&[2, 20, 1]).ids(), None);
        assert_eq!(Reader::new(&[1, 0]).ids(), None);
    }
}
