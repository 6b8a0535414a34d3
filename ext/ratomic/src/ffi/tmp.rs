//! Temporary buffers that a collector marks. They keep objects alive that are removed from a structure while they are
//! being copied.
//!
//! A buffer is an object that no Ruby code sees. Its mark function runs in a collection of the Ractor that made it,
//! on that Ractor's thread or with it stopped, and so never while a word is being written. It has no write barrier,
//! because the words are written with locks held: so every collection looks at all of them.

use super::{error, RawValue};
use magnus::{gc, typed_data::Obj, DataTypeFunctions, Error, RClass, TypedData};
use std::cell::UnsafeCell;
use std::mem;

#[derive(Default, TypedData)]
#[magnus(class = "Ratomic::Map::Snapshot", free_immediately, mark, size)]
struct Words(UnsafeCell<Vec<(RawValue, RawValue)>>);

// SAFETY: only the Ractor that made it reaches it, and of its threads only the one whose `Buffer` it is; and a collector,
// see above.
unsafe impl Send for Words {}

impl DataTypeFunctions for Words {
    fn mark(&self, _marker: &gc::Marker) {
        // SAFETY: the thread that writes here is stopped, or is the one that collects, between two writes.
        let words = unsafe { &*self.0.get() };
        words.iter().for_each(|(key, value)| {
            key.mark();
            value.mark();
        });
    }

    fn size(&self) -> usize {
        // SAFETY: as above: ObjectSpace asks with the lock of this Ractor.
        unsafe { &*self.0.get() }.capacity() * mem::size_of::<(RawValue, RawValue)>()
    }
}

pub struct Buffer(Obj<Words>);

impl Buffer {
    /// Makes a buffer for `len` pairs, all nil.
    pub fn pairs(len: usize) -> Buffer {
        let words = vec![(RawValue::NIL, RawValue::NIL); len];
        Buffer(error::ruby().obj_wrap(Words(UnsafeCell::new(words))))
    }

    pub fn as_mut_slice(&mut self) -> &mut [(RawValue, RawValue)] {
        // SAFETY: this buffer's own, see `Words`; the object is on the stack, in the buffer, as long as that lives.
        unsafe { &mut *self.0 .0.get() }
    }
}

impl Drop for Buffer {
    /// Frees the memory at once. It may be much, and the object itself is freed only by a later collection.
    fn drop(&mut self) {
        // SAFETY: as above, and nobody has a slice of it any more.
        drop(mem::take(unsafe { &mut *self.0 .0.get() }));
    }
}

pub fn define(map: RClass) -> Result<(), Error> {
    super::class::define_hidden(map, "Snapshot")
}
