//! A part of the table with its own lock: entries, and the claims on their keys. Everything here runs under that lock.

use super::claim::{Claim, Obstacle};
use super::probe::{Probe, Same};
use crate::lines::Lines;
use hashbrown::hash_table::{Entry, HashTable};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why an attempt did not come to an end.
pub enum Blocked<K> {
    Ask(K),
    By(Obstacle),
}

#[derive(Clone, Copy)]
pub struct Pair<K, V> {
    pub hash: u64,
    pub key: K,
    pub value: V,
}

/// The first pair lies beside the lock: as long as a shard has no other, an operation needs no cache line but this one.
pub struct Shard<K, V> {
    first: Option<Pair<K, V>>,
    rest: Option<Box<Rest<K, V>>>,
}

/// What few shards of a small table have.
#[repr(align(64))]
struct Rest<K, V> {
    pairs: HashTable<Pair<K, V>, Lines>,
    claims: Vec<Claim<K>>,
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Shard {
            first: None,
            rest: None,
        }
    }
}

impl<K, V> Shard<K, V> {
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.as_ref().map_or(0, |rest| rest.pairs.len())
    }

    pub fn pairs(&self) -> impl Iterator<Item = &Pair<K, V>> {
        let rest = self.rest.iter().flat_map(|rest| rest.pairs.iter());
        self.first.iter().chain(rest)
    }

    #[cfg(not(loom))]
    pub fn pairs_mut(&mut self) -> impl Iterator<Item = &mut Pair<K, V>> {
        let rest = self.rest.iter_mut().flat_map(|rest| rest.pairs.iter_mut());
        self.first.iter_mut().chain(rest)
    }

    /// Removes every pair.
    pub fn clear(&mut self) {
        self.first = None;
        if let Some(rest) = &mut self.rest {
            rest.pairs = HashTable::new_in(Lines);
        }
    }

    pub fn claims(&self) -> &[Claim<K>] {
        self.rest.as_ref().map_or(&[], |rest| &rest.claims)
    }

    /// The claims, to change them: none where there has never been one.
    pub fn claims_mut(&mut self) -> Option<&mut Vec<Claim<K>>> {
        self.rest.as_mut().map(|rest| &mut rest.claims)
    }

    pub fn add_claim(&mut self, claim: Claim<K>) {
        self.rest().claims.push(claim);
    }

    fn rest(&mut self) -> &mut Rest<K, V> {
        self.rest.get_or_insert_with(|| {
            Box::new(Rest {
                pairs: HashTable::new_in(Lines),
                claims: Vec::new(),
            })
        })
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| {
            std::mem::size_of_val(&**rest)
                + rest.pairs.capacity() * (std::mem::size_of::<Pair<K, V>>() + 1)
        })
    }
}

impl<K: Copy + PartialEq, V: Copy> Shard<K, V> {
    pub fn find<P: Probe<K>>(&self, probe: &P) -> Result<Option<&Pair<K, V>>, K> {
        let mut unknown = None;
        let found = self.pair(probe.hash(), |pair| {
            matches(probe, pair.hash, pair.key, &mut unknown)
        });
        match (found, unknown) {
            (None, Some(key)) => Err(key),
            (found, _) => Ok(found),
        }
    }

    pub fn place<'a, P: Probe<K>>(
        &'a mut self,
        probe: &P,
        len: &'a AtomicUsize,
    ) -> Result<Place<'a, K, V>, Blocked<K>> {
        let mut unknown = None;
        let place = self.place_of(probe.hash(), len, |pair| {
            matches(probe, pair.hash, pair.key, &mut unknown)
        });
        match (place.get(), unknown) {
            (None, Some(key)) => Err(Blocked::Ask(key)),
            _ => Ok(place),
        }
    }

    /// The place of the pair of that hash for which `same` holds, or where it would be.
    pub fn place_of<'a>(
        &'a mut self,
        hash: u64,
        len: &'a AtomicUsize,
        mut same: impl FnMut(&Pair<K, V>) -> bool,
    ) -> Place<'a, K, V> {
        let is_first = match (&self.first, &self.rest) {
            (Some(pair), _) => same(pair),
            (None, Some(rest)) => rest.pairs.find(hash, &mut same).is_none(),
            (None, None) => true,
        };
        let room = if is_first {
            Room::First(&mut self.first)
        } else {
            Room::Rest(self.rest().pairs.entry(hash, same, |pair| pair.hash))
        };
        Place { room, hash, len }
    }

    fn pair(&self, hash: u64, mut same: impl FnMut(&Pair<K, V>) -> bool) -> Option<&Pair<K, V>> {
        let first = self.first.as_ref().filter(|pair| same(pair));
        first.or_else(|| self.rest.as_ref()?.pairs.find(hash, same))
    }

    /// Finds out whether `me` may write the key, and if not, why.
    pub fn admit<P: Probe<K>>(&mut self, probe: &P, me: usize) -> Result<(), Blocked<K>> {
        for claim in self.claims_mut().into_iter().flatten() {
            let mut unknown = None;
            if matches(probe, claim.hash, claim.key, &mut unknown) {
                return Err(Blocked::By(claim.obstacle(me)));
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

/// Where the key that was looked for is, or would be. Handed to a change under the shard's lock.
pub struct Place<'a, K, V> {
    room: Room<'a, K, V>,
    hash: u64,
    len: &'a AtomicUsize,
}

enum Room<'a, K, V> {
    First(&'a mut Option<Pair<K, V>>),
    Rest(Entry<'a, Pair<K, V>, Lines>),
}

impl<K: Copy, V: Copy> Place<'_, K, V> {
    pub fn get(&self) -> Option<V> {
        match &self.room {
            Room::First(pair) => pair.as_ref().map(|pair| pair.value),
            Room::Rest(Entry::Occupied(found)) => Some(found.get().value),
            Room::Rest(Entry::Vacant(_)) => None,
        }
    }

    /// Stores `value` under the key that is there, else under `key`.
    pub fn set(self, key: K, value: V) {
        let hash = self.hash;
        let new = Pair { hash, key, value };
        match self.room {
            Room::First(Some(pair)) => pair.value = value,
            Room::Rest(Entry::Occupied(mut found)) => found.get_mut().value = value,
            Room::First(room) => {
                *room = Some(new);
                self.len.fetch_add(1, Ordering::Relaxed);
            }
            Room::Rest(Entry::Vacant(room)) => {
                room.insert(new);
                self.len.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub fn remove(self) {
        let removed = match self.room {
            Room::First(pair) => pair.take().is_some(),
            Room::Rest(Entry::Occupied(found)) => {
                found.remove();
                true
            }
            Room::Rest(Entry::Vacant(_)) => false,
        };
        self.len.fetch_sub(usize::from(removed), Ordering::Relaxed);
    }
}
