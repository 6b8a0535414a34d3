//! A jump of the VM that a native walk has caught and that has to go on: an exception that another thread sends, the end
//! of a thread, a throw. Each method that native code calls is a place at which the VM may begin one.
//!
//! magnus has `protect` for that. Its error takes the exception out of the VM, and is five words long. A walk returns
//! from each object, most of the time without a jump, so it uses a number.

use magnus::{rb_sys::protect, Error};
use rb_sys::VALUE;
use std::ffi::c_int;
use std::num::NonZero;

/// The kind of the jump. The VM keeps the exception, so nothing of Ruby is to be called before the jump goes on.
#[must_use]
#[derive(Debug)]
pub struct Jump(NonZero<c_int>);

/// Why a walk ended before its end.
#[must_use]
#[derive(Debug)]
pub enum Stop {
    /// The object is not what the walk is for.
    Unfit,
    Jump(Jump),
}

/// Calls a function of the VM.
pub fn catch<F: FnOnce() -> VALUE>(call: F) -> Result<VALUE, Jump> {
    unsafe extern "C" fn run<F: FnOnce() -> VALUE>(call: VALUE) -> VALUE {
        // SAFETY: the Option in the frame of `catch`, which is waiting for this call; nobody else uses it.
        let call = unsafe { &mut *(call as *mut Option<F>) };
        call.take().map_or(0, |call| call())
    }

    let (mut call, mut kind) = (Some(call), 0);
    // SAFETY: `run` gets the address of an Option that outlives the call. A jump ends in here, and skips no frame that
    // has something to drop: the closures here only refer to words.
    let answer = unsafe {
        let call = std::ptr::from_mut(&mut call) as VALUE;
        rb_sys::rb_protect(Some(run::<F>), call, &mut kind)
    };
    match NonZero::new(kind) {
        None => Ok(answer),
        Some(kind) => Err(Jump(kind)),
    }
}

/// Whether the call raises an exception of that class, which then ends here.
pub fn raises(class: VALUE, call: impl FnOnce() -> VALUE) -> Result<bool, Jump> {
    let Err(jump) = catch(call) else {
        return Ok(false);
    };
    // SAFETY: what the VM keeps for the jump, a living object or an immediate, and a class.
    let is_meant = unsafe { rb_sys::rb_obj_is_kind_of(rb_sys::rb_errinfo(), class) };
    if is_meant == rb_sys::Qfalse as VALUE {
        return Err(jump);
    }
    // SAFETY: the jump is over.
    unsafe { rb_sys::rb_set_errinfo(rb_sys::Qnil as VALUE) };
    Ok(true)
}

/// None if the object was not what the walk is for.
pub fn fit<T>(walk: Result<T, Stop>) -> Result<Option<T>, Jump> {
    match walk {
        Ok(made) => Ok(Some(made)),
        Err(Stop::Unfit) => Ok(None),
        Err(Stop::Jump(jump)) => Err(jump),
    }
}

impl From<Jump> for Stop {
    fn from(jump: Jump) -> Stop {
        Stop::Jump(jump)
    }
}

/// The error to return from a native method, with which the jump goes on.
impl From<Jump> for Error {
    fn from(Jump(kind): Jump) -> Error {
        // SAFETY: the jump that `catch` has ended, begun again; `protect` ends it, with nothing to drop in between.
        let again = protect(|| unsafe { rb_sys::rb_jump_tag(kind.get()) });
        again.expect_err("a jump does not return")
    }
}
