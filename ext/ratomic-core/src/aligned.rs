//! The allocator of the extension. It is the system's, except for blocks that have to be aligned to cache lines.
//!
//! The standard allocator would call `posix_memalign` for those. In glibc before 2.38 that does not reuse the memory of
//! such blocks after they were freed (bug 14581), so the memory of a program that makes and drops Maps or worker pools
//! would grow without end. So this allocator asks for a larger block of the ordinary kind, and uses it from the first
//! aligned address on. The word before that address has its distance from the beginning of the block.

use std::alloc::{GlobalAlloc, Layout, System};
use std::mem::{align_of, size_of};
use std::ptr;

pub struct Aligned;

/// Every block of the system's allocator is aligned to this.
const SYSTEM_ALIGNMENT: usize = 2 * size_of::<usize>();

type Distance = usize;

/// A layout with room for `layout` at the first aligned address, wherever the block begins, and for the word before it.
fn enclosing_layout(layout: Layout) -> Option<Layout> {
    let size = layout.size().checked_add(layout.align())?;
    Layout::from_size_align(size, SYSTEM_ALIGNMENT).ok()
}

/// The first aligned address in the block that has a word before it.
///
/// # Safety
/// `block` is null, or a block of `enclosing_layout(layout)`.
unsafe fn first_line(block: *mut u8, layout: Layout) -> *mut u8 {
    if block.is_null() {
        return block;
    }
    // Block and line are multiples of two words. So there is a word before the line if it is not the block's beginning.
    let distance = layout.align() - block as usize % layout.align();
    // SAFETY: at most `align` bytes from the beginning, so that `size` bytes are left; the word before it is in the
    // block too, and aligned, because both the block and the distance are multiples of `SYSTEM_ALIGNMENT`.
    unsafe {
        let line = block.add(distance);
        line.sub(size_of::<Distance>())
            .cast::<Distance>()
            .write(distance);
        line
    }
}

const _: () = assert!(
    SYSTEM_ALIGNMENT >= size_of::<Distance>() && SYSTEM_ALIGNMENT >= align_of::<Distance>()
);

// SAFETY: each block is one of the system's allocator, or lies inside of one, with the size and alignment that were asked
// for. It is freed with the layout with which it was allocated, because `enclosing_layout` returns the same for the same.
unsafe impl GlobalAlloc for Aligned {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= SYSTEM_ALIGNMENT {
            // SAFETY: the caller's own request.
            return unsafe { System.alloc(layout) };
        }
        // SAFETY: a layout that is larger than none, and a block of it.
        enclosing_layout(layout).map_or(ptr::null_mut(), |room| unsafe {
            first_line(System.alloc(room), layout)
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= SYSTEM_ALIGNMENT {
            // SAFETY: the caller's own request.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as in `alloc`; the word that is written is before what the caller gets.
        enclosing_layout(layout).map_or(ptr::null_mut(), |room| unsafe {
            first_line(System.alloc_zeroed(room), layout)
        })
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if layout.align() <= SYSTEM_ALIGNMENT {
            // SAFETY: the caller's own request.
            return unsafe { System.dealloc(place, layout) };
        }
        if let Some(room) = enclosing_layout(layout) {
            // SAFETY: `place` came from `first_line`, which has written how far the beginning of the block is.
            unsafe {
                let distance = place.sub(size_of::<Distance>()).cast::<Distance>().read();
                System.dealloc(place.sub(distance), room);
            }
        }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= SYSTEM_ALIGNMENT {
            // SAFETY: the caller's own request.
            return unsafe { System.realloc(place, layout, size) };
        }
        // SAFETY: the caller promises that the new size makes a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: two blocks of at least the bytes that are copied; the old one is not used any more.
        unsafe {
            let new = self.alloc(wanted);
            if !new.is_null() {
                ptr::copy_nonoverlapping(place, new, layout.size().min(size));
                self.dealloc(place, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_aligned_and_whole() {
        for (size, align) in [
            (1, 1),
            (24, 8),
            (64, 64),
            (1, 128),
            (4096, 4096),
            (300, 128),
        ] {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: layouts of some bytes; all that is read or written is in the block, which is given back once.
            unsafe {
                let place = Aligned.alloc_zeroed(layout);
                assert_eq!(place as usize % align, 0);
                assert!((0..size).all(|at| place.add(at).read() == 0));
                ptr::write_bytes(place, 7, size);
                let place = Aligned.realloc(place, layout, size * 3);
                assert_eq!(place as usize % align, 0);
                assert!((0..size).all(|at| place.add(at).read() == 7));
                ptr::write_bytes(place, 9, size * 3);
                Aligned.dealloc(place, Layout::from_size_align(size * 3, align).unwrap());
            }
        }
    }
}
