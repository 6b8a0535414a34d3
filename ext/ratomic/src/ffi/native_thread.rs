//! Sleeping in another Ractor than the main one, without occupying a native thread of the VM all the time.
//!
//! Ruby runs the threads of all other Ractors on a few native threads. A thread that sleeps in native code occupies its
//! native thread. If all native threads are occupied, Ruby 4.0 makes no new one, and Ractors that are ready never run,
//! perhaps also the one that the sleepers wait for. (Ruby 4.1 makes a new one.) So a sleep is cut into slices, the
//! first one short. Between two slices the thread calls the VM's own sleep for a moment, and then its native thread can
//! run another Ractor.

use super::{gc, RawValue};
use magnus::{rb_sys::protect, Error, Ruby};
use ratomic_core::{Deadline, Parker};
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

/// A key of the Ractor-local storage, set only in the main Ractor. It exists only on Rubies on which sleeps have to be
/// cut.
static MAIN: OnceLock<Key> = OnceLock::new();

struct Key(rb_sys::rb_ractor_local_key_t);

// SAFETY: the VM makes it once and never changes what it refers to.
unsafe impl Send for Key {}
// SAFETY: as above.
unsafe impl Sync for Key {}

/// Without anything to free or mark.
static PLAIN: Type = Type(rb_sys::rb_ractor_local_storage_type {
    mark: None,
    free: None,
});

struct Type(rb_sys::rb_ractor_local_storage_type);

// SAFETY: it has no content.
unsafe impl Sync for Type {}

const FIRST_SLEEP: Duration = Duration::from_millis(20);
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// To be called when the extension is loaded, which is in the main Ractor.
pub fn install(ruby: &Ruby) -> Result<(), Error> {
    // It came with the better scheduler.
    if gc::has_heap_per_ractor(ruby)? {
        return Ok(());
    }
    MAIN.get_or_init(|| {
        // SAFETY: `PLAIN` lives as long as the process, and so does what the pointer refers to.
        unsafe {
            let key = rb_sys::rb_ractor_local_storage_ptr_newkey(&PLAIN.0);
            rb_sys::rb_ractor_local_storage_ptr_set(key, ptr::from_ref(&PLAIN).cast_mut().cast());
            Key(key)
        }
    });
    Ok(())
}

/// Whether this thread is one of those that share native threads.
fn is_shared() -> bool {
    MAIN.get().is_some_and(|key| {
        // SAFETY: looks into the storage of the running Ractor, whose lock this thread holds.
        unsafe { rb_sys::rb_ractor_local_storage_ptr(key.0).is_null() }
    })
}

/// Calls `sleep` until the waiter is awake or the deadline has passed.
pub fn sleep(
    parker: &Parker,
    deadline: Deadline,
    sleep: impl Fn(Deadline) -> Result<(), Error>,
) -> Result<(), Error> {
    if !is_shared() {
        return sleep(deadline);
    }
    let mut slice = FIRST_SLEEP;
    loop {
        sleep(deadline.sooner(Deadline::after(slice)))?;
        if parker.is_awake() || deadline.passed() {
            return Ok(());
        }
        yield_native_thread()?;
        slice = MAX_SLEEP.min(slice * 2);
    }
}

fn yield_native_thread() -> Result<(), Error> {
    let moment = rb_sys::timeval {
        tv_sec: 0,
        tv_usec: 1,
    };
    protect(|| {
        // SAFETY: the thread holds its Ractor's lock, and `protect` catches what is raised in it meanwhile.
        unsafe { rb_sys::rb_thread_wait_for(moment) };
        RawValue::NIL.0
    })
    .map(drop)
}
