//! The one place where the VM lock is given up.

use super::{error, native_thread, scheduler, RawValue};
use magnus::{prelude::*, rb_sys::protect, Error};
use ratomic_core::{Deadline, Park, Parker};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

/// Identifies the running thread as the owner of claims, by the address of its Thread object. The object is on the
/// thread's own stack, so it is neither freed nor moved while the thread runs.
pub fn thread() -> usize {
    // SAFETY: the running thread is one of the VM's.
    unsafe { rb_sys::rb_thread_current() as usize }
}

pub struct Gvl;

struct Sleep<'a> {
    parker: &'a Parker,
    deadline: Deadline,
}

impl Park for Gvl {
    type Error = Error;

    fn park(&self, parker: &Arc<Parker>, deadline: Deadline) -> Result<(), Error> {
        if scheduler::is_current() {
            return scheduler::sleep(parker, deadline, sleep_in_thread);
        }
        sleep_in_thread(parker, deadline)
    }

    fn check(&self) -> Result<(), Error> {
        check_now()?;
        // An interrupt that is deferred until the thread blocks (`handle_interrupt(Object => :on_blocking)`) sets no
        // flag.
        if error::ruby()
            .thread_current()
            .funcall::<_, _, bool>("pending_interrupt?", ())?
        {
            return block_for_nothing();
        }
        Ok(())
    }

    fn is_alive(&self, thread: usize) -> Result<bool, Error> {
        // Lives as long as the claim that names it, which marks it.
        RawValue(thread as _).value().funcall("alive?", ())
    }
}

/// Sleeps in the calling thread, without asking a Fiber scheduler.
fn sleep_in_thread(parker: &Parker, deadline: Deadline) -> Result<(), Error> {
    native_thread::sleep(parker, deadline, |deadline| sleep_here(parker, deadline))
}

fn sleep_here(parker: &Parker, deadline: Deadline) -> Result<(), Error> {
    let sleep = Sleep { parker, deadline };
    protect(|| {
        // SAFETY: both pointers refer to frames that outlive the call: the VM forgets the second one (under its own
        // lock) before the call returns. What is pending is for `check`; old VMs may raise all the same.
        unsafe {
            rb_sys::rb_thread_call_without_gvl2(
                Some(run),
                ptr::from_ref(&sleep).cast_mut().cast(),
                Some(interrupt),
                ptr::from_ref(parker).cast_mut().cast(),
            );
        }
        RawValue::NIL.0
    })
    .map(drop)
}

/// Runs pending interrupts, but not deferred ones. For methods that do not block.
pub fn check_now() -> Result<(), Error> {
    protect(|| {
        // SAFETY: the thread holds its VM lock, and `protect` catches what this raises.
        unsafe { rb_sys::rb_thread_check_ints() };
        RawValue::NIL.0
    })
    .map(drop)
}

/// The VM runs deferred interrupts when a thread takes the VM lock again, and only there. So this gives the lock up.
fn block_for_nothing() -> Result<(), Error> {
    protect(|| {
        // SAFETY: `nothing` uses no argument, and `protect` catches what the VM raises afterwards.
        unsafe {
            rb_sys::rb_thread_call_without_gvl(
                Some(nothing),
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            )
        };
        RawValue::NIL.0
    })
    .map(drop)
}

unsafe extern "C" fn nothing(_: *mut c_void) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn run(sleep: *mut c_void) -> *mut c_void {
    // SAFETY: the `Sleep` of the caller's frame, see above. Nothing here touches a VALUE.
    let sleep = unsafe { &*sleep.cast::<Sleep<'_>>() };
    keeping_errno(|| sleep.parker.park(sleep.deadline));
    ptr::null_mut()
}

/// A sleep whose time is up leaves ETIMEDOUT in errno. Ruby 4.0 may read errno at the address of a native thread that
/// it has left meanwhile, and takes the unfinished read of another Ruby thread for one that has timed out.
fn keeping_errno(sleep: impl FnOnce()) {
    let errno = errno_here();
    // SAFETY: this native thread's own errno, which lives as long as the thread that runs this.
    let before = unsafe { errno.read() };
    sleep();
    // SAFETY: as above.
    unsafe { errno.write(before) };
}

fn errno_here() -> *mut libc::c_int {
    // SAFETY: it asks for an address, and does nothing else.
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    return unsafe { libc::__error() };
    // SAFETY: as above.
    #[cfg(not(any(target_vendor = "apple", target_os = "freebsd")))]
    return unsafe { libc::__errno_location() };
}

unsafe extern "C" fn interrupt(parker: *mut c_void) {
    // SAFETY: the waiter of the caller's frame, see above.
    unsafe { &*parker.cast::<Parker>() }.interrupt();
}
