//! Asks for the collection that gives back the memory of shareable objects.
//!
//! Since Ruby 4.1 each Ractor has a heap, which it collects by itself. Such a collection leaves shareable objects alone:
//! only a collection of the whole process frees them. The VM starts one when there are many of them, but takes no
//! account of the memory that they own outside of their slots. So a pool whose results are long Strings grows without
//! end, although nobody refers to them any more.
//!
//! Here that memory is counted when an object becomes shareable. When there is much of it, methods that make objects
//! shareable start a collection. This is done in the thread that made the last of them, so it needs no other thread.

use super::{gc, RawValue};
use magnus::rb_sys::protect;
use ratomic_core::tally::now;
use rb_sys::ruby_value_type::{RUBY_T_ARRAY, RUBY_T_HASH, RUBY_T_STRING};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Bytes after which a collection is asked for. The VM lets as many be allocated before it collects a heap.
const LIMIT_BYTES: usize = 32 * 1024 * 1024;
/// A collection takes longer in a program with many objects. The pause after it is at least this many times as long, so
/// that collections take at most a fifth of the time. Meanwhile the memory may grow beyond the limit.
const PAUSE_FACTOR: u64 = 4;
/// Smaller content is in the slot of its object, or is little beside it.
const MIN_COUNTED_BYTES: usize = 640;
/// What an entry of a Hash takes: key, value, hash code, and its share of the index.
const HASH_ENTRY_BYTES: usize = 32;

/// Bytes of objects that have become shareable since the last collection that was started here.
static COUNTED: AtomicUsize = AtomicUsize::new(0);
/// When the pause after the last collection ends, as [`now`].
static PAUSE_END: AtomicU64 = AtomicU64::new(0);
/// After the program was found to have disabled the collector, it is asked again only when this time is over.
const DISABLED_PAUSE_NS: u64 = 100_000_000;

/// Counts an object that has just become shareable.
#[inline]
pub fn count(object: RawValue) {
    if gc::collects_alone() {
        let bytes = content_bytes(object);
        if bytes >= MIN_COUNTED_BYTES {
            COUNTED.fetch_add(bytes, Relaxed);
        }
    }
}

/// Collects if it is time to. This may run finalizers, so the caller holds the VM lock and no other lock.
#[inline]
pub fn relieve() {
    if COUNTED.load(Relaxed) >= LIMIT_BYTES {
        collect();
    }
}

#[cold]
fn collect() {
    let started = now();
    if started < PAUSE_END.load(Relaxed) {
        return;
    }
    if is_disabled() {
        PAUSE_END.store(started + DISABLED_PAUSE_NS, Relaxed);
        return;
    }
    // Only one thread finds that many bytes.
    if COUNTED.swap(0, Relaxed) < LIMIT_BYTES {
        return;
    }
    let collected = protect(|| {
        // SAFETY: the thread holds its VM lock; `protect` catches what is raised.
        unsafe { rb_sys::rb_gc_start() };
        RawValue::NIL.0
    });
    drop(collected); // what a finalizer raises is not the caller's
    let ended = now();
    PAUSE_END.store(ended + (ended - started) * PAUSE_FACTOR, Relaxed);
}

/// Whether the program has called `GC.disable`.
fn is_disabled() -> bool {
    let was_disabled = || unsafe {
        // SAFETY: both change a flag of the Ractor that runs, and the second puts back what was there.
        let disabled = rb_sys::rb_gc_enable();
        if disabled == RawValue::from_bool(true).0 {
            rb_sys::rb_gc_disable();
        }
        disabled
    };
    protect(was_disabled).is_ok_and(|disabled| disabled == RawValue::from_bool(true).0)
}

/// The memory that the object itself owns outside of its slot, roughly.
fn content_bytes(object: RawValue) -> usize {
    // SAFETY: a living object of the type that is asked for.
    unsafe {
        match object.type_of() {
            RUBY_T_STRING => rb_sys::RSTRING_LEN(object.0) as usize,
            RUBY_T_ARRAY => rb_sys::RARRAY_LEN(object.0) as usize * size_of::<RawValue>(),
            RUBY_T_HASH => rb_sys::rb_hash_size_num(object.0) as usize * HASH_ENTRY_BYTES,
            _ => 0,
        }
    }
}
