//! One thread's right to write one key, and what it is for the others: a conflict.

use super::{Failure, Table};
use crate::deadlock;
use crate::parker::{Deadline, Park, Parker};
use crate::sync::Arc;
use std::time::Duration;

/// How long a claim may stand before a waiter asks whether its owner is still there.
const OWNER_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A claim that was granted: what `release` needs to know. Lives on the owner's stack, where a collector sees its keys.
pub struct HeldClaim<K, V> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) owner: usize,
    /// The key of the entry that was there, which may be another object than `key`.
    pub stored: Option<K>,
    pub value: Option<V>,
}

impl<K, V> HeldClaim<K, V> {
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

pub struct Claim<K> {
    pub hash: u64,
    pub key: K,
    pub owner: usize,
    /// Who sleeps until the release, and the thread's name in the wait graph.
    pub waiters: Vec<(Arc<Parker>, usize)>,
    /// Whether all entries were removed since it was taken: then what its owner makes of the key counts as removed too.
    pub overtaken: bool,
}

impl<K> Claim<K> {
    pub fn conflict(&mut self, me: usize) -> Conflict {
        if self.owner == me {
            return Conflict::Own;
        }
        if deadlock::wait(me, self.owner).is_err() {
            return Conflict::Deadlock;
        }
        let parker = Parker::new();
        self.waiters.push((Arc::clone(&parker), me));
        Conflict::Other {
            hash: self.hash,
            owner: self.owner,
            parker,
        }
    }

    /// Takes the waiter out of the list, if it is still in it.
    pub fn leave(&mut self, parker: &Arc<Parker>) {
        let place = self
            .waiters
            .iter()
            .position(|(other, _)| Arc::ptr_eq(other, parker));
        if let Some((_, thread)) = place.map(|place| self.waiters.swap_remove(place)) {
            deadlock::forget(thread);
        }
    }

    /// Lets everybody who waits for the claim try again. It must be out of its shard's list.
    pub fn wake(self) {
        self.waiters.iter().for_each(|(parker, _)| parker.unpark());
    }
}

/// A claim in the way.
pub enum Conflict {
    /// Another thread's; the waiter is in its list.
    Other {
        hash: u64,
        owner: usize,
        parker: Arc<Parker>,
    },
    Own,
    Deadlock,
}

impl Conflict {
    /// Sleeps until the claim is released, or the host wants the thread.
    pub fn wait<K: Copy + PartialEq, V: Copy, H: Park>(
        self,
        table: &Table<K, V>,
        host: &H,
    ) -> Result<(), Failure<H::Error>> {
        let (hash, owner, parker) = match self {
            Conflict::Own => return Err(Failure::Own),
            Conflict::Deadlock => return Err(Failure::Deadlock),
            Conflict::Other {
                hash,
                owner,
                parker,
            } => (hash, owner, parker),
        };
        let outcome = Self::wait_patiently(table, hash, host, owner, &parker);
        // Where the claim is now: the table may have got more shards.
        let mut locked = table.write(hash);
        let claims = locked.claims_mut().into_iter().flatten();
        claims.for_each(|claim| claim.leave(&parker));
        drop(locked);
        outcome
            .and_then(|()| host.check())
            .map_err(Failure::Foreign)
    }

    fn wait_patiently<K: Copy + PartialEq, V: Copy, H: Park>(
        table: &Table<K, V>,
        hash: u64,
        host: &H,
        owner: usize,
        parker: &Arc<Parker>,
    ) -> Result<(), H::Error> {
        while !parker.is_notified() {
            parker.reset_interrupt();
            host.check()?;
            if !host.is_alive(owner)? {
                Self::disown(table, hash, owner);
                break;
            }
            host.park(parker, Deadline::after(OWNER_CHECK_INTERVAL))?;
        }
        Ok(())
    }

    /// Releases the claims of a thread that has ended. It left a block half-run, in a coroutine that nobody resumed.
    fn disown<K: Copy + PartialEq, V: Copy>(table: &Table<K, V>, hash: u64, owner: usize) {
        let mut locked = table.write(hash);
        let mut gone = Vec::new();
        if let Some(claims) = locked.claims_mut() {
            (gone, *claims) = std::mem::take(claims)
                .into_iter()
                .partition(|claim: &Claim<K>| claim.owner == owner);
        }
        gone.iter()
            .flat_map(|claim| &claim.waiters)
            .for_each(|(_, thread)| deadlock::forget(*thread));
        drop(locked);
        gone.into_iter().for_each(Claim::wake);
    }
}
