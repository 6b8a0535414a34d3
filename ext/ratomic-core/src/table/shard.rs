//! A part of the table with its own lock: entries, and the claims on their keys. Everything here runs under that lock.

use super::claim::{Claim, Conflict};
use super::entries::{Entries, Place, Room, Stored};
use super::lookup::{Lookup, Same, Unknown};
use super::moments::Aside;
use super::pair::Pair;
use super::sizes::{shard_of, LAST_LEVEL};
use super::totals::Totals;
use std::ops::Range;

/// Why an attempt has to be repeated.
pub enum Blocked<K> {
    Ask(Unknown<K>),
    By(Conflict),
}

/// The first pair lies beside the lock, in the first cache line. A read that finds its key there needs no other line, nor
/// does a write if the shard has neither claims nor copies for snapshots. The second cache line has what is needed to
/// find the other pairs.
#[repr(C)]
pub struct Shard<K, V> {
    first: Option<Pair<K, V>>,
    /// The snapshots up to this number need no more copies of the pairs: see [`super::moments`].
    seen: usize,
    rare: Option<Box<Rare<K, V>>>,
    entries: Entries<K, V>,
    /// Whether there are claims. A writer reads this instead of `rare`, which may be there without claims.
    is_claimed: bool,
}

/// What most shards do not have, in memory of its own.
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

/// Some of the pairs of a shard: those that one object shows to the collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    All,
    /// The first pair, and the pairs of cards without a token.
    Uncarded,
    /// The pairs of one card; none if the card has another token.
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

    /// The selected pairs.
    pub fn pairs_of(&self, selection: Selection) -> impl Iterator<Item = &Pair<K, V>> {
        let first = self.first.iter().filter(move |_| selection.has_first());
        let cards = self.cards_of(selection);
        first.chain(cards.flat_map(|card| self.entries.of_card(card)))
    }

    /// Calls `change` for each selected pair, and for their copies that were put aside for snapshots.
    #[cfg(not(loom))]
    pub fn each_of(&mut self, selection: Selection, mut change: impl FnMut(&mut K, &mut V)) {
        let mut each = |pair: &mut Pair<K, V>| change(&mut pair.key, &mut pair.value);
        if selection.has_first() {
            self.first.iter_mut().for_each(&mut each);
        }
        let entries = &mut self.entries;
        for card in selection.cards(entries.cards()) {
            if selection.has(card, entries.token(card)) {
                entries.each_of_card(card, &mut each);
            }
        }
        let asides = self.rare.iter_mut().flat_map(|rare| rare.asides.iter_mut());
        for aside in asides {
            for part in selection.parts(aside.ends.len()) {
                if selection.has_part(part, entries) {
                    let pairs = aside.part_mut(part).iter_mut();
                    pairs.for_each(|(key, value)| change(key, value));
                }
            }
        }
    }

    /// Removes every pair and frees their memory. Returns how many there were, which the caller has to subtract from the
    /// totals.
    pub fn clear(&mut self, totals: &Totals) -> usize {
        let (count, before) = (self.len(), self.memory());
        self.first = None;
        if self.asides().is_empty() {
            self.entries = Entries::default();
        } else {
            // The tokens stay: a card's object also shows the copies of its pairs that were put aside.
            self.entries.clear();
        }
        self.drop_rare();
        self.resized(before, totals);
        count
    }

    fn resized(&self, before: usize, totals: &Totals) {
        let after = self.memory();
        if after != before {
            totals.resized(before, after);
        }
    }

    /// The number of places, with a pair or empty.
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

    /// Removes the pair at a place. The other pairs stay where they are. To be followed by `removed`.
    pub fn remove_at(&mut self, place: usize) {
        match place.checked_sub(1) {
            None => self.first = None,
            Some(bucket) => self.entries.remove(bucket),
        }
    }

    /// Called after `count` calls of `remove_at`, with the number of the shard.
    pub fn removed(&mut self, count: usize, number: usize, totals: &Totals) {
        totals.removed(count);
        if self.entries.is_sparse() {
            totals.need(number);
        }
    }

    /// The cards that should have a token and have none. In a small shard no card should have one: there the object for a
    /// run of shards shows all pairs.
    #[cfg(not(loom))]
    pub fn cards_without_token(&self) -> Vec<usize> {
        if !self.entries.has_many() {
            return Vec::new();
        }
        self.cards_of(Selection::Uncarded).collect()
    }

    /// See [`Entries::set_token`].
    #[cfg(not(loom))]
    pub fn set_token(&mut self, card: usize, token: usize, totals: &Totals) -> bool {
        let before = self.memory();
        let is_set = self.entries.set_token(card, token);
        self.resized(before, totals);
        is_set
    }

    /// The token of a card, 0 if it has none.
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

    /// The copies of the selected pairs that were put aside for snapshots.
    pub fn asides_of(&self, selection: Selection) -> impl Iterator<Item = &(K, V)> {
        self.asides().iter().flat_map(move |aside| {
            let is_in = move |part: &usize| selection.has_part(*part, &self.entries);
            let parts = selection.parts(aside.ends.len()).filter(is_in);
            parts.flat_map(|part| aside.part(part))
        })
    }

    /// The number of cards that have pairs, or of whose pairs some were put aside.
    #[cfg(not(loom))]
    pub fn shown_cards(&self) -> usize {
        let asides = self.asides().iter().map(|aside| aside.ends.len() - 1);
        self.cards().max(asides.max().unwrap_or(0))
    }

    /// Drops the copies that were put aside for snapshot `number`. `shard` is the number of this shard.
    pub fn forget(&mut self, number: usize, shard: usize, totals: &Totals) {
        self.keep_asides(|wanting| *wanting != number, totals);
        if self.entries.is_sparse() {
            totals.need(shard);
        }
    }

    /// Drops the copies that were put aside for other snapshots than these.
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

    /// The list of claims, to change it. `None` may stand for an empty list.
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

    /// Bytes on the heap, without the list of claims.
    pub fn memory(&self) -> usize {
        let rare = self.rare.as_ref().map_or(0, |_| size_of::<Rare<K, V>>());
        let pairs: usize = self.asides().iter().map(|aside| aside.pairs.len()).sum();
        self.entries.memory() + rare + pairs * size_of::<(K, V)>()
    }

    fn cards_of(&self, selection: Selection) -> impl Iterator<Item = usize> + '_ {
        let cards = selection.cards(self.entries.cards());
        cards.filter(move |card| selection.has(*card, self.entries.token(*card)))
    }
}

