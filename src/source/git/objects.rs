//! The whole object database, object by object: every blob, commit, tag and tree there is.
//!
//! The slow and obvious way, through the git library's look-ups: each object is found by its
//! name, whatever pack or directory it is in. What the fast pack traversal finds is checked
//! against this.

use std::collections::BTreeMap;
use std::path::Path;

use gix::objs::{Exists, Find, Kind};
use gix::odb::store::iter::Ordering;
use gix::{ObjectId, hashtable};

use super::super::archive::{Limits, Opener};
use super::super::content::Feeder;
use super::super::{Sink, SourceError, Windows, names, parallel};
use super::delta_cache::DeltaCache;
use super::lookup::{Unread, missing, tree_of_commit};
use super::repository::{Repository, chain, oid};
use super::seen::Fresh;
use super::tree_entries::TreeEntries;
use super::{lfs, own_files, refs};
use crate::chunk::{Chunk, Encoding};
use crate::finding::{Coverage, GapKind, Oid, Origin, RepoPath};

/// Objects that one thread takes at a time: neighbours in a pack share delta bases.
const BATCH: usize = 512;

/// Bytes of delta bases each thread keeps.
const DELTA_CACHE: usize = 64 << 20;

/// Objects of one kind of trouble that are named one by one; the rest is counted.
const NAMED: usize = 20;

/// What to scan of the object database.
#[derive(Clone, Copy, Debug, Default)]
pub struct ObjectOptions {
    /// Threads; 0 chooses.
    pub jobs: usize,
    /// How very large blobs are cut.
    pub windows: Windows,
    /// What opening containers may cost.
    pub archives: Limits,
}

/// Scans every distinct object once, the names of refs and the configuration.
///
/// Objects count whether anything reaches them or not. An object that others name and that is
/// not there is a gap, all of them together one; so is the boundary of a shallow clone.
///
/// # Errors
/// When the object database cannot be listed at all.
pub fn scan(
    repository: &Repository,
    options: &ObjectOptions,
    sink: &dyn Sink,
) -> Result<Coverage, SourceError> {
    let mut coverage = Coverage { scopes: vec!["full history".to_owned()], ..Coverage::default() };
    let ids = list(repository, &mut coverage)?;
    let known: hashtable::HashSet<ObjectId> = ids.iter().copied().collect();
    let shallow = repository.shallow_boundary();
    let opener = Opener::new(options.archives, sink);
    let scan = Scan { options, sink, opener: &opener, known: &known, shallow: &shallow };

    let make = || Worker::new(repository);
    let workers = parallel::each(options.jobs, ids.len(), BATCH, make, |worker, number| {
        scan.object(&ids[number], worker);
        !sink.cancelled()
    });
    let mut found = Found::default();
    for worker in workers {
        coverage.merge(worker.coverage);
        found.merge(worker.found);
    }
    finish(repository, options, sink, &found, &mut coverage);
    Ok(coverage)
}

/// What follows when all objects were seen, however they were reached: names, configuration, and
/// what was missing.
pub(super) fn finish(
    repository: &Repository,
    options: &ObjectOptions,
    sink: &dyn Sink,
    found: &Found,
    coverage: &mut Coverage,
) {
    found.scan_names(sink);
    scan_refs(repository, sink, coverage);
    let odb = repository.local().objects;
    own_files::scan(repository, options.windows, sink, &|id| odb.exists(id), coverage);

    lfs::scan(repository, options.windows, options.archives, sink, &found.fresh.lfs, coverage);

    found.report(repository.is_partial(), coverage);
    let shallow = repository.shallow_boundary();
    if !shallow.is_empty() {
        coverage.gap(
            GapKind::Shallow,
            "history",
            format!("cut at {} commits by a shallow clone; run `git fetch --unshallow`", shallow.len()),
        );
    }
    if sink.cancelled() {
        coverage.gap(GapKind::Interrupted, "objects", "stopped by a signal");
    }
    coverage.gaps.sort();
}

/// Names of all objects, each once, neighbours in packs together.
fn list(repository: &Repository, coverage: &mut Coverage) -> Result<Vec<ObjectId>, SourceError> {
    let failed = |reason: String| SourceError::Objects { path: repository.git_dir().to_owned(), reason };
    let objects = repository.local().objects;
    let all = objects.iter().map_err(|error| failed(chain(&error)))?;
    let mut seen = hashtable::HashSet::default();
    let mut ids = Vec::with_capacity(all.size_hint().0);
    for id in all.with_ordering(Ordering::PackAscendingOffsetThenLooseLexicographical) {
        match id {
            Ok(id) if seen.insert(id) => ids.push(id),
            Ok(_) => {}
            Err(error) => coverage.gap(GapKind::Unreadable, "loose objects", error.to_string()),
        }
    }
    packs_without_index(objects.store_ref().path(), coverage);
    for alternate in objects.store_ref().alternate_db_paths().unwrap_or_default() {
        packs_without_index(&alternate, coverage);
    }
    Ok(ids)
}

