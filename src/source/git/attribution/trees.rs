//! Tree objects, as they are, kept for a while: a commit's trees are mostly its parent's.

use std::rc::Rc;

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use super::super::lookup::{Lookup, Unread};

/// Bytes of trees kept. With half of it git's own history is read three times over.
const KEPT: usize = 256 << 20;

/// Reads trees through a cache of two generations: what the older one holds and nobody asks for
/// is dropped when the younger one is full.
pub(super) struct Trees {
    objects: Lookup,
    young: HashMap<ObjectId, Rc<[u8]>>,
    old: HashMap<ObjectId, Rc<[u8]>>,
    young_bytes: usize,
    /// Trees that could not be read; they count as empty.
    pub(super) unread: Vec<(ObjectId, Unread)>,
}

impl Trees {
    pub(super) fn new(objects: Lookup) -> Self {
        Self {
            objects,
            young: HashMap::default(),
            old: HashMap::default(),
            young_bytes: 0,
            unread: Vec::new(),
        }
    }

    /// Content of a tree.
    pub(super) fn get(&mut self, id: &ObjectId) -> Rc<[u8]> {
        if let Some(tree) = self.young.get(id) {
            return tree.clone();
        }
        let tree = match self.old.remove(id) {
            Some(tree) => tree,
            None => match self.objects.expect(id, Kind::Tree) {
                Ok(content) => Rc::from(content),
                Err(unread) => {
                    self.unread.push((*id, unread));
                    Rc::from([])
                }
            },
        };
        self.young_bytes += tree.len() + 64;
        if self.young_bytes > KEPT / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = tree.len() + 64;
        }
        self.young.insert(*id, tree.clone());
        tree
    }

    /// The reader of single objects behind it.
    pub(super) fn objects(&mut self) -> &mut Lookup {
        &mut self.objects
    }
}
