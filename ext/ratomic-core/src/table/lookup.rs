//! The lookup of a key: how it is compared with stored keys.

/// The result of a comparison with a stored key.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Same {
    Yes,
    No,
    /// Only foreign code can tell, which may not run under a lock.
    Ask,
}

/// A key, and what is known of the stored keys that it was compared with.
pub trait Lookup<K> {
    type Error;

    fn hash(&self) -> u64;
    fn key(&self) -> K;

    /// Compares natively, or by an answer that `ask` has remembered. Called under a lock, so it runs no foreign code.
    fn same(&self, stored: K) -> Same;

    /// Calls foreign code (`eql?`), and remembers its answer. Called with no lock held.
    fn ask(&mut self, stored: K) -> Result<(), Self::Error>;
}
