//! The exceptions that native methods raise: Ruby's own classes, and those of `lib/ratomic/errors.rb`, which are looked
//! up when they are needed.
//!
//! An exception object is made before it is raised; magnus would make it while raising. Making it calls Ruby, and each
//! call into Ruby can end in a jump (the thread is killed, an item throws). Such a jump is returned as the error.

use super::RawValue;
use magnus::{
    prelude::*, rb_sys::protect, Error, ExceptionClass, RClass, RModule, RString, Ruby, Value,
};
use ratomic_core::table::Failure;

/// The handle of the VM. To be called only in a method that the VM has called.
pub fn ruby() -> Ruby {
    // SAFETY: every function of this extension runs in a thread of the VM that holds its lock, but the sleep in
    // `gvl`, which calls nothing of Ruby.
    unsafe { Ruby::get_unchecked() }
}

/// The name of an object's class, for a message.
pub fn class_name(value: Value) -> String {
    // SAFETY: the name is copied before anything else can run.
    unsafe { value.classname() }.into_owned()
}

fn new(class: ExceptionClass, message: &str) -> Error {
    match class.new_instance((message,)) {
        Ok(exception) => exception.into(),
        Err(instead) => instead,
    }
}

/// `Ratomic::Arguments`.
pub fn arguments() -> Result<Value, Error> {
    let module: RModule = ruby().class_object().const_get("Ratomic")?;
    module.const_get("Arguments")
}

/// Makes an error that shows a wrong argument. No method of it is called, and a long one is shown in part.
pub fn about(value: Value, error: impl FnOnce(String) -> Error) -> Error {
    let shown = arguments().and_then(|arguments| arguments.funcall("shown", (value,)));
    shown.map_or_else(|instead| instead, error)
}

/// Makes an error from the `inspect` of a key (or of a map), as a Hash does. If `inspect` raises or throws, that is the
/// error.
pub fn about_key(key: Value, error: impl FnOnce(String) -> Error) -> Error {
    inspect(key).map_or_else(|instead| instead, error)
}

/// The result of `inspect`, as Ruby puts it into its own messages, or the class if the object has no such method. It
/// runs Ruby code, so it may raise, also an exception that another thread sends.
pub fn inspect(value: Value) -> Result<String, Error> {
    let object = RawValue::of(value);
    // SAFETY: a living object, on the caller's stack; `protect` catches what its methods raise.
    match protect(|| unsafe { rb_sys::rb_inspect(object.0) }) {
        Ok(text) => {
            let text = RString::try_convert(RawValue(text).value())?;
            // SAFETY: copied before anything else can run.
            Ok(unsafe { text.to_string_lossy() }.into_owned())
        }
        Err(error) if error.is_kind_of(ruby().exception_no_method_error()) => {
            Ok(format!("#<{}>", class_name(value)))
        }
        Err(error) => Err(error),
    }
}

pub fn type_error(message: impl AsRef<str>) -> Error {
    new(ruby().exception_type_error(), message.as_ref())
}

pub fn argument(message: impl AsRef<str>) -> Error {
    new(ruby().exception_arg_error(), message.as_ref())
}

pub fn range(message: impl AsRef<str>) -> Error {
    new(ruby().exception_range_error(), message.as_ref())
}

pub fn frozen(message: &'static str) -> Error {
    new(ruby().exception_frozen_error(), message)
}

pub fn thread(message: impl AsRef<str>) -> Error {
    new(ruby().exception_thread_error(), message.as_ref())
}

/// Ruby's `ClosedQueueError`, with the message that Ruby gives it.
pub fn closed_queue() -> Error {
    named(
        ruby().class_object().const_get("ClosedQueueError"),
        "queue closed",
    )
}

/// `Ratomic::ShareableError`.
pub fn shareable(message: impl AsRef<str>) -> Error {
    own("ShareableError", message.as_ref())
}

/// `Ratomic::TimeoutError`.
pub fn timeout(message: impl AsRef<str>) -> Error {
    own("TimeoutError", message.as_ref())
}

fn own(name: &str, message: &str) -> Error {
    let module = ruby().class_object().const_get::<_, RModule>("Ratomic");
    named(module.and_then(|module| module.const_get(name)), message)
}

fn named(class: Result<ExceptionClass, Error>, message: &str) -> Error {
    class.map_or_else(|missing| missing, |class| new(class, message))
}

pub fn key_not_found(receiver: Value, key: Value) -> Error {
    about_key(key, |text| {
        let ruby = ruby();
        let details = magnus::kwargs!(&ruby, "receiver" => receiver, "key" => key);
        RClass::try_convert(ruby.exception_key_error().as_value())
            .and_then(|class| {
                let message = format!("key not found: {text}");
                class.funcall::<_, _, magnus::Exception>("new", (message, details))
            })
            .map_or_else(|instead| instead, Error::from)
    })
}

pub fn local_jump(message: impl AsRef<str>) -> Error {
    named(
        ruby().class_object().const_get("LocalJumpError"),
        message.as_ref(),
    )
}

/// Why a write to many keys of a map failed.
pub fn write_many(failure: Failure<Error>, map: Value) -> Error {
    let because = |reason: &str| {
        about_key(map, |map| {
            thread(format!("{reason} a value of {map}; nothing was changed"))
        })
    };
    match failure {
        Failure::Foreign(error) => error,
        Failure::Own => because("this is called in a block that is computing"),
        Failure::Deadlock => {
            because("deadlock: this thread is awaited by the one whose block is computing")
        }
    }
}

/// Why a write to `key` failed.
pub fn write(failure: Failure<Error>, key: RawValue) -> Error {
    let because = |reason: fn(String) -> String| about_key(key.value(), |key| thread(reason(key)));
    match failure {
        Failure::Foreign(error) => error,
        Failure::Own => because(|key| {
            format!("the block that is computing the value of {key} writes that key itself; what the block returns is stored")
        }),
        Failure::Deadlock => because(|key| {
            format!("deadlock: the thread whose block is computing the value of {key} waits for this one")
        }),
    }
}
