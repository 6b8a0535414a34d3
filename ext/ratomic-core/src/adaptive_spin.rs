//! Adaptive spinning: a thread that waits checks for its notification for a moment before it sleeps.
//!
//! A sleep costs the sleeping thread and the thread that wakes it some microseconds each, which is more than a small
//! item takes. So a thread that expects its notification very soon spins first, and sleeps if it does not come.
//! Spinning is limited in three ways. It lasts at most [`MAX_SPIN`]. One thread of the process spins at a time, because
//! others may need the processor. And a score counts whether it has paid; when it does not, only one wait in
//! [`RETRY_INTERVAL`] spins. A spinning thread yields to threads that are ready to run.
//!
//! All state here is a hint, so `Relaxed` is enough: the caller checks again what it waits for, under its lock.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// About the time to put a thread to sleep and to wake it.
const MAX_SPIN: Duration = Duration::from_micros(20);
/// Checks of the condition between two readings of the clock.
const CHECKS_PER_CLOCK_READING: u32 = 32;
/// Upper limit of the score: plus one for each time that spinning paid, minus one for each time that it did not. At 0
/// it is tried only once in [`RETRY_INTERVAL`] times.
const MAX_SCORE: u32 = 16;
/// See [`MAX_SCORE`]; a power of two.
const RETRY_INTERVAL: u32 = 64;

pub struct AdaptiveSpin {
    score: AtomicU32,
    times: AtomicU32,
    taken: AtomicBool,
}

/// The one of the process.
pub static SPIN: AdaptiveSpin = AdaptiveSpin::new();

impl AdaptiveSpin {
    const fn new() -> Self {
        AdaptiveSpin {
            score: AtomicU32::new(MAX_SCORE),
            times: AtomicU32::new(0),
            taken: AtomicBool::new(false),
        }
    }

    /// Checks `done` until it is true, or [`MAX_SPIN`] has passed.
    pub fn until(&self, done: impl Fn() -> bool) {
        if !self.is_worthwhile() || self.taken.swap(true, Relaxed) {
            return;
        }
        self.learn(spin(done));
        self.taken.store(false, Relaxed);
    }

    /// In a forked child no thread spins.
    pub fn reset(&self) {
        self.taken.store(false, Relaxed);
    }

    fn is_worthwhile(&self) -> bool {
        self.score.load(Relaxed) > 0 || self.times.fetch_add(1, Relaxed) % RETRY_INTERVAL == 0
    }

    fn learn(&self, paid: bool) {
        let score = self.score.load(Relaxed);
        let score = if paid {
            (score + 1).min(MAX_SCORE)
        } else {
            score.saturating_sub(1)
        };
        self.score.store(score, Relaxed);
    }
}

fn spin(done: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    loop {
        for _ in 0..CHECKS_PER_CLOCK_READING {
            if done() {
                return true;
            }
            std::hint::spin_loop();
        }
        if started.elapsed() > MAX_SPIN {
            return false;
        }
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How often it checks, if the condition is true at the check with that number.
    fn looks(spin: &AdaptiveSpin, at: u32) -> u32 {
        let looks = Cell::new(0);
        spin.until(|| {
            looks.set(looks.get() + 1);
            looks.get() == at
        });
        looks.get()
    }

    #[test]
    fn it_looks_until_it_is_done_or_the_moment_is_over() {
        let spin = AdaptiveSpin::new();
        assert_eq!(
            (looks(&spin, 1), looks(&spin, CHECKS_PER_CLOCK_READING)),
            (1, CHECKS_PER_CLOCK_READING)
        );
        let started = Instant::now();
        assert!(looks(&spin, 0) >= CHECKS_PER_CLOCK_READING);
        assert!(started.elapsed() > MAX_SPIN);
    }

    #[test]
    fn what_does_not_pay_is_tried_now_and_then() {
        let spin = AdaptiveSpin::new();
        (0..MAX_SCORE).for_each(|_| assert!(looks(&spin, 0) > 0));
        let tried = (0..RETRY_INTERVAL * 2)
            .filter(|_| looks(&spin, 0) > 0)
            .count();
        assert_eq!(tried, 2);
        while looks(&spin, 1) == 0 {}
        assert_eq!(looks(&spin, 1), 1, "it pays again");
    }

    #[test]
    fn one_thread_looks_at_a_time() {
        let spin = AdaptiveSpin::new();
        spin.until(|| {
            assert_eq!(looks(&spin, 1), 0);
            true
        });
        spin.taken.store(true, Relaxed);
        spin.reset();
        assert_eq!(looks(&spin, 1), 1);
    }
}
