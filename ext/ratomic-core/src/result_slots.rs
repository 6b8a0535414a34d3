//! The result slots of one dispatch, and waiting for them. Any thread may fill slots, in any order, and each slot once.
//!
//! A slot keeps the first value that it gets. A result that arrives after its deadline, or from a worker that was
//! abandoned, changes nothing. Each call that has filled slots is logged as a range, so the log has the order of
//! completion.
//!
//! There are few waiters, as a rule one. A call that fulfils what a waiter waits for unparks it.

use crate::fork_rw_lock::{ForkRwLock, WriteGuard};
use crate::parker::{Deadline, Park, Parker};
use crate::sync::Arc;
use smallvec::SmallVec;

/// A run of slots that became full together.
pub type Range = (usize, usize);

/// Most dispatches are small: one slot, filled once, awaited by one thread. Those take no memory on the heap.
type SmallList<T> = SmallVec<[T; 1]>;

struct State<T> {
    slots: SmallList<Option<T>>,
    filled: usize,
    log: SmallList<Range>,
    waiters: SmallList<(Condition, Arc<Parker>)>,
}

/// The condition that ends a wait.
#[derive(Clone, Copy)]
enum Condition {
    All,
    Ranges(usize),
}

impl<T> State<T> {
    fn reached(&self, condition: Condition) -> bool {
        self.filled == self.slots.len()
            || matches!(condition, Condition::Ranges(n) if self.log.len() >= n)
    }
}

pub struct ResultSlots<T> {
    state: ForkRwLock<State<T>>,
}

impl<T: Copy> ResultSlots<T> {
    pub fn new(size: usize) -> Self {
        let state = State {
            slots: SmallList::from_elem(None, size),
            filled: 0,
            log: SmallList::new(),
            waiters: SmallList::new(),
        };
        ResultSlots {
            state: ForkRwLock::new(state),
        }
    }

    pub fn size(&self) -> usize {
        self.state.read().slots.len()
    }

    pub fn completed(&self) -> usize {
        self.state.read().filled
    }

    pub fn is_complete(&self) -> bool {
        self.state.read().reached(Condition::All)
    }

    /// Whether `count` values from `start` on would fill the last of the slots: all that are empty are among theirs.
    pub fn would_complete(&self, start: usize, count: usize) -> bool {
        let state = self.state.read();
        let left = state.slots.len() - state.filled;
        if left == 0 || left > count {
            return false;
        }
        let theirs = state.slots.get(start..start.saturating_add(count));
        theirs.is_some_and(|slots| slots.iter().filter(|slot| slot.is_none()).count() == left)
    }

    pub fn get(&self, index: usize) -> Option<T> {
        self.state.read().slots.get(index).copied().flatten()
    }

    /// How many ranges were logged, and the `n`-th of them.
    pub fn ranges(&self) -> usize {
        self.state.read().log.len()
    }

    pub fn range(&self, n: usize) -> Option<Range> {
        self.state.read().log.get(n).copied()
    }

    /// Puts `values` into the slots from `start` on, leaving those that are full, and returns how many it filled.
    /// `None` where the values would reach beyond the last slot.
    pub fn file(&self, start: usize, values: &[T]) -> Option<usize> {
        self.file_and_tell(start, values, || true, |_| (), |_| ())
    }

    /// As [`ResultSlots::file`]. Under the lock it asks `open` whether it may file anything, calls `filed` with each
    /// value that went into a slot, and then `all_filed` with their number. So a thread that finds a slot full sees what
    /// these calls have done.
    pub fn file_and_tell(
        &self,
        start: usize,
        values: &[T],
        open: impl FnOnce() -> bool,
        mut filed: impl FnMut(T),
        all_filed: impl FnOnce(usize),
    ) -> Option<usize> {
        let mut state = self.state.write();
        let end = start
            .checked_add(values.len())
            .filter(|end| *end <= state.slots.len())?;
        if !open() {
            return Some(0);
        }
        let filled = state.put(start, end, |place| {
            let value = values[place - start];
            filed(value);
            value
        });
        all_filed(filled);
        unlock_and_wake(state);
        Some(filled)
    }

    /// How many slots are empty, if `close` says yes, which it is asked under the lock and only if there are any. From
    /// then on an `open` that knows of it keeps others from filing.
    pub fn close(&self, close: impl FnOnce() -> bool) -> usize {
        let state = self.state.write();
        let left = state.slots.len() - state.filled;
        if left > 0 && close() {
            left
        } else {
            0
        }
    }

