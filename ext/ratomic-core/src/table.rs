//! A sharded hash table whose keys can be claimed.
//!
//! Each shard is a hashbrown table and a list of claims under one lock. Keys are compared under that lock only as far as
//! no foreign code is needed (identity, or native comparison of strings and numbers). Where it is needed, the attempt
//! ends with [`Blocked::Ask`], the caller asks with no lock held, its [`Probe`] remembers the answer, and it tries again.
//! An entry that came in meanwhile is asked about in turn, so nothing is missed.
//!
//! A claim is one thread's right to write one key while foreign code computes the value. It lies beside the entries, not
//! among them: a key that is claimed and has no value yet is in nobody's sight. Readers pass claims by; another writer
//! of the key sleeps until the claim is released; the owner itself, and whoever would close a circle of waiting threads,
//! is refused at once.
//!
//! A single shard lock is held at a time but in `copy_to`, which takes the read locks of all, in order. The wait graph's
//! lock ([`deadlock`]) is taken inside a shard's.

use crate::deadlock;
use crate::guarded::Guarded;
use crate::sync::Arc;
use crate::waiter::{Deadline, Host, Waiter};
use hashbrown::hash_table::{Entry, HashTable};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a claim may stand before a waiter asks whether its owner is still there.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether a stored key is the one that is looked for.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Same {
    Yes,
    No,
    /// Only foreign code can tell.
    Ask,
}

/// A key that is looked for.
pub trait Probe<K> {
    type Error;

    fn hash(&self) -> u64;
    fn key(&self) -> K;

    /// Compares without foreign code, or from what `ask` has learnt. Called under a lock.
    fn same(&self, stored: K) -> Same;

    /// Asks foreign code, and remembers the answer. Called with no lock held.
    fn ask(&mut self, stored: K) -> Result<(), Self::Error>;
}

/// Why an attempt did not come to an end.
enum Blocked<K> {
    Ask(K),
    By(Obstacle),
}

/// A claim in the way.
enum Obstacle {
    /// Another thread's; the waiter is in its list.
    Other {
        owner: usize,
        waiter: Arc<Waiter>,
    },
    Own,
    Deadlock,
}

/// A claim that was granted: what `release` needs to know. Lives on the owner's stack, where a collector sees its keys.
pub struct Grant<K, V> {
    hash: u64,
    key: K,
    owner: usize,
    /// The key of the entry that was there, which may be another object than `key`.
    stored: Option<K>,
    pub value: Option<V>,
}

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

#[derive(Clone, Copy)]
struct Pair<K, V> {
    hash: u64,
    key: K,
    value: V,
}

struct Claim<K> {
    hash: u64,
    key: K,
    owner: usize,
    /// Who sleeps until the release, and the thread's name in the wait graph.
    waiters: Vec<(Arc<Waiter>, usize)>,
}

struct Shard<K, V> {
    pairs: HashTable<Pair<K, V>>,
    claims: Vec<Claim<K>>,
}

/// A cache line to itself for each shard.
#[repr(align(64))]
struct Padded<T>(T);

/// Many more than there are processors: two threads on different keys must seldom want the same line of memory.
const FEWEST: usize = 256;

type Shards<K, V> = Box<[Padded<Guarded<Shard<K, V>>>]>;

pub struct Table<K, V> {
    shards: Shards<K, V>,
    shift: u32,
    len: AtomicUsize,
}

/// Where the key that was looked for is, or would be. Handed to a change under the shard's lock.
pub struct Place<'a, K, V> {
    entry: Entry<'a, Pair<K, V>>,
    hash: u64,
    len: &'a AtomicUsize,
}

impl<K, V> Grant<K, V> {
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

impl<K: Copy, V: Copy> Place<'_, K, V> {
    pub fn get(&self) -> Option<V> {
        match &self.entry {
            Entry::Occupied(found) => Some(found.get().value),
            Entry::Vacant(_) => None,
        }
    }

