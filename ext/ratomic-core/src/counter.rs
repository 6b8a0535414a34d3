//! A signed 64-bit counter. Each change is a compare-and-swap loop, because it checks for overflow first; the value
//! that is returned is the one that this call has stored. Changes are `AcqRel` and reads `Acquire`, because a program
//! may publish other data with a counter: a thread that reads the new value sees what was written before the change.

use std::sync::atomic::{AtomicI64, Ordering};

/// The change would leave the range of 64 bits. Nothing was changed.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct OutOfRange;

#[derive(Debug)]
pub struct Counter(AtomicI64);

impl Counter {
    pub fn new(initial: i64) -> Self {
        Counter(AtomicI64::new(initial))
    }

    pub fn read(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }

    /// Adds `n` and returns the new value.
    pub fn add(&self, n: i64) -> Result<i64, OutOfRange> {
        self.change(|value| value.checked_add(n))
    }

    /// Subtracts `n` and returns the new value. Not `add(-n)`: `-i64::MIN` does not exist.
    pub fn sub(&self, n: i64) -> Result<i64, OutOfRange> {
        self.change(|value| value.checked_sub(n))
    }

    /// Stores `value` and returns the one before.
    pub fn swap(&self, value: i64) -> i64 {
        self.0.swap(value, Ordering::AcqRel)
    }

    /// Stores `new` if the value is `expected`, and says whether it did.
    pub fn compare_and_set(&self, expected: i64, new: i64) -> bool {
        self.0
            .compare_exchange(expected, new, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn change(&self, next: impl Fn(i64) -> Option<i64>) -> Result<i64, OutOfRange> {
        let mut value = self.0.load(Ordering::Relaxed);
        loop {
            let new = next(value).ok_or(OutOfRange)?;
            match self
                .0
                .compare_exchange_weak(value, new, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Ok(new),
                Err(now) => value = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_refuse_and_change_nothing() {
        let counter = Counter::new(i64::MAX);
        assert_eq!(counter.add(1), Err(OutOfRange));
        assert_eq!(counter.read(), i64::MAX);
        counter.swap(i64::MIN);
        assert_eq!(counter.sub(1), Err(OutOfRange));
        assert_eq!(counter.add(i64::MIN), Err(OutOfRange));
        assert_eq!(counter.sub(i64::MIN), Ok(0));
    }

    #[test]
    fn threads_lose_no_increment() {
        let counter = Counter::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| assert!(counter.add(1).is_ok())));
            }
        });
        assert_eq!(counter.read(), 40_000);
    }
}
