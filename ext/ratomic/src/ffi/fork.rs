//! Hooks `ratomic_core::fork` into fork(2) itself, so that it holds for `Process.fork`, `Process.daemon` and every other
//! library that forks.

use ratomic_core::fork;
use std::sync::Once;

pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: the three functions live as long as the library, which the VM never unloads.
        unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    });
}

unsafe extern "C" fn prepare() {
    fork::prepare();
}

unsafe extern "C" fn parent() {
    fork::parent();
}

unsafe extern "C" fn child() {
    // SAFETY: asks only whether this native thread is one of the VM's.
    let known = unsafe { rb_sys::ruby_native_thread_p() } != 0;
    fork::child(if known { super::gvl::thread() } else { 0 });
}
