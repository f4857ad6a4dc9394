//! Tree objects, as they are, kept for a while: a commit's trees are mostly its parent's.

use std::rc::Rc;

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use super::super::lookup::{Lookup, Unread};
use super::super::tree_entries::TreeEntries;

/// Bytes of trees kept. With half of it git's own history is read three times over.
const KEPT: usize = 256 << 20;

/// Reads trees through a cache of two generations: what the older one holds and nobody asks for
/// is dropped when the younger one is full.
pub(super) struct Trees {
    objects: Lookup,
    young: HashMap<ObjectId, Rc<Vec<u8>>>,
    old: HashMap<ObjectId, Rc<Vec<u8>>>,
    young_bytes: usize,
    /// Buffers of dropped trees by the logarithm of their size, used again: allocating anew takes
    /// longer than copying.
    spare: [Vec<Vec<u8>>; usize::BITS as usize],
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
            spare: std::array::from_fn(|_| Vec::new()),
            unread: Vec::new(),
        }
    }

    /// Content of a tree.
    pub(super) fn get(&mut self, id: &ObjectId) -> Rc<Vec<u8>> {
        if let Some(tree) = self.young.get(id) {
            return tree.clone();
        }
        let tree = self.old.remove(id).unwrap_or_else(|| Rc::new(self.read(id)));
        self.young_bytes += tree.capacity() + 64;
        if self.young_bytes > KEPT / 2 {
            let young = std::mem::take(&mut self.young);
            let dropped = std::mem::replace(&mut self.old, young);
            self.spare.iter_mut().for_each(Vec::clear);
            for buffer in dropped.into_values().filter_map(|tree| Rc::try_unwrap(tree).ok()) {
                self.spare[buffer.capacity().max(1).ilog2() as usize].push(buffer);
            }
            self.young_bytes = tree.capacity() + 64;
        }
        self.young.insert(*id, tree.clone());
        tree
    }

    /// Whether the tree `root` has `blob` at `path`.
    pub(super) fn holds(&mut self, root: ObjectId, path: &[u8], blob: &ObjectId) -> bool {
        let mut at = root;
        for name in path.split(|&byte| byte == b'/') {
            let content = self.get(&at);
            let mut entries = TreeEntries::new(&content, root.as_bytes().len()).flatten();
            let Some(next) = entries.find(|entry| entry.name == name) else { return false };
            let Ok(next) = ObjectId::try_from(next.id) else { return false };
            at = next;
        }
        at == *blob
    }

    fn read(&mut self, id: &ObjectId) -> Vec<u8> {
        match self.objects.expect(id, Kind::Tree) {
            Ok(content) => {
                let size = content.len().max(64).next_power_of_two();
                let spare = self.spare[size.ilog2() as usize].pop();
                let mut tree = spare.unwrap_or_else(|| Vec::with_capacity(size));
                tree.clear();
                tree.extend_from_slice(content);
                tree
            }
            Err(unread) => {
                self.unread.push((*id, unread));
                Vec::new()
            }
        }
    }

    /// The reader of single objects behind it.
    pub(super) fn objects(&mut self) -> &mut Lookup {
        &mut self.objects
    }
}
