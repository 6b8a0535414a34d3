//! Makes an object shareable so that it can be stored. Structures hold only shareable objects.

use super::{
    deep_freeze::{self, Unfrozen},
    error, global_gc,
    walk::{self, Found},
    RawValue,
};
use magnus::{prelude::*, rb_sys::protect, Error, ExceptionClass, RModule, RString, Value};
use rb_sys::VALUE;

extern "C" {
    // Declared in ruby/ractor.h, behind an inline function that the bindings leave out.
    fn rb_ractor_shareable_p_continue(object: VALUE) -> bool;
}

/// Whether the object can be stored as it is. For a few kinds of objects the answer is false although [`share`] would
/// store them as they are.
pub fn is_shareable(word: RawValue) -> Result<bool, Error> {
    if deep_freeze::share(word, Unfrozen::Refuse)? {
        return Ok(true);
    }
    Ok(walk::find(word)? == Found::Nothing && is_noted(word))
}

/// Asks the VM, which marks the objects that it finds shareable. To be called only with a graph in which [`walk::find`]
/// finds nothing.
pub fn is_noted(word: RawValue) -> bool {
    // SAFETY: a living object, on the caller's stack. The VM's walk runs no Ruby code; `protect` catches what it raises
    // without memory, or at the end of the stack.
    let walk = || unsafe { RawValue::from_bool(rb_ractor_shareable_p_continue(word.0)).0 };
    protect(walk).is_ok_and(|answer| answer == RawValue::from_bool(true).0)
}

/// Returns the object itself if it is shareable, else a frozen deep copy. The caller's object is not changed.
#[inline]
pub fn share(value: Value, place: &str) -> Result<RawValue, Error> {
    let word = RawValue::of(value);
    if word.is_immediate() {
        return Ok(word);
    }
    share_object(value, place)
}

fn share_object(value: Value, place: &str) -> Result<RawValue, Error> {
    let word = RawValue::of(value);
    global_gc::relieve();
    if deep_freeze::share(word, Unfrozen::Refuse)? {
        return Ok(word);
    }
    let copy = match walk::find(word)? {
        Found::Single(single) => return Err(refused(single.value(), place, String::new())),
        Found::Deep => return Err(refused(value, place, format!(": {}", walk::TOO_DEEP))),
        Found::Odd => rebuild(value),
        Found::Nothing if is_noted(word) => return Ok(word),
        Found::Nothing => vm_copy(word),
    };
    match copy {
        Ok(copy) if is_shareable(copy)? => Ok(copy),
        Ok(_) => Err(refused(value, place, String::new())),
        Err(reason) => Err(explained(value, place, reason)),
    }
}

fn vm_copy(word: RawValue) -> Result<RawValue, Error> {
    // SAFETY: a living object; `protect` catches what the copying, which may run user code, raises.
    protect(|| unsafe { rb_sys::rb_ractor_make_shareable_copy(word.0) }).map(RawValue)
}

/// Copies a graph that the VM would not copy correctly.
fn rebuild(value: Value) -> Result<RawValue, Error> {
    let module: RModule = error::ruby().class_object().const_get("Ratomic")?;
    let rebuilding: Value = module.const_get("FrozenCopy")?;
    let copy: Value = rebuilding.funcall("of", (value,))?;
    Ok(RawValue::of(copy))
}

/// Makes the error for an object that cannot be stored, with the reason. An exception that is no StandardError is
/// returned unchanged.
fn explained(value: Value, place: &str, reason: Error) -> Error {
    let words = || -> Result<Option<RString>, Error> {
        let root = error::ruby().class_object();
        let too_deep: ExceptionClass = root.const_get("SystemStackError")?;
        let ordinary = reason.is_kind_of(error::ruby().exception_standard_error());
        let Some(exception) = reason
            .value()
            .filter(|_| ordinary || reason.is_kind_of(too_deep))
        else {
            return Ok(None);
        };
        let workers: RModule = root
            .const_get::<_, RModule>("Ratomic")?
            .const_get("Workers")?;
        let part: Value = workers.const_get("UnshareablePart")?;
        part.funcall("describe", (value, exception)).map(Some)
    };
    match words() {
        Ok(Some(words)) => {
            // SAFETY: copied before anything else can run.
            let words = unsafe { words.to_string_lossy() }.into_owned();
            refused(value, place, format!(": {words}"))
        }
        Ok(None) => reason,
        Err(instead) => instead,
    }
}

fn refused(value: Value, place: &str, reason: String) -> Error {
    let class = error::class_name(value);
    error::shareable(format!(
        "{place} cannot hold this {class}, of which no frozen copy can be made{reason}; store frozen data instead"
    ))
}
