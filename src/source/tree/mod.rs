//! Files of a working tree or a plain directory.
//!
//! Everything that git tracks is scanned, and everything else that git does not ignore. What is
//! left out is counted: an ignored or excluded directory counts once, not once for each file.

mod ignores;
mod patterns;
mod walk;

use std::path::{Path, PathBuf};

use globset::GlobSet;

use super::archive::Limits;
use super::git::{self, Repository, Tracked};
use super::{Sink, SourceError, Windows};
use crate::finding::{Coverage, GapKind};

use ignores::Ignores;
use walk::Walk;

/// What to scan of a tree.
#[derive(Clone, Debug)]
pub struct TreeOptions {
    /// Directory or single file to scan. Paths are reported relative to it (a single file: its
    /// name). A symbolic link is followed here, and only here.
    pub root: PathBuf,
    /// Paths below `root` (relative to it, or absolute) to scan instead of all of it. They are
    /// scanned even if git ignores them; inside them the ignore rules hold as usual.
    pub limits: Vec<PathBuf>,
    /// Scan untracked files that git ignores, too.
    pub no_ignore: bool,
    /// Paths relative to `root` to leave out; a directory that matches is not entered.
    pub exclude: GlobSet,
    /// Threads; 0 chooses.
    pub jobs: usize,
    /// How very large files are cut.
    pub windows: Windows,
    /// What opening containers may cost.
    pub archives: Limits,
}

impl TreeOptions {
    /// All of `root`, with ignore rules and nothing excluded.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            limits: Vec::new(),
            no_ignore: false,
            exclude: GlobSet::empty(),
            jobs: 0,
            windows: Windows::default(),
            archives: Limits::default(),
        }
    }
}

/// Scans the files of a tree.
///
/// With `repo`, the repository whose working tree `options.root` is or lies in, its index says
/// what is tracked and its ignore rules hold for the rest; without, all files are scanned.
/// `.git` is never scanned as files, and repositories inside the tree are named in the coverage,
/// not entered.
///
/// # Errors
/// When the root or a limit does not exist, cannot be looked at, is no file or directory, or
/// when the limits leave nothing to scan.
pub fn scan(
    options: &TreeOptions,
    repo: Option<&Repository>,
    sink: &dyn Sink,
) -> Result<Coverage, SourceError> {
    let root = existing(&options.root)?;
    if root.is_file() {
        return scan_single(options, &root, sink);
    }
    let starts = starts(&root, &options.limits)?;
    let tracked = repo.map(Tracked::read).transpose()?;
    let ignores = repo.filter(|_| !options.no_ignore).map(|repo| {
        let work_dir = repo.work_dir().unwrap_or(&root);
        Ignores::new(work_dir, &git::exclude_files(repo), git::ignores_case(repo))
    });
    let prefix = repo
        .and_then(Repository::work_dir)
        .and_then(|work_dir| root.strip_prefix(work_dir).ok())
        .map(Path::to_owned)
        .unwrap_or_default();
    let walk = Walk::new(options, &root, prefix, tracked.as_ref(), ignores.as_ref(), sink);
    let mut coverage = walk.run(&starts);
    coverage.scopes.push(if repo.is_some() { "working tree" } else { "directory" }.to_owned());
    finish(&mut coverage, sink);
    let nothing = coverage.files == 0 && coverage.gaps.is_empty() && coverage.skipped.is_empty();
    match options.limits.first() {
        Some(limit) if nothing => {
            Err(SourceError::EmptyLimit { limit: limit.display().to_string(), scope: "the files to scan" })
        }
        _ => Ok(coverage),
    }
}

/// Scans one file that was named itself, whatever git thinks of it.
fn scan_single(options: &TreeOptions, file: &Path, sink: &dyn Sink) -> Result<Coverage, SourceError> {
    let directory = file.parent().unwrap_or(file);
    let walk = Walk::new(options, directory, PathBuf::new(), None, None, sink);
    let mut coverage = walk.run(&[file.to_owned()]);
    coverage.scopes.push("file".to_owned());
    finish(&mut coverage, sink);
    Ok(coverage)
}

fn finish(coverage: &mut Coverage, sink: &dyn Sink) {
    if sink.cancelled() {
        coverage.gap(GapKind::Interrupted, "files", "stopped by a signal");
    }
    coverage.gaps.sort();
    coverage.nested.sort();
}

/// Absolute path of something that is a file or a directory.
fn existing(path: &Path) -> Result<PathBuf, SourceError> {
    let failed = |source| SourceError::Path { path: path.to_owned(), source };
    let absolute = path.canonicalize().map_err(failed)?;
    let metadata = absolute.metadata().map_err(failed)?;
    if metadata.is_file() || metadata.is_dir() {
        Ok(absolute)
    } else {
        Err(SourceError::NotAFile { path: path.to_owned() })
    }
}

/// Where the walk begins: the limits, without those that lie inside others, or the root.
fn starts(root: &Path, limits: &[PathBuf]) -> Result<Vec<PathBuf>, SourceError> {
    if limits.is_empty() {
        return Ok(vec![root.to_owned()]);
    }
    let mut starts = Vec::new();
    for limit in limits {
        let failed = |source| SourceError::Path { path: limit.clone(), source };
        let path = root.join(limit);
        let metadata = path.symlink_metadata().map_err(failed)?;
        if !(metadata.is_file() || metadata.is_dir() || metadata.is_symlink()) {
            return Err(SourceError::NotAFile { path: limit.clone() });
        }
        // NOTE: the last component may be a symbolic link, which is scanned, not followed.
        let absolute = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => parent.canonicalize().map_err(failed)?.join(name),
            _ => path.canonicalize().map_err(failed)?,
        };
        if !absolute.starts_with(root) {
            return Err(SourceError::EmptyLimit { limit: limit.display().to_string(), scope: "the tree" });
        }
        starts.push(absolute);
    }
    starts.sort();
    starts.dedup_by(|later, earlier| later.starts_with(&*earlier));
    Ok(starts)
}
