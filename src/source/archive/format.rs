//! Which container content is, told by its first bytes.

/// A container whose members are scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// zip, and all that is one: jar, war, whl, apk, docx, xlsx, pptx, odt, epub, nupkg, vsix …
    Zip,
    /// tar, also images of containers (docker save, OCI layouts).
    Tar,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// ar: Debian packages, static libraries.
    Ar,
    /// cpio, new and old ASCII forms.
    Cpio,
    /// RPM packages.
    Rpm,
    /// PDF documents: the text of their streams.
    Pdf,
    /// 7z.
    SevenZip,
    /// Git bundles.
    GitBundle,
    /// Git packs outside a repository.
    GitPack,
    /// Binary property lists.
    Plist,
    /// SQLite databases.
    Sqlite,
}

/// Bytes that decide the format.
pub(crate) const HEAD: usize = 512;

impl Format {
    /// The container that begins with `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Option<Self> {
        Some(match content {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            // A spanned archive that has become one file again.
            [b'P', b'K', b'0', b'0', b'P', b'K', 3, 4, ..] | [b'P', b'K', 7, 8, b'P', b'K', 3, 4, ..] => {
                Self::Zip
            }
            [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => Self::Ar,
            [b'0', b'7', b'0', b'7', b'0', b'1' | b'2' | b'7', ..] if is_cpio(content) => Self::Cpio,
            [0xed, 0xab, 0xee, 0xdb, ..] => Self::Rpm,
            [b'%', b'P', b'D', b'F', b'-', ..] => Self::Pdf,
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Self::SevenZip,
            [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..] => Self::GitPack,
            [b'#', b' ', b'v', b'2' | b'3', rest @ ..] if rest.starts_with(b" git bundle\n") => {
                Self::GitBundle
            }
            [b'b', b'p', b'l', b'i', b's', b't', b'0', b'0', ..] => Self::Plist,
            [b'S', b'Q', b'L', rest @ ..] if rest.starts_with(b"ite format 3\0") => Self::Sqlite,
            _ if is_tar(content) => Self::Tar,
            _ if ends_as_zip(content) => Self::Zip,
            _ => return None,
        })
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Ar => "ar",
            Self::Cpio => "cpio",
            Self::Rpm => "rpm",
            Self::Pdf => "pdf",
            Self::SevenZip => "7z",
            Self::GitBundle => "git bundle",
            Self::GitPack => "git pack",
            Self::Plist => "binary property list",
            Self::Sqlite => "sqlite",
        }
    }

    /// Whether it holds one compressed content and no names.
    pub(super) const fn is_compression(self) -> bool {
        matches!(self, Self::Gzip | Self::Bzip2 | Self::Xz | Self::Zstd | Self::Lz4)
    }

    /// Whether it can be read from front to back without holding all of it.
    pub(super) const fn is_stream(self) -> bool {
        !matches!(
            self,
            Self::Pdf | Self::SevenZip | Self::GitBundle | Self::GitPack | Self::Plist | Self::Sqlite
        )
    }

    /// How content is counted that is too large to be opened, when all but a little of what it says
    /// is plain to see in its bytes. None when it is packed, and so left unread.
    pub(super) const fn in_the_open(self) -> Option<&'static str> {
        match self {
            Self::Plist => Some("not-unpacked-binary-plist"),
            Self::Sqlite => Some("not-unpacked-sqlite"),
            Self::Zip
            | Self::Tar
            | Self::Gzip
            | Self::Bzip2
            | Self::Xz
            | Self::Zstd
            | Self::Lz4
            | Self::Ar
            | Self::Cpio
            | Self::Rpm
            | Self::Pdf
            | Self::SevenZip
            | Self::GitBundle
            | Self::GitPack => None,
        }
    }
}

/// Whether the members of `content` are scanned one by one, so that a part of it says nothing.
///
/// Cheap: looks at a few bytes. Truncated and damaged containers count.
#[must_use]
pub fn is_container(content: &[u8]) -> bool {
    Format::of(content).is_some()
}

/// Name of a format whose content is packed in a way that is not undone; its bytes are scanned
/// as they are.
#[must_use]
pub(super) fn opaque(content: &[u8]) -> Option<&'static str> {
    Some(match content {
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => "not-unpacked-rar",
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => "not-unpacked-cabinet",
        [b'h', b's', b'q', b's', ..] => "not-unpacked-squashfs",
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => "not-unpacked-compound-file",
        [0x1f, 0x9d, ..] => "not-unpacked-compress",
        [b'L', b'Z', b'I', b'P', 1, ..] => "not-unpacked-lzip",
        _ => return None,
    })
}

/// Hexadecimal or octal fields up to the length of the name.
fn is_cpio(content: &[u8]) -> bool {
    content.get(6..76).is_some_and(|fields| fields.iter().all(u8::is_ascii_hexdigit))
}

/// The magic of POSIX and GNU, or a right checksum where there is none.
fn is_tar(content: &[u8]) -> bool {
    let Some(header) = content.get(..HEAD) else { return false };
    header[0] != 0 && (&header[257..262] == b"ustar" || super::tar::checksum_holds(header))
}

/// A program or script with an archive behind it: the directory's end is at the very end.
fn ends_as_zip(content: &[u8]) -> bool {
    content.len().checked_sub(22).is_some_and(|at| {
        // No comment, one disk, and a directory that can be there.
        let end = &content[at..];
        end.starts_with(b"PK\x05\x06\0\0\0\0") && end[20..] == [0, 0] && end[8..12] != [0; 4]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(Format::of(b"PK\x03\x04rest"), Some(Format::Zip));
        assert_eq!(Format::of(b"\x1f\x8b\x08\0rest"), Some(Format::Gzip));
        assert_eq!(Format::of(b"%PDF-1.7\n"), Some(Format::Pdf));
        assert_eq!(Format::of(b"fn main() {}\n"), None);
        assert_eq!(Format::of(b""), None);
        assert_eq!(opaque(b"Rar!\x1a\x07\x01\0"), Some("not-unpacked-rar"));
        assert!(!is_container(&[b'a'; 600]));
    }
}
