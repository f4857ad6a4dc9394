//! How far the scan is, on a terminal's standard error only.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressState, ProgressStyle};

use crate::pipeline::Progress;

/// The line on show, so that log lines can be written above it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The line: a moving sign, then what was read.
const TEMPLATE: &str = "{spinner} {counts}";

/// Runs `write` with the progress line out of the way.
pub(super) fn above(write: impl FnOnce()) {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match &*shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A line that counts what was scanned.
pub(super) struct Line {
    bar: ProgressBar,
    counts: Arc<Counts>,
}

/// What the line shows. Scanning threads only count; the drawing thread reads.
#[derive(Default)]
struct Counts {
    stage: Mutex<&'static str>,
    chunks: AtomicU64,
    bytes: AtomicU64,
}

impl Line {
    /// Shows a line when standard error is a terminal and `wanted`; else shows nothing.
    pub(super) fn start(wanted: bool) -> Self {
        let bar = if wanted { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let counts = Arc::new(Counts::default());
        if !bar.is_hidden() {
            let shown = Arc::clone(&counts);
            let write = move |_: &ProgressState, out: &mut dyn fmt::Write| {
                // NOTE: the only possible error is that of the terminal's buffer, a string.
                let _ = shown.write(out);
            };
            // NOTE: the template is constant, and a test builds it.
            let style = ProgressStyle::with_template(TEMPLATE).expect("a valid template");
            bar.set_style(style.with_key("counts", write));
            bar.enable_steady_tick(Duration::from_millis(100));
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        }
        Self { bar, counts }
    }
}

impl Counts {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let stage = *self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let chunks = HumanCount(self.chunks.load(Ordering::Relaxed));
        let bytes = HumanBytes(self.bytes.load(Ordering::Relaxed));
        write!(out, "{stage}: {chunks} read, {bytes}")
    }
}

impl Progress for Line {
    fn stage(&self, name: &'static str) {
        log::info!("scanning: {name}");
        *self.counts.stage.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    fn scanned(&self, bytes: u64) {
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.counts.chunks.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_counts() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
        let line = Line::start(false);
        line.stage("history");
        (0..1200).for_each(|_| line.scanned(1 << 10));
        let mut text = String::new();
        line.counts.write(&mut text).unwrap();
        assert_eq!(text, "history: 1,200 read, 1.17 MiB");
    }
}
