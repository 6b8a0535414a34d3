//! Reads and makes the numbers for which no Ruby method has to be called.

use super::RawValue;
use magnus::Value;
use rb_sys::ruby_value_type::{RUBY_T_BIGNUM, RUBY_T_FLOAT};
use std::ffi::c_int;

/// Why an object is no Integer of 64 bits.
pub enum NotInt64 {
    NoInteger,
    TooLarge,
}

/// Reads an Integer of 64 bits. Calls no method and raises nothing, so no interrupt comes meanwhile.
pub fn int64(value: Value) -> Result<i64, NotInt64> {
    let word = RawValue::of(value);
    if word.is_fixnum() {
        return Ok(fixnum(word));
    }
    if !word.is_a(RUBY_T_BIGNUM) {
        return Err(NotInt64::NoInteger);
    }
    let mut number = 0_i64;
    let flags = rb_sys::INTEGER_PACK_2COMP | rb_sys::INTEGER_PACK_NATIVE_BYTE_ORDER;
    // SAFETY: a living Bignum, of which eight bytes are written.
    let sign = unsafe {
        let bytes = std::ptr::from_mut(&mut number).cast();
        rb_sys::rb_integer_pack(word.0, bytes, 1, size_of::<i64>() as _, 0, flags as c_int)
    };
    // Larger numbers give another sign, or 2 and -2.
    match i64::from(sign) == number.signum() {
        true => Ok(number),
        false => Err(NotInt64::TooLarge),
    }
}

pub fn fixnum(word: RawValue) -> i64 {
    // A Fixnum is its number shifted by one, with the lowest bit set.
    (word.0 as i64) >> 1
}

/// The number as a Fixnum; `None` if it needs more than 63 bits, because then a Bignum would have to be allocated.
pub fn to_fixnum(number: i64) -> Option<RawValue> {
    let shifted = number.checked_mul(2)?;
    Some(RawValue((shifted | 1) as rb_sys::VALUE))
}

pub fn is_float(word: RawValue) -> bool {
    rb_sys::FLONUM_P(word.0) || word.is_a(RUBY_T_FLOAT)
}

pub fn float(word: RawValue) -> f64 {
    // SAFETY: a Float, by the caller's check; reads it.
    unsafe { rb_sys::rb_float_value(word.0) }
}

/// The value of a Fixnum or Float as `f64`.
pub fn to_float(word: RawValue) -> Option<f64> {
    if word.is_fixnum() {
        Some(fixnum(word) as f64)
    } else {
        is_float(word).then(|| float(word))
    }
}
