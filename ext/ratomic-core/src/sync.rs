//! The standard library's synchronisation, or the model checker's in its place.

#[cfg(loom)]
pub use loom::sync::{
    atomic::{fence, AtomicBool, AtomicI64, AtomicPtr, AtomicUsize, Ordering},
    Arc, Condvar, Mutex, MutexGuard,
};
#[cfg(not(loom))]
pub use std::sync::{
    atomic::{fence, AtomicBool, AtomicI64, AtomicPtr, AtomicUsize, Ordering},
    Arc, Condvar, Mutex, MutexGuard,
};

use std::sync::PoisonError;

#[cfg(loom)]
pub use loom::cell::UnsafeCell as Cell;

/// Memory that several threads reach, with the model checker's interface: that one finds two accesses at once.
#[cfg(not(loom))]
pub struct Cell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> Cell<T> {
    pub fn new(value: T) -> Self {
        Cell(std::cell::UnsafeCell::new(value))
    }

    #[inline]
    pub fn with<R>(&self, work: impl FnOnce(*const T) -> R) -> R {
        work(self.0.get())
    }

    #[inline]
    pub fn with_mut<R>(&self, work: impl FnOnce(*mut T) -> R) -> R {
        work(self.0.get())
    }

    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// Locks, also where another thread panicked under the lock: the panic has been reported there, as a Ruby exception.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
