//! A part of the table with its own lock: entries, and the claims on their keys. Everything here runs under that lock.

use super::claim::{Claim, Conflict};
use super::entries::{Entries, Place, Room, Stored};
use super::lookup::{Lookup, Same};
use super::moments::Aside;
use super::pair::Pair;
use super::sizes::{shard_of, LAST};
use super::totals::Totals;
use std::ops::Range;

/// Why an attempt did not come to an end.
pub enum Blocked<K> {
    Ask(K),
    By(Conflict),
}

/// The first pair lies beside the lock, on the first line of memory. A read that finds it there, and a write where nothing
/// rare is there, need no other line. On the second is what is needed to find the other pairs.
#[repr(C)]
pub struct Shard<K, V> {
    first: Option<Pair<K, V>>,
    /// Snapshots up to this number have what they want of the shard as it was: see [`super::moments`].
    seen: usize,
    rare: Option<Box<Rare<K, V>>>,
    entries: Entries<K, V>,
    /// Whether there are claims. So a writer need not look into `rare`, which may be there without them.
    is_claimed: bool,
}

/// What few shards have.
struct Rare<K, V> {
    claims: Vec<Claim<K>>,
    asides: Vec<Aside<K, V>>,
}

impl<K, V> Default for Rare<K, V> {
    fn default() -> Self {
        Rare {
            claims: Vec::new(),
            asides: Vec::new(),
        }
    }
}

/// A part of what a shard holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    All,
    /// What no card of a token shows: the first pair, and whatever has just come in.
    Uncarded,
    /// One card, as long as that is its token.
    Card {
        card: usize,
        token: usize,
    },
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Shard {
            first: None,
            seen: 0,
            rare: None,
            entries: Entries::default(),
            is_claimed: false,
        }
    }
}

