//! The two objects that stand in the slot of an item without a result: `DROPPED`, and the one that a reduction puts
//! there. They live as long as the process, so a comparison of addresses finds them.

use crate::ffi::{error, shareable, RawValue};
use magnus::{function, gc, prelude::*, Error, RModule, Value};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The value before an object is registered: the address of no object. (Zero is `false`, which can be a result.)
const NEVER: usize = usize::MAX;

static DROPPED: AtomicUsize = AtomicUsize::new(NEVER);
static FOLDED: AtomicUsize = AtomicUsize::new(NEVER);

pub fn is_dropped(word: RawValue) -> bool {
    word.0 as usize == DROPPED.load(Relaxed)
}

pub fn is_vacant(word: RawValue) -> bool {
    is_dropped(word) || word.0 as usize == FOLDED.load(Relaxed)
}

/// Whether one of the words is a vacancy. Most Arrays of results have none.
pub fn any_vacant(words: &[RawValue]) -> bool {
    let (dropped, folded) = (DROPPED.load(Relaxed), FOLDED.load(Relaxed));
    let mut found = false;
    for word in words {
        found |= (word.0 as usize == dropped) | (word.0 as usize == folded);
    }
    found
}

/// Called once, when the library is loaded. Both objects are registered with the collector, so they do not move.
fn install(dropped: Value, folded: Value) -> Result<(), Error> {
    for (place, object) in [(&DROPPED, dropped), (&FOLDED, folded)] {
        if !shareable::is_shareable(RawValue::of(object))? {
            return Err(error::shareable("it must be shareable"));
        }
        gc::register_mark_object(object);
        place.store(RawValue::of(object).0 as usize, Relaxed);
    }
    Ok(())
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic
        .define_module("Workers")?
        .define_module("Vacancies")?;
    module.define_singleton_method("install", function!(install, 2))
}
