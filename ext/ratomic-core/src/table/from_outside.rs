//! What those need of a table who are no callers of it: a collector, a heap dump, a fork.

use super::shard::Pair;
use super::{Padded, Shard, Table};
use crate::guarded::Guarded;

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Visits every key and value of a shard without its lock, for a collector, and the key and the owner of every claim,
    /// which may outlive the owner's stack.
    ///
    /// # Safety
    /// As for [`Guarded::peek`].
    #[cfg(not(loom))]
    pub unsafe fn visit(
        &self,
        shard: usize,
        mut pair: impl FnMut(&K, &V),
        mut claim: impl FnMut(&K, usize),
    ) {
        // SAFETY: the caller's promise.
        let shard = unsafe { self.shards[shard].0.peek() };
        shard
            .pairs()
            .for_each(|found| pair(&found.key, &found.value));
        shard
            .claims()
            .iter()
            .for_each(|found| claim(&found.key, found.owner));
    }

    /// Visits every key and value of a shard for a collector that moves objects.
    ///
    /// # Safety
    /// As for [`Guarded::held_mut`].
    #[cfg(not(loom))]
    pub unsafe fn visit_mut(&self, shard: usize, mut pair: impl FnMut(&mut K, &mut V)) {
        // SAFETY: the caller's promise.
        let shard = unsafe { self.shards[shard].0.held_mut() };
        shard
            .pairs_mut()
            .for_each(|found| pair(&mut found.key, &mut found.value));
    }

    /// Copies pairs of a shard from the `skip`-th on, and returns how many. Between two calls the order may change.
    pub fn some(&self, shard: usize, skip: usize, buffer: &mut [(K, V)]) -> usize {
        let shard = self.shards[shard].0.read();
        let pairs = shard.pairs().skip(skip);
        let copy = |(place, pair): (&mut (K, V), &Pair<K, V>)| *place = (pair.key, pair.value);
        buffer.iter_mut().zip(pairs).map(copy).count()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        let bytes = |Padded(shard): &Padded<Guarded<Shard<K, V>>>| shard.read().memory();
        std::mem::size_of_val(&*self.shards) + self.shards.iter().map(bytes).sum::<usize>()
    }
}

#[cfg(not(loom))]
impl<K: Copy + Send + Sync, V: Copy + Send + Sync> crate::fork::Forkable for Table<K, V> {
    unsafe fn hold(&self, held: &mut crate::fork::Held) {
        for Padded(shard) in &self.shards {
            // SAFETY: the caller keeps `self` alive until it drops `held`.
            held.push(unsafe { shard.hold() });
        }
    }

    unsafe fn reset(&self, survivor: usize) {
        for Padded(shard) in &self.shards {
            // SAFETY: the caller holds the lock and is the only thread of this process.
            let shard = unsafe { shard.held_mut() };
            // A claim of a thread that is gone would never be released.
            if let Some(claims) = shard.claims_mut() {
                claims.retain(|claim| claim.owner == survivor);
                claims.iter_mut().for_each(|claim| claim.waiters.clear());
            }
        }
    }
}
