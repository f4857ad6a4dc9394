//! Builds files that hold records: SQLite databases, binary property lists, 7z archives, git bundles.

use std::io::Write;

use super::git::GitRepo;
use super::pack::zlib;

/// A database with one table of texts, in pages of `page` bytes. Long records go on in overflow pages.
pub(crate) fn sqlite(page: usize, rows: &[&[&str]]) -> Vec<u8> {
    let mut file = vec![0; 2 * page];
    file[..16].copy_from_slice(b"SQLite format 3\0");
    file[16..18].copy_from_slice(&(page as u16).to_be_bytes());
    file[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
    file[59] = 1;
    // A schema without tables, and a leaf that nobody but this file knows.
    file[100] = 0x0d;
    file[page] = 0x0d;
    file[page + 3..page + 5].copy_from_slice(&(rows.len() as u16).to_be_bytes());
    let mut end = page;
    for (number, row) in rows.iter().enumerate() {
        let payload = record(row);
        let mut cell = [varint(payload.len() as u64), varint(number as u64 + 1)].concat();
        let most = page - 35;
        if payload.len() <= most {
            cell.extend_from_slice(&payload);
        } else {
            let least = (page - 12) * 32 / 255 - 23;
            let local = least + (payload.len() - least) % (page - 4);
            let local = if local <= most { local } else { least };
            cell.extend_from_slice(&payload[..local]);
            cell.extend_from_slice(&((file.len() / page + 1) as u32).to_be_bytes());
            let mut pieces = payload[local..].chunks(page - 4).peekable();
            while let Some(piece) = pieces.next() {
                let next = if pieces.peek().is_some() { file.len() / page + 2 } else { 0 };
                let start = file.len();
                file.extend_from_slice(&(next as u32).to_be_bytes());
                file.extend_from_slice(piece);
                file.resize(start + page, 0);
            }
        }
        end -= cell.len();
        file[page + end..][..cell.len()].copy_from_slice(&cell);
        file[page + 8 + 2 * number..][..2].copy_from_slice(&(end as u16).to_be_bytes());
    }
    let pages = (file.len() / page) as u32;
    file[28..32].copy_from_slice(&pages.to_be_bytes());
    file
}

fn record(row: &[&str]) -> Vec<u8> {
    let kinds: Vec<u8> = row.iter().flat_map(|text| varint(text.len() as u64 * 2 + 13)).collect();
    let head = varint(kinds.len() as u64 + 1);
    [&head, &kinds, row.concat().as_bytes()].concat()
}

fn varint(value: u64) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    let mut rest = value >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

/// A property list: one dictionary of texts, in UTF-16 where a text is not ASCII, and some data.
pub(crate) fn plist(pairs: &[(&str, &str)], data: &[u8]) -> Vec<u8> {
    let mut list = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    let count = pairs.len();
    let begin = |list: &mut Vec<u8>, offsets: &mut Vec<usize>, kind: u8, len: usize| {
        offsets.push(list.len());
        list.extend_from_slice(&[kind << 4 | 15, 0x12]);
        list.extend_from_slice(&(len as u32).to_be_bytes());
    };
    begin(&mut list, &mut offsets, 13, count);
    // The dictionary is object 0; then come keys, values and the data.
    (1..=2 * count).for_each(|number| list.extend_from_slice(&(number as u16).to_be_bytes()));
    for text in pairs.iter().map(|pair| pair.0).chain(pairs.iter().map(|pair| pair.1)) {
        if text.is_ascii() {
            begin(&mut list, &mut offsets, 5, text.len());
            list.extend_from_slice(text.as_bytes());
        } else {
            begin(&mut list, &mut offsets, 6, text.encode_utf16().count());
            text.encode_utf16().for_each(|unit| list.extend_from_slice(&unit.to_be_bytes()));
        }
    }
    begin(&mut list, &mut offsets, 4, data.len());
    list.extend_from_slice(data);
    let table = list.len() as u64;
    offsets.iter().for_each(|&offset| list.extend_from_slice(&(offset as u32).to_be_bytes()));
    list.extend_from_slice(&[0, 0, 0, 0, 0, 0, 4, 2]);
    [offsets.len() as u64, 0, table].iter().for_each(|field| list.extend_from_slice(&field.to_be_bytes()));
    list
}

/// How the files of a 7z archive are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Stored,
    Lzma,
    Lzma2,
    Deflate,
    Bzip2,
    /// LZMA2 behind the filter for programs.
    Filtered,
    /// Marked as encrypted.
    Encrypted,
}

