//! A part of the table with its own lock: entries, and the claims on their keys. Everything here runs under that lock.

use super::claim::{Claim, Obstacle};
use super::moments::Aside;
use super::probe::{Probe, Same};
use super::totals::Totals;
use crate::cache_aligned_alloc::CacheAlignedAlloc;
use hashbrown::hash_table::{Entry, HashTable};
use std::mem::size_of;

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
    /// Snapshots up to this number have what they want of the shard as it was: see [`super::moments`].
    seen: usize,
}

/// What few shards of a small table have.
#[repr(align(64))]
struct Rest<K, V> {
    pairs: HashTable<Pair<K, V>, CacheAlignedAlloc>,
    claims: Vec<Claim<K>>,
    asides: Vec<Aside<K, V>>,
}

impl<K, V> Default for Rest<K, V> {
    fn default() -> Self {
        Rest {
            pairs: HashTable::new_in(CacheAlignedAlloc),
            claims: Vec::new(),
            asides: Vec::new(),
        }
    }
}

/// A table of further pairs that is filled to less than this share gives memory back, but not below so many pairs.
const SPARSE: usize = 8;
const FEW: usize = 14;

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Shard {
            first: None,
            rest: None,
            seen: 0,
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

    /// Removes every pair, and the memory that they had. Returns how many there were.
    pub fn clear(&mut self, totals: &Totals) -> usize {
        let (count, before) = (self.len(), self.memory());
        self.first = None;
        match &mut self.rest {
            Some(rest) if !rest.claims.is_empty() || !rest.asides.is_empty() => {
                rest.pairs = HashTable::new_in(CacheAlignedAlloc);
            }
            rest => *rest = None,
        }
        self.resized(before, totals);
        totals.removed(count);
        count
    }

    fn resized(&self, before: usize, totals: &Totals) {
        let after = self.memory();
        if after != before {
            totals.resized(before, after);
        }
    }

    /// Places that have a pair or room for one.
    pub fn places(&self) -> usize {
        1 + self
            .rest
            .as_ref()
            .map_or(0, |rest| rest.pairs.num_buckets())
    }

    /// The pair at a place, if there is one.
    pub fn at(&self, place: usize) -> Option<&Pair<K, V>> {
        match place.checked_sub(1) {
            None => self.first.as_ref(),
            Some(bucket) => self.rest.as_ref()?.pairs.get_bucket(bucket),
        }
    }

    /// Empties a place; the others stay where they are. To be followed by `removed`.
    pub fn remove_at(&mut self, place: usize) {
        let Some(bucket) = place.checked_sub(1) else {
            self.first = None;
            return;
        };
        let rest = self.rest.as_mut();
        if let Some(Ok(entry)) = rest.map(|rest| rest.pairs.get_bucket_entry(bucket)) {
            entry.remove();
        }
    }

    /// So many places were emptied.
    pub fn removed(&mut self, count: usize, totals: &Totals) {
        totals.removed(count);
        if let Some(rest) = &mut self.rest {
            shrink(&mut rest.pairs, totals);
        }
    }

    pub fn seen(&self) -> usize {
        self.seen
    }

    pub fn aside(&self, number: usize) -> Option<&[(K, V)]> {
        let mut asides = self.rest.iter().flat_map(|rest| &rest.asides);
        asides
            .find(|aside| aside.number == number)
            .map(|aside| &*aside.pairs)
    }

    /// What was put aside, for whatever snapshot.
    pub fn asides(&self) -> impl Iterator<Item = &(K, V)> {
        let asides = self.rest.iter().flat_map(|rest| &rest.asides);
        asides.flat_map(|aside| &*aside.pairs)
    }

    /// As [`Shard::asides`], for who changes them.
    pub fn asides_mut(&mut self) -> impl Iterator<Item = &mut (K, V)> {
        let asides = self.rest.iter_mut().flat_map(|rest| &mut rest.asides);
        asides.flat_map(|aside| &mut *aside.pairs)
    }

    /// Drops what was put aside for a snapshot.
    pub fn forget(&mut self, number: usize, totals: &Totals) {
        let before = self.memory();
        if let Some(rest) = &mut self.rest {
            rest.asides.retain(|aside| aside.number != number);
            rest.asides.shrink_to_fit();
        }
        self.resized(before, totals);
    }

    /// Drops what was put aside for all snapshots but these.
    #[cfg(not(loom))]
    pub fn forget_all_but(&mut self, numbers: &[usize], totals: &Totals) {
        let before = self.memory();
        if let Some(rest) = self.rest.as_mut().filter(|rest| !rest.asides.is_empty()) {
            rest.asides.retain(|aside| numbers.contains(&aside.number));
        }
        self.resized(before, totals);
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
        self.rest.get_or_insert_with(Box::default)
    }

    /// Bytes on the heap, but for the lists of claims.
    pub fn memory(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.memory())
    }
}

