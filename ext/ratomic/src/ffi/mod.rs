//! All access to Ruby's C API. Nothing here keeps a `VALUE` after a call has returned, except in statics that are made
//! when the extension is loaded.
//!
//! Who may call what, by the locks that the calling thread has. "VM lock" is the lock of its Ractor (the GVL);
//! "native lock" is a lock of a structure in `ratomic_core`.
//!
//! | module | the caller has | what a call may do |
//! | --- | --- | --- |
//! | `raw_value`, `by_address`, `number` | the VM lock, perhaps a native lock too | reads an object's header or content; never jumps |
//! | `barrier` | the VM lock, no native lock; the store was just before | tells the collector; allocates nothing |
//! | `gc`, `RawValue::mark`, `relocate` | nothing: called by a mark or compact function (`gc::has_heap_per_ractor`: when the extension is loaded) | marks; allocates nothing, but for `show_copies` and the first `looks_at_all`, which then have the VM lock |
//! | `global_gc::count` | the VM lock, perhaps a native lock too | adds to a number |
//! | `global_gc::relieve` | the VM lock, no native lock | may collect, and then run finalizers, which are Ruby code |
//! | `fork` | nothing: called inside fork(2) | takes and releases all native locks; calls no Ruby |
//! | `ahead`, `met`, `pinned` | the VM lock, no native lock | keeps objects of a graph; allocates an object for a large one; runs no Ruby code |
//! | `note` | the VM lock, no native lock | sets a flag, or calls the VM's function for one object |
//! | `kept` | anything | nothing |
//! | `elements` | the VM lock, no native lock | allocates an Array |
//! | `copy`, `deep_freeze`, `defaults`, `walk` | the VM lock, no native lock | reads, freezes or copies a graph; runs no Ruby code of its objects, but other threads, when it asks a Hash; what jumps then comes back as a `Jump` |
//! | `jump` | the VM lock, no native lock | ends a jump of the VM, and begins it again in the `Error` |
//! | `args`, `class`, `error`, `key`, `names`, `once_shared`, `receiver`, `shareable` | the VM lock, no native lock | may run Ruby code, allocate or raise; a jump comes back as an `Error` |
//! | `memory::report` | the VM lock, no native lock | may start a collection |
//! | the rest of `memory` | nothing: also called by mark and free functions | counts, or fetches memory ahead |
//! | `gvl` | the VM lock, no native lock | gives the VM lock up for a wait; calls `scheduler` or `native_thread` for it |
//!
//! `flags` is filled when the extension is loaded. While `gvl` waits, the thread has no lock and touches no `VALUE` (rule
//! 1 in CONTRIBUTING.md).

mod ahead;
pub mod args;
pub mod barrier;
pub mod by_address;
pub mod class;
pub mod copy;
pub mod deep_freeze;
pub mod defaults;
pub mod elements;
pub mod error;
mod flags;
pub mod fork;
pub mod gc;
pub mod global_gc;
pub mod gvl;
pub mod jump;
pub mod kept;
pub mod key;
pub mod memory;
mod met;
pub mod names;
pub mod native_thread;
pub mod note;
pub mod number;
pub mod once_shared;
pub mod pinned;
pub mod raw_value;
pub mod receiver;
mod scheduler;
pub mod shareable;
pub mod walk;

pub use raw_value::{values, words, RawValue};
pub use receiver::Receiver;

/// Lets every Ractor call the methods defined from here on.
pub fn declare_ractor_safe() {
    // SAFETY: called while the extension is being loaded, as the function asks. What makes it true are the rules in
    // `ratomic_core`: every structure has its own lock, and none is held where Ruby can run.
    unsafe { rb_sys::rb_ext_ractor_safe(true) };
}
