//! The parallel walk: which entries of a tree are scanned, and what is counted instead.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::ignores::Ignores;
use super::{TreeOptions, git};
use crate::chunk::Chunk;
use crate::finding::{Coverage, GapKind, Origin, RepoPath, SkipReason};
use crate::source::archive::Opener;
use crate::source::content::Feeder;
use crate::source::file::open_regular;
use crate::source::git::{Tracked, TrackedKind};
use crate::source::{Sink, names, parallel};

/// Everything the threads of one walk share.
pub(super) struct Walk<'a> {
    options: &'a TreeOptions,
    root: &'a Path,
    /// Path of `root` inside the working tree.
    prefix: PathBuf,
    tracked: Option<&'a Tracked>,
    /// Which tracked entries the walk has come across, by position.
    seen: Vec<AtomicBool>,
    ignores: Option<&'a Ignores>,
    sink: &'a dyn Sink,
    opener: Opener<'a>,
    total: Mutex<Coverage>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        options: &'a TreeOptions,
        root: &'a Path,
        prefix: PathBuf,
        tracked: Option<&'a Tracked>,
        ignores: Option<&'a Ignores>,
        sink: &'a dyn Sink,
    ) -> Self {
        let mut seen = Vec::new();
        seen.resize_with(tracked.map_or(0, Tracked::len), AtomicBool::default);
        let opener = Opener::new(options.archives, sink);
        Self { options, root, prefix, tracked, seen, ignores, sink, opener, total: Mutex::default() }
    }

    /// Walks from each of `starts`, then reads the tracked files below them that the walk did
    /// not come to because git would ignore them.
    pub(super) fn run(self, starts: &[PathBuf]) -> Coverage {
        let jobs = parallel::threads(self.options.jobs);
        if let Some((first, rest)) = starts.split_first() {
            let mut builder = WalkBuilder::new(first);
            rest.iter().for_each(|start| {
                builder.add(start);
            });
            builder.standard_filters(false).follow_links(false).threads(jobs);
            builder.build_parallel().run(|| {
                let mut worker = Worker::new(&self);
                Box::new(move |entry| worker.visit(entry))
            });
        }
        self.read_tracked(starts, jobs);
        self.total.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_tracked(&self, starts: &[PathBuf], jobs: usize) {
        let Some(tracked) = self.tracked else { return };
        let unseen = |position: usize| !self.seen[position].load(Ordering::Relaxed);
        parallel::each(
            jobs,
            tracked.len(),
            64,
            || Worker::new(self),
            |worker, position| {
                if unseen(position) {
                    worker.tracked(tracked.entry(position), starts);
                }
                !self.sink.cancelled()
            },
        );
    }

    /// Path inside the working tree, as the index has it.
    fn in_index(&self, relative: &Path) -> RepoPath {
        RepoPath::from_os(&self.prefix.join(relative))
    }
}

/// One thread of the walk, with its own counts and buffer.
struct Worker<'w, 'a> {
    walk: &'w Walk<'a>,
    coverage: Coverage,
    buffer: Vec<u8>,
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        let part = std::mem::take(&mut self.coverage);
        self.walk.total.lock().unwrap_or_else(PoisonError::into_inner).merge(part);
    }
}

