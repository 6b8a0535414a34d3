//! The objects that a walk has still to visit, with their levels: the last one that was added is the next one.

use super::{
    pinned::{Addresses, Pinned},
    RawValue,
};

/// Up to so many are in the structure itself. Most graphs are small, and so no object is made for their walks.
const MAX_LISTED_OBJECTS: usize = 16;

type Entry = (RawValue, u32);

/// To be kept on the machine stack: there a collection finds the first objects.
pub struct Ahead {
    list: [Entry; MAX_LISTED_OBJECTS],
    count: usize,
    /// Has all of them, as soon as they were too many for the list.
    rest: Option<Pinned<Vec<Entry>>>,
}

impl Addresses for Vec<Entry> {
    fn mark(&self) {
        self.iter().for_each(|(word, _)| word.mark());
    }
}

impl Default for Ahead {
    fn default() -> Ahead {
        Ahead {
            list: [(RawValue::NIL, 0); MAX_LISTED_OBJECTS],
            count: 0,
            rest: None,
        }
    }
}

impl Ahead {
    #[inline]
    pub fn push(&mut self, word: RawValue, level: u32) {
        if let Some(rest) = &mut self.rest {
            rest.get_mut().push((word, level));
        } else if self.count < MAX_LISTED_OBJECTS {
            self.list[self.count] = (word, level);
            self.count += 1;
        } else {
            self.rest
                .insert(Pinned::new(self.list.to_vec()))
                .get_mut()
                .push((word, level));
        }
    }

    #[inline]
    pub fn pop(&mut self) -> Option<(RawValue, u32)> {
        match &mut self.rest {
            Some(rest) => rest.get_mut().pop(),
            None => {
                self.count = self.count.checked_sub(1)?;
                Some(self.list[self.count])
            }
        }
    }

    pub fn len(&self) -> usize {
        match &self.rest {
            Some(rest) => rest.get().len(),
            None => self.count,
        }
    }

    /// Reverses the order of those that were added after there were `len`.
    pub fn reverse_from(&mut self, len: usize) {
        match &mut self.rest {
            Some(rest) => rest.get_mut()[len..].reverse(),
            None => self.list[len..self.count].reverse(),
        }
    }
}
