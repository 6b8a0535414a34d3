//! Values with a time to live (`expires_in:`). The table stores such a value in a small object, together with the time at
//! which it expires. So the expiry goes along when the value is copied or moved (by a snapshot, a larger table, a fork),
//! and a reader only has to compare it with the clock. No thread removes expired values: each write with `expires_in:`
//! looks at the next few places of the table, and removes values that have expired.

use super::{gc_cards::Words, Map};
use crate::ffi::{args, barrier, class, error, kept::Kept, RawValue, Receiver};
use magnus::{
    gc, method, prelude::*, typed_data::Obj, DataTypeFunctions, Error, Module, RClass, TypedData,
    Value,
};
use ratomic_core::table::Mark;
use rb_sys::ruby_value_type::RUBY_T_DATA;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Places of the table that a write with `expires_in:` looks at. So a sixteenth as many writes as there are places look
/// at each place once, and about that many expired values can be in the table.
const SWEEP_PLACES: usize = 16;

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
    /// Written once, before another thread can see the object; later only by a compaction.
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

/// The value of a word of the table, whether it has expired or not.
pub fn value_of(word: RawValue) -> RawValue {
    of(word).map_or(word, Expiring::word)
}

fn is_over(word: RawValue, now: Instant) -> bool {
    of(word).is_some_and(|expiring| expiring.until <= now)
}

/// The `expires_in:` of a value that is about to be stored.
#[derive(Clone, Copy, Default)]
pub struct Lifetime {
    is_given: bool,
    /// `None`: it does not expire.
    length: Option<Duration>,
}

impl Lifetime {
    pub fn new(seconds: Option<Value>) -> Result<Lifetime, Error> {
        let length = args::seconds(seconds, "expires_in:")?;
        if length.is_some_and(|length| length.is_zero()) {
            return Err(error::argument(
                "expires_in: must be more than 0 seconds, or nil",
            ));
        }
        Ok(Lifetime {
            is_given: seconds.is_some_and(|seconds| !seconds.is_nil()),
            length,
        })
    }

    /// Whether it is given and not nil. A number of seconds that the clock cannot represent is given, too.
    pub fn is_given(self) -> bool {
        self.is_given
    }

    /// The time at which it ends, if it begins now; `None` also for a time that the clock cannot represent.
    pub fn until(self) -> Option<Instant> {
        Instant::now().checked_add(self.length?)
    }
}

/// The state that a Map keeps for values that expire.
#[derive(Default)]
pub struct Expiry {
    /// Whether such a value was ever stored. If not, no reader checks values or reads the clock.
    used: AtomicBool,
    /// The place at which the next sweep begins.
    next: AtomicU64,
}

impl Expiry {
    #[inline]
    pub fn is_used(&self) -> bool {
        // Set before the first such value was put into the table, under the lock of its shard. So a thread that has read
        // that value sees this as true.
        self.used.load(Ordering::Relaxed)
    }

    /// The value of a word of the table; `None` if it has expired.
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

    /// The time at which a word of the table expires.
    #[inline]
    pub fn until(&self, word: Option<RawValue>) -> Option<Instant> {
        if self.is_used() {
            of(word?).map(|expiring| expiring.until)
        } else {
            None
        }
    }

    /// The word to store for a shareable value that expires at that time, if one is given.
    #[inline]
    pub fn wrap(&self, value: RawValue, until: Option<Instant>) -> Result<RawValue, Error> {
        match until {
            Some(until) => self.wrapped(value, until),
            None => Ok(value),
        }
    }

    #[cold]
    fn wrapped(&self, value: RawValue, until: Instant) -> Result<RawValue, Error> {
        let _kept = Kept::new(value);
        let object: Obj<Expiring> = error::ruby().obj_wrap(Expiring {
            value: AtomicUsize::new(RawValue::NIL.0 as usize),
            until,
        });
        let word = RawValue::of(object.as_value());
        // Sealed before it holds anything, see `seal`.
        class::seal_new::<Expiring>(word)?;
        object.value.store(value.0 as usize, Ordering::Relaxed);
        barrier::write_barrier(word, value);
        self.used.store(true, Ordering::Relaxed);
        Ok(word)
    }

    /// Removes the expired values in the next [`SWEEP_PLACES`] places.
    pub fn sweep(&self, table: &Words) {
        let now = Instant::now();
        let next = self.next.load(Ordering::Relaxed);
        let mut mark = Mark {
            shard: (next >> 32) as usize,
            place: next as u32 as usize,
        };
        table.sweep(&mut mark, SWEEP_PLACES, |word| is_over(*word, now));
        let next = (mark.shard as u64) << 32 | mark.place as u64;
        self.next.store(next, Ordering::Relaxed);
    }

    /// Moves the pairs of a snapshot that have not expired to its beginning, in their order. Returns their number.
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
    class::define_hidden::<Expiring>(class, "Expiring")
}
