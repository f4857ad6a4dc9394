//! Delta bases, kept in one piece of memory that is written round and round.
//!
//! The library's own caches allocate for every object, which took a seventh of the time of an
//! attribution pass; here an object is copied in, and the oldest ones are overwritten.

use std::collections::{HashMap, VecDeque};

use gix::objs::Kind;
use gix::odb::pack::cache::DecodeEntry;

/// Which pack, and where in it.
type Key = (u32, u64);

/// Where in the ring an object lies, and what it is.
#[derive(Clone, Copy)]
struct Slot {
    start: usize,
    len: usize,
    kind: Kind,
    compressed: usize,
}

/// A cache of a fixed size.
pub(super) struct DeltaCache {
    ring: Vec<u8>,
    size: usize,
    head: usize,
    slots: HashMap<Key, Slot>,
    /// Keys in the order in which they will be overwritten.
    order: VecDeque<Key>,
}

impl DeltaCache {
    /// Keeps up to `size` bytes, taken as they are needed.
    pub(super) fn new(size: usize) -> Self {
        Self { ring: Vec::new(), size, head: 0, slots: HashMap::new(), order: VecDeque::new() }
    }

    /// Forgets what lies in the way of `len` bytes at `head`.
    fn make_room(&mut self, len: usize) {
        if self.head + len > self.size {
            // What lies between here and the end is the oldest there is.
            let head = self.head;
            self.forget_while(|slot| slot.start >= head);
            self.head = 0;
        }
        let (start, end) = (self.head, self.head + len);
        self.forget_while(|slot| slot.start < end && slot.start + slot.len > start);
        if self.ring.len() < end {
            self.ring.resize(end, 0);
        }
    }

    fn forget_while(&mut self, in_the_way: impl Fn(&Slot) -> bool) {
        while let Some(oldest) = self.order.front() {
            if !self.slots.get(oldest).is_some_and(&in_the_way) {
                return;
            }
            self.slots.remove(oldest);
            self.order.pop_front();
        }
    }
}

impl DecodeEntry for DeltaCache {
    fn put(&mut self, pack: u32, offset: u64, data: &[u8], kind: Kind, compressed: usize) {
        // An object that would push out most others is not worth it; an empty one has no place.
        let key = (pack, offset);
        if data.is_empty() || data.len() > self.size / 8 || self.slots.contains_key(&key) {
            return;
        }
        self.make_room(data.len());
        let slot = Slot { start: self.head, len: data.len(), kind, compressed };
        self.ring[slot.start..slot.start + slot.len].copy_from_slice(data);
        self.head += slot.len;
        self.slots.insert(key, slot);
        self.order.push_back(key);
    }

    fn get(&mut self, pack: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let slot = self.slots.get(&(pack, offset))?;
        out.clear();
        out.extend_from_slice(&self.ring[slot.start..slot.start + slot.len]);
        Some((slot.kind, slot.compressed))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What comes out is what went in last under that key, whatever was overwritten.
        #[test]
        fn nothing_is_mixed_up(objects in prop::collection::vec((0u64..40, 0usize..130), 1..200)) {
            let mut cache = DeltaCache::new(1000);
            let mut out = Vec::new();
            for (offset, len) in objects {
                let content = |len: usize| -> Vec<u8> { (0..len).map(|at| (at as u64 + offset) as u8).collect() };
                if let Some((kind, compressed)) = cache.get(1, offset, &mut out) {
                    prop_assert_eq!(kind, Kind::Tree);
                    prop_assert_eq!(&out, &content(compressed));
                } else {
                    cache.put(1, offset, &content(len), Kind::Tree, len);
                    prop_assert_eq!(cache.get(1, offset, &mut out).is_some(), len > 0 && len <= 125);
                }
                prop_assert_eq!(cache.slots.len(), cache.order.len());
                prop_assert!(cache.slots.values().map(|slot| slot.len).sum::<usize>() <= 1000);
                prop_assert!(cache.get(2, offset, &mut out).is_none());
            }
        }
    }
}
