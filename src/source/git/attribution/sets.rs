//! Sets of small numbers, each kept once: most commits hold what their parent holds.

use std::collections::HashMap;
use std::rc::Rc;

/// Name of a set; equal sets have equal names.
pub(super) type SetId = u32;

/// The set of nothing.
pub(super) const EMPTY: SetId = 0;

/// All sets made so far.
pub(super) struct Sets {
    sets: Vec<Rc<[u32]>>,
    names: HashMap<Rc<[u32]>, SetId>,
    unions: HashMap<(SetId, SetId), SetId>,
}

impl Sets {
    /// Only the empty set.
    pub(super) fn new() -> Self {
        let empty: Rc<[u32]> = Rc::from([]);
        Self { sets: vec![empty.clone()], names: HashMap::from([(empty, EMPTY)]), unions: HashMap::new() }
    }

    /// The members of a set, ascending.
    pub(super) fn get(&self, set: SetId) -> Rc<[u32]> {
        self.sets[set as usize].clone()
    }

    /// Whether `member` is in `set`.
    pub(super) fn contains(&self, set: SetId, member: u32) -> bool {
        self.sets[set as usize].binary_search(&member).is_ok()
    }

    /// The set of these members, in any order and any number of times.
    pub(super) fn intern(&mut self, mut members: Vec<u32>) -> SetId {
        members.sort_unstable();
        members.dedup();
        self.intern_ascending(members)
    }

    /// The set of these members, ascending and distinct.
    pub(super) fn intern_ascending(&mut self, members: Vec<u32>) -> SetId {
        if let Some(&name) = self.names.get(&members[..]) {
            return name;
        }
        let set: Rc<[u32]> = members.into();
        let name = self.sets.len() as SetId;
        self.sets.push(set.clone());
        self.names.insert(set, name);
        name
    }

    /// All members of both.
    pub(super) fn union(&mut self, one: SetId, other: SetId) -> SetId {
        if one == other || other == EMPTY {
            return one;
        }
        if one == EMPTY {
            return other;
        }
        let key = (one.min(other), one.max(other));
        if let Some(&known) = self.unions.get(&key) {
            return known;
        }
        let union = self.intern_ascending(merged(&self.get(one), &self.get(other)));
        self.unions.insert(key, union);
        union
    }

    /// The members of `set` without those `gone`, and with those that `come`; both are ascending.
    pub(super) fn changed(&mut self, set: SetId, gone: &[u32], come: Vec<u32>) -> SetId {
        if gone.is_empty() && come.is_empty() {
            return set;
        }
        let left = without(&self.get(set), gone);
        self.intern_ascending(merged(&left, &come))
    }

    /// Members of `one` that `other` does not have.
    pub(super) fn difference(&self, one: SetId, other: SetId) -> Vec<u32> {
        if one == other {
            return Vec::new();
        }
        without(&self.sets[one as usize], &self.sets[other as usize])
    }
}

/// The members of `one` that `other` does not have; both are ascending.
pub(super) fn without<T: Ord + Copy>(one: &[T], other: &[T]) -> Vec<T> {
    let mut rest = other;
    let is_missing = |member: &&T| {
        let passed = rest.iter().take_while(|other| other < member).count();
        rest = &rest[passed..];
        rest.first() != Some(member)
    };
    one.iter().filter(is_missing).copied().collect()
}

/// The members of both, ascending.
fn merged(one: &[u32], other: &[u32]) -> Vec<u32> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let mut rest = other;
    for &member in one {
        let passed = rest.iter().take_while(|&&other| other < member).count();
        all.extend_from_slice(&rest[..passed]);
        all.push(member);
        rest = &rest[passed + usize::from(rest.get(passed) == Some(&member))..];
    }
    all.extend_from_slice(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_have_one_name() {
        let mut sets = Sets::new();
        let (a, b) = (sets.intern(vec![3, 1, 1]), sets.intern(vec![2, 3]));
        assert_eq!(sets.intern(vec![1, 3]), a);
        assert_eq!(sets.intern(vec![]), EMPTY);
        let both = sets.union(a, b);
        assert_eq!(&*sets.get(both), [1, 2, 3]);
        assert_eq!((sets.union(b, a), sets.union(both, EMPTY), sets.union(EMPTY, a)), (both, both, a));
        assert_eq!(sets.difference(both, a), [2]);
        assert!(sets.contains(a, 3) && !sets.contains(a, 2));
    }
}
