//! What a `Ratomic::Map` contained at one moment. The pairs are copied shard by shard while others write, into memory
//! that a collector sees: an object in it stays alive when another thread removes it from the Map. Then they are handed
//! to Ruby. A writer waits no longer than the copy of one shard takes.

use super::Map;
use crate::ffi::{
    gvl,
    pinned::{Addresses, Pinned},
    values, RawValue, Receiver,
};
use magnus::{block::Proc, method, prelude::*, Error, Module, RArray, RClass, RHash, Ruby, Value};
use ratomic_core::table::Copied;

/// Pairs that are copied between two checks for interrupts, at which other threads of the Ractor may run.
const PAIRS_PER_CHECK: usize = 16 * 1024;

type Pair = (RawValue, RawValue);
type Pairs = Pinned<Vec<Pair>>;

impl Addresses for Vec<Pair> {
    fn mark(&self) {
        self.iter().for_each(|(key, value)| {
            key.mark();
            value.mark();
        });
    }
}

/// Room for `len` pairs, all nil. They are written with locks held, under which no write barrier is allowed.
fn pairs(len: usize) -> Pairs {
    Pairs::new(vec![(RawValue::NIL, RawValue::NIL); len])
}

fn snapshot(map: Receiver<Map>) -> Result<(Pairs, usize), Error> {
    let table = map.table()?;
    let mut room = table.len() + table.len() / 16 + 16;
    let mut buffer = pairs(room);
    let mut count = 0;
    let mut snapshot = table.snapshot(gvl::thread());
    loop {
        match snapshot.copy(&mut buffer.get_mut()[count..], PAIRS_PER_CHECK) {
            Copied::Pairs(copied) => {
                count += copied;
                gvl::check_now()?;
            }
            Copied::NoRoom(more) => {
                room = (count + more).max(table.len()) / 8 * 9 + 16;
                let mut larger = pairs(room);
                larger.get_mut()[..count].copy_from_slice(&buffer.get()[..count]);
                buffer = larger;
            }
            Copied::All => {
                let count = map.expiry.keep(&mut buffer.get_mut()[..count]);
                return Ok((buffer, count));
            }
        }
    }
}

fn collect(
    ruby: &Ruby,
    map: Receiver<Map>,
    part: impl Fn(&Pair) -> RawValue,
) -> Result<RArray, Error> {
    let (buffer, count) = snapshot(map)?;
    let array = ruby.ary_new_capa(count);
    let mut words = [RawValue::NIL; 64];
    for pairs in buffer.get()[..count].chunks(words.len()) {
        let parts = words.iter_mut().zip(pairs);
        parts.for_each(|(word, pair)| *word = part(pair));
        array.cat(values(&words[..pairs.len()]))?;
    }
    Ok(array)
}

fn keys(ruby: &Ruby, this: Receiver<Map>) -> Result<RArray, Error> {
    collect(ruby, this, |pair| pair.0)
}

fn values_of(ruby: &Ruby, this: Receiver<Map>) -> Result<RArray, Error> {
    collect(ruby, this, |pair| pair.1)
}

fn to_h(ruby: &Ruby, this: Receiver<Map>) -> Result<RHash, Error> {
    let (buffer, count) = snapshot(this)?;
    let hash = ruby.hash_new();
    buffer.get()[..count]
        .iter()
        .try_for_each(|(key, value)| hash.aset(key.value(), value.value()))?;
    Ok(hash)
}

/// Whether the block takes a key and a value, so that no Array of both has to be made. A lambda gets an Array, as from a
/// Hash.
fn takes_two(block: Proc) -> bool {
    !block.is_lambda() && !(-2..=1).contains(&block.arity())
}

fn each_pair(ruby: &Ruby, this: Receiver<Map>) -> Result<Value, Error> {
    if !ruby.block_given() {
        return this
            .value()
            .funcall("enum_for", (ruby.to_symbol("each_pair"),));
    }
    let takes_two = takes_two(ruby.block_proc()?);
    let (buffer, count) = snapshot(this)?;
    for (key, value) in &buffer.get()[..count] {
        let pair = [key.value(), value.value()];
        let _: Value = if takes_two {
            ruby.yield_values((pair[0], pair[1]))?
        } else {
            ruby.yield_value(ruby.ary_from_iter(pair))?
        };
    }
    Ok(this.value())
}

pub fn define(class: RClass) -> Result<(), Error> {
    class.define_method("keys", method!(keys, 0))?;
    class.define_method("values", method!(values_of, 0))?;
    class.define_method("to_h", method!(to_h, 0))?;
    class.define_method("each_pair", method!(each_pair, 0))
}
