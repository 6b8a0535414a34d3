//! The methods of `Ratomic::Map` that take a block. The block runs under a claim on its key, with no lock held: it may
//! read anything, write other keys, collect garbage, raise, throw, or be killed.

use super::{patience::Patience, Map, PLACE};
use crate::ffi::{error, gvl, key::Key, shareable::share, This, Word};
use magnus::{method, Error, Module, RClass, Ruby, Value};
use ratomic_core::{
    table::{Grant, Table},
    Host,
};

/// A claim that is given back however its block ends.
pub struct Claim<'a> {
    map: This<Map>,
    table: &'a Table<Word, Word>,
    grant: Grant<Word, Word>,
    key: Word,
    outcome: Option<Word>,
}

impl<'a> Claim<'a> {
    pub fn new(
        map: This<Map>,
        table: &'a Table<Word, Word>,
        key: Value,
        patience: &impl Host<Error = Error>,
    ) -> Result<Self, Error> {
        let mut key = Key::settled(key)?;
        let grant = table
            .claim(&mut key, patience, gvl::thread())
            .map_err(|failure| error::write(failure, key.word()))?;
        Map::written(map, grant.hash(), key.word());
        Map::written(map, grant.hash(), Word(gvl::thread() as _));
        Ok(Claim {
            map,
            table,
            grant,
            key: key.word(),
            outcome: None,
        })
    }

    /// What it refers to, for whoever keeps it elsewhere than on the stack.
    pub fn words(&self) -> [Word; 3] {
        let Grant { stored, value, .. } = self.grant;
        [
            self.key,
            stored.unwrap_or(Word::NIL),
            value.unwrap_or(Word::NIL),
        ]
    }

    /// Stores what is shareable, if anything, and gives the claim back.
    pub fn store(mut self, word: Option<Word>) {
        self.outcome = word;
    }

    pub fn value(&self) -> Option<Value> {
        self.grant.value.map(Word::value)
    }

    /// Stores `value`, and gives the claim back.
    pub fn finish(mut self, value: Value) -> Result<Value, Error> {
        let word = share(value, PLACE)?;
        self.outcome = Some(word);
        let (map, hash) = (self.map, self.grant.hash());
        drop(self);
        Map::tend(map, hash)?;
        Ok(word.value())
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let outcome = self.outcome;
        self.table.release(&self.grant, |place| {
            if let Some(value) = outcome {
                place.set(self.key, value);
            }
        });
        if let Some(value) = outcome {
            Map::written(self.map, self.grant.hash(), self.key);
            Map::written(self.map, self.grant.hash(), value);
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

fn compute(ruby: &Ruby, this: This<Map>, args: &[Value]) -> Result<Value, Error> {
    need_block(ruby, "compute")?;
    let (args, patience) = Patience::of(args, 1, 1)?;
    let key = args[0];
    let claim = Claim::new(this, this.table()?, key, &patience)?;
    let value = ruby.yield_value(claim.value())?;
    claim.finish(value)
}

fn upsert(ruby: &Ruby, this: This<Map>, args: &[Value]) -> Result<Value, Error> {
    need_block(ruby, "upsert")?;
    let (args, patience) = Patience::of(args, 2, 2)?;
    let (key, initial) = (args[0], args[1]);
    let claim = Claim::new(this, this.table()?, key, &patience)?;
    let value = match claim.value() {
        Some(present) => ruby.yield_value(present)?,
        None => initial,
    };
    claim.finish(value)
}

fn fetch_or_store(ruby: &Ruby, this: This<Map>, args: &[Value]) -> Result<Value, Error> {
    need_block(ruby, "fetch_or_store")?;
    let (args, patience) = Patience::of(args, 1, 1)?;
    let key = args[0];
    if let Some(present) = Map::get(this, key)? {
        return Ok(present);
    }
    let claim = Claim::new(this, this.table()?, key, &patience)?;
    if let Some(present) = claim.value() {
        return Ok(present);
    }
    let value = ruby.yield_value(key)?;
    claim.finish(value)
}

fn fetch_and_modify(ruby: &Ruby, this: This<Map>, args: &[Value]) -> Result<Value, Error> {
    need_block(ruby, "fetch_and_modify")?;
    let (args, patience) = Patience::of(args, 1, 1)?;
    let key = args[0];
    let claim = Claim::new(this, this.table()?, key, &patience)?;
    let Some(present) = claim.value() else {
        drop(claim);
        return Err(error::key_not_found(this.value(), key));
    };
    let value = ruby.yield_value(present)?;
    claim.finish(value)
}

pub fn define(class: RClass) -> Result<(), Error> {
    class.define_method("compute", method!(compute, -1))?;
    class.define_method("upsert", method!(upsert, -1))?;
    class.define_method("fetch_or_store", method!(fetch_or_store, -1))?;
    class.define_method("fetch_and_modify", method!(fetch_and_modify, -1))
}
