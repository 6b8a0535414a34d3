//! `Ratomic::Workers::Processes::Memory.trim`: a worker process gives back what its allocator has left over.

use crate::ffi::memory;
use magnus::{function, prelude::*, Error, RModule};

fn trim() {
    memory::trim();
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    ratomic
        .define_module("Workers")?
        .define_module("Processes")?
        .define_module("Memory")?
        .define_singleton_method("trim", function!(trim, 0))
}
