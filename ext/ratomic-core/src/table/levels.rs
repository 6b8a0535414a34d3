//! The shards of a table, by level. A table begins with few shards, and gets more in two steps: when it has more entries
//! than the level is for, or when threads find locks taken (contention). The last level has many more shards than there
//! are processors. So two threads that use different keys seldom need the same cache line; to get a line from another
//! processor takes longer than an operation.
//!
//! The level changes only while all locks of the current shards are held for writing ([`Table::grow`]). So a thread that
//! has locked a shard, and then finds the same level as before, has the right shard until it releases the lock.
//!
//! [`Table::grow`]: super::Table::grow

use super::shard::Shard;
use super::sizes::{count, LAST_LEVEL, MAX_ENTRIES, SHARD_BITS};
use super::totals::Totals;
use crate::fork_rw_lock::{ForkRwLock, ReadGuard, WriteGuard};
use crate::sync::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// Gives each shard two cache lines of its own: processors fetch lines in pairs.
#[derive(Default)]
#[repr(align(128))]
pub struct CachePadded<T>(pub T);

#[cfg(not(loom))]
const _: () = assert!(size_of::<CachePadded<ForkRwLock<Shard<usize, usize>>>>() == 128);

pub type Shards<K, V> = Box<[CachePadded<ForkRwLock<Shard<K, V>>>]>;

/// How often threads may find a lock of a level taken. After one time more the table gets the next level.
const MAX_CONTENTIONS: usize = 16;

/// The shards of one level, with what is needed to find the shard of a hash.
struct Level<K, V> {
    number: usize,
    /// As in [`super::sizes::shard_of`].
    shift: u32,
    shards: Shards<K, V>,
}

impl<K, V> Level<K, V> {
    fn new(number: usize, shards: Shards<K, V>) -> Self {
        let shift = 64 - SHARD_BITS[number];
        Level {
            number,
            shift,
            shards,
        }
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        ((hash << 7) >> self.shift) as usize
    }
}

pub struct Levels<K, V> {
    /// Points to one of `levels`.
    current: AtomicPtr<Level<K, V>>,
    /// How often a lock of the current level was found taken.
    contentions: AtomicUsize,
    /// None of them moves or is freed before the table is dropped.
    levels: [OnceLock<Box<Level<K, V>>>; SHARD_BITS.len()],
}

pub fn make<K, V>(level: usize) -> Shards<K, V> {
    (0..count(level)).map(|_| CachePadded::default()).collect()
}

impl<K, V> Levels<K, V> {
    pub fn new(totals: &Totals) -> Self {
        totals.set_max_entries(MAX_ENTRIES[0]);
        let levels = [const { OnceLock::new() }; SHARD_BITS.len()];
        let first: &Box<_> = levels[0].get_or_init(|| Box::new(Level::new(0, make(0))));
        Levels {
            current: AtomicPtr::new(std::ptr::from_ref(&**first).cast_mut()),
            contentions: AtomicUsize::new(0),
            levels,
        }
    }

    pub fn current(&self) -> usize {
        self.now().number
    }

    #[inline]
    fn now(&self) -> &Level<K, V> {
        // SAFETY: points to one of `levels`, which was complete before the pointer was published (Release, Acquire), and
        // which lives as long as the borrow of `self`. There are only shared references to it.
        unsafe { &*self.current.load(Ordering::Acquire) }
    }

    #[inline]
    fn is_now(&self, level: &Level<K, V>) -> bool {
        std::ptr::eq(self.current.load(Ordering::Acquire), level)
    }

    /// The shards of a level, once it was reached.
    pub fn shards(&self, level: usize) -> &[CachePadded<ForkRwLock<Shard<K, V>>>] {
        self.levels[level].get().map_or(&[], |level| &level.shards)
    }

    /// The shard that a key of this hash is in.
    #[inline]
    pub fn read(&self, hash: u64) -> ReadGuard<'_, Shard<K, V>> {
        loop {
            let level = self.now();
            let shard = level.shards[level.place(hash)].0.read();
            if self.is_now(level) {
                return shard;
            }
        }
    }

    /// As `read`, but locked for writing; also returns the number of the shard.
    #[inline(always)]
    pub fn write(&self, hash: u64, totals: &Totals) -> (WriteGuard<'_, Shard<K, V>>, usize) {
        loop {
            let level = self.now();
            let place = level.place(hash);
            let shard = level.shards[place].0.write_or(|| {
                if level.number != LAST_LEVEL
                    && self.contentions.fetch_add(1, Ordering::Relaxed) >= MAX_CONTENTIONS
                {
                    totals.due();
                }
            });
            if self.is_now(level) {
                return (shard, place);
            }
        }
    }

    /// Whether a table with `len` entries should get the next level.
    pub fn should_grow(&self, len: usize) -> bool {
        let level = self.current();
        level != LAST_LEVEL
            && (len > MAX_ENTRIES[level]
                || self.contentions.load(Ordering::Relaxed) > MAX_CONTENTIONS)
    }

    /// Makes the next level the current one. The caller holds the locks of all shards of the previous one, which are empty.
    pub fn advance(&self, level: usize, shards: Shards<K, V>, totals: &Totals) {
        let next: &Box<_> = self.levels[level].get_or_init(|| Box::new(Level::new(level, shards)));
        totals.set_max_entries(MAX_ENTRIES[level]);
        self.contentions.store(0, Ordering::Relaxed);
        let next = std::ptr::from_ref(&**next).cast_mut();
        self.current.store(next, Ordering::Release);
    }

    /// Bytes of the arrays of shards.
    pub fn memory(&self) -> usize {
        (0..=self.current())
            .map(|level| std::mem::size_of_val(self.shards(level)))
            .sum()
    }
}
