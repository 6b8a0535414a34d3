//! What the native classes have in common: made by `new`, frozen and shareable from then on, never copied.

use super::{
    error,
    plain::{self, Unfrozen},
    This, Word,
};
use magnus::{
    method, prelude::*, rb_sys::protect, Error, Module, RClass, RModule, Ruby, TypedData, Value,
};

pub fn define<T: TypedData + Default>(
    ruby: &Ruby,
    module: RModule,
    name: &str,
) -> Result<RClass, Error> {
    let class = module.define_class(name, ruby.class_object())?;
    class.define_alloc_func::<T>();
    class.define_method("initialize_copy", method!(refuse_copy, 1))?;
    Ok(class)
}

fn refuse_copy(this: Value, _original: Value) -> Result<Value, Error> {
    let class = error::class_name(this);
    Err(error::type_error(format!(
        "a {class} cannot be copied: there is one of it, and every Ractor shares it"
    )))
}

/// The last step of every `initialize`.
pub fn seal<T: TypedData>(this: This<T>) -> Result<(), Error> {
    make_shareable(this.word())
}

/// As [`seal`], for what holds no VALUE yet.
pub fn seal_empty<T: TypedData>(this: This<T>) -> Result<(), Error> {
    let object = this.word();
    if !is_bare::<T>(object) {
        return make_shareable(object);
    }
    // SAFETY: a living object; sets its flag, for the methods of the class itself are not Ruby's.
    unsafe { rb_sys::rb_obj_freeze(object.0) };
    object.note_shareable();
    Ok(())
}

/// Whether it has nothing but what this extension gave it: no instance variables, no `object_id` yet, nor a class that a
/// program made of ours. Then the VM need not look through it, which takes longer than to make it.
fn is_bare<T: TypedData>(object: Word) -> bool {
    object.header().klass == Word::of(T::class(&error::ruby()).as_value()).0
        && plain::is_whole(object)
}

/// Freezes an object that this extension made, with all that it refers to.
pub fn share_in_place(object: Value) -> Result<(), Error> {
    let object = Word::of(object);
    if plain::share(object, Unfrozen::Freeze) {
        return Ok(());
    }
    make_shareable(object)
}

fn make_shareable(object: Word) -> Result<(), Error> {
    // SAFETY: a living object, on the caller's stack; `protect` catches what a subclass's own instance variables raise.
    protect(|| unsafe { rb_sys::rb_ractor_make_shareable(object.0) }).map(drop)
}

/// An Integer argument, called `name` in the message.
pub fn integer(value: Value, name: &str) -> Result<i64, Error> {
    magnus::Integer::from_value(value)
        .ok_or_else(|| {
            error::about(value, |value| {
                error::type_error(format!("{name} must be an Integer, not {value}"))
            })
        })?
        .to_i64()
        .map_err(|_| {
            error::about(value, |value| {
                error::argument(format!("{name} is out of range: {value}"))
            })
        })
}

/// `#<Ratomic::Counter 42>`
pub fn inspect<T: TypedData>(this: This<T>, content: &str) -> String {
    let class = error::class_name(this.value());
    format!("#<{class} {content}>")
}
