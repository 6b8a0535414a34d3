//! Sets and maps whose keys are addresses of objects.

use rb_sys::VALUE;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// The addresses of objects. They tell objects apart only while no compaction moves them, see [`super::pinned`].
pub type Seen = HashSet<VALUE, BuildHasherDefault<Spread>>;

/// A number for each of them.
pub type Places = HashMap<VALUE, usize, BuildHasherDefault<Spread>>;

/// The hash of an address: it brings the middle bits to both ends. Addresses need no better one.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(*byte as usize);
        }
    }

    fn write_u64(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}
