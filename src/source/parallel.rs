//! Work on a list by several threads, each with a state of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Number of threads that `jobs` asks for; 0 means as many as the machine runs at once.
pub(crate) fn threads(jobs: usize) -> usize {
    match jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    }
}

/// Calls `work` with each number below `len`, in no certain order, until it returns false, and
/// gives back the states of the threads.
///
/// Threads take `batch` numbers at a time, and no more threads run than there are batches; a
/// list of one batch is worked off by the calling thread.
pub(crate) fn each<S: Send>(
    jobs: usize,
    len: usize,
    batch: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> bool + Sync,
) -> Vec<S> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut own = state();
        loop {
            let start = next.fetch_add(batch, Ordering::Relaxed);
            if start >= len || !(start..len.min(start + batch)).all(|number| work(&mut own, number)) {
                return own;
            }
        }
    };
    let helpers = threads(jobs).min(len.div_ceil(batch.max(1))).saturating_sub(1);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..helpers).map(|_| scope.spawn(run)).collect();
        let mut states = vec![run()];
        for thread in running {
            match thread.join() {
                Ok(own) => states.push(own),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        states
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_worked_on_once() {
        for jobs in [1, 3] {
            let states = each(jobs, 1_000, 7, Vec::new, |seen, number| {
                seen.push(number);
                true
            });
            let mut all = states.concat();
            all.sort_unstable();
            assert_eq!(all, (0..1_000).collect::<Vec<_>>());
        }
    }
}
