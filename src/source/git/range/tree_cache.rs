//! Trees that were read lately: a commit's trees are mostly its parent's.

use std::sync::Arc;

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use super::super::lookup::{Lookup, Unread};

/// Bytes of trees kept by each thread.
const KEPT: usize = 32 << 20;

/// Reads trees through a cache of two generations: what the older one holds and nobody asks for is
/// dropped when the younger one is full.
pub(super) struct TreeCache {
    pub(super) objects: Lookup,
    young: HashMap<ObjectId, Arc<[u8]>>,
    old: HashMap<ObjectId, Arc<[u8]>>,
    young_bytes: usize,
}

impl TreeCache {
    pub(super) fn new(objects: Lookup) -> Self {
        Self { objects, young: HashMap::default(), old: HashMap::default(), young_bytes: 0 }
    }

    /// Content of a tree.
    pub(super) fn get(&mut self, id: &ObjectId) -> Result<Arc<[u8]>, Unread> {
        if let Some(tree) = self.young.get(id) {
            return Ok(tree.clone());
        }
        let tree = match self.old.remove(id) {
            Some(tree) => tree,
            None => Arc::from(self.objects.expect(id, Kind::Tree)?),
        };
        self.young_bytes += tree.len();
        if self.young_bytes > KEPT / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = tree.len();
        }
        self.young.insert(*id, tree.clone());
        Ok(tree)
    }
}