impl<'w, 'a> Worker<'w, 'a> {
    fn new(walk: &'w Walk<'a>) -> Self {
        Self { walk, coverage: Coverage::default(), buffer: Vec::new() }
    }

    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.walk.sink.cancelled() {
            return WalkState::Quit;
        }
        match entry {
            Ok(entry) => self.entry(&entry),
            Err(error) => {
                let path = error_path(&error).unwrap_or(self.walk.root).to_owned();
                self.unreadable(&path, error.io_error());
                WalkState::Continue
            }
        }
    }

    fn entry(&mut self, entry: &DirEntry) -> WalkState {
        let path = entry.path();
        let Some(kind) = entry.file_type() else { return WalkState::Continue };
        let relative = path.strip_prefix(self.walk.root).unwrap_or(path);
        if relative.as_os_str().is_empty() {
            return WalkState::Continue;
        }
        // NOTE: a `.git` anywhere is git's own and holds what the object database has.
        if relative.components().any(|part| part.as_os_str() == ".git") {
            return WalkState::Skip;
        }
        if self.walk.options.exclude.is_match(relative) {
            self.coverage.skip(SkipReason::Excluded);
            self.mark_seen(relative);
            return WalkState::Skip;
        }
        let named = entry.depth() == 0;
        if kind.is_dir() {
            self.directory(path, relative, named)
        } else {
            self.leaf(path, relative, kind, named)
        }
    }

    fn directory(&mut self, path: &Path, relative: &Path, named: bool) -> WalkState {
        let in_index = self.walk.in_index(relative);
        if self.walk.tracked.is_some_and(|tracked| tracked.is_submodule(in_index.as_bytes())) {
            return WalkState::Skip; // counted with the tracked entries
        }
        if git::is_nested_repository(path) {
            self.coverage.skip(SkipReason::NestedRepository);
            self.coverage.nested.push(RepoPath::from_os(relative).to_text());
            return WalkState::Skip;
        }
        if !named && self.walk.ignores.is_some_and(|ignores| ignores.ignored(path, true)) {
            self.coverage.skip(SkipReason::GitIgnored);
            return WalkState::Skip;
        }
        names::offer(RepoPath::from_os(relative), self.walk.sink);
        WalkState::Continue
    }

    fn leaf(&mut self, path: &Path, relative: &Path, kind: FileType, named: bool) -> WalkState {
        let is_tracked = self.mark_seen(relative);
        if !is_tracked && !named && self.walk.ignores.is_some_and(|ignores| ignores.ignored(path, false)) {
            self.coverage.skip(SkipReason::GitIgnored);
        } else {
            self.content(path, relative, kind);
        }
        WalkState::Continue
    }

    /// Notes that the walk has come to `relative`; true when git tracks it.
    fn mark_seen(&self, relative: &Path) -> bool {
        let Some(tracked) = self.walk.tracked else { return false };
        let path = self.walk.in_index(relative);
        let Some(first) = tracked.position(path.as_bytes()) else { return false };
        (first..tracked.len())
            .take_while(|&position| tracked.entry(position).0 == path.as_bytes())
            .for_each(|position| self.walk.seen[position].store(true, Ordering::Relaxed));
        true
    }

    /// A tracked entry that the walk has not come to: ignored, below an ignored directory, in a
    /// nested repository, or not there at all.
    fn tracked(&mut self, (path, kind): (&[u8], TrackedKind), starts: &[PathBuf]) {
        let Some(path) = os_path(path) else { return };
        let Ok(relative) = path.strip_prefix(&self.walk.prefix) else { return };
        let absolute = self.walk.root.join(relative);
        if kind == TrackedKind::Absent || !starts.iter().any(|start| absolute.starts_with(start)) {
            return;
        }
        // NOTE: an excluded directory was counted by the walk.
        if relative.ancestors().skip(1).any(|above| self.walk.options.exclude.is_match(above)) {
            return;
        }
        if kind == TrackedKind::Submodule {
            self.coverage.skip(SkipReason::Submodule);
            self.coverage.nested.push(RepoPath::from_os(relative).to_text());
            return;
        }
        let through_link =
            relative.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()).any(|above| {
                self.walk.root.join(above).symlink_metadata().is_ok_and(|found| found.is_symlink())
            });
        if through_link {
            return;
        }
        self.mark_seen(relative);
        match absolute.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) if self.walk.options.exclude.is_match(relative) => self.coverage.skip(SkipReason::Excluded),
            Ok(found) => self.content(&absolute, relative, found.file_type()),
            // NOTE: deleted in the working tree, so not part of it.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => self.unreadable(&absolute, Some(&error)),
        }
    }

    /// Scans the name and what is behind it.
    fn content(&mut self, path: &Path, relative: &Path, kind: FileType) {
        names::offer(RepoPath::from_os(relative), self.walk.sink);
        let feed = |chunk: Chunk<'_>| self.walk.sink.chunk(chunk);
        let feeder = Feeder::new(&feed, self.walk.options.windows);
        let repo_path = RepoPath::from_os(relative);
        if kind.is_symlink() {
            match std::fs::read_link(path) {
                Ok(target) => {
                    let target = RepoPath::from_os(&target);
                    feeder.bytes(target.as_bytes(), &Origin::SymlinkTarget { path: repo_path });
                    self.coverage.files += 1;
                    self.coverage.bytes += target.as_bytes().len() as u64;
                }
                Err(error) => self.unreadable(path, Some(&error)),
            }
            return;
        }
        if !kind.is_file() {
            self.coverage.skip(SkipReason::NotAFile);
            return;
        }
        match open_regular(path) {
            Ok(Some((mut file, len))) => {
                let origin = Origin::File { path: repo_path };
                let feeder = feeder.opening(&self.walk.opener);
                match feeder.reader(&mut file, Some(len), &origin, &mut self.buffer) {
                    Ok(read) => {
                        self.coverage.files += 1;
                        self.coverage.bytes += read;
                    }
                    Err(error) => self.unreadable(path, Some(&error)),
                }
            }
            Ok(None) => self.coverage.skip(SkipReason::NotAFile),
            Err(error) => self.unreadable(path, Some(&error)),
        }
    }

    fn unreadable(&mut self, path: &Path, error: Option<&io::Error>) {
        let what = RepoPath::from_os(path.strip_prefix(self.walk.root).unwrap_or(path)).to_text();
        let (kind, why) = match error {
            Some(error) if error.kind() == io::ErrorKind::NotFound => {
                (GapKind::Missing, "disappeared during the scan; run the scan again".to_owned())
            }
            Some(error) => (GapKind::Unreadable, format!("{error}; check its permissions, or exclude it")),
            None => (GapKind::Unreadable, "cannot be read; check its permissions, or exclude it".to_owned()),
        };
        self.coverage.gap(kind, if what.is_empty() { ".".to_owned() } else { what }, why);
    }
}

/// The path an error of the walk is about.
fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        ignore::Error::Loop { child, .. } => Some(child),
        ignore::Error::Partial(errors) => errors.first().and_then(error_path),
        ignore::Error::Io(_)
        | ignore::Error::Glob { .. }
        | ignore::Error::UnrecognizedFileType(_)
        | ignore::Error::InvalidDefinition => None,
    }
}

/// A path of the index as one of the operating system.
fn os_path(bytes: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    {
        std::str::from_utf8(bytes).ok().map(PathBuf::from)
    }
}