/// A pack whose index is gone holds objects that nothing lists.
fn packs_without_index(objects: &Path, coverage: &mut Coverage) {
    let Ok(packs) = std::fs::read_dir(objects.join("pack")) else { return };
    for pack in packs.flatten().map(|entry| entry.path()) {
        let finished = pack.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pack-"));
        let is_pack = pack.extension().is_some_and(|extension| extension == "pack");
        if is_pack && finished && !pack.with_extension("idx").exists() {
            let name = RepoPath::from_os(pack.strip_prefix(objects).unwrap_or(&pack));
            let why = format!("has no index; run `git index-pack {}`", pack.display());
            coverage.gap(GapKind::Unreadable, name.to_text(), why);
        }
    }
}

/// What the threads of a scan share.
struct Scan<'a> {
    options: &'a ObjectOptions,
    sink: &'a dyn Sink,
    opener: &'a Opener<'a>,
    known: &'a hashtable::HashSet<ObjectId>,
    shallow: &'a [Oid],
}

/// One thread's access to objects, and what it came across.
struct Worker {
    odb: gix::OdbHandle,
    buffer: Vec<u8>,
    coverage: Coverage,
    found: Found,
}

impl Worker {
    fn new(repository: &Repository) -> Self {
        let mut odb = repository.local().objects;
        odb.set_pack_cache(|| Box::new(DeltaCache::new(DELTA_CACHE)));
        Self { odb, buffer: Vec::new(), coverage: Coverage::default(), found: Found::default() }
    }
}

impl Scan<'_> {
    fn object(&self, id: &ObjectId, worker: &mut Worker) {
        let Worker { odb, buffer, coverage, found } = worker;
        let data = match odb.try_find(id, buffer) {
            Ok(Some(data)) => data,
            // Listed, but gone since: a repack or a prune ran meanwhile.
            Ok(None) => return found.missing(*id, "object"),
            Err(error) => return found.unreadable(*id, chain(&error)),
        };
        let emit = |chunk: Chunk<'_>| self.sink.chunk(chunk);
        let feeder = Feeder::new(&emit, self.options.windows);
        let name = oid(id);
        coverage.bytes += data.data.len() as u64;
        match data.kind {
            Kind::Blob => {
                coverage.blobs += 1;
                found.fresh.lfs.extend(lfs::pointer(data.data));
                feeder.opening(self.opener).bytes(data.data, &Origin::Blob { id: name });
            }
            Kind::Commit => {
                coverage.commits += 1;
                feeder.bytes(data.data, &Origin::Commit { id: name });
                self.check_commit(data.data, &name, found);
            }
            Kind::Tag => {
                coverage.tags += 1;
                feeder.bytes(data.data, &Origin::Tag { id: name });
                self.check(tagged(data.data), "tagged object", found);
            }
            Kind::Tree => {
                coverage.trees += 1;
                self.tree(id, data.data, found);
            }
        }
    }

    fn tree(&self, id: &ObjectId, content: &[u8], found: &mut Found) {
        for entry in TreeEntries::new(content, id.as_bytes().len()) {
            let Ok(entry) = entry else {
                return found.unreadable(*id, "is not a well-formed tree".to_owned());
            };
            if names::may_hold_token(entry.name) && self.sink.suspects(entry.name) {
                found.name(entry.name, id);
            }
            if !entry.is_submodule() {
                let what = if entry.is_tree() { "tree" } else { "blob" };
                self.check(ObjectId::try_from(entry.id).ok(), what, found);
            }
        }
    }

    /// Whether the tree and the parents that a commit names are there.
    fn check_commit(&self, content: &[u8], id: &Oid, found: &mut Found) {
        self.check(tree_of_commit(content), "tree", found);
        if !self.shallow.contains(id) {
            parents(content).for_each(|parent| self.check(parent, "commit", found));
        }
    }

    fn check(&self, id: Option<ObjectId>, what: &'static str, found: &mut Found) {
        if let Some(id) = id.filter(|id| !self.known.contains(id)) {
            found.missing(id, what);
        }
    }
}

/// The parents that a commit names; `None` for a line that names none.
pub(super) fn parents(commit: &[u8]) -> impl Iterator<Item = Option<ObjectId>> + '_ {
    let lines = commit.split(|&byte| byte == b'\n').skip(1);
    lines.map_while(|line| line.strip_prefix(b"parent ")).map(|parent| ObjectId::from_hex(parent).ok())
}

/// The object that a tag names.
pub(super) fn tagged(tag: &[u8]) -> Option<ObjectId> {
    tag.strip_prefix(b"object ").and_then(first_name)
}

/// The object name in hexadecimal that a line begins with.
fn first_name(line: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(&line[..memchr::memchr(b'\n', line)?]).ok()
}

