//! The memory of a queue. Positions count up (`put_back` counts down); an item is in the slot of its position modulo
//! the size.
//!
//! The address of the slots may be read with either end's lock, and changed only with both. A slot belongs to the
//! pushing end until its position is published, and then to the popping end until that end has passed it.

use crate::sync::Cell;
use std::mem::MaybeUninit;

type Slot<T> = Cell<MaybeUninit<T>>;

pub struct Ring<T>(Cell<Box<[Slot<T>]>>);

// SAFETY: slots are reached through the two methods below, whose callers hold the locks that their contracts name.
unsafe impl<T: Send> Sync for Ring<T> {}

fn slots<T>(at_least: usize) -> Box<[Slot<T>]> {
    (0..at_least.next_power_of_two())
        .map(|_| Cell::new(MaybeUninit::uninit()))
        .collect()
}

impl<T: Copy> Ring<T> {
    pub fn new(at_least: usize) -> Self {
        Ring(Cell::new(slots(at_least)))
    }

    /// # Safety
    /// The caller holds one end's lock, or is a collector that has stopped everybody.
    pub unsafe fn size(&self) -> usize {
        // SAFETY: whoever moves the slots holds both locks, so nobody does.
        self.0.with(|slots| unsafe { (&*slots).len() })
    }

    /// # Safety
    /// As for `size`; and the item at `position` is published and not passed, and cannot be meanwhile.
    pub unsafe fn get(&self, position: usize) -> T {
        // SAFETY: the slots stay where they are, as above, and this one is initialized and nobody writes it.
        self.slot(position, |slot| unsafe {
            slot.with(|item| (*item).assume_init())
        })
    }

    /// # Safety
    /// As for `size`; and `position` is not published, and the one that had the slot before has been passed.
    pub unsafe fn set(&self, position: usize, item: T) {
        self.slot(position, |slot| {
            // SAFETY: the slots stay where they are, as above, and nobody else reads or writes this one.
            slot.with_mut(|place| unsafe { *place = MaybeUninit::new(item) })
        });
    }

    /// Moves the items at `positions` to another place, which has room for `at_least` and for all of these.
    ///
    /// # Safety
    /// The caller holds both locks, and all items at `positions` are published and not passed.
    pub unsafe fn resize(&self, positions: impl Iterator<Item = usize>, at_least: usize) {
        let other = Ring::new(at_least);
        for position in positions {
            // SAFETY: the caller's promise; nobody else knows the new place.
            unsafe { other.set(position, self.get(position)) };
        }
        // SAFETY: with both locks held, nobody reads where the slots are.
        self.0
            .with_mut(|slots| unsafe { *slots = other.0.into_inner() });
    }

    fn slot<R>(&self, position: usize, work: impl FnOnce(&Slot<T>) -> R) -> R {
        // SAFETY: callers are `get` and `set`, whose callers hold a lock that keeps the slots in place. The size is a
        // power of two, so the masked position is inside.
        self.0.with(|slots| unsafe {
            let slots = &*slots;
            work(slots.get_unchecked(position & (slots.len() - 1)))
        })
    }
}