impl Selection {
    fn has_first(self) -> bool {
        !matches!(self, Selection::Card { .. })
    }

    /// The numbers of the cards that may be selected, if the shard has `count` cards.
    fn cards(self, count: usize) -> Range<usize> {
        match self {
            Selection::Card { card, .. } => card..(card + 1).min(count),
            _ => 0..count,
        }
    }

    /// As `cards`, for the parts of an [`Aside`], of which there are `count`.
    fn parts(self, count: usize) -> Range<usize> {
        match self {
            Selection::Card { card, .. } => card + 1..(card + 2).min(count),
            _ => 0..count,
        }
    }

    /// Whether a card with that token is selected.
    fn has(self, card: usize, token: usize) -> bool {
        match self {
            Selection::All => true,
            Selection::Uncarded => token == 0,
            Selection::Card {
                card: wanted,
                token: its,
            } => card == wanted && token == its,
        }
    }

    /// As `has`, for a part of an [`Aside`].
    fn has_part<K, V>(self, part: usize, entries: &Entries<K, V>) -> bool {
        match part.checked_sub(1) {
            None => self.has_first(),
            Some(card) => self.has(card, entries.token(card)),
        }
    }
}

impl<K: Copy + PartialEq, V: Copy> Shard<K, V> {
    /// Puts a copy of the pairs aside for the snapshots in `wanting`. Then the snapshots up to `now` need no more copies.
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

    /// Frees memory that is empty after deletes, unless copies of the pairs are put aside. It keeps twice the memory that
    /// the pairs need, so it does not run again until many more pairs were deleted or added.
    #[cfg(not(loom))]
    pub fn compact(&mut self, totals: &Totals) {
        if self.entries.is_sparse() && self.asides().is_empty() {
            let before = self.memory();
            self.entries.compact();
            self.resized(before, totals);
        }
    }

    /// Whether pairs have moved to other cards since the last call.
    #[cfg(not(loom))]
    pub fn take_moved(&mut self) -> bool {
        self.entries.take_moved()
    }

    /// Takes all pairs and claims out, to put them into the shards of the next level.
    pub fn take(&mut self, totals: &Totals) -> (Vec<Pair<K, V>>, Vec<Claim<K>>) {
        let pairs = self.pairs().copied().collect();
        let before = self.memory();
        self.first = None;
        self.entries = Entries::default();
        let claims = self.rare.take().map_or_else(Vec::new, |rare| rare.claims);
        self.resized(before, totals);
        (pairs, claims)
    }

    /// Adds a pair from a shard of the level before.
    pub fn adopt(&mut self, pair: Pair<K, V>, totals: &Totals) {
        if self.first.is_none() {
            self.first = Some(pair);
        } else {
            let before = self.memory();
            self.entries.insert(pair);
            if self.entries.has_many() {
                totals.need(shard_of(pair.hash, LAST_LEVEL));
            }
            self.resized(before, totals);
        }
    }

    pub fn find<P: Lookup<K>>(&self, lookup: &P) -> Result<Option<&Pair<K, V>>, Unknown<K>> {
        let mut unknown = Unknown::default();
        let found = self.pair(lookup.hash(), |pair| {
            matches(lookup, pair.key, &mut unknown)
        });
        match found {
            None if !unknown.is_empty() => Err(unknown),
            found => Ok(found),
        }
    }

