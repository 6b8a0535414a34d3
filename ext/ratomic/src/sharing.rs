//! `Ratomic::Workers::Sharing`: plain data made shareable, see [`plain`].

use crate::ffi::{
    copy,
    plain::{self, Unfrozen},
    walk::{self, Found},
    Word,
};
use magnus::{function, prelude::*, Error, RModule, Value};
use rb_sys::ruby_value_type::RUBY_T_OBJECT;

fn deep_freeze(object: Value) -> bool {
    plain::share(Word::of(object), Unfrozen::Freeze)
}

fn is_deep_frozen(object: Value) -> bool {
    plain::share(Word::of(object), Unfrozen::Refuse)
}

/// The object, if it is shareable, or a frozen copy; nil where it is no plain data.
fn frozen_copy(object: Value) -> Option<Value> {
    copy::frozen(Word::of(object)).map(Word::value)
}

/// Whether there is something in it that `Ractor.make_shareable` and `Ractor.shareable?` must not be given, see [`walk`].
fn is_odd(object: Value) -> Result<bool, Error> {
    Ok(walk::find(Word::of(object))? == Found::Odd)
}

/// Whether all that it consists of are its instance variables.
fn is_object(object: Value) -> bool {
    Word::of(object).is_a(RUBY_T_OBJECT)
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic.define_module("Workers")?.define_module("Sharing")?;
    module.define_singleton_method("deep_freeze", function!(deep_freeze, 1))?;
    module.define_singleton_method("deep_frozen?", function!(is_deep_frozen, 1))?;
    module.define_singleton_method("frozen_copy", function!(frozen_copy, 1))?;
    module.define_singleton_method("odd?", function!(is_odd, 1))?;
    module.define_singleton_method("object?", function!(is_object, 1))
}
