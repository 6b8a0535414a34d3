//! Showing a collector what a structure holds.
//!
//! In a collection every thread that could be inside a structure is stopped at a safepoint, so it is read without its
//! lock. ObjectSpace calls the same function while the other Ractors run. Then the words are copied under the lock, to
//! the stack, which keeps their objects alive, and shown after it is given up, because the visitor may allocate.

/// Whether a collection is running, and with it nothing else.
pub fn everything_stopped() -> bool {
    // SAFETY: asks for a flag.
    unsafe { rb_sys::rb_during_gc() != 0 }
}

/// Shows what `some` copies for a place to begin at, until there is no more.
pub fn show_copies<T: Copy>(empty: T, some: impl Fn(usize, &mut [T]) -> usize, show: impl Fn(&T)) {
    let mut words = [empty; 64];
    let mut seen = 0;
    loop {
        let count = some(seen, &mut words);
        if count == 0 {
            break;
        }
        words[..count].iter().for_each(&show);
        seen += count;
    }
}
