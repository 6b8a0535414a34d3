//! `Ratomic::Workers::Failures`: finds the Failures among results. A few results of a dispatch are Failures, or none, and
//! to compare the class of each in Ruby would take as long as a small item.

use crate::ffi::{words, RawValue};
use magnus::{function, gc, prelude::*, Error, RArray, RClass, RModule};
use rb_sys::{ruby_value_type::RUBY_T_OBJECT, VALUE};
use std::sync::OnceLock;

static CLASS: OnceLock<VALUE> = OnceLock::new();

/// Whether one of the words is a Failure, or an instance of a subclass.
pub fn any_failure(words: &[RawValue]) -> bool {
    CLASS.get().is_some_and(|class| {
        words
            .iter()
            .any(|word| word.is_a(RUBY_T_OBJECT) && is_kind_of(*word, *class))
    })
}

#[inline]
fn is_kind_of(word: RawValue, class: VALUE) -> bool {
    // SAFETY: a living object of the caller's Array, and a class that is registered; looks through the ancestors.
    let asked = || unsafe { rb_sys::rb_obj_is_kind_of(word.0, class) };
    word.class_or_singleton() == class || asked() != rb_sys::Qfalse as VALUE
}

fn any(results: RArray) -> bool {
    any_failure(words(&results))
}

/// Called once, when the library is loaded. The class is registered with the collector, so it does not move.
fn install(class: RClass) {
    gc::register_mark_object(class);
    CLASS.get_or_init(|| RawValue::of(class.as_value()).0);
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic
        .define_module("Workers")?
        .define_module("Failures")?;
    module.define_singleton_method("install", function!(install, 1))?;
    module.define_singleton_method("any?", function!(any, 1))
}
