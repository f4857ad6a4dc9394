//! What the base side of a range held: looked at only when the range brought something, and only
//! as far as it takes to know what of it is new.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::hashtable::HashSet;
use gix::objs::Kind;

use super::changes::Changes;
use super::walk::Revisions;
use super::{OBJECTS, RangeOptions, Worker};
use crate::chunk::{Chunk, Encoding};
use crate::finding::{Origin, RepoPath};
use crate::source::archive::Opener;
use crate::source::content::Feeder;
use crate::source::git::lookup::{Lookup, Unread, tree_of_commit};
use crate::source::git::objects::Found;
use crate::source::git::repository::{Repository, oid};
use crate::source::git::tree_entries::TreeEntries;
use crate::source::{Sink, parallel};

/// Hands over what the base side held at the paths that the range changes; then, as long as the
/// sink is open, everything else in the trees of the base commits.
pub(super) fn offer(
    repository: &Repository,
    options: &RangeOptions,
    revisions: &Revisions,
    changes: &Changes,
    sink: &dyn Sink,
    found: &mut Found,
) {
    if !sink.is_open() {
        return;
    }
    for path in &changes.base_names {
        let path = RepoPath::new(path.clone());
        let origin = Origin::FileName { path: path.clone() };
        sink.base(Chunk::whole(path.as_bytes(), &origin, Encoding::Plain));
    }
    let came_from_base = changes.passing_blobs.iter().filter(|blob| !changes.blobs.contains_key(*blob));
    let mut side = Base {
        repository,
        options,
        sink,
        found: Found::default(),
        objects: Lookup::new(repository),
        seen: HashSet::default(),
        blobs: changes.base_blobs.iter().chain(came_from_base).copied().collect(),
    };
    for tree in &changes.base_trees {
        side.tree(*tree);
    }
    side.scan();
    for commit in &revisions.base {
        if sink.cancelled() || !sink.is_open() {
            break;
        }
        side.commit(commit);
        side.scan();
    }
    // What was not read of the base side matters only to what is still taken for new.
    if sink.is_open() {
        found.merge(side.found);
    }
}

struct Base<'a> {
    repository: &'a Repository,
    options: &'a RangeOptions,
    sink: &'a dyn Sink,
    found: Found,
    objects: Lookup,
    /// Blobs and trees that were handed over or looked into.
    seen: HashSet<ObjectId>,
    /// Blobs to hand over next.
    blobs: BTreeSet<ObjectId>,
}

impl Base<'_> {
    fn commit(&mut self, id: &ObjectId) {
        // NOTE: an excluded tip that is not there is no gap: less is excluded, not more.
        let tree = self.objects.expect(id, Kind::Commit).ok().and_then(tree_of_commit);
        if let Some(tree) = tree {
            self.tree(tree);
        }
    }

    fn tree(&mut self, root: ObjectId) {
        let mut open = vec![root];
        while let Some(tree) = open.pop() {
            if !self.seen.insert(tree) {
                continue;
            }
            let content = match self.objects.expect(&tree, Kind::Tree) {
                Ok(content) => content,
                Err(unread) => {
                    note(&mut self.found, tree, "tree", unread);
                    continue;
                }
            };
            for entry in TreeEntries::new(content, tree.as_bytes().len()).flatten() {
                match ObjectId::try_from(entry.id) {
                    Ok(id) if entry.is_tree() => open.push(id),
                    Ok(id) if !entry.is_submodule() => {
                        self.blobs.insert(id);
                    }
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }

    /// Hands over the blobs that were gathered.
    fn scan(&mut self) {
        let blobs: Vec<ObjectId> =
            std::mem::take(&mut self.blobs).into_iter().filter(|id| self.seen.insert(*id)).collect();
        let emit = |chunk: Chunk<'_>| {
            self.sink.base(chunk);
            false
        };
        let opener = Opener::silent(self.options.archives);
        let feeder = Feeder::new(&emit, self.options.windows).opening(&opener);
        let make = || Worker::new(self.repository);
        let workers = parallel::each(self.options.jobs, blobs.len(), OBJECTS, make, |worker, number| {
            let id = &blobs[number];
            let (limits, origin) = (&self.options.archives, Origin::Blob { id: oid(id) });
            if let Err(unread) = worker.objects.blob(self.repository, id, limits, &feeder, &origin) {
                note(&mut worker.found, *id, "blob", unread);
            }
            !self.sink.cancelled()
        });
        workers.into_iter().for_each(|worker| self.found.merge(worker.found));
    }
}

fn note(found: &mut Found, id: ObjectId, what: &'static str, unread: Unread) {
    let why = format!("{}; what it held counts as new", unread.why);
    found.unread(id, what, Unread { why, ..unread });
}
