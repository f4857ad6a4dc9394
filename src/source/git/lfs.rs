//! Git LFS: blobs that name content kept elsewhere, and that content where it was fetched.
//!
//! Format after <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::archive::{Limits, Opener};
use super::super::content::Feeder;
use super::super::file::open_regular;
use super::super::{Sink, Windows};
use super::repository::Repository;
use crate::chunk::Chunk;
use crate::finding::{Coverage, GapKind, Origin, RepoPath, SkipReason};

/// Pointers are shorter than this, in bytes, says the specification.
const LONGEST_POINTER: usize = 1024;

/// Names of absent content that a gap gives as examples.
const EXAMPLES: usize = 3;

/// The name (SHA-256 in hexadecimal) of the content that a blob points to, if it is a pointer.
pub(super) fn pointer(blob: &[u8]) -> Option<String> {
    let version = b"version https://git-lfs.github.com/spec/v1\n";
    let rest = blob.strip_prefix(&version[..]).filter(|_| blob.len() < LONGEST_POINTER)?;
    let name = rest.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"oid sha256:"))?;
    let is_name = name.len() == 64 && name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_name.then(|| String::from_utf8_lossy(name).into_owned())
}

/// Scans all content that was fetched, and says which of the content that `pointers` name was not.
pub(super) fn scan(
    repository: &Repository,
    windows: Windows,
    archives: Limits,
    sink: &dyn Sink,
    pointers: &BTreeSet<String>,
    coverage: &mut Coverage,
) {
    let directory = repository.common_dir().join("lfs/objects");
    let mut there = BTreeSet::new();
    let mut buffer = Vec::new();
    let opener = Opener::new(archives, sink);
    for file in content_below(&directory) {
        if sink.cancelled() {
            return;
        }
        there.extend(file.file_name().map(|name| name.to_string_lossy().into_owned()));
        let path = RepoPath::from_os(file.strip_prefix(repository.common_dir()).unwrap_or(&file));
        match feed(&file, &path, windows, &opener, sink, &mut buffer) {
            Ok(read) => {
                coverage.files += 1;
                coverage.bytes += read;
            }
            Err(error) => {
                let why = format!("{error}; run `git lfs fsck`");
                coverage.gap(GapKind::Unreadable, format!("git's own {path}"), why);
            }
        }
    }
    if !pointers.is_empty() {
        *coverage.skipped.entry(SkipReason::LfsPointer).or_default() += pointers.len() as u64;
    }
    let absent: Vec<&String> = pointers.difference(&there).collect();
    if !absent.is_empty() {
        let examples: Vec<&str> = absent.iter().take(EXAMPLES).map(|name| &name[..12]).collect();
        let more = if absent.len() > EXAMPLES { ", …" } else { "" };
        coverage.gap(
            GapKind::Missing,
            format!("{} LFS objects ({}{more})", absent.len(), examples.join(", ")),
            "not fetched; run `git lfs fetch --all`",
        );
    }
}

fn feed(
    file: &Path,
    path: &RepoPath,
    windows: Windows,
    opener: &Opener<'_>,
    sink: &dyn Sink,
    buffer: &mut Vec<u8>,
) -> io::Result<u64> {
    let Some((mut content, len)) = open_regular(file)? else { return Ok(0) };
    let emit = |chunk: Chunk<'_>| sink.chunk(chunk);
    let origin = Origin::GitFile { path: path.clone() };
    Feeder::new(&emit, windows).opening(opener).reader(&mut content, Some(len), &origin, buffer)
}

/// Files `ab/cd/abcd…`, sorted.
fn content_below(directory: &Path) -> Vec<PathBuf> {
    let list = |directory: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let mut files: Vec<PathBuf> = list(directory)
        .iter()
        .flat_map(|first| list(first))
        .flat_map(|second| list(&second))
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file()))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_told_from_text_about_them() {
        let name = "ab".repeat(32);
        let good = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize 12\n");
        assert_eq!(pointer(good.as_bytes()), Some(name.clone()));
        for bad in [
            format!("# {good}"),
            good.replace("sha256:", "sha1:"),
            good.replace(&name, &name[2..]),
            format!("{good}{}", "x".repeat(2000)),
        ] {
            assert_eq!(pointer(bad.as_bytes()), None, "{bad}");
        }
    }
}
