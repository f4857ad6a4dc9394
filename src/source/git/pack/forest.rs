//! Who is a delta of whom in one pack: trees of entries, laid out for a walk from the bases down.
//!
//! Arrays by entry instead of nodes with pointers: repositories have millions of objects.

use super::file::{EntryKind, PackFile};
use super::index::Index;
use super::object::ObjectKind;

/// In place of a base: the entry is a whole object, or its base is not to be had in this pack.
const NONE: u32 = u32::MAX;

/// What an entry costs besides its bytes, in bytes of packed data, about.
const ENTRY_COST: u64 = 48;

/// The delta trees of a pack, without what need not be built.
pub(crate) struct Forest {
    /// Entries that start a tree, with the weight of the tree.
    roots: Vec<(u64, u32)>,
    /// Where the children of each entry start in `children`; one more than there are entries.
    starts: Vec<u32>,
    children: Vec<u32>,
    /// One bit by entry: to be passed to the visitor, not only built for the sake of others.
    visited: Vec<u64>,
}

impl Forest {
    /// Lays out the trees of `pack`. `owned` tells whether the object of an entry is this pack's to
    /// pass, `wants` whether objects of a kind are passed at all.
    ///
    /// An entry that cannot be read, whose base is not in the pack, or whose chain of deltas loops
    /// becomes a root; building it will tell what is the matter.
    pub(crate) fn grow(
        pack: &PackFile,
        index: &Index,
        owned: impl Fn(u32) -> bool,
        wants: impl Fn(ObjectKind) -> bool,
    ) -> Self {
        let Bases { mut bases, mut kinds, in_order } = Bases::read(pack, index);
        let order = if in_order { None } else { Some(base_first(&mut bases)) };
        let count = bases.len();
        let nth = |at: usize| order.as_ref().map_or(at, |order| order[at] as usize);

        for entry in (0..count).map(nth) {
            if bases[entry] != NONE {
                kinds[entry] = kinds[bases[entry] as usize];
            }
        }
        let mut visited = vec![0_u64; count.div_ceil(64)];
        for (entry, kind) in kinds.iter().enumerate() {
            if kind.is_none_or(&wants) && owned(entry as u32) {
                visited[entry / 64] |= 1 << (entry % 64);
            }
        }
        let mut forest = Self { roots: Vec::new(), starts: Vec::new(), children: Vec::new(), visited };
        let weights = forest.weigh(&bases, index, pack.end(), (0..count).rev().map(nth));
        forest.connect(&bases, &weights);
        forest
    }

    /// The roots of the trees to walk, with their weights, in the order of the pack.
    pub(crate) fn roots(&self) -> &[(u64, u32)] {
        &self.roots
    }

    /// The range of the children of `entry`, for [`child`](Self::child). The heaviest is the last.
    pub(crate) fn children(&self, entry: u32) -> std::ops::Range<u32> {
        self.starts[entry as usize]..self.starts[entry as usize + 1]
    }

    /// The entry at `at` in a range of children.
    pub(crate) fn child(&self, at: u32) -> u32 {
        self.children[at as usize]
    }

    /// Whether the object of `entry` is to be passed to the visitor.
    pub(crate) fn is_visited(&self, entry: u32) -> bool {
        self.visited[entry as usize / 64] >> (entry % 64) & 1 != 0
    }

    /// The weight of the tree below each entry, itself included; 0 where there is nothing to visit.
    fn weigh(
        &self,
        bases: &[u32],
        index: &Index,
        end: u64,
        leaves_first: impl Iterator<Item = usize>,
    ) -> Vec<u64> {
        let mut weights = vec![0_u64; bases.len()];
        for entry in leaves_first {
            if weights[entry] > 0 || self.is_visited(entry as u32) {
                let start = index.offsets()[entry];
                weights[entry] += index.end_of(entry as u32, end).saturating_sub(start) + ENTRY_COST;
                if bases[entry] != NONE {
                    weights[bases[entry] as usize] += weights[entry];
                }
            }
        }
        weights
    }

