//! The content of a native object: nothing between `allocate` and `initialize`, then one structure, which never changes
//! (a `OnceLock` of an `Arc`). The structure is registered with the fork handler as long as the object lives.

use super::error;
use magnus::Error;
use ratomic_core::fork::{register, Forkable, Registered};
use std::sync::{Arc, OnceLock};

pub struct OnceShared<T>(OnceLock<(Arc<T>, Option<Registered>)>);

impl<T> Default for OnceShared<T> {
    fn default() -> Self {
        OnceShared(OnceLock::new())
    }
}

impl<T> OnceShared<T> {
    pub fn set(&self, structure: T) -> Result<(), Error> {
        self.0
            .set((Arc::new(structure), None))
            .map_err(|_| error::frozen("already initialized"))
    }

    /// The structure, for mark functions: these may be called for an object that is not initialized yet.
    #[inline]
    pub fn peek(&self) -> Option<&T> {
        self.0.get().map(|(structure, _)| &**structure)
    }

    /// A shared reference to the structure, for an object that marks a part of it.
    pub fn shared(&self) -> Option<&Arc<T>> {
        self.0.get().map(|(structure, _)| structure)
    }

    #[inline]
    pub fn get(&self) -> Result<&T, Error> {
        self.peek()
            .ok_or_else(|| error::type_error("uninitialized object: call new, not allocate"))
    }
}

impl<T: Forkable + 'static> OnceShared<T> {
    /// As `set`, for a structure with locks.
    pub fn set_locked(&self, structure: impl Into<Arc<T>>) -> Result<(), Error> {
        let structure = structure.into();
        let registered = register(&structure);
        self.0
            .set((structure, Some(registered)))
            .map_err(|_| error::frozen("already initialized"))
    }
}