    /// Stores `value` under the key that is there, else under `key`.
    pub fn set(self, key: K, value: V) {
        match self.entry {
            Entry::Occupied(mut found) => found.get_mut().value = value,
            Entry::Vacant(room) => {
                room.insert(Pair {
                    hash: self.hash,
                    key,
                    value,
                });
                self.len.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub fn remove(self) {
        if let Entry::Occupied(found) = self.entry {
            found.remove();
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<K: Copy + PartialEq, V: Copy> Shard<K, V> {
    fn find<P: Probe<K>>(&self, probe: &P) -> Result<Option<&Pair<K, V>>, K> {
        let mut unknown = None;
        let found = self.pairs.find(probe.hash(), |pair| {
            matches(probe, pair.hash, pair.key, &mut unknown)
        });
        match (found, unknown) {
            (None, Some(key)) => Err(key),
            (found, _) => Ok(found),
        }
    }

    fn place<'a, P: Probe<K>>(
        &'a mut self,
        probe: &P,
        len: &'a AtomicUsize,
    ) -> Result<Place<'a, K, V>, Blocked<K>> {
        let mut unknown = None;
        let hash = probe.hash();
        let entry = self.pairs.entry(
            hash,
            |pair| matches(probe, pair.hash, pair.key, &mut unknown),
            |pair| pair.hash,
        );
        match (entry, unknown) {
            (Entry::Vacant(_), Some(key)) => Err(Blocked::Ask(key)),
            (entry, _) => Ok(Place { entry, hash, len }),
        }
    }

    /// Finds out whether `me` may write the key, and if not, why.
    fn admit<P: Probe<K>>(&mut self, probe: &P, me: usize) -> Result<(), Blocked<K>> {
        for place in 0..self.claims.len() {
            let mut unknown = None;
            if matches(
                probe,
                self.claims[place].hash,
                self.claims[place].key,
                &mut unknown,
            ) {
                return Err(Blocked::By(self.claims[place].obstacle(me)));
            }
            if let Some(key) = unknown {
                return Err(Blocked::Ask(key));
            }
        }
        Ok(())
    }
}

fn matches<K: Copy, P: Probe<K>>(probe: &P, hash: u64, key: K, unknown: &mut Option<K>) -> bool {
    if hash != probe.hash() {
        return false;
    }
    match probe.same(key) {
        Same::Yes => true,
        Same::No => false,
        Same::Ask => {
            *unknown = Some(key);
            false
        }
    }
}

impl<K> Claim<K> {
    fn obstacle(&mut self, me: usize) -> Obstacle {
        if self.owner == me {
            return Obstacle::Own;
        }
        if deadlock::wait(me, self.owner).is_err() {
            return Obstacle::Deadlock;
        }
        let waiter = Waiter::new();
        self.waiters.push((Arc::clone(&waiter), me));
        Obstacle::Other {
            owner: self.owner,
            waiter,
        }
    }

    /// Takes the waiter out of the list, if it is still in it.
    fn leave(&mut self, waiter: &Arc<Waiter>) {
        let place = self
            .waiters
            .iter()
            .position(|(other, _)| Arc::ptr_eq(other, waiter));
        if let Some((_, thread)) = place.map(|place| self.waiters.swap_remove(place)) {
            deadlock::forget(thread);
        }
    }

    /// Lets everybody who waits for the claim try again. It must be out of its shard's list.
    fn wake(self) {
        self.waiters.iter().for_each(|(waiter, _)| waiter.notify());
    }
}

impl Obstacle {
    /// Sleeps until the claim is released, or the host wants the thread.
    fn wait<K, V, H: Host>(
        self,
        shard: &Guarded<Shard<K, V>>,
        host: &H,
    ) -> Result<(), Failure<H::Error>> {
        let (owner, waiter) = match self {
            Obstacle::Own => return Err(Failure::Own),
            Obstacle::Deadlock => return Err(Failure::Deadlock),
            Obstacle::Other { owner, waiter } => (owner, waiter),
        };
        let outcome = Self::wait_patiently(shard, host, owner, &waiter);
        let mut locked = shard.write();
        locked
            .claims
            .iter_mut()
            .for_each(|claim| claim.leave(&waiter));
        drop(locked);
        outcome
            .and_then(|()| host.check())
            .map_err(Failure::Foreign)
    }

    fn wait_patiently<K, V, H: Host>(
        shard: &Guarded<Shard<K, V>>,
        host: &H,
        owner: usize,
        waiter: &Waiter,
    ) -> Result<(), H::Error> {
        while !waiter.is_notified() {
            waiter.rearm();
            host.check()?;
            if !host.is_alive(owner)? {
                Self::disown(shard, owner);
                break;
            }
            host.sleep(waiter, Deadline::after(PATIENCE))?;
        }
        Ok(())
    }

    /// Releases the claims of a thread that has ended. It left a block half-run, in a coroutine that nobody resumed.
    fn disown<K, V>(shard: &Guarded<Shard<K, V>>, owner: usize) {
        let mut locked = shard.write();
        let (gone, claims) = std::mem::take(&mut locked.claims)
            .into_iter()
            .partition(|claim| claim.owner == owner);
        locked.claims = claims;
        let gone: Vec<Claim<K>> = gone;
        gone.iter()
            .flat_map(|claim| &claim.waiters)
            .for_each(|(_, thread)| deadlock::forget(*thread));
        drop(locked);
        gone.into_iter().for_each(Claim::wake);
    }
}

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// `parallel` is how many threads can run at once.
    pub fn new(parallel: usize) -> Self {
        let count = (parallel * 4).next_power_of_two().clamp(FEWEST, 1024);
        let shard = || {
            Padded(Guarded::new(Shard {
                pairs: HashTable::new(),
                claims: Vec::new(),
            }))
        };
        Table {
            shards: (0..count).map(|_| shard()).collect(),
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
            shard.claims.push(Claim {
                hash,
                key,
                owner: me,
                waiters: Vec::new(),
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
    /// long as the claim stood nobody else could write the key, so the entry is where it was, or still missing.
    pub fn release(&self, grant: &Grant<K, V>, change: impl FnOnce(Place<'_, K, V>)) {
        let mut shard = self.shard(grant.hash).write();
        let Shard { pairs, claims } = &mut *shard;
        let entry = pairs.entry(
            grant.hash,
            |pair| grant.stored == Some(pair.key),
            |pair| pair.hash,
        );
        change(Place {
            entry,
            hash: grant.hash,
            len: &self.len,
        });
        let mine = |claim: &Claim<K>| claim.owner == grant.owner && claim.key == grant.key;
        let Some(place) = claims.iter().position(mine) else {
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

    /// Removes every entry, shard by shard, waiting for the claims in each.
    pub fn clear<H: Host>(&self, host: &H, me: usize) -> Result<(), Failure<H::Error>> {
        for Padded(shard) in &self.shards {
            loop {
                let mut locked = shard.write();
                let Some(obstacle) = locked.claims.first_mut().map(|claim| claim.obstacle(me))
                else {
                    self.len.fetch_sub(locked.pairs.len(), Ordering::Relaxed);
                    locked.pairs = HashTable::new();
                    break;
                };
                drop(locked);
                obstacle.wait(shard, host)?;
            }
        }
        Ok(())
    }

    /// Copies all entries as they are at one moment. `Err` is how many there are when `buffer` is too short.
    pub fn copy_to(&self, buffer: &mut [(K, V)]) -> Result<usize, usize> {
        let shards: Vec<_> = self
            .shards
            .iter()
            .map(|Padded(shard)| shard.read())
            .collect();
        let count = shards.iter().map(|shard| shard.pairs.len()).sum();
        if count > buffer.len() {
            return Err(count);
        }
        let pairs = shards.iter().flat_map(|shard| shard.pairs.iter());
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
            .pairs
            .iter()
            .for_each(|found| pair(&found.key, &found.value));
        shard
            .claims
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
            .pairs
            .iter_mut()
            .for_each(|found| pair(&mut found.key, &mut found.value));
    }

    /// Copies pairs of a shard from the `skip`-th on, and returns how many. Between two calls the order may change.
    pub fn some(&self, shard: usize, skip: usize, buffer: &mut [(K, V)]) -> usize {
        let shard = self.shards[shard].0.read();
        let pairs = shard.pairs.iter().skip(skip);
        let copy = |(place, pair): (&mut (K, V), &Pair<K, V>)| *place = (pair.key, pair.value);
        buffer.iter_mut().zip(pairs).map(copy).count()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        let bytes = |Padded(shard): &Padded<Guarded<Shard<K, V>>>| {
            shard.read().pairs.capacity() * (std::mem::size_of::<Pair<K, V>>() + 1)
        };
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
            shard.claims.retain(|claim| claim.owner == survivor);
            shard
                .claims
                .iter_mut()
                .for_each(|claim| claim.waiters.clear());
        }
    }
}
