//! Keeps structures usable across a fork. A child has one thread, the one that forked. A lock that another thread held
//! at that moment would stay locked in the child for ever, and the change under it would stay half done. So the thread
//! that forks takes all locks first (`prepare`), and releases them in the parent (`parent`) and in the child (`child`).
//! In the child it also forgets the threads that do not exist there.
//!
//! Lock order: the registry, then the structures one after another, then the wait graph. No other code holds the locks
//! of two structures at once, and the wait graph's is always the innermost.

use crate::deadlock;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockWriteGuard, Weak};

/// The locks of one structure, held around a fork.
pub type Held = Vec<RwLockWriteGuard<'static, ()>>;

/// A structure that a forked child goes on using.
pub trait Forkable: Send + Sync {
    /// Takes every lock of the structure.
    ///
    /// # Safety
    /// `held` must be dropped by this thread, before the structure is.
    unsafe fn hold(&self, held: &mut Held);

    /// Forgets every thread but `survivor`.
    ///
    /// # Safety
    /// Called in the child, by its only thread, with every lock held by `hold`.
    unsafe fn reset(&self, survivor: usize);

    /// Called in a child after its locks were released. Threads of the parent will never deliver what they owed to this
    /// structure, so it stores `failure` instead: a word whose meaning the owner of the structure knows.
    fn fail_pending(&self, _failure: usize) {}
}

#[derive(Default)]
struct Slots {
    used: Vec<Option<Weak<dyn Forkable>>>,
    free: Vec<usize>,
}

static REGISTRY: Mutex<Slots> = Mutex::new(Slots {
    used: Vec::new(),
    free: Vec::new(),
});

/// Keeps a structure known to [`prepare`] for as long as it lives.
pub struct Registered(usize);

pub fn register(structure: &Arc<impl Forkable + 'static>) -> Registered {
    let weak: Weak<dyn Forkable> = Arc::downgrade(structure) as Weak<dyn Forkable>;
    let mut slots = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    match slots.free.pop() {
        Some(place) => {
            slots.used[place] = Some(weak);
            Registered(place)
        }
        None => {
            slots.used.push(Some(weak));
            Registered(slots.used.len() - 1)
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut slots = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
        slots.used[self.0] = None;
        slots.free.push(self.0);
    }
}

struct Forking {
    // In this order: fields are dropped from the top, and a guard must go before its structure.
    _graph: MutexGuard<'static, deadlock::Edges>,
    _held: Held,
    structures: Vec<Arc<dyn Forkable>>,
    _registry: MutexGuard<'static, Slots>,
}

thread_local! {
    static FORKING: RefCell<Option<Forking>> = const { RefCell::new(None) };
}

/// Before the fork, in the thread that forks.
pub fn prepare() {
    let registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    let structures: Vec<_> = registry
        .used
        .iter()
        .flatten()
        .filter_map(Weak::upgrade)
        .collect();
    let mut held = Held::new();
    for structure in &structures {
        // SAFETY: `held` and `structures` end up in one `Forking`, which this thread drops, the guards first.
        unsafe { structure.hold(&mut held) };
    }
    let forking = Forking {
        _graph: deadlock::hold(),
        _held: held,
        structures,
        _registry: registry,
    };
    FORKING.with(|place| *place.borrow_mut() = Some(forking));
}

/// After the fork, in the parent.
pub fn parent() {
    FORKING.with(|place| place.borrow_mut().take());
}

/// Calls [`Forkable::fail_pending`] of every structure. In the child, after [`child`].
pub fn fail_pending(failure: usize) {
    let structures: Vec<_> = {
        let slots = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
        let all = slots.used.iter().flatten();
        all.filter_map(Weak::upgrade).collect()
    };
    structures.iter().for_each(|one| one.fail_pending(failure));
}

/// After the fork, in the child, whose only thread `survivor` names as it does when it claims keys.
pub fn child(survivor: usize) {
    crate::adaptive_spin::SPIN.reset();
    FORKING.with(|place| {
        if let Some(mut forking) = place.borrow_mut().take() {
            for structure in &forking.structures {
                // SAFETY: this is the only thread of the child, and `prepare` took every lock of the structure.
                unsafe { structure.reset(survivor) };
            }
            forking._graph.clear();
        }
    });
}
