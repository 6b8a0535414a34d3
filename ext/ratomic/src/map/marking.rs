//! Marks the objects of a part of a Map, some at a time, so that their cache misses overlap. A Hash marks its objects in
//! the order in which they were made, which is mostly the order of memory. Those of a card lie anywhere, and for each the
//! processor would wait for the object's header and for the beginning of its page of the heap.

use crate::ffi::{
    memory::{prefetch, prefetch_page},
    RawValue,
};
use ratomic_core::table::Visitor;

/// About what a card holds. All headers together fit the first cache.
const BATCH: usize = 256;
/// So many objects ahead, the beginning of a page is fetched. All pages begin in the same few places of a cache, so more
/// would push one another out.
const AHEAD: usize = 6;

pub struct Marking {
    batch: [RawValue; BATCH],
    count: usize,
    /// Whether the collector will look at the objects themselves, and not only at its notes on them.
    closely: bool,
}

impl Marking {
    pub fn new(closely: bool) -> Self {
        Marking {
            batch: [RawValue::NIL; BATCH],
            count: 0,
            closely,
        }
    }

    #[inline]
    fn add(&mut self, word: RawValue) {
        if word.is_immediate() {
            return;
        }
        if self.count == BATCH {
            self.finish();
        }
        if self.closely {
            prefetch(word);
        }
        self.batch[self.count] = word;
        self.count += 1;
    }

    /// Marks those that were only fetched yet.
    pub fn finish(&mut self) {
        let batch = &self.batch[..self.count];
        for (place, word) in batch.iter().enumerate() {
            if let Some(later) = batch.get(place + AHEAD) {
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
