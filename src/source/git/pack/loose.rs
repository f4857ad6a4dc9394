//! Loose objects: one zlib-compressed file each, `objects/ab/cdef…`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ObjectError;
use super::inflate::Inflater;
use super::mmap::{Access, FileBytes};
use super::object::{HashKind, ObjectKind};
use super::stream::ObjectStream;
use crate::finding::Oid;

/// The longest header: `commit`, a space, 20 digits and a NUL, with a little to spare.
const LONGEST_HEADER: usize = 32;

/// The file of the loose object `name` below the object directory `directory`.
pub(crate) fn path_of(directory: &Path, name: &Oid) -> PathBuf {
    let hex = name.to_string();
    directory.join(&hex[..2]).join(&hex[2..])
}

/// Names of all loose objects in `directory`. A directory that cannot be listed is told to `problem`.
pub(crate) fn list(directory: &Path, hash: HashKind, mut problem: impl FnMut(&Path, io::Error)) -> Vec<Oid> {
    let mut names = Vec::new();
    for first in 0..=255_u8 {
        let prefix = format!("{first:02x}");
        let fan = directory.join(&prefix);
        let entries = match fs::read_dir(&fan) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                problem(&fan, error);
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => names.extend(entry.file_name().to_str().and_then(|rest| {
                    let name: Oid = format!("{prefix}{rest}").parse().ok()?;
                    (name.as_bytes().len() == hash.name_len()).then_some(name)
                })),
                Err(error) => problem(&fan, error),
            }
        }
    }
    names
}

/// Reads the loose object at `path` into `out`, header included; the content starts at the returned
/// position.
pub(crate) fn read(
    path: &Path,
    limit: u64,
    inflater: &mut Inflater,
    out: &mut Vec<u8>,
) -> Result<(ObjectKind, usize), ObjectError> {
    let packed = FileBytes::open(path, Access::Forward)?;
    let mut head = [0; LONGEST_HEADER];
    let (kind, size, length) = header(inflater.peek(&packed, &mut head)?).ok_or(ObjectError::LooseHeader)?;
    if size > limit {
        return Err(ObjectError::TooLarge { size, limit });
    }
    let whole = usize::try_from(size).ok().and_then(|size| size.checked_add(length));
    let taken = inflater.inflate(&packed, whole.ok_or(ObjectError::LooseHeader)?, out)?;
    if taken == packed.len() { Ok((kind, length)) } else { Err(ObjectError::Inflate("bytes follow it")) }
}

/// The content of the loose object in `packed`, from front to back, with its kind and size.
pub(super) fn stream(packed: &FileBytes) -> Result<(ObjectKind, u64, ObjectStream<'_>), ObjectError> {
    let mut head = [0; LONGEST_HEADER];
    let head = Inflater::new().peek(packed, &mut head)?.to_vec();
    let (kind, size, length) = header(&head).ok_or(ObjectError::LooseHeader)?;
    Ok((kind, size, ObjectStream::new(packed, Some((packed, 0)), length, size)?))
}

/// Kind and size of a loose object, and how long its header is.
fn header(head: &[u8]) -> Option<(ObjectKind, u64, usize)> {
    let end = head.iter().position(|&byte| byte == 0)?;
    let text = &head[..end];
    let space = text.iter().position(|&byte| byte == b' ')?;
    let (kind, digits) = (&text[..space], &text[space + 1..]);
    let canonical = digits == b"0" || digits.first().is_some_and(|first| (b'1'..=b'9').contains(first));
    if !canonical || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((ObjectKind::from_name(kind)?, size, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_strict() {
        assert_eq!(header(b"blob 12\0rest"), Some((ObjectKind::Blob, 12, 8)));
        assert_eq!(header(b"tree 0\0"), Some((ObjectKind::Tree, 0, 7)));
        for bad in ["blob 12", "blob  12\0", "blob 012\0", "blob -1\0", "blob \0", "blob12\0", "knob 1\0"] {
            assert_eq!(header(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(header(b"blob 99999999999999999999\0"), None);
    }
}
