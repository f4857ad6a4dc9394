//! One large object at a time: what bounds memory where several threads build objects.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an object and its base may take in memory, in bytes, without waiting for its turn.
pub(in crate::source::git) const HEAVY: u64 = 32 << 20;

/// Held by the thread that builds a large object or keeps one as a base.
pub(in crate::source::git) type Turn = MutexGuard<'static, ()>;

/// Waits until no other thread of the process has a large object.
///
/// Nobody waits for anything else meanwhile, so the turn always comes. A thread that has it must not
/// ask again.
pub(in crate::source::git) fn turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