impl<K, V> Rest<K, V> {
    fn memory(&self) -> usize {
        let asides = self.asides.iter().map(|aside| aside.pairs.len());
        size_of::<Self>()
            + self.pairs.allocation_size()
            + asides.sum::<usize>() * size_of::<(K, V)>()
    }
}

impl<K: Copy + PartialEq, V: Copy> Shard<K, V> {
    /// Puts the pairs aside for snapshots that want them, and has then dealt with those up to `now`.
    pub fn put_aside(&mut self, wanting: Vec<usize>, now: usize, totals: &Totals) {
        self.seen = now;
        if wanting.is_empty() || self.len() == 0 {
            return;
        }
        let before = self.memory();
        let pairs: Box<[(K, V)]> = self.pairs().map(|pair| (pair.key, pair.value)).collect();
        let asides = wanting.into_iter().map(|number| Aside {
            number,
            pairs: pairs.clone(),
        });
        self.rest().asides.extend(asides);
        self.resized(before, totals);
    }

    /// Takes everything out, for another level.
    pub fn take(&mut self, totals: &Totals) -> (Vec<Pair<K, V>>, Vec<Claim<K>>) {
        let pairs = self.pairs().copied().collect();
        let before = self.memory();
        self.first = None;
        let claims = self.rest.take().map_or_else(Vec::new, |rest| rest.claims);
        self.resized(before, totals);
        (pairs, claims)
    }

    /// Takes in what another shard had.
    pub fn adopt(&mut self, pair: Pair<K, V>, totals: &Totals) {
        if self.first.is_none() {
            self.first = Some(pair);
        } else {
            let before = self.memory();
            self.rest()
                .pairs
                .insert_unique(pair.hash, pair, |pair| pair.hash);
            self.resized(before, totals);
        }
    }

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
        totals: &'a Totals,
    ) -> Result<Place<'a, K, V>, Blocked<K>> {
        let mut unknown = None;
        let place = self.place_of(probe.hash(), totals, |pair| {
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
        totals: &'a Totals,
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
            self.make_room(totals);
            Room::Rest(self.rest().pairs.entry(hash, same, |pair| pair.hash))
        };
        Place { room, hash, totals }
    }

    /// Grows here, where it is counted, if one more pair would make it grow.
    #[inline]
    fn make_room(&mut self, totals: &Totals) {
        let full = |rest: &Rest<K, V>| rest.pairs.len() == rest.pairs.capacity();
        if self.rest.as_deref().is_none_or(full) {
            self.grow(totals);
        }
    }

    #[cold]
    fn grow(&mut self, totals: &Totals) {
        let before = self.memory();
        self.rest().pairs.reserve(1, |pair| pair.hash);
        self.resized(before, totals);
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
    totals: &'a Totals,
}

enum Room<'a, K, V> {
    First(&'a mut Option<Pair<K, V>>),
    Rest(Entry<'a, Pair<K, V>, CacheAlignedAlloc>),
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
                self.totals.added();
            }
            Room::Rest(Entry::Vacant(room)) => {
                room.insert(new);
                self.totals.added();
            }
        }
    }

    pub fn remove(self) {
        let removed = match self.room {
            Room::First(pair) => pair.take().is_some(),
            Room::Rest(Entry::Occupied(found)) => {
                shrink(found.remove().1.into_table(), self.totals);
                true
            }
            Room::Rest(Entry::Vacant(_)) => false,
        };
        if removed {
            self.totals.removed(1);
        }
    }
}

/// Gives memory back that deletes have left empty. Each time about a quarter of what will be used again, so a delete pays
/// for it once and a few inserts more bring it on again.
fn shrink<K, V>(pairs: &mut HashTable<Pair<K, V>, CacheAlignedAlloc>, totals: &Totals) {
    if pairs.capacity() > FEW && pairs.len() < pairs.capacity() / SPARSE {
        let before = pairs.allocation_size();
        pairs.shrink_to(pairs.len() * 2, |pair| pair.hash);
        totals.resized(before, pairs.allocation_size());
    }
}
