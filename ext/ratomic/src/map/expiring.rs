//! Values that are there for some seconds. Such a value lies in the table in a small object that also has the moment at
//! which it expires. So whatever carries a value (a snapshot, a larger table, a fork) carries its moment too, and who
//! reads one tells by the clock alone whether it is still there. No thread removes what has expired: each write with
//! `expires_in:` looks at a few places of the table, one after another, and takes out what is over.

use super::{gc_cards::Words, Map};
use crate::ffi::{args, barrier, class, error, RawValue, Receiver};
use magnus::{
    gc, method, prelude::*, typed_data::Obj, DataTypeFunctions, Error, Module, RClass, TypedData,
    Value,
};
use ratomic_core::table::Mark;
use rb_sys::ruby_value_type::RUBY_T_DATA;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Places that a write with `expires_in:` looks at. Between two looks at the same place there are so many times fewer
/// such writes than there are places, and no more values than that can have expired and still be there.
const PLACES: usize = 16;

#[derive(TypedData)]
#[magnus(
    class = "Ratomic::Map::Expiring",
    free_immediately,
    mark,
    compact,
    wb_protected,
    frozen_shareable
)]
struct Expiring {
    /// Written once, by who made it, before anybody else has it; later only by a compaction.
    value: AtomicUsize,
    until: Instant,
}

impl DataTypeFunctions for Expiring {
    fn mark(&self, _marker: &gc::Marker) {
        self.word().mark_movable();
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        let mut word = self.word();
        word.relocate();
        self.value.store(word.0 as usize, Ordering::Relaxed);
    }
}

impl Expiring {
    fn word(&self) -> RawValue {
        RawValue(self.value.load(Ordering::Relaxed) as _)
    }
}

fn of<'a>(word: RawValue) -> Option<&'a Expiring> {
    if !word.is_a(RUBY_T_DATA) {
        return None;
    }
    let ours: *const rb_sys::rb_data_type_t = ptr::from_ref(Expiring::data_type()).cast();
    // SAFETY: a living object, which the table has, or the caller's stack; reads its header, and its type only after it
    // is known to have one. With our type it wraps an `Expiring`, which is not freed before the next safepoint.
    unsafe {
        (rb_sys::RTYPEDDATA_P(word.0) && rb_sys::RTYPEDDATA_TYPE(word.0) == ours)
            .then(|| &*rb_sys::RTYPEDDATA_GET_DATA(word.0).cast::<Expiring>())
    }
}

/// The value that a word of the table stands for, whether it has expired or not.
pub fn value_of(word: RawValue) -> RawValue {
    of(word).map_or(word, Expiring::word)
}

fn is_over(word: RawValue, now: Instant) -> bool {
    of(word).is_some_and(|expiring| expiring.until <= now)
}

/// How long a value that is about to be stored will be there: nothing is for good.
#[derive(Clone, Copy, Default)]
pub struct Lifetime(Option<Duration>);

impl Lifetime {
    pub fn new(seconds: Option<Value>) -> Result<Lifetime, Error> {
        let lifetime = args::seconds(seconds, "expires_in")?;
        if lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
            return Err(error::argument(
                "expires_in must be more than 0 seconds, or nil",
            ));
        }
        Ok(Lifetime(lifetime))
    }

    pub fn is_given(self) -> bool {
        self.0.is_some()
    }

    /// The moment at which it ends, if it begins now. What the clock cannot count is for good.
    pub fn until(self) -> Option<Instant> {
        Instant::now().checked_add(self.0?)
    }
}

/// What a Map knows of its values that expire.
#[derive(Default)]
pub struct Expiry {
    /// Whether there has ever been one. Where not, nobody looks at the values or at the clock.
    used: AtomicBool,
    /// Where the next look at some places begins.
    next: AtomicU64,
}

impl Expiry {
    #[inline]
    pub fn is_used(&self) -> bool {
        // Set before the first such value went into the table, under the lock of its shard: who has read that value sees
        // it.
        self.used.load(Ordering::Relaxed)
    }

    /// What a word of the table is now: nothing, if it has expired.
    #[inline]
    pub fn see(&self, word: Option<RawValue>) -> Option<RawValue> {
        if self.is_used() {
            Self::look(word?)
        } else {
            word
        }
    }

    #[cold]
    fn look(word: RawValue) -> Option<RawValue> {
        match of(word) {
            Some(expiring) if expiring.until <= Instant::now() => None,
            Some(expiring) => Some(expiring.word()),
            None => Some(word),
        }
    }

    /// The moment at which a word of the table expires.
    #[inline]
    pub fn until(&self, word: Option<RawValue>) -> Option<Instant> {
        if self.is_used() {
            of(word?).map(|expiring| expiring.until)
        } else {
            None
        }
    }

    /// The word to store for a shareable value that is to expire at that moment, if at one.
    #[inline]
    pub fn wrap(&self, value: RawValue, until: Option<Instant>) -> Result<RawValue, Error> {
        match until {
            Some(until) => self.wrapped(value, until),
            None => Ok(value),
        }
    }

    #[cold]
    fn wrapped(&self, value: RawValue, until: Instant) -> Result<RawValue, Error> {
        let object: Obj<Expiring> = error::ruby().obj_wrap(Expiring {
            value: AtomicUsize::new(RawValue::NIL.0 as usize),
            until,
        });
        let word = RawValue::of(object.as_value());
        // Before it holds anything, see `seal`.
        class::seal_new::<Expiring>(word)?;
        object.value.store(value.0 as usize, Ordering::Relaxed);
        barrier::write_barrier(word, value);
        self.used.store(true, Ordering::Relaxed);
        // Nothing else has kept the value alive up to here.
        std::hint::black_box(&value);
        Ok(word)
    }

    /// Takes some of what has expired out of the table: a bounded number of places is looked at.
    pub fn sweep(&self, table: &Words) {
        let now = Instant::now();
        let next = self.next.load(Ordering::Relaxed);
        let mut mark = Mark {
            shard: (next >> 32) as usize,
            place: next as u32 as usize,
        };
        table.sweep(&mut mark, PLACES, |word| is_over(*word, now));
        let next = (mark.shard as u64) << 32 | mark.place as u64;
        self.next.store(next, Ordering::Relaxed);
    }

    /// Leaves only what has not expired among pairs of a snapshot, in their order. Returns how many these are.
    pub fn keep(&self, pairs: &mut [(RawValue, RawValue)]) -> usize {
        if !self.is_used() {
            return pairs.len();
        }
        let now = Instant::now();
        let mut kept = 0;
        for place in 0..pairs.len() {
            let (key, word) = pairs[place];
            if !is_over(word, now) {
                pairs[kept] = (key, value_of(word));
                kept += 1;
            }
        }
        kept
    }
}

fn remove_expired(this: Receiver<Map>) -> Result<usize, Error> {
    let table = this.table()?;
    if !this.expiry.is_used() {
        return Ok(0);
    }
    let now = Instant::now();
    let removed = table.sweep_all(|word| is_over(*word, now));
    Map::tend(this)?;
    Ok(removed)
}

pub fn define(class: RClass) -> Result<(), Error> {
    class.define_method("remove_expired", method!(remove_expired, 0))?;
    class::define_hidden(class, "Expiring")
}
