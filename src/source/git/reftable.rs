//! Refs and reflogs kept in reftables, which the git library cannot read.
//!
//! A small reader of its own: it goes through every block of every table from front to back and
//! needs no index. Layout after <https://git-scm.com/docs/reftable>.

use std::collections::BTreeMap;
use std::path::Path;

use flate2::{Decompress, FlushDecompress, Status};
use gix::ObjectId;

use crate::source::file::read_small;

/// Largest table that is read, in bytes; a million refs take about 50 MB.
const MOST_TABLE: u64 = 1 << 30;

/// Most tables of one stack. Git merges them so that there are about as many as the number of
/// refs has binary digits.
const MOST_TABLES: usize = 10_000;

/// Bytes at the end of a table that are no blocks, without the copy of the header.
const FOOTER: usize = 44;

/// What a ref names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An object.
    Object(ObjectId),
    /// Another ref.
    Ref(Vec<u8>),
}

/// One move of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Full name of the ref.
    pub(super) name: Vec<u8>,
    /// Object named before and after; all zeros for none.
    pub(super) objects: [ObjectId; 2],
    /// What moved it, for example `commit: Add a page`.
    pub(super) message: Vec<u8>,
}

/// A stack of tables, read as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stack {
    /// Refs by full name; `HEAD` is one of them.
    pub(super) refs: BTreeMap<Vec<u8>, Target>,
    /// The reflogs, by ref and time, the latest move of a ref first.
    pub(super) log: Vec<Move>,
    /// Tables that could not be read to the end, and why.
    pub(super) broken: Vec<(String, &'static str)>,
}

/// A damaged table; what was read before the damage counts.
type Read<T> = Result<T, &'static str>;

/// Key of a log entry: ref name, a NUL, and the update it belongs to.
type LogKey = Vec<u8>;

/// Newer tables say what becomes of what older ones hold; `None` takes it away.
#[derive(Default)]
struct Records {
    refs: BTreeMap<Vec<u8>, Option<Target>>,
    log: BTreeMap<LogKey, Option<Move>>,
}

/// Reads the stack below `git_dir`, a shared git directory or that of a linked worktree.
///
/// Never fails as a whole: see [`Stack::broken`].
pub(super) fn read(git_dir: &Path, hash: gix::hash::Kind) -> Stack {
    // A writer may merge tables away between the list and the tables: then there is a new list.
    let mut stack = attempt(git_dir, hash);
    for _ in 0..3 {
        if stack.broken.is_empty() {
            break;
        }
        stack = attempt(git_dir, hash);
    }
    stack
}

fn attempt(git_dir: &Path, hash: gix::hash::Kind) -> Stack {
    let directory = git_dir.join("reftable");
    let mut stack = Stack::default();
    let mut records = Records::default();
    let list = read_small(&directory.join("tables.list"), 1 << 20);
    if list.is_none() && directory.is_dir() {
        stack.broken.push(("reftable/tables.list".to_owned(), "cannot be read"));
    }
    let list = list.unwrap_or_default();
    for (number, name) in list.split(|&byte| byte == b'\n').filter(|name| !name.is_empty()).enumerate() {
        let shown = || format!("reftable/{}", name.escape_ascii());
        if number >= MOST_TABLES {
            stack.broken.push((shown(), "one table too many"));
            break;
        }
        // NOTE: git writes plain names; anything else must not lead out of the directory.
        let plain =
            std::str::from_utf8(name).ok().filter(|name| !name.contains(['/', '\\']) && *name != "..");
        let content = plain.and_then(|name| read_small(&directory.join(name), MOST_TABLE));
        let outcome = match content {
            Some(content) => Table::open(&content, hash).and_then(|table| table.read(&mut records)),
            None => Err("cannot be read"),
        };
        if let Err(why) = outcome {
            stack.broken.push((shown(), why));
        }
    }
    stack.refs = records.refs.into_iter().filter_map(|(name, target)| Some((name, target?))).collect();
    stack.log = records.log.into_values().flatten().collect();
    stack
}

