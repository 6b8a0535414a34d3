//! Waiting in a Fiber that belongs to a Fiber scheduler: the other Fibers of the thread run meanwhile.
//!
//! A waiter can be woken by a thread of any Ractor, but only threads of its own Ractor may call the scheduler. So a
//! thread of this Ractor sleeps in place of the Fiber, and the Fiber waits for the end of that thread, which every
//! scheduler supports. A new thread is made for each wait that has to sleep. That costs some 30 microseconds.

use super::RawValue;
use magnus::{prelude::*, rb_sys::protect, Error, Value};
use ratomic_core::{Deadline, Parker};
use rb_sys::VALUE;
use std::ffi::c_void;
use std::sync::Arc;

extern "C" {
    // Declared in ruby/fiber/scheduler.h, which the bindings leave out.
    fn rb_fiber_scheduler_current() -> VALUE;
}

/// Whether the running Fiber is one that a scheduler can stop.
pub fn is_current() -> bool {
    // SAFETY: the thread holds its Ractor's lock; asks for a pointer of the thread.
    unsafe { rb_fiber_scheduler_current() != RawValue::NIL.0 }
}

/// The data of the thread that waits. The thread owns it, so the Fiber may be ended at any time.
struct Sleep {
    parker: Arc<Parker>,
    deadline: Deadline,
    in_thread: InThread,
}

/// Has the calling thread sleep, whether it has a Fiber scheduler or not.
type InThread = fn(&Parker, Deadline) -> Result<(), Error>;

/// Returns when the parker was woken or the deadline has passed. An exception that is raised in the Fiber meanwhile is
/// the error.
pub fn sleep(parker: &Arc<Parker>, deadline: Deadline, in_thread: InThread) -> Result<(), Error> {
    let sleep = Box::new(Sleep {
        parker: Arc::clone(parker),
        deadline,
        in_thread,
    });
    let sleep = Box::into_raw(sleep);
    // SAFETY: `begin` takes the box. `protect` catches what this raises: there is no thread then, and the box is ours.
    let thread = protect(|| unsafe { rb_sys::rb_thread_create(Some(begin), sleep.cast()) })
        // SAFETY: as said.
        .inspect_err(|_| drop(unsafe { Box::from_raw(sleep) }))?;
    let thread: Value = RawValue(thread).value();
    let ended = name(thread).and_then(|()| thread.funcall::<_, _, Value>("join", ()));
    if ended.is_err() {
        parker.interrupt(); // ends the thread, if it is still there
    }
    ended.map(drop)
}

/// Names the thread for lists of threads. It does not exist in a forked child; there the Fiber checks again.
fn name(thread: Value) -> Result<(), Error> {
    let _: Value = thread.funcall("name=", ("ratomic-fiber-wait",))?;
    let _: Value = thread.funcall("report_on_exception=", (false,))?;
    let _: Value = thread.funcall("thread_variable_set", ("fork_safe", true))?;
    Ok(())
}

unsafe extern "C" fn begin(sleep: *mut c_void) -> VALUE {
    // SAFETY: the box of `sleep`, which only this thread has.
    let sleep = unsafe { Box::from_raw(sleep.cast::<Sleep>()) };
    // If this thread is killed meanwhile, it ends too.
    let _ = (sleep.in_thread)(&sleep.parker, sleep.deadline);
    RawValue::NIL.0
}
