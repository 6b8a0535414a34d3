//! `Ratomic::Workers::Sharing`: plain data made shareable, see [`plain`].

use crate::ffi::{
    note,
    plain::{self, Unfrozen},
    Word,
};
use magnus::{function, prelude::*, Error, RModule, Value};

fn deep_freeze(object: Value) -> bool {
    plain::share(Word::of(object), Unfrozen::Freeze)
}

fn is_deep_frozen(object: Value) -> bool {
    plain::share(Word::of(object), Unfrozen::Refuse)
}

fn way() -> &'static str {
    note::way().name()
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic.define_module("Workers")?.define_module("Sharing")?;
    module.define_singleton_method("deep_freeze", function!(deep_freeze, 1))?;
    module.define_singleton_method("deep_frozen?", function!(is_deep_frozen, 1))?;
    module.define_singleton_method("way", function!(way, 0))
}
