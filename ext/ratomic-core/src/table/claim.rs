//! One thread's right to write one key, and what it is for the others: a conflict.

use crate::deadlock;
use crate::parker::Parker;
use crate::sync::Arc;

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
