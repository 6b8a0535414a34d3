//! Changing an entry, which waits for a claim on its key; taking such a claim, waiting for it, and giving it back.

use super::claim::{Claim, Conflict, HeldClaim};
use super::pair::Pair;
use super::shard::{Blocked, Entry, Shard};
use super::{Failure, Lookup, Table};
use crate::deadlock;
use crate::parker::{Deadline, Park, Parker};
use crate::sync::Arc;
use std::time::Duration;

/// Time between two checks of a waiting thread whether the owner of the claim is still alive.
const OWNER_CHECK_INTERVAL: Duration = Duration::from_secs(1);

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Changes the entry of a key with native code only: `change` runs under the shard's lock, once or several times,
    /// and takes effect the last time. Waits while another thread has the claim.
    pub fn update<P, H, R>(
        &self,
        lookup: &mut P,
        host: &H,
        me: usize,
        mut change: impl FnMut(Entry<'_, K, V>) -> R,
    ) -> Result<R, Failure<H::Error>>
    where
        P: Lookup<K, Error = H::Error>,
        H: Park,
    {
        self.with_shard(lookup, host, |shard, lookup| {
            shard.admit(lookup, me)?;
            shard.entry(lookup, &self.totals).map(&mut change)
        })
    }

    /// Calls `step` with the locked shard of the key until it succeeds. In between it calls foreign code, or waits for a
    /// claim, with no lock held.
    fn with_shard<P, H, R>(
        &self,
        lookup: &mut P,
        host: &H,
        mut step: impl FnMut(&mut Shard<K, V>, &P) -> Result<R, Blocked<K>>,
    ) -> Result<R, Failure<H::Error>>
    where
        P: Lookup<K, Error = H::Error>,
        H: Park,
    {
        loop {
            let mut shard = self.write(lookup.hash());
            match step(&mut shard, lookup) {
                Ok(result) => return Ok(result),
                Err(blocked) => {
                    drop(shard);
                    self.unblock(blocked, lookup, host)?;
                }
            }
        }
    }

    /// Does what an attempt needs before it can be repeated. Called with no lock held.
    #[cold]
    fn unblock<P, H>(
        &self,
        blocked: Blocked<K>,
        lookup: &mut P,
        host: &H,
    ) -> Result<(), Failure<H::Error>>
    where
        P: Lookup<K, Error = H::Error>,
        H: Park,
    {
        match blocked {
            Blocked::Ask(unknown) => unknown.ask(lookup).map_err(Failure::Foreign),
            Blocked::By(conflict) => {
                self.wait(conflict, host)?;
                lookup.resumed();
                Ok(())
            }
        }
    }

    /// Claims a key. Waits while another thread has a claim on it. To be followed by `release`.
    pub fn claim<P, H>(
        &self,
        lookup: &mut P,
        host: &H,
        me: usize,
    ) -> Result<HeldClaim<K, V>, Failure<H::Error>>
    where
        P: Lookup<K, Error = H::Error>,
        H: Park,
    {
        self.with_shard(lookup, host, |shard, lookup| {
            shard.admit(lookup, me)?;
            let (hash, key) = (lookup.hash(), lookup.key());
            let pair = shard.find(lookup).map_err(Blocked::Ask)?.copied();
            let claim = Claim {
                hash,
                key,
                owner: me,
                waiters: Vec::new(),
                overtaken: false,
            };
            shard.add_claim(claim, &self.totals);
            Ok(HeldClaim {
                hash,
                key,
                owner: me,
                stored: pair.map(|pair| pair.key),
                value: pair.map(|pair| pair.value),
            })
        })
    }

    /// Releases a claim, after `change` was called with the entry. It does not wait, runs no foreign code and cannot fail:
    /// no other thread could write the key meanwhile, so the entry is the same as before, or still missing. If `clear` was
    /// called meanwhile, the change counts as made before that, and `change` is not called.
    pub fn release<R>(
        &self,
        held: &HeldClaim<K, V>,
        change: impl FnOnce(Entry<'_, K, V>) -> R,
    ) -> Option<R> {
        let mut shard = self.write(held.hash);
        let mine = |claim: &Claim<K>| {
            claim.owner == held.owner && claim.hash == held.hash && claim.key == held.key
        };
        let place = shard.claims().iter().position(mine);
        let is_overtaken = place.is_some_and(|place| shard.claims()[place].overtaken);
        let changed = (!is_overtaken).then(|| {
            let stored = |pair: &Pair<K, V>| held.stored == Some(pair.key);
            change(shard.entry_of(held.hash, &self.totals, stored))
        });
        let Some(claim) = place.and_then(|place| shard.take_claim(place)) else {
            return changed;
        };
        claim
            .waiters
            .iter()
            .for_each(|(_, thread)| deadlock::forget(*thread));
        drop(shard);
        claim.wake();
        changed
    }

    /// Sleeps until the claim is released, or the host has to check for interrupts.
    pub(super) fn wait<H: Park>(
        &self,
        conflict: Conflict,
        host: &H,
    ) -> Result<(), Failure<H::Error>> {
        let (hash, owner, parker) = match conflict {
            Conflict::Own => return Err(Failure::Own),
            Conflict::Deadlock => return Err(Failure::Deadlock),
            Conflict::Other {
                hash,
                owner,
                parker,
            } => (hash, owner, parker),
        };
        let outcome = self.sleep_until_released(hash, owner, host, &parker);
        // The table may have grown, so the claim may be in another shard now.
        let mut locked = self.write(hash);
        let claims = locked.claims_mut().into_iter().flatten();
        claims.for_each(|claim| claim.leave(&parker));
        drop(locked);
        outcome
            .and_then(|()| host.check())
            .map_err(Failure::Foreign)
    }

    /// Checks at intervals whether the owner is still alive.
    fn sleep_until_released<H: Park>(
        &self,
        hash: u64,
        owner: usize,
        host: &H,
        parker: &Arc<Parker>,
    ) -> Result<(), H::Error> {
        while !parker.is_notified() {
            parker.reset_interrupt();
            host.check()?;
            if !host.is_alive(owner)? {
                self.release_dead_owner(hash, owner);
                break;
            }
            host.park(parker, Deadline::after(OWNER_CHECK_INTERVAL))?;
        }
        Ok(())
    }

    /// Releases all claims, in the shard of that hash, of a thread that has ended inside a block: in a Fiber that was not
    /// resumed any more.
    fn release_dead_owner(&self, hash: u64, owner: usize) {
        let mut locked = self.write(hash);
        let gone = locked.take_claims(|claim| claim.owner == owner);
        gone.iter()
            .flat_map(|claim| &claim.waiters)
            .for_each(|(_, thread)| deadlock::forget(*thread));
        drop(locked);
        gone.into_iter().for_each(Claim::wake);
    }
}
