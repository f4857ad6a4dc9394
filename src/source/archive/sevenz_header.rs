//! The directory of a 7z archive: which streams there are, how they are packed, and what they are
//! called.
//!
//! Layout after `DOC/7zFormat.txt` of <https://www.7-zip.org/sdk.html>. Every count is checked against the
//! bytes that are left before anything is made of it.

/// Marks of the format that are of interest here.
mod mark {
    pub(super) const END: u8 = 0;
    pub(super) const HEADER: u8 = 1;
    pub(super) const PROPERTIES: u8 = 2;
    pub(super) const MORE_STREAMS: u8 = 3;
    pub(super) const STREAMS: u8 = 4;
    pub(super) const FILES: u8 = 5;
    pub(super) const PACKED: u8 = 6;
    pub(super) const UNPACKED: u8 = 7;
    pub(super) const PARTS: u8 = 8;
    pub(super) const SIZES: u8 = 9;
    pub(super) const DIGESTS: u8 = 10;
    pub(super) const FOLDERS: u8 = 11;
    pub(super) const UNPACKED_SIZES: u8 = 12;
    pub(super) const PART_COUNTS: u8 = 13;
    pub(super) const EMPTY: u8 = 14;
    pub(super) const NAMES: u8 = 17;
    pub(super) const PACKED_HEADER: u8 = 23;
}

/// Most coders behind one another.
const MAX_CODERS: u64 = 8;

/// One step of packing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coder {
    pub(super) method: Vec<u8>,
    pub(super) properties: Vec<u8>,
    /// Bytes it unpacks to.
    pub(super) size: u64,
}

/// Files that are packed together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Folder {
    /// The coders are one behind the other.
    pub(super) simple: bool,
    /// From the packed bytes to the files, if it is simple.
    pub(super) coders: Vec<Coder>,
    /// Offset and length of its first packed stream.
    pub(super) packed: (u64, u64),
    /// Sizes of the files in it.
    pub(super) parts: Vec<u64>,
    /// Inputs, and the outputs they read.
    bonds: Vec<(u64, u64)>,
    /// Packed streams it reads.
    streams: u64,
    /// Whether it has a checksum as a whole.
    checked: bool,
}

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// The header itself is packed.
    Packed(Vec<Folder>),
    /// Folders, and names of the files that have content, in the order of their parts; names of those
    /// that have none.
    Plain { folders: Vec<Folder>, names: Vec<Vec<u8>>, empty: Vec<Vec<u8>> },
}

/// Reads a header; none when it is malformed or has something that is not known.
pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
    let mut cursor = Cursor { rest: bytes };
    match cursor.byte()? {
        mark::PACKED_HEADER => Some(Header::Packed(cursor.streams()?)),
        mark::HEADER => {
            let mut id = cursor.byte()?;
            if id == mark::PROPERTIES {
                while cursor.byte()? != mark::END {
                    let len = cursor.count()?;
                    cursor.take(len)?;
                }
                id = cursor.byte()?;
            }
            if id == mark::MORE_STREAMS {
                cursor.streams()?;
                id = cursor.byte()?;
            }
            let mut folders = Vec::new();
            if id == mark::STREAMS {
                folders = cursor.streams()?;
                id = cursor.byte()?;
            }
            let [names, empty] = if id == mark::FILES { cursor.files()? } else { Default::default() };
            Some(Header::Plain { folders, names, empty })
        }
        _ => None,
    }
}

struct Cursor<'h> {
    rest: &'h [u8],
}

