//! Memory of Rust's that holds addresses of objects. No collection frees or moves these objects while it lives.
//!
//! Any call into the VM may stop the thread for a collection of another Ractor, which may compact, also if the call
//! allocates nothing. A collector finds and pins what is on the machine stack; it does not look into Rust's heap. So such
//! memory belongs to an object that no Ruby code sees, and which is on the stack. Its mark function runs in a collection
//! of the Ractor that made it: either on the thread that collects there, or while that Ractor is stopped. So it never runs
//! while an address is being written. There are no write barriers, so every collection looks at all addresses.

use super::{error, kept::Kept, RawValue};
use magnus::{gc, prelude::*, typed_data::Obj, DataTypeFunctions, TypedData};
use std::cell::Cell;
use std::ptr::NonNull;

pub trait Addresses: Send {
    /// Calls [`RawValue::mark`] for each.
    fn mark(&self);
}

/// Owns the addresses. Its class is to be defined when the extension is loaded.
#[derive(TypedData)]
#[magnus(class = "Ratomic::Workers::Sharing::Pinned", free_immediately, mark)]
pub struct Holder(Cell<Option<NonNull<dyn Addresses>>>);

// SAFETY: only the thread that has the `Pinned` reaches the addresses, and the collector of its Ractor, see above.
unsafe impl Send for Holder {}

impl DataTypeFunctions for Holder {
    fn mark(&self, _marker: &gc::Marker) {
        if let Some(addresses) = self.0.get() {
            // SAFETY: the thread that writes the addresses is stopped at a safepoint, or it is the thread that collects.
            // Both are calls into the VM, and nobody keeps a reference from `get_mut` across one.
            unsafe { addresses.as_ref() }.mark();
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Some(addresses) = self.0.take() {
            // SAFETY: `Pinned::new` got it from a Box; nobody else can reach it any more.
            drop(unsafe { Box::from_raw(addresses.as_ptr()) });
        }
    }
}

/// To be kept on the machine stack.
pub struct Pinned<T: Addresses> {
    addresses: NonNull<T>,
    holder: Obj<Holder>,
    _kept: Kept,
}

impl<T: Addresses + 'static> Pinned<T> {
    /// Allocates an object.
    pub fn new(addresses: T) -> Pinned<T> {
        let addresses = NonNull::from(Box::leak(Box::new(addresses)));
        let holder = error::ruby().obj_wrap(Holder(Cell::new(Some(addresses))));
        Pinned {
            addresses,
            holder,
            _kept: Kept::new(RawValue::of(holder.as_value())),
        }
    }

    /// May be kept across calls into the VM: a collector only reads the addresses too.
    pub fn get(&self) -> &T {
        // SAFETY: as in `get_mut`; nobody changes the addresses while this reference lives.
        unsafe { self.addresses.as_ref() }
    }

    /// Not to be kept across a call into the VM.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: only this thread has the addresses, see `Holder`. That object lives as long as this, which keeps it, so
        // no collector frees them.
        unsafe { self.addresses.as_mut() }
    }
}

impl<T: Addresses> Drop for Pinned<T> {
    /// Frees the memory at once. It may be much, and the object itself is freed only by a later collection.
    fn drop(&mut self) {
        if self.holder.0.take().is_some() {
            // SAFETY: from the Box in `new`; the holder has just given it up, and nobody has a reference to it.
            drop(unsafe { Box::from_raw(self.addresses.as_ptr()) });
        }
    }
}
