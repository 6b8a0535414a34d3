//! The pairs of a shard except its first one: a hash table, of which each run of [`CARD_BUCKETS`] buckets is a card.
//!
//! A card may have an object that shows its pairs to the collector. After a write the collector then visits the pairs of
//! one card again, and not the whole table. The table knows the object by a word, the card's token; 0 means that there is
//! none.
//!
//! A pair stays in its bucket until it is removed, with two exceptions: [`Room::insert`], if the table is full, and
//! [`Entries::compact`] move pairs to other cards. Both note it ([`Entries::take_moved`]), so that the collector can be
//! told which object shows which pair now.

use super::pair::Pair;
use crate::cache_aligned_alloc::CacheAlignedAlloc;
use hashbrown::hash_table::{HashTable, OccupiedEntry};

/// Buckets of a card. If nothing was removed, 7/16 to 7/8 of them have a pair.
pub const CARD_BUCKETS: usize = 128;
/// A table of more pairs than this has cards with tokens.
const MAX_PAIRS_WITHOUT_TOKENS: usize = 56;
/// A table is sparse, and gives memory back, when it has less than this fraction (one in eight) of the pairs for which it
/// has memory.
const SPARSE_DIVISOR: usize = 8;
/// A table with memory for at most this many pairs is never sparse.
const MAX_KEPT_CAPACITY: usize = 14;

type Pairs<K, V> = HashTable<Pair<K, V>, CacheAlignedAlloc>;

#[repr(C)]
pub struct Entries<K, V> {
    pairs: Pairs<K, V>,
    cards: Cards,
}

/// What is known of the cards. A struct, so that the place of a pair has one reference to all of it.
#[derive(Default)]
struct Cards {
    /// The tokens by the number of the card; 0, or no element, for a card without one.
    tokens: Box<[usize]>,
    has_moved: bool,
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Entries {
            pairs: HashTable::new_in(CacheAlignedAlloc),
            cards: Cards::default(),
        }
    }
}

fn buckets_of(card: usize) -> std::ops::Range<usize> {
    card * CARD_BUCKETS..(card + 1) * CARD_BUCKETS
}

impl<K, V> Entries<K, V> {
    #[inline]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The number of buckets, with a pair or empty.
    pub fn buckets(&self) -> usize {
        self.pairs.num_buckets()
    }

    /// The number of cards that have pairs, or had some when a snapshot began that is not done yet.
    pub fn cards(&self) -> usize {
        self.buckets()
            .div_ceil(CARD_BUCKETS)
            .max(self.cards.tokens.len())
    }

    /// Whether there are so many pairs that their cards should have tokens.
    pub fn has_many(&self) -> bool {
        self.len() > MAX_PAIRS_WITHOUT_TOKENS
    }

    /// The token of a card, 0 if it has none.
    #[inline]
    pub fn token(&self, card: usize) -> usize {
        self.cards.tokens.get(card).copied().unwrap_or(0)
    }

    /// Gives a card its token. Returns false if it has one, or does not exist.
    #[cfg(not(loom))]
    pub fn set_token(&mut self, card: usize, token: usize) -> bool {
        if card >= self.cards() || self.token(card) != 0 {
            return false;
        }
        if card >= self.cards.tokens.len() {
            self.resize_tokens(self.cards());
        }
        self.cards.tokens[card] = token;
        true
    }

    /// Drops the tokens of cards that do not exist any more.
    pub fn drop_tokens(&mut self) {
        let cards = self.buckets().div_ceil(CARD_BUCKETS);
        if cards < self.cards.tokens.len() {
            self.resize_tokens(cards);
        }
    }

    fn resize_tokens(&mut self, cards: usize) {
        let mut tokens = std::mem::take(&mut self.cards.tokens).into_vec();
        tokens.reserve_exact(cards.saturating_sub(tokens.len()));
        tokens.resize(cards, 0);
        self.cards.tokens = tokens.into_boxed_slice();
    }

    /// The pairs of a card.
    pub fn of_card(&self, card: usize) -> impl Iterator<Item = &Pair<K, V>> {
        buckets_of(card).filter_map(|bucket| self.pairs.get_bucket(bucket))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Pair<K, V>> {
        self.pairs.iter()
    }

    /// Calls `change` for each pair of a card.
    #[cfg(not(loom))]
    pub fn each_of_card(&mut self, card: usize, mut change: impl FnMut(&mut Pair<K, V>)) {
        for bucket in buckets_of(card) {
            if let Some(pair) = self.pairs.get_bucket_mut(bucket) {
                change(pair);
            }
        }
    }

    /// The pair in a bucket.
    #[inline]
    pub fn get(&self, bucket: usize) -> Option<&Pair<K, V>> {
        self.pairs.get_bucket(bucket)
    }

    /// The pair with that hash for which `same` is true.
    #[inline]
    pub fn find(&self, hash: u64, same: impl FnMut(&Pair<K, V>) -> bool) -> Option<&Pair<K, V>> {
        self.pairs.find(hash, same)
    }

    /// As `find`, and returns the place, which may be empty, to change it.
    #[inline]
    pub fn place(&mut self, hash: u64, same: impl FnMut(&Pair<K, V>) -> bool) -> Place<'_, K, V> {
        let cards = &mut self.cards;
        match self.pairs.find_entry(hash, same) {
            Ok(pair) => Place::Full(Stored { pair, cards }),
            Err(absent) => Place::Empty(Room {
                pairs: absent.into_table(),
                cards,
            }),
        }
    }

