//! A bounded first-in first-out queue for many producers and consumers.
//!
//! One lock guards the items, the two lists of waiters and the closed flag. A lock-free ring was the alternative: it
//! cannot show a collector the items of a slot that is claimed and not yet written, cannot peek, and a thread that is
//! gone after a fork between the two steps of a push blocks it for ever. Uncontended, the lock costs two atomic
//! operations, which is what a ring's slot costs as well.
//!
//! Invariants:
//! - an item is in `items` from the return of the push to the moment a pop takes it: a sleeping thread owns nothing;
//! - whoever makes room (or an item) takes one waiter of the other side from its list and notifies it;
//! - a waiter that was chosen and leaves without looking again chooses the next one, so that no wake-up is lost.

use crate::guarded::Guarded;
use crate::sync::Arc;
use crate::waiter::{Deadline, Host, Waiter};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a push did not happen.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Refused {
    Full,
    Closed,
}

/// Boxed once somebody waits, so that lock and items stay in one cache line.
#[derive(Default)]
#[expect(
    clippy::box_collection,
    reason = "one word where there is no list, instead of four"
)]
struct Waiters(Option<Box<VecDeque<Arc<Waiter>>>>);

impl Waiters {
    fn list(&mut self) -> &mut VecDeque<Arc<Waiter>> {
        self.0.get_or_insert_with(Box::default)
    }

    fn choose(&mut self) -> Option<Arc<Waiter>> {
        self.0.as_mut()?.pop_front()
    }

    fn choose_many(&mut self, count: usize) -> Vec<Arc<Waiter>> {
        self.0.as_mut().map_or_else(Vec::new, |list| {
            list.drain(..count.min(list.len())).collect()
        })
    }

    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |list| list.len())
    }
}

struct State<T> {
    items: VecDeque<T>,
    poppers: Waiters,
    pushers: Waiters,
}

/// The lock, the items and the heads of the two lists share a cache line, and nothing else is in it that changes.
#[repr(align(128))]
pub struct Queue<T> {
    state: Guarded<State<T>>,
    capacity: usize,
    closed: AtomicBool,
}

/// The memory that an empty queue takes at once, in items; a larger one grows when it is used.
const RESERVED: usize = 256;

/// How often a thread looks again before it sleeps, with `PAUSES` in between: a microsecond or two in all. (The model
/// checker knows no time.)
const SPINS: usize = if cfg!(loom) { 0 } else { 4 };
const PAUSES: usize = 16;

