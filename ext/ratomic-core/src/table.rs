//! A sharded hash table whose keys can be claimed.
//!
//! Each shard is a pair, a hashbrown table for further ones and a list of claims under one lock. Keys are compared under
//! that lock only as far as no foreign code is needed (identity, or native comparison of strings and numbers). Where it
//! is needed, the attempt ends with [`Blocked::Ask`], the caller asks with no lock held, its [`Probe`] remembers the
//! answer, and it tries again. An entry that came in meanwhile is asked about in turn, so nothing is missed.
//!
//! A claim is one thread's right to write one key while foreign code computes the value. It lies beside the entries, not
//! among them: a key that is claimed and has no value yet is in nobody's sight. Readers pass claims by; another writer
//! of the key sleeps until the claim is released; the owner itself, and whoever would close a circle of waiting threads,
//! is refused at once.
//!
//! A single shard lock is held at a time but in `copy_to` and `clear`, which take those of all, in order. The wait graph's
//! lock ([`deadlock`]) is taken inside a shard's.

mod claim;
mod from_outside;
mod many;
mod probe;
mod shard;

pub use claim::Grant;
pub use probe::{Probe, Same};
pub use shard::Place;

use crate::deadlock;
use crate::guarded::Guarded;
use crate::waiter::Host;
use claim::Claim;
use shard::{Blocked, Shard};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why an operation failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure<E> {
    /// Foreign code raised, or the host wants the thread to end.
    Foreign(E),
    /// The thread holds the claim on this key itself.
    Own,
    /// Waiting would close a circle.
    Deadlock,
}

/// A cache line to itself for each shard.
#[derive(Default)]
#[repr(align(64))]
struct Padded<T>(T);

#[cfg(not(loom))]
const _: () = assert!(size_of::<Padded<Guarded<Shard<usize, usize>>>>() == 64);

/// Many more than there are processors: what two threads on different keys must not want at once is a line of memory,
/// and waiting for another processor's line takes longer than an operation.
const FEWEST: usize = 1024;

type Shards<K, V> = Box<[Padded<Guarded<Shard<K, V>>>]>;

pub struct Table<K, V> {
    shards: Shards<K, V>,
    shift: u32,
    len: AtomicUsize,
}

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// `parallel` is how many threads can run at once.
    pub fn new(parallel: usize) -> Self {
        let count = (parallel * 4).next_power_of_two().clamp(FEWEST, 4096);
        Table {
            shards: (0..count).map(|_| Padded::default()).collect(),
            shift: 64 - 7 - count.ilog2(),
            len: AtomicUsize::new(0),
        }
    }

    fn shard(&self, hash: u64) -> &Guarded<Shard<K, V>> {
        &self.shards[self.shard_of(hash)].0
    }

    /// The number of the shard that a key of this hash is in: by bits that hashbrown uses neither for the place in a
    /// table (the lowest) nor for its tag (the top seven).
    pub fn shard_of(&self, hash: u64) -> usize {
        ((hash << 7) >> (self.shift + 7)) as usize
    }

    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get<P: Probe<K>>(&self, probe: &mut P) -> Result<Option<V>, P::Error> {
        loop {
            let found = self
                .shard(probe.hash())
                .read()
                .find(probe)
                .map(|found| found.map(|pair| pair.value));
            match found {
                Ok(value) => return Ok(value),
                Err(stored) => probe.ask(stored)?,
            }
        }
    }

    /// Changes the entry of a key with native code only: `change` runs under the shard's lock, once or several times,
    /// and takes effect the last time. Waits while another thread has the claim.
    pub fn update<P, H, R>(
        &self,
        probe: &mut P,
        host: &H,
        me: usize,
        mut change: impl FnMut(Place<'_, K, V>) -> R,
    ) -> Result<R, Failure<H::Error>>
    where
        P: Probe<K, Error = H::Error>,
        H: Host,
    {
        self.with_shard(probe, host, |shard, probe| {
            shard.admit(probe, me)?;
            shard.place(probe, &self.len).map(&mut change)
        })
    }

    /// Claims a key, waiting while another thread has it. To be followed by `release`.
    pub fn claim<P, H>(
        &self,
        probe: &mut P,
        host: &H,
        me: usize,
    ) -> Result<Grant<K, V>, Failure<H::Error>>
    where
        P: Probe<K, Error = H::Error>,
        H: Host,
    {
        self.with_shard(probe, host, |shard, probe| {
            shard.admit(probe, me)?;
            let (hash, key) = (probe.hash(), probe.key());
            let pair = shard.find(probe).map_err(Blocked::Ask)?.copied();
            shard.add_claim(Claim {
                hash,
                key,
                owner: me,
                waiters: Vec::new(),
                overtaken: false,
            });
            Ok(Grant {
                hash,
                key,
                owner: me,
                stored: pair.map(|pair| pair.key),
                value: pair.map(|pair| pair.value),
            })
        })
    }

    /// Gives a claim back, with `change` as the owner's last word about the entry. Takes no time and cannot fail: as
    /// long as the claim stood nobody else could write the key, so the entry is where it was, or still missing. (It is
    /// also missing when all entries were removed meanwhile; then the change counts as made before that.)
    pub fn release(&self, grant: &Grant<K, V>, change: impl FnOnce(Place<'_, K, V>)) {
        let mut shard = self.shard(grant.hash).write();
        let mine = |claim: &Claim<K>| claim.owner == grant.owner && claim.key == grant.key;
        let place = shard.claims().iter().position(mine);
        if !place.is_some_and(|place| shard.claims()[place].overtaken) {
            change(shard.place_of(grant.hash, &self.len, |pair| grant.stored == Some(pair.key)));
        }
        let Some((claims, place)) = shard.claims_mut().zip(place) else {
            return;
        };
        let claim = claims.swap_remove(place);
        claim
            .waiters
            .iter()
            .for_each(|(_, thread)| deadlock::forget(*thread));
        drop(shard);
        claim.wake();
    }

    /// Copies all entries as they are at one moment. `Err` is how many there are when `buffer` is too short.
    pub fn copy_to(&self, buffer: &mut [(K, V)]) -> Result<usize, usize> {
        let shards: Vec<_> = self
            .shards
            .iter()
            .map(|Padded(shard)| shard.read())
            .collect();
        let count = shards.iter().map(|shard| shard.len()).sum();
        if count > buffer.len() {
            return Err(count);
        }
        let pairs = shards.iter().flat_map(|shard| shard.pairs());
        for (place, pair) in buffer.iter_mut().zip(pairs) {
            *place = (pair.key, pair.value);
        }
        Ok(count)
    }

    /// Looks a key up in its shard until `step` comes to an end, asking and sleeping in between with no lock held.
    fn with_shard<P, H, R>(
        &self,
        probe: &mut P,
        host: &H,
        mut step: impl FnMut(&mut Shard<K, V>, &P) -> Result<R, Blocked<K>>,
    ) -> Result<R, Failure<H::Error>>
    where
        P: Probe<K, Error = H::Error>,
        H: Host,
    {
        let shard = self.shard(probe.hash());
        loop {
            let outcome = step(&mut shard.write(), probe);
            match outcome {
                Ok(result) => return Ok(result),
                Err(Blocked::Ask(stored)) => probe.ask(stored).map_err(Failure::Foreign)?,
                Err(Blocked::By(obstacle)) => obstacle.wait(shard, host)?,
            }
        }
    }
}
