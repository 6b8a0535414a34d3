//! Snapshots of one moment, copied shard by shard while the writers go on.
//!
//! A snapshot has a number, and begins when the table's number ([`Moments::now`]) becomes that number. A shard stores the
//! highest number for which its entries have been put aside or copied. A writer reads the table's number under the
//! shard's lock. If the shard's number is lower, the writer first puts a copy of the pairs aside for each snapshot that has
//! begun since and has not reached this shard yet. So a snapshot finds the pairs of its moment in the shard or put aside.
//!
//! Why this is one moment (the linearization points): a change happens when its writer reads the number, the snapshot
//! happens when the number is set. A change that has read a smaller number is in the shard when the snapshot copies it,
//! because the writer holds the lock from the reading to the change. A change that has read this number or a larger one
//! has put the pairs aside before. No thread can see a shard between the reading and the change, for the same reason. And a
//! thread that sees a change of the second kind, and then locks another shard, finds all changes of the first kind there:
//! their writers still hold that lock, or have finished.

use crate::fork_rw_lock::ForkRwLock;
use crate::sync::{AtomicUsize, Ordering};
use std::ops::Range;

/// A snapshot that is under way.
struct Active {
    number: usize,
    /// The thread that copies.
    owner: usize,
    /// The shards below this number are done: it has copied them.
    passed: usize,
}

#[derive(Default)]
pub struct Moments {
    now: AtomicUsize,
    /// Only the lock of the wait graph may be taken while this one is held.
    active: ForkRwLock<Vec<Active>>,
}

/// A copy of the pairs of a shard, for the snapshots with those numbers.
pub struct Aside<K, V> {
    pub numbers: Vec<usize>,
    pub pairs: Box<[(K, V)]>,
    /// For each part, where in `pairs` it ends: the first pair, then the pairs of each card. The object that showed a pair
    /// to the collector shows its copy too.
    pub ends: Box<[usize]>,
}

impl<K, V> Aside<K, V> {
    /// Part 0 is the first pair, part `n + 1` has the pairs of card `n`.
    pub fn part(&self, part: usize) -> &[(K, V)] {
        &self.pairs[self.range(part)]
    }

    #[cfg(not(loom))]
    pub fn part_mut(&mut self, part: usize) -> &mut [(K, V)] {
        let range = self.range(part);
        &mut self.pairs[range]
    }

    fn range(&self, part: usize) -> Range<usize> {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[part]
    }
}

impl Moments {
    /// The number of the newest snapshot that ever began.
    #[inline]
    pub fn now(&self) -> usize {
        self.now.load(Ordering::Acquire)
    }

    pub fn begin(&self, owner: usize) -> usize {
        let mut active = self.active.write();
        let number = self.now.load(Ordering::Relaxed) + 1;
        active.push(Active {
            number,
            owner,
            passed: 0,
        });
        self.now.store(number, Ordering::Release);
        number
    }

    /// The snapshots with numbers above `seen` and up to `now` that have not copied that shard yet.
    pub fn wanting(&self, seen: usize, now: usize, shard: usize) -> Vec<usize> {
        let wants = |one: &&Active| seen < one.number && one.number <= now && one.passed <= shard;
        let active = self.active.read();
        active.iter().filter(wants).map(|one| one.number).collect()
    }

    /// A snapshot has copied the shards below that number. The caller holds the lock of the last one.
    pub fn pass(&self, number: usize, shards: usize) {
        let mut active = self.active.write();
        active
            .iter_mut()
            .filter(|one| one.number == number)
            .for_each(|one| one.passed = shards);
    }

    pub fn end(&self, number: usize) {
        self.active.write().retain(|one| one.number != number);
    }

    pub fn is_idle(&self) -> bool {
        self.active.read().is_empty()
    }

    /// Takes the lock for the time of a fork.
    ///
    /// # Safety
    /// As for [`ForkRwLock::hold`].
    #[cfg(not(loom))]
    pub unsafe fn hold(&self) -> std::sync::RwLockWriteGuard<'static, ()> {
        // SAFETY: the caller's promise.
        unsafe { self.active.hold() }
    }

    /// Forgets the snapshots of all threads but `survivor`, and returns the numbers of those that stay.
    ///
    /// # Safety
    /// As for [`ForkRwLock::held_mut`].
    #[cfg(not(loom))]
    pub unsafe fn forget(&self, survivor: usize) -> Vec<usize> {
        // SAFETY: the caller's promise.
        let active = unsafe { self.active.held_mut() };
        active.retain(|one| one.owner == survivor);
        active.iter().map(|one| one.number).collect()
    }
}
