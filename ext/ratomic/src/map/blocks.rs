//! The methods of `Ratomic::Map` that take a block. The block runs under a claim on its key, with no lock held: it may
//! read anything, write other keys, collect garbage, raise, throw, or be killed.

use super::{claim_timeout::ClaimTimeout, expiring::Lifetime, Map, PLACE};
use crate::ffi::{error, gvl, key::Key, shareable::share, RawValue, Receiver};
use magnus::{method, Error, Module, RClass, Ruby, Value};
use ratomic_core::{
    table::{Entry, HeldClaim, Table},
    Park,
};
use std::time::Instant;

/// A claim. It is released at the end of its block, also if the block raises, throws or is killed.
pub struct Claim<'a> {
    map: Receiver<Map>,
    table: &'a Table<RawValue, RawValue>,
    held: HeldClaim<RawValue, RawValue>,
    key: RawValue,
    /// The value that the key had; `None` if it had expired.
    seen: Option<RawValue>,
    /// When that value expires.
    until: Option<Instant>,
    outcome: Option<RawValue>,
}

impl<'a> Claim<'a> {
    pub fn new(
        map: Receiver<Map>,
        table: &'a Table<RawValue, RawValue>,
        key: Value,
        timeout: &impl Park<Error = Error>,
    ) -> Result<Self, Error> {
        let mut key = Key::frozen(key)?;
        let held = table
            .claim(&mut key, timeout, gvl::thread())
            .map_err(|failure| error::write(failure, key.word()))?;
        Map::written(map, held.hash(), 0, key.word());
        Map::written(map, held.hash(), 0, RawValue(gvl::thread() as _));
        let seen = map.expiry.see(held.value);
        Ok(Claim {
            seen,
            until: seen.and_then(|_| map.expiry.until(held.value)),
            map,
            table,
            held,
            key: key.word(),
            outcome: None,
        })
    }

    /// The objects that the claim refers to. A caller that does not keep the claim on the stack has to keep them alive.
    pub fn words(&self) -> [RawValue; 4] {
        let HeldClaim { stored, value, .. } = self.held;
        [Some(self.key), stored, value, self.seen].map(|word| word.unwrap_or(RawValue::NIL))
    }

    /// Stores a shareable value, if one is given, without an expiry, and releases the claim.
    pub fn store(mut self, word: Option<RawValue>) {
        self.outcome = word;
    }

    pub fn value(&self) -> Option<Value> {
        self.seen.map(RawValue::value)
    }

    /// Stores `value` with the expiry of the previous value, and releases the claim.
    pub fn finish(mut self, value: Value) -> Result<Value, Error> {
        let word = share(value, PLACE)?;
        self.outcome = Some(self.map.expiry.wrap(word, self.until)?);
        let map = self.map;
        drop(self);
        Map::tend(map)?;
        Ok(word.value())
    }

    /// As `finish`, but with the expiry that `lifetime` gives, if there is one.
    fn finish_for(mut self, value: Value, lifetime: Lifetime) -> Result<Value, Error> {
        if !lifetime.is_given() {
            return self.finish(value);
        }
        self.until = lifetime.until();
        let map = self.map;
        let value = self.finish(value)?;
        Map::sweep(map)?;
        Ok(value)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let (key, outcome) = (self.key, self.outcome);
        let set = |entry: Entry<'_, RawValue, RawValue>| {
            Some((entry.store(key, outcome?).token(), outcome?))
        };
        if let Some((token, value)) = self.table.release(&self.held, set).flatten() {
            Map::written(self.map, self.held.hash(), token, key);
            Map::written(self.map, self.held.hash(), token, value);
            Map::settle(self.map, self.held.hash());
        }
    }
}

fn need_block(ruby: &Ruby, method: &str) -> Result<(), Error> {
    if ruby.block_given() {
        Ok(())
    } else {
        Err(error::local_jump(format!("no block given ({method})")))
    }
}

fn compute(ruby: &Ruby, this: Receiver<Map>, args: &[Value]) -> Result<Value, Error> {
    need_block(ruby, "compute")?;
    let (args, timeout, lifetime) = ClaimTimeout::with_lifetime(args, 1, 1)?;
    let key = args[0];
    let claim = Claim::new(this, this.table()?, key, &timeout)?;
    let value = ruby.yield_value(claim.value())?;
    claim.finish_for(value, lifetime)
}

fn upsert(ruby: &Ruby, this: Receiver<Map>, args: &[Value]) -> Result<Value, Error> {
    need_block(ruby, "upsert")?;
    let (args, timeout) = ClaimTimeout::of(args, 2, 2)?;
    let (key, initial) = (args[0], args[1]);
    let claim = Claim::new(this, this.table()?, key, &timeout)?;
    let value = match claim.value() {
        Some(present) => ruby.yield_value(present)?,
        None => initial,
    };
    claim.finish(value)
}

fn fetch_or_store(ruby: &Ruby, this: Receiver<Map>, args: &[Value]) -> Result<Value, Error> {
    need_block(ruby, "fetch_or_store")?;
    let (args, timeout, lifetime) = ClaimTimeout::with_lifetime(args, 1, 1)?;
    let key = args[0];
    if let Some(present) = Map::get(this, key)? {
        return Ok(present);
    }
    let claim = Claim::new(this, this.table()?, key, &timeout)?;
    if let Some(present) = claim.value() {
        return Ok(present);
    }
    let value = ruby.yield_value(key)?;
    claim.finish_for(value, lifetime)
}

fn fetch_and_modify(
    ruby: &Ruby,
    this: Receiver<Map>,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    need_block(ruby, "fetch_and_modify")?;
    let (args, timeout) = ClaimTimeout::of(args, 1, 1)?;
    let key = args[0];
    let claim = Claim::new(this, this.table()?, key, &timeout)?;
    let Some(present) = claim.value() else {
        return Ok(None);
    };
    let value = ruby.yield_value(present)?;
    claim.finish(value).map(Some)
}

pub fn define(class: RClass) -> Result<(), Error> {
    class.define_method("compute", method!(compute, -1))?;
    class.define_method("upsert", method!(upsert, -1))?;
    class.define_method("fetch_or_store", method!(fetch_or_store, -1))?;
    class.define_method("fetch_and_modify", method!(fetch_and_modify, -1))
}
