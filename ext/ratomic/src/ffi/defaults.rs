//! Whether a Hash has a default.

use super::Word;
use magnus::{gc, prelude::*, Error, Ruby, Value};
use rb_sys::VALUE;

/// How to see that a Hash has no default, which no function of the VM tells without a method call.
pub struct Defaults {
    /// The flag of a Hash with a default block, found by comparing one with one without; 0 if it cannot be seen.
    block: VALUE,
    /// A key that is in no Hash, because it is equal to itself alone and nobody else has it: a NaN.
    absent: Word,
    /// The name of `Hash#default`.
    default: rb_sys::ID,
}

impl Defaults {
    pub fn find(ruby: &Ruby) -> Result<Defaults, Error> {
        let absent = ruby.float_from_f64(f64::NAN).as_value();
        gc::register_mark_object(absent);
        let with: Value = ruby.eval("Hash.new { }")?;
        let without: Value = ruby.eval("Hash.new")?;
        let block = Word::of(with).header().flags ^ Word::of(without).header().flags;
        // SAFETY: a string with a NUL at its end.
        let default = unsafe { rb_sys::rb_intern(c"default".as_ptr()) };
        let block = if block.is_power_of_two() { block } else { 0 };
        Ok(Defaults {
            block,
            absent: Word::of(absent),
            default,
        })
    }

    pub fn are_none(&self, hash: Word) -> bool {
        if self.block == 0 || hash.header().flags & self.block != 0 {
            return false;
        }
        // SAFETY: a living Hash whose `default` is Hash's own, so that nothing but native code runs, and nothing raises.
        unsafe {
            rb_sys::rb_method_basic_definition_p(rb_sys::rb_cHash, self.default) != 0
                && rb_sys::rb_hash_aref(hash.0, self.absent.0) == Word::NIL.0
        }
    }
}
