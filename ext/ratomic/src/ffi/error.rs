//! The exceptions of the native classes. Those of Ruby's own tree by name; ours are looked up when they are needed, in
//! `lib/ratomic/errors.rb`.

use super::Word;
use magnus::{prelude::*, Error, ExceptionClass, RClass, RModule, Ruby, Value};
use ratomic_core::table::Failure;

/// The VM, in a method that it called.
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

pub fn type_error(message: impl Into<String>) -> Error {
    Error::new(ruby().exception_type_error(), message.into())
}

pub fn argument(message: impl Into<String>) -> Error {
    Error::new(ruby().exception_arg_error(), message.into())
}

pub fn range(message: impl Into<String>) -> Error {
    Error::new(ruby().exception_range_error(), message.into())
}

pub fn frozen(message: &'static str) -> Error {
    Error::new(ruby().exception_frozen_error(), message)
}

pub fn thread(message: impl Into<String>) -> Error {
    Error::new(ruby().exception_thread_error(), message.into())
}

/// Ruby's own `ClosedQueueError`, with its own words.
pub fn closed_queue() -> Error {
    named(
        ruby().class_object().const_get("ClosedQueueError"),
        "queue closed".into(),
    )
}

/// `Ratomic::ShareableError`.
pub fn shareable(message: String) -> Error {
    let module = ruby().class_object().const_get::<_, RModule>("Ratomic");
    named(
        module.and_then(|module| module.const_get("ShareableError")),
        message,
    )
}

fn named(class: Result<ExceptionClass, Error>, message: String) -> Error {
    class.map_or_else(|missing| missing, |class| Error::new(class, message))
}

pub fn key_not_found(receiver: Value, key: Value) -> Error {
    let class = ruby().exception_key_error();
    let message = format!("key not found: {}", key.inspect());
    let ruby = ruby();
    let details = magnus::kwargs!(&ruby, "receiver" => receiver, "key" => key);
    let class: Result<RClass, Error> = RClass::try_convert(class.as_value());
    match class
        .and_then(|class| class.funcall::<_, _, magnus::Exception>("new", (message, details)))
    {
        Ok(exception) => exception.into(),
        Err(error) => error,
    }
}

pub fn local_jump(message: String) -> Error {
    named(ruby().class_object().const_get("LocalJumpError"), message)
}

/// Why a write to `key` failed.
pub fn write(failure: Failure<Error>, key: Word) -> Error {
    match failure {
        Failure::Foreign(error) => error,
        Failure::Own => {
            let key = key.value().inspect();
            thread(format!(
                "the block that is computing the value of {key} writes that key itself"
            ))
        }
        Failure::Deadlock => {
            let key = key.value().inspect();
            thread(format!("deadlock: the thread whose block is computing the value of {key} waits for this one"))
        }
    }
}
