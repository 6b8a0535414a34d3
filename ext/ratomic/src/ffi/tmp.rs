//! Room for words that a collector can see: the VM scans such a buffer like a stack, so objects that leave a structure
//! while they are being copied stay alive and in place.

use super::Word;
use magnus::{rb_sys::protect, Error};
use std::{mem::size_of, slice};

pub struct Buffer {
    handle: rb_sys::VALUE,
    words: *mut (Word, Word),
    len: usize,
}

impl Buffer {
    /// Room for `len` pairs, all nil.
    pub fn pairs(len: usize) -> Result<Buffer, Error> {
        let mut handle: rb_sys::VALUE = 0;
        let mut words = std::ptr::null_mut();
        protect(|| {
            // At least one pair, because the VM wants a size. What it scans is counted in words.
            let bytes = len.max(1) * size_of::<(Word, Word)>();
            let count = bytes / size_of::<Word>();
            // SAFETY: `handle` is a local of the caller's frame; `protect` catches the want of memory.
            words = unsafe {
                rb_sys::rb_alloc_tmp_buffer_with_count(&mut handle, bytes as _, count as _)
            };
            Word::NIL.0
        })?;
        let buffer = Buffer {
            handle,
            words: words.cast(),
            len,
        };
        for place in 0..len {
            // SAFETY: within the memory that was just allocated, which is not initialized yet.
            unsafe { buffer.words.add(place).write((Word::NIL, Word::NIL)) };
        }
        Ok(buffer)
    }

    pub fn as_mut_slice(&mut self) -> &mut [(Word, Word)] {
        // SAFETY: `len` initialized pairs, owned by this buffer until it is dropped.
        unsafe { slice::from_raw_parts_mut(self.words, self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated in `pairs`, and freed once.
        unsafe { rb_sys::rb_free_tmp_buffer(&mut self.handle) };
    }
}
