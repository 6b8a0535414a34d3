//! Shared code of the native classes. Their objects are made by `new`, are frozen and shareable after that, and are
//! never copied.

use super::{
    deep_freeze::{self, Unfrozen},
    error, note,
    number::{self, NotInt64},
    RawValue, Receiver,
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
    look_up::<T>();
    Ok(class)
}

/// Defines a class for internal objects of this extension, as a constant of `outer` that is private to Ruby code.
pub fn define_hidden<T: TypedData>(outer: impl Module, name: &str) -> Result<(), Error> {
    let class = outer.define_class(name, error::ruby().class_object())?;
    class.undef_default_alloc_func();
    let _: Value = outer.funcall("private_constant", (name,))?;
    look_up::<T>();
    Ok(())
}

/// Has magnus find the class now. It asks Ruby for the constant, once, and panics where that raises: an interrupt of
/// the first operation that makes such an object would be a fatal error.
fn look_up<T: TypedData>() {
    T::class(&error::ruby());
}

fn refuse_copy(this: Value, _original: Value) -> Result<Value, Error> {
    let class = error::class_name(this);
    Err(error::type_error(format!(
        "an instance of {class} cannot be copied; use the same object everywhere"
    )))
}

/// The last step of an `initialize`, before the object holds any VALUE.
///
/// It has to be before that, because the VM looks into a native object while it holds its lock. An object in it that is
/// not marked as shareable goes into a table, and for the table's memory the VM may need a collection. Then two threads
/// wait for each other, one for the lock and one for the other Ractors to stop, and the process hangs. If the VM finds
/// nothing, or only marked objects, it allocates nothing.
pub fn seal<T: TypedData>(this: Receiver<T>) -> Result<(), Error> {
    seal_new::<T>(this.word())
}

/// As `seal`, for an object that this extension makes for itself.
pub fn seal_new<T: TypedData>(object: RawValue) -> Result<(), Error> {
    // SAFETY: a living object; sets its flag, for the methods of the class itself are not Ruby's.
    if is_bare::<T>(object) && note::shareable(RawValue(unsafe { rb_sys::rb_obj_freeze(object.0) }))
    {
        return Ok(());
    }
    make_shareable(object)
}

/// Whether the program has added nothing to the object: no instance variables, no `object_id`, and its class is not a
/// subclass. Then the VM does not have to walk it, which would take longer than making it.
fn is_bare<T: TypedData>(object: RawValue) -> bool {
    object.class_or_singleton() == RawValue::of(T::class(&error::ruby()).as_value()).0
        && deep_freeze::is_whole(object)
}

/// Freezes an object of this extension, with everything that it refers to.
pub fn share_in_place(object: Value) -> Result<(), Error> {
    let object = RawValue::of(object);
    if deep_freeze::share(object, Unfrozen::Freeze)? {
        return Ok(());
    }
    make_shareable(object)
}

fn make_shareable(object: RawValue) -> Result<(), Error> {
    // SAFETY: a living object, on the caller's stack; `protect` catches what a subclass's own instance variables raise.
    protect(|| unsafe { rb_sys::rb_ractor_make_shareable(object.0) }).map(drop)
}

/// An Integer argument, called `name` in the message.
pub fn integer(value: Value, name: &str) -> Result<i64, Error> {
    integer_or(value, name, |value| {
        error::argument(format!("{name} is out of range: {value}"))
    })
}

/// As `integer`, with another error for an Integer of more than 64 bits, which `too_large` makes of the text to show.
#[inline]
pub fn integer_or(
    value: Value,
    name: &str,
    too_large: impl FnOnce(String) -> Error,
) -> Result<i64, Error> {
    number::int64(value).map_err(|reason| match reason {
        NotInt64::NoInteger => error::about(value, |value| {
            error::type_error(format!("{name} must be an Integer, not {value}"))
        }),
        NotInt64::TooLarge => error::about(value, too_large),
    })
}

/// `#<Ratomic::Counter 42>`
pub fn inspect<T: TypedData>(this: Receiver<T>, content: &str) -> String {
    let class = error::class_name(this.value());
    format!("#<{class} {content}>")
}
