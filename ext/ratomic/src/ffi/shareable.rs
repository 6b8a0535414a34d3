//! What may be stored: only what every Ractor may see.

use super::{
    class, error,
    plain::{self, Unfrozen},
    walk, Word,
};
use magnus::{prelude::*, rb_sys::protect, Error, ExceptionClass, RArray, RClass, Value};
use rb_sys::VALUE;

extern "C" {
    // Declared in ruby/ractor.h, behind an inline function that the bindings leave out.
    fn rb_ractor_shareable_p_continue(object: VALUE) -> bool;
}

/// False also where the VM's walk ends early, because the object is nested too deeply for the stack.
pub fn is_shareable(word: Word) -> bool {
    if plain::share(word, Unfrozen::Refuse) {
        return true;
    }
    // SAFETY: a living object, on the caller's stack. The VM's walk runs no Ruby code; `protect` catches a
    // SystemStackError.
    let walk = || unsafe { Word::from_bool(rb_ractor_shareable_p_continue(word.0)).0 };
    protect(walk).is_ok_and(|answer| answer == Word::from_bool(true).0)
}

/// The object itself if it is shareable, else a frozen deep copy; the caller's own stays as it is.
pub fn share(value: Value, place: &str) -> Result<Word, Error> {
    let word = Word::of(value);
    if is_shareable(word) {
        return Ok(word);
    }
    if let Some(io) = walk::find_io(word) {
        // The VM would make a second descriptor that is open on the same file.
        return Err(refused(io.value(), place, None));
    }
    // SAFETY: a living object; `protect` catches what the copying, which may run user code, raises.
    let copy = protect(|| unsafe { rb_sys::rb_ractor_make_shareable_copy(word.0) });
    let standard = error::ruby().exception_standard_error();
    match copy {
        Ok(copy) if is_shareable(Word(copy)) => Ok(Word(copy)),
        Ok(_) => Err(refused(value, place, None)),
        Err(reason) if reason.is_kind_of(standard) => match as_set(value)? {
            Some(set) => share_set(set, place),
            None => Err(refused(value, place, Some(reason))),
        },
        Err(reason) if is_too_deep(&reason) => Err(refused(value, place, Some(reason))),
        Err(other) => Err(other),
    }
}

/// It is an Exception, no StandardError.
fn is_too_deep(reason: &Error) -> bool {
    let class = error::ruby().class_object().const_get("SystemStackError");
    class.is_ok_and(|class: ExceptionClass| reason.is_kind_of(class))
}

fn as_set(value: Value) -> Result<Option<Value>, Error> {
    let class: RClass = error::ruby().class_object().const_get("Set")?;
    Ok(value.is_kind_of(class).then_some(value))
}

/// The VM copies a Set only if its elements are shareable. (It refuses one of unshareable elements deeper in a graph.)
fn share_set(set: Value, place: &str) -> Result<Word, Error> {
    let elements: RArray = set.funcall("to_a", ())?;
    let copy: Value = set.class().funcall("new", ())?;
    for element in elements {
        let _: Value = copy.funcall("add", (share(element, place)?.value(),))?;
    }
    class::share_in_place(copy)?;
    Ok(Word::of(copy))
}

fn refused(value: Value, place: &str, reason: Option<Error>) -> Error {
    let class = error::class_name(value);
    match reason.map_or_else(|| Ok(String::new()), error::message) {
        Ok(reason) => error::shareable(format!(
            "{place} cannot hold this {class}, which no frozen copy can be made of{reason}; store frozen data instead"
        )),
        Err(instead) => instead,
    }
}