    /// Adds a pair whose key is not in the table.
    pub fn insert(&mut self, pair: Pair<K, V>) {
        self.room().insert(pair, |_, _, _| {});
    }

    fn room(&mut self) -> Room<'_, K, V> {
        Room {
            pairs: &mut self.pairs,
            cards: &mut self.cards,
        }
    }

    /// Removes the pair in a bucket, if there is one.
    pub fn remove(&mut self, bucket: usize) {
        if let Ok(found) = self.pairs.get_bucket_entry(bucket) {
            found.remove();
        }
    }

    /// Whether much of the memory is empty.
    pub fn is_sparse(&self) -> bool {
        is_sparse(&self.pairs)
    }

    /// Removes every pair and frees their memory. The tokens stay.
    pub fn clear(&mut self) {
        self.pairs = HashTable::new_in(CacheAlignedAlloc);
    }

    /// Frees memory that is empty after deletes, and keeps room for twice the pairs that are left. The pairs move.
    #[cfg(not(loom))]
    pub fn compact(&mut self) {
        let room = self.len() * 2;
        self.pairs.shrink_to(room, |pair| pair.hash);
        self.drop_tokens();
        self.cards.has_moved = true;
    }

    /// Whether pairs have moved to other cards since the last call.
    #[cfg(not(loom))]
    pub fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.cards.has_moved)
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        memory(&self.pairs, &self.cards.tokens)
    }
}

fn memory<K, V>(pairs: &Pairs<K, V>, tokens: &[usize]) -> usize {
    pairs.allocation_size() + size_of_val(tokens)
}

fn is_sparse<K, V>(pairs: &Pairs<K, V>) -> bool {
    pairs.capacity() > MAX_KEPT_CAPACITY && pairs.len() < pairs.capacity() / SPARSE_DIVISOR
}

/// Where a pair is, or will be.
pub enum Place<'a, K, V> {
    Full(Stored<'a, K, V>),
    Empty(Room<'a, K, V>),
}

/// A pair in its bucket.
pub struct Stored<'a, K, V> {
    pair: OccupiedEntry<'a, Pair<K, V>, CacheAlignedAlloc>,
    cards: &'a Cards,
}

impl<K, V> Stored<'_, K, V> {
    #[inline]
    pub fn get(&self) -> &Pair<K, V> {
        self.pair.get()
    }

    #[inline]
    pub fn get_mut(&mut self) -> &mut Pair<K, V> {
        self.pair.get_mut()
    }

    /// The token of the pair's card, 0 if it has none.
    #[inline]
    pub fn token(&self) -> usize {
        let tokens = &self.cards.tokens;
        if tokens.is_empty() {
            return 0;
        }
        let card = self.pair.bucket_index() / CARD_BUCKETS;
        tokens.get(card).copied().unwrap_or(0)
    }

    /// Removes the pair, and returns whether much of the memory is empty now.
    pub fn remove(self) -> bool {
        let (_, vacant) = self.pair.remove();
        is_sparse(vacant.into_table())
    }
}

/// The place for a pair whose key is not in the table.
pub struct Room<'a, K, V> {
    pairs: &'a mut Pairs<K, V>,
    cards: &'a mut Cards,
}

impl<'a, K, V> Room<'a, K, V> {
    /// Inserts the pair. If there is no room, it makes room first, and calls `resized` with the bytes on the heap
    /// before and after that, and with whether the table has, or should have, cards with tokens.
    #[inline]
    pub fn insert(
        mut self,
        pair: Pair<K, V>,
        resized: impl FnOnce(usize, usize, bool),
    ) -> Stored<'a, K, V> {
        if self.pairs.len() == self.pairs.capacity() {
            self.make(resized);
        }
        let pair = self
            .pairs
            .insert_unique(pair.hash, pair, |other| other.hash);
        Stored {
            pair,
            cards: self.cards,
        }
    }

    /// Makes room for one more pair: with more memory, or in the same memory if many of its buckets are empty after
    /// deletes. Pairs move in both cases.
    #[cold]
    fn make(&mut self, resized: impl FnOnce(usize, usize, bool)) {
        let before = memory(self.pairs, &self.cards.tokens);
        self.pairs.reserve(1, |pair| pair.hash);
        self.cards.has_moved = true;
        let is_carded =
            self.pairs.len() >= MAX_PAIRS_WITHOUT_TOKENS || !self.cards.tokens.is_empty();
        resized(before, memory(self.pairs, &self.cards.tokens), is_carded);
    }
}