impl<T: Copy> Queue<T> {
    pub fn new(capacity: usize) -> Self {
        let items = VecDeque::with_capacity(capacity.min(RESERVED));
        let state = State {
            items,
            poppers: Waiters::default(),
            pushers: Waiters::default(),
        };
        Queue {
            capacity,
            closed: AtomicBool::new(false),
            state: Guarded::new(state),
        }
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    pub fn len(&self) -> usize {
        self.state.read().items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item that the next pop would take.
    pub fn peek(&self) -> Option<T> {
        self.state.read().items.front().copied()
    }

    pub fn try_push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.state.write();
        if self.closed.load(Ordering::Relaxed) {
            return Err(Refused::Closed);
        }
        if state.items.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.items.push_back(item);
        let next = state.poppers.choose();
        drop(state);
        wake(next);
        Ok(())
    }

    pub fn try_pop(&self) -> Option<T> {
        let mut state = self.state.write();
        let item = state.items.pop_front()?;
        let next = state.pushers.choose();
        drop(state);
        wake(next);
        Some(item)
    }

    /// Fills `buffer` from the front and returns how many items it took.
    pub fn try_pop_many(&self, buffer: &mut [T]) -> usize {
        let mut state = self.state.write();
        let taken = buffer.len().min(state.items.len());
        for (place, item) in buffer.iter_mut().zip(state.items.drain(..taken)) {
            *place = item;
        }
        let woken = state.pushers.choose_many(taken);
        drop(state);
        wake(woken);
        taken
    }

    /// Gives back, to the front and in their order, items that were just taken by a thread that may not keep them. There
    /// is always room for these, beyond the capacity if somebody has pushed meanwhile.
    pub fn put_back(&self, items: impl DoubleEndedIterator<Item = T>) {
        let mut state = self.state.write();
        let before = state.items.len();
        items.rev().for_each(|item| state.items.push_front(item));
        let count = state.items.len() - before;
        let woken = state.poppers.choose_many(count);
        drop(state);
        wake(woken);
    }

    /// Waits for room. `Err(Full)` inside means that the deadline passed.
    pub fn push<H: Host>(
        &self,
        host: &H,
        item: T,
        deadline: Deadline,
    ) -> Result<Result<(), Refused>, H::Error> {
        loop {
            match self.try_push(item) {
                Err(Refused::Full) if !deadline.passed() => {
                    let room = |len| len < self.capacity;
                    self.wait(host, deadline, |state| &mut state.pushers, room)?;
                }
                outcome => return Ok(outcome),
            }
        }
    }

    /// Waits for an item. `None` means that the deadline passed, or that the queue is closed and drained.
    pub fn pop<H: Host>(&self, host: &H, deadline: Deadline) -> Result<Option<T>, H::Error> {
        loop {
            if let Some(item) = self.try_pop() {
                return Ok(Some(item));
            }
            if deadline.passed() || self.is_finished() {
                return Ok(None);
            }
            self.wait(host, deadline, |state| &mut state.poppers, |len| len > 0)?;
        }
    }

    /// Sleeps in `list` unless `ready` holds by now, and returns when it is time to look again.
    fn wait<H: Host>(
        &self,
        host: &H,
        deadline: Deadline,
        list: impl Fn(&mut State<T>) -> &mut Waiters,
        ready: impl Fn(usize) -> bool,
    ) -> Result<(), H::Error> {
        if self.spin(&ready) {
            return Ok(());
        }
        host.check()?;
        let waiter = {
            let mut state = self.state.write();
            if self.closed.load(Ordering::Relaxed) || ready(state.items.len()) {
                return Ok(());
            }
            let waiter = Waiter::new();
            list(&mut state).list().push_back(Arc::clone(&waiter));
            waiter
        };
        let slept = host.sleep(&waiter, deadline);
        // Not in the list any more: somebody made room (or an item) and chose this thread to look again. If it may not
        // get to look, because the host interrupts it, the choice falls on the next in the list.
        let mut chosen = !self.leave(&waiter, &list);
        if chosen && (slept.is_err() || waiter.is_interrupted()) {
            self.wake_next(&list);
            chosen = false;
        }
        slept.and_then(|()| host.check()).inspect_err(|_| {
            if chosen {
                self.wake_next(&list);
            }
        })
    }

    /// A moment's patience: a sleep and a wake-up cost several microseconds, and where another processor pushes or pops
    /// all the time, the next turn comes in a fraction of one. Looks seldom, because every look is in their way.
    fn spin(&self, ready: impl Fn(usize) -> bool) -> bool {
        (0..SPINS).any(|_| {
            (0..PAUSES).for_each(|_| std::hint::spin_loop());
            ready(self.len())
        })
    }

    /// Takes `waiter` out of its list; false where it was not in it.
    fn leave(&self, waiter: &Arc<Waiter>, list: impl Fn(&mut State<T>) -> &mut Waiters) -> bool {
        let mut state = self.state.write();
        let waiters = list(&mut state).list();
        let place = waiters.iter().position(|other| Arc::ptr_eq(other, waiter));
        place.and_then(|place| waiters.remove(place)).is_some()
    }

    fn wake_next(&self, list: impl Fn(&mut State<T>) -> &mut Waiters) {
        let next = list(&mut self.state.write()).choose();
        wake(next);
    }

    pub fn clear(&self) {
        let mut state = self.state.write();
        state.items.clear();
        let woken = state.pushers.choose_many(usize::MAX);
        drop(state);
        wake(woken);
    }

    /// Refuses pushes from now on and wakes every waiter.
    pub fn close(&self) {
        let mut state = self.state.write();
        self.closed.store(true, Ordering::Relaxed);
        let mut woken = state.pushers.choose_many(usize::MAX);
        woken.append(&mut state.poppers.choose_many(usize::MAX));
        drop(state);
        wake(woken);
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Closed and drained: nothing will ever come out again.
    fn is_finished(&self) -> bool {
        let state = self.state.read();
        self.closed.load(Ordering::Relaxed) && state.items.is_empty()
    }

    /// How many threads sleep in a push or a pop.
    pub fn waiting(&self) -> usize {
        let state = self.state.read();
        state.poppers.len() + state.pushers.len()
    }

    /// Visits every item without the lock, for a collector.
    ///
    /// # Safety
    /// As for [`Guarded::peek`].
    #[cfg(not(loom))]
    pub unsafe fn visit(&self, visitor: impl FnMut(&T)) {
        // SAFETY: the caller's promise.
        unsafe { self.state.peek() }.items.iter().for_each(visitor);
    }

    /// Copies items from the `skip`-th on, and returns how many.
    pub fn some(&self, skip: usize, buffer: &mut [T]) -> usize {
        let state = self.state.read();
        let items = state.items.iter().skip(skip);
        buffer
            .iter_mut()
            .zip(items)
            .map(|(place, item)| *place = *item)
            .count()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.state.read().items.capacity() * std::mem::size_of::<T>()
    }

    /// Visits every item for a collector that moves objects.
    ///
    /// # Safety
    /// As for [`Guarded::held_mut`].
    #[cfg(not(loom))]
    pub unsafe fn visit_mut(&self, visitor: impl FnMut(&mut T)) {
        // SAFETY: the caller's promise.
        unsafe { self.state.held_mut() }
            .items
            .iter_mut()
            .for_each(visitor);
    }
}

fn wake(waiters: impl IntoIterator<Item = Arc<Waiter>>) {
    waiters.into_iter().for_each(|waiter| waiter.notify());
}

#[cfg(not(loom))]
impl<T: Send + Sync> crate::fork::Forkable for Queue<T> {
    unsafe fn hold(&self, held: &mut crate::fork::Held) {
        // SAFETY: the caller keeps `self` alive until it drops `held`.
        held.push(unsafe { self.state.hold() });
    }

    unsafe fn reset(&self, _survivor: usize) {
        // SAFETY: the caller holds the lock and is the only thread of this process.
        let state = unsafe { self.state.held_mut() };
        // The threads that slept here do not exist in the child.
        state.poppers = Waiters::default();
        state.pushers = Waiters::default();
    }
}
