//! One end of a queue: where it is, its lock, and who sleeps until it moves.

use crate::fork_rw_lock::{ForkRwLock, WriteGuard};
use crate::parker::Parker;
use crate::sync::{Arc, AtomicUsize};
use std::collections::VecDeque;

/// Alone in two cache lines, because processors fetch them in pairs: one end's work must not disturb the other's.
#[repr(align(128))]
#[derive(Default)]
pub struct End {
    inside: ForkRwLock<Inside>,
    /// The position of the next item. Changed under the lock, read without.
    pub at: AtomicUsize,
}

#[derive(Default)]
pub struct Inside {
    /// Where the other end was when last looked at: it may be further by now. Looking seldom leaves it its cache line.
    pub seen: usize,
    /// Boxed once somebody waits, so that all of this stays in one cache line.
    #[expect(
        clippy::box_collection,
        reason = "one word where there is no list, instead of four"
    )]
    waiters: Option<Box<VecDeque<Arc<Parker>>>>,
}

impl End {
    pub fn lock(&self) -> WriteGuard<'_, Inside> {
        self.inside.write()
    }

    /// Takes the lock for the time of a fork.
    ///
    /// # Safety
    /// As for [`ForkRwLock::hold`].
    #[cfg(not(loom))]
    pub unsafe fn hold(&self) -> std::sync::RwLockWriteGuard<'static, ()> {
        // SAFETY: the caller's promise.
        unsafe { self.inside.hold() }
    }

    /// Forgets the threads that sleep here.
    ///
    /// # Safety
    /// As for [`ForkRwLock::held_mut`].
    #[cfg(not(loom))]
    pub unsafe fn forget_waiters(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.inside.held_mut() }.waiters = None;
    }

    pub fn waiting(&self) -> usize {
        self.lock().waiters.as_ref().map_or(0, |list| list.len())
    }

    /// Takes `parker` out of the list; false where it was not in it.
    pub fn leave(&self, parker: &Arc<Parker>) -> bool {
        let mut inside = self.lock();
        let list = inside.list();
        let place = list.iter().position(|other| Arc::ptr_eq(other, parker));
        place.and_then(|place| list.remove(place)).is_some()
    }

    pub fn wake_next(&self) {
        let next = self.lock().choose();
        wake(next);
    }

    pub fn wake_all(&self) {
        let all = self.lock().choose_many(usize::MAX);
        wake(all);
    }
}

impl Inside {
    /// Who spins comes first: it is awake.
    pub fn enlist(&mut self, parker: &Arc<Parker>) {
        let parker = Arc::clone(parker);
        if parker.is_eager() {
            self.list().push_front(parker);
        } else {
            self.list().push_back(parker);
        }
    }

    pub fn choose(&mut self) -> Option<Arc<Parker>> {
        self.waiters.as_mut()?.pop_front()
    }

    pub fn choose_many(&mut self, count: usize) -> Vec<Arc<Parker>> {
        self.waiters.as_mut().map_or_else(Vec::new, |list| {
            list.drain(..count.min(list.len())).collect()
        })
    }

    fn list(&mut self) -> &mut VecDeque<Arc<Parker>> {
        self.waiters.get_or_insert_with(Box::default)
    }
}

/// Notifies those who were chosen. With no lock held: they want it at once.
pub fn wake(waiters: impl IntoIterator<Item = Arc<Parker>>) {
    waiters.into_iter().for_each(|parker| parker.unpark());
}
