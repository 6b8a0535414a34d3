//! `Ratomic::Workers::Sharing`: makes plain data shareable (`ffi::deep_freeze`, `ffi::copy`), and takes snapshots of
//! a caller's items.

mod snapshot;

use crate::ffi::{
    class, copy,
    deep_freeze::{self, Unfrozen},
    error, global_gc, note, pinned,
    walk::{self, Found},
    RawValue,
};
use magnus::{function, prelude::*, Error, RArray, RClass, RModule, Ruby, Value};
use rb_sys::ruby_value_type::RUBY_T_OBJECT;

fn deep_freeze(object: Value) -> Result<bool, Error> {
    global_gc::relieve();
    Ok(deep_freeze::share(RawValue::of(object), Unfrozen::Freeze)?)
}

fn is_deep_frozen(object: Value) -> Result<bool, Error> {
    global_gc::relieve();
    Ok(deep_freeze::share(RawValue::of(object), Unfrozen::Refuse)?)
}

fn way() -> &'static str {
    note::way().name()
}

/// Whether all content of the object is in C, so that a move cannot take it.
fn is_opaque(object: Value) -> bool {
    RawValue::of(object).is_a(rb_sys::ruby_value_type::RUBY_T_DATA)
}

/// See [`walk::is_fatal_to_move`].
fn is_fatal_to_move(object: Value) -> bool {
    let word = RawValue::of(object);
    !word.is_immediate() && walk::is_fatal_to_move(word)
}

fn is_plain_tree(object: Value) -> Result<bool, Error> {
    let word = RawValue::of(object);
    Ok(word.is_immediate() || walk::is_plain_tree(word)?)
}

/// The object, if it is shareable, or a frozen copy; nil if it is no plain data.
fn frozen_copy(object: Value) -> Result<Option<Value>, Error> {
    global_gc::relieve();
    Ok(copy::frozen(RawValue::of(object))?.map(RawValue::value))
}

fn copies(ruby: &Ruby, items: RArray) -> Result<(RArray, RArray), Error> {
    global_gc::relieve();
    Ok(snapshot::copies(ruby, items)?)
}

/// An empty Array with room for so many elements, so that it does not have to grow.
fn room(ruby: &Ruby, count: usize) -> RArray {
    ruby.ary_new_capa(count)
}

fn snapshot(items: Value, most: usize) -> Result<Value, Error> {
    global_gc::relieve();
    Ok(snapshot::snapshot(items, most)?)
}

/// Whether the object refers to one that `Ractor.make_shareable` and `Ractor.shareable?` must not get, see [`walk`].
fn is_odd(object: Value) -> Result<bool, Error> {
    Ok(walk::find(RawValue::of(object))? == Found::Odd)
}

/// Whether the object has so many levels that the VM's walk could overflow the stack, see [`walk::find`].
fn is_too_deep(object: Value) -> Result<bool, Error> {
    Ok(walk::find(RawValue::of(object))? == Found::Deep)
}

/// Whether `Ractor.make_shareable` handles the whole object correctly: it refers only to objects that the VM copies
/// correctly, or refuses.
fn is_ordinary(object: Value) -> Result<bool, Error> {
    Ok(walk::is_ordinary(RawValue::of(object))?)
}

/// Registers a class whose instances refer to nothing that Ruby can reach, see [`walk::know_leaf`].
fn know_leaf(class: RClass) {
    walk::know_leaf(class);
}

/// Whether the object consists of its instance variables only.
fn is_object(object: Value) -> bool {
    RawValue::of(object).is_a(RUBY_T_OBJECT)
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic.define_module("Workers")?.define_module("Sharing")?;
    class::define_hidden::<pinned::Holder>(module, "Pinned")?;
    module.define_singleton_method("deep_freeze", function!(deep_freeze, 1))?;
    module.define_singleton_method("deep_frozen?", function!(is_deep_frozen, 1))?;
    module.define_singleton_method("way", function!(way, 0))?;
    module.define_singleton_method("opaque?", function!(is_opaque, 1))?;
    module.define_singleton_method("fatal_to_move?", function!(is_fatal_to_move, 1))?;
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
    module.define_singleton_method("room", function!(room, 1))?;
    module.define_singleton_method("snapshot", function!(snapshot, 2))
}
