//! Marries the pack traversal to the engine: what the engine remembers of a blob goes back to it with
//! the blob's deltas.
//!
//! Here, because sources and engine know nothing of each other.

use super::collector::{Bench, Collector};
use crate::chunk::Chunk;
use crate::engine::{Copied, Engine, Scratch, Trace};
use crate::finding::Oid;
use crate::source::Sink;
use crate::source::git::history::DeltaSink;
use crate::source::git::pack::DeltaMap;

impl DeltaSink for Collector<'_, Engine> {
    type Bench = Bench<Scratch>;
    type Trace = Trace;

    fn sink(&self) -> &dyn Sink {
        self
    }

    fn bench(&self) -> Self::Bench {
        Bench::default()
    }

    fn found(&self) -> Vec<Oid> {
        self.found_blobs()
    }

    fn blob(
        &self,
        bench: &mut Self::Bench,
        chunk: &Chunk<'_>,
        base: Option<(&Trace, &DeltaMap)>,
        keep: bool,
    ) -> Option<Trace> {
        let find = |scratch: &mut Scratch| match base {
            Some((trace, delta)) => self.matcher().retrace(chunk.bytes, trace, copied(delta), keep, scratch),
            None => self.matcher().trace(chunk.bytes, keep, scratch),
        };
        self.keep_found(bench, chunk, find, Trace::matches).filter(|_| keep)
    }
}

/// What a delta copies, in the engine's terms.
fn copied(delta: &DeltaMap) -> impl Iterator<Item = Copied> + '_ {
    delta.copies().iter().map(|copy| Copied {
        base: copy.base as usize,
        target: copy.target as usize,
        length: copy.length as usize,
    })
}
