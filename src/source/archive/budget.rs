//! What opening containers may cost, and the account of one container.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Budgets for looking into containers and rebuilding git's objects. What is over budget is a gap of the
/// coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that one file or object may unpack to, all that is nested in it included. So large may be what is
    /// not held ([`Limits::object`]), too.
    pub bytes: u64,
    /// … and at most this many times its own size, once that is over [`Limits::FREE`].
    pub ratio: u64,
    /// Containers inside one another.
    pub depth: u32,
    /// Members of one file or object, nested ones included.
    pub entries: u64,
    /// Time for one file or object.
    pub time: Duration,
    /// Bytes that all containers of a scope may unpack to.
    pub total: u64,
    /// Bytes of the largest object of git's that is held in memory. Larger files that git stores whole are
    /// read in pieces, other objects are over budget.
    pub object: u64,
}

impl Limits {
    /// Bytes that anything may unpack to, however small it is.
    pub const FREE: u64 = 64 << 20;

    /// Whether a file of git's that is not held may have so many bytes; if not, why.
    pub(crate) fn allow(&self, unpacked: u64) -> Result<(), String> {
        if unpacked <= self.bytes {
            return Ok(());
        }
        Err(format!("it unpacks to more than {} (--archive-bytes)", size(self.bytes)))
    }
}

impl Default for Limits {
    /// 1 GiB and 100 times its size for one file, 8 deep, 100,000 members, 60 s, 64 GiB in all; objects
    /// of 104 MiB, with their bases less than 300 MB.
    fn default() -> Self {
        Self {
            bytes: 1 << 30,
            ratio: 100,
            depth: 8,
            entries: 100_000,
            time: Duration::from_secs(60),
            total: 64 << 30,
            object: 104 << 20,
        }
    }
}

/// Why a container is not read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A budget is used up; in words.
    Budget(String),
    /// The scan ends.
    Cancelled,
}

/// The account of one container and all that is nested in it.
pub(super) struct Account<'a> {
    limits: Limits,
    /// Size of the container itself, or what was read of it so far.
    input: Cell<u64>,
    spent: Cell<u64>,
    entries: Cell<u64>,
    checked: Cell<u64>,
    until: Instant,
    total: &'a AtomicU64,
    cancelled: &'a dyn Fn() -> bool,
    stopped: RefCell<Option<Stop>>,
}

/// Bytes between two looks at the clock.
const CHECK_EACH: u64 = 1 << 20;

impl<'a> Account<'a> {
    pub(super) fn new(
        limits: Limits,
        input: u64,
        total: &'a AtomicU64,
        cancelled: &'a dyn Fn() -> bool,
    ) -> Self {
        Self {
            limits,
            input: Cell::new(input),
            spent: Cell::new(0),
            entries: Cell::new(0),
            checked: Cell::new(0),
            until: Instant::now() + limits.time,
            total,
            cancelled,
            stopped: RefCell::new(None),
        }
    }