    /// Fills every slot that is still empty and returns how many there were.
    pub fn fill(&self, value: T) -> usize {
        let mut state = self.state.write();
        let size = state.slots.len();
        let filled = state.put(0, size, |_| value);
        unlock_and_wake(state);
        filled
    }

    /// Waits until every slot is full. `false` means that the deadline passed.
    pub fn wait<H: Park>(&self, host: &H, deadline: Deadline) -> Result<bool, H::Error> {
        self.wait_for(Condition::All, host, deadline)
    }

    /// Waits until `n` ranges were logged, or every slot is full.
    pub fn wait_ranges<H: Park>(
        &self,
        n: usize,
        host: &H,
        deadline: Deadline,
    ) -> Result<bool, H::Error> {
        self.wait_for(Condition::Ranges(n), host, deadline)
    }

    fn wait_for<H: Park>(
        &self,
        condition: Condition,
        host: &H,
        deadline: Deadline,
    ) -> Result<bool, H::Error> {
        loop {
            if self.state.read().reached(condition) {
                return Ok(true);
            }
            if deadline.passed() {
                return Ok(false);
            }
            host.check()?;
            let parker = Parker::eager();
            {
                let mut state = self.state.write();
                if state.reached(condition) {
                    return Ok(true);
                }
                state.waiters.push((condition, Arc::clone(&parker)));
            }
            let slept = host.park(&parker, deadline);
            self.state
                .write()
                .waiters
                .retain(|(_, other)| !Arc::ptr_eq(other, &parker));
            slept.and_then(|()| host.check())?;
        }
    }

    /// Wakes the waiting threads for a moment, without a notification.
    ///
    /// Linux may put two threads that are woken together on one processor, while the one that the waiter has left
    /// idles, and notices at its next tick, up to 4 ms later. But a processor looks around for work each time it is
    /// about to idle.
    pub fn nudge(&self) {
        let waiters: Vec<_> = self
            .state
            .read()
            .waiters
            .iter()
            .map(|(_, parker)| Arc::clone(parker))
            .collect();
        waiters.iter().for_each(|parker| parker.nudge());
    }

    /// Visits every value without the lock, for a collector.
    ///
    /// # Safety
    /// As for [`ForkRwLock::peek`].
    #[cfg(not(loom))]
    pub unsafe fn visit(&self, visitor: impl FnMut(&T)) {
        // SAFETY: the caller's promise.
        unsafe { self.state.peek() }
            .slots
            .iter()
            .flatten()
            .for_each(visitor);
    }

    /// As `visit`, with the lock, for a collector beside which other threads go on. The visitor must not wait for
    /// anything that may wait for this lock.
    #[cfg(not(loom))]
    pub fn visit_locked(&self, visitor: impl FnMut(&T)) {
        self.state.read().slots.iter().flatten().for_each(visitor);
    }

    /// Visits every value for a collector that moves objects.
    ///
    /// # Safety
    /// As for [`ForkRwLock::held_mut`].
    #[cfg(not(loom))]
    pub unsafe fn visit_mut(&self, visitor: impl FnMut(&mut T)) {
        // SAFETY: the caller's promise.
        unsafe { self.state.held_mut() }
            .slots
            .iter_mut()
            .flatten()
            .for_each(visitor);
    }

    /// Copies the slots from `start` on, empty ones as `empty`, and returns how many there were for `buffer`.
    pub fn copy_to(&self, start: usize, buffer: &mut [T], empty: T) -> usize {
        let state = self.state.read();
        let rest = state.slots.get(start..).unwrap_or_default();
        for (place, slot) in buffer.iter_mut().zip(rest) {
            *place = slot.unwrap_or(empty);
        }
        rest.len().min(buffer.len())
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        let state = self.state.read();
        heap(&state.slots) + heap(&state.log)
    }
}

fn heap<T>(list: &SmallList<T>) -> usize {
    if list.spilled() {
        std::mem::size_of_val(list.as_slice())
    } else {
        0
    }
}

impl<T> State<T> {
    /// Fills what is empty of `start..end`, and logs it as runs.
    fn put(&mut self, start: usize, end: usize, mut value: impl FnMut(usize) -> T) -> usize {
        let before = self.filled;
        let mut run = start;
        for place in start..end {
            if self.slots[place].is_none() {
                self.slots[place] = Some(value(place));
                self.filled += 1;
            } else {
                self.log_run(run, place);
                run = place + 1;
            }
        }
        self.log_run(run, end);
        self.filled - before
    }

    fn log_run(&mut self, from: usize, to: usize) {
        if from < to {
            self.log.push((from, to - from));
        }
    }
}

