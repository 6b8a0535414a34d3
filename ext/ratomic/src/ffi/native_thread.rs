//! Sleeping in another Ractor than the main one, without keeping a native thread of the VM for good.
//!
//! Ruby runs the threads of all other Ractors on a few native threads. One that sleeps in native code keeps its native
//! thread. When all of them do, Ruby 4.0 makes no other, and Ractors that are ready to run, among them perhaps the one
//! that is waited for, never do. (4.1 makes one then.) So a sleep is cut into pieces, the first one short; between two
//! of them the thread waits for a moment in the VM's own way, which lets its native thread run who is ready.

use super::RawValue;
use magnus::{prelude::*, rb_sys::protect, Error, Ruby, Value};
use ratomic_core::{Deadline, Parker};
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

/// What the main Ractor has in its storage, where sleeps are to be cut.
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

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// To be called when the extension is loaded, which is in the main Ractor.
pub fn install(ruby: &Ruby) -> Result<(), Error> {
    // A heap for each Ractor came with the better scheduler.
    let heap_per_ractor: Value = ruby.eval("GC.stat.key?(:page_pool_total_pages)")?;
    if heap_per_ractor.to_bool() {
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
    let mut piece = FIRST;
    loop {
        sleep(deadline.sooner(Deadline::after(piece)))?;
        if parker.is_awake() || deadline.passed() {
            return Ok(());
        }
        yield_native_thread()?;
        piece = LONGEST.min(piece * 2);
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
