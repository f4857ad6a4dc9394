//! What is known of encoded text from the content it was copied from.

use std::ops::Range;

use crate::engine::trace::Copied;
use crate::finding::{Match, Span};

/// A scanned base, and what a content copied from it.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Legacy<'a> {
    /// Matches in the base, ascending by trigger.
    pub(in crate::engine) matches: &'a [Match],
    /// Length of the base in bytes.
    pub(in crate::engine) base_len: usize,
    /// What was copied: ascending and disjoint in the content.
    pub(in crate::engine) copies: &'a [Copied],
    /// Length of the content in bytes.
    pub(in crate::engine) len: usize,
}

impl Legacy<'_> {
    /// Appends what was found in the encoded text that begins at `trigger` when all of `reads` was
    /// copied as one; false, and nothing, when it was not.
    ///
    /// A range that begins at the start of the content, or ends at or behind its end, tells that the
    /// content begins or ends there: so must the base.
    pub(super) fn pass_on(&self, reads: &Range<usize>, trigger: usize, out: &mut Vec<Match>) -> bool {
        let next = self.copies.partition_point(|copy| copy.target <= trigger);
        let Some(copy) = next.checked_sub(1).map(|place| self.copies[place]) else { return false };
        let begins = copy.base == 0 && copy.target == 0;
        let ends = copy.base + copy.length == self.base_len && copy.target_end() == self.len;
        if (reads.start <= copy.target && !begins) || (reads.end >= copy.target_end() && !ends) {
            return false;
        }
        let there = trigger - copy.target + copy.base;
        let moved = |at: usize| at - copy.base + copy.target;
        let moved = |span: Span| Span::new(moved(span.start), moved(span.end));
        let first = self.matches.partition_point(|hit| hit.trigger < there);
        let found = self.matches[first..].iter().take_while(|hit| hit.trigger == there);
        out.extend(found.filter(|hit| hit.decoded.is_some()).map(|hit| Match {
            trigger,
            span: moved(hit.span),
            secret: moved(hit.secret),
            ..hit.clone()
        }));
        true
    }
}