/// Releases the lock, and then unparks the waiters whose condition is true now.
fn unlock_and_wake<T>(mut state: WriteGuard<'_, State<T>>) {
    let mut woken = Vec::new();
    for place in (0..state.waiters.len()).rev() {
        if state.reached(state.waiters[place].0) {
            woken.push(state.waiters.swap_remove(place).1);
        }
    }
    drop(state);
    woken.into_iter().for_each(|parker| parker.unpark());
}

#[cfg(not(loom))]
impl<T: Send + Sync> crate::fork::Forkable for ResultSlots<T> {
    unsafe fn hold(&self, held: &mut crate::fork::Held) {
        // SAFETY: the caller keeps `self` alive until it drops `held`.
        held.push(unsafe { self.state.hold() });
    }

    unsafe fn reset(&self, _survivor: usize) {
        // SAFETY: the caller holds the lock and is the only thread of this process.
        unsafe { self.state.held_mut() }.waiters.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_keeps_its_first_value_and_the_log_names_what_was_new() {
        let result_slots = ResultSlots::new(5);
        assert_eq!(result_slots.file(1, &[10, 20]), Some(2));
        assert_eq!(result_slots.file(0, &[1, 2, 3, 4]), Some(2));
        assert_eq!(
            (
                result_slots.ranges(),
                result_slots.range(1),
                result_slots.range(2)
            ),
            (3, Some((0, 1)), Some((3, 1)))
        );
        assert_eq!(result_slots.fill(9), 1);
        assert_eq!(
            (0..5)
                .map(|place| result_slots.get(place).unwrap())
                .collect::<Vec<_>>(),
            [1, 10, 20, 4, 9]
        );
        assert!(result_slots.is_complete());
        assert_eq!(result_slots.fill(0), 0);
    }

    #[test]
    fn only_what_went_into_a_slot_is_told() {
        let result_slots = ResultSlots::new(4);
        result_slots.file(1, &[10, 20]);
        let mut told = Vec::new();
        assert_eq!(
            result_slots.file_and_tell(
                0,
                &[1, 2, 3, 4],
                || true,
                |value| told.push(value),
                |count| assert_eq!(count, 2)
            ),
            Some(2)
        );
        assert_eq!(told, [1, 4]);
        let beyond = result_slots.file_and_tell(3, &[7, 8], || true, |_| panic!(), |_| panic!());
        assert_eq!(beyond, None);
    }

    #[test]
    fn nothing_is_filed_once_it_is_closed() {
        let result_slots = ResultSlots::new(3);
        result_slots.file(0, &[1]);
        assert_eq!(result_slots.close(|| false), 0);
        assert_eq!(result_slots.close(|| true), 2);
        let late = result_slots.file_and_tell(1, &[2, 3], || false, |_| panic!(), |_| panic!());
        assert_eq!((late, result_slots.completed()), (Some(0), 1));
        assert_eq!(result_slots.fill(9), 2);
        assert_eq!(result_slots.close(|| panic!()), 0);
    }

    #[test]
    fn values_beyond_the_last_slot_are_refused() {
        let result_slots = ResultSlots::new(2);
        assert_eq!(result_slots.file(1, &[1, 2]), None);
        assert_eq!(result_slots.file(usize::MAX, &[1]), None);
        assert_eq!(result_slots.completed(), 0);
    }

    #[test]
    fn it_knows_what_would_fill_the_last_slot() {
        let result_slots = ResultSlots::new(3);
        assert!(result_slots.would_complete(0, 3) && !result_slots.would_complete(1, 2));
        result_slots.file(0, &[1]);
        assert!(result_slots.would_complete(1, 2) && !result_slots.would_complete(2, 1));
        assert!(!result_slots.would_complete(0, 2), "the first is full");
        assert!(!result_slots.would_complete(3, 0) && !result_slots.would_complete(2, 2));
        result_slots.file(1, &[2, 3]);
        assert!(!result_slots.would_complete(0, 3), "it is complete");
    }

    #[test]
    fn values_beside_an_empty_slot_do_not_fill_it() {
        let result_slots = ResultSlots::new(4);
        result_slots.file(0, &[1]);
        result_slots.file(2, &[3]);
        assert!(!result_slots.would_complete(1, 2), "the last is empty");
        assert!(result_slots.would_complete(1, 3));
    }

    #[test]
    fn memory_is_what_is_on_the_heap() {
        assert_eq!(ResultSlots::<u64>::new(1).memory(), 0);
        assert!(ResultSlots::<u64>::new(100).memory() >= 800);
    }

    #[test]
    fn nothing_to_fill_is_complete_at_once() {
        assert!(ResultSlots::<u8>::new(0).is_complete());
    }
}
