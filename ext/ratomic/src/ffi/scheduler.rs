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
    /// The Fiber waits, and is to be resumed. A scheduler that is told so at another time ends the next wait of the
    /// Fiber, whatever that waits for.
    blocked: AtomicBool,
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
    let _used = [scheduler, fiber].map(|used| Kept::new(RawValue(used)));
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
    // No other thread of the Ractor runs between the last look at `ended` and the change of `blocked`.
    while thread.funcall("alive?", ())? && !state.ended.load(Ordering::Relaxed) {
        state.blocked.store(true, Ordering::Relaxed);
        // SAFETY: `sleep` has both objects on its stack, and `protect` catches what this raises.
        let resumed = protect(|| unsafe {
            rb_fiber_scheduler_block(scheduler, thread.as_raw(), RawValue::NIL.0)
        });
        state.blocked.store(false, Ordering::Relaxed);
        resumed?;
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
    // If this thread is being killed, that ends a call once. So it is to end this one, and not the other.
    forget(run_interrupts());
    forget(unblock(&sleep));
    RawValue::NIL.0
}

fn run_interrupts() -> Result<(), Error> {
    // SAFETY: the thread holds its Ractor's lock, and `protect` catches what this raises.
    protect(|| unsafe {
        rb_sys::rb_thread_check_ints();
        RawValue::NIL.0
    })
    .map(drop)
}

/// Has the scheduler resume the Fiber if it waits. A scheduler that has closed may raise.
fn unblock(sleep: &Sleep) -> Result<(), Error> {
    if !sleep.state.blocked.load(Ordering::Relaxed) {
        return Ok(());
    }
    // SAFETY: `begin` has both objects on its stack. `protect` catches what this raises.
    protect(|| unsafe {
        let thread = rb_sys::rb_thread_current();
        rb_fiber_scheduler_unblock(sleep.scheduler, thread, sleep.fiber)
    })
    .map(drop)
}

/// Goes on after an error. Of a kill `protect` leaves a mark, which is taken off.
fn forget(outcome: Result<(), Error>) {
    if outcome.is_err() {
        // SAFETY: sets a field of the running thread.
        unsafe { rb_sys::rb_set_errinfo(RawValue::NIL.0) };
    }
}
