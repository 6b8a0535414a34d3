//! The native primitives of ratomic: one file for each Ruby class. All access to the VM is in [`ffi`], the algorithms
//! are in the crate `ratomic-core`.

mod caller_runs_cache;
mod completion;
mod counter;
mod failures;
mod ffi;
mod map;
mod plain_data;
mod process_memory;
mod queue;
mod sharing;
mod tally;
mod vacancy;
mod work_estimate;

use magnus::{Error, Ruby};

#[global_allocator]
static ALLOCATOR: ratomic_core::aligned::Aligned = ratomic_core::aligned::Aligned;

#[magnus::init(name = "ratomic")]
fn init(ruby: &Ruby) -> Result<(), Error> {
    ffi::declare_ractor_safe();
    ffi::fork::install();
    ffi::key::install();
    ffi::gc::install(ruby)?;
    ffi::note::install(ruby)?;
    ffi::deep_freeze::install(ruby)?;
    ffi::walk::install(ruby)?;
    ffi::native_thread::install(ruby)?;
    let ratomic = ruby.define_module("Ratomic")?;
    counter::define(ruby, ratomic)?;
    map::define(ruby, ratomic)?;
    queue::define(ruby, ratomic)?;
    completion::define(ruby, ratomic)?;
    sharing::define(ratomic)?;
    caller_runs_cache::define(ruby, ratomic)?;
    plain_data::define(ratomic)?;
    process_memory::define(ratomic)?;
    tally::define(ruby, ratomic)?;
    vacancy::define(ratomic)?;
    failures::define(ratomic)?;
    work_estimate::define(ratomic)
}
