//! What those need of a table who are no callers of it: a collector, a heap dump, a fork.

use super::levels::LAST;
use super::shard::Pair;
use super::{CachePadded, Moved, Table};
use std::ops::Range;

/// A run of shards. Together the one below the last level and those of the last level are all.
#[derive(Clone)]
pub enum Part {
    BelowLastLevel,
    OfLastLevel(Range<usize>),
}

impl Part {
    fn shards(&self) -> impl Iterator<Item = (usize, usize)> {
        let (levels, shards) = match self {
            Part::BelowLastLevel => (0..LAST, 0..usize::MAX),
            Part::OfLastLevel(shards) => (LAST..LAST + 1, shards.clone()),
        };
        levels.flat_map(move |level| {
            let end = shards.end.min(super::levels::count(level));
            (shards.start..end).map(move |shard| (level, shard))
        })
    }
}

/// What a collector does with what a table holds.
pub trait Visitor<K, V> {
    /// A pair that will be visited in a moment.
    fn soon(&mut self, _key: &K, _value: &V) {}
    fn pair(&mut self, key: &K, value: &V);
    /// The key and the owner of a claim, which may outlive the owner's stack. [`Table::visit_mut`] does not reach them.
    fn claim(&mut self, key: &K, owner: usize);
}

/// Pairs that are announced at a time.
#[cfg(not(loom))]
const AHEAD: usize = 16;

#[cfg(not(loom))]
impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Visits all that some shards hold, without their locks, for a collector.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::peek`].
    pub unsafe fn visit(&self, part: &Part, visitor: &mut impl Visitor<K, V>) {
        for (level, shard) in part.shards() {
            let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) else {
                return;
            };
            // SAFETY: the caller's promise.
            let shard = unsafe { shard.peek() };
            let mut pairs = shard.pairs();
            loop {
                let some: smallvec::SmallVec<[&Pair<K, V>; AHEAD]> =
                    pairs.by_ref().take(AHEAD).collect();
                if some.is_empty() {
                    break;
                }
                some.iter()
                    .for_each(|one| visitor.soon(&one.key, &one.value));
                some.iter()
                    .for_each(|one| visitor.pair(&one.key, &one.value));
            }
            shard
                .asides()
                .for_each(|(key, value)| visitor.pair(key, value));
            shard
                .claims()
                .iter()
                .for_each(|claim| visitor.claim(&claim.key, claim.owner));
        }
    }

    /// Visits every key and value of some shards for a collector that moves objects, also those that were put aside for
    /// snapshots: they may have been put aside after this mark visited their shard, so that nothing has pinned them.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::held_mut`].
    pub unsafe fn visit_mut(&self, part: &Part, mut pair: impl FnMut(&mut K, &mut V)) {
        for (level, shard) in part.shards() {
            let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) else {
                return;
            };
            // SAFETY: the caller's promise.
            let shard = unsafe { shard.held_mut() };
            shard
                .pairs_mut()
                .for_each(|found| pair(&mut found.key, &mut found.value));
            shard.asides_mut().for_each(|(key, value)| pair(key, value));
        }
    }

    /// Copies pairs of some shards, a few at a time under the lock of theirs, and shows them with no lock held. What
    /// changes meanwhile is seen or not.
    pub fn show(&self, part: &Part, buffer: &mut [(K, V)], mut show: impl FnMut(&[(K, V)])) {
        for (level, shard) in part.shards() {
            let mut skip = 0;
            loop {
                let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) else {
                    return;
                };
                let shard = shard.read();
                let pairs = shard.pairs().skip(skip);
                let copy =
                    |(place, pair): (&mut (K, V), &Pair<K, V>)| *place = (pair.key, pair.value);
                let count = buffer.iter_mut().zip(pairs).map(copy).count();
                drop(shard);
                if count == 0 {
                    break;
                }
                show(&buffer[..count]);
                skip += count;
            }
        }
    }

    /// All that is in a shard of the last level.
    pub fn contents(&self, shard: usize) -> Moved<K, V> {
        let shards = self.levels.shards(LAST);
        let Some(shard) = shards.get(shard).map(|CachePadded(shard)| shard.read()) else {
            return Moved::default();
        };
        let pairs = shard.pairs().map(|pair| (pair.hash, pair.key, pair.value));
        let claims = shard.claims().iter();
        Moved {
            pairs: pairs.collect(),
            claims: claims
                .map(|claim| (claim.hash, claim.key, claim.owner))
                .collect(),
        }
    }

    /// How many pairs a shard of the last level has.
    pub fn len_of(&self, shard: usize) -> usize {
        let shards = self.levels.shards(LAST);
        shards
            .get(shard)
            .map_or(0, |CachePadded(shard)| shard.read().len())
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        std::mem::size_of_val(self) + self.levels.memory() + self.totals.bytes()
    }
}

#[cfg(not(loom))]
impl<K, V> crate::fork::Forkable for Table<K, V>
where
    K: Copy + PartialEq + Send + Sync,
    V: Copy + Send + Sync,
{
    unsafe fn hold(&self, held: &mut crate::fork::Held) {
        // SAFETY: the caller keeps `self` alive until it drops `held`. With `growing` held the level stays.
        unsafe {
            held.push(self.growing.hold());
            let shards = self.levels.shards(self.levels.current());
            held.extend(shards.iter().map(|CachePadded(shard)| shard.hold()));
            held.push(self.moments.hold());
        }
    }

    unsafe fn reset(&self, survivor: usize) {
        // SAFETY: the caller holds the locks and is the only thread of this process.
        let kept = unsafe { self.moments.forget(survivor) };
        for CachePadded(shard) in self.levels.shards(self.levels.current()) {
            // SAFETY: as above.
            let shard = unsafe { shard.held_mut() };
            shard.forget_all_but(&kept, &self.totals);
            // A claim of a thread that is gone would never be released.
            if let Some(claims) = shard.claims_mut().filter(|claims| !claims.is_empty()) {
                claims.retain(|claim| claim.owner == survivor);
                claims.iter_mut().for_each(|claim| claim.waiters.clear());
            }
        }
    }
}
