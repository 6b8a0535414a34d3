//! Reads and makes the numbers for which no Ruby method has to be called.

use super::{error, RawValue};
use magnus::{rb_sys::protect, Error, Value};
use rb_sys::ruby_value_type::{RUBY_T_BIGNUM, RUBY_T_FLOAT};

/// Reads an Integer of 64 bits. Raises a `TypeError` for any other class, a `RangeError` for a larger Integer.
pub fn int64(value: Value) -> Result<i64, Error> {
    let word = RawValue::of(value);
    if word.is_fixnum() {
        return Ok(fixnum(word));
    }
    if !word.is_a(RUBY_T_BIGNUM) {
        let class = error::class_name(value);
        return Err(error::type_error(format!(
            "{class} given where an Integer is needed"
        )));
    }
    let mut number = 0;
    protect(|| {
        // SAFETY: a living Bignum; `protect` catches its RangeError.
        number = unsafe { rb_sys::rb_big2ll(word.0) };
        RawValue::NIL.0
    })?;
    Ok(number)
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