impl<'h> Cursor<'h> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn take(&mut self, len: u64) -> Option<&'h [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// A number: the leading ones of its first byte tell how many bytes follow, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let low =
            self.take(u64::from(more))?.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
        // What is left of the first byte are the highest bits.
        let high = u64::from(first) & (0x7f_u64 >> more);
        Some(low | if more < 8 { high << (8 * more) } else { 0 })
    }

    /// The number of things that each take a byte at least.
    fn count(&mut self) -> Option<u64> {
        self.number().filter(|&count| count <= self.rest.len() as u64)
    }

    /// One bit for each of `count`, the highest first.
    fn bits(&mut self, count: u64) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8))?;
        Some((0..count as usize).map(|at| bytes[at / 8] & 0x80 >> (at % 8) != 0).collect())
    }

    /// Which of `count` streams have a checksum; the checksums are not used.
    fn digests(&mut self, count: u64) -> Option<Vec<bool>> {
        let known = if self.byte()? == 0 {
            self.bits(count)?
        } else {
            // Four bytes each, so no more of them than there are bytes.
            vec![true; usize::try_from(count).ok().filter(|&count| count <= self.rest.len())?]
        };
        self.take(4 * known.iter().filter(|known| **known).count() as u64)?;
        Some(known)
    }

    fn streams(&mut self) -> Option<Vec<Folder>> {
        let (mut start, mut sizes) = (0, Vec::new());
        let mut folders = Vec::new();
        loop {
            match self.byte()? {
                mark::END => break,
                mark::PACKED => (start, sizes) = self.packed()?,
                mark::UNPACKED => folders = self.folders()?,
                mark::PARTS => self.parts(&mut folders)?,
                _ => return None,
            }
        }
        let mut sizes = sizes.into_iter();
        for folder in &mut folders {
            for number in 0..folder.streams {
                let size: u64 = sizes.next()?;
                if number == 0 {
                    folder.packed = (start, size);
                }
                start = start.checked_add(size)?;
            }
        }
        Some(folders)
    }

    /// Where the packed streams start, and their sizes.
    fn packed(&mut self) -> Option<(u64, Vec<u64>)> {
        let start = self.number()?;
        let count = self.count()?;
        let mut sizes = Vec::new();
        loop {
            match self.byte()? {
                mark::END => return Some((start, sizes)),
                mark::SIZES => sizes = (0..count).map(|_| self.number()).collect::<Option<_>>()?,
                mark::DIGESTS => drop(self.digests(count)?),
                _ => return None,
            }
        }
    }

    fn folders(&mut self) -> Option<Vec<Folder>> {
        if self.byte()? != mark::FOLDERS {
            return None;
        }
        let count = self.count()?;
        // Folders in another place than the header are a thing of the specification only.
        if self.byte()? != 0 {
            return None;
        }
        let mut folders = (0..count).map(|_| self.folder()).collect::<Option<Vec<_>>>()?;
        loop {
            match self.byte()? {
                mark::END => break,
                mark::UNPACKED_SIZES => {
                    for coder in folders.iter_mut().flat_map(|folder| &mut folder.coders) {
                        coder.size = self.number()?;
                    }
                }
                mark::DIGESTS => {
                    let known = self.digests(count)?;
                    folders.iter_mut().zip(known).for_each(|(folder, known)| folder.checked = known);
                }
                _ => return None,
            }
        }
        for folder in &mut folders {
            folder.order();
        }
        Some(folders)
    }

    fn folder(&mut self) -> Option<Folder> {
        let mut folder = Folder { simple: true, ..Folder::default() };
        let mut inputs = 0;
        let count = self.number().filter(|count| (1..=MAX_CODERS).contains(count))?;
        for _ in 0..count {
            let flags = self.byte()?;
            let method = self.take(u64::from(flags & 15))?.to_vec();
            let (mut ins, mut outs) = (1, 1);
            if flags & 0x10 != 0 {
                (ins, outs) = (self.number()?, self.number()?);
            }
            if ins > MAX_CODERS || outs != 1 || flags & 0x80 != 0 {
                return None;
            }
            let properties = if flags & 0x20 != 0 { self.count()? } else { 0 };
            let properties = self.take(properties)?.to_vec();
            folder.simple &= ins == 1;
            folder.coders.push(Coder { method, properties, size: 0 });
            inputs += ins;
        }
        for _ in 1..count {
            folder.bonds.push((self.number()?, self.number()?));
        }
        folder.streams = inputs.checked_sub(count - 1)?;
        if folder.streams > 1 {
            for _ in 0..folder.streams {
                self.number()?;
            }
        }
        Some(folder)
    }

    /// How many files each folder holds, and how long they are; the last takes what is left.
    fn parts(&mut self, folders: &mut [Folder]) -> Option<()> {
        let mut id = self.byte()?;
        let mut counts = vec![1_u64; folders.len()];
        if id == mark::PART_COUNTS {
            for count in &mut counts {
                *count = self.number().filter(|&count| count <= self.rest.len() as u64 + 1)?;
            }
            id = self.byte()?;
        }
        let listed = id == mark::SIZES;
        let mut unchecked = 0;
        for (folder, &count) in folders.iter_mut().zip(&counts) {
            let mut left = folder.parts.first().copied().unwrap_or(0);
            folder.parts.clear();
            for _ in 1..count {
                let size = if listed { self.number()? } else { return None };
                folder.parts.push(size);
                left = left.saturating_sub(size);
            }
            if count > 0 {
                folder.parts.push(left);
            }
            if count != 1 || !folder.checked {
                unchecked += count;
            }
        }
        if listed {
            id = self.byte()?;
        }
        if id == mark::DIGESTS {
            self.digests(unchecked)?;
            id = self.byte()?;
        }
        (id == mark::END).then_some(())
    }

    /// The names of files with content, and of those without.
    fn files(&mut self) -> Option<[Vec<Vec<u8>>; 2]> {
        let count = self.count()?;
        let mut names = Vec::new();
        let mut empty = Vec::new();
        loop {
            let id = self.byte()?;
            if id == mark::END {
                break;
            }
            let len = self.number()?;
            let mut data = Cursor { rest: self.take(len)? };
            if id == mark::EMPTY {
                empty = data.bits(count)?;
            } else if id == mark::NAMES && data.byte()? == 0 {
                names = data.names();
            }
        }
        let is_empty = |number: usize| empty.get(number).copied().unwrap_or(false);
        let (without, with): (Vec<_>, Vec<_>) =
            names.into_iter().enumerate().partition(|(number, _)| is_empty(*number));
        let only_names = |list: Vec<(usize, Vec<u8>)>| list.into_iter().map(|(_, name)| name).collect();
        Some([only_names(with), only_names(without)])
    }

    /// Names in UTF-16, each with a zero behind it, as UTF-8.
    fn names(&self) -> Vec<Vec<u8>> {
        let units = self.rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let text: String =
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        text.split_terminator('\0').map(|name| name.as_bytes().to_vec()).collect()
    }
}

