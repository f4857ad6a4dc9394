//! Log lines on standard error, in keycull's own words only.
//!
//! Other crates log through the same facade, some of them request headers and paths that were
//! not made safe to print, so only records of this crate pass.

use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::failure::printable;

struct Logger;

static LOGGER: Logger = Logger;

/// How much the user wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verbosity {
    /// `--quiet`: errors only.
    pub quiet: bool,
    /// How many `-v`.
    pub verbose: u8,
}

impl Verbosity {
    fn filter(self) -> LevelFilter {
        match (self.quiet, self.verbose) {
            (true, _) => LevelFilter::Error,
            (false, 0) => LevelFilter::Warn,
            (false, 1) => LevelFilter::Info,
            (false, _) => LevelFilter::Debug,
        }
    }
}

/// Starts logging. A second call only changes the level.
pub(super) fn start(verbosity: Verbosity) {
    // NOTE: fails only when a logger is set already, which is this one.
    let _ = log::set_logger(&LOGGER);
    log::set_max_level(verbosity.filter());
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("keycull")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = line(record.level(), &record.args().to_string());
            super::progress::above(|| {
                let _ = std::io::stderr().lock().write_all(line.as_bytes());
            });
        }
    }

    fn flush(&self) {}
}

fn line(level: Level, message: &str) -> String {
    let word = match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug | Level::Trace => "debug",
    };
    format!("{word}: {}\n", printable(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_the_flags() {
        let filter = |quiet, verbose| Verbosity { quiet, verbose }.filter();
        assert_eq!(filter(false, 0), LevelFilter::Warn);
        assert_eq!(filter(false, 1), LevelFilter::Info);
        assert_eq!(filter(false, 9), LevelFilter::Debug);
        assert_eq!(filter(true, 2), LevelFilter::Error);
    }

    #[test]
    fn other_crates_are_not_heard_and_lines_are_safe() {
        assert!(!LOGGER.enabled(&Metadata::builder().target("ureq::agent").level(Level::Error).build()));
        assert!(LOGGER.enabled(&Metadata::builder().target("keycull::source").level(Level::Debug).build()));
        assert_eq!(line(Level::Warn, "odd \u{7}name"), "warning: odd \\x07name\n");
    }
}
