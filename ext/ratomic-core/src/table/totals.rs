//! What is counted over all shards, on a line of memory of its own: whoever adds an entry changes it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

#[derive(Default)]
#[repr(align(128))]
pub struct Totals {
    len: AtomicUsize,
    bytes: AtomicUsize,
    /// How many entries there may be before the table should grow.
    most: AtomicUsize,
    /// Whether `bytes` changed, or the entries became more, so that somebody should look: see [`super::Table::take_due`].
    due: AtomicBool,
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

    pub fn due(&self) {
        self.due.store(true, Relaxed);
    }

    #[inline]
    pub fn take_due(&self) -> bool {
        self.due.load(Relaxed) && self.due.swap(false, Relaxed)
    }
}
