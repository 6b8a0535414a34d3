//! Temporary buffers of pairs, which a collector marks. A snapshot is copied into one: an object in it stays alive when
//! another thread removes it from the Map meanwhile.
//!
//! A buffer is an object that no Ruby code sees. Its mark function runs in a collection of the Ractor that made the
//! buffer: either on the thread that collects there, or while that Ractor is stopped. So it never runs while a word is
//! being written. The words are written with locks held, where a write barrier is not allowed. Without one, every
//! collection looks at all words.

use super::{error, RawValue};
use magnus::{gc, typed_data::Obj, DataTypeFunctions, Error, RClass, TypedData};
use std::cell::UnsafeCell;
use std::mem;

#[derive(Default, TypedData)]
#[magnus(class = "Ratomic::Map::Snapshot", free_immediately, mark, size)]
struct Pairs(UnsafeCell<Vec<(RawValue, RawValue)>>);

// SAFETY: only the thread that has the `PairBuffer` reaches the words, and the collector of its Ractor, see above.
unsafe impl Send for Pairs {}

impl DataTypeFunctions for Pairs {
    fn mark(&self, _marker: &gc::Marker) {
        // SAFETY: the thread that writes the words is stopped, or it is the thread that collects, between two writes.
        let words = unsafe { &*self.0.get() };
        words.iter().for_each(|(key, value)| {
            key.mark();
            value.mark();
        });
    }

    fn size(&self) -> usize {
        // SAFETY: ObjectSpace calls this with the lock of this Ractor, so no other thread writes the words.
        unsafe { &*self.0.get() }.capacity() * mem::size_of::<(RawValue, RawValue)>()
    }
}

pub struct PairBuffer(Obj<Pairs>);

impl PairBuffer {
    /// Makes a buffer for `len` pairs, all nil.
    pub fn new(len: usize) -> PairBuffer {
        let words = vec![(RawValue::NIL, RawValue::NIL); len];
        PairBuffer(error::ruby().obj_wrap(Pairs(UnsafeCell::new(words))))
    }

    pub fn as_mut_slice(&mut self) -> &mut [(RawValue, RawValue)] {
        // SAFETY: only this buffer has the words, see `Pairs`. The object is in the buffer, on the stack of its thread,
        // where a collector finds it as long as the buffer lives.
        unsafe { &mut *self.0 .0.get() }
    }
}

impl Drop for PairBuffer {
    /// Frees the memory at once. It may be much, and the object itself is freed only by a later collection.
    fn drop(&mut self) {
        // SAFETY: as above, and nobody has a slice of it any more.
        drop(mem::take(unsafe { &mut *self.0 .0.get() }));
    }
}

pub fn define(map: RClass) -> Result<(), Error> {
    super::class::define_hidden::<Pairs>(map, "Snapshot")
}
