//! Tells the collector that a structure now refers to an object. Called after the store, with the lock given up and no
//! safepoint in between, so the collector cannot have run in the meantime.

use super::Word;

pub fn written(owner: Word, young: Word) {
    if !young.is_immediate() {
        // SAFETY: both are living objects: `owner` is the receiver of the running method, `young` one of its arguments
        // or a local of it.
        unsafe { rb_sys::rb_gc_writebarrier(owner.0, young.0) };
    }
}
