//! A caller's few items, taken as they are now.

use crate::ffi::Word;
use magnus::{prelude::*, rb_sys::protect, Error, Value};
use rb_sys::ruby_value_type::{RUBY_T_ARRAY, RUBY_T_STRING};
use rb_sys::VALUE;

/// In bytes. A longer text is shared with its copy, which then only the VM can find shareable.
const SHORT: usize = 16 * 1024;

/// Of an Array of at most so many items: a frozen one with the same items, but that each String has become a frozen
/// copy, as `dup` makes it, unless it has more to it than its text. Itself, if nothing of that has to be done. Anything else as it is.
///
/// What is then asked of the items stays true while they run, whoever changes the caller's Array.
pub fn snapshot(items: Value, most: usize) -> Result<Value, Error> {
    let array = Word::of(items);
    if !array.is_a(RUBY_T_ARRAY) {
        return Ok(items);
    }
    // SAFETY: a living Array.
    let len = unsafe { rb_sys::RARRAY_LEN(array.0) } as usize;
    // SAFETY: as above, and its places are as many; what is asked of its items runs no Ruby.
    let mut texts =
        unsafe { std::slice::from_raw_parts(rb_sys::RARRAY_CONST_PTR(array.0), len.min(most)) }
            .iter()
            .map(|item| is_text(Word(*item)));
    if len > most || (items.is_frozen() && !texts.any(|text| text)) {
        return Ok(items);
    }
    protect(|| {
        // SAFETY: `array` is on the stack of the caller, and the copy on this one. No other thread of this Ractor runs
        // before the end. `protect` catches what these raise (no memory).
        unsafe {
            let copy = rb_sys::rb_ary_new_from_values(len as _, rb_sys::RARRAY_CONST_PTR(array.0));
            for place in 0..len {
                let item = rb_sys::rb_ary_entry(copy, place as _);
                if is_text(Word(item)) {
                    rb_sys::rb_ary_store(copy, place as _, copy_of_text(item));
                }
            }
            rb_sys::rb_obj_freeze(copy)
        }
    })
    .map(|copy| Word(copy).value())
}

/// # Safety
/// A living String, on the stack or in something that is. May raise (no memory).
unsafe fn copy_of_text(item: VALUE) -> VALUE {
    // SAFETY: as said above. Nothing is allocated between the look at where the texts are and the end of the copying.
    unsafe {
        let len = rb_sys::RSTRING_LEN(item) as usize;
        if len > SHORT {
            return rb_sys::rb_str_freeze(rb_sys::rb_str_dup(item));
        }
        let copy = rb_sys::rb_enc_str_new(std::ptr::null(), len as _, rb_sys::rb_enc_get(item));
        let text = rb_sys::RSTRING_PTR(copy).cast_mut();
        std::ptr::copy_nonoverlapping(rb_sys::RSTRING_PTR(item), text, len);
        rb_sys::rb_str_freeze(copy)
    }
}

/// Whether it is a String that is not frozen, and nothing but its text.
fn is_text(item: Word) -> bool {
    // SAFETY: a living object; what is asked reads only.
    item.is_a(RUBY_T_STRING)
        && unsafe {
            !item.is_frozen()
                && rb_sys::rb_obj_class(item.0) == rb_sys::rb_cString
                && rb_sys::rb_ivar_count(item.0) == 0
        }
}
