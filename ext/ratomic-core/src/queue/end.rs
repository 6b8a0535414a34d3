//! One end of a queue: its position, its lock, and the threads that sleep until it moves.

use crate::fork_rw_lock::{ForkRwLock, WriteGuard};
use crate::parker::Parker;
use crate::sync::{Arc, AtomicUsize};
use std::collections::VecDeque;

/// It has two cache lines of its own, so that a thread at one end does not take a line from a thread at the other.
/// (Processors fetch lines in pairs.)
#[repr(align(128))]
#[derive(Default)]
pub struct End {
    state: ForkRwLock<EndState>,
    /// The position of the next item. Changed under the lock, read without.
    pub at: AtomicUsize,
}

#[derive(Default)]
pub struct EndState {
    /// The position of the other end when it was last read; it may be further by now. It is read only when this value
    /// is not enough, because each read takes the cache line from the other end.
    pub seen: usize,
    /// Boxed, and only when a thread waits, so that the whole struct stays in one cache line.
    #[expect(
        clippy::box_collection,
        reason = "one word where there is no list, instead of four"
    )]
    waiters: Option<Box<VecDeque<Arc<Parker>>>>,
}

impl End {
    pub fn lock(&self) -> WriteGuard<'_, EndState> {
        self.state.write()
    }

    /// Takes the lock for the time of a fork.
    ///
    /// # Safety
    /// As for [`ForkRwLock::hold`].
    #[cfg(not(loom))]
    pub unsafe fn hold(&self) -> std::sync::RwLockWriteGuard<'static, ()> {
        // SAFETY: the caller's promise.
        unsafe { self.state.hold() }
    }

    /// Forgets the threads that sleep here.
    ///
    /// # Safety
    /// As for [`ForkRwLock::held_mut`].
    #[cfg(not(loom))]
    pub unsafe fn forget_waiters(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.state.held_mut() }.waiters = None;
    }

    pub fn waiting(&self) -> usize {
        self.lock().waiters.as_ref().map_or(0, |list| list.len())
    }

    /// Removes `parker` from the list. Returns false if it was not there.
    pub fn remove_waiter(&self, parker: &Arc<Parker>) -> bool {
        let mut state = self.lock();
        let list = state.list();
        let place = list.iter().position(|other| Arc::ptr_eq(other, parker));
        place.and_then(|place| list.remove(place)).is_some()
    }

    pub fn wake_next(&self) {
        let next = self.lock().take_waiter();
        wake(next);
    }

    pub fn wake_all(&self) {
        let all = self.lock().take_waiters(usize::MAX);
        wake(all);
    }
}

impl EndState {
    /// A thread that spins is put first, because it is awake.
    pub fn add_waiter(&mut self, parker: &Arc<Parker>) {
        let parker = Arc::clone(parker);
        if parker.is_eager() {
            self.list().push_front(parker);
        } else {
            self.list().push_back(parker);
        }
    }

    pub fn take_waiter(&mut self) -> Option<Arc<Parker>> {
        self.waiters.as_mut()?.pop_front()
    }

    pub fn take_waiters(&mut self, count: usize) -> Vec<Arc<Parker>> {
        self.waiters.as_mut().map_or_else(Vec::new, |list| {
            list.drain(..count.min(list.len())).collect()
        })
    }

    fn list(&mut self) -> &mut VecDeque<Arc<Parker>> {
        self.waiters.get_or_insert_with(Box::default)
    }
}

/// Wakes the waiters. Called with no lock held, because they take the lock at once.
pub fn wake(waiters: impl IntoIterator<Item = Arc<Parker>>) {
    waiters.into_iter().for_each(|parker| parker.unpark());
}
