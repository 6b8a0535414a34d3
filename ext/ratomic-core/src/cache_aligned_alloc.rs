//! An allocator that gives each block cache lines of its own, against false sharing. If the entries of two shards were in
//! one cache line, a thread that changes a value would take the line from the thread that works in the other shard, and
//! two Ractors would be slower than one.

use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
use std::ptr::NonNull;

/// Processors fetch lines of 64 bytes in pairs.
const LINE_PAIR_BYTES: usize = 128;

#[derive(Clone, Copy, Default)]
pub struct CacheAlignedAlloc;

fn whole_lines(layout: Layout) -> Result<Layout, AllocError> {
    layout
        .align_to(LINE_PAIR_BYTES)
        .map(|layout| layout.pad_to_align())
        .map_err(|_| AllocError)
}

// SAFETY: hands on what the global allocator promises, for a layout that is at least as large and as aligned, and is
// the same each time for the same request.
unsafe impl Allocator for CacheAlignedAlloc {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        Global.allocate(whole_lines(layout)?)
    }

    unsafe fn deallocate(&self, place: NonNull<u8>, layout: Layout) {
        if let Ok(layout) = whole_lines(layout) {
            // SAFETY: the caller got `place` from `allocate` with the layout that it gives now.
            unsafe { Global.deallocate(place, layout) };
        }
    }
}
