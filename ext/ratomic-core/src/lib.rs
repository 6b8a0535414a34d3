//! The algorithms of ratomic, with no Ruby in them.
//!
//! Everything here stores plain `Copy` words. The extension stores `VALUE`s in them, and keeps two promises. First, a
//! structure is read or written only by a thread that holds its VM lock (the GVL of its Ractor). Second, such a thread
//! reaches no safepoint of the VM inside a call of this crate, except in the methods of [`Park`], which are never called
//! with a lock held. So a collector that stops all threads at safepoints never finds an operation half done, and may read
//! without taking a lock. A collector beside which other threads go on takes the locks (`visit_locked`), and waits for
//! nothing else.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`counter`] | a 64-bit integer that refuses to overflow |
//! | [`cursor`] | which items of a dispatch are claimed, and how it ended |
//! | [`queue`] | a bounded first-in first-out queue with waiting on both ends |
//! | [`table`] | a sharded hash table whose keys can be claimed while foreign code computes their value |
//! | [`caller_runs_cache`] | a cache: which keys have an answer, how often and up to which limit |
//! | [`tally`] | how many dispatches there were, and how long they took |
//! | [`result_slots`] | result slots that are filled once, and waiting for them |
//! | [`parker`] | parks one thread; the [`Park`] trait is implemented by the host |
//! | `adaptive_spin` | spinning for a moment before a thread sleeps |
//! | [`wire`] | the bytes of plain data on its way to another process |
//! | [`deadlock`] | the wait graph: which thread waits for which |
//! | [`fork_rw_lock`] | the one lock type: a read-write lock that can be held around a fork |
//! | [`fork`] | takes all locks around `fork`, so that the child finds every structure whole |
//! | [`aligned`] | the allocator of the extension |
//! | `cache_aligned_alloc` | an allocator of whole cache lines |

#[cfg(not(loom))]
mod adaptive_spin;
pub mod aligned;
mod cache_aligned_alloc;
pub mod caller_runs_cache;
pub mod counter;
pub mod cursor;
pub mod deadlock;
#[cfg(not(loom))]
pub mod fork;
pub mod fork_rw_lock;
pub mod parker;
pub mod queue;
pub mod result_slots;
mod sync;
pub mod table;
pub mod tally;
pub mod wire;

pub use caller_runs_cache::CallerRunsCache;
pub use counter::Counter;
pub use cursor::Cursor;
pub use parker::{Deadline, Park, Parker};
pub use queue::Queue;
pub use result_slots::ResultSlots;
pub use table::Table;
pub use tally::Tally;
