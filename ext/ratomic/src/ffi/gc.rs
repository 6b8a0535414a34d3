//! Shows a collector the objects in a structure.
//!
//! During a collection every thread that could be inside a structure is stopped at a safepoint, so the structure is
//! read without its lock. On Ruby 4.0 a collection stops all Ractors. Since 4.1 a Ractor also collects alone while the
//! others run, but such a collection looks into no shareable object, and ours are shareable from the end of
//! `initialize` on. Before that end only the Ractor that makes the object can be inside, and its thread is the one that
//! collects. A collection of all heaps stops all Ractors on 4.1, too.
//!
//! ObjectSpace calls the same functions while other Ractors run. Then the words are copied to the stack under the lock,
//! and shown after the lock is released, because the visitor may allocate. The stack keeps the objects alive meanwhile.

use super::RawValue;
use magnus::{prelude::*, rb_sys::protect, Error, RModule, Ruby};
use std::sync::LazyLock;

/// Whether each Ractor of this Ruby has a heap of its own. `lib/ratomic/features.rb`, which is loaded before the
/// extension, has found it out.
pub fn has_heap_per_ractor(ruby: &Ruby) -> Result<bool, Error> {
    let ratomic: RModule = ruby.class_object().const_get("Ratomic")?;
    ratomic.const_get("HEAP_PER_RACTOR")
}

/// Whether a collection is running, with all other threads stopped.
pub fn everything_stopped() -> bool {
    // SAFETY: asks for a flag.
    unsafe { rb_sys::rb_during_gc() != 0 }
}

/// Whether the running collection is a major one, which marks all objects, or a minor one. It is asked first when the
/// extension is loaded, because then it may allocate, and a VM that does not know the key may raise.
pub fn looks_at_all() -> bool {
    static MAJOR_BY: LazyLock<Option<RawValue>> = LazyLock::new(|| {
        let mut symbol = RawValue::NIL;
        let asked = protect(|| {
            // SAFETY: makes a Symbol of a literal, which lives for ever; `protect` catches what is raised.
            unsafe {
                symbol = RawValue(rb_sys::rb_id2sym(rb_sys::rb_intern(c"major_by".as_ptr())));
                rb_sys::rb_gc_latest_gc_info(symbol.0)
            }
        });
        asked.ok().map(|_| symbol)
    });
    // SAFETY: asks for a flag of the collection; it was asked before, so it neither raises nor allocates.
    MAJOR_BY
        .is_some_and(|symbol| unsafe { rb_sys::rb_gc_latest_gc_info(symbol.0) } != RawValue::NIL.0)
}

/// Shows what `some` copies for a place to begin at, until there is no more.
pub fn show_copies<T: Copy>(empty: T, some: impl Fn(usize, &mut [T]) -> usize, show: impl Fn(&T)) {
    let mut words = [empty; 64];
    let mut seen = 0;
    loop {
        let count = some(seen, &mut words);
        if count == 0 {
            break;
        }
        words[..count].iter().for_each(&show);
        seen += count;
    }
}
