//! A direct-mapped cache of the answer "callers may run this callable themselves": for how many more dispatches
//! (`uses`), and up to which weight (`limit`). It is read at every small dispatch. An entry that is lost is computed
//! again, which is slow.
//!
//! A key is the address of a callable. It has one slot, found by its hash, and `grant` overwrites whatever the slot
//! held: nothing is searched. `revoke` knows only the number with which the entry was granted, so it looks at all
//! slots.
//!
//! `keep` is called by the collector's mark function. A key that was not used since the last call is dropped, or the
//! cache would keep its object alive for ever.
//!
//! Each slot is a seqlock with the key as its version:
//!
//! - `grant`: `uses` = 0, key (`Release`), fence (`Release`), limit, `uses` (`Release`). `granting` is a try-lock: of
//!   two grants for one slot at the same time one gives up.
//! - `take`: key (`Acquire`), `uses` - 1 (`AcqRel`), limit, fence (`Acquire`), key again. If the key has changed, the
//!   limit may be another key's, and is discarded.
//!
//! An answer may be revoked a moment after `take`: it says what was known when it was granted. A `grant` and a `revoke`
//! at the same time may end either way, so the caller of `grant` checks afterwards whether the reason still holds.

use crate::sync::{fence, AtomicBool, AtomicI64, AtomicUsize, Ordering::*};

const SLOTS: usize = 64;
/// Stands for no key. No object has this address.
const FREE_KEY: usize = 0;

/// More uses than a slot ever has.
const NOT_SEEN: i64 = i64::MAX;

struct Slot {
    key: AtomicUsize,
    number: AtomicI64,
    /// What `uses` was when the collector asked last.
    seen: AtomicI64,
    uses: AtomicI64,
    limit: AtomicI64,
    granting: AtomicBool,
}

pub struct CallerRunsCache {
    slots: [Slot; SLOTS],
    suspensions: AtomicI64,
}

impl Default for CallerRunsCache {
    fn default() -> Self {
        let slot = |_| Slot {
            key: AtomicUsize::new(FREE_KEY),
            number: AtomicI64::new(0),
            seen: AtomicI64::new(NOT_SEEN),
            uses: AtomicI64::new(0),
            limit: AtomicI64::new(0),
            granting: AtomicBool::new(false),
        };
        CallerRunsCache {
            slots: std::array::from_fn(slot),
            suspensions: AtomicI64::new(0),
        }
    }
}

impl CallerRunsCache {
    /// Stores an entry: `take` returns `limit` for the key, `uses` times.
    pub fn grant(&self, key: usize, number: i64, limit: i64, uses: i64) {
        let slot = self.slot(key);
        if slot.granting.swap(true, Acquire) {
            return;
        }
        // From here on takers of the old key get nothing. A store would do, but the model checker orders only exchanges
        // among those of the takers.
        slot.uses.swap(0, Relaxed);
        slot.number.store(number, Relaxed);
        slot.seen.store(NOT_SEEN, Relaxed);
        // A taker that reads this key sees `uses` = 0, or the `uses` stored below.
        slot.key.store(key, Release);
        // A taker that reads the limit stored below finds this key when it reads the key again.
        fence(Release);
        slot.limit.store(limit, Relaxed);
        // A taker that counts these uses down reads the limit that belongs to them.
        slot.uses.store(uses, Release);
        slot.granting.store(false, Release);
    }

    pub fn revoke(&self, number: i64) {
        let granted = |slot: &&Slot| slot.number.load(Relaxed) == number;
        for slot in self.slots.iter().filter(granted) {
            slot.uses.store(0, Release);
        }
    }

    /// Uses the entry of the key once, if there is one, and returns its limit.
    pub fn take(&self, key: usize) -> Option<i64> {
        let slot = self.slot(key);
        if slot.key.load(Acquire) != key || self.suspensions.load(Acquire) > 0 {
            return None;
        }
        if slot.uses.fetch_sub(1, AcqRel) <= 0 {
            return None;
        }
        let limit = slot.limit.load(Relaxed);
        // Pairs with the fence in `grant`: a limit of a later grant comes with the key of that grant.
        fence(Acquire);
        (slot.key.load(Relaxed) == key).then_some(limit)
    }

