//! Claims: one thread's right to write one key. To another thread that wants to write the key, a claim is a conflict.

use crate::deadlock;
use crate::parker::Parker;
use crate::sync::Arc;

/// What the owner of a claim keeps, and passes to `release`. It is on the owner's stack, where a collector sees its keys.
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
    /// The threads that sleep until the release: a parker, and the thread's number in the wait graph.
    pub waiters: Vec<(Arc<Parker>, usize)>,
    /// Whether `clear` was called since it was taken. Then the value that its owner has computed is discarded.
    pub overtaken: bool,
}

impl<K> Claim<K> {
    /// Why the thread `me` may not write the key. If it may wait for the claim, it is put into the list of waiters.
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

    /// Wakes all waiting threads, which then try again. To be called when the claim is no longer in its shard's list.
    pub fn wake(self) {
        self.waiters.iter().for_each(|(parker, _)| parker.unpark());
    }
}

/// Why a thread may not write a key now.
pub enum Conflict {
    /// Another thread has the claim, and the caller is in its list of waiters.
    Other {
        hash: u64,
        owner: usize,
        parker: Arc<Parker>,
    },
    /// The thread itself has the claim.
    Own,
    /// The thread would wait for itself, through other threads.
    Deadlock,
}
