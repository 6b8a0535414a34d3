//! Shows a collector the objects in a structure.
//!
//! A mark function runs in one of three situations ([`Access`]).
//!
//! - **A collection that has stopped all other threads at safepoints**: every collection on Ruby 4.0. The structure is
//!   read without its lock, because no thread is inside.
//! - **A collection beside which other Ractors may run**: since Ruby 4.1 each Ractor also collects its own heap alone.
//!   It frees no shareable object. But it looks into those of its own heap that it comes to, and into those that were
//!   given a young object since its last collection, and ours are among them. (4.1's collector of all heaps stops the
//!   others, but nothing tells the two apart.) So the structure is read with its lock. The marking thread waits for it
//!   as long as another thread's change takes: no thread reaches a safepoint, allocates an object or waits under such a
//!   lock, and this thread holds none itself.
//! - **No collection**: ObjectSpace calls mark functions while other Ractors run. Then the words are copied to the stack
//!   under the lock, and shown after the lock is released, because the visitor may allocate. The stack keeps the objects
//!   alive meanwhile.
//!
//! Compact functions run only where everything is stopped: 4.1 compacts a heap alone only while there is one Ractor.

use super::RawValue;
use magnus::{prelude::*, rb_sys::protect, Error, RModule, Ruby};
use std::sync::{
    atomic::{AtomicBool, Ordering},
    LazyLock,
};

/// Whether each Ractor of this Ruby has a heap of its own. `lib/ratomic/features.rb`, which is loaded before the
/// extension, has found it out.
pub fn has_heap_per_ractor(ruby: &Ruby) -> Result<bool, Error> {
    let ratomic: RModule = ruby.class_object().const_get("Ratomic")?;
    ratomic.const_get("HEAP_PER_RACTOR")
}

/// To be called before the first object of ours is made.
pub fn install(ruby: &Ruby) -> Result<(), Error> {
    COLLECTS_ALONE.store(has_heap_per_ractor(ruby)?, Ordering::Relaxed);
    Ok(())
}

/// As [`has_heap_per_ractor`], once the extension is loaded.
#[inline]
pub fn collects_alone() -> bool {
    COLLECTS_ALONE.load(Ordering::Relaxed)
}

/// How a mark function may read its structure.
pub enum Access {
    Stopped,
    Locked,
    Copied,
}

/// Set when the extension is loaded.
static COLLECTS_ALONE: AtomicBool = AtomicBool::new(false);

pub fn access() -> Access {
    // SAFETY: asks for a flag.
    if unsafe { rb_sys::rb_during_gc() == 0 } {
        Access::Copied
    } else if collects_alone() {
        Access::Locked
    } else {
        Access::Stopped
    }
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