impl<K, V> Shard<K, V> {
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.entries.len()
    }

    pub fn pairs(&self) -> impl Iterator<Item = &Pair<K, V>> {
        self.first.iter().chain(self.entries.iter())
    }

    /// The pairs of a part.
    pub fn pairs_of(&self, share: Share) -> impl Iterator<Item = &Pair<K, V>> {
        let first = self.first.iter().filter(move |_| share.has_first());
        let cards = self.cards_of(share);
        first.chain(cards.flat_map(|card| self.entries.of_card(card)))
    }

    /// Calls `change` for each pair of a part, also for those that were put aside.
    #[cfg(not(loom))]
    pub fn each_of(&mut self, share: Share, mut change: impl FnMut(&mut K, &mut V)) {
        let mut each = |pair: &mut Pair<K, V>| change(&mut pair.key, &mut pair.value);
        if share.has_first() {
            self.first.iter_mut().for_each(&mut each);
        }
        let entries = &mut self.entries;
        for card in share.cards(entries.cards()) {
            if share.has(card, entries.token(card)) {
                entries.each_of_card(card, &mut each);
            }
        }
        let asides = self.rare.iter_mut().flat_map(|rare| rare.asides.iter_mut());
        for aside in asides {
            for part in share.parts(aside.ends.len()) {
                if share.has_part(part, entries) {
                    let pairs = aside.part_mut(part).iter_mut();
                    pairs.for_each(|(key, value)| change(key, value));
                }
            }
        }
    }

    /// Removes every pair, and the memory that they had. Returns how many there were.
    pub fn clear(&mut self, totals: &Totals) -> usize {
        let (count, before) = (self.len(), self.memory());
        self.first = None;
        if self.asides().is_empty() {
            self.entries = Entries::default();
        } else {
            // A card goes on showing what was put aside of it.
            self.entries.clear();
        }
        self.drop_rare();
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
        1 + self.entries.buckets()
    }

    /// The pair at a place, if there is one.
    pub fn at(&self, place: usize) -> Option<&Pair<K, V>> {
        match place.checked_sub(1) {
            None => self.first.as_ref(),
            Some(bucket) => self.entries.get(bucket),
        }
    }

    /// Empties a place; the others stay where they are. To be followed by `removed`.
    pub fn remove_at(&mut self, place: usize) {
        match place.checked_sub(1) {
            None => self.first = None,
            Some(bucket) => self.entries.remove(bucket),
        }
    }

    /// So many places were emptied, in the shard of that number.
    pub fn removed(&mut self, count: usize, number: usize, totals: &Totals) {
        totals.removed(count);
        if self.entries.is_sparse() {
            totals.need(number);
        }
    }

    /// Cards that nobody shows. Of a small shard none: those that show several shards do.
    #[cfg(not(loom))]
    pub fn untended_cards(&self) -> Vec<usize> {
        if !self.entries.has_many() {
            return Vec::new();
        }
        self.cards_of(Share::Uncarded).collect()
    }

    /// Names who shows a card from now on; see [`Entries::set_token`].
    #[cfg(not(loom))]
    pub fn set_token(&mut self, card: usize, token: usize, totals: &Totals) -> bool {
        let before = self.memory();
        let is_set = self.entries.set_token(card, token);
        self.resized(before, totals);
        is_set
    }

    /// Who shows a card, 0 if nobody does.
    #[cfg(not(loom))]
    pub fn token(&self, card: usize) -> usize {
        self.entries.token(card)
    }

    #[cfg(not(loom))]
    pub fn cards(&self) -> usize {
        self.entries.cards()
    }

    pub fn seen(&self) -> usize {
        self.seen
    }

    fn asides(&self) -> &[Aside<K, V>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.asides)
    }

    pub fn aside(&self, number: usize) -> Option<&[(K, V)]> {
        let mut asides = self.asides().iter();
        asides
            .find(|aside| aside.numbers.contains(&number))
            .map(|aside| &*aside.pairs)
    }

    /// What was put aside, for whatever snapshot, of a part.
    pub fn asides_of(&self, share: Share) -> impl Iterator<Item = &(K, V)> {
        self.asides().iter().flat_map(move |aside| {
            let is_in = move |part: &usize| share.has_part(*part, &self.entries);
            let parts = share.parts(aside.ends.len()).filter(is_in);
            parts.flat_map(|part| aside.part(part))
        })
    }

    /// Cards that have pairs, or of which some were put aside.
    #[cfg(not(loom))]
    pub fn shown_cards(&self) -> usize {
        let asides = self.asides().iter().map(|aside| aside.ends.len() - 1);
        self.cards().max(asides.max().unwrap_or(0))
    }

    /// Drops what was put aside for a snapshot. The shard has that number.
    pub fn forget(&mut self, number: usize, shard: usize, totals: &Totals) {
        self.keep_asides(|wanting| *wanting != number, totals);
        if self.entries.is_sparse() {
            totals.need(shard);
        }
    }

    /// Drops what was put aside for all snapshots but these.
    #[cfg(not(loom))]
    pub fn forget_all_but(&mut self, numbers: &[usize], totals: &Totals) {
        self.keep_asides(|number| numbers.contains(number), totals);
    }

    fn keep_asides(&mut self, keep: impl Fn(&usize) -> bool, totals: &Totals) {
        let before = self.memory();
        let rare = self.rare.as_mut().filter(|rare| !rare.asides.is_empty());
        let Some(rare) = rare else { return };
        rare.asides.retain_mut(|aside| {
            aside.numbers.retain(&keep);
            !aside.numbers.is_empty()
        });
        if rare.asides.is_empty() {
            self.entries.drop_tokens();
            self.drop_rare();
        }
        self.resized(before, totals);
    }

    pub fn claims(&self) -> &[Claim<K>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.claims)
    }

    /// The claims, to change what is in them; nothing where there are none and nothing else rare is there.
    pub fn claims_mut(&mut self) -> Option<&mut Vec<Claim<K>>> {
        self.rare.as_mut().map(|rare| &mut rare.claims)
    }

    pub fn add_claim(&mut self, claim: Claim<K>, totals: &Totals) {
        if self.rare.is_none() {
            totals.resized(0, size_of::<Rare<K, V>>());
        }
        self.rare().claims.push(claim);
        self.is_claimed = true;
    }

    /// Takes a claim out of the list.
    pub fn take_claim(&mut self, place: usize) -> Option<Claim<K>> {
        let claims = self.claims_mut()?;
        let claim = claims.swap_remove(place);
        self.is_claimed = !claims.is_empty();
        Some(claim)
    }

    /// Takes those claims out of the list.
    pub fn take_claims(&mut self, those: impl Fn(&Claim<K>) -> bool) -> Vec<Claim<K>> {
        let Some(claims) = self.claims_mut() else {
            return Vec::new();
        };
        let (taken, kept) = std::mem::take(claims).into_iter().partition(those);
        *claims = kept;
        self.is_claimed = !claims.is_empty();
        taken
    }

    fn rare(&mut self) -> &mut Rare<K, V> {
        self.rare.get_or_insert_with(Box::default)
    }

    fn drop_rare(&mut self) {
        if self.claims().is_empty() && self.asides().is_empty() {
            self.rare = None;
        }
    }

    /// Bytes on the heap, but for the lists of claims.
    pub fn memory(&self) -> usize {
        let rare = self.rare.as_ref().map_or(0, |_| size_of::<Rare<K, V>>());
        let pairs: usize = self.asides().iter().map(|aside| aside.pairs.len()).sum();
        self.entries.memory() + rare + pairs * size_of::<(K, V)>()
    }

    fn cards_of(&self, share: Share) -> impl Iterator<Item = usize> + '_ {
        let cards = share.cards(self.entries.cards());
        cards.filter(move |card| share.has(*card, self.entries.token(*card)))
    }
}

