//! Changes of many keys in one call. Everything that can fail (a value that cannot be shared, a block that raises, a wait
//! that is ended) is done before the first key is written.

use super::{blocks::Claim, claim_timeout::ClaimTimeout, expiring, Map, PLACE};
use crate::ffi::{
    error, gvl,
    key::Key,
    pinned::{Addresses, Pinned},
    shareable::share,
    words, RawValue, Receiver,
};
use magnus::{method, prelude::*, Error, Module, RArray, RClass, RHash, Ruby, Value};
use ratomic_core::table::Lookup;

/// The objects that a call has to do with. Keys, values and results of blocks are in memory of Rust's meanwhile.
type Pins = Pinned<Vec<RawValue>>;

impl Addresses for Vec<RawValue> {
    fn mark(&self) {
        self.iter().for_each(RawValue::mark);
    }
}

fn hold(pins: &mut Pins, word: RawValue) -> RawValue {
    pins.get_mut().push(word);
    word
}

/// A key that is to be written, and the values given for it, in order. All of them are pinned.
struct Write {
    hash: u64,
    key: RawValue,
    given: Vec<RawValue>,
}

/// Stores the values that are given for each key, in a Hash of Arrays. The keys are claimed in the order of their hashes,
/// so two such calls do not wait for each other in a circle. (Two keys of one hash may be claimed in either order; if
/// such calls meet in a circle, one gets a ThreadError.) A block merges the present value with the given one.
fn put_all(
    ruby: &Ruby,
    this: Receiver<Map>,
    groups: RHash,
    seconds: Value,
) -> Result<Receiver<Map>, Error> {
    let mut pins = Pins::new(Vec::new());
    let mut writes = writes(&mut pins, groups)?;
    writes.sort_by_key(|write| write.hash);
    let timeout = ClaimTimeout::new(Some(seconds), None)?;
    let table = this.table()?;
    let mut claims: Vec<Claim<'_>> = Vec::with_capacity(writes.len());
    for write in &writes {
        let key = write.key.value();
        let claim = Claim::new(this, table, key, &timeout.with_key(key))?;
        claim.words().into_iter().for_each(|word| {
            hold(&mut pins, word);
        });
        claims.push(claim);
    }
    let mut outcomes = Vec::with_capacity(writes.len());
    for (write, claim) in writes.iter().zip(&claims) {
        let mut value = claim.value();
        for given in write.given.iter().map(|word| word.value()) {
            value = Some(match value {
                Some(present) if ruby.block_given() => {
                    let made: Value = ruby.yield_values((write.key.value(), present, given))?;
                    hold(&mut pins, share(made, PLACE)?).value()
                }
                _ => given,
            });
        }
        outcomes.push(value);
    }
    for (claim, outcome) in claims.into_iter().zip(outcomes) {
        claim.store(outcome.map(RawValue::of));
    }
    drop(pins); // not before
    Map::tend(this)?;
    Ok(this)
}

fn writes(pins: &mut Pins, groups: RHash) -> Result<Vec<Write>, Error> {
    let keys: RArray = groups.funcall("keys", ())?;
    let values: RArray = groups.funcall("values", ())?;
    let mut writes = Vec::with_capacity(keys.len());
    for place in 0..keys.len() as isize {
        let key = Key::frozen(keys.entry(place)?)?;
        hold(pins, key.word());
        let list: RArray = values.entry(place)?;
        let mut given = Vec::with_capacity(list.len());
        for value in list.into_iter() {
            given.push(hold(pins, share(value, PLACE)?));
        }
        writes.push(Write {
            hash: key.hash(),
            key: key.word(),
            given,
        });
    }
    Ok(writes)
}

/// Removes those of the given entries whose key object and value object are still the same.
fn remove_same(this: Receiver<Map>, keys: RArray, values: RArray) -> Result<usize, Error> {
    let mut hashes = Vec::with_capacity(keys.len());
    for key in keys.into_iter() {
        hashes.push(Key::new(key)?.hash());
    }
    let pairs = words(&keys).iter().zip(words(&values));
    let entries: Vec<_> = hashes
        .into_iter()
        .zip(pairs)
        .map(|(hash, (key, value))| (hash, *key, *value))
        .collect();
    let removed = this
        .table()?
        .remove_same(&entries, gvl::thread(), |stored, seen| {
            stored == seen || expiring::value_of(stored) == seen
        })
        .map_err(|failure| error::write_many(failure, this.value()))?;
    Map::tend(this)?;
    Ok(removed)
}

pub fn define(class: RClass) -> Result<(), Error> {
    class.define_private_method("put_all", method!(put_all, 2))?;
    class.define_private_method("remove_same", method!(remove_same, 2))?;
    Ok(())
}
