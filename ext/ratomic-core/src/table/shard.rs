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

pub struct Shard<K, V> {
    pub pairs: HashTable<Pair<K, V>, Lines>,
    pub claims: Vec<Claim<K>>,
}

impl<K: Copy + PartialEq, V: Copy> Shard<K, V> {
    pub fn find<P: Probe<K>>(&self, probe: &P) -> Result<Option<&Pair<K, V>>, K> {
        let mut unknown = None;
        let found = self.pairs.find(probe.hash(), |pair| {
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
    pub fn admit<P: Probe<K>>(&mut self, probe: &P, me: usize) -> Result<(), Blocked<K>> {
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

/// Where the key that was looked for is, or would be. Handed to a change under the shard's lock.
pub struct Place<'a, K, V> {
    pub(super) entry: Entry<'a, Pair<K, V>, Lines>,
    pub(super) hash: u64,
    pub(super) len: &'a AtomicUsize,
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
