//! The pairs of a shard, but for its first: a hash table, of which each run of [`CARD`] buckets is a card.
//!
//! A card can be shown to a collector by an object of its own: when a pair is written, the collector looks at that run
//! again and not at the whole table. The object is named by a word, the card's token; 0 where there is none.
//!
//! A pair stays in its bucket until it is removed, but for [`Entries::make_room`] and [`Entries::compact`]: these move
//! pairs to other cards, and note that ([`Entries::take_moved`]), so that the objects of those can be told of. An insert
//! where there is room moves nothing, nor does a removal.

use super::pair::Pair;
use crate::cache_aligned_alloc::CacheAlignedAlloc;
use hashbrown::hash_table::HashTable;
use std::mem::size_of;

/// Buckets of a card. Without removals 7/16 to 7/8 of them have a pair.
pub const CARD: usize = 128;
/// A table of more pairs than this has cards with tokens.
const MANY: usize = 56;
/// A table that is filled to less than this share gives memory back, but not below so many pairs.
const SPARSE: usize = 8;
const FEW: usize = 14;

#[repr(C)]
pub struct Entries<K, V> {
    pairs: HashTable<Pair<K, V>, CacheAlignedAlloc>,
    /// By card; those beyond its end have none.
    tokens: Vec<usize>,
    has_moved: bool,
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Entries {
            pairs: HashTable::new_in(CacheAlignedAlloc),
            tokens: Vec::new(),
            has_moved: false,
        }
    }
}

fn buckets_of(card: usize) -> std::ops::Range<usize> {
    card * CARD..(card + 1) * CARD
}

impl<K, V> Entries<K, V> {
    #[inline]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Places that have a pair or room for one.
    pub fn buckets(&self) -> usize {
        self.pairs.num_buckets()
    }

    /// Cards that have pairs, or had some when a snapshot began that is under way.
    pub fn cards(&self) -> usize {
        self.buckets().div_ceil(CARD).max(self.tokens.len())
    }

    /// Whether the pairs are so many that their cards should have tokens.
    pub fn has_many(&self) -> bool {
        self.len() > MANY
    }

    /// The token of a card, 0 if it has none.
    #[inline]
    pub fn token(&self, card: usize) -> usize {
        self.tokens.get(card).copied().unwrap_or(0)
    }

    /// The same of the card of a bucket.
    #[inline]
    pub fn token_at(&self, bucket: usize) -> usize {
        self.token(bucket / CARD)
    }

    /// Names who shows a card from now on, unless somebody does or there is no such card.
    #[cfg(not(loom))]
    pub fn set_token(&mut self, card: usize, token: usize) -> bool {
        if card >= self.cards() || self.token(card) != 0 {
            return false;
        }
        if card >= self.tokens.len() {
            self.tokens.reserve_exact(self.cards() - self.tokens.len());
            self.tokens.resize(card + 1, 0);
        }
        self.tokens[card] = token;
        true
    }

    /// Forgets who shows cards that there are no more.
    pub fn drop_tokens(&mut self) {
        self.tokens.truncate(self.buckets().div_ceil(CARD));
        self.tokens.shrink_to_fit();
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

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, bucket: usize) -> Option<&mut Pair<K, V>> {
        self.pairs.get_bucket_mut(bucket)
    }

    /// The pair of that hash for which `same` holds.
    #[inline]
    pub fn find(&self, hash: u64, same: impl FnMut(&Pair<K, V>) -> bool) -> Option<&Pair<K, V>> {
        self.pairs.find(hash, same)
    }

    /// Its bucket.
    #[inline]
    pub fn bucket_of(&self, hash: u64, same: impl FnMut(&Pair<K, V>) -> bool) -> Option<usize> {
        self.pairs.find_bucket_index(hash, same)
    }

    /// Whether a pair can be inserted without more memory, and without moving others.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.pairs.len() < self.pairs.capacity()
    }

    /// Makes room for one pair more, in a larger table or, where deletes have left many holes, in the same: either way
    /// pairs move. Returns whether cards are concerned.
    #[cold]
    pub fn make_room(&mut self) -> bool {
        self.pairs.reserve(1, |pair| pair.hash);
        self.has_moved = true;
        self.len() >= MANY || !self.tokens.is_empty()
    }

    /// Adds a pair whose key is not there, and returns its bucket.
    #[inline]
    pub fn insert(&mut self, pair: Pair<K, V>) -> usize {
        if !self.has_room() {
            self.make_room();
        }
        let inserted = self
            .pairs
            .insert_unique(pair.hash, pair, |other| other.hash);
        inserted.bucket_index()
    }

    /// Removes the pair in a bucket, if there is one.
    pub fn remove(&mut self, bucket: usize) -> bool {
        let found = self.pairs.get_bucket_entry(bucket);
        found.map(|found| found.remove()).is_ok()
    }

    /// Whether much of the memory is empty.
    pub fn is_sparse(&self) -> bool {
        self.pairs.capacity() > FEW && self.len() < self.pairs.capacity() / SPARSE
    }

    /// Removes every pair, and the memory that they had; the tokens stay.
    pub fn clear(&mut self) {
        self.pairs = HashTable::new_in(CacheAlignedAlloc);
    }

    /// Gives memory back that deletes have left empty: of what stays, about the double. The pairs move.
    #[cfg(not(loom))]
    pub fn compact(&mut self) {
        let room = self.len() * 2;
        self.pairs.shrink_to(room, |pair| pair.hash);
        self.drop_tokens();
        self.has_moved = true;
    }

    /// Whether pairs have moved to other cards since this was asked for the last time.
    #[cfg(not(loom))]
    pub fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.pairs.allocation_size() + self.tokens.capacity() * size_of::<usize>()
    }
}
