//! Waiting in a Fiber that belongs to a Fiber scheduler: the other Fibers of the thread run meanwhile.
//!
//! A waiter can be woken by a thread of any Ractor, but only threads of its own Ractor may call the scheduler. So a
//! thread of this Ractor sleeps in place of the Fiber, and has the scheduler resume it in the end. A new thread is made
//! for each wait that has to sleep. That costs some 30 microseconds.
//!
//! The Fiber does not `join` that thread. Ruby keeps the list of those who join a thread on their own stacks. A Fiber
//! that is never resumed (its thread has ended, or its scheduler has closed without it) does not leave that list, and
//! the end of the joined thread then reads a stack that was freed. Here the thread refers to the Fiber as an object.

use super::{error, kept::Kept, RawValue};
use magnus::{
    prelude::*,
    rb_sys::{protect, AsRawValue},
    Error, Value,
};
use ratomic_core::{Deadline, Parker};
use rb_sys::VALUE;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

extern "C" {
    // Declared in ruby/fiber/scheduler.h, which the bindings leave out.
    fn rb_fiber_scheduler_current() -> VALUE;
    fn rb_fiber_scheduler_block(scheduler: VALUE, blocker: VALUE, timeout: VALUE) -> VALUE;
    fn rb_fiber_scheduler_unblock(scheduler: VALUE, blocker: VALUE, fiber: VALUE) -> VALUE;
}

/// Whether the running Fiber is one that a scheduler can stop.
pub fn is_current() -> bool {
    // SAFETY: the thread holds its Ractor's lock; asks for a pointer of the thread.
    unsafe { rb_fiber_scheduler_current() != RawValue::NIL.0 }
}

/// What the Fiber and the thread tell each other. They are of one Ractor, whose lock orders what they do.
#[derive(Default)]
struct State {
    /// The thread has slept.
    ended: AtomicBool,
    /// The Fiber does not wait any more. After that the thread touches neither the Fiber nor the scheduler.
    left: AtomicBool,
}

/// The data of the thread that waits. The thread owns it, so the Fiber may be ended at any time.
struct Sleep {
    parker: Arc<Parker>,
    deadline: Deadline,
    in_thread: InThread,
    state: Arc<State>,
    scheduler: VALUE,
    fiber: VALUE,
}

/// Has the calling thread sleep, whether it has a Fiber scheduler or not.
type InThread = fn(&Parker, Deadline) -> Result<(), Error>;

/// Returns when the parker was woken or the deadline has passed. An exception that is raised in the Fiber meanwhile is
/// the error.
pub fn sleep(parker: &Arc<Parker>, deadline: Deadline, in_thread: InThread) -> Result<(), Error> {
    // SAFETY: as in `is_current`; the running Fiber is on this stack, and its thread has the scheduler.
    let (scheduler, fiber) = unsafe { (rb_fiber_scheduler_current(), rb_sys::rb_fiber_current()) };
    let state = Arc::new(State::default());
    let sleep = Box::new(Sleep {
        parker: Arc::clone(parker),
        deadline,
        in_thread,
        state: Arc::clone(&state),
        scheduler,
        fiber,
    });
    let sleep = Box::into_raw(sleep);
    // SAFETY: `begin` takes the box. `protect` catches what this raises: there is no thread then, and the box is ours.
    let thread = protect(|| unsafe { rb_sys::rb_thread_create(Some(begin), sleep.cast()) })
        // SAFETY: as said.
        .inspect_err(|_| drop(unsafe { Box::from_raw(sleep) }))?;
    let thread: Value = RawValue(thread).value();
    let ended = set_up(thread, scheduler, fiber).and_then(|()| block(&state, scheduler, thread));
    state.left.store(true, Ordering::Relaxed);
    if ended.is_err() {
        parker.interrupt(); // ends the thread, if it is still there
    }
    ended
}

/// Has the thread refer to what it will use, also before it runs, and names it for lists of threads.
fn set_up(thread: Value, scheduler: VALUE, fiber: VALUE) -> Result<(), Error> {
    let used =
        error::ruby().ary_from_iter([RawValue(scheduler), RawValue(fiber)].map(RawValue::value));
    let _: Value = thread.funcall("thread_variable_set", ("ratomic_fiber", used))?;
    let _: Value = thread.funcall("name=", ("ratomic-fiber-wait",))?;
    let _: Value = thread.funcall("report_on_exception=", (false,))?;
    let _: Value = thread.funcall("thread_variable_set", ("fork_safe", true))?;
    Ok(())
}

/// Lets the other Fibers run until the thread has slept. A scheduler may resume a Fiber without a reason. (In a forked
/// child the thread does not exist, and the Fiber checks again.)
fn block(state: &State, scheduler: VALUE, thread: Value) -> Result<(), Error> {
    while !state.ended.load(Ordering::Relaxed) && thread.funcall("alive?", ())? {
        // SAFETY: this stack refers to all three, and `protect` catches what this raises.
        protect(|| unsafe {
            rb_fiber_scheduler_block(scheduler, thread.as_raw(), RawValue::NIL.0)
        })?;
    }
    Ok(())
}

unsafe extern "C" fn begin(sleep: *mut c_void) -> VALUE {
    // SAFETY: the box of `sleep`, which only this thread has.
    let sleep = unsafe { Box::from_raw(sleep.cast::<Sleep>()) };
    // A collector finds both on this stack, and does not move them.
    let _used = [sleep.scheduler, sleep.fiber].map(|used| Kept::new(RawValue(used)));
    // If this thread is killed meanwhile, it ends too.
    let _ = (sleep.in_thread)(&sleep.parker, sleep.deadline);
    sleep.state.ended.store(true, Ordering::Relaxed);
    // Where this thread is killed, that ends the first call in Ruby 3.1; it does not come a second time.
    let _ = unblock(&sleep).or_else(|_| unblock(&sleep));
    RawValue::NIL.0
}

/// Has the scheduler resume the Fiber if it still waits. A scheduler that has closed may raise.
fn unblock(sleep: &Sleep) -> Result<(), Error> {
    if sleep.state.left.load(Ordering::Relaxed) {
        return Ok(());
    }
    // SAFETY: `begin` and the Fiber's own stack refer to both objects, and before `begin` runs the thread does
    // (`set_up`). `protect` catches what this raises; of a kill it leaves the mark, which is taken off.
    unsafe {
        protect(|| {
            let thread = rb_sys::rb_thread_current();
            rb_fiber_scheduler_unblock(sleep.scheduler, thread, sleep.fiber)
        })
        .inspect_err(|_| rb_sys::rb_set_errinfo(RawValue::NIL.0))
        .map(drop)
    }
}
