//! Waiting awake for a moment.
//!
//! To fall asleep and to be woken takes two threads some microseconds each, more than a small piece of work. So a thread
//! that expects its notification very soon looks out for it first, and sleeps when it does not come. This is bounded: by
//! [`LONGEST`], to one thread of the process at a time (others may need the processor), and by experience: while it does
//! not pay, it is only tried now and then. Others that are ready to run get the processor meanwhile.
//!
//! All that is kept is hints, so `Relaxed` will do: what was waited for is read again under its lock.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// About what it takes to put a thread to sleep and to wake it.
const LONGEST: Duration = Duration::from_micros(20);
/// Looks between two looks at the clock.
const LOOKS: u32 = 32;
/// It pays while this is not 0: one more for each time that it did, one less for each time that it did not.
const MOST: u32 = 16;
/// When it does not pay, it is tried once in so many times (a power of two).
const RARELY: u32 = 64;

pub struct Spin {
    score: AtomicU32,
    times: AtomicU32,
    taken: AtomicBool,
}

/// The one of the process.
pub static SPIN: Spin = Spin::new();

impl Spin {
    const fn new() -> Self {
        Spin {
            score: AtomicU32::new(MOST),
            times: AtomicU32::new(0),
            taken: AtomicBool::new(false),
        }
    }

    /// Looks until `done`, for a moment.
    pub fn until(&self, done: impl Fn() -> bool) {
        if !self.is_worthwhile() || self.taken.swap(true, Relaxed) {
            return;
        }
        self.learn(look(done));
        self.taken.store(false, Relaxed);
    }

    /// In a forked child nobody spins.
    pub fn reset(&self) {
        self.taken.store(false, Relaxed);
    }

    fn is_worthwhile(&self) -> bool {
        self.score.load(Relaxed) > 0 || self.times.fetch_add(1, Relaxed) % RARELY == 0
    }

    fn learn(&self, paid: bool) {
        let score = self.score.load(Relaxed);
        let score = if paid {
            (score + 1).min(MOST)
        } else {
            score.saturating_sub(1)
        };
        self.score.store(score, Relaxed);
    }
}

fn look(done: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    loop {
        for _ in 0..LOOKS {
            if done() {
                return true;
            }
            std::hint::spin_loop();
        }
        if started.elapsed() > LONGEST {
            return false;
        }
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How often it looks for what is there at that look.
    fn looks(spin: &Spin, at: u32) -> u32 {
        let looks = Cell::new(0);
        spin.until(|| {
            looks.set(looks.get() + 1);
            looks.get() == at
        });
        looks.get()
    }

    #[test]
    fn it_looks_until_it_is_done_or_the_moment_is_over() {
        let spin = Spin::new();
        assert_eq!((looks(&spin, 1), looks(&spin, LOOKS)), (1, LOOKS));
        let started = Instant::now();
        assert!(looks(&spin, 0) >= LOOKS);
        assert!(started.elapsed() > LONGEST);
    }

    #[test]
    fn what_does_not_pay_is_tried_now_and_then() {
        let spin = Spin::new();
        (0..MOST).for_each(|_| assert!(looks(&spin, 0) > 0));
        let tried = (0..RARELY * 2).filter(|_| looks(&spin, 0) > 0).count();
        assert_eq!(tried, 2);
        while looks(&spin, 1) == 0 {}
        assert_eq!(looks(&spin, 1), 1, "it pays again");
    }

    #[test]
    fn one_thread_looks_at_a_time() {
        let spin = Spin::new();
        spin.until(|| {
            assert_eq!(looks(&spin, 1), 0);
            true
        });
        spin.taken.store(true, Relaxed);
        spin.reset();
        assert_eq!(looks(&spin, 1), 1);
    }
}