impl Stack {
    /// Follows `name` through refs that name refs, in this stack and then in `shared`; none when
    /// it ends at a ref that is not there.
    pub(super) fn resolve(&self, name: &[u8], shared: &Self) -> Option<ObjectId> {
        let mut name = name;
        // NOTE: git follows five.
        for _ in 0..5 {
            match self.refs.get(name).or_else(|| shared.refs.get(name))? {
                Target::Object(id) => return Some(*id),
                Target::Ref(next) => name = next,
            }
        }
        None
    }
}

/// One table in memory.
struct Table<'a> {
    /// Everything before the footer.
    bytes: &'a [u8],
    header: usize,
    block_size: usize,
    id_len: usize,
    /// Where log blocks begin; the end when there are none.
    log: usize,
}

impl<'a> Table<'a> {
    fn open(content: &'a [u8], hash: gix::hash::Kind) -> Read<Self> {
        let version = *content.get(4).filter(|_| content.starts_with(b"REFT")).ok_or("is not a reftable")?;
        let (header, kind) = match version {
            1 => (24, gix::hash::Kind::Sha1),
            2 => match content.get(24..28) {
                Some(b"sha1") => (28, gix::hash::Kind::Sha1),
                Some(b"s256") => (28, gix::hash::Kind::Sha256),
                _ => return Err("names objects in a way that is not known"),
            },
            _ => return Err("is of a version that is not known"),
        };
        if kind != hash {
            return Err("names objects in another way than its repository");
        }
        let end =
            content.len().checked_sub(header + FOOTER).filter(|&end| end >= header).ok_or("is cut off")?;
        let footer = &content[end..];
        let (body, checksum) = footer.split_at(footer.len() - 4);
        if footer[..header] != content[..header] || crc32fast::hash(body).to_be_bytes() != *checksum {
            return Err("has a damaged end");
        }
        // After the copy of the header: ref index, object blocks, object index, log blocks, log index.
        let log = wide(&footer[header + 24..]).ok_or("is cut off")?;
        let only_log = content.get(header) == Some(&b'g');
        let log = if only_log {
            0
        } else if log == 0 {
            end as u64
        } else {
            log
        };
        let log =
            usize::try_from(log).ok().filter(|&log| log <= end).ok_or("says its log is behind its end")?;
        Ok(Self {
            bytes: &content[..end],
            header,
            block_size: content[5..8].iter().fold(0, |size, &byte| size << 8 | usize::from(byte)),
            id_len: hash.len_in_bytes(),
            log,
        })
    }

    fn read(&self, to: &mut Records) -> Read<()> {
        let mut at = 0;
        while at < self.log {
            let head = self.head(at);
            match self.bytes.get(at + head) {
                Some(b'r') => at = self.ref_block(at, head, to)?,
                // What follows refers to refs by object, or is an index of what was read.
                Some(b'o' | b'i') => break,
                Some(0) | None => break,
                Some(_) => return Err("has a block of a kind that is not known"),
            }
        }
        at = self.log;
        while at < self.bytes.len() && self.bytes.get(at + self.head(at)) == Some(&b'g') {
            at = self.log_block(at, self.head(at), to)?;
        }
        Ok(())
    }

    /// Bytes of the table's header that the block at `at` begins with.
    fn head(&self, at: usize) -> usize {
        if at == 0 { self.header } else { 0 }
    }

    /// Declared length of a block, the table's header included if it begins with that.
    fn block_len(&self, at: usize, head: usize) -> Read<usize> {
        let raw = self.bytes.get(at + head + 1..at + head + 4).ok_or("ends within a block")?;
        let length = raw.iter().fold(0, |size, &byte| size << 8 | usize::from(byte));
        if length < head + 6 { Err("has a block that is too short") } else { Ok(length) }
    }

    /// Reads the refs of one block; where the next one begins.
    fn ref_block(&self, at: usize, head: usize, to: &mut Records) -> Read<usize> {
        let length = self.block_len(at, head)?;
        let block = self.bytes.get(at..at + length).ok_or("ends within a block")?;
        let mut key = Vec::new();
        let mut records = records_of(block, head)?;
        while !records.rest.is_empty() {
            let kind = records.key(&mut key)?;
            records.number()?;
            let target = match kind {
                0 => None,
                1 | 2 => {
                    let id = records.id(self.id_len)?;
                    if kind == 2 {
                        records.id(self.id_len)?;
                    }
                    Some(Target::Object(id))
                }
                3 => Some(Target::Ref(records.text()?.to_vec())),
                _ => return Err("has a ref of a kind that is not known"),
            };
            to.refs.insert(key.clone(), target);
        }
        // Blocks are padded to their size, but for the last one before a section that is not aligned.
        let padded = length < self.block_size && self.bytes.get(at + length) == Some(&0);
        Ok(at + if padded { self.block_size } else { length })
    }