impl Folder {
    /// Puts the coders in the order in which they unpack, if they are a chain.
    fn order(&mut self) {
        let count = self.coders.len() as u64;
        let reads =
            |from: u64| self.bonds.iter().find(|(_, output)| *output == from).map(|(input, _)| *input);
        let mut next = (0..count).find(|coder| self.bonds.iter().all(|(input, _)| input != coder));
        let mut order = Vec::new();
        while let Some(coder) = next.filter(|&coder| coder < count && !order.contains(&coder)) {
            order.push(coder);
            next = reads(coder);
        }
        self.simple &= order.len() as u64 == count;
        if self.simple {
            self.coders = order.into_iter().map(|at| self.coders[at as usize].clone()).collect();
        }
        self.parts = self.coders.last().map(|coder| coder.size).into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_length_in_their_first_byte() {
        let number = |bytes: &[u8]| Cursor { rest: bytes }.number();
        assert_eq!(number(&[0x7f]), Some(0x7f));
        assert_eq!(number(&[0x81, 0x02]), Some(0x102));
        assert_eq!(number(&[0xc1, 2, 3]), Some(0x1_0302));
        assert_eq!(number(&[0xff, 1, 0, 0, 0, 0, 0, 0, 0x80]), Some(0x8000_0000_0000_0001));
        assert_eq!(number(&[0xc1, 2]), None);
    }

    #[test]
    fn coders_are_put_in_the_order_of_unpacking() {
        let coder = |method: u8, size| Coder { method: vec![method], properties: vec![], size };
        let chain = |bonds: &[(u64, u64)]| {
            let mut folder = Folder {
                simple: true,
                coders: vec![coder(0, 5), coder(1, 9), coder(2, 7)],
                bonds: bonds.to_vec(),
                ..Folder::default()
            };
            folder.order();
            (folder.simple, folder.coders.iter().map(|c| c.method[0]).collect::<Vec<_>>(), folder.parts)
        };
        // 0 reads what 1 makes, and 1 what 2 makes.
        assert_eq!(chain(&[(0, 1), (1, 2)]), (true, vec![2, 1, 0], vec![5]));
        assert!(!chain(&[(0, 1), (1, 0)]).0, "a loop");
        assert!(!chain(&[(7, 9), (1, 0)]).0, "leads nowhere");
    }
}
