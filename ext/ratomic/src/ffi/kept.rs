//! Keeps an object alive that native code has made and that nothing else refers to.
//!
//! A collector finds the objects to which words on the machine stack refer. But a compiler may drop such a word while
//! memory that belongs to the object is still in use: it then keeps addresses inside of the object only, of which a
//! collector knows nothing.

use super::RawValue;
use rb_sys::VALUE;
use std::ptr;

/// The object lives as long as this does. To be kept on the machine stack. (As RB_GC_GUARD of Ruby's headers.)
pub struct Kept(VALUE);

impl Kept {
    pub fn new(object: RawValue) -> Kept {
        Kept(object.0)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: a field of this. As the read is volatile, the word has to be in memory until now.
        unsafe { ptr::read_volatile(&self.0) };
    }
}