    /// Reads the log entries of one block; where the next one begins.
    fn log_block(&self, at: usize, head: usize, to: &mut Records) -> Read<usize> {
        let length = self.block_len(at, head)?;
        let start = at + head + 4;
        let packed = self.bytes.get(start..).ok_or("ends within a block")?;
        let (content, taken) = inflate(packed, length - head - 4)?;
        // As if it had been there plainly, so that lengths count from the same place.
        let block = [&self.bytes[at..start], &content].concat();
        let mut key = Vec::new();
        let mut records = records_of(&block, head)?;
        while !records.rest.is_empty() {
            let kind = records.key(&mut key)?;
            let entry = match kind {
                0 => None,
                1 => {
                    let objects = [records.id(self.id_len)?, records.id(self.id_len)?];
                    let (_name, _email) = (records.text()?, records.text()?);
                    records.number()?;
                    records.bytes(2)?;
                    let message = records.text()?.trim_ascii_end().to_vec();
                    let end = key.len().checked_sub(9).ok_or("has a log entry without a time")?;
                    Some(Move { name: key[..end].to_vec(), objects, message })
                }
                _ => return Err("has a log entry of a kind that is not known"),
            };
            to.log.insert(key.clone(), entry);
        }
        Ok(start + taken)
    }
}

/// The records of a block, without its head and the table of restarts at its end.
fn records_of(block: &[u8], head: usize) -> Read<Cursor<'_>> {
    let (rest, count) = block.split_last_chunk::<2>().ok_or("has a block that is too short")?;
    let restarts = usize::from(u16::from_be_bytes(*count)) * 3;
    let end = rest.len().checked_sub(restarts).ok_or("has a block with too many restarts")?;
    rest.get(head + 4..end).map(|rest| Cursor { rest }).ok_or("has a block with too many restarts")
}

/// Decompresses exactly `size` bytes; also how many bytes they took.
fn inflate(packed: &[u8], size: usize) -> Read<(Vec<u8>, usize)> {
    let mut stream = Decompress::new(true);
    let mut content = Vec::with_capacity(size);
    // NOTE: a block has at most 16 MiB, and the decoder does not write beyond the capacity.
    match stream.decompress_vec(packed, &mut content, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) if content.len() == size => Ok((content, stream.total_in() as usize)),
        Ok(_) | Err(_) => Err("has a log block that cannot be decompressed"),
    }
}

/// Reads one record after the other.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("ends within a record")?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of variable length; every byte that continues adds one, as in packs.
    fn number(&mut self) -> Read<u64> {
        let mut number = 0_u64;
        for round in 0..10 {
            let byte = self.bytes(1)?[0];
            let carry = u64::from(round > 0);
            number = number.checked_add(carry).and_then(|n| n.checked_mul(128)).ok_or("has a huge number")?
                | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("has a huge number")
    }

    fn text(&mut self) -> Read<&'a [u8]> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).map_err(|_| "has a huge number")?)
    }

    fn id(&mut self, length: usize) -> Read<ObjectId> {
        ObjectId::try_from(self.bytes(length)?).map_err(|_| "has a malformed object name")
    }

    /// Turns `key` into the key of the next record, and gives the kind of its value.
    fn key(&mut self, key: &mut Vec<u8>) -> Read<u8> {
        let shared = usize::try_from(self.number()?).ok().filter(|&shared| shared <= key.len());
        let length = self.number()?;
        let suffix = self.bytes(usize::try_from(length >> 3).map_err(|_| "has a huge number")?)?;
        key.truncate(shared.ok_or("has a key that continues nothing")?);
        key.extend_from_slice(suffix);
        Ok((length & 7) as u8)
    }
}

/// The big-endian number at the start of `bytes`.
fn wide(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<8>().map(|raw| u64::from_be_bytes(*raw))
}
