//! The collector's write barrier: tells it that a structure now refers to an object. Called after the store, when the
//! lock is released, and with no safepoint in between, so the collector cannot have run in the meantime.

use super::RawValue;

pub fn write_barrier(owner: RawValue, young: RawValue) {
    if !young.is_immediate() {
        // SAFETY: both are objects that were not freed. Each is the receiver, an argument or a local of the running
        // method, or was in the structure, under its lock, after this thread's last safepoint: even if another thread
        // has taken it out since, no collection has begun that could find it unreachable.
        unsafe { rb_sys::rb_gc_writebarrier(owner.0, young.0) };
    }
}
