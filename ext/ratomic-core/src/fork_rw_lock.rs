//! The one lock type: short critical sections, no safepoint inside.
//!
//! It is the standard library's lock because that is a plain word in memory. Locks that park their waiters in a table of
//! the whole process (parking_lot, and dashmap on top of it) leave that table locked in a forked child when another
//! thread was just about to park.

#[cfg(not(loom))]
mod real {
    use std::cell::UnsafeCell;
    use std::ops::{Deref, DerefMut};
    use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

    /// The lock comes first, so that it is on one line of memory with the beginning of the data.
    #[derive(Default)]
    #[repr(C)]
    pub struct ForkRwLock<T> {
        lock: RwLock<()>,
        data: UnsafeCell<T>,
    }

    // SAFETY: `data` is reached through the lock, which lets one writer or many readers in, or through `peek` and
    // `held_mut`, whose callers promise that nobody else is inside.
    unsafe impl<T: Send + Sync> Sync for ForkRwLock<T> {}

    pub struct ReadGuard<'a, T>(#[allow(dead_code)] RwLockReadGuard<'a, ()>, &'a T);
    pub struct WriteGuard<'a, T>(#[allow(dead_code)] RwLockWriteGuard<'a, ()>, &'a mut T);

    impl<T> ForkRwLock<T> {
        pub fn new(data: T) -> Self {
            ForkRwLock {
                lock: RwLock::new(()),
                data: UnsafeCell::new(data),
            }
        }

        pub fn read(&self) -> ReadGuard<'_, T> {
            let guard = self.lock.read().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: the read guard, which lives as long as the reference, keeps writers out.
            ReadGuard(guard, unsafe { &*self.data.get() })
        }

        pub fn write(&self) -> WriteGuard<'_, T> {
            let guard = self.lock.write().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: the write guard, which lives as long as the reference, keeps everybody else out.
            WriteGuard(guard, unsafe { &mut *self.data.get() })
        }

        /// As `write`, and says so when the lock is taken at the first try.
        #[inline]
        pub fn write_or(&self, taken: impl FnOnce()) -> WriteGuard<'_, T> {
            let guard = match self.lock.try_write() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    taken();
                    return self.write();
                }
            };
            // SAFETY: as in `write`.
            WriteGuard(guard, unsafe { &mut *self.data.get() })
        }

        pub fn get_mut(&mut self) -> &mut T {
            self.data.get_mut()
        }

        /// Reads without the lock, for a collector that must not wait.
        ///
        /// # Safety
        /// No thread may be inside `read` or `write` with a change in progress for as long as the reference lives. A
        /// collector has that: every thread that works on the structure is stopped at a safepoint, and none is reached
        /// under the lock.
        pub unsafe fn peek(&self) -> &T {
            // SAFETY: the caller's promise above.
            unsafe { &*self.data.get() }
        }

        /// Writes without the lock: for a compacting collector, and for the thread that holds the lock around a fork.
        ///
        /// # Safety
        /// As for `peek`, and no other reference into the data may be alive.
        #[allow(clippy::mut_from_ref)]
        pub unsafe fn held_mut(&self) -> &mut T {
            // SAFETY: the caller's promise above.
            unsafe { &mut *self.data.get() }
        }

        /// Takes the write lock for longer than a borrow: around a fork.
        ///
        /// # Safety
        /// The guard must be dropped by this thread, before the structure is.
        pub unsafe fn hold(&self) -> RwLockWriteGuard<'static, ()> {
            let guard = self.lock.write().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: only the lifetime changes, and the caller keeps the lock alive beyond the guard.
            unsafe {
                std::mem::transmute::<RwLockWriteGuard<'_, ()>, RwLockWriteGuard<'static, ()>>(
                    guard,
                )
            }
        }
    }

    impl<T> Deref for ReadGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.1
        }
    }

    impl<T> Deref for WriteGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.1
        }
    }

    impl<T> DerefMut for WriteGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.1
        }
    }
}

#[cfg(loom)]
mod model {
    use crate::sync::{lock, Mutex, MutexGuard};

    #[derive(Default)]
    pub struct ForkRwLock<T>(Mutex<T>);
    pub type WriteGuard<'a, T> = MutexGuard<'a, T>;
    pub type ReadGuard<'a, T> = MutexGuard<'a, T>;

    impl<T> ForkRwLock<T> {
        pub fn new(data: T) -> Self {
            ForkRwLock(Mutex::new(data))
        }

        pub fn read(&self) -> MutexGuard<'_, T> {
            lock(&self.0)
        }

        pub fn write(&self) -> MutexGuard<'_, T> {
            lock(&self.0)
        }

        pub fn write_or(&self, _taken: impl FnOnce()) -> MutexGuard<'_, T> {
            lock(&self.0)
        }

        pub fn get_mut(&mut self) -> &mut T {
            self.0
                .get_mut()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}

#[cfg(loom)]
pub use model::{ForkRwLock, ReadGuard, WriteGuard};
#[cfg(not(loom))]
pub use real::{ForkRwLock, ReadGuard, WriteGuard};
