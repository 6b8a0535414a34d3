//! Parks one thread (as crossbeam's `Parker`), and the [`Park`] trait, with which the host of this crate (Ruby's VM, or
//! a test) does what it must around a park.
//!
//! A parked thread is woken by `unpark`, by an interrupt of the host, or by its deadline. `unpark` means "look again";
//! it hands over no item. So a thread that is killed while it is unparked owns no item. It only passes the notification
//! on to the next waiter (see [`crate::queue`]).

use crate::sync::{lock, Arc, AtomicBool, Condvar, Mutex, Ordering};
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

    /// The earlier of the two.
    pub fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Deadline::At(mine), Deadline::At(other)) => Deadline::At(mine.min(other)),
            (Deadline::Never, other) => other,
            (mine, Deadline::Never) => mine,
        }
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

/// How a thread of the host parks (as Tokio's `Park`). Called with no lock of this crate held.
pub trait Park {
    type Error;

    /// Calls `parker.park(deadline)` with the VM lock given up, and has `parker.interrupt()` called when the VM wants
    /// this thread back.
    fn park(&self, parker: &Arc<Parker>, deadline: Deadline) -> Result<(), Self::Error>;

    /// Runs what the VM has pending for a thread that blocks: a kill, an exception from another thread, a signal.
    /// Called before and after a sleep.
    fn check(&self) -> Result<(), Self::Error>;

    /// Whether that thread is still alive.
    fn is_alive(&self, thread: usize) -> Result<bool, Self::Error>;
}

#[derive(Default, Clone, Copy)]
struct Flags {
    notified: bool,
    interrupted: bool,
    asleep: bool,
}

impl Flags {
    fn are_raised(self) -> bool {
        self.notified || self.interrupted
    }
}

#[derive(Default)]
pub struct Parker {
    flags: Mutex<Flags>,
    changed: Condvar,
    /// Whether a flag is set: a hint for a thread that spins. The flags themselves are under the lock.
    raised: AtomicBool,
    eager: bool,
}

impl Parker {
    pub fn new() -> Arc<Parker> {
        Self::with(false)
    }

    /// A parker that spins before it sleeps, because it expects its notification very soon.
    pub fn eager() -> Arc<Parker> {
        Self::with(true)
    }

    fn with(eager: bool) -> Arc<Parker> {
        Arc::new(Parker {
            flags: Mutex::new(Flags::default()),
            changed: Condvar::new(),
            raised: AtomicBool::new(false),
            eager,
        })
    }

    pub fn is_eager(&self) -> bool {
        self.eager
    }

    pub fn unpark(&self) {
        self.raise(|flags| flags.notified = true);
    }

    /// Ends the park on behalf of the host. May be called by any thread, at any time while the parker is alive.
    pub fn interrupt(&self) {
        self.raise(|flags| flags.interrupted = true);
    }

    /// Signals the condition variable only if the thread sleeps: it is a system call even when none does.
    fn raise(&self, flag: impl FnOnce(&mut Flags)) {
        let asleep = {
            let mut flags = lock(&self.flags);
            flag(&mut flags);
            flags.asleep
        };
        self.raised.store(true, Ordering::Release);
        if asleep {
            self.changed.notify_one();
        }
    }

    /// Wakes the thread without a notification: it finds no flag set and sleeps again.
    pub fn nudge(&self) {
        self.changed.notify_one();
    }

    pub fn is_notified(&self) -> bool {
        lock(&self.flags).notified
    }

    /// Whether it was notified or interrupted.
    pub fn is_awake(&self) -> bool {
        lock(&self.flags).are_raised()
    }

    pub fn is_interrupted(&self) -> bool {
        lock(&self.flags).interrupted
    }

    /// Forgets an interrupt, before another park. What the interrupt was for must be checked after this, not before.
    pub fn reset_interrupt(&self) {
        lock(&self.flags).interrupted = false;
    }

    /// Parks until the thread is unparked or interrupted, or the deadline has passed. The caller checks which it was.
    pub fn park(&self, deadline: Deadline) {
        #[cfg(not(loom))]
        if self.eager {
            crate::adaptive_spin::SPIN.until(|| self.raised.load(Ordering::Acquire));
        }
        let mut flags = lock(&self.flags);
        while !flags.are_raised() {
            flags.asleep = true;
            flags = match deadline.remaining() {
                None => self
                    .changed
                    .wait(flags)
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
                Some(span) if span.is_zero() => break,
                Some(span) => {
                    self.changed
                        .wait_timeout(flags, span)
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .0
                }
            };
        }
        flags.asleep = false;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_notification_before_the_sleep_is_not_lost() {
        let parker = Parker::new();
        parker.unpark();
        parker.park(Deadline::Never);
        assert!(parker.is_notified());
    }

    #[test]
    fn a_deadline_ends_the_sleep() {
        let parker = Parker::new();
        parker.park(Deadline::after(Duration::from_millis(5)));
        assert!(!parker.is_notified() && !parker.is_interrupted());
    }

    #[test]
    fn an_eager_waiter_is_woken_whether_it_spins_or_sleeps() {
        for pause in [0, 5, 15, 40, 200, 2_000] {
            let parker = Parker::eager();
            std::thread::scope(|scope| {
                scope.spawn(|| parker.park(Deadline::Never));
                std::thread::sleep(Duration::from_micros(pause));
                parker.unpark();
            });
            assert!(parker.is_notified());
        }
    }

    #[test]
    fn an_interrupt_ends_a_sleep_and_is_forgotten_for_another_one() {
        let parker = Parker::eager();
        parker.interrupt();
        parker.park(Deadline::Never);
        parker.reset_interrupt();
        parker.park(Deadline::after(Duration::from_millis(5)));
        assert!(!parker.is_interrupted());
    }

    #[test]
    fn a_nudge_does_not_end_the_sleep() {
        let parker = Parker::new();
        let nudger = {
            let parker = Arc::clone(&parker);
            std::thread::spawn(move || {
                for _ in 0..100 {
                    std::thread::sleep(Duration::from_micros(100));
                    parker.nudge();
                }
                parker.unpark();
            })
        };
        parker.park(Deadline::Never);
        assert!(parker.is_notified());
        nudger.join().unwrap();
    }

    #[test]
    fn a_span_beyond_the_clock_is_for_ever() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::Never);
        assert!(!Deadline::Never.passed());
    }
}
