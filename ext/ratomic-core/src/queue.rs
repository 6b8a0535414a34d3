//! A bounded first-in first-out queue for many producers and consumers.
//!
//! The algorithm is Michael and Scott's two-lock queue ("Simple, fast, and practical non-blocking and blocking
//! concurrent queue algorithms", 1996) over a ring. Pushes share one lock, pops share another, and each end publishes
//! its position for the other to read.
//!
//! The alternative is a lock-free ring (crossbeam's `ArrayQueue`). There a push claims a slot and writes it afterwards.
//! A collector that stops the world between the two steps cannot tell whether the slot has an item. After a fork
//! between them the slot stays claimed for ever, because the thread that was to write it does not exist in the child.
//! Such a ring has no `peek`, no `put_back`, and does not grow.
//!
//! The price is speed. An operation of the lock-free ring is one compare-and-swap and one store. This one takes and
//! releases a lock: two read-modify-write operations, which the processor does not overlap. Measured throughput of push
//! and pop against `ArrayQueue`: 0.66 by one thread, 0.52 from one producer to one consumer, 4.6 from two to two;
//! against `crossbeam_channel::bounded`: 1.28, 0.78 and 1.22. The aim of 0.9 of the better crate is missed in the first
//! two cases, and only an algorithm without a lock would reach it. See docs/decisions/queue.md.
//!
//! Invariants:
//! - an item is in the ring from the return of the push until a pop takes it, so a sleeping thread owns no item;
//! - a thread that waits for an item is in the list of the pushing end; one that waits for room is in the list of the
//!   popping end. It enters the list under that end's lock and checks once more under the same lock. So either the
//!   thread that moves the end sees the list, or the waiting thread sees the move;
//! - a thread that makes room (or adds an item) takes one waiter from its own end's list and notifies it;
//! - a waiter that was notified and returns without looking again passes the notification on to the next one, so that
//!   no wake-up is lost.
//!
//! Ordering: an end moves with a release and the other end reads it with an acquire. So the item at a published
//! position has been written, and the slot of a passed position has been read. Lock order: the back, then the front.

mod end;
mod ring;

use crate::parker::{Deadline, Park, Parker};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering};
use end::{wake, End, EndState};
use ring::Ring;

/// Why a push did not happen.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum TryPushError {
    Full,
    Closed,
}

pub struct Queue<T> {
    /// Where items are pushed.
    back: End,
    /// Where items are popped.
    front: End,
    ring: Ring<T>,
    capacity: usize,
    /// Set under the back's lock.
    closed: AtomicBool,
    /// Items that the ring has room for. Changed with both locks held, read without.
    size: AtomicUsize,
}

/// Items that a new queue has memory for. It grows with use, up to its capacity.
const INITIAL_CAPACITY: usize = if cfg!(loom) { 2 } else { 256 };

/// How often a thread looks again before it sleeps, with `PAUSES_PER_ROUND` pauses before each look: one or two
/// microseconds together. (The model checker has no time.)
const SPIN_ROUNDS: usize = if cfg!(loom) { 0 } else { 4 };
const PAUSES_PER_ROUND: usize = 16;

