//! Counts the dispatches that callers ran themselves, and has the latency histogram of all dispatches.
//!
//! Each word is exact by itself; two of them are not changed in one step. All accesses are `Relaxed`, because no other
//! data is read depending on a count.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::OnceLock;
use std::time::Instant;

/// Buckets of the histogram. Each bound is 4 times the one before; the last bucket has none.
pub const BUCKETS: usize = 13;
/// The base-2 logarithm of the first bound, which is 16 microseconds.
const FIRST_BOUND_LOG2_US: u32 = 4;

/// Aligned to a cache line, so that the counts of a short dispatch are in one line. A caller that runs few dispatches
/// has to fetch each line from memory.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Tally {
    by_caller: AtomicU64,
    items: AtomicU64,
    microseconds: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

impl Tally {
    /// A dispatch is done.
    pub fn record(&self, nanoseconds: u64) {
        let microseconds = nanoseconds / 1000;
        self.microseconds.fetch_add(microseconds, Relaxed);
        self.buckets[bucket(microseconds)].fetch_add(1, Relaxed);
    }

    /// A dispatch of that many items is done, which its caller has run.
    pub fn record_by_caller(&self, nanoseconds: u64, items: u64) {
        self.by_caller.fetch_add(1, Relaxed);
        self.items.fetch_add(items, Relaxed);
        self.record(nanoseconds);
    }

    pub fn by_caller(&self) -> u64 {
        self.by_caller.load(Relaxed)
    }

    pub fn items_by_caller(&self) -> u64 {
        self.items.load(Relaxed)
    }

    pub fn microseconds(&self) -> u64 {
        self.microseconds.load(Relaxed)
    }

    pub fn buckets(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|place| self.buckets[place].load(Relaxed))
    }
}

/// Half the number of binary digits beyond those of the first bound.
fn bucket(microseconds: u64) -> usize {
    let beyond =
        u64::BITS - (microseconds.saturating_sub(1) >> FIRST_BOUND_LOG2_US).leading_zeros();
    (beyond.div_ceil(2) as usize).min(BUCKETS - 1)
}

/// Monotonic nanoseconds since the first call in this process.
pub fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_took_no_longer_than_its_bound() {
        assert_eq!([0, 1, 16].map(bucket), [0; 3]);
        assert_eq!([17, 64].map(bucket), [1; 2]);
        assert_eq!([65, 256].map(bucket), [2; 2]);
        let last = 16 * 4u64.pow(11);
        assert_eq!([last, last + 1, u64::MAX].map(bucket), [11, 12, 12]);
    }

    #[test]
    fn everything_is_counted_once() {
        let tally = Tally::default();
        tally.record(20_000);
        tally.record_by_caller(1_999, 3);
        assert_eq!((tally.by_caller(), tally.items_by_caller()), (1, 3));
        assert_eq!(
            (tally.microseconds(), tally.buckets()[..2].to_vec()),
            (21, vec![1, 1])
        );
    }
}
