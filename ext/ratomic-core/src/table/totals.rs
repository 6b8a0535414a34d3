//! What is counted over all shards, on a line of memory of its own: whoever adds an entry changes it.

use super::sizes::{count, LAST};
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

#[derive(Default)]
#[repr(align(128))]
pub struct Totals {
    len: AtomicUsize,
    bytes: AtomicUsize,
    /// How many entries there may be before the table should grow.
    most: AtomicUsize,
    /// Whether `bytes` changed, the entries became more, or a shard needs something, so that somebody should look: see
    /// [`super::Table::take_due`].
    due: AtomicBool,
    /// The shards, of the last level, that somebody should look at, a bit each.
    needing: [AtomicU64; count(LAST).div_ceil(64)],
}

impl Totals {
    pub fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    pub fn set_most(&self, most: usize) {
        self.most.store(most, Relaxed);
    }

    pub fn added(&self) {
        if self.len.fetch_add(1, Relaxed) >= self.most.load(Relaxed) {
            self.due();
        }
    }

    pub fn removed(&self, count: usize) {
        self.len.fetch_sub(count, Relaxed);
    }

    /// Bytes that the shards have on the heap.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// A shard has `after` bytes on the heap where it had `before`.
    pub fn resized(&self, before: usize, after: usize) {
        self.bytes.fetch_add(after.wrapping_sub(before), Relaxed);
        self.due();
    }

    /// Pairs of a shard, by its number in the last level, have come to other cards, or it has a new card or much empty
    /// memory. (Below the last level a number of another shard does no harm: it is settled in vain.)
    pub fn need(&self, shard: usize) {
        self.needing[shard / 64].fetch_or(1 << (shard % 64), Relaxed);
        self.due();
    }

    /// Whether a shard needs something. The next who asks is told so too.
    #[cfg(not(loom))]
    #[inline]
    pub fn is_needing(&self, shard: usize) -> bool {
        self.needing[shard / 64].load(Relaxed) >> (shard % 64) & 1 == 1
    }

    /// The shards that need something: each is told to one who asks.
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

    /// An exchange and not a store, so that who takes it sees also what those told before who set it before this one.
    pub fn due(&self) {
        self.due.swap(true, Release);
    }

    /// Who is told so sees also which shards need something.
    #[inline]
    pub fn take_due(&self) -> bool {
        self.due.load(Relaxed) && self.due.swap(false, Acquire)
    }
}
