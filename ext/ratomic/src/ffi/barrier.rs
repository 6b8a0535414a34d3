//! The collector's write barrier: tells it that a structure now refers to an object. Called after the store, when the
//! lock is released, and with no safepoint in between, so the collector cannot have run in the meantime.

use super::RawValue;

pub fn write_barrier(owner: RawValue, young: RawValue) {
    if !young.is_immediate() {
        // SAFETY: both are living objects: `owner` is the receiver of the running method, `young` one of its arguments
        // or a local of it.
        unsafe { rb_sys::rb_gc_writebarrier(owner.0, young.0) };
    }
}
