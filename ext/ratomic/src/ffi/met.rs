//! The objects that were met in a graph. Most graphs are small, and a look through a few words takes less time than a
//! hash.

use super::{walk::Seen, RawValue};
use rb_sys::VALUE;

/// As many as a row or a record has.
const FEW: usize = 16;

#[derive(Default)]
pub struct Met {
    few: [VALUE; FEW],
    count: usize,
    /// All of them, once there are more than a few.
    many: Seen,
}

impl Met {
    /// Adds an object. False if it was met before.
    #[inline]
    pub fn insert(&mut self, object: RawValue) -> bool {
        if self.count > FEW {
            return self.many.insert(object.0);
        }
        if self.few[..self.count].contains(&object.0) {
            return false;
        }
        if self.count < FEW {
            self.few[self.count] = object.0;
        } else {
            self.many.extend(self.few);
            self.many.insert(object.0);
        }
        self.count += 1;
        true
    }

    pub fn clear(&mut self) {
        if self.count > FEW {
            self.many.clear();
        }
        self.count = 0;
    }
}
