//! A sharded hash table whose keys can be claimed.
//!
//! Each shard has one lock, one pair beside it, a hash table with the other pairs ([`entries`]), and a list of claims.
//! Under the lock keys are compared natively only (by identity, or as strings or numbers). If foreign code has to
//! compare them, the attempt ends with [`Blocked::Ask`]. Then the caller calls that code with no lock held, its
//! [`Lookup`] remembers the answer, and the caller tries again. If another thread has added an entry of the same hash
//! meanwhile, the new attempt ends with `Ask` for that one.
//!
//! A claim is one thread's right to write one key while foreign code computes the value. Claims are stored beside the
//! entries, not among them, so a claimed key without a value is invisible. Readers ignore claims. Another writer of the key
//! sleeps until the claim is released. A write by the owner itself, or one that would make a deadlock, fails at once.
//!
//! The number of shards grows with the number of entries ([`levels`]). A snapshot is of one moment, and is copied shard by
//! shard while others write ([`moments`]).
//!
//! A thread holds the lock of one shard at a time. Exceptions are `grow`, `clear` and a fork, which take the locks of all
//! shards of a level. Lock order: `growing`, the shards in order, then the list of snapshots or the wait graph
//! ([`crate::deadlock`]).

mod claim;
mod claiming;
mod entries;
mod levels;
mod lookup;
mod many;
mod moments;
mod pair;
mod shard;
mod sizes;
mod snapshot;
mod sweep;
mod totals;
mod visit;

pub use claim::HeldClaim;
pub use lookup::{Lookup, Same};
pub use shard::Entry;
pub use snapshot::{Copied, Snapshot};
pub use sweep::Mark;
pub use visit::{Part, Visitor};

use crate::fork_rw_lock::{ForkRwLock, WriteGuard};
use levels::{CachePadded, Levels};
use moments::Moments;
use shard::Shard;
use sizes::{shard_of, LAST_LEVEL};
use totals::Totals;

/// Why an operation failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure<E> {
    /// Foreign code has raised, or the host has ended the thread's wait.
    Foreign(E),
    /// The thread holds the claim on this key itself.
    Own,
    /// To wait would be a deadlock.
    Deadlock,
}

pub struct Table<K, V> {
    levels: Levels<K, V>,
    moments: Moments,
    /// Held while the table grows, and by operations during which it must not grow.
    growing: ForkRwLock<()>,
    totals: Totals,
}

impl<K: Copy + PartialEq, V: Copy> Default for Table<K, V> {
    fn default() -> Self {
        let totals = Totals::default();
        Table {
            levels: Levels::new(&totals),
            moments: Moments::default(),
            growing: ForkRwLock::default(),
            totals,
        }
    }
}

/// Pairs and claims that are in another shard since the table has grown: hash and key, with the value or the owner.
pub struct Moved<K, V> {
    pub pairs: Vec<(u64, K, V)>,
    pub claims: Vec<(u64, K, usize)>,
}

impl<K, V> Default for Moved<K, V> {
    fn default() -> Self {
        Moved {
            pairs: Vec::new(),
            claims: Vec::new(),
        }
    }
}

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    pub fn new() -> Self {
        Self::default()
    }

    /// The level with the most shards.
    pub const LAST_LEVEL: usize = LAST_LEVEL;
    /// The number of shards of that level.
    pub const SHARDS: usize = sizes::count(LAST_LEVEL);

    pub fn level(&self) -> usize {
        self.levels.current()
    }

    #[inline]
    pub fn is_at_last_level(&self) -> bool {
        self.level() == LAST_LEVEL
    }

    /// The number of the shard, of the last level, that a key of this hash is in.
    pub fn shard_of(hash: u64) -> usize {
        shard_of(hash, LAST_LEVEL)
    }

    pub fn len(&self) -> usize {
        self.totals.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Locks the shard of a key for writing, and puts aside what snapshots need of it.
    #[inline(always)]
    fn write(&self, hash: u64) -> WriteGuard<'_, Shard<K, V>> {
        let (mut shard, place) = self.levels.write(hash, &self.totals);
        self.before_change(&mut shard, place);
        shard
    }

    #[inline]
    fn before_change(&self, shard: &mut Shard<K, V>, place: usize) {
        let now = self.moments.now();
        if shard.seen() != now {
            self.put_aside(shard, place, now);
        }
    }

    #[cold]
    fn put_aside(&self, shard: &mut Shard<K, V>, place: usize, now: usize) {
        let wanting = self.moments.wanting(shard.seen(), now, place);
        shard.put_aside(wanting, now, &self.totals);
    }

    /// Whether there is work that must not be done under a lock: to tell the collector of pairs that have moved to
    /// other cards, to report memory, or to grow. To be called after a change. One caller gets true. It has to settle
    /// all shards of [`Table::take_needing`] before its next safepoint.
    #[inline]
    pub fn take_due(&self) -> bool {
        self.totals.take_due()
    }

    pub fn should_grow(&self) -> bool {
        self.levels.should_grow(self.len())
    }

    /// Moves the entries to the shards of the next level. Does nothing if `level` is not the current level any more, if
    /// the table should not grow, or while a snapshot is being copied. It holds the locks of all shards, but below the
    /// last level there are few shards, and usually few entries.
    pub fn grow(&self, level: usize) -> Option<Moved<K, V>> {
        let _growing = self.growing.write();
        if level != self.level() || !self.should_grow() || !self.moments.is_idle() {
            return None;
        }
        let old = self.levels.shards(level);
        let mut held: Vec<_> = old.iter().map(|CachePadded(shard)| shard.write()).collect();
        let mut shards = levels::make(level + 1);
        let mut moved = Moved::default();
        let place = |hash| shard_of(hash, level + 1);
        for shard in &mut held {
            let (pairs, claims) = shard.take(&self.totals);
            for pair in pairs {
                moved.pairs.push((pair.hash, pair.key, pair.value));
                let CachePadded(shard) = &mut shards[place(pair.hash)];
                shard.get_mut().adopt(pair, &self.totals);
            }
            for claim in claims {
                moved.claims.push((claim.hash, claim.key, claim.owner));
                let CachePadded(shard) = &mut shards[place(claim.hash)];
                shard.get_mut().add_claim(claim, &self.totals);
            }
        }
        self.levels.advance(level + 1, shards, &self.totals);
        drop(held);
        Some(moved)
    }

    pub fn get<P: Lookup<K>>(&self, lookup: &mut P) -> Result<Option<V>, P::Error> {
        loop {
            let found = self
                .levels
                .read(lookup.hash())
                .find(lookup)
                .map(|found| found.map(|pair| pair.value));
            match found {
                Ok(value) => return Ok(value),
                Err(unknown) => unknown.ask(lookup)?,
            }
        }
    }
}
