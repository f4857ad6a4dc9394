//! Ctrl-C and SIGTERM: the first asks the scan to stop, the second ends the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Ends this process as `kill -9` does: no destructor, no flush. For drills.
pub(super) fn die() {
    // NOTE: cannot fail for the own process; if it did, ending otherwise is as good.
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
    std::process::abort();
}

/// Set by a signal; asked by the scan between objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    flag: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Starts listening. Also ends the process at once, with the same exit code, when a second
    /// signal arrives while the first is still being obeyed.
    ///
    /// # Errors
    /// The operating system refuses to install a handler.
    pub(super) fn listen() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in the order they were registered: the shutdown sees the flag of an
            // earlier signal only.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&interrupt.flag))?;
            flag::register(signal, Arc::clone(&interrupt.flag))?;
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&interrupt.signal), number)?;
        }
        Ok(interrupt)
    }

    /// The flag scans look at.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// Number of the signal that arrived, if one did.
    pub(super) fn signal(&self) -> Option<u8> {
        let signal = self.signal.load(Ordering::Relaxed);
        u8::try_from(signal).ok().filter(|&signal| signal > 0)
    }
}
