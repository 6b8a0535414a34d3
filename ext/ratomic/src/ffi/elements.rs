//! The elements of an Array that is being made. The VM is told of each element that is stored in an Array, which takes
//! longer than to store it. So they are collected on the machine stack first, and stored together.

use super::RawValue;
use rb_sys::VALUE;
use std::ffi::c_long;

/// Elements that are stored in one call.
const BATCH_ELEMENTS: usize = 16;

/// To be kept on the machine stack: there a collection finds the elements.
pub struct Elements {
    waiting: [VALUE; BATCH_ELEMENTS],
    count: usize,
    /// Has the elements before those that wait. Of few elements the Array is made last.
    array: Option<RawValue>,
}

impl Elements {
    /// Of an Array that will have so many elements.
    pub fn new(count: usize) -> Elements {
        // SAFETY: makes an Array.
        let array = || RawValue(unsafe { rb_sys::rb_ary_new_capa(count as c_long) });
        Elements {
            waiting: [RawValue::NIL.0; BATCH_ELEMENTS],
            count: 0,
            array: (count > BATCH_ELEMENTS).then(array),
        }
    }

    #[inline]
    pub fn push(&mut self, element: RawValue) {
        if self.count == BATCH_ELEMENTS {
            self.array = Some(self.stored());
        }
        self.waiting[self.count] = element.0;
        self.count += 1;
    }

    /// The Array, which is not frozen.
    pub fn array(mut self) -> RawValue {
        self.stored()
    }

    fn stored(&mut self) -> RawValue {
        let (count, waiting) = (self.count as c_long, self.waiting.as_ptr());
        self.count = 0;
        // SAFETY: an Array that nobody else has; and words on the stack, as many as were pushed.
        RawValue(unsafe {
            match self.array {
                Some(array) => rb_sys::rb_ary_cat(array.0, waiting, count),
                None => rb_sys::rb_ary_new_from_values(count, waiting),
            }
        })
    }
}
