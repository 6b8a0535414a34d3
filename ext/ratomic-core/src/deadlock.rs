//! The wait graph: which thread waits for which. A thread that finds a key claimed by another thread draws an edge to it
//! before it sleeps; if the edges then lead back to itself, nobody in the circle would ever wake, and it gets an error
//! instead of an edge.
//!
//! A thread waits for at most one claim at a time, so the edges form a map and the walk is a chain. Edges are drawn and
//! removed under the lock of the shard that holds the claim, so an edge exists exactly while its claim does.

use crate::sync::{lock, Mutex, MutexGuard};
use std::collections::HashMap;

/// Waiting here would close a circle of threads that wait for each other.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Deadlock;

pub type Edges = HashMap<usize, usize>;

#[cfg(not(loom))]
static EDGES: std::sync::LazyLock<Mutex<Edges>> = std::sync::LazyLock::new(Mutex::default);
#[cfg(loom)]
loom::lazy_static! {
    static ref EDGES: Mutex<Edges> = Mutex::new(Edges::new());
}

pub fn hold() -> MutexGuard<'static, Edges> {
    lock(&EDGES)
}

/// Notes that thread `waiter` waits for thread `owner`.
pub fn wait(waiter: usize, owner: usize) -> Result<(), Deadlock> {
    let mut edges = lock(&EDGES);
    let mut at = Some(owner);
    while let Some(thread) = at {
        if thread == waiter {
            return Err(Deadlock);
        }
        at = edges.get(&thread).copied();
    }
    edges.insert(waiter, owner);
    Ok(())
}

/// Notes that thread `waiter` waits no longer.
pub fn forget(waiter: usize) {
    lock(&EDGES).remove(&waiter);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_circle_of_three_is_found_by_the_one_who_would_close_it() {
        assert_eq!(wait(9001, 9002), Ok(()));
        assert_eq!(wait(9002, 9003), Ok(()));
        assert_eq!(wait(9003, 9001), Err(Deadlock));
        forget(9001);
        assert_eq!(wait(9003, 9001), Ok(()));
        forget(9002);
        forget(9003);
    }
}
