//! `Ratomic::Workers::CallerRunsCache`: which callables a caller may run itself, and up to what weight of items.
//!
//! The key is the callable object. All checks before a dispatch of small work are made in one call here, because the
//! work may take less time than separate checks would.

use crate::ffi::{
    barrier,
    class::{self, integer},
    deep_freeze::{self, Unfrozen},
    jump::Jump,
    names::Names,
    RawValue, Receiver,
};
use crate::work_estimate::ITEM_WEIGHT;
use magnus::{gc, method, DataTypeFunctions, Error, Module, RModule, Ruby, TypedData, Value};
use ratomic_core::{tally, CallerRunsCache as Core};
use rb_sys::ruby_value_type::*;
use rb_sys::VALUE;

#[derive(Default, TypedData)]
#[magnus(
    class = "Ratomic::Workers::CallerRunsCache",
    free_immediately,
    mark,
    wb_protected,
    frozen_shareable
)]
struct CallerRunsCache(Core);

impl DataTypeFunctions for CallerRunsCache {
    // The keys are addresses, so the objects are pinned. An entry that was not used since the last collection is removed
    // here, and its object is not kept alive.
    fn mark(&self, _marker: &gc::Marker) {
        self.0.keep().for_each(|key| RawValue(key as VALUE).mark());
    }
}

impl CallerRunsCache {
    fn initialize(this: Receiver<Self>) -> Result<(), Error> {
        class::seal(this)
    }

    fn grant(
        this: Receiver<Self>,
        callable: Value,
        number: Value,
        limit: Value,
        uses: Value,
    ) -> Result<(), Error> {
        let (number, limit) = (integer(number, "number")?, integer(limit, "limit")?);
        let uses = integer(uses, "uses")?;
        let word = RawValue::of(callable);
        if let Some(key) = key(word) {
            this.0.grant(key, number, limit, uses);
            barrier::write_barrier(this.word(), word);
        }
        Ok(())
    }

    fn revoke(this: Receiver<Self>, number: Value) -> Result<(), Error> {
        this.0.revoke(integer(number, "number")?);
        Ok(())
    }

    /// The time at which the caller began to run the items, if it is to run them.
    fn take(this: Receiver<Self>, callable: Value, items: Value) -> Result<Option<u64>, Error> {
        let items = RawValue::of(items);
        if !items.is_a(RUBY_T_ARRAY) || !items.is_frozen() {
            return Ok(None); // without a use: the caller asks again, with a snapshot
        }
        let limit = key(RawValue::of(callable)).and_then(|key| this.0.take(key));
        let fits = match limit {
            Some(limit) => fit(items, limit)?,
            None => false,
        };
        Ok(fits.then(tally::now))
    }

    fn suspend(this: Receiver<Self>) {
        this.0.suspend();
    }

    fn resume(this: Receiver<Self>) {
        this.0.resume();
    }
}

/// The key of a callable: its address, if it is known to be shareable.
fn key(callable: RawValue) -> Option<usize> {
    let shareable = !callable.is_immediate()
        && (matches!(callable.type_of(), RUBY_T_MODULE | RUBY_T_CLASS)
            || callable.has_shareable_flag());
    shareable.then_some(callable.0 as usize)
}

/// Whether an Array is a plain one of shareable items that together weigh no more than `limit`.
fn fit(items: RawValue, limit: i64) -> Result<bool, Jump> {
    // SAFETY: a living Array.
    let len = unsafe { rb_sys::RARRAY_LEN(items.0) };
    let mut weight = ITEM_WEIGHT.saturating_mul(len as i64);
    if weight > limit || !deep_freeze::share(items, Unfrozen::Refuse)? {
        return Ok(false);
    }
    let mut known = None;
    for place in 0..len {
        // SAFETY: a living Array, frozen, as was found just now; the index is below its length.
        let item = RawValue(unsafe { rb_sys::rb_ary_entry(items.0, place) });
        if item.is_immediate() {
            continue;
        }
        match item.type_of() {
            // SAFETY: a living String.
            RUBY_T_STRING => weight += unsafe { rb_sys::RSTRING_LEN(item.0) } as i64,
            RUBY_T_ARRAY | RUBY_T_HASH | RUBY_T_FLOAT | RUBY_T_BIGNUM => {}
            RUBY_T_STRUCT | RUBY_T_OBJECT if has_no_size(item, &mut known) => {}
            _ => return Ok(false), // its class may define a `bytesize`
        }
    }
    Ok(weight <= limit)
}

/// Whether the object has no method `bytesize`. Told from its class, without a method call.
/// `known` has the answer for the last class, because the items of a dispatch are mostly of one.
fn has_no_size(item: RawValue, known: &mut Option<(VALUE, bool)>) -> bool {
    let class = item.class_or_singleton();
    match *known {
        Some((last, answer)) if last == class => answer,
        _ => {
            let answer = defines_no_size(class);
            *known = Some((class, answer));
            answer
        }
    }
}

fn defines_no_size(class: VALUE) -> bool {
    static METHODS: Names<3> = Names::new([c"bytesize", c"respond_to?", c"respond_to_missing?"]);
    let [bytesize, respond_to, respond_to_missing] = *METHODS.ids();
    // SAFETY: the class of a living object, which is asked for methods.
    unsafe {
        rb_sys::rb_method_boundp(class, bytesize, 0) == 0
            && rb_sys::rb_method_basic_definition_p(class, respond_to) != 0
            && rb_sys::rb_method_basic_definition_p(class, respond_to_missing) != 0
    }
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let class = class::define::<CallerRunsCache>(
        ruby,
        ratomic.define_module("Workers")?,
        "CallerRunsCache",
    )?;
    class.define_method("initialize", method!(CallerRunsCache::initialize, 0))?;
    class.define_method("grant", method!(CallerRunsCache::grant, 4))?;
    class.define_method("revoke", method!(CallerRunsCache::revoke, 1))?;
    class.define_method("take", method!(CallerRunsCache::take, 2))?;
    class.define_method("suspend", method!(CallerRunsCache::suspend, 0))?;
    class.define_method("resume", method!(CallerRunsCache::resume, 0))
}
