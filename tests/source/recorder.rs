//! A sink that remembers what it was given.

use std::collections::BTreeSet;
use std::sync::Mutex;

use keycull::chunk::{Chunk, Encoding};
use keycull::finding::{Coverage, Origin};
use keycull::source::Sink;

/// One chunk as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where it came from.
    pub(crate) origin: Origin,
    /// All its bytes.
    pub(crate) bytes: Vec<u8>,
    /// What it was.
    pub(crate) encoding: Encoding,
}

/// Remembers chunks, and finds something in those that hold the word `needle`.
#[derive(Default)]
pub(crate) struct Recorder {
    chunks: Mutex<Vec<Seen>>,
    base: Mutex<Vec<Seen>>,
    notes: Mutex<Coverage>,
}

impl Recorder {
    /// What was scanned, sorted by origin and content.
    pub(crate) fn chunks(&self) -> Vec<Seen> {
        sorted(&self.chunks)
    }

    /// What was told of containers.
    pub(crate) fn notes(&self) -> Coverage {
        self.notes.lock().expect("no panic").clone()
    }

    /// What was given as base, sorted.
    pub(crate) fn base(&self) -> Vec<Seen> {
        sorted(&self.base)
    }

    /// `kind path` (or `kind object`) of each chunk, sorted.
    pub(crate) fn origins(&self) -> Vec<String> {
        self.chunks().iter().map(|seen| format!("{} {}", seen.origin.kind(), seen.origin)).collect()
    }

    /// Paths of the chunks of one kind, sorted, each once.
    pub(crate) fn paths(&self, kind: &str) -> Vec<String> {
        let of_kind = |seen: &&Seen| seen.origin.kind() == kind;
        let paths: BTreeSet<String> =
            self.chunks().iter().filter(of_kind).map(|seen| seen.origin.to_string()).collect();
        paths.into_iter().collect()
    }

    /// Kinds of the origins whose content holds `text`, sorted, each once.
    pub(crate) fn kinds_with(&self, text: &str) -> Vec<&'static str> {
        let kinds: BTreeSet<&str> = self
            .chunks()
            .iter()
            .filter(|seen| holds(&seen.bytes, text))
            .map(|seen| seen.origin.kind())
            .collect();
        kinds.into_iter().collect()
    }
}

fn sorted(list: &Mutex<Vec<Seen>>) -> Vec<Seen> {
    let mut all = list.lock().expect("no panic").clone();
    all.sort_by(|a, b| (&a.origin, &a.bytes).cmp(&(&b.origin, &b.bytes)));
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn seen(chunk: Chunk<'_>) -> Seen {
    Seen { origin: chunk.origin.clone(), bytes: chunk.bytes.to_vec(), encoding: chunk.encoding }
}

impl Sink for Recorder {
    fn note(&self, part: Coverage) {
        self.notes.lock().expect("no panic").merge(part);
    }

    fn chunk(&self, chunk: Chunk<'_>) -> bool {
        self.chunks.lock().expect("no panic").push(seen(chunk));
        holds(chunk.bytes, "needle")
    }

    fn base(&self, chunk: Chunk<'_>) {
        self.base.lock().expect("no panic").push(seen(chunk));
    }

    fn cancelled(&self) -> bool {
        false
    }
}
