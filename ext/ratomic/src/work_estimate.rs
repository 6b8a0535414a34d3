//! `Ratomic::Workers::WorkEstimate`: the weight of Strings. Each item of a dispatch is weighed several times, and one
//! look at its length takes a hundredth of a method call.
//!
//! Only instances of String itself are weighed here. A subclass may have its own `bytesize`, which Ruby has to call.

use crate::ffi::RawValue;
use magnus::{function, prelude::*, Error, RArray, RModule};
use rb_sys::ruby_value_type::RUBY_T_STRING;

/// The weight of an item without its bytes. The same as `Ratomic::Workers::WorkEstimate::ITEM_WEIGHT`.
pub const ITEM_WEIGHT: i64 = 64;

/// The weight of `count` Strings, each `step` places after the one before; nil if one of them is something else.
fn strings(items: RArray, first: usize, count: usize, step: usize) -> Option<i64> {
    (0..count).try_fold(0i64, |sum, number| {
        Some(sum.saturating_add(weight(
            items,
            first.saturating_add(number.saturating_mul(step)),
        )?))
    })
}

/// How many of the Strings from `first` on, at most `most`, weigh no more than `budget` together; nil if one of them is
/// something else.
fn strings_within(items: RArray, first: usize, most: usize, budget: i64) -> Option<usize> {
    let mut left = budget;
    for number in 0..most {
        left = left.saturating_sub(weight(items, first.saturating_add(number))?);
        if left < 0 {
            return Some(number);
        }
    }
    Some(most)
}

fn weight(items: RArray, place: usize) -> Option<i64> {
    let array = RawValue::of(items.as_value()).0;
    // SAFETY: a living Array, on the caller's stack; a place behind its end gives nil. The calling thread has the VM
    // lock of the Ractor that may change the Array, and nothing here gives it up.
    let item = RawValue(unsafe { rb_sys::rb_ary_entry(array, place.try_into().ok()?) });
    if !item.is_a(RUBY_T_STRING) || !item.is_plain_string() {
        return None;
    }
    // SAFETY: a living String, which the Array holds; reads its length.
    Some(ITEM_WEIGHT + unsafe { rb_sys::RSTRING_LEN(item.0) } as i64)
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic
        .define_module("Workers")?
        .define_module("WorkEstimate")?;
    module.define_singleton_method("strings", function!(strings, 4))?;
    module.define_singleton_method("strings_within", function!(strings_within, 4))
}
