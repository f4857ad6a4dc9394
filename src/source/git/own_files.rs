//! What a git directory holds besides objects and refs: configuration with URLs and the
//! credentials in them, hooks, reflogs, leftovers of merges, and whatever somebody put there.
//!
//! Nothing of this is pushed or cloned, but backups, container images and copied directories
//! take it along.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::super::content::Feeder;
use super::super::file::{open_regular, read_small};
use super::super::{Sink, Windows};
use super::refs;
use super::repository::Repository;
use crate::chunk::{Chunk, Encoding};
use crate::finding::{Coverage, GapKind, Origin, RepoPath};

/// Directories whose files are scanned, besides those at the top.
const DIRECTORIES: [&str; 5] = ["hooks", "info", "rebase-apply", "rebase-merge", "sequencer"];

/// Files that hold object names only, or what is scanned as objects and refs anyway.
const KNOWN: [&str; 8] =
    ["HEAD", "ORIG_HEAD", "COMMIT_EDITMSG", "index", "packed-refs", "shallow", "tables.list", "gc.log"];

/// Deepest directory below `modules` in which a submodule's repository is looked for.
const DEEPEST_MODULE: usize = 24;

/// Largest reflog that is scanned, in bytes; each move of a branch takes about 200.
const MOST_REFLOG: u64 = 256 << 20;

/// Scans the files of the git directory, those of its linked worktrees and of submodules.
///
/// `has` tells whether an object is in the database.
pub(super) fn scan(
    repository: &Repository,
    windows: Windows,
    sink: &dyn Sink,
    has: &dyn Fn(&ObjectId) -> bool,
    coverage: &mut Coverage,
) {
    let mut reader = Reader { root: repository.common_dir(), windows, sink, coverage, buffer: Vec::new() };
    let mut dirs: BTreeSet<PathBuf> = refs::git_dirs(repository).into_iter().collect();
    modules_below(&repository.common_dir().join("modules"), 0, &mut dirs);
    for git_dir in &dirs {
        reader.directory(git_dir, &|name| KNOWN.contains(&name) || is_machinery(name));
        for below in DIRECTORIES {
            // Git's own examples, the same in every repository.
            reader.directory(&git_dir.join(below), &|name| name.ends_with(".sample"));
        }
    }
    for log in refs::reflog_files(repository) {
        reader.reflog(&log, repository.hash_kind().len_in_hex(), has);
    }
    reader.moves(repository, has);
}

/// Binary tables and locks.
fn is_machinery(name: &str) -> bool {
    name.starts_with("sharedindex.") || name.starts_with("index.") || name.ends_with(".lock")
}

/// Repositories of submodules: directories with a `HEAD`, whose own submodules are below them.
fn modules_below(directory: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let path = entry.path();
        if path.join("HEAD").is_file() {
            modules_below(&path.join("modules"), depth + 1, found);
            found.insert(path);
        } else if depth < DEEPEST_MODULE {
            modules_below(&path, depth + 1, found);
        }
    }
}

struct Reader<'a> {
    /// What paths are shown relative to.
    root: &'a Path,
    windows: Windows,
    sink: &'a dyn Sink,
    coverage: &'a mut Coverage,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    /// Scans the regular files of one directory but those that `skip` names.
    fn directory(&mut self, directory: &Path, skip: &dyn Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter(|entry| !skip(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        files.sort();
        files.iter().for_each(|file| self.file(file));
    }

    fn path(&self, file: &Path) -> RepoPath {
        RepoPath::from_os(file.strip_prefix(self.root).unwrap_or(file))
    }

    fn file(&mut self, file: &Path) {
        let path = self.path(file);
        let sink = self.sink;
        let emit = |chunk: Chunk<'_>| sink.chunk(chunk);
        let read = match open_regular(file) {
            Ok(Some((mut content, len))) => {
                let origin = Origin::GitFile { path: path.clone() };
                Feeder::new(&emit, self.windows).reader(&mut content, Some(len), &origin, &mut self.buffer)
            }
            Ok(None) => return,
            Err(error) => Err(error),
        };
        match read {
            Ok(read) => {
                self.coverage.files += 1;
                self.coverage.bytes += read;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => self.coverage.gap(
                GapKind::Unreadable,
                format!("git's own {path}"),
                format!("{error}; check its permissions"),
            ),
        }
    }

    /// Scans a reflog but for moves that repeat the first line of a commit that is still there.
    fn reflog(&mut self, file: &Path, hex: usize, has: &dyn Fn(&ObjectId) -> bool) {
        let Some(log) = read_small(file, MOST_REFLOG) else {
            let what = format!("git's own {}", self.path(file));
            let why = "cannot be read, or is over its size limit; check its permissions";
            return self.coverage.gap(GapKind::Unreadable, what, why);
        };
        let mut text = Vec::with_capacity(log.len());
        for line in log.split_inclusive(|&byte| byte == b'\n') {
            let after = line.get(hex + 1..2 * hex + 1).and_then(|name| ObjectId::from_hex(name).ok());
            let message = memchr::memchr(b'\t', line).map_or(line, |tab| &line[tab + 1..]);
            if repeats_a_commit(message) && after.is_some_and(|id| has(&id)) {
                text.push(b'\n');
            } else {
                text.extend_from_slice(line);
            }
        }
        self.coverage.files += 1;
        self.coverage.bytes += log.len() as u64;
        self.text(&text, self.path(file));
    }

    /// The same for reflogs in reftables.
    fn moves(&mut self, repository: &Repository, has: &dyn Fn(&ObjectId) -> bool) {
        let mut logs: std::collections::BTreeMap<Vec<u8>, Vec<u8>> = std::collections::BTreeMap::new();
        for entry in refs::moves(repository) {
            if !(repeats_a_commit(&entry.message) && has(&entry.objects[1])) {
                let log = logs.entry(entry.name).or_default();
                log.extend_from_slice(&entry.message);
                log.push(b'\n');
            }
        }
        for (name, text) in logs {
            self.coverage.bytes += text.len() as u64;
            self.text(&text, RepoPath::new([b"logs/", &name[..]].concat()));
        }
    }

    fn text(&self, text: &[u8], path: RepoPath) {
        if text.iter().any(|byte| !byte.is_ascii_whitespace()) {
            self.sink.chunk(Chunk::whole(text, &Origin::GitFile { path }, Encoding::Plain));
        }
    }
}

/// Whether a move's message is the first line of the commit that it made.
fn repeats_a_commit(message: &[u8]) -> bool {
    [&b"commit"[..], b"rebase", b"cherry-pick", b"am: ", b"revert"].iter().any(|by| message.starts_with(by))
}
