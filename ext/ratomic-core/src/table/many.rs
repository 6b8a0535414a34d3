//! Operations on many keys. Everything that can fail is done before the first entry is changed.

use super::levels::CachePadded;
use super::{Failure, Table};
use crate::parker::Park;

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Removes every entry at one moment. It first waits until all claims are released that exist when it begins. It
    /// does not wait for later claims, because there could always be new ones. The changes of their owners are
    /// discarded, as if they had been made before.
    pub fn clear<H: Park>(&self, host: &H, me: usize) -> Result<(), Failure<H::Error>> {
        let claimed = self.claimed();
        if claimed.iter().any(|(_, owner, _)| *owner == me) {
            return Err(Failure::Own);
        }
        for (hash, owner, key) in claimed {
            self.await_release(hash, owner, key, host, me)?;
        }
        let _growing = self.growing.write();
        let shards = self.levels.shards(self.level());
        let mut held: Vec<_> = shards
            .iter()
            .map(|CachePadded(shard)| shard.write())
            .collect();
        let mut count = 0;
        for (place, shard) in held.iter_mut().enumerate() {
            self.before_change(shard, place);
            let claims = shard.claims_mut().into_iter().flatten();
            claims.for_each(|claim| claim.overtaken = true);
            count += shard.clear(&self.totals);
        }
        // At once, because who reads the total takes none of the locks.
        self.totals.removed(count);
        Ok(())
    }

    /// Hash, owner and key of every claim.
    fn claimed(&self) -> Vec<(u64, usize, K)> {
        let _growing = self.growing.write();
        let mut claimed = Vec::new();
        for CachePadded(shard) in self.levels.shards(self.level()) {
            let shard = shard.read();
            let claims = shard.claims().iter();
            claimed.extend(claims.map(|claim| (claim.hash, claim.owner, claim.key)));
        }
        claimed
    }

    /// Waits until that claim is released, but not for later claims on the same key.
    fn await_release<H: Park>(
        &self,
        hash: u64,
        owner: usize,
        key: K,
        host: &H,
        me: usize,
    ) -> Result<(), Failure<H::Error>> {
        let mut locked = self.write(hash);
        let mut claims = locked.claims_mut().into_iter().flatten();
        let claim =
            claims.find(|claim| claim.owner == owner && claim.hash == hash && claim.key == key);
        let conflict = claim.map(|claim| claim.conflict(me));
        drop(locked);
        conflict.map_or(Ok(()), |conflict| self.wait(conflict, host))
    }

    /// Removes the given entries (hash, key, value) if they are unchanged: the key is the same object, `same` is true
    /// for the value in the table and the given one, and no thread has a claim on the key. Does not wait. Fails if `me`
    /// has a claim on one of the keys. Returns how many were removed.
    pub fn remove_same<E>(
        &self,
        entries: &[(u64, K, V)],
        me: usize,
        same: impl Fn(V, V) -> bool,
    ) -> Result<usize, Failure<E>> {
        for (hash, _, _) in entries {
            let shard = self.levels.read(*hash);
            let mut claims = shard.claims().iter();
            if claims.any(|claim| claim.owner == me && claim.hash == *hash) {
                return Err(Failure::Own);
            }
        }
        let mut removed = 0;
        for (hash, key, value) in entries {
            let mut shard = self.write(*hash);
            if shard.claims().iter().any(|claim| claim.hash == *hash) {
                continue;
            }
            let entry = shard.entry_of(*hash, &self.totals, |pair| pair.key == *key);
            if entry.get().is_some_and(|present| same(present, *value)) {
                entry.remove();
                removed += 1;
            }
        }
        Ok(removed)
    }
}
