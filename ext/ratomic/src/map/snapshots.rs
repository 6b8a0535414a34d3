//! What a `Ratomic::Map` contained at one moment. The pairs are copied shard by shard while others write, into memory
//! that a collector sees, and handed to Ruby afterwards. A writer waits no longer than the copy of one shard takes.

use super::Map;
use crate::ffi::{
    gvl,
    pair_buffer::{self, PairBuffer},
    values, RawValue, Receiver,
};
use magnus::{block::Proc, method, prelude::*, Error, Module, RArray, RClass, RHash, Ruby, Value};
use ratomic_core::table::Copied;

/// Pairs that are copied between two checks for interrupts, at which other threads of the Ractor may run.
const PAIRS_PER_CHECK: usize = 16 * 1024;

fn snapshot(map: Receiver<Map>) -> Result<(PairBuffer, usize), Error> {
    let table = map.table()?;
    let mut room = table.len() + table.len() / 16 + 16;
    let mut buffer = PairBuffer::new(room);
    let mut count = 0;
    let mut snapshot = table.snapshot(gvl::thread());
    loop {
        match snapshot.copy(&mut buffer.as_mut_slice()[count..], PAIRS_PER_CHECK) {
            Copied::Pairs(copied) => {
                count += copied;
                gvl::check_now()?;
            }
            Copied::NoRoom(more) => {
                room = (count + more).max(table.len()) / 8 * 9 + 16;
                let mut larger = PairBuffer::new(room);
                larger.as_mut_slice()[..count].copy_from_slice(&buffer.as_mut_slice()[..count]);
                buffer = larger;
            }
            Copied::All => {
                let count = map.expiry.keep(&mut buffer.as_mut_slice()[..count]);
                return Ok((buffer, count));
            }
        }
    }
}

fn collect(
    ruby: &Ruby,
    map: Receiver<Map>,
    part: impl Fn(&(RawValue, RawValue)) -> RawValue,
) -> Result<RArray, Error> {
    let (mut buffer, count) = snapshot(map)?;
    let array = ruby.ary_new_capa(count);
    let mut words = [RawValue::NIL; 64];
    for pairs in buffer.as_mut_slice()[..count].chunks(words.len()) {
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
    let (mut buffer, count) = snapshot(this)?;
    let hash = ruby.hash_new();
    buffer.as_mut_slice()[..count]
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
    let (mut buffer, count) = snapshot(this)?;
    for (key, value) in &buffer.as_mut_slice()[..count] {
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
    pair_buffer::define(class)?;
    class.define_method("keys", method!(keys, 0))?;
    class.define_method("values", method!(values_of, 0))?;
    class.define_method("to_h", method!(to_h, 0))?;
    class.define_method("each_pair", method!(each_pair, 0))
}