impl<T: Copy> Queue<T> {
    pub fn new(capacity: usize) -> Self {
        let ring = Ring::new(capacity.min(INITIAL_CAPACITY));
        // SAFETY: nobody else has it yet.
        let size = AtomicUsize::new(unsafe { ring.size() });
        Queue {
            back: End::default(),
            front: End::default(),
            ring,
            capacity,
            closed: AtomicBool::new(false),
            size,
        }
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    pub fn len(&self) -> usize {
        let _front = self.front.lock();
        self.distance()
    }

    pub fn is_empty(&self) -> bool {
        self.distance() == 0
    }

    /// The number of items. It is exact if the caller holds both locks; otherwise an end may move meanwhile. It is
    /// never negative: the front is read first, and the back is never behind an earlier position of the front.
    fn distance(&self) -> usize {
        let front = self.front.at.load(Ordering::Acquire);
        self.back.at.load(Ordering::Acquire).wrapping_sub(front)
    }

    /// The item that the next pop would take.
    pub fn peek(&self) -> Option<T> {
        let _front = self.front.lock();
        let at = self.front.at.load(Ordering::Relaxed);
        // SAFETY: the front's lock keeps the slots and the front where they are; the back has published the item.
        (self.distance() > 0).then(|| unsafe { self.ring.get(at) })
    }

    pub fn try_push(&self, item: T) -> Result<(), TryPushError> {
        let mut back = self.back.lock();
        if self.closed.load(Ordering::Relaxed) {
            return Err(TryPushError::Closed);
        }
        let at = self.back.at.load(Ordering::Relaxed);
        // SAFETY: the back's lock is held.
        let size = unsafe { self.ring.size() };
        if at.wrapping_sub(back.seen) >= size.min(self.capacity) {
            self.make_room(&mut back, at)?;
        }
        // SAFETY: the back's lock is held, `at` is not published, and by `seen` the front has passed what was there.
        unsafe { self.ring.set(at, item) };
        self.back.at.store(at.wrapping_add(1), Ordering::Release);
        let next = back.take_waiter();
        drop(back);
        wake(next);
        Ok(())
    }

    #[cold]
    fn make_room(&self, back: &mut EndState, at: usize) -> Result<(), TryPushError> {
        back.seen = self.front.at.load(Ordering::Acquire);
        let used = at.wrapping_sub(back.seen);
        if used >= self.capacity {
            return Err(TryPushError::Full);
        }
        // SAFETY: the back's lock is held.
        if used >= unsafe { self.ring.size() } {
            let _front = self.front.lock();
            self.resize(used * 2);
        }
        Ok(())
    }

    /// Gives the ring another size. Both locks are held.
    fn resize(&self, at_least: usize) {
        let front = self.front.at.load(Ordering::Relaxed);
        let positions = (0..self.distance()).map(|place| front.wrapping_add(place));
        // SAFETY: with both locks held, the ends are where they are, and everything between them is published.
        unsafe {
            self.ring.resize(positions, at_least);
            self.size.store(self.ring.size(), Ordering::Relaxed);
        }
    }

    pub fn try_pop(&self) -> Option<T> {
        let mut front = self.front.lock();
        let at = self.front.at.load(Ordering::Relaxed);
        if at == front.seen && !self.look_for_items(&mut front, at) {
            return None;
        }
        // SAFETY: the front's lock is held, so the item is not passed; by `seen` the back has published it.
        let item = unsafe { self.ring.get(at) };
        self.front.at.store(at.wrapping_add(1), Ordering::Release);
        let next = front.take_waiter();
        drop(front);
        wake(next);
        Some(item)
    }

    fn look_for_items(&self, front: &mut EndState, at: usize) -> bool {
        front.seen = self.back.at.load(Ordering::Acquire);
        front.seen != at
    }

    /// Fills `buffer` from the front and returns how many items it took.
    pub fn try_pop_many(&self, buffer: &mut [T]) -> usize {
        let mut front = self.front.lock();
        let at = self.front.at.load(Ordering::Relaxed);
        self.look_for_items(&mut front, at);
        let taken = buffer.len().min(front.seen.wrapping_sub(at));
        for (place, slot) in buffer[..taken].iter_mut().enumerate() {
            // SAFETY: as in `try_pop`.
            *slot = unsafe { self.ring.get(at.wrapping_add(place)) };
        }
        self.front
            .at
            .store(at.wrapping_add(taken), Ordering::Release);
        let woken = front.take_waiters(taken);
        drop(front);
        wake(woken);
        taken
    }

    /// Puts items back to the front, in their order: a thread has just taken them and was then ended. There is always
    /// room for them; if another thread has pushed meanwhile, the queue holds more than its capacity for a moment.
    pub fn put_back(&self, items: &[T]) {
        let mut back = self.back.lock();
        let front = self.front.lock();
        let used = self.distance() + items.len();
        // SAFETY: a lock is held.
        if used > unsafe { self.ring.size() } {
            self.resize(used);
        }
        let start = self
            .front
            .at
            .load(Ordering::Relaxed)
            .wrapping_sub(items.len());
        for (place, item) in items.iter().enumerate() {
            // SAFETY: both locks are held, so no thread uses the slots before the front; there are enough of them.
            unsafe { self.ring.set(start.wrapping_add(place), *item) };
        }
        self.front.at.store(start, Ordering::Release);
        back.seen = start;
        let woken = back.take_waiters(items.len());
        drop(front);
        drop(back);
        wake(woken);
    }

    /// Waits for room. `Err(Full)` inside means that the deadline passed.
    pub fn push<H: Park>(
        &self,
        host: &H,
        item: T,
        deadline: Deadline,
    ) -> Result<Result<(), TryPushError>, H::Error> {
        loop {
            match self.try_push(item) {
                Err(TryPushError::Full) if !deadline.passed() => {
                    let room = || self.distance() < self.capacity;
                    self.wait(host, deadline, &self.front, room, Parker::new)?;
                }
                outcome => return Ok(outcome),
            }
        }
    }

    /// Waits for an item. `None` means that the deadline passed, or that the queue is closed and drained.
    pub fn pop<H: Park>(&self, host: &H, deadline: Deadline) -> Result<Option<T>, H::Error> {
        self.pop_as(host, deadline, Parker::new, || self.try_pop())
    }

    /// As `pop`, for a thread that expects an item very soon.
    pub fn pop_soon<H: Park>(&self, host: &H, deadline: Deadline) -> Result<Option<T>, H::Error> {
        self.pop_as(host, deadline, Parker::eager, || self.try_pop())
    }

    /// Waits for an item, and fills `buffer` with those that are there at one moment. Returns how many these are; `None`
    /// as from `pop`.
    pub fn pop_many<H: Park>(
        &self,
        host: &H,
        deadline: Deadline,
        buffer: &mut [T],
    ) -> Result<Option<usize>, H::Error> {
        self.pop_as(host, deadline, Parker::new, || {
            Some(self.try_pop_many(buffer)).filter(|count| *count > 0)
        })
    }

    fn pop_as<H: Park, R>(
        &self,
        host: &H,
        deadline: Deadline,
        parker: fn() -> Arc<Parker>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Result<Option<R>, H::Error> {
        loop {
            if let Some(taken) = attempt() {
                return Ok(Some(taken));
            }
            if deadline.passed() || self.is_finished() {
                return Ok(None);
            }
            self.wait(host, deadline, &self.back, || !self.is_empty(), parker)?;
        }
    }

    /// Sleeps until `end` moves, unless `ready` is true already. Afterwards the caller tries again. `ready` is called under
    /// the lock of `end`, without which `end` cannot move: so a thread that finds it false does not miss a move. That it is
    /// true may be over when the caller tries, because other threads may be faster.
    fn wait<H: Park>(
        &self,
        host: &H,
        deadline: Deadline,
        end: &End,
        ready: impl Fn() -> bool,
        parker: fn() -> Arc<Parker>,
    ) -> Result<(), H::Error> {
        if self.spin(&ready) {
            return Ok(());
        }
        host.check()?;
        let parker = parker();
        {
            let mut state = end.lock();
            if self.is_closed() || ready() {
                return Ok(());
            }
            state.add_waiter(&parker);
        }
        let slept = host.park(&parker, deadline);
        // If it is not in the list any more, another thread has made room (or added an item) and notified this one. If
        // the host interrupts this thread, it may never look again, so it passes the notification on.
        let mut chosen = !end.remove_waiter(&parker);
        if chosen && (slept.is_err() || parker.is_interrupted()) {
            end.wake_next();
            chosen = false;
        }
        slept.and_then(|()| host.check()).inspect_err(|_| {
            if chosen {
                end.wake_next();
            }
        })
    }

    /// Spins for a moment. A sleep and a wake-up cost several microseconds; if another processor pushes or pops all the
    /// time, the next chance comes within one microsecond. It looks rarely, because each look takes the cache line from the
    /// threads that push and pop.
    fn spin(&self, ready: impl Fn() -> bool) -> bool {
        (0..SPIN_ROUNDS).any(|_| {
            (0..PAUSES_PER_ROUND).for_each(|_| std::hint::spin_loop());
            ready()
        })
    }

    /// Removes every item, and gives back the memory that the queue has grown to.
    pub fn clear(&self) {
        let mut back = self.back.lock();
        let mut front = self.front.lock();
        front.seen = self.back.at.load(Ordering::Acquire);
        back.seen = front.seen;
        self.front.at.store(front.seen, Ordering::Release);
        let usual = self.capacity.min(INITIAL_CAPACITY).next_power_of_two();
        if self.size.load(Ordering::Relaxed) > usual {
            self.resize(usual);
        }
        let woken = front.take_waiters(usize::MAX);
        drop(front);
        drop(back);
        wake(woken);
    }

    /// Refuses pushes from now on and wakes every waiter.
    pub fn close(&self) {
        let back = self.back.lock();
        self.closed.store(true, Ordering::Release);
        drop(back);
        self.back.wake_all();
        self.front.wake_all();
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closed and empty: no pop gets an item any more. An item that was pushed before the close is seen after it.
    fn is_finished(&self) -> bool {
        self.is_closed() && self.is_empty()
    }

    /// How many threads sleep in a push or a pop.
    pub fn waiting(&self) -> usize {
        self.back.waiting() + self.front.waiting()
    }

    /// Copies items from the `skip`-th on, and returns how many.
    pub fn copy_from(&self, skip: usize, buffer: &mut [T]) -> usize {
        let _front = self.front.lock();
        let first = self.front.at.load(Ordering::Relaxed).wrapping_add(skip);
        let count = self.distance().saturating_sub(skip).min(buffer.len());
        for (place, slot) in buffer[..count].iter_mut().enumerate() {
            // SAFETY: the front's lock is held, so nothing is passed; the back has published what is counted.
            *slot = unsafe { self.ring.get(first.wrapping_add(place)) };
        }
        count
    }

    /// Bytes on the heap. Takes no lock.
    #[inline]
    pub fn memory(&self) -> usize {
        std::mem::size_of::<Self>() + self.size.load(Ordering::Relaxed) * std::mem::size_of::<T>()
    }
}

#[cfg(not(loom))]
impl<T: Copy> Queue<T> {
    /// Visits every item without a lock, for a collector.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::peek`].
    pub unsafe fn visit(&self, mut visitor: impl FnMut(&T)) {
        // SAFETY: nobody is inside, by the caller's promise, so everything between the ends is published and stays.
        self.positions()
            .for_each(|position| visitor(&unsafe { self.ring.get(position) }));
    }

    /// As `visit`, with the locks of both ends, for a collector beside which other threads go on. The visitor must not
    /// wait for anything that may wait for such a lock.
    pub fn visit_locked(&self, visitor: impl FnMut(&T)) {
        let _back = self.back.lock();
        let _front = self.front.lock();
        // SAFETY: with both locks held nobody else changes anything between the ends.
        unsafe { self.visit(visitor) }
    }

    /// Visits every item for a collector that moves objects.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::held_mut`].
    pub unsafe fn visit_mut(&self, mut visitor: impl FnMut(&mut T)) {
        for position in self.positions() {
            // SAFETY: as above, and nobody else reads the slot either.
            unsafe {
                let mut item = self.ring.get(position);
                visitor(&mut item);
                self.ring.set(position, item);
            }
        }
    }

    fn positions(&self) -> impl Iterator<Item = usize> {
        let front = self.front.at.load(Ordering::Relaxed);
        (0..self.distance()).map(move |place| front.wrapping_add(place))
    }
}

#[cfg(not(loom))]
impl<T: Copy + Send + Sync> crate::fork::Forkable for Queue<T> {
    unsafe fn hold(&self, held: &mut crate::fork::Held) {
        // SAFETY: the caller keeps `self` alive until it drops `held`.
        held.extend(unsafe { [self.back.hold(), self.front.hold()] });
    }

    unsafe fn reset(&self, _survivor: usize) {
        // SAFETY: the caller holds the locks and is the only thread of this process. The threads that slept here do not
        // exist in the child.
        unsafe {
            self.back.forget_waiters();
            self.front.forget_waiters();
        }
    }
}
