//! Parses optional arguments and keywords of native methods.

use super::{error, RawValue};
use magnus::{prelude::*, rb_sys::protect, Error, RArray, RHash, Value};
use ratomic_core::Deadline;
use rb_sys::ruby_value_type::RUBY_T_HASH;
use std::time::Duration;

/// Splits `timeout:` off the arguments, for methods that have no other keyword.
#[inline]
pub fn with_timeout(args: &[Value]) -> Result<(&[Value], Deadline), Error> {
    if !may_have_keywords(args) {
        return Ok((args, Deadline::Never));
    }
    let (rest, timeout) = with_seconds(args)?;
    Ok((rest, deadline(timeout)?))
}

/// Whether the last argument may be keywords: whether it is a Hash. Nearly all calls need no more than this check.
#[inline]
pub fn may_have_keywords(args: &[Value]) -> bool {
    args.last()
        .is_some_and(|last| RawValue::of(*last).is_a(RUBY_T_HASH))
}

/// As [`with_timeout`], but returns the seconds as the caller gave them.
pub fn with_seconds(args: &[Value]) -> Result<(&[Value], Option<Value>), Error> {
    let (rest, [timeout]) = with_keywords(args, ["timeout"])?;
    Ok((rest, timeout))
}

/// Splits the keywords with these names off the arguments, and raises for any other.
#[cold]
pub fn with_keywords<'a, const N: usize>(
    args: &'a [Value],
    known: [&str; N],
) -> Result<(&'a [Value], [Option<Value>; N]), Error> {
    let Some((keywords, rest)) = args.split_last() else {
        return Ok((args, [None; N]));
    };
    // SAFETY: asks about the frame of the running method.
    if !may_have_keywords(args) || unsafe { rb_sys::rb_keyword_given_p() } == 0 {
        return Ok((args, [None; N]));
    }
    let keywords = RHash::try_convert(*keywords)?;
    let (mut given, mut found) = ([None; N], 0);
    for (place, name) in given.iter_mut().zip(known) {
        if found < keywords.len() {
            *place = keywords.get(error::ruby().to_symbol(name));
            found += usize::from(place.is_some());
        }
    }
    if keywords.len() != found {
        return Err(unknown_keyword(keywords, &known)?);
    }
    Ok((rest, given))
}

fn unknown_keyword(keywords: RHash, known: &[&str]) -> Result<Error, Error> {
    let ruby = error::ruby();
    let is_unknown = |name: &Value| {
        let mut known = known.iter().map(|known| ruby.to_symbol(known).as_value());
        known.all(|known| RawValue::of(known) != RawValue::of(*name))
    };
    let names: RArray = keywords.funcall("keys", ())?;
    let unknown = names.into_iter().filter(is_unknown).map(error::inspect);
    let unknown = unknown.collect::<Result<Vec<_>, _>>()?.join(", ");
    Ok(error::argument(format!("unknown keyword: {unknown}")))
}

/// The deadline that is that many seconds from now. nil, and a number that the clock cannot represent, mean no deadline.
pub fn deadline(timeout: Option<Value>) -> Result<Deadline, Error> {
    Ok(seconds(timeout, "timeout:")?.map_or(Deadline::Never, Deadline::after))
}

/// Reads a number of seconds; `name` is for the error message. Returns `None` for nil, and for a number that the clock
/// cannot represent: without limit.
pub fn seconds(given: Option<Value>, name: &str) -> Result<Option<Duration>, Error> {
    let Some(seconds) = given.filter(|seconds| !seconds.is_nil()) else {
        return Ok(None);
    };
    let seconds = if is_integer_or_float(seconds) {
        seconds
    } else {
        error::arguments()?.funcall("seconds", (name, seconds))?
    };
    let mut number = 0.0;
    protect(|| {
        // SAFETY: a living object, on the stack; `protect` catches what the conversion raises.
        number = unsafe { rb_sys::rb_num2dbl(RawValue::of(seconds).0) };
        RawValue::NIL.0
    })?;
    if number.is_nan() || number < 0.0 {
        let wrong = |seconds| format!("{name} must be 0 or more seconds, or nil, not {seconds}");
        return Err(error::about(seconds, |seconds| {
            error::argument(wrong(seconds))
        }));
    }
    Ok(Duration::try_from_secs_f64(number).ok())
}

/// Whether Ruby reads it as a Float without calling a method of it. `Arguments.seconds` reads any other object, as for
/// all other methods. It is read once: if that raises, also an error that another thread sends, that is the error.
fn is_integer_or_float(seconds: Value) -> bool {
    magnus::Integer::from_value(seconds).is_some() || magnus::Float::from_value(seconds).is_some()
}

/// Raises unless there are `from` to `to` arguments.
#[inline]
pub fn count(args: &[Value], from: usize, to: usize) -> Result<(), Error> {
    if (from..=to).contains(&args.len()) {
        return Ok(());
    }
    Err(wrong_number(args.len(), from, to))
}

#[cold]
fn wrong_number(given: usize, from: usize, to: usize) -> Error {
    let expected = if from == to {
        from.to_string()
    } else {
        format!("{from}..{to}")
    };
    error::argument(format!(
        "wrong number of arguments (given {given}, expected {expected})"
    ))
}
