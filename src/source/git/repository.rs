//! Finding and opening a repository, and what has to be known about it before anything is read.
//!
//! Repositories are opened isolated: only their own configuration is read, without includes,
//! and it cannot make anything run. Ownership does not matter, since nothing is executed or
//! written; git's own refusal would make a scan in a container or a pipeline fail.

use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use gix::bstr::ByteSlice;

use super::super::SourceError;
use super::pack::{HashKind, ObjectDirectories};
use super::quarantine::{Borrowed, Places};
use super::reftable;
use crate::finding::Oid;

/// What `HEAD` points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// A commit.
    Commit(Oid),
    /// A branch that has no commit yet.
    Unborn,
    /// Not known: refs are in a form that cannot be read, or `HEAD` is broken.
    Unknown {
        /// Why, in plain words.
        reason: String,
    },
}

/// An opened repository.
pub struct Repository {
    inner: gix::ThreadSafeRepository,
    git_dir: PathBuf,
    common_dir: PathBuf,
    work_dir: Option<PathBuf>,
    index_path: PathBuf,
    hash_kind: gix::hash::Kind,
    reftable: bool,
    places: Places,
    /// Lives as long as the git library may look into it.
    borrowed: Option<Borrowed>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("git_dir", &self.git_dir).finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens the repository that `path` is in: the path itself, its `.git`, or the nearest parent.
    ///
    /// The environment plays no part; see [`Repository::from_environment`].
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub fn discover(path: &Path) -> Result<Self, SourceError> {
        let start =
            path.canonicalize().map_err(|source| SourceError::Path { path: path.to_owned(), source })?;
        for directory in start.ancestors() {
            if let Some(git_dir) = git_dir_at(directory)? {
                return Self::open_git_dir(&git_dir);
            }
        }
        Err(SourceError::NotARepository { path: path.to_owned() })
    }