impl Share {
    fn has_first(self) -> bool {
        !matches!(self, Share::Card { .. })
    }

    /// Those of so many cards that may be in it.
    fn cards(self, count: usize) -> Range<usize> {
        match self {
            Share::Card { card, .. } => card..(card + 1).min(count),
            _ => 0..count,
        }
    }

    /// The same of parts of what was put aside.
    fn parts(self, count: usize) -> Range<usize> {
        match self {
            Share::Card { card, .. } => card + 1..(card + 2).min(count),
            _ => 0..count,
        }
    }

    /// Whether a card whose token is that is in it.
    fn has(self, card: usize, token: usize) -> bool {
        match self {
            Share::All => true,
            Share::Uncarded => token == 0,
            Share::Card {
                card: wanted,
                token: its,
            } => card == wanted && token == its,
        }
    }

    /// The same of a part of what was put aside.
    fn has_part<K, V>(self, part: usize, entries: &Entries<K, V>) -> bool {
        match part.checked_sub(1) {
            None => self.has_first(),
            Some(card) => self.has(card, entries.token(card)),
        }
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
        let copy = |pair: &Pair<K, V>| (pair.key, pair.value);
        let mut pairs: Vec<_> = self.first.iter().map(copy).collect();
        let mut ends = vec![pairs.len()];
        for card in 0..self.entries.cards() {
            pairs.extend(self.entries.of_card(card).map(copy));
            ends.push(pairs.len());
        }
        let aside = Aside {
            numbers: wanting,
            pairs: pairs.into(),
            ends: ends.into(),
        };
        self.rare().asides.push(aside);
        self.resized(before, totals);
    }

    /// Gives memory back that deletes have left empty, unless a snapshot still wants what was put aside of the cards.
    /// Each time about a quarter of what will be used again, so a few deletes pay for it once and a few inserts more bring
    /// it on again.
    #[cfg(not(loom))]
    pub fn compact(&mut self, totals: &Totals) {
        if self.entries.is_sparse() && self.asides().is_empty() {
            let before = self.memory();
            self.entries.compact();
            self.resized(before, totals);
        }
    }

    /// Whether pairs have come to other cards since this was asked for the last time.
    #[cfg(not(loom))]
    pub fn take_moved(&mut self) -> bool {
        self.entries.take_moved()
    }

    /// Takes everything out, for another level.
    pub fn take(&mut self, totals: &Totals) -> (Vec<Pair<K, V>>, Vec<Claim<K>>) {
        let pairs = self.pairs().copied().collect();
        let before = self.memory();
        self.first = None;
        self.entries = Entries::default();
        let claims = self.rare.take().map_or_else(Vec::new, |rare| rare.claims);
        self.resized(before, totals);
        (pairs, claims)
    }

    /// Takes in what another shard had.
    pub fn adopt(&mut self, pair: Pair<K, V>, totals: &Totals) {
        if self.first.is_none() {
            self.first = Some(pair);
        } else {
            let before = self.memory();
            self.entries.insert(pair);
            if self.entries.has_many() {
                totals.need(shard_of(pair.hash, LAST));
            }
            self.resized(before, totals);
        }
    }

    pub fn find<P: Lookup<K>>(&self, lookup: &P) -> Result<Option<&Pair<K, V>>, K> {
        let mut unknown = None;
        let found = self.pair(lookup.hash(), |pair| {
            matches(lookup, pair.hash, pair.key, &mut unknown)
        });
        match (found, unknown) {
            (None, Some(key)) => Err(key),
            (found, _) => Ok(found),
        }
    }