/// What is told only when all objects were seen, in an order that threads cannot change.
#[derive(Default)]
pub(super) struct Found {
    /// File names worth scanning, each with one of its trees.
    names: BTreeMap<Vec<u8>, ObjectId>,
    /// Objects that are named and not there, and what they should be.
    missing: BTreeMap<ObjectId, &'static str>,
    /// Objects that cannot be read, and why.
    unreadable: BTreeMap<ObjectId, String>,
    /// Objects that are not read for their size, and why.
    over_budget: BTreeMap<ObjectId, String>,
    /// What only a later scan, or the end of this one, wants to know.
    pub(super) fresh: Fresh,
}

impl Found {
    pub(super) fn name(&mut self, name: &[u8], tree: &ObjectId) {
        match self.names.get_mut(name) {
            Some(first) => *first = (*first).min(*tree),
            None => {
                self.names.insert(name.to_vec(), *tree);
            }
        }
    }

    pub(super) fn missing(&mut self, id: ObjectId, what: &'static str) {
        self.missing.entry(id).or_insert(what);
    }

    /// Whether a tree that is named is not there.
    pub(super) fn lost_trees(&self) -> bool {
        self.missing.values().any(|what| *what == "tree")
    }

    pub(super) fn unreadable(&mut self, id: ObjectId, why: String) {
        self.unreadable.insert(id, why);
    }

    /// Sorts an object that could not be read among those missing, too large or broken.
    pub(super) fn unread(&mut self, id: ObjectId, what: &'static str, unread: Unread) {
        match unread.kind {
            GapKind::Missing => self.missing(id, what),
            GapKind::Budget => _ = self.over_budget.insert(id, unread.why),
            GapKind::Unreadable | GapKind::Shallow | GapKind::Interrupted => self.unreadable(id, unread.why),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        other.names.iter().for_each(|(name, tree)| self.name(name, tree));
        for (id, what) in other.missing {
            let known = self.missing.entry(id).or_insert(what);
            *known = (*known).min(what);
        }
        self.unreadable.extend(other.unreadable);
        self.over_budget.extend(other.over_budget);
        self.fresh.merge(other.fresh);
    }

    /// Whether some object could not be read.
    pub(super) fn has_unreadable(&self) -> bool {
        !self.unreadable.is_empty()
    }

    /// Objects that are named and not there, and what they should be.
    pub(super) fn missing_objects(&self) -> Vec<(Oid, &'static str)> {
        self.missing.iter().map(|(id, what)| (oid(id), *what)).collect()
    }

    /// One tree for each file name worth scanning.
    pub(super) fn trees_with_names(&self) -> impl Iterator<Item = Oid> + '_ {
        self.names.values().map(|tree| oid(tree))
    }

    /// Scans file names, each once, as part of the tree with the smallest object name.
    fn scan_names(&self, sink: &dyn Sink) {
        for (name, tree) in &self.names {
            let origin = Origin::Tree { id: oid(tree) };
            sink.chunk(Chunk::whole(name, &origin, Encoding::Plain));
        }
    }

    pub(super) fn report(&self, partial: bool, coverage: &mut Coverage) {
        if !self.missing.is_empty() {
            let examples: Vec<String> = self
                .missing
                .iter()
                .take(3)
                .map(|(id, what)| format!("{what} {}", oid(id).short(12)))
                .collect();
            let more = if self.missing.len() > 3 { ", …" } else { "" };
            let what = format!("{} objects ({}{more})", self.missing.len(), examples.join(", "));
            let unread = missing(partial);
            coverage.gap(unread.kind, what, unread.why);
        }
        for (id, why) in self.over_budget.iter().take(NAMED) {
            coverage.gap(GapKind::Budget, format!("object {}", oid(id).short(12)), why.clone());
        }
        if let Some(more) = self.over_budget.len().checked_sub(NAMED + 1) {
            let what = format!("{} more objects", more + 1);
            coverage.gap(GapKind::Budget, what, "are too large as well (--object-bytes)");
        }
        let broken = self.unreadable.len();
        for (id, why) in self.unreadable.iter().take(NAMED) {
            let what = format!("object {}", oid(id).short(12));
            coverage.gap(GapKind::Unreadable, what, format!("{why}; run `git fsck`"));
        }
        if broken > NAMED {
            let what = format!("{} more objects", broken - NAMED);
            coverage.gap(GapKind::Unreadable, what, "cannot be read either; run `git fsck`");
        }
    }
}

/// Scans the names of refs.
fn scan_refs(repository: &Repository, sink: &dyn Sink, coverage: &mut Coverage) {
    let refs = refs::read(repository);
    coverage.refs += refs.list.len() as u64;
    for found in refs.list {
        let origin = Origin::RefName { name: RepoPath::new(found.name.clone()) };
        sink.chunk(Chunk::whole(&found.name, &origin, Encoding::Plain));
    }
    for (what, why) in refs.broken {
        coverage.gap(GapKind::Unreadable, what, format!("{why}; run `git fsck`"));
    }
}
