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

#[derive(Default)]
pub struct Waiter {
    flags: Mutex<Flags>,
    changed: Condvar,
}

impl Waiter {
    pub fn new() -> Arc<Waiter> {
        Arc::new(Waiter {
            flags: Mutex::new(Flags::default()),
            changed: Condvar::new(),
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

    /// Wakes the thread, which finds nothing and sleeps on.
    pub fn nudge(&self) {
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
        let mut flags = lock(&self.flags);
        while !flags.notified && !flags.interrupted {
            flags = match deadline.remaining() {
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
    fn a_nudge_does_not_end_the_sleep() {
        let waiter = Waiter::new();
        let nudger = {
            let waiter = Arc::clone(&waiter);
            std::thread::spawn(move || {
                for _ in 0..100 {
                    std::thread::sleep(Duration::from_micros(100));
                    waiter.nudge();
                }
                waiter.notify();
            })
        };
        waiter.sleep(Deadline::Never);
        assert!(waiter.is_notified());
        nudger.join().unwrap();
    }

    #[test]
    fn a_span_beyond_the_clock_is_for_ever() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::Never);
        assert!(!Deadline::Never.passed());
    }
}
