//! `Ratomic::Counter`: no lock and no VALUE inside, so no mark function, and nothing to do around a fork.

use crate::ffi::{args, class, error, once_shared::OnceShared, Receiver};
use magnus::{method, DataTypeFunctions, Error, Module, RModule, Ruby, TypedData, Value};
use ratomic_core::counter::{Counter as Core, OutOfRange};

#[derive(Default, TypedData, DataTypeFunctions)]
#[magnus(
    class = "Ratomic::Counter",
    free_immediately,
    wb_protected,
    frozen_shareable
)]
pub struct Counter(OnceShared<Core>);

impl Counter {
    /// Adds `n`, unless the sum would leave the range of 64 bits.
    pub fn count(&self, n: usize) {
        if let (Some(counter), Ok(n)) = (self.0.peek(), n.try_into()) {
            let _ = counter.add(n);
        }
    }

    fn initialize(this: Receiver<Self>, args: &[Value]) -> Result<(), Error> {
        args::count(args, 0, 1)?;
        this.0.set(Core::new(optional(args, "initial", 0)?))?;
        class::seal(this)
    }

    fn increment(this: Receiver<Self>, args: &[Value]) -> Result<i64, Error> {
        args::count(args, 0, 1)?;
        let n = optional(args, "n", 1)?;
        this.0
            .get()?
            .add(n)
            .map_err(|OutOfRange| Self::out_of_range(this, "+", n))
    }

    fn decrement(this: Receiver<Self>, args: &[Value]) -> Result<i64, Error> {
        args::count(args, 0, 1)?;
        let n = optional(args, "n", 1)?;
        this.0
            .get()?
            .sub(n)
            .map_err(|OutOfRange| Self::out_of_range(this, "-", n))
    }

    fn out_of_range(this: Receiver<Self>, sign: &str, n: i64) -> Error {
        let value = this.0.peek().map_or(0, Core::read);
        error::range(format!(
            "{value} {sign} {n} does not fit into the 64 bits of a Ratomic::Counter"
        ))
    }

    fn read(this: Receiver<Self>) -> Result<i64, Error> {
        Ok(this.0.get()?.read())
    }

    fn is_zero(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(Self::read(this)? == 0)
    }

    fn reset(this: Receiver<Self>, args: &[Value]) -> Result<i64, Error> {
        args::count(args, 0, 1)?;
        Ok(this.0.get()?.swap(optional(args, "to", 0)?))
    }

    fn compare_and_set(this: Receiver<Self>, expected: Value, new: Value) -> Result<bool, Error> {
        let (expected, new) = (integer(expected, "expected")?, integer(new, "new")?);
        Ok(this.0.get()?.compare_and_set(expected, new))
    }

    fn inspect(this: Receiver<Self>) -> Result<String, Error> {
        Ok(class::inspect(this, &Self::read(this)?.to_string()))
    }
}

fn optional(args: &[Value], name: &str, default: i64) -> Result<i64, Error> {
    args.first()
        .map_or(Ok(default), |number| integer(*number, name))
}

/// The argument called `name` in the message.
#[inline]
fn integer(given: Value, name: &str) -> Result<i64, Error> {
    class::integer_or(given, name, |given| {
        error::range(format!("{name} must fit into 64 bits, not {given}"))
    })
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