/// A 7z archive with all files in one folder and an unpacked header.
pub(crate) fn seven_zip(members: &[(&str, &[u8])], packing: Packing) -> Vec<u8> {
    let all: Vec<u8> = members.iter().flat_map(|(_, data)| data.iter().copied()).collect();
    let (coders, packed) = pack(&all, packing);
    let mut header = vec![1, 4];
    header.extend_from_slice(&[6, 0, 1, 9]);
    header.extend(number(packed.len() as u64));
    header.extend_from_slice(&[0, 7, 11, 1, 0]);
    header.extend(&coders);
    header.push(12);
    for _ in 0..coders[0] {
        header.extend(number(all.len() as u64));
    }
    header.extend_from_slice(&[0, 8, 13]);
    header.extend(number(members.len() as u64));
    header.push(9);
    for (_, data) in &members[..members.len() - 1] {
        header.extend(number(data.len() as u64));
    }
    header.extend_from_slice(&[0, 0, 5]);
    header.extend(number(members.len() as u64));
    let names: Vec<u8> = members
        .iter()
        .flat_map(|(name, _)| name.encode_utf16().chain([0]))
        .flat_map(u16::to_le_bytes)
        .collect();
    header.push(17);
    header.extend(number(names.len() as u64 + 1));
    header.push(0);
    header.extend(&names);
    header.extend_from_slice(&[0, 0]);
    let mut archive = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    let place: Vec<u8> = [packed.len() as u64, header.len() as u64]
        .iter()
        .flat_map(|field| field.to_le_bytes())
        .chain(crc32fast::hash(&header).to_le_bytes())
        .collect();
    archive.extend_from_slice(&crc32fast::hash(&place).to_le_bytes());
    archive.extend(place);
    archive.extend(packed);
    archive.extend(header);
    archive
}

/// The description of a folder's coders, and what they make of `data`.
fn pack(data: &[u8], packing: Packing) -> (Vec<u8>, Vec<u8>) {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let dictionary = options.dict_size;
    let lzma2 = || {
        let options = lzma_rust2::Lzma2Options::with_preset(1);
        let mut packer = lzma_rust2::Lzma2Writer::new(Vec::new(), options);
        packer.write_all(data).expect("memory");
        packer.finish().expect("memory")
    };
    match packing {
        Packing::Stored => (vec![1, 0x01, 0], data.to_vec()),
        Packing::Encrypted => (vec![1, 0x24, 6, 0xf1, 7, 1, 0], data.to_vec()),
        Packing::Lzma => {
            let size = Some(data.len() as u64);
            let properties = options.get_props();
            let mut packer =
                lzma_rust2::LzmaWriter::new_no_header(Vec::new(), &options, size.is_none()).expect("memory");
            packer.write_all(data).expect("memory");
            let mut coder = vec![1, 0x23, 3, 1, 1, 5, properties];
            coder.extend_from_slice(&dictionary.to_le_bytes());
            (coder, packer.finish().expect("memory"))
        }
        Packing::Lzma2 => (vec![1, 0x21, 0x21, 1, 24], lzma2()),
        Packing::Filtered => (vec![2, 0x04, 3, 3, 1, 3, 0x21, 0x21, 1, 24, 0, 1], lzma2()),
        Packing::Deflate => {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            packer.write_all(data).expect("memory");
            (vec![1, 0x03, 4, 1, 8], packer.finish().expect("memory"))
        }
        Packing::Bzip2 => (vec![1, 0x03, 4, 2, 2], super::pack::bzip2(data)),
    }
}

/// A number as 7z writes it, in the form with eight bytes behind the first, or one.
fn number(value: u64) -> Vec<u8> {
    if value < 0x80 {
        return vec![value as u8];
    }
    [&[0xff][..], &value.to_le_bytes()].concat()
}

/// An entry of a git pack: kind and size, what names its base, and the packed data.
pub(crate) fn pack_entry(kind: u8, size: usize, base: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind << 4 | (size & 15) as u8];
    let mut rest = size >> 4;
    while rest > 0 {
        *bytes.last_mut().expect("a byte") |= 0x80;
        bytes.push((rest & 0x7f) as u8);
        rest >>= 7;
    }
    [&bytes, base, &zlib(data)].concat()
}

/// A git pack that says it holds `count` objects, with a checksum that is wrong.
pub(crate) fn pack_of(count: u32, entries: &[Vec<u8>]) -> Vec<u8> {
    [&b"PACK\0\0\0\x02"[..], &count.to_be_bytes(), &entries.concat(), &[0; 20]].concat()
}

/// A git pack of blobs.
pub(crate) fn pack_of_blobs(blobs: &[&[u8]]) -> Vec<u8> {
    let entries: Vec<_> = blobs.iter().map(|blob| pack_entry(3, blob.len(), &[], blob)).collect();
    pack_of(blobs.len() as u32, &entries)
}

/// A bundle of what `revisions` name.
pub(crate) fn bundle(repo: &GitRepo, options: &[&str], revisions: &[&str]) -> Vec<u8> {
    let file = repo.outside().join("x.bundle");
    let path = file.display().to_string();
    repo.git(&[&["bundle", "create", "-q"], options, &[&path], revisions].concat());
    std::fs::read(file).expect("git wrote it")
}
