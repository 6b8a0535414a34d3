//! `Ratomic::Workers::Tally`: counts the dispatches that callers ran themselves, and the latency of all dispatches.

use crate::ffi::{
    class, copy,
    deep_freeze::{self, Unfrozen},
    global_gc, words, RawValue, Receiver,
};
use crate::{failures::any_failure, vacancy::any_vacant};
use magnus::{method, prelude::*, DataTypeFunctions, Error, RArray, RModule, Ruby, TypedData};
use ratomic_core::{tally, Tally as Core};

#[derive(Default, TypedData, DataTypeFunctions)]
#[magnus(
    class = "Ratomic::Workers::Tally",
    free_immediately,
    wb_protected,
    frozen_shareable
)]
struct Tally(Core);

/// Whether every item has a result, and none is a Failure that the callable has returned.
fn all_well(results: &RArray) -> bool {
    let words = words(results);
    !any_vacant(words) && !any_failure(words)
}

impl Tally {
    fn initialize(this: Receiver<Self>) -> Result<(), Error> {
        class::seal(this)
    }

    fn start(_this: Receiver<Self>) -> u64 {
        tally::now()
    }

    /// Counts a dispatch that the caller has run, and makes its results shareable: either freezes the objects
    /// themselves (`in_place`), or replaces each that is not shareable by a frozen copy. Returns the nanoseconds that
    /// it took. Returns nil if a result is not plain data or a Failure, or an item was dropped; then
    /// `ResultFreezer.seal` has to look at the results.
    fn record_and_freeze(
        this: Receiver<Self>,
        started: u64,
        results: RArray,
        in_place: bool,
    ) -> Result<Option<u64>, Error> {
        let took = Self::record_and_freeze_now(this, started, results, in_place);
        global_gc::relieve(); // its time is not the dispatch's
        took
    }

    fn record_and_freeze_now(
        this: Receiver<Self>,
        started: u64,
        results: RArray,
        in_place: bool,
    ) -> Result<Option<u64>, Error> {
        if in_place {
            let took = tally::now().saturating_sub(started);
            this.0.record_by_caller(took, results.len() as u64);
            let shared = deep_freeze::share(RawValue::of(results.as_value()), Unfrozen::Freeze)?;
            return Ok((shared && all_well(&results)).then_some(took));
        }
        let count = results.len() as u64;
        let done = |took: u64| {
            this.0.record_by_caller(took, count);
            took
        };
        for place in 0..results.len() as isize {
            let result = RawValue::of(results.entry(place)?);
            match copy::frozen(result) {
                Ok(Some(copy)) if copy == result => {}
                Ok(Some(copy)) => results.store(place, copy.value())?,
                refused => {
                    done(tally::now().saturating_sub(started));
                    return match refused {
                        Err(jump) => Err(jump.into()),
                        Ok(_) => Ok(None),
                    };
                }
            }
        }
        let shared = deep_freeze::share(RawValue::of(results.as_value()), Unfrozen::Freeze);
        let took = done(tally::now().saturating_sub(started)); // the copies are part of what it costs
        Ok((shared? && all_well(&results)).then_some(took))
    }

    fn record(this: Receiver<Self>, nanoseconds: u64) {
        this.0.record(nanoseconds);
    }

    /// Counts a dispatch that the caller has run, and leaves its results as they are.
    fn record_by_caller(this: Receiver<Self>, nanoseconds: u64, items: u64) {
        this.0.record_by_caller(nanoseconds, items);
    }

    fn by_caller(this: Receiver<Self>) -> u64 {
        this.0.by_caller()
    }

    fn items_by_caller(this: Receiver<Self>) -> u64 {
        this.0.items_by_caller()
    }

    fn microseconds(this: Receiver<Self>) -> u64 {
        this.0.microseconds()
    }

    fn buckets(this: Receiver<Self>) -> Vec<u64> {
        this.0.buckets().to_vec()
    }
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let class = class::define::<Tally>(ruby, ratomic.define_module("Workers")?, "Tally")?;
    class.define_method("initialize", method!(Tally::initialize, 0))?;
    class.define_method("start", method!(Tally::start, 0))?;
    class.define_method("record_and_freeze", method!(Tally::record_and_freeze, 3))?;
    class.define_method("record", method!(Tally::record, 1))?;
    class.define_method("record_by_caller", method!(Tally::record_by_caller, 2))?;
    class.define_method("by_caller", method!(Tally::by_caller, 0))?;
    class.define_method("items_by_caller", method!(Tally::items_by_caller, 0))?;
    class.define_method("microseconds", method!(Tally::microseconds, 0))?;
    class.define_method("buckets", method!(Tally::buckets, 0))
}
