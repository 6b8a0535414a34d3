//! Who may, how often, up to which limit: a small table that is asked at every dispatch and need not remember everything.
//!
//! A slot holds the permit of one key, and a key has one slot, found by its hash; who is granted a permit takes the slot
//! from whoever had it. So there is nothing to search, and what is lost is granted anew by the slower way of finding out.
//! Keys are addresses. Who revokes may know only the number that the permit was granted with: then all slots are looked at.
//!
//! A key that nobody used since the last time that the collector asked (`keep`) is dropped, or the table would keep objects
//! alive for ever.
//!
//! A taker reads the key, counts a use down, reads the limit, and then the key again. A granter sets the uses to 0, then
//! the key, then the limit, then the uses; of two granters at once in a slot one gives up. So who meets a new key finds no
//! uses (the key is stored with `Release`) or the limit that belongs to it (so are the uses), and who has read a new limit
//! finds a new key after it (a `Release` fence lies between the two stores, an `Acquire` fence between the two loads).
//!
//! What was taken may be revoked a moment later: a permit says what was known when it was given. A grant and a revocation
//! at the same time may end either way; who grants looks afterwards whether there is still reason to.

use crate::sync::{fence, AtomicBool, AtomicI64, AtomicUsize, Ordering::*};

const SLOTS: usize = 64;
/// No key: the address of no object.
const FREE: usize = 0;

/// More uses than are ever left.
const UNSEEN: i64 = i64::MAX;

struct Slot {
    key: AtomicUsize,
    number: AtomicI64,
    /// What `uses` was when the collector asked last.
    seen: AtomicI64,
    uses: AtomicI64,
    limit: AtomicI64,
    granting: AtomicBool,
}

pub struct Permits {
    slots: [Slot; SLOTS],
    suspensions: AtomicI64,
}

impl Default for Permits {
    fn default() -> Self {
        let slot = |_| Slot {
            key: AtomicUsize::new(FREE),
            number: AtomicI64::new(0),
            seen: AtomicI64::new(UNSEEN),
            uses: AtomicI64::new(0),
            limit: AtomicI64::new(0),
            granting: AtomicBool::new(false),
        };
        Permits {
            slots: std::array::from_fn(slot),
            suspensions: AtomicI64::new(0),
        }
    }
}

impl Permits {
    /// Lets the key have `limit` so many times.
    pub fn grant(&self, key: usize, number: i64, limit: i64, uses: i64) {
        let slot = self.slot(key);
        if slot.granting.swap(true, Acquire) {
            return;
        }
        // A store would do, but the model checker orders only exchanges among those of the takers.
        slot.uses.swap(0, Relaxed);
        slot.number.store(number, Relaxed);
        slot.seen.store(UNSEEN, Relaxed);
        slot.key.store(key, Release);
        fence(Release);
        slot.limit.store(limit, Relaxed);
        slot.uses.store(uses, Release);
        slot.granting.store(false, Release);
    }

    pub fn revoke(&self, number: i64) {
        let granted = |slot: &&Slot| slot.number.load(Relaxed) == number;
        for slot in self.slots.iter().filter(granted) {
            slot.uses.store(0, Release);
        }
    }

    /// Uses a permit of the key, if it has one.
    pub fn take(&self, key: usize) -> Option<i64> {
        let slot = self.slot(key);
        if slot.key.load(Acquire) != key || self.suspensions.load(Acquire) > 0 {
            return None;
        }
        if slot.uses.fetch_sub(1, AcqRel) <= 0 {
            return None;
        }
        let limit = slot.limit.load(Relaxed);
        fence(Acquire);
        (slot.key.load(Relaxed) == key).then_some(limit)
    }

    /// Until `resume`, nobody has a permit. Both may be called several times.
    pub fn suspend(&self) {
        self.suspensions.fetch_add(1, AcqRel);
    }

    pub fn resume(&self) {
        self.suspensions.fetch_sub(1, AcqRel);
    }

    /// Objects lie at multiples of 8 at least, and of 40 most often.
    fn slot(&self, key: usize) -> &Slot {
        &self.slots[(key >> 3 ^ key >> 9) % SLOTS]
    }

    /// The keys that a collector is to keep: those that were used, or granted, since it asked before. The others lose
    /// their slot.
    pub fn keep(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots
            .iter()
            .filter_map(|slot| {
                let key = slot.key.load(Acquire);
                let uses = slot.uses.load(Acquire);
                if key == FREE || slot.seen.swap(uses, Relaxed) != uses {
                    return Some(key);
                }
                slot.uses.store(0, Release);
                slot.key.compare_exchange(key, FREE, AcqRel, Relaxed).err()
            })
            .filter(|key| *key != FREE)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const KEY: usize = 8;
    /// Another key of the same slot.
    const RIVAL: usize = 512;

    #[test]
    fn a_permit_is_good_for_its_number_of_uses() {
        let permits = Permits::default();
        assert_eq!(permits.take(KEY), None);
        permits.grant(KEY, 1, 100, 2);
        let taken = [0; 4].map(|_| permits.take(KEY));
        assert_eq!(taken, [Some(100), Some(100), None, None]);
        permits.grant(KEY, 1, 200, 1);
        assert_eq!(permits.take(KEY), Some(200));
    }

    #[test]
    fn a_revoked_permit_is_not_good_for_anything() {
        let permits = Permits::default();
        permits.grant(KEY, 1, 100, 9);
        permits.revoke(2);
        assert_eq!(permits.take(KEY), Some(100));
        permits.revoke(1);
        assert_eq!(permits.take(KEY), None);
    }

    #[test]
    fn the_last_granted_key_has_the_slot() {
        let permits = Permits::default();
        assert!(std::ptr::eq(permits.slot(KEY), permits.slot(RIVAL)));
        permits.grant(KEY, 1, 100, 9);
        permits.grant(RIVAL, 2, 200, 9);
        permits.revoke(1);
        assert_eq!((permits.take(KEY), permits.take(RIVAL)), (None, Some(200)));
        assert_eq!(permits.keep().collect::<Vec<_>>(), [RIVAL]);
    }

    #[test]
    fn a_key_is_kept_while_it_is_used() {
        let permits = Permits::default();
        permits.grant(KEY, 1, 100, 9);
        assert_eq!(permits.keep().collect::<Vec<_>>(), [KEY]);
        permits.take(KEY);
        assert_eq!(permits.keep().collect::<Vec<_>>(), [KEY]);
        assert_eq!(permits.keep().count(), 0);
        assert_eq!(permits.take(KEY), None);
        permits.grant(KEY, 1, 100, 9);
        assert_eq!(permits.keep().collect::<Vec<_>>(), [KEY]);
    }

    #[test]
    fn nobody_has_a_permit_until_the_last_suspension_ends() {
        let permits = Permits::default();
        permits.grant(KEY, 1, 100, 9);
        permits.suspend();
        permits.suspend();
        permits.resume();
        assert_eq!(permits.take(KEY), None);
        permits.resume();
        assert_eq!(permits.take(KEY), Some(100));
    }
}
