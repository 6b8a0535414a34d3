//! Asks the methods of a Hash whether it has a default, whether it is to become keywords, and how it finds its keys. On
//! the Rubies on which that was proved ([`super::note`]) its header tells whether it has a default, with no method
//! call.

use super::{
    jump::{self, Jump},
    names::Names,
    RawValue,
};
use magnus::{gc, prelude::*, Error, Ruby, Value};
use rb_sys::VALUE;
use std::ptr;

/// Whether a Hash has neither a default nor a default proc. This calls its methods.
pub fn are_none(hash: RawValue) -> Result<bool, Jump> {
    static METHODS: Names<2> = Names::new([c"default_proc", c"default"]);
    for name in METHODS.ids() {
        // SAFETY: a living Hash whose method is Hash's own, so that nothing but native code runs.
        let ask = || unsafe { rb_sys::rb_funcallv(hash.0, *name, 0, ptr::null()) };
        if !is_own(*name) || RawValue(jump::catch(ask)?) != RawValue::NIL {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the method is Hash's own.
fn is_own(method: rb_sys::ID) -> bool {
    // SAFETY: a class of the VM.
    unsafe { rb_sys::rb_method_basic_definition_p(rb_sys::rb_cHash, method) != 0 }
}

/// Whether a Hash of Ruby's own class finds its keys by what is in them, and not by which object they are. False where a
/// method of the Hash's own would have to be asked.
pub fn compares_by_content(hash: RawValue) -> Result<bool, Jump> {
    static METHOD: Names<1> = Names::new([c"compare_by_identity?"]);
    let [name] = *METHOD.ids();
    // SAFETY: a living Hash, and its class.
    let own = unsafe { rb_sys::rb_method_basic_definition_p(hash.class_or_singleton(), name) != 0 };
    // SAFETY: as in `are_none`; the method reads a flag.
    let ask = || unsafe { rb_sys::rb_funcallv(hash.0, name, 0, ptr::null()) };
    Ok(own && RawValue(jump::catch(ask)?) == RawValue::from_bool(false))
}

/// Whether a Hash was made by `Hash.ruby2_keywords_hash`, or may have been.
pub fn is_noted_for_keywords(hash: RawValue) -> Result<bool, Jump> {
    static METHOD: Names<1> = Names::new([c"ruby2_keywords_hash?"]);
    let [name] = *METHOD.ids();
    // SAFETY: the class of the VM, and that of its methods.
    let own = unsafe {
        let methods = RawValue(rb_sys::rb_cHash).class_or_singleton();
        rb_sys::rb_method_basic_definition_p(methods, name) != 0
    };
    // SAFETY: the class of the VM and a living Hash; the method is the class's own, and reads a flag.
    let ask = || unsafe { rb_sys::rb_funcallv(rb_sys::rb_cHash, name, 1, &hash.0) };
    Ok(!own || RawValue(jump::catch(ask)?) != RawValue::from_bool(false))
}

/// How to see that a Hash has no default without a method call.
pub struct Defaults {
    /// The flag of a Hash with a default block, found by comparing one with one without; 0 if it cannot be seen.
    block: VALUE,
    /// A key that is in no Hash, because it is equal to itself alone and nobody else has it: a NaN.
    absent: RawValue,
    /// The name of `Hash#default`.
    default: rb_sys::ID,
}

impl Defaults {
    pub fn find(ruby: &Ruby) -> Result<Defaults, Error> {
        let absent = ruby.float_from_f64(f64::NAN).as_value();
        // Shareable from the start, so that it may be registered in whatever Ractor loads the extension.
        gc::register_mark_object(absent);
        let with: Value = ruby.eval("Hash.new { }")?;
        let without: Value = ruby.eval("Hash.new")?;
        let block = RawValue::of(with).flags() ^ RawValue::of(without).flags();
        let [default] = *Names::new([c"default"]).ids();
        let block = if block.is_power_of_two() { block } else { 0 };
        Ok(Defaults {
            block,
            absent: RawValue::of(absent),
            default,
        })
    }

    pub fn are_none(&self, hash: RawValue) -> bool {
        if self.block == 0 || hash.flags() & self.block != 0 {
            return false;
        }
        // SAFETY: a living Hash whose `default` is Hash's own, so that nothing but native code runs, and nothing
        // raises.
        is_own(self.default)
            && unsafe { rb_sys::rb_hash_aref(hash.0, self.absent.0) } == RawValue::NIL.0
    }
}
