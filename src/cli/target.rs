//! What the paths of `keycull scan` stand for: a repository, files, the index, or standard input.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::finding::RepoPath;
use crate::source::SourceError;
use crate::source::git::Repository;
use crate::source::git::range::{self, RangeOptions};

use super::args::ScanArgs;
use super::failure::{Failure, Outcome};
use super::gate::Gate;
use super::revisions;

/// What is to be scanned.
#[derive(Debug)]
pub(super) enum Target {
    /// Standard input.
    Stdin {
        /// Its name in reports.
        name: Option<RepoPath>,
    },
    /// What the next commit would add.
    Index {
        /// Whose index.
        repository: Box<Repository>,
        /// Paths from the root of the working tree; empty stands for all.
        limits: Vec<RepoPath>,
    },
    /// A whole repository.
    Repository {
        /// Which one.
        repository: Box<Repository>,
        /// Its working tree.
        files: bool,
        /// Its history.
        history: History,
    },
    /// What some commits of a repository bring in.
    Range {
        /// Whose commits.
        repository: Box<Repository>,
        /// Which of them, and which paths.
        options: Box<RangeOptions>,
    },
    /// Files of a working tree, or of a plain directory.
    Files {
        /// Root of the working tree or the directory; paths are reported relative to it. A
        /// single file outside every repository is its own root.
        root: PathBuf,
        /// Paths below the root; empty stands for all of it.
        limits: Vec<PathBuf>,
        /// The repository whose working tree the root is.
        repository: Option<Box<Repository>>,
    },
}

/// How much of a repository's history is scanned.
#[derive(Debug)]
pub(super) enum History {
    /// Nothing.
    Nothing,
    /// The whole object database.
    Objects,
    /// What refs reach.
    Reachable(Box<RangeOptions>),
}

impl Target {
    /// Works out what `args` ask for when run in `here`.
    ///
    /// # Errors
    /// A path that is not there, paths that do not go together, or no repository where one is
    /// needed.
    pub(super) fn resolve(args: &ScanArgs, here: &Path) -> Outcome<Self> {
        let paths = args.paths.as_slice();
        let dashes = paths.iter().filter(|path| path.as_os_str() == "-").count();
        let range = revisions::wanted(args)?;
        if dashes > 0 && (paths.len() > 1 || args.staged || args.history_only || range.is_some()) {
            return Err(Failure::new("`-` is standard input and stands alone")
                .hint("scan standard input in a run of its own: keycull scan -"));
        }
        if dashes == 0 && args.stdin_name.is_some() {
            return Err(Failure::new("--stdin-name needs `-`").hint("keycull scan - --stdin-name NAME"));
        }
        if dashes == 1 {
            return Ok(Self::Stdin { name: args.stdin_name.as_deref().map(RepoPath::from_os) });
        }
        if args.staged {
            return index(paths, here);
        }
        if let Some(range) = range {
            let place = Inside::find(paths, here, "no commits")?;
            let options = range.resolve(&place.repository)?;
            return place.range(options);
        }
        let whole = |repository| whole(repository, args);
        if paths.is_empty() {
            return whole(around(here)?);
        }
        // What history remembers may be gone from the disk.
        for path in paths.iter().filter(|path| !args.history_only || path.exists()) {
            if let Some(repository) = repository_at(path)? {
                if paths.len() > 1 {
                    let name = path.display();
                    return Err(Failure::new(format!(
                        "{name} is a repository and cannot be scanned together with other paths"
                    ))
                    .hint(format!("scan it in a run of its own: keycull scan {name}")));
                }
                return whole(repository);
            }
        }
        if args.history_only {
            let place = Inside::find(paths, here, "no history")?;
            let options = revisions::of_paths(&place.repository, args.reachable)?;
            return place.range(options);
        }
        files(paths)
    }

    /// The directory the paths of its findings are relative to; none for standard input.
    pub(super) fn root(&self) -> Option<PathBuf> {
        match self {
            Self::Stdin { .. } => None,
            Self::Index { repository, .. }
            | Self::Repository { repository, .. }
            | Self::Range { repository, .. } => {
                Some(repository.work_dir().unwrap_or(repository.git_dir()).to_owned())
            }
            Self::Files { root, .. } if root.is_dir() => Some(root.clone()),
            Self::Files { root, .. } => root.parent().map(Path::to_owned),
        }
    }

