//! Standard input as one piece of content.

use std::io::Read;

use super::archive::{Limits, Opener};
use super::content::Feeder;
use super::{Sink, SourceError, Windows};
use crate::finding::{Coverage, GapKind, Origin, RepoPath};

/// Scans everything `reader` delivers, under the name given for it.
///
/// # Errors
/// When the very first read fails. A failure later is a gap: what came before was scanned.
pub fn scan(
    reader: &mut dyn Read,
    name: Option<RepoPath>,
    windows: Windows,
    archives: Limits,
    sink: &dyn Sink,
) -> Result<Coverage, SourceError> {
    let mut counted = Counted { reader, read: 0, cancelled: &|| sink.cancelled() };
    let origin = Origin::Stdin { name };
    let emit = |chunk: crate::chunk::Chunk<'_>| sink.chunk(chunk);
    let opener = Opener::new(archives, sink);
    let feeder = Feeder::new(&emit, windows).opening(&opener);
    let outcome = feeder.reader(&mut counted, None, &origin, &mut Vec::new());
    let mut coverage =
        Coverage { scopes: vec!["standard input".to_owned()], bytes: counted.read, ..Coverage::default() };
    match outcome {
        Ok(_) => coverage.files = 1,
        Err(error) if counted.read == 0 => return Err(SourceError::Stdin(error)),
        Err(error) => coverage.gap(
            GapKind::Unreadable,
            "standard input",
            format!("reading failed after {} bytes: {error}; run the command again", counted.read),
        ),
    }
    if sink.cancelled() {
        coverage.gap(GapKind::Interrupted, "standard input", "stopped by a signal");
    }
    Ok(coverage)
}

/// Counts what was read, and ends the input when the scan is cancelled.
struct Counted<'a> {
    reader: &'a mut dyn Read,
    read: u64,
    cancelled: &'a dyn Fn() -> bool,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if (self.cancelled)() {
            return Ok(0);
        }
        let read = self.reader.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}
