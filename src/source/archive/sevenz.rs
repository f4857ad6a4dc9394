//! 7z archives: LZMA, LZMA2, deflate, bzip2 and stored files, with filters for programs.

use std::io::Read;

use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};

use super::format::Format;
use super::sevenz_header::{Coder, Folder, Header, parse};
use super::walk::{Names, Walk, drain};
use crate::finding::{GapKind, Origin};

/// Bytes of the signature's header, from which offsets count.
const START: u64 = 32;
/// Largest header that is unpacked.
const MAX_HEADER: u64 = 32 << 20;
/// Headers packed in headers.
const MAX_NESTING: u32 = 4;
/// Most memory the dictionary of LZMA and LZMA2 may take, in bytes.
const MAX_DICTIONARY: u32 = 64 << 20;

/// Reads an archive in memory; true when nothing of it was left unread.
pub(super) fn read(walk: &Walk<'_>, content: &[u8], origin: &Origin, depth: u32) -> bool {
    let (folders, names) = match directory(walk, content) {
        Some(Header::Plain { folders, names, empty }) => {
            let mut all = Names::new(walk, origin);
            names.iter().chain(&empty).for_each(|name| all.add(name));
            (folders, names)
        }
        // Some archives have even their names encrypted.
        Some(Header::Packed(folders)) if folders.iter().any(is_encrypted) => {
            walk.encrypted();
            return true;
        }
        Some(Header::Packed(_)) | None => {
            walk.damaged(origin, Format::SevenZip);
            return false;
        }
    };
    let mut names = names.into_iter();
    let mut clean = true;
    for folder in &folders {
        let mut unpacked = match unpacked(content, folder) {
            Ok(unpacked) => unpacked,
            Err(refusal) => {
                names.by_ref().take(folder.parts.len()).for_each(drop);
                clean &= refusal.tell(walk, origin);
                continue;
            }
        };
        for &size in &folder.parts {
            let name = names.next().unwrap_or_else(|| b"content".to_vec());
            let mut file = walk.metered((&mut unpacked).take(size));
            let read = walk.member(origin, &name, &mut file, depth).and_then(|()| drain(&mut file));
            if walk.account.is_stopped() {
                return false;
            }
            if read.is_err() || file.reader.limit() > 0 {
                walk.damaged(origin, Format::SevenZip);
                clean = false;
                break;
            }
        }
    }
    clean
}

/// The directory, unpacked if need be; still packed when it cannot be.
fn directory(walk: &Walk<'_>, content: &[u8]) -> Option<Header> {
    let number = |at: usize| Some(u64::from_le_bytes(*content.get(at..at + 8)?.first_chunk()?));
    let mut header = parse(slice(content, number(12)?, number(20)?)?)?;
    for _ in 0..MAX_NESTING {
        let Header::Packed(folders) = &header else { break };
        let folder = folders.first()?;
        if is_encrypted(folder) {
            break;
        }
        let mut bytes = Vec::new();
        let reader = walk.metered(unpacked(content, folder).ok()?);
        reader.take(MAX_HEADER).read_to_end(&mut bytes).ok()?;
        header = parse(&bytes)?;
    }
    Some(header)
}

/// Bytes by their offset from the end of the signature's header.
fn slice(content: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset.checked_add(START)?).ok()?;
    content.get(start..start.checked_add(usize::try_from(len).ok()?)?)
}

fn is_encrypted(folder: &Folder) -> bool {
    folder.coders.iter().any(|coder| coder.method == [6, 0xf1, 7, 1])
}

/// Why a folder is not unpacked.
enum Refusal {
    Encrypted,
    Method,
    Memory,
    Damaged,
}

impl Refusal {
    /// Tells it; false when something should have been read.
    fn tell(&self, walk: &Walk<'_>, origin: &Origin) -> bool {
        match self {
            Self::Encrypted => walk.encrypted(),
            Self::Method => walk.opaque("not-unpacked-7z-method"),
            Self::Memory => {
                walk.gap(
                    GapKind::Budget,
                    origin,
                    "needs more memory to unpack than is given to one container",
                );
            }
            Self::Damaged => walk.damaged(origin, Format::SevenZip),
        }
        !matches!(self, Self::Damaged)
    }
}

/// What a folder holds, one file behind the other.
fn unpacked<'c>(content: &'c [u8], folder: &Folder) -> Result<Box<dyn Read + 'c>, Refusal> {
    if is_encrypted(folder) {
        return Err(Refusal::Encrypted);
    }
    if !folder.simple {
        return Err(Refusal::Method);
    }
    let (offset, len) = folder.packed;
    let mut reader: Box<dyn Read + 'c> = Box::new(slice(content, offset, len).ok_or(Refusal::Damaged)?);
    for coder in &folder.coders {
        reader = decoder(coder, reader)?;
    }
    Ok(reader)
}

/// The dictionary that is needed: none is larger than what is unpacked.
fn dictionary(declared: u64, size: u64) -> Result<u32, Refusal> {
    let needed = declared.min(size.max(1 << 12));
    u32::try_from(needed).ok().filter(|&needed| needed <= MAX_DICTIONARY).ok_or(Refusal::Memory)
}

/// One step. Methods after `DOC/Methods.txt` of <https://www.7-zip.org/sdk.html>.
fn decoder<'c>(coder: &Coder, reader: Box<dyn Read + 'c>) -> Result<Box<dyn Read + 'c>, Refusal> {
    Ok(match coder.method[..] {
        [0] => reader,
        [3, 1, 1] => {
            let Some((&properties, &[a, b, c, d])) = coder.properties.split_first() else {
                return Err(Refusal::Damaged);
            };
            let dictionary = dictionary(u64::from(u32::from_le_bytes([a, b, c, d])), coder.size)?;
            let reader = LzmaReader::new_with_props(reader, coder.size, properties, dictionary, None);
            Box::new(reader.map_err(|_| Refusal::Damaged)?)
        }
        [0x21] => {
            let &[bits] = &coder.properties[..] else { return Err(Refusal::Damaged) };
            // Two bits of mantissa, and an exponent.
            let dictionary = dictionary(u64::from(2 | bits & 1) << (bits / 2 + 11).min(40), coder.size)?;
            Box::new(Lzma2Reader::new(reader, dictionary, None))
        }
        [3] => {
            let &[distance] = &coder.properties[..] else { return Err(Refusal::Damaged) };
            Box::new(DeltaReader::new(reader, usize::from(distance) + 1))
        }
        [4] | [3, 3, 1, 3] => Box::new(BcjReader::new_x86(reader, 0)),
        [3, 3, 2, 5] => Box::new(BcjReader::new_ppc(reader, 0)),
        [3, 3, 4, 1] => Box::new(BcjReader::new_ia64(reader, 0)),
        [3, 3, 5, 1] => Box::new(BcjReader::new_arm(reader, 0)),
        [3, 3, 7, 1] => Box::new(BcjReader::new_arm_thumb(reader, 0)),
        [3, 3, 8, 5] => Box::new(BcjReader::new_sparc(reader, 0)),
        [0x0a] => Box::new(BcjReader::new_arm64(reader, 0)),
        [4, 1, 8] => Box::new(flate2::read::DeflateDecoder::new(reader)),
        [4, 2, 2] => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
        _ => return Err(Refusal::Method),
    })
}
