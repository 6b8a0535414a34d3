//! `Ratomic::Counter`: no lock and no VALUE inside, so no mark function, and nothing to do around a fork.

use crate::ffi::{args, cell::Cell, class, error, number::int64};
use magnus::{
    method, typed_data::Obj, DataTypeFunctions, Error, Module, RModule, Ruby, TypedData, Value,
};
use ratomic_core::counter::{Counter as Core, OutOfRange};

#[derive(Default, TypedData, DataTypeFunctions)]
#[magnus(
    class = "Ratomic::Counter",
    free_immediately,
    wb_protected,
    frozen_shareable
)]
struct Counter(Cell<Core>);

impl Counter {
    fn initialize(this: Obj<Self>, args: &[Value]) -> Result<(), Error> {
        args::count(args, 0, 1)?;
        this.0.set(Core::new(optional(args, 0)?))?;
        class::seal(this)
    }

    fn increment(&self, args: &[Value]) -> Result<i64, Error> {
        args::count(args, 0, 1)?;
        let n = optional(args, 1)?;
        self.0
            .get()?
            .add(n)
            .map_err(|OutOfRange| self.out_of_range("+", n))
    }

    fn decrement(&self, args: &[Value]) -> Result<i64, Error> {
        args::count(args, 0, 1)?;
        let n = optional(args, 1)?;
        self.0
            .get()?
            .sub(n)
            .map_err(|OutOfRange| self.out_of_range("-", n))
    }

    fn out_of_range(&self, sign: &str, n: i64) -> Error {
        let value = self.0.peek().map_or(0, Core::read);
        error::range(format!(
            "{value} {sign} {n} does not fit into the 64 bits of a Ratomic::Counter"
        ))
    }

    fn read(&self) -> Result<i64, Error> {
        Ok(self.0.get()?.read())
    }

    fn is_zero(&self) -> Result<bool, Error> {
        Ok(self.read()? == 0)
    }

    fn reset(&self, args: &[Value]) -> Result<i64, Error> {
        args::count(args, 0, 1)?;
        Ok(self.0.get()?.swap(optional(args, 0)?))
    }

    fn compare_and_set(&self, expected: Value, new: Value) -> Result<bool, Error> {
        Ok(self.0.get()?.compare_and_set(int64(expected)?, int64(new)?))
    }

    fn inspect(this: Obj<Self>) -> Result<String, Error> {
        Ok(class::inspect(this, &this.read()?.to_string()))
    }
}

fn optional(args: &[Value], default: i64) -> Result<i64, Error> {
    args.first().map_or(Ok(default), |number| int64(*number))
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let class = class::define::<Counter>(ruby, ratomic, "Counter")?;
    class.define_method("initialize", method!(Counter::initialize, -1))?;
    class.define_method("increment", method!(Counter::increment, -1))?;
    class.define_method("decrement", method!(Counter::decrement, -1))?;
    class.define_method("read", method!(Counter::read, 0))?;
    class.define_method("zero?", method!(Counter::is_zero, 0))?;
    class.define_method("reset", method!(Counter::reset, -1))?;
    class.define_method("compare_and_set", method!(Counter::compare_and_set, 2))?;
    class.define_method("inspect", method!(Counter::inspect, 0))
}