    /// Lists the children of each entry, and the roots, as far as they have a weight.
    fn connect(&mut self, bases: &[u32], weights: &[u64]) {
        let count = bases.len();
        let mut starts = vec![0_u32; count + 1];
        let needed = || (0..count).filter(|&entry| weights[entry] > 0);
        for entry in needed().filter(|&entry| bases[entry] != NONE) {
            starts[bases[entry] as usize] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        // Each start is the end of its range now, and filling from the back moves it to the front.
        let mut children = vec![0_u32; total as usize];
        for entry in needed().rev() {
            if bases[entry] == NONE {
                self.roots.push((weights[entry], entry as u32));
            } else {
                let slot = &mut starts[bases[entry] as usize];
                *slot -= 1;
                children[*slot as usize] = entry as u32;
            }
        }
        self.roots.reverse();
        for entry in 0..count {
            let siblings = &mut children[starts[entry] as usize..starts[entry + 1] as usize];
            // With the heaviest last, a base is dropped before the deepest descent, and no path
            // keeps more bases than the logarithm of the number of objects.
            if let Some((heaviest, _)) =
                siblings.iter().enumerate().max_by_key(|&(_, &child)| weights[child as usize])
            {
                let last = siblings.len() - 1;
                siblings.swap(heaviest, last);
            }
        }
        (self.starts, self.children) = (starts, children);
    }
}

/// What the entry headers say.
struct Bases {
    /// The base of each entry.
    bases: Vec<u32>,
    /// The kind of each whole object.
    kinds: Vec<Option<ObjectKind>>,
    /// Whether every base comes before its deltas in the pack.
    in_order: bool,
}

/// How many entries before its turn the header of an entry is fetched into the processor's cache.
const AHEAD: usize = 12;

impl Bases {
    fn read(pack: &PackFile, index: &Index) -> Self {
        let count = index.len();
        let (mut bases, mut kinds) = (vec![NONE; count], vec![None; count]);
        let mut in_order = true;
        for (entry, &offset) in index.offsets().iter().enumerate() {
            if let Some(&later) = index.offsets().get(entry + AHEAD) {
                pack.prefetch(later);
            }
            let Ok(header) = pack.entry(offset) else { continue };
            let base = match header.kind {
                EntryKind::Whole(kind) => {
                    kinds[entry] = Some(kind);
                    None
                }
                EntryKind::OffsetDelta(base) => index.entry_before(entry as u32, base),
                EntryKind::NamedDelta(name) => index.find(&name),
            };
            if let Some(base) = base {
                bases[entry] = base;
                in_order &= (base as usize) < entry;
            }
        }
        Self { bases, kinds, in_order }
    }
}

/// All entries, each after its base. Entries of loops, and what hangs on them, lose their base.
fn base_first(bases: &mut [u32]) -> Vec<u32> {
    let count = bases.len();
    let mut next_sibling = vec![NONE; count];
    let mut first_child = vec![NONE; count];
    for entry in (0..count).rev() {
        if bases[entry] != NONE {
            next_sibling[entry] = std::mem::replace(&mut first_child[bases[entry] as usize], entry as u32);
        }
    }
    let mut order: Vec<u32> = (0..count as u32).filter(|&entry| bases[entry as usize] == NONE).collect();
    order.reserve_exact(count - order.len());
    let mut reached = vec![false; count];
    let mut at = 0;
    while at < order.len() {
        let entry = order[at] as usize;
        reached[entry] = true;
        let mut child = first_child[entry];
        while child != NONE {
            order.push(child);
            child = next_sibling[child as usize];
        }
        at += 1;
    }
    for entry in 0..count {
        if !reached[entry] {
            bases[entry] = NONE;
            order.push(entry as u32);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_cut() {
        // 0 <- 1 <- 4, 2 <-> 3 <- 5
        let mut bases = vec![NONE, 0, 3, 2, 1, 3];
        let order = base_first(&mut bases);
        assert_eq!(bases, [NONE, 0, NONE, NONE, 1, NONE]);
        let position = |entry: u32| order.iter().position(|&at| at == entry).unwrap();
        assert!(position(0) < position(1) && position(1) < position(4));
        let mut all = order.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_nobody_needs_is_left_out() {
        // 0 <- 1 <- 2, 0 <- 3; 4. Only 2 and 3 are visited.
        let bases = [NONE, 0, 1, 0, NONE];
        let weights = [4, 2, 1, 1, 0];
        let mut forest = Forest { roots: vec![], starts: vec![], children: vec![], visited: vec![0b1100] };
        forest.connect(&bases, &weights);
        assert_eq!(forest.roots(), [(4, 0)]);
        let children = |entry| forest.children(entry).map(|at| forest.child(at)).collect::<Vec<_>>();
        assert_eq!(children(0), [3, 1], "the heaviest is the last");
        assert_eq!((children(1), children(2), children(4)), (vec![2], vec![], vec![]));
        assert!(forest.is_visited(2) && !forest.is_visited(1));
    }
}
