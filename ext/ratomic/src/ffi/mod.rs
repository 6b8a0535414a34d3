//! All access to Ruby's C API. Nothing here keeps a `VALUE` after a call has returned, except in statics that are made
//! when the extension is loaded.

pub mod args;
pub mod barrier;
pub mod class;
pub mod copy;
pub mod deep_freeze;
pub mod defaults;
pub mod error;
mod flags;
pub mod fork;
pub mod gc;
pub mod global_gc;
pub mod gvl;
pub mod key;
pub mod memory;
pub mod native_thread;
pub mod note;
pub mod number;
pub mod once_shared;
pub mod raw_value;
pub mod receiver;
mod scheduler;
pub mod shareable;
pub mod tmp;
pub mod walk;

pub use raw_value::{values, words, RawValue};
pub use receiver::Receiver;

/// Lets every Ractor call the methods defined from here on.
pub fn declare_ractor_safe() {
    // SAFETY: called while the extension is being loaded, as the function asks. What makes it true are the rules in
    // `ratomic_core`: every structure has its own lock, and none is held where Ruby can run.
    unsafe { rb_sys::rb_ext_ractor_safe(true) };
}