    #[inline(always)]
    pub fn entry<'a, P: Lookup<K>>(
        &'a mut self,
        lookup: &P,
        totals: &'a Totals,
    ) -> Result<Entry<'a, K, V>, Blocked<K>> {
        let mut unknown = Unknown::default();
        let entry = self.entry_of(lookup.hash(), totals, |pair| {
            matches(lookup, pair.key, &mut unknown)
        });
        match entry.get() {
            None if !unknown.is_empty() => Err(Blocked::Ask(unknown)),
            _ => Ok(entry),
        }
    }

    /// The entry of the pair with that hash for which `same` is true, or the place for a new pair. Always inlined, as
    /// `entry` and [`Entry::store`] are: an entry that is passed in memory costs a tenth of a write.
    #[inline(always)]
    pub fn entry_of<'a>(
        &'a mut self,
        hash: u64,
        totals: &'a Totals,
        mut same: impl FnMut(&Pair<K, V>) -> bool,
    ) -> Entry<'a, K, V> {
        let mut same = |pair: &Pair<K, V>| pair.hash == hash && same(pair);
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
        let mut same = |pair: &Pair<K, V>| pair.hash == hash && same(pair);
        let first = self.first.as_ref().filter(|pair| same(pair));
        first.or_else(|| self.entries.find(hash, same))
    }

    /// Checks whether the thread `me` may write the key.
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
        let mut unknown = Unknown::default();
        for claim in self.claims_mut().into_iter().flatten() {
            if claim.hash == lookup.hash() && matches(lookup, claim.key, &mut unknown) {
                return Err(Blocked::By(claim.conflict(me)));
            }
        }
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(Blocked::Ask(unknown))
        }
    }
}

/// Compares keys of the same hash.
fn matches<K: Copy, P: Lookup<K>>(lookup: &P, key: K, unknown: &mut Unknown<K>) -> bool {
    match lookup.same(key) {
        Same::Yes => true,
        Same::No => false,
        Same::Ask => {
            unknown.add(key);
            false
        }
    }
}

/// The place of a key, with a pair or empty. A change gets it under the shard's lock.
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

/// The object that shows a stored pair to the collector.
pub struct ShownBy<'a, K, V>(Option<Stored<'a, K, V>>);

impl<K, V> ShownBy<'_, K, V> {
    /// The token of the pair's card; 0 if it has none, and the object for a run of shards shows the pair.
    pub fn token(&self) -> usize {
        self.0.as_ref().map_or(0, Stored::token)
    }
}

/// Not inlined, and its arguments fit into registers: then a change of a pair that is there keeps all that it needs in
/// registers.
#[inline(never)]
fn insert<'a, K: Copy, V: Copy>(
    room: Room<'a, K, V>,
    hash: u64,
    key: K,
    value: V,
    totals: &Totals,
) -> Stored<'a, K, V> {
    // The memory may grow in this call, so the growth is counted here.
    let stored = room.insert(Pair { hash, key, value }, |before, after, is_carded| {
        if is_carded {
            totals.need(shard_of(hash, LAST_LEVEL));
        }
        totals.resized(before, after);
    });
    totals.added();
    stored
}

impl<'a, K: Copy, V: Copy> Entry<'a, K, V> {
    pub fn get(&self) -> Option<V> {
        match &self.place {
            EntryRef::First(pair) => pair.as_ref().map(|pair| pair.value),
            EntryRef::Stored(stored) => Some(stored.get().value),
            EntryRef::Room(_) => None,
        }
    }

    /// Stores `value`. The key that is there stays; if there is none, `key` is stored too.
    #[inline]
    pub fn set(self, key: K, value: V) {
        self.store(key, value);
    }

    /// As `set`, and returns which object shows the pair to the collector.
    #[inline(always)]
    pub fn store(self, key: K, value: V) -> ShownBy<'a, K, V> {
        let hash = self.hash;
        match self.place {
            EntryRef::First(Some(pair)) => {
                pair.value = value;
                ShownBy(None)
            }
            EntryRef::First(empty) => {
                *empty = Some(Pair { hash, key, value });
                self.totals.added();
                ShownBy(None)
            }
            EntryRef::Stored(mut stored) => {
                stored.get_mut().value = value;
                ShownBy(Some(stored))
            }
            EntryRef::Room(room) => ShownBy(Some(insert(room, hash, key, value, self.totals))),
        }
    }

    pub fn remove(self) {
        let removed = match self.place {
            EntryRef::First(pair) => pair.take().is_some(),
            EntryRef::Stored(stored) => {
                if stored.remove() {
                    self.totals.need(shard_of(self.hash, LAST_LEVEL));
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