    /// Until `resume`, `take` returns nothing. Calls nest.
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

    /// The keys whose objects the collector is to keep: those used or granted since the call before. Others are
    /// dropped.
    pub fn keep(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots
            .iter()
            .filter_map(|slot| {
                let key = slot.key.load(Acquire);
                let uses = slot.uses.load(Acquire);
                if key == FREE_KEY || slot.seen.swap(uses, Relaxed) != uses {
                    return Some(key);
                }
                slot.uses.store(0, Release);
                slot.key
                    .compare_exchange(key, FREE_KEY, AcqRel, Relaxed)
                    .err()
            })
            .filter(|key| *key != FREE_KEY)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const KEY: usize = 8;
    /// Another key of the same slot.
    const RIVAL: usize = 512;

    #[test]
    fn an_entry_is_good_for_its_number_of_uses() {
        let caller_runs_cache = CallerRunsCache::default();
        assert_eq!(caller_runs_cache.take(KEY), None);
        caller_runs_cache.grant(KEY, 1, 100, 2);
        let taken = [0; 4].map(|_| caller_runs_cache.take(KEY));
        assert_eq!(taken, [Some(100), Some(100), None, None]);
        caller_runs_cache.grant(KEY, 1, 200, 1);
        assert_eq!(caller_runs_cache.take(KEY), Some(200));
    }

    #[test]
    fn a_revoked_entry_is_gone() {
        let caller_runs_cache = CallerRunsCache::default();
        caller_runs_cache.grant(KEY, 1, 100, 9);
        caller_runs_cache.revoke(2);
        assert_eq!(caller_runs_cache.take(KEY), Some(100));
        caller_runs_cache.revoke(1);
        assert_eq!(caller_runs_cache.take(KEY), None);
    }

    #[test]
    fn the_last_granted_key_has_the_slot() {
        let caller_runs_cache = CallerRunsCache::default();
        assert!(std::ptr::eq(
            caller_runs_cache.slot(KEY),
            caller_runs_cache.slot(RIVAL)
        ));
        caller_runs_cache.grant(KEY, 1, 100, 9);
        caller_runs_cache.grant(RIVAL, 2, 200, 9);
        caller_runs_cache.revoke(1);
        assert_eq!(
            (caller_runs_cache.take(KEY), caller_runs_cache.take(RIVAL)),
            (None, Some(200))
        );
        assert_eq!(caller_runs_cache.keep().collect::<Vec<_>>(), [RIVAL]);
    }

    #[test]
    fn a_key_is_kept_while_it_is_used() {
        let caller_runs_cache = CallerRunsCache::default();
        caller_runs_cache.grant(KEY, 1, 100, 9);
        assert_eq!(caller_runs_cache.keep().collect::<Vec<_>>(), [KEY]);
        caller_runs_cache.take(KEY);
        assert_eq!(caller_runs_cache.keep().collect::<Vec<_>>(), [KEY]);
        assert_eq!(caller_runs_cache.keep().count(), 0);
        assert_eq!(caller_runs_cache.take(KEY), None);
        caller_runs_cache.grant(KEY, 1, 100, 9);
        assert_eq!(caller_runs_cache.keep().collect::<Vec<_>>(), [KEY]);
    }

    #[test]
    fn there_is_no_answer_until_the_last_suspension_ends() {
        let caller_runs_cache = CallerRunsCache::default();
        caller_runs_cache.grant(KEY, 1, 100, 9);
        caller_runs_cache.suspend();
        caller_runs_cache.suspend();
        caller_runs_cache.resume();
        assert_eq!(caller_runs_cache.take(KEY), None);
        caller_runs_cache.resume();
        assert_eq!(caller_runs_cache.take(KEY), Some(100));
    }
}
