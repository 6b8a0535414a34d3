//! Reports to the collector how much memory objects own that the VM has not allocated, so that it runs when garbage may
//! own much of it. Also tells the processor which memory will be read next (`prefetch`).

use super::RawValue;
use magnus::rb_sys::protect;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The bytes that one object has reported.
#[derive(Default)]
pub struct Reported(AtomicUsize);

/// A smaller difference is not reported.
const MIN_REPORTED_BYTES: usize = 1024;

impl Reported {
    /// Reports the bytes that an object owns now. It may start a collection, so the caller holds the VM lock and no
    /// other lock.
    #[inline]
    pub fn report(&self, bytes: usize) {
        if self.0.load(Relaxed).abs_diff(bytes) >= MIN_REPORTED_BYTES {
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
        // SAFETY: changes counters of the VM. It neither collects nor allocates, also in a sweep, where `drop` calls
        // it: the VM files it as a reallocation, after which it never collects (`rb_gc_impl_adjust_memory_usage`, 4.0
        // and 4.1).
        unsafe { rb_sys::rb_gc_adjust_memory_usage((bytes as isize - before as isize) as _) };
        before
    }
}

/// The VM reads its counters only when it allocates memory. A loop that only fills queues allocates none, so this
/// allocates one byte.
fn consider_collecting() {
    let looked = protect(|| {
        // SAFETY: memory of one byte, freed at once; `protect` catches the want of it.
        unsafe { rb_sys::ruby_xfree(rb_sys::ruby_xmalloc(1)) };
        RawValue::NIL.0
    });
    // Without memory for one byte the next allocation of the program raises the error.
    drop(looked);
}

/// Runs while the collector sweeps, in any Ractor.
impl Drop for Reported {
    fn drop(&mut self) {
        if *self.0.get_mut() > 0 {
            self.replace(0);
        }
    }
}

/// When at least this many bytes were freed at once, the allocator is asked to give memory back to the system.
const MIN_TRIMMED_BYTES: usize = 1 << 20;

/// To be called after `bytes` were freed.
pub fn freed(bytes: usize) {
    if bytes >= MIN_TRIMMED_BYTES {
        trim();
    }
}

/// Gives free memory back to the system, where the allocator is glibc's. It keeps what was freed below a block that is
/// still used, until `malloc_trim`.
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: gives whole pages of free memory back to the system; takes the allocator's own locks.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Fetches the header of an object that the collector will mark soon. Objects that are spread over the heap cost it a
/// cache miss each, which takes longer than the rest of their marking.
#[inline]
pub fn prefetch(word: RawValue) {
    fetch(word.0 as usize);
}

/// The size of a page of CRuby's heap. The page begins with a pointer to the collector's notes on the objects of the page.
const PAGE_BYTES: usize = 1 << 16;

/// Fetches the beginning of the page that an object is in. Where pages have another size, something else is fetched.
#[inline]
pub fn prefetch_page(word: RawValue) {
    fetch(word.0 as usize & !(PAGE_BYTES - 1));
}

#[inline]
fn fetch(address: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which may name any address.
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch::<_MM_HINT_T0>(address as *const i8);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
