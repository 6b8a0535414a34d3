//! Snapshots of one moment, copied shard by shard while the writers go on.
//!
//! A snapshot has a number, and begins when the table takes that number as its own ([`Moments::now`]). A shard remembers
//! up to which number its entries have been dealt with. Who wants to change a shard reads the table's number under the
//! shard's lock; where the shard is behind, its pairs are put aside first for every snapshot that began in between and
//! has not come by yet. Who copies finds the pairs of its moment in the shard, or put aside.
//!
//! Why this is one moment: let each change happen when its writer reads the number, and the snapshot when the number is
//! taken. A change that read a smaller number is in the shard when the snapshot comes by, because the lock was held from
//! the reading to the change; one that read the number or a larger one put the pairs aside before. Nobody can see a
//! shard between that reading and the change, for the same reason; and who sees a change of the second kind, and then
//! looks at another shard, finds there all changes of the first kind: their writers have the lock, or are through.

use crate::fork_rw_lock::ForkRwLock;
use crate::sync::{AtomicUsize, Ordering};
use std::ops::Range;

/// A snapshot that is under way.
struct Active {
    number: usize,
    /// The thread that copies.
    owner: usize,
    /// Shards that it has seen, or that have put aside what it will want: those below.
    passed: usize,
}

#[derive(Default)]
pub struct Moments {
    now: AtomicUsize,
    /// Innermost of all locks but the wait graph's.
    active: ForkRwLock<Vec<Active>>,
}

/// The pairs of a shard as they were, for the snapshots of those numbers.
pub struct Aside<K, V> {
    pub numbers: Vec<usize>,
    pub pairs: Box<[(K, V)]>,
    /// Where among them end the first pair, and those of each card: who showed them to a collector still does.
    pub ends: Box<[usize]>,
}

impl<K, V> Aside<K, V> {
    /// Part 0 is the first pair, part `n + 1` has those of card `n`.
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

    /// The snapshots up to `now` that began since `seen` and have not been at that shard.
    pub fn wanting(&self, seen: usize, now: usize, shard: usize) -> Vec<usize> {
        let wants = |one: &&Active| seen < one.number && one.number <= now && one.passed <= shard;
        let active = self.active.read();
        active.iter().filter(wants).map(|one| one.number).collect()
    }

    /// A snapshot is through with the shards below. The lock of the last one is held.
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
