//! What every kind of git object store agrees on: object kinds and how objects are named.

use std::io::{self, Read};

use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::finding::Oid;

/// Bytes read at a time of what is not held.
const PIECE: usize = 64 << 10;

/// What a git object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A commit: headers and message.
    Commit,
    /// A directory listing.
    Tree,
    /// File content.
    Blob,
    /// An annotated tag: headers and message.
    Tag,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Commit, Self::Tree, Self::Blob, Self::Tag];

    /// The name git uses in object headers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    /// The kind that git names `name`.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().as_bytes() == name)
    }
}

/// How a repository names its objects (`extensions.objectFormat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// SHA-1, 20 bytes: nearly every repository.
    #[default]
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl HashKind {
    /// Bytes in an object name.
    #[must_use]
    pub const fn name_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The name of an object: the hash over `kind SP size NUL content`.
    #[must_use]
    pub fn name_object(self, kind: ObjectKind, bytes: &[u8]) -> Oid {
        let header = format!("{} {}\0", kind.as_str(), bytes.len());
        self.digest(&[header.as_bytes(), bytes])
    }

    /// [`name_object`](Self::name_object) for content of `size` bytes that is read from front to back.
    pub(super) fn name_stream(self, kind: ObjectKind, size: u64, content: &mut dyn Read) -> io::Result<Oid> {
        let header = format!("{} {size}\0", kind.as_str());
        let hash = match self {
            Self::Sha1 => digest_stream::<Sha1>(header.as_bytes(), content),
            Self::Sha256 => digest_stream::<Sha256>(header.as_bytes(), content),
        };
        hash.map(|hash| Oid::from_bytes(&hash).expect("NOTE: both digests have the length of an object name"))
    }

    /// The hash over `parts`, one after the other.
    pub(in crate::source) fn digest(self, parts: &[&[u8]]) -> Oid {
        let hash = match self {
            Self::Sha1 => digest::<Sha1>(parts),
            Self::Sha256 => digest::<Sha256>(parts),
        };
        Oid::from_bytes(&hash).expect("NOTE: both digests have the length of an object name")
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

fn digest_stream<D: Digest>(header: &[u8], content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut hasher = D::new();
    hasher.update(header);
    let mut piece = vec![0; PIECE];
    loop {
        match content.read(&mut piece)? {
            0 => return Ok(hasher.finalize().to_vec()),
            read => hasher.update(&piece[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_blob_has_its_well_known_names() {
        let sha1 = HashKind::Sha1.name_object(ObjectKind::Blob, b"");
        assert_eq!(sha1.to_string(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        let sha256 = HashKind::Sha256.name_object(ObjectKind::Blob, b"");
        assert_eq!(sha256.to_string(), "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
    }

    #[test]
    fn a_stream_has_the_name_of_its_bytes() {
        let content = b"some content\n".repeat(10_000);
        for hash in [HashKind::Sha1, HashKind::Sha256] {
            let name = hash.name_object(ObjectKind::Blob, &content);
            assert_eq!(hash.name_stream(ObjectKind::Blob, 130_000, &mut &content[..]).unwrap(), name);
        }
    }

    #[test]
    fn kinds_have_names() {
        for kind in ObjectKind::ALL {
            assert_eq!(ObjectKind::from_name(kind.as_str().as_bytes()), Some(kind));
        }
        assert_eq!(ObjectKind::from_name(b"blobs"), None);
    }
}