    /// Why reading stopped, if it did. Errors on the way up say nothing of it: decoders wrap them.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.stopped.borrow().clone()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.borrow().is_some()
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries.get()
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent.get()
    }

    pub(super) fn depth(&self) -> u32 {
        self.limits.depth
    }

    /// Stops reading.
    pub(super) fn stop(&self, why: Stop) -> io::Error {
        self.stopped.borrow_mut().get_or_insert(why);
        io::Error::other("stopped")
    }

    /// One member more.
    pub(super) fn enter(&self) -> io::Result<()> {
        let entries = self.entries.get() + 1;
        if entries > self.limits.entries {
            return Err(self.stop(Stop::Budget(self.too_many())));
        }
        self.entries.set(entries);
        self.check()
    }

    /// `count` unpacked bytes more.
    pub(super) fn spend(&self, count: u64) -> io::Result<()> {
        let spent = self.spent.get() + count;
        self.spent.set(spent);
        let total = self.total.fetch_add(count, Ordering::Relaxed) + count;
        if let Err(why) = self.allowed(spent, total) {
            return Err(self.stop(Stop::Budget(why)));
        }
        if spent - self.checked.get() >= CHECK_EACH {
            self.checked.set(spent);
            return self.check();
        }
        Ok(())
    }

    /// Whether a container may unpack to so many bytes, and all of a scope to so many; if not, why.
    fn allowed(&self, bytes: u64, total: u64) -> Result<(), String> {
        let fair =
            self.input.get().saturating_mul(self.limits.ratio).max(Limits::FREE.min(self.limits.bytes));
        Err(if bytes > self.limits.bytes {
            format!("it unpacks to more than {} (--archive-bytes)", size(self.limits.bytes))
        } else if bytes > fair {
            format!("it unpacks to more than {} times its size (--archive-ratio)", self.limits.ratio)
        } else if total > self.limits.total {
            format!(
                "the containers of this scan unpack to more than {} (--archive-total)",
                size(self.limits.total)
            )
        } else {
            return Ok(());
        })
    }

    /// Whether so many bytes and members more are within the budgets, without taking them; if not, why.
    pub(super) fn affords(&self, bytes: u64, entries: u64) -> Result<(), String> {
        let total = self.total.load(Ordering::Relaxed).saturating_add(bytes);
        self.allowed(self.spent.get().saturating_add(bytes), total)?;
        if self.entries.get() + entries > self.limits.entries {
            return Err(self.too_many());
        }
        self.in_time()
    }

    fn too_many(&self) -> String {
        format!("it has more than {} members (--archive-entries)", self.limits.entries)
    }

    /// Looks at the clock and for Ctrl-C.
    fn check(&self) -> io::Result<()> {
        if (self.cancelled)() {
            return Err(self.stop(Stop::Cancelled));
        }
        self.in_time().map_err(|why| self.stop(Stop::Budget(why)))
    }

    fn in_time(&self) -> Result<(), String> {
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(format!("unpacking it takes more than {:?} (--archive-time)", self.limits.time))
    }
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..=0xf_ffff => format!("{bytes} bytes"),
        0x10_0000..=0x3fff_ffff => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// Counts what is unpacked.
pub(super) struct Metered<'a, R> {
    pub(super) reader: R,
    pub(super) account: &'a Account<'a>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.account.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        let read = self.reader.read(buffer)?;
        self.account.spend(read as u64)?;
        Ok(read)
    }
}

/// Counts what is read of a container whose size nobody knows beforehand.
pub(super) struct Counted<'a, R> {
    pub(super) reader: R,
    pub(super) account: &'a Account<'a>,
    /// Bytes read so far; the account may have been told a size.
    pub(super) read: &'a Cell<u64>,
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.count(count);
    }
}

impl<R> Counted<'_, R> {
    fn count(&self, read: usize) {
        let now = self.read.get() + read as u64;
        self.read.set(now);
        self.account.input.set(self.account.input.get().max(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(limits: Limits, input: u64, bytes: u64) -> Option<Stop> {
        let total = AtomicU64::new(0);
        let never = || false;
        let account = Account::new(limits, input, &total, &never);
        let mut meter = Metered { reader: io::repeat(0).take(bytes), account: &account };
        let _ = io::copy(&mut meter, &mut io::sink());
        account.stopped()
    }

    #[test]
    fn every_budget_stops_and_says_which_it_is() {
        let small = Limits { bytes: 1000, ..Limits::default() };
        assert_eq!(stopped(small, 1000, 1000), None);
        let said = |stop: Option<Stop>| match stop {
            Some(Stop::Budget(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(said(stopped(small, 1000, 1001)).contains("--archive-bytes"));
        let bomb = stopped(Limits::default(), 1000, Limits::FREE + 1);
        assert!(said(bomb).contains("--archive-ratio"));
        assert!(said(stopped(Limits { total: 10, ..small }, 1000, 11)).contains("--archive-total"));
        let slow = Limits { time: Duration::ZERO, ..Limits::default() };
        assert!(said(stopped(slow, 1 << 30, 2 << 20)).contains("--archive-time"));
    }
}