    /// Opens the repository at exactly `path`: a working tree's root, a `.git`, a bare repository.
    ///
    /// # Errors
    /// When `path` is no repository itself, or it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let start =
            path.canonicalize().map_err(|source| SourceError::Path { path: path.to_owned(), source })?;
        match git_dir_at(&start)? {
            Some(git_dir) => Self::open_git_dir(&git_dir),
            None => Err(SourceError::NotARepository { path: path.to_owned() }),
        }
    }

    /// Opens the repository that git would use in `directory`: `GIT_DIR` first, else the nearest
    /// parent; `GIT_WORK_TREE`, `GIT_INDEX_FILE`, `GIT_OBJECT_DIRECTORY` and
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES` apply. Git sets these for hooks.
    ///
    /// # Errors
    /// As [`Repository::discover`].
    pub fn from_environment(directory: &Path) -> Result<Self, SourceError> {
        Self::from_variables(directory, |name| std::env::var_os(name))
    }

    /// [`Repository::from_environment`] with the environment given.
    ///
    /// # Errors
    /// As [`Repository::discover`].
    pub fn from_variables(
        directory: &Path,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SourceError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut repository = match variable("GIT_DIR").map(|path| directory.join(path)) {
            Some(git_dir) => {
                let named = Self::open_git_dir(&git_dir)?;
                // NOTE: git takes the current directory for the working tree when GIT_DIR alone
                // is set; a place that the repository itself names is the better answer.
                if named.work_dir.is_some() || named.configured_bare() {
                    named
                } else {
                    named.with_work_dir(directory)
                }
            }
            None => Self::discover(directory)?,
        };
        if let Some(work_tree) = variable("GIT_WORK_TREE") {
            repository = repository.with_work_dir(&directory.join(work_tree));
        }
        if let Some(index) = variable("GIT_INDEX_FILE") {
            let base = repository.work_dir.clone().unwrap_or_else(|| directory.to_owned());
            repository.index_path = base.join(index);
        }
        repository.borrow_objects(Places::from_variables(directory, variable))?;
        Ok(repository)
    }

    fn open_git_dir(git_dir: &Path) -> Result<Self, SourceError> {
        let failed = |reason: String| SourceError::Open { path: git_dir.to_owned(), reason };
        own_files_are_files(git_dir).map_err(failed)?;
        let options = gix::open::Options::isolated()
            .open_path_as_is(true)
            .with(gix::sec::Trust::Full)
            .filter_config_section(|_| true)
            // NOTE: replacement objects would hide the ones they replace.
            .config_overrides(["core.useReplaceRefs=false"]);
        let inner = options.open(git_dir).map_err(|error| failed(chain(&error)))?;
        let local = inner.to_thread_local();
        let absolute = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let common_dir = absolute(local.common_dir());
        let config = local.config_snapshot();
        // NOTE: a repository does not decide that files elsewhere on this machine are its own.
        let led_away = config.string("core.worktree").is_some() && config.boolean("core.bare") != Some(true);
        let beside = || git_dir.parent().filter(|_| git_dir.file_name().is_some_and(|name| name == ".git"));
        let work_dir = if led_away { beside() } else { local.workdir() }.map(absolute);
        let reftable = common_dir.join("reftable").is_dir()
            || local
                .config_snapshot()
                .string("extensions.refStorage")
                .is_some_and(|format| format.as_bstr() == "reftable");
        Ok(Self {
            git_dir: absolute(local.git_dir()),
            work_dir,
            index_path: local.git_dir().join("index"),
            common_dir,
            hash_kind: local.object_hash(),
            reftable,
            places: Places::default(),
            borrowed: None,
            inner,
        })
    }

    /// Takes objects from where the environment says they are.
    fn borrow_objects(&mut self, places: Places) -> Result<(), SourceError> {
        if places.is_empty() {
            return Ok(());
        }
        self.places = places;
        let failed = |error: std::io::Error| SourceError::Objects {
            path: self.git_dir.clone(),
            reason: format!("its quarantine cannot be opened: {error}"),
        };
        let borrowed = Borrowed::from(&self.object_directories()).map_err(failed)?;
        let options = gix::odb::store::init::Options::default();
        let store = gix::odb::Store::at_opts(
            borrowed.path().to_owned(),
            self.hash_kind,
            &mut std::iter::empty(),
            options,
        );
        self.inner.objects = std::sync::Arc::new(store.map_err(failed)?);
        self.borrowed = Some(borrowed);
        Ok(())
    }

    /// The directories that objects are in, those that they borrow from included.
    pub(super) fn object_directories(&self) -> ObjectDirectories {
        let hash = match self.hash_kind.len_in_bytes() {
            32 => HashKind::Sha256,
            _ => HashKind::Sha1,
        };
        self.places.directories(&self.common_dir.join("objects"), hash)
    }

    fn with_work_dir(mut self, path: &Path) -> Self {
        self.work_dir = Some(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        self
    }

    /// Whether the configuration says `core.bare = true`.
    fn configured_bare(&self) -> bool {
        self.local().config_snapshot().boolean("core.bare") == Some(true)
    }

    /// Root of the working tree; none for bare repositories.
    #[must_use]
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// The git directory: for linked worktrees and submodules their private one.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The git directory that holds objects, refs and configuration.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Whether working tree and git directories all lie below one of `roots`, wherever links and `.git`
    /// files lead: a hostile repository must not lead a reader to other files of the machine.
    #[must_use]
    pub fn lies_within(&self, roots: &[&Path]) -> bool {
        let roots: Vec<PathBuf> = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
        let below = |place: &Path| {
            place.canonicalize().is_ok_and(|place| roots.iter().any(|root| place.starts_with(root)))
        };
        self.work_dir().is_none_or(below) && below(&self.git_dir) && below(&self.common_dir)
    }

    /// The index file, which need not exist.
    #[must_use]
    pub fn index_path(&self) -> &Path {
        &self.index_path
    }

    /// Whether there is no working tree.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.work_dir.is_none()
    }

    /// Whether this is a linked worktree.
    #[must_use]
    pub fn is_linked_worktree(&self) -> bool {
        self.git_dir != self.common_dir
    }

    /// Commits whose parents a shallow clone left out; empty when history is whole.
    #[must_use]
    pub fn shallow_boundary(&self) -> Vec<Oid> {
        let list = fs::read_to_string(self.common_dir.join("shallow")).unwrap_or_default();
        list.lines().filter_map(|line| line.trim().parse().ok()).collect()
    }

    /// Whether history is cut by a shallow clone.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        !self.shallow_boundary().is_empty()
    }

    /// Whether objects may be left on the server (partial clone).
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let local = self.local();
        let config = local.config_snapshot();
        config.string("extensions.partialClone").is_some()
            || config.plumbing().sections_by_name("remote").is_some_and(|mut remotes| {
                remotes.any(|remote| remote.value("promisor").is_some_and(|value| value.as_bstr() != "false"))
            })
    }

    /// Name of the hash function: `sha1` or `sha256`.
    #[must_use]
    pub fn object_format(&self) -> String {
        self.hash_kind.to_string()
    }

    /// Whether refs are kept in reftables instead of files.
    #[must_use]
    pub fn uses_reftable(&self) -> bool {
        self.reftable
    }

    /// What `HEAD` points to.
    #[must_use]
    pub fn head(&self) -> Head {
        if self.reftable {
            return self.head_in_tables();
        }
        let local = self.local();
        let head = match local.head() {
            Ok(head) => head,
            Err(error) => return Head::Unknown { reason: chain(&error) },
        };
        if head.is_unborn() {
            return Head::Unborn;
        }
        match head.into_peeled_id() {
            Ok(id) => Head::Commit(oid(&id)),
            Err(error) => Head::Unknown { reason: chain(&error) },
        }
    }

    fn head_in_tables(&self) -> Head {
        let own = reftable::read(&self.git_dir, self.hash_kind);
        let shared = if self.is_linked_worktree() {
            reftable::read(&self.common_dir, self.hash_kind)
        } else {
            reftable::Stack::default()
        };
        if let Some(id) = own.resolve(b"HEAD", &shared) {
            return match self.local().find_object(id).map(gix::Object::peel_tags_to_end) {
                Ok(Ok(object)) => Head::Commit(oid(&object.id)),
                Ok(Err(error)) => Head::Unknown { reason: chain(&error) },
                Err(error) => Head::Unknown { reason: chain(&error) },
            };
        }
        match own.broken.into_iter().chain(shared.broken).next() {
            Some((table, why)) => Head::Unknown { reason: format!("{table} {why}") },
            None if own.refs.contains_key(&b"HEAD"[..]) => Head::Unborn,
            None => Head::Unknown { reason: "the reftables hold no HEAD".to_owned() },
        }
    }

    /// The hash function, as the git library names it.
    pub(super) fn hash_kind(&self) -> gix::hash::Kind {
        self.hash_kind
    }

    /// A handle for one thread.
    pub(super) fn local(&self) -> gix::Repository {
        self.inner.to_thread_local()
    }
}

/// The git directory that makes `directory` a repository: its `.git`, or itself.
///
/// # Errors
/// A `.git` that is a file or a link and leads nowhere is an error, as a file is for git: going on to a
/// parent would scan the wrong repository, and a scan of the files alone would miss the history.
fn git_dir_at(directory: &Path) -> Result<Option<PathBuf>, SourceError> {
    let dot_git = directory.join(".git");
    match fs::metadata(&dot_git) {
        Ok(found) => match is_git(&dot_git)? {
            Ok(()) => return Ok(Some(dot_git)),
            Err(reason) if found.is_file() => {
                return Err(SourceError::Open { path: dot_git, reason });
            }
            Err(_) if !found.is_dir() => {
                let reason = "it is neither a file nor a directory".to_owned();
                return Err(SourceError::Open { path: dot_git, reason });
            }
            Err(_) => {}
        },
        Err(error) if dot_git.is_symlink() => {
            let reason = format!("it is a link that leads nowhere ({error})");
            return Err(SourceError::Open { path: dot_git, reason });
        }
        Err(_) if directory.file_name().is_some_and(|name| name == ".git") && directory.is_file() => {
            return Ok(Some(directory.to_owned()));
        }
        Err(_) => {}
    }
    let bare = directory.join("HEAD").is_file() && is_git(directory)?.is_ok();
    Ok(bare.then(|| directory.to_owned()))
}

/// Files of a git directory that are read whole to open it, each with the most bytes it may have.
const READ_TO_OPEN: [(&str, u64); 9] = [
    ("HEAD", SMALL),
    ("commondir", SMALL),
    ("gitdir", SMALL),
    ("config", 16 << 20),
    ("config.worktree", 16 << 20),
    ("shallow", 256 << 20),
    ("packed-refs", u64::MAX),
    ("objects/info/alternates", 16 << 20),
    ("objects/info/commit-graph", u64::MAX),
];
/// Most bytes of a file that holds one line.
const SMALL: u64 = 64 << 10;

/// An error, in words, where one of the files that are read to open `path`, a git directory or a file
/// that leads to one, is something that is waited for (a pipe), has no end (a device) or is far too large.
fn own_files_are_files(path: &Path) -> Result<(), String> {
    let git_dir = led_to(path).unwrap_or_else(|| path.to_owned());
    check_own_files(&git_dir)?;
    // That of a linked worktree names the one that most is in.
    let Ok(line) = fs::read(git_dir.join("commondir")) else {
        return check_branch(&[&git_dir]);
    };
    let common = git_dir.join(path_of_line(&line));
    check_own_files(&common)?;
    check_branch(&[&git_dir, &common])
}

/// The git directory that the file at `path` names, if it is such a file.
fn led_to(path: &Path) -> Option<PathBuf> {
    fs::metadata(path).ok().filter(|about| about.is_file() && about.len() <= SMALL)?;
    let text = fs::read(path).ok()?;
    let line = text.strip_prefix(b"gitdir: ")?;
    Some(path.parent().unwrap_or(path).join(path_of_line(line)))
}

/// An error where a branch that `HEAD` names, or one that this branch names, is no regular file in one
/// of `dirs`: `HEAD` is followed to open a repository.
fn check_branch(dirs: &[&Path]) -> Result<(), String> {
    /// As far as git follows them.
    const MOST_NAMES: usize = 5;
    let mut name = PathBuf::from("HEAD");
    for _ in 0..=MOST_NAMES {
        let mut next = None;
        for path in dirs.iter().map(|dir| dir.join(&name)) {
            let Ok(about) = fs::metadata(&path) else { continue };
            if !about.is_file() && !about.is_dir() {
                return Err(format!("{} is not a regular file", name.display()));
            }
            let text = if about.len() <= SMALL { fs::read(&path).unwrap_or_default() } else { Vec::new() };
            next = next.or(text.strip_prefix(b"ref: ").map(path_of_line));
        }
        // What leads out of the directory is no name of a branch.
        let inside = |path: &PathBuf| path.components().all(|part| matches!(part, Component::Normal(_)));
        let Some(named) = next.filter(inside) else { break };
        name = named;
    }
    Ok(())
}

/// The path that a line of a file is.
fn path_of_line(line: &[u8]) -> PathBuf {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line).to_path_lossy().into_owned()
}

/// Whether `path`, a git directory or a file that leads to one, makes a repository; in words, why not.
///
/// # Errors
/// When there is one that could not be opened without waiting for something.
fn is_git(path: &Path) -> Result<Result<(), String>, SourceError> {
    own_files_are_files(path).map_err(|reason| SourceError::Open { path: path.to_owned(), reason })?;
    Ok(gix::discover::is_git(path).map(drop).map_err(|error| chain(&error)))
}

fn check_own_files(git_dir: &Path) -> Result<(), String> {
    let odd = READ_TO_OPEN.iter().find_map(|&(name, most)| {
        let about = fs::metadata(git_dir.join(name)).ok().filter(|about| !about.is_dir())?;
        if !about.is_file() {
            return Some(format!("{name} is not a regular file"));
        }
        (about.len() > most).then(|| format!("{name} has {} bytes, the limit is {most}", about.len()))
    });
    odd.map_or(Ok(()), Err)
}

/// Whether a directory below a scanned tree is a repository of its own: it has a `.git` that
/// leads to one.
pub(in crate::source) fn is_nested_repository(directory: &Path) -> bool {
    let dot_git = directory.join(".git");
    fs::symlink_metadata(&dot_git).is_ok() && matches!(is_git(&dot_git), Ok(Ok(())))
}

/// An object name of the git library as ours.
pub(super) fn oid(id: &gix::oid) -> Oid {
    // NOTE: the library knows SHA-1 and SHA-256 only, whose lengths `Oid` takes.
    Oid::from_bytes(id.as_bytes()).expect("a git object name is 20 or 32 bytes long")
}

/// An error and its causes in one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text.replace('\n', " ")
}
