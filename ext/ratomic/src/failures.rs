//! `Ratomic::Workers::Failures`: finds the Failures among results. A few results of a dispatch are Failures, or none, and
//! to compare the class of each in Ruby would take as long as a small item.

use crate::ffi::{words, RawValue};
use magnus::{function, gc, prelude::*, Error, RArray, RClass, RModule};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Before the class is registered: the address of no object.
static CLASS: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Whether one of the words is a Failure. (Failures are frozen, so none has a singleton class.)
pub fn any_failure(words: &[RawValue]) -> bool {
    let class = CLASS.load(Relaxed);
    words
        .iter()
        .any(|word| !word.is_immediate() && word.class_or_singleton() as usize == class)
}

fn any(results: RArray) -> bool {
    any_failure(words(&results))
}

/// Called once, when the library is loaded. The class is registered with the collector, so it does not move.
fn install(class: RClass) {
    gc::register_mark_object(class);
    CLASS.store(RawValue::of(class.as_value()).0 as usize, Relaxed);
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic
        .define_module("Workers")?
        .define_module("Failures")?;
    module.define_singleton_method("install", function!(install, 1))?;
    module.define_singleton_method("any?", function!(any, 1))
}
