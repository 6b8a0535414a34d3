//! The algorithms of ratomic, with no Ruby in them.
//!
//! Everything here stores plain `Copy` words. The extension stores `VALUE`s in them and keeps two promises in return:
//! a structure is read or written only by a thread that holds its VM lock (the GVL of its Ractor), and such a thread
//! reaches no safepoint of the VM inside a call of this crate, but in [`Host`]'s methods, which are never called with a
//! lock held. A collector that stops all threads at safepoints therefore never meets a half-done operation, and may read
//! without taking a lock.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`counter`] | a 64-bit integer that refuses to overflow |
//! | [`cursor`] | where the claims on a run of items stand |
//! | [`queue`] | a bounded first-in first-out queue with waiting on both ends |
//! | [`table`] | a sharded hash table whose keys can be claimed while foreign code computes their value |
//! | [`permits`] | who may do something, how often and up to which limit |
//! | [`tally`] | how many dispatches there were, and how long they took |
//! | [`latch`] | result slots that are filled once, and waiting for them |
//! | [`waiter`] | one sleeping thread, and the [`Host`] that puts it to sleep |
//! | `spin` | waiting awake for a moment |
//! | [`wire`] | the bytes of plain data on its way to another process |
//! | [`deadlock`] | who waits for whom |
//! | [`guarded`] | the one lock type |
//! | [`fork`] | locks taken around `fork`, so that the child finds every structure whole |

pub mod aligned;
pub mod counter;
pub mod cursor;
pub mod deadlock;
#[cfg(not(loom))]
pub mod fork;
pub mod guarded;
pub mod latch;
mod lines;
pub mod permits;
pub mod queue;
#[cfg(not(loom))]
mod spin;
mod sync;
pub mod table;
pub mod tally;
pub mod waiter;
pub mod wire;

pub use counter::Counter;
pub use cursor::Cursor;
pub use latch::Latch;
pub use permits::Permits;
pub use queue::Queue;
pub use table::Table;
pub use tally::Tally;
pub use waiter::{Deadline, Host, Waiter};
