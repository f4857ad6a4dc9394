//! How workers share the work: a list of jobs taken in turn, then branches that busy workers give to
//! idle ones.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The jobs and branches that workers share.
pub(crate) struct Crew<'a, J, B> {
    jobs: &'a [J],
    taken: AtomicUsize,
    workers: usize,
    hungry: AtomicUsize,
    stopped: AtomicBool,
    branches: Mutex<Vec<B>>,
    bell: Condvar,
}

/// Something to do.
pub(crate) enum Work<'a, J, B> {
    Job(&'a J),
    Branch(B),
}

impl<'a, J, B> Crew<'a, J, B> {
    /// Shares `jobs` among that many workers, each of which must call [`next`](Self::next) until it
    /// returns `None`.
    pub(crate) fn new(jobs: &'a [J], workers: usize) -> Self {
        Self {
            jobs,
            taken: AtomicUsize::new(0),
            workers,
            hungry: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            branches: Mutex::new(Vec::new()),
            bell: Condvar::new(),
        }
    }

    /// The next thing to do; waits for a branch when the jobs are all taken. `None` when nothing is
    /// left and nobody works any more. The time waited is added to `idle`.
    pub(crate) fn next(&self, idle: &mut Duration) -> Option<Work<'a, J, B>> {
        if self.is_stopped() {
            return None;
        }
        if self.taken.load(Ordering::Relaxed) < self.jobs.len()
            && let Some(job) = self.jobs.get(self.taken.fetch_add(1, Ordering::Relaxed))
        {
            return Some(Work::Job(job));
        }
        let since = Instant::now();
        let mut branches = self.lock();
        self.hungry.fetch_add(1, Ordering::Relaxed);
        let found = loop {
            if let Some(branch) = branches.pop() {
                self.hungry.fetch_sub(1, Ordering::Relaxed);
                break Some(Work::Branch(branch));
            }
            if self.hungry.load(Ordering::Relaxed) == self.workers || self.is_stopped() {
                // Hungry for good: the others find the same when they wake.
                self.bell.notify_all();
                break None;
            }
            branches = self.bell.wait(branches).unwrap_or_else(PoisonError::into_inner);
        };
        *idle += since.elapsed();
        found
    }

    /// Whether a worker waits for a branch.
    pub(crate) fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) > 0
    }

    /// Gives a branch to whoever waits.
    pub(crate) fn give(&self, branch: B) {
        self.lock().push(branch);
        self.bell.notify_one();
    }

    /// Ends the work early: all workers get `None`.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        // The lock makes sure that nobody is between looking and waiting.
        drop(self.lock());
        self.bell.notify_all();
    }

    /// Whether the work was ended early.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends the work when the calling worker panics, so that the others do not wait for it.
    pub(crate) fn stop_on_panic(&self) -> impl Drop + '_ {
        StopOnPanic(self)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<B>> {
        self.branches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct StopOnPanic<'c, 'a, J, B>(&'c Crew<'a, J, B>);

impl<J, B> Drop for StopOnPanic<'_, '_, J, B> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_and_branch_is_done_once() {
        let jobs: Vec<u32> = (0..100).collect();
        let crew = Crew::new(&jobs, 4);
        let sum = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut idle = Duration::ZERO;
                    while let Some(work) = crew.next(&mut idle) {
                        let value = match work {
                            Work::Job(&job) => {
                                crew.give(1000);
                                job
                            }
                            Work::Branch(branch) => branch,
                        };
                        sum.fetch_add(value as usize, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), 4950 + 100_000);
    }

    #[test]
    fn a_panic_ends_the_others() {
        let crew = Crew::<u32, u32>::new(&[7], 3);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        let _guard = crew.stop_on_panic();
                        let mut idle = Duration::ZERO;
                        assert!(crew.next(&mut idle).is_none(), "on purpose");
                    });
                }
            });
        }));
        assert!(result.is_err());
    }
}
