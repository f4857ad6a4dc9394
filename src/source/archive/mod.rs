//! Containers: archives, compressed files, packages and documents, opened on the way to the sink.
//!
//! A source hands over content; what is a container by its first bytes is opened here, and its
//! members go the same way, to a bounded depth. Members are named `outer!inner`
//! ([`Origin::Member`]). Everything is streamed or held within a fixed size; each container has an
//! account of what it may cost ([`Limits`]), and what is over budget or damaged is a gap of the
//! coverage. Encrypted members are counted: nobody can read them, so they make nothing incomplete.
//!
//! What lies between members is scanned as well: names, comments, code in front of an archive.
//! Formats that are not opened are scanned as bytes, and the coverage names them.

mod ar;
mod budget;
mod compressed;
mod cpio;
mod extract;
mod format;
mod git_pack;
mod pdf;
mod plist;
mod rpm;
mod sevenz;
mod sevenz_header;
mod sqlite;
mod tar;
mod walk;
mod zip;

use std::cell::Cell;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;

use super::Sink;
use super::content::Feeder;
use crate::finding::{Coverage, GapKind, Origin, SkipReason};

pub use budget::Limits;
pub use extract::extract;
pub use format::{Format, is_container};

pub(crate) use format::HEAD;

use budget::{Account, Counted, Stop};
use walk::Walk;

/// Opens the containers of one scope.
pub(crate) struct Opener<'a> {
    limits: Limits,
    sink: Option<&'a dyn Sink>,
    /// Bytes unpacked so far.
    total: AtomicU64,
}

impl<'a> Opener<'a> {
    /// Opens containers within `limits`, and tells `sink` what could not be read.
    pub(crate) fn new(limits: Limits, sink: &'a dyn Sink) -> Self {
        Self { limits, sink: Some(sink), total: AtomicU64::new(0) }
    }

    /// The same without telling anybody: for content that is not itself in scope.
    pub(crate) fn silent(limits: Limits) -> Self {
        Self { limits, sink: None, total: AtomicU64::new(0) }
    }

    /// Whether `content` is a container, or would be counted as one that is not opened.
    pub(crate) fn concerns(&self, content: &[u8]) -> bool {
        is_container(content) || format::opaque(content).is_some()
    }

    /// Scans the members of `content`, and what is between them; true when something was found.
    /// None when it is no container.
    pub(crate) fn open(&self, feeder: &Feeder<'_>, content: &[u8], origin: &Origin) -> Option<bool> {
        let Some(format) = Format::of(content) else {
            if let Some(name) = format::opaque(content) {
                let mut notes = Coverage::default();
                notes.skip(SkipReason::Opaque(name));
                self.note(notes);
            }
            return None;
        };
        if self.limits.depth == 0 {
            let mut notes = Coverage::default();
            notes.skip(SkipReason::Opaque(format.name()));
            self.note(notes);
            return None;
        }
        Some(self.run(feeder, content.len() as u64, origin, |walk| walk.slice(format, content, origin, 1)))
    }

    /// The same for content too large to hold; `read` counts what was read of it.
    pub(crate) fn open_stream(
        &self,
        feeder: &Feeder<'_>,
        format: Format,
        content: &mut dyn Read,
        expected: Option<u64>,
        origin: &Origin,
        read: &Cell<u64>,
    ) -> bool {
        self.run(feeder, expected.unwrap_or(0), origin, |walk| {
            let reader = BufReader::with_capacity(1 << 16, content);
            let mut reader = Counted { reader, account: walk.account, read };
            if walk.stream(format, &mut reader, origin, 1) {
                // NOTE: an error here is behind everything that is of use.
                let _ = walk::drain(&mut reader);
            }
        })
    }

    /// The format of content that can be opened without holding all of it.
    pub(crate) fn streamed(&self, head: &[u8]) -> Option<Format> {
        Format::of(head).filter(|format| format.is_stream() && self.limits.depth > 0)
    }

    /// Tells of a container that begins with `head`, is too large to hold, and cannot be read in any
    /// other way.
    pub(crate) fn too_large(&self, head: &[u8], origin: &Origin) {
        let mut notes = Coverage::default();
        match Format::of(head).filter(|_| self.limits.depth > 0) {
            None => {
                if let Some(name) = format::opaque(head) {
                    notes.skip(SkipReason::Opaque(name));
                }
            }
            Some(format) => match format.in_the_open() {
                Some(name) => notes.skip(SkipReason::Opaque(name)),
                None => {
                    let why =
                        format!("is too large to be opened as a {}; its bytes were scanned", format.name());
                    notes.gap(GapKind::Budget, origin.to_string(), why);
                }
            },
        }
        self.note(notes);
    }

    fn run(&self, feeder: &Feeder<'_>, len: u64, origin: &Origin, open: impl FnOnce(&Walk<'_>)) -> bool {
        let cancelled = || self.sink.is_some_and(Sink::cancelled);
        let account = Account::new(self.limits, len, &self.total, &cancelled);
        let walk = Walk::new(feeder, &account);
        let outcome = catch_unwind(AssertUnwindSafe(|| open(&walk)));
        if outcome.is_err() {
            walk.gap(GapKind::Unreadable, origin, "a decoder failed on it; what came before was scanned");
        }
        if let Some(Stop::Budget(why)) = account.stopped() {
            let why = format!("{why}; what came before was scanned");
            walk.gap(GapKind::Budget, origin, &why);
        }
        let (notes, found) = walk.finish();
        self.note(notes);
        found
    }

    fn note(&self, notes: Coverage) {
        if let Some(sink) = self.sink {
            sink.note(notes);
        }
    }
}
