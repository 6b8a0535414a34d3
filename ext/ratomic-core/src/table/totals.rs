//! Counts over all shards. They have a cache line of their own, because each thread that adds an entry changes them.

use super::sizes::{count, LAST_LEVEL};
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

#[derive(Default)]
#[repr(align(128))]
pub struct Totals {
    /// Changed under the lock of the shard whose entries are counted, or under all locks when the table is cleared. So a
    /// thread that has read a new total, and then locks that shard, finds it changed.
    len: AtomicUsize,
    bytes: AtomicUsize,
    /// With more entries the table should grow.
    max_entries: AtomicUsize,
    /// Whether a thread should call [`super::Table::take_due`]: because `bytes` has changed, there are more entries than
    /// `max_entries`, or a shard has its bit in `needing`.
    due: AtomicBool,
    /// One bit for each shard of the last level: whether it needs [`super::Table::settle`].
    needing: [AtomicU64; count(LAST_LEVEL).div_ceil(64)],
}

impl Totals {
    pub fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    pub fn set_max_entries(&self, max_entries: usize) {
        self.max_entries.store(max_entries, Relaxed);
    }

    pub fn added(&self) {
        if self.len.fetch_add(1, Release) >= self.max_entries.load(Relaxed) {
            self.due();
        }
    }

    pub fn removed(&self, count: usize) {
        self.len.fetch_sub(count, Release);
    }

    /// Bytes that the shards have on the heap.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// The heap memory of a shard has changed from `before` to `after` bytes.
    pub fn resized(&self, before: usize, after: usize) {
        self.bytes.fetch_add(after.wrapping_sub(before), Relaxed);
        self.due();
    }

    /// Notes that a shard of the last level needs [`super::Table::settle`]: pairs have moved to other cards, or it has
    /// a new card, or much empty memory. (Below the last level this names a shard that may need nothing; settling it
    /// does no harm.)
    pub fn need(&self, shard: usize) {
        self.needing[shard / 64].fetch_or(1 << (shard % 64), Relaxed);
        self.due();
    }

    /// Whether the bit of a shard is set. Does not clear it.
    #[cfg(not(loom))]
    #[inline]
    pub fn is_needing(&self, shard: usize) -> bool {
        self.needing[shard / 64].load(Relaxed) >> (shard % 64) & 1 == 1
    }

    /// Returns the shards whose bits are set, and clears the bits, so that each is returned to one caller.
    #[cfg(not(loom))]
    pub fn take_needing(&self) -> Vec<usize> {
        let mut taken = Vec::new();
        for (word, bits) in self.needing.iter().enumerate() {
            if bits.load(Relaxed) != 0 {
                let bits = bits.swap(0, Relaxed);
                let is_set = |bit: &usize| bits >> bit & 1 == 1;
                taken.extend((0..64).filter(is_set).map(|bit| word * 64 + bit));
            }
        }
        taken
    }

    #[cfg(not(loom))]
    #[inline]
    pub fn is_due(&self) -> bool {
        self.due.load(Acquire)
    }

    /// An exchange and not a store, so that all threads that set it form one release sequence: the thread that takes it
    /// sees what each of them has written before.
    pub fn due(&self) {
        self.due.swap(true, Release);
    }

    /// The thread that gets true also sees the bits of the shards that were set before.
    #[inline]
    pub fn take_due(&self) -> bool {
        self.due.load(Relaxed) && self.due.swap(false, Acquire)
    }
}
