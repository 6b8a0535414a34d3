//! `increment` and `decrement`. Fixnums are added under the shard's lock, with no Ruby call. Floats, which may have to be
//! allocated, are added outside and stored if the value is still the one that was read. Every other Numeric is added by
//! its own `+` or `-`, under a claim.

use super::{blocks::Claim, claim_timeout::ClaimTimeout, Map, Step, PLACE};
use crate::ffi::{args, error, gvl::Gvl, key::Key, number, shareable::share, RawValue, Receiver};
use magnus::{method, prelude::*, Error, Module, RClass, Ruby, Value};
use ratomic_core::Park;

#[derive(Clone, Copy)]
struct Operation {
    symbol: &'static str,
    integers: fn(i64, i64) -> Option<i64>,
    floats: fn(f64, f64) -> f64,
}

const ADD: Operation = Operation {
    symbol: "+",
    integers: i64::checked_add,
    floats: |a, b| a + b,
};
const SUBTRACT: Operation = Operation {
    symbol: "-",
    integers: i64::checked_sub,
    floats: |a, b| a - b,
};

fn increment(ruby: &Ruby, this: Receiver<Map>, args: &[Value]) -> Result<Value, Error> {
    apply(ruby, this, args, ADD)
}

fn decrement(ruby: &Ruby, this: Receiver<Map>, args: &[Value]) -> Result<Value, Error> {
    apply(ruby, this, args, SUBTRACT)
}

fn apply(
    ruby: &Ruby,
    this: Receiver<Map>,
    args: &[Value],
    operation: Operation,
) -> Result<Value, Error> {
    if args::may_have_keywords(args) {
        let (args, timeout) = ClaimTimeout::of(args, 1, 2)?;
        return add(ruby, this, args, &timeout, operation);
    }
    args::count(args, 1, 2)?;
    add(ruby, this, args, &Gvl, operation)
}

#[inline]
fn add(
    ruby: &Ruby,
    this: Receiver<Map>,
    args: &[Value],
    timeout: &impl Park<Error = Error>,
    operation: Operation,
) -> Result<Value, Error> {
    let amount = args
        .get(1)
        .map_or_else(|| ruby.integer_from_i64(1).as_value(), |amount| *amount);
    let mut key = Key::new(args[0])?;
    let word = RawValue::of(amount);
    let native = if word.is_fixnum() {
        add_fixnum(this, &mut key, timeout, number::fixnum(word), operation)?
    } else {
        None
    };
    match native {
        Some(sum) => Ok(sum.value()),
        None if number::to_float(word).is_some() => {
            add_float(ruby, this, args[0], &mut key, timeout, amount, operation)
        }
        None => add_any(ruby, this, args[0], timeout, amount, operation),
    }
}

/// Returns `None` if the value is there and no Fixnum, or if the sum is no Fixnum.
fn add_fixnum(
    this: Receiver<Map>,
    key: &mut Key,
    timeout: &impl Park<Error = Error>,
    amount: i64,
    operation: Operation,
) -> Result<Option<RawValue>, Error> {
    let sum = Map::change(this, key, timeout, |entry, stored| {
        let present = entry.get();
        let old = match present {
            None => 0,
            Some(word) if word.is_fixnum() => number::fixnum(word),
            Some(_) => return Step::Done(None, 0),
        };
        let Some(sum) = (operation.integers)(old, amount).and_then(number::to_fixnum) else {
            return Step::Done(None, 0);
        };
        match (present, stored) {
            (None, None) => Step::NeedKey,
            (_, stored) => {
                let shown = entry.store(stored.unwrap_or(RawValue::NIL), sum);
                Step::Done(Some(sum), stored.map_or(0, |_| shown.token()))
            }
        }
    })?;
    Map::tend(this)?;
    Ok(sum.result)
}

fn add_float(
    ruby: &Ruby,
    this: Receiver<Map>,
    given: Value,
    key: &mut Key,
    timeout: &impl Park<Error = Error>,
    amount: Value,
    operation: Operation,
) -> Result<Value, Error> {
    let word = RawValue::of(amount);
    loop {
        let present = this.table()?.get(key)?;
        let old = present.unwrap_or(RawValue::ZERO);
        let (Some(a), Some(b)) = (number::to_float(old), number::to_float(word)) else {
            return add_any(ruby, this, given, timeout, amount, operation);
        };
        if !number::is_float(old) && !number::is_float(word) {
            // Two Fixnums whose sum is a Bignum.
            return add_any(ruby, this, given, timeout, amount, operation);
        }
        let sum = ruby.float_from_f64((operation.floats)(a, b));
        let sum = share(sum.as_value(), PLACE)?;
        if Map::store_if(this, key, timeout, sum, |now| now == present)? {
            return Ok(sum.value());
        }
    }
}

fn add_any(
    ruby: &Ruby,
    this: Receiver<Map>,
    given: Value,
    timeout: &impl Park<Error = Error>,
    amount: Value,
    operation: Operation,
) -> Result<Value, Error> {
    numeric(ruby, amount, || Ok("the amount".into()))?;
    let claim = Claim::new(this, this.table()?, given, timeout)?;
    let old = claim
        .value()
        .unwrap_or_else(|| ruby.integer_from_i64(0).as_value());
    numeric(ruby, old, || {
        Ok(format!("the value of {}", error::inspect(given)?))
    })?;
    let sum: Value = old.funcall(operation.symbol, (amount,))?;
    claim.finish(sum)
}

fn numeric(
    ruby: &Ruby,
    value: Value,
    what: impl Fn() -> Result<String, Error>,
) -> Result<(), Error> {
    if value.is_kind_of(ruby.class_numeric()) {
        return Ok(());
    }
    let class = error::class_name(value);
    Err(error::type_error(format!(
        "{} is an instance of {class}, not a number",
        what()?
    )))
}

pub fn define(class: RClass) -> Result<(), Error> {
    class.define_method("increment", method!(increment, -1))?;
    class.define_method("decrement", method!(decrement, -1))
}
