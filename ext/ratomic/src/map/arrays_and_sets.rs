//! `append` and `add_to_set`. They replace the stored Array or Set by a larger frozen one. They call `eql?` and `hash` of
//! user objects, so they run under a claim.

use super::{blocks::Claim, claim_timeout::ClaimTimeout, Map, PLACE};
use crate::ffi::{class, error, shareable::share, walk::set_class, Receiver};
use magnus::{method, prelude::*, Error, Module, RArray, RClass, Ruby, Value};

fn append(ruby: &Ruby, this: Receiver<Map>, args: &[Value]) -> Result<Value, Error> {
    let (args, timeout) = ClaimTimeout::of(args, 2, 2)?;
    let key = args[0];
    let element = share(args[1], PLACE)?.value();
    let claim = Claim::new(this, this.table()?, key, &timeout)?;
    let larger = ruby.ary_new();
    if let Some(present) = claim.value() {
        let present =
            RArray::from_value(present).ok_or_else(|| other_kind(key, present, "an Array"))?;
        larger.concat(present)?;
    }
    larger.push(element)?;
    class::share_in_place(larger.as_value())?;
    claim.finish(larger.as_value())
}

fn add_to_set(this: Receiver<Map>, args: &[Value]) -> Result<Value, Error> {
    let (args, timeout) = ClaimTimeout::of(args, 2, 2)?;
    let key = args[0];
    let class = set_class();
    let element = share(args[1], PLACE)?.value();
    let claim = Claim::new(this, this.table()?, key, &timeout)?;
    let larger: Value = match claim.value() {
        None => class.funcall("new", ())?,
        Some(present) if present.is_kind_of(class) => present.funcall("dup", ())?,
        Some(present) => return Err(other_kind(key, present, "a Set")),
    };
    let _: Value = larger.funcall("add", (element,))?;
    class::share_in_place(larger)?;
    claim.finish(larger)
}

fn other_kind(key: Value, present: Value, wanted: &str) -> Error {
    let class = error::class_name(present);
    error::about_key(key, |key| {
        error::type_error(format!(
            "the value of {key} is an instance of {class}, not {wanted}"
        ))
    })
}

pub fn define(class: RClass) -> Result<(), Error> {
    class.define_method("append", method!(append, -1))?;
    class.define_method("add_to_set", method!(add_to_set, -1))
}
