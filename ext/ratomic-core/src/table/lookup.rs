//! The lookup of a key: how it is compared with stored keys.

use smallvec::SmallVec;

/// The result of a comparison with a stored key.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Same {
    Yes,
    No,
    /// Only foreign code can tell, which may not run under a lock.
    Ask,
}

/// How many keys are compared by foreign code between two attempts. An attempt looks again at all that were compared
/// before, so with one key at a time many keys of one hash would take the cube of their number.
const MAX_UNKNOWN: usize = 16;

/// Stored keys that only foreign code can compare. They are on the stack, where a collector sees them.
pub struct Unknown<K>(SmallVec<[K; MAX_UNKNOWN]>);

impl<K> Default for Unknown<K> {
    fn default() -> Self {
        Unknown(SmallVec::new())
    }
}

impl<K: Copy> Unknown<K> {
    /// Adds a key, if there is room.
    pub fn add(&mut self, key: K) {
        if self.0.len() < MAX_UNKNOWN {
            self.0.push(key);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has foreign code compare them. Called with no lock held.
    pub fn ask<P: Lookup<K>>(&self, lookup: &mut P) -> Result<(), P::Error> {
        for stored in &self.0 {
            if lookup.ask(*stored)? {
                break;
            }
        }
        Ok(())
    }
}

/// A key, and what is known of the stored keys that it was compared with.
pub trait Lookup<K> {
    type Error;

    fn hash(&self) -> u64;
    fn key(&self) -> K;

    /// Compares natively, or by an answer that `ask` has remembered. Called under a lock, so it runs no foreign code.
    fn same(&self, stored: K) -> Same;

    /// Calls foreign code (`eql?`), and remembers its answer, which it returns. Called with no lock held.
    fn ask(&mut self, stored: K) -> Result<bool, Self::Error>;

    /// Called when the thread has waited for a claim, while others ran.
    fn resumed(&mut self) {}
}