    pub fn entry<'a, P: Lookup<K>>(
        &'a mut self,
        lookup: &P,
        totals: &'a Totals,
    ) -> Result<Entry<'a, K, V>, Blocked<K>> {
        let mut unknown = None;
        let entry = self.entry_of(lookup.hash(), totals, |pair| {
            matches(lookup, pair.hash, pair.key, &mut unknown)
        });
        match (entry.get(), unknown) {
            (None, Some(key)) => Err(Blocked::Ask(key)),
            _ => Ok(entry),
        }
    }

    /// The entry of the pair of that hash for which `same` holds, or of one that is to be.
    pub fn entry_of<'a>(
        &'a mut self,
        hash: u64,
        totals: &'a Totals,
        mut same: impl FnMut(&Pair<K, V>) -> bool,
    ) -> Entry<'a, K, V> {
        let is_first = self.first.as_ref().is_some_and(&mut same);
        let place = if is_first {
            EntryRef::First(&mut self.first)
        } else {
            match self.entries.place(hash, same) {
                Place::Full(stored) => EntryRef::Stored(stored),
                Place::Empty(_) if self.first.is_none() => EntryRef::First(&mut self.first),
                Place::Empty(room) => EntryRef::Room(room),
            }
        };
        Entry {
            place,
            hash,
            totals,
        }
    }

    fn pair(&self, hash: u64, mut same: impl FnMut(&Pair<K, V>) -> bool) -> Option<&Pair<K, V>> {
        let first = self.first.as_ref().filter(|pair| same(pair));
        first.or_else(|| self.entries.find(hash, same))
    }

    /// Finds out whether `me` may write the key, and if not, why.
    #[inline]
    pub fn admit<P: Lookup<K>>(&mut self, lookup: &P, me: usize) -> Result<(), Blocked<K>> {
        if self.rare.is_some() && self.is_claimed {
            return self.admit_beside_claims(lookup, me);
        }
        Ok(())
    }

    #[cold]
    fn admit_beside_claims<P: Lookup<K>>(
        &mut self,
        lookup: &P,
        me: usize,
    ) -> Result<(), Blocked<K>> {
        for claim in self.claims_mut().into_iter().flatten() {
            let mut unknown = None;
            if matches(lookup, claim.hash, claim.key, &mut unknown) {
                return Err(Blocked::By(claim.conflict(me)));
            }
            if let Some(key) = unknown {
                return Err(Blocked::Ask(key));
            }
        }
        Ok(())
    }
}

fn matches<K: Copy, P: Lookup<K>>(lookup: &P, hash: u64, key: K, unknown: &mut Option<K>) -> bool {
    if hash != lookup.hash() {
        return false;
    }
    match lookup.same(key) {
        Same::Yes => true,
        Same::No => false,
        Same::Ask => {
            *unknown = Some(key);
            false
        }
    }
}

/// Where the key that was looked for is, or would be. Handed to a change under the shard's lock.
pub struct Entry<'a, K, V> {
    place: EntryRef<'a, K, V>,
    hash: u64,
    totals: &'a Totals,
}

enum EntryRef<'a, K, V> {
    First(&'a mut Option<Pair<K, V>>),
    Stored(Stored<'a, K, V>),
    Room(Room<'a, K, V>),
}

/// Who shows a pair that was stored to a collector.
pub struct ShownBy<'a, K, V>(Option<Stored<'a, K, V>>);

impl<K, V> ShownBy<'_, K, V> {
    /// The token of its card, 0 where nobody shows that for itself.
    pub fn token(&self) -> usize {
        self.0.as_ref().map_or(0, Stored::token)
    }
}

impl<'a, K: Copy, V: Copy> Entry<'a, K, V> {
    pub fn get(&self) -> Option<V> {
        match &self.place {
            EntryRef::First(pair) => pair.as_ref().map(|pair| pair.value),
            EntryRef::Stored(stored) => Some(stored.get().value),
            EntryRef::Room(_) => None,
        }
    }

    /// Stores `value` under the key that is there, else under `key`.
    #[inline]
    pub fn set(self, key: K, value: V) {
        self.store(key, value);
    }

    /// As `set`, and tells who shows the pair to a collector.
    #[inline]
    pub fn store(self, key: K, value: V) -> ShownBy<'a, K, V> {
        let hash = self.hash;
        let new = Pair { hash, key, value };
        match self.place {
            EntryRef::First(Some(pair)) => {
                pair.value = value;
                ShownBy(None)
            }
            EntryRef::First(empty) => {
                *empty = Some(new);
                self.totals.added();
                ShownBy(None)
            }
            EntryRef::Stored(mut stored) => {
                stored.get_mut().value = value;
                ShownBy(Some(stored))
            }
            EntryRef::Room(room) => {
                // Grows here, where it is counted.
                let stored = room.insert(new, |before, after, is_carded| {
                    if is_carded {
                        self.totals.need(shard_of(hash, LAST));
                    }
                    self.totals.resized(before, after);
                });
                self.totals.added();
                ShownBy(Some(stored))
            }
        }
    }

    pub fn remove(self) {
        let removed = match self.place {
            EntryRef::First(pair) => pair.take().is_some(),
            EntryRef::Stored(stored) => {
                if stored.remove() {
                    self.totals.need(shard_of(self.hash, LAST));
                }
                true
            }
            EntryRef::Room(_) => false,
        };
        if removed {
            self.totals.removed(1);
        }
    }
}