    /// The repository and range of a gate.
    pub(super) fn gate(&self) -> Option<Gate<'_>> {
        match self {
            Self::Range { repository, options } => Gate::of(repository, options),
            Self::Stdin { .. } | Self::Index { .. } | Self::Repository { .. } | Self::Files { .. } => None,
        }
    }

    /// Whether everything that a secret could be in is scanned: all files and, in a repository, the
    /// whole history.
    pub(super) fn is_everything(&self) -> bool {
        match self {
            Self::Repository { repository, files, history } => {
                matches!(history, History::Objects) && (*files || repository.is_bare())
            }
            Self::Files { root, limits, repository } => {
                limits.is_empty() && repository.is_none() && root.is_dir()
            }
            Self::Stdin { .. } | Self::Index { .. } | Self::Range { .. } => false,
        }
    }

    /// The directory whose `keycull.toml` holds for this target.
    pub(super) fn config_root(&self, here: &Path) -> Option<PathBuf> {
        match self {
            Self::Stdin { .. } => Repository::discover(here)
                .ok()
                .and_then(|repository| repository.work_dir().map(Path::to_owned)),
            Self::Index { repository, .. }
            | Self::Repository { repository, .. }
            | Self::Range { repository, .. } => repository.work_dir().map(Path::to_owned),
            Self::Files { root, .. } if root.is_dir() => Some(root.clone()),
            Self::Files { root, .. } => root.parent().map(Path::to_owned),
        }
    }
}

fn whole(repository: Repository, args: &ScanArgs) -> Outcome<Target> {
    let files = !args.history_only && !repository.is_bare();
    if !files && args.no_history {
        return Err(
            Failure::new("a bare repository has a history and nothing else").hint("leave --no-history away")
        );
    }
    let history = match (args.no_history, args.reachable) {
        (true, _) => History::Nothing,
        (false, true) => History::Reachable(Box::new(range::reachable(&repository, "history of all refs")?)),
        (false, false) => History::Objects,
    };
    Ok(Target::Repository { repository: Box::new(repository), files, history })
}

/// The repository git itself would use in `here`.
fn around(here: &Path) -> Outcome<Repository> {
    Repository::from_environment(here).map_err(|error| {
        if !matches!(error, SourceError::NotARepository { .. }) {
            return Failure::from(error);
        }
        Failure::new("not inside a git repository").hint("`keycull scan .` scans the files of this directory")
    })
}

/// The repository whose root, `.git` or bare directory `path` is; `None` when it is none.
fn repository_at(path: &Path) -> Outcome<Option<Repository>> {
    fs::metadata(path).map_err(|error| missing(error, path))?;
    match Repository::open(path) {
        Ok(repository) => Ok(Some(repository)),
        Err(SourceError::NotARepository { .. }) => Ok(None),
        Err(other) => Err(Failure::from(other)),
    }
}

fn missing(error: std::io::Error, path: &Path) -> Failure {
    Failure::from(error)
        .context(format!("cannot scan {}", path.display()))
        .hint("check the path; without one, keycull scans the repository around the current directory")
}

/// The index of the repository around `here`, or around the paths when they lie elsewhere.
fn index(paths: &[PathBuf], here: &Path) -> Outcome<Target> {
    let Inside { repository, limits } = Inside::find(paths, here, "nothing staged")?;
    if repository.is_bare() {
        return Err(Failure::new("a bare repository has no index: nothing can be staged here")
            .hint("scan its history: keycull scan"));
    }
    Ok(Target::Index { repository, limits })
}

/// A repository and paths in it, which need not exist any more.
struct Inside {
    repository: Box<Repository>,
    /// Paths from its root; empty stands for all.
    limits: Vec<RepoPath>,
}

impl Inside {
    /// The repository around `here`, or around `paths` when they lie elsewhere. `without` says what
    /// there is outside of repositories.
    fn find(paths: &[PathBuf], here: &Path, without: &str) -> Outcome<Self> {
        let full: Vec<PathBuf> = paths.iter().map(|path| lexical(&here.join(path))).collect();
        let inside = |repository: &Repository| {
            let root = repository.work_dir().unwrap_or(repository.git_dir()).to_owned();
            full.iter().all(|path| path.starts_with(&root))
        };
        let repository = match (Repository::from_environment(here), full.first()) {
            (Ok(repository), _) if inside(&repository) => repository,
            (_, Some(first)) => elsewhere(first, without)?,
            (Err(SourceError::NotARepository { .. }), None) => {
                return Err(Failure::new(format!("not inside a git repository: there is {without} here"))
                    .hint("run it in the repository, or name one: keycull scan … path/to/repository"));
            }
            (Err(other), None) => return Err(Failure::from(other)),
            // NOTE: without paths every repository is the right one.
            (Ok(repository), None) => repository,
        };
        let root = repository.work_dir().unwrap_or(repository.git_dir()).to_owned();
        let mut limits = Vec::new();
        for (path, named) in full.iter().zip(paths) {
            if path == repository.git_dir() {
                continue;
            }
            let below = path.strip_prefix(&root).map_err(|_| {
                Failure::new(format!("{} is outside the repository {}", named.display(), root.display()))
                    .hint("scan one repository at a time")
            })?;
            limits.push(RepoPath::from_os(below));
        }
        Ok(Self { repository: Box::new(repository), limits })
    }

