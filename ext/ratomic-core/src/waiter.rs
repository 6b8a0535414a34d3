//! One sleeping thread, and the host that puts it to sleep.
//!
//! A waiter is woken by a notification ("look again": it hands nothing over), by an interrupt of the host, or by its
//! deadline. Because a notification carries no item, a thread that is killed at the very moment it is notified has
//! nothing to give back but the notification itself, which it passes on to the next waiter (see [`crate::queue`]).

use crate::sync::{lock, Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Until when to wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deadline {
    Never,
    At(Instant),
}

impl Deadline {
    /// A deadline from now. A span too long for the clock is for ever.
    pub fn after(span: Duration) -> Self {
        Instant::now()
            .checked_add(span)
            .map_or(Deadline::Never, Deadline::At)
    }

    pub fn passed(self) -> bool {
        self.remaining().is_some_and(|span| span.is_zero())
    }

    /// The time left; `None` means for ever.
    pub fn remaining(self) -> Option<Duration> {
        match self {
            Deadline::Never => None,
            Deadline::At(at) => Some(at.saturating_duration_since(Instant::now())),
        }
    }
}

/// What a thread of the host has to do to wait. Called with no lock of this crate held.
pub trait Host {
    type Error;

    /// Calls `waiter.sleep(deadline)` with the VM lock given up, and has `waiter.interrupt()` called when the VM wants
    /// this thread back.
    fn sleep(&self, waiter: &Waiter, deadline: Deadline) -> Result<(), Self::Error>;

    /// Runs what the VM has pending for a thread that blocks: a kill, an exception from another thread, a signal. Called
    /// before and after a sleep.
    fn check(&self) -> Result<(), Self::Error>;

    /// Whether the thread of that name has not ended yet.
    fn is_alive(&self, thread: usize) -> Result<bool, Self::Error>;
}

#[derive(Default, Clone, Copy)]
struct Flags {
    notified: bool,
    interrupted: bool,
}

/// How long a restless waiter sleeps at first. Each nap is twice as long as the one before.
const NAP: Duration = Duration::from_micros(100);
const NAPS: u32 = 5;

#[derive(Default)]
pub struct Waiter {
    flags: Mutex<Flags>,
    changed: Condvar,
    naps: u32,
}

impl Waiter {
    pub fn new() -> Arc<Waiter> {
        Arc::default()
    }

    /// For a thread that waits for what others have just been woken to do. It sleeps in some naps first. Linux may put
    /// two threads that it wakes on one processor while the one that this thread leaves has nothing to do, and notices
    /// at its next tick, 4 ms later; but a processor looks around for work whenever it is about to idle.
    pub fn restless() -> Arc<Waiter> {
        Arc::new(Waiter {
            naps: NAPS,
            ..Waiter::default()
        })
    }

    pub fn notify(&self) {
        lock(&self.flags).notified = true;
        self.changed.notify_one();
    }

    /// Ends the sleep on behalf of the host. May come from any thread, at any time while the waiter is alive.
    pub fn interrupt(&self) {
        lock(&self.flags).interrupted = true;
        self.changed.notify_one();
    }

    pub fn is_notified(&self) -> bool {
        lock(&self.flags).notified
    }

    pub fn is_interrupted(&self) -> bool {
        lock(&self.flags).interrupted
    }

    /// Forgets an interrupt, for another sleep. What it was for must be checked after this, not before.
    pub fn rearm(&self) {
        lock(&self.flags).interrupted = false;
    }

    /// Sleeps until notified, interrupted, or the deadline has passed.
    pub fn sleep(&self, deadline: Deadline) {
        let mut naps = (0..self.naps).map(|nap| NAP * (1 << nap));
        let mut flags = lock(&self.flags);
        while !flags.notified && !flags.interrupted {
            let remaining = deadline.remaining();
            let span = naps.next().map_or(remaining, |nap| {
                Some(remaining.map_or(nap, |remaining| remaining.min(nap)))
            });
            flags = match span {
                None => self
                    .changed
                    .wait(flags)
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
                Some(span) if span.is_zero() => return,
                Some(span) => {
                    self.changed
                        .wait_timeout(flags, span)
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_notification_before_the_sleep_is_not_lost() {
        let waiter = Waiter::new();
        waiter.notify();
        waiter.sleep(Deadline::Never);
        assert!(waiter.is_notified());
    }

    #[test]
    fn a_deadline_ends_the_sleep() {
        let waiter = Waiter::new();
        waiter.sleep(Deadline::after(Duration::from_millis(5)));
        assert!(!waiter.is_notified() && !waiter.is_interrupted());
    }

    #[test]
    fn a_restless_waiter_sleeps_on_after_its_naps() {
        let naps = NAP * ((1 << NAPS) - 1);
        for span in [NAP / 2, NAP * 2, naps * 2] {
            let began = Instant::now();
            Waiter::restless().sleep(Deadline::after(span));
            assert!(began.elapsed() >= span);
        }
        let waiter = Waiter::restless();
        let notifier = {
            let waiter = Arc::clone(&waiter);
            std::thread::spawn(move || {
                std::thread::sleep(naps * 2);
                waiter.notify();
            })
        };
        waiter.sleep(Deadline::Never);
        assert!(waiter.is_notified());
        notifier.join().unwrap();
    }

    #[test]
    fn a_span_beyond_the_clock_is_for_ever() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::Never);
        assert!(!Deadline::Never.passed());
    }
}
