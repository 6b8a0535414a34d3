//! What the collector has to know of memory that it did not hand out: when much of it belongs to objects that may be
//! dropped, it is time to look for these. And the processor, of memory that will be read in a moment.

use super::RawValue;
use magnus::rb_sys::protect;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What one object has told of its memory.
#[derive(Default)]
pub struct Reported(AtomicUsize);

/// Bytes below which a difference is not worth a call.
const GRAIN: usize = 1024;

impl Reported {
    /// Tells what an object has now. May collect, so it is to be called with the VM lock and with no other.
    #[inline]
    pub fn report(&self, bytes: usize) {
        if self.0.load(Relaxed).abs_diff(bytes) >= GRAIN {
            self.report_now(bytes);
        }
    }

    #[cold]
    fn report_now(&self, bytes: usize) {
        if self.replace(bytes) < bytes {
            consider_collecting();
        }
    }

    fn replace(&self, bytes: usize) -> usize {
        let before = self.0.swap(bytes, Relaxed);
        // SAFETY: changes counters of the VM. It neither collects nor allocates, also in a sweep, where `drop` calls it:
        // the VM files it as a reallocation, after which it never collects (`rb_gc_impl_adjust_memory_usage`, 4.0 and 4.1).
        unsafe { rb_sys::rb_gc_adjust_memory_usage((bytes as isize - before as isize) as _) };
        before
    }
}

/// The VM looks at its counters when it allocates memory, and only there: a loop that does nothing but fill queues would
/// never have it look.
fn consider_collecting() {
    let looked = protect(|| {
        // SAFETY: memory of one byte, freed at once; `protect` catches the want of it.
        unsafe { rb_sys::ruby_xfree(rb_sys::ruby_xmalloc(1)) };
        RawValue::NIL.0
    });
    // Where not even that is left, who allocates next is told.
    drop(looked);
}

/// Runs in a sweep, in any Ractor.
impl Drop for Reported {
    fn drop(&mut self) {
        if *self.0.get_mut() > 0 {
            self.replace(0);
        }
    }
}

/// Bytes from which on memory that was freed at once is worth looking for.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MUCH: usize = 1 << 20;

/// So many bytes were freed. glibc keeps what lies below something that is still in use, until it is told to look.
pub fn freed(bytes: usize) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if bytes >= MUCH {
        // SAFETY: gives whole pages of free memory back to the system; takes the allocator's own locks.
        unsafe { libc::malloc_trim(0) };
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = bytes;
}

/// Fetches an object's header, for a collector that comes to it soon. Objects that lie all over the heap cost it a wait
/// for memory each, which is longer than all else that it does with them.
#[inline]
pub fn prefetch(word: &RawValue) {
    #[cfg(target_arch = "x86_64")]
    if !word.is_immediate() {
        // SAFETY: a hint, which may name any address.
        unsafe {
            use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
            _mm_prefetch::<_MM_HINT_T0>(word.0 as *const i8);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = word;
}