    /// A range of this repository, limited to these paths.
    fn range(self, mut options: RangeOptions) -> Outcome<Target> {
        let named: Vec<String> =
            self.limits.iter().map(RepoPath::to_text).filter(|path| !path.is_empty()).collect();
        if named.len() == self.limits.len() && !named.is_empty() {
            options.name = format!("{}, limited to {}", options.name, named.join(", "));
            options.limits = self.limits;
        }
        Ok(Target::Range { repository: self.repository, options: Box::new(options) })
    }
}

/// The repository around a path that need not exist any more.
fn elsewhere(path: &Path, without: &str) -> Outcome<Repository> {
    let start = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path);
    Repository::discover(start).map_err(|error| {
        if !matches!(error, SourceError::NotARepository { .. }) {
            return Failure::from(error);
        }
        Failure::new(format!("{} is in no git repository: there is {without} there", path.display()))
            .hint(format!("scan the files instead: keycull scan {}", path.display()))
    })
}

/// Files and directories, none of which is a repository.
fn files(paths: &[PathBuf]) -> Outcome<Target> {
    let mut full = Vec::new();
    let mut around: Option<Option<Repository>> = None;
    for path in paths {
        // A link that is named itself is followed, unlike those met on the way.
        let place = path.canonicalize().map_err(|error| missing(error, path))?;
        let repository = enclosing(&place)?;
        match &around {
            None => around = Some(repository),
            Some(first) if same(first.as_ref(), repository.as_ref()) => {}
            Some(_) => {
                return Err(Failure::new("the paths are not all in the same repository")
                    .hint("run keycull once for each repository"));
            }
        }
        full.push(place);
    }
    if let Some(repository) = around.flatten() {
        // NOTE: `enclosing` gives only repositories with a working tree.
        let root = repository.work_dir().expect("has a working tree").to_owned();
        return Ok(Target::Files { root, limits: full, repository: Some(Box::new(repository)) });
    }
    if let [only] = full.as_slice() {
        return Ok(Target::Files { root: only.clone(), limits: Vec::new(), repository: None });
    }
    Ok(Target::Files { root: common_parent(&full), limits: full, repository: None })
}

/// The repository whose working tree holds `path`, its git directory excepted.
fn enclosing(path: &Path) -> Outcome<Option<Repository>> {
    match Repository::discover(path) {
        Ok(repository) => {
            let inside = repository.work_dir().is_some_and(|root| path.starts_with(root));
            Ok((inside && !path.starts_with(repository.git_dir())).then_some(repository))
        }
        Err(SourceError::NotARepository { .. }) => Ok(None),
        Err(other) => Err(Failure::from(other)),
    }
}

fn same(one: Option<&Repository>, other: Option<&Repository>) -> bool {
    one.map(Repository::git_dir) == other.map(Repository::git_dir)
}

/// An absolute path without `.` and `..`, for files that may be gone; what still exists of its
/// directories is resolved.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(component),
        }
    }
    let (mut existing, mut rest) = (plain.parent().unwrap_or(&plain).to_owned(), Vec::new());
    rest.extend(plain.file_name().map(ToOwned::to_owned));
    while !existing.exists() {
        match (existing.parent().map(Path::to_owned), existing.file_name().map(ToOwned::to_owned)) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                existing = parent;
            }
            _ => return plain,
        }
    }
    let mut resolved = existing.canonicalize().unwrap_or(existing);
    resolved.extend(rest.into_iter().rev());
    resolved
}

/// The deepest directory above all of `paths`, which are absolute and not empty.
fn common_parent(paths: &[PathBuf]) -> PathBuf {
    let first = paths[0].parent().unwrap_or(&paths[0]);
    first
        .ancestors()
        .find(|candidate| paths.iter().all(|path| path.starts_with(candidate)))
        .unwrap_or(first)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_parent_holds_every_path() {
        let paths = ["/a/b/c".into(), "/a/b/d/e".into()];
        assert_eq!(common_parent(&paths), Path::new("/a/b"));
        assert_eq!(common_parent(&["/a/b".into(), "/x".into()]), Path::new("/"));
    }

    #[test]
    fn paths_of_deleted_files_are_still_resolved() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        let gone = lexical(&dir.path().join("sub/../sub/./gone/deep.txt"));
        assert_eq!(gone, root.join("sub/gone/deep.txt"));
        assert_eq!(lexical(&dir.path().join("sub/..")), root);
    }
}
