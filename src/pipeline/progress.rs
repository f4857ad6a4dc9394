//! How a running scan tells what it is doing.

/// Hears of a scan's progress, from many threads. Everything has an empty default.
pub trait Progress: Sync {
    /// A new part of the scan begins: `files`, `index`, `history`, `standard input`, `findings`.
    fn stage(&self, name: &'static str) {
        let _ = name;
    }

    /// `bytes` more of content were scanned, one chunk of it.
    fn scanned(&self, bytes: u64) {
        let _ = bytes;
    }

    /// `count` more matches were seen, before triage.
    fn matched(&self, count: u64) {
        let _ = count;
    }
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
