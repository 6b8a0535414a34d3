//! What a `Ratomic::Map` contained at one moment. The pairs are copied under the locks of all shards, into memory that
//! a collector sees, and handed to Ruby afterwards.

use super::Map;
use crate::ffi::{
    tmp::{self, Buffer},
    This, Word,
};
use magnus::{method, prelude::*, Error, Module, RArray, RClass, RHash, Ruby, Value};

fn snapshot(map: This<Map>) -> Result<(Buffer, usize), Error> {
    let table = map.table()?;
    let mut room = table.len() + 16;
    loop {
        let mut buffer = Buffer::pairs(room);
        match table.copy_to(buffer.as_mut_slice()) {
            Ok(count) => return Ok((buffer, count)),
            Err(count) => room = count + count / 8 + 16,
        }
    }
}

fn collect(
    ruby: &Ruby,
    map: This<Map>,
    part: impl Fn(&(Word, Word)) -> Word,
) -> Result<RArray, Error> {
    let (mut buffer, count) = snapshot(map)?;
    let array = ruby.ary_new_capa(count);
    buffer.as_mut_slice()[..count]
        .iter()
        .try_for_each(|pair| array.push(part(pair).value()))?;
    Ok(array)
}

fn keys(ruby: &Ruby, this: This<Map>) -> Result<RArray, Error> {
    collect(ruby, this, |pair| pair.0)
}

fn values(ruby: &Ruby, this: This<Map>) -> Result<RArray, Error> {
    collect(ruby, this, |pair| pair.1)
}

fn to_h(ruby: &Ruby, this: This<Map>) -> Result<RHash, Error> {
    let (mut buffer, count) = snapshot(this)?;
    let hash = ruby.hash_new();
    buffer.as_mut_slice()[..count]
        .iter()
        .try_for_each(|(key, value)| hash.aset(key.value(), value.value()))?;
    Ok(hash)
}

fn each_pair(ruby: &Ruby, this: This<Map>) -> Result<Value, Error> {
    if !ruby.block_given() {
        return this
            .value()
            .funcall("enum_for", (ruby.to_symbol("each_pair"),));
    }
    let (mut buffer, count) = snapshot(this)?;
    for (key, value) in &buffer.as_mut_slice()[..count] {
        let _: Value = ruby.yield_value(ruby.ary_from_iter([key.value(), value.value()]))?;
    }
    Ok(this.value())
}

pub fn define(class: RClass) -> Result<(), Error> {
    tmp::define(class)?;
    class.define_method("keys", method!(keys, 0))?;
    class.define_method("values", method!(values, 0))?;
    class.define_method("to_h", method!(to_h, 0))?;
    class.define_method("each_pair", method!(each_pair, 0))
}
