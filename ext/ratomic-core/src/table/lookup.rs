//! A key that is looked for, and how it is told from another.

/// Whether a stored key is the one that is looked for.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Same {
    Yes,
    No,
    /// Only foreign code can tell.
    Ask,
}

/// A key that is looked for.
pub trait Lookup<K> {
    type Error;

    fn hash(&self) -> u64;
    fn key(&self) -> K;

    /// Compares without foreign code, or from what `ask` has learnt. Called under a lock.
    fn same(&self, stored: K) -> Same;

    /// Asks foreign code, and remembers the answer. Called with no lock held.
    fn ask(&mut self, stored: K) -> Result<(), Self::Error>;
}
