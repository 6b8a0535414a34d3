//! Marks the objects of a part of a Map, some at a time, so that their cache misses overlap. A Hash marks its objects in
//! the order in which they were made, which is mostly the order of memory. The objects of a card lie anywhere, and for each
//! of them the processor would wait for the object's header and for the beginning of its page of the heap.

use crate::ffi::{
    memory::{prefetch, prefetch_page},
    RawValue,
};
use ratomic_core::table::Visitor;

/// Objects that are fetched before the first of them is marked: about as many as a card has. All their headers together
/// fit into the first-level cache.
const BATCH_OBJECTS: usize = 256;
/// How many objects before an object is marked the beginning of its page is fetched. All pages begin at the same few
/// places of a cache, so with a larger distance they would push each other out.
const PAGE_PREFETCH_DISTANCE: usize = 6;

pub struct Marking {
    batch: [RawValue; BATCH_OBJECTS],
    count: usize,
    /// Whether the collector will look at the objects themselves, and not only at its notes on them.
    closely: bool,
}

impl Marking {
    pub fn new(closely: bool) -> Self {
        Marking {
            batch: [RawValue::NIL; BATCH_OBJECTS],
            count: 0,
            closely,
        }
    }

    #[inline]
    fn add(&mut self, word: RawValue) {
        if word.is_immediate() {
            return;
        }
        if self.count == BATCH_OBJECTS {
            self.finish();
        }
        if self.closely {
            prefetch(word);
        }
        self.batch[self.count] = word;
        self.count += 1;
    }

    /// Marks the objects of the batch.
    pub fn finish(&mut self) {
        let batch = &self.batch[..self.count];
        for (place, word) in batch.iter().enumerate() {
            if let Some(later) = batch.get(place + PAGE_PREFETCH_DISTANCE) {
                prefetch_page(*later);
            }
            word.mark_movable();
        }
        self.count = 0;
    }
}

impl Visitor<RawValue, RawValue> for Marking {
    #[inline]
    fn pair(&mut self, key: &RawValue, value: &RawValue) {
        self.add(*key);
        self.add(*value);
    }

    fn claim(&mut self, key: &RawValue, owner: usize) {
        key.mark();
        RawValue(owner as _).mark();
    }
}
