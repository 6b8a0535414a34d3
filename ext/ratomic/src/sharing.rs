//! `Ratomic::Workers::Sharing`: plain data made shareable, see [`plain`], and a caller's few items taken as they are now.

mod snapshot;

use crate::ffi::{
    copy,
    deep_freeze::{self, Unfrozen},
    error, global_gc, note,
    walk::{self, Found},
    RawValue,
};
use magnus::{function, prelude::*, Error, RArray, RClass, RModule, Ruby, Value};
use rb_sys::ruby_value_type::RUBY_T_OBJECT;

fn deep_freeze(object: Value) -> bool {
    global_gc::relieve();
    deep_freeze::share(RawValue::of(object), Unfrozen::Freeze)
}

fn is_deep_frozen(object: Value) -> bool {
    global_gc::relieve();
    deep_freeze::share(RawValue::of(object), Unfrozen::Refuse)
}

fn way() -> &'static str {
    note::way().name()
}

/// Whether all of its content is in C, where a move does not reach.
fn is_opaque(object: Value) -> bool {
    RawValue::of(object).is_a(rb_sys::ruby_value_type::RUBY_T_DATA)
}

fn is_plain_tree(object: Value) -> bool {
    let word = RawValue::of(object);
    word.is_immediate() || walk::is_plain_tree(word)
}

/// The object, if it is shareable, or a frozen copy; nil where it is no plain data.
fn frozen_copy(object: Value) -> Option<Value> {
    global_gc::relieve();
    copy::frozen(RawValue::of(object)).map(RawValue::value)
}

fn copies(ruby: &Ruby, items: RArray) -> (RArray, RArray) {
    global_gc::relieve();
    snapshot::copies(ruby, items)
}

fn snapshot(ruby: &Ruby, items: Value, most: usize) -> Value {
    global_gc::relieve();
    snapshot::snapshot(ruby, items, most)
}

/// Whether there is something in it that `Ractor.make_shareable` and `Ractor.shareable?` must not be given, see [`walk`].
fn is_odd(object: Value) -> bool {
    walk::find(RawValue::of(object)) == Found::Odd
}

/// Whether the VM must not be given it: it could come to the end of the stack, see [`walk::find`].
fn is_too_deep(object: Value) -> bool {
    walk::find(RawValue::of(object)) == Found::Deep
}

/// Whether there is nothing in it that `Ractor.make_shareable` gets wrong, and nothing that must not be copied: no more
/// than what the VM makes a copy of, or refuses.
fn is_ordinary(object: Value) -> bool {
    walk::is_ordinary(RawValue::of(object))
}

/// The class is one of those whose instances have nothing in them that could be in the way, see [`walk::know_leaf`].
fn know_leaf(class: RClass) {
    walk::know_leaf(class);
}

/// Whether all that it consists of are its instance variables.
fn is_object(object: Value) -> bool {
    RawValue::of(object).is_a(RUBY_T_OBJECT)
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic.define_module("Workers")?.define_module("Sharing")?;
    module.define_singleton_method("deep_freeze", function!(deep_freeze, 1))?;
    module.define_singleton_method("deep_frozen?", function!(is_deep_frozen, 1))?;
    module.define_singleton_method("way", function!(way, 0))?;
    module.define_singleton_method("opaque?", function!(is_opaque, 1))?;
    module.define_singleton_method("plain_tree?", function!(is_plain_tree, 1))?;
    module.define_singleton_method("frozen_copy", function!(frozen_copy, 1))?;
    module.define_singleton_method("odd?", function!(is_odd, 1))?;
    let text = error::ruby().str_new(walk::TOO_DEEP);
    text.freeze();
    module.const_set("TOO_DEEP", text)?;
    module.define_singleton_method("too_deep?", function!(is_too_deep, 1))?;
    module.define_singleton_method("ordinary?", function!(is_ordinary, 1))?;
    module.define_singleton_method("know_leaf", function!(know_leaf, 1))?;
    module.define_singleton_method("copies", function!(copies, 1))?;
    module.define_singleton_method("object?", function!(is_object, 1))?;
    module.define_singleton_method("snapshot", function!(snapshot, 2))
}
