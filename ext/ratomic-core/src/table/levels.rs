//! Where the shards of a table are. A table begins with a few and gets more, in two steps, when it has more entries than
//! these, or when threads meet at their locks. The last level has many more than there are processors: what two threads
//! on different keys must not want at once is a line of memory, and waiting for another processor's line takes longer
//! than an operation.
//!
//! The level changes only while all locks of the shards that there were are held for writing ([`Table::grow`]). So who
//! has a shard's lock and then finds the level as it was before has the right shard, until the lock is given up.
//!
//! [`Table::grow`]: super::Table::grow

use super::shard::Shard;
use super::totals::Totals;
use crate::guarded::{Guarded, Reading, Writing};
use crate::sync::{AtomicUsize, Ordering};
use std::sync::OnceLock;

/// A cache line to itself for each shard.
#[derive(Default)]
#[repr(align(64))]
pub struct Padded<T>(pub T);

#[cfg(not(loom))]
const _: () = assert!(size_of::<Padded<Guarded<Shard<usize, usize>>>>() == 64);

pub type Shards<K, V> = Box<[Padded<Guarded<Shard<K, V>>>]>;

/// Bits of a hash that name a shard, by level.
const BITS: [u32; 3] = if cfg!(loom) { [1, 2, 3] } else { [2, 6, 10] };
/// How many entries a level is for.
const MOST: [usize; 3] = if cfg!(loom) {
    [2, 4, usize::MAX]
} else {
    [4, 32, usize::MAX]
};
pub const LAST: usize = BITS.len() - 1;
/// How often threads meet at a lock before there are more of them.
const CROWDED: usize = 16;

pub struct Levels<K, V> {
    current: AtomicUsize,
    /// How often a lock of this level was found taken.
    met: AtomicUsize,
    levels: [OnceLock<Shards<K, V>>; BITS.len()],
}

/// The number of the shard that a key of this hash is in: by bits that hashbrown uses neither for the place in a table
/// (the lowest) nor for its tag (the top seven).
pub fn shard_of(hash: u64, level: usize) -> usize {
    ((hash << 7) >> (64 - BITS[level])) as usize
}

/// How many shards a level has.
pub const fn count(level: usize) -> usize {
    1 << BITS[level]
}

pub fn make<K, V>(level: usize) -> Shards<K, V> {
    (0..count(level)).map(|_| Padded::default()).collect()
}

impl<K, V> Levels<K, V> {
    pub fn new(totals: &Totals) -> Self {
        totals.set_most(MOST[0]);
        let levels = [const { OnceLock::new() }; BITS.len()];
        let _ = levels[0].set(make(0));
        Levels {
            current: AtomicUsize::new(0),
            met: AtomicUsize::new(0),
            levels,
        }
    }

    pub fn current(&self) -> usize {
        self.current.load(Ordering::Acquire)
    }

    /// The shards of a level, once it was reached.
    pub fn shards(&self, level: usize) -> &[Padded<Guarded<Shard<K, V>>>] {
        self.levels[level].get().map_or(&[], |shards| shards)
    }

    /// The shard that a key of this hash is in.
    #[inline]
    pub fn read(&self, hash: u64) -> Reading<'_, Shard<K, V>> {
        loop {
            let level = self.current();
            let shard = self.shards(level)[shard_of(hash, level)].0.read();
            if self.current() == level {
                return shard;
            }
        }
    }

    /// The same to be changed, with the number that it has.
    #[inline]
    pub fn write(&self, hash: u64, totals: &Totals) -> (Writing<'_, Shard<K, V>>, usize) {
        loop {
            let level = self.current();
            let place = shard_of(hash, level);
            let shard = self.shards(level)[place].0.write_or(|| {
                if level != LAST && self.met.fetch_add(1, Ordering::Relaxed) >= CROWDED {
                    totals.due();
                }
            });
            if self.current() == level {
                return (shard, place);
            }
        }
    }

    /// Whether there should be more shards for so many entries.
    pub fn are_few(&self, len: usize) -> bool {
        let level = self.current();
        level != LAST && (len > MOST[level] || self.met.load(Ordering::Relaxed) > CROWDED)
    }

    /// Goes to the next level. The caller holds the locks of all shards of this one, which are empty.
    pub fn advance(&self, level: usize, shards: Shards<K, V>, totals: &Totals) {
        let _ = self.levels[level].set(shards);
        totals.set_most(MOST[level]);
        self.met.store(0, Ordering::Relaxed);
        self.current.store(level, Ordering::Release);
    }

    /// Bytes of the shards themselves.
    pub fn memory(&self) -> usize {
        (0..=self.current())
            .map(|level| std::mem::size_of_val(self.shards(level)))
            .sum()
    }
}
