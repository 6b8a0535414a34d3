//! `Ratomic::Workers::Sharing`: makes plain data shareable, in one pass and without the bookkeeping of
//! `Ractor.make_shareable`, which enters every object into a table to find cycles, and costs more than parsing it did.
//!
//! Plain data is what parsers return: Strings, numbers, Symbols, Arrays, Hashes and Structs with no instance variables,
//! and frozen objects, all without singleton classes. An object is noted as shareable after everything in it is, so every
//! note is true whenever the walk ends early. Anything else, and what is nested too deep (a cycle, too), is left to the
//! VM.

mod defaults;
mod walk;

use crate::ffi::Word;
use defaults::Defaults;
use magnus::{function, prelude::*, Error, RModule, Ruby, Value};
use std::sync::OnceLock;
use walk::{Unfrozen, Walk};

static DEFAULTS: OnceLock<Defaults> = OnceLock::new();

fn share(object: Value, unfrozen: Unfrozen) -> bool {
    let walk = |defaults| {
        Walk {
            unfrozen,
            depth: 0,
            defaults,
        }
        .share(Word::of(object))
    };
    DEFAULTS.get().is_some_and(walk)
}

fn deep_freeze(object: Value) -> bool {
    share(object, Unfrozen::Freeze)
}

fn is_deep_frozen(object: Value) -> bool {
    share(object, Unfrozen::Refuse)
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let defaults = Defaults::find(ruby)?;
    DEFAULTS.get_or_init(|| defaults);
    let module = ratomic.define_module("Workers")?.define_module("Sharing")?;
    module.define_singleton_method("deep_freeze", function!(deep_freeze, 1))?;
    module.define_singleton_method("deep_frozen?", function!(is_deep_frozen, 1))
}
