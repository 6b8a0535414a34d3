//! The objects that were met in a graph. Most graphs are small, and a look through a few words takes less time than a
//! hash.

use super::{
    by_address::Seen,
    pinned::{Addresses, Pinned},
    RawValue,
};
use rb_sys::VALUE;

/// Up to so many objects are searched one by one. A row or a record has no more.
const MAX_LISTED_OBJECTS: usize = 16;

/// To be kept on the machine stack: there a collection finds the objects in the list, so it moves none of them.
#[derive(Default)]
pub struct Met {
    list: [VALUE; MAX_LISTED_OBJECTS],
    /// How many are in the list; more than it has room for where all objects are in the set.
    count: usize,
    set: Option<Pinned<Seen>>,
}

impl Addresses for Seen {
    fn mark(&self) {
        self.iter().for_each(|word| RawValue(*word).mark());
    }
}

impl Met {
    /// Adds an object. False if it was met before.
    #[inline]
    pub fn insert(&mut self, object: RawValue) -> bool {
        if self.count > MAX_LISTED_OBJECTS {
            return self.set().insert(object.0);
        }
        if self.list[..self.count].contains(&object.0) {
            return false;
        }
        if self.count < MAX_LISTED_OBJECTS {
            self.list[self.count] = object.0;
        } else {
            let list = self.list;
            self.set().extend(list.into_iter().chain([object.0]));
        }
        self.count += 1;
        true
    }

    pub fn clear(&mut self) {
        if self.count > MAX_LISTED_OBJECTS {
            self.set().clear();
        }
        self.count = 0;
    }

    fn set(&mut self) -> &mut Seen {
        let set = self.set.get_or_insert_with(|| Pinned::new(Seen::default()));
        set.get_mut()
    }
}
