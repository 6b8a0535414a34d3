//! The claims on the items of one dispatch, and how it ended.
//!
//! It is one word. Below `FINISHED` it is the number of the first item that is not claimed. From `FINISHED` on there is
//! nothing to claim, because the work is done or was stopped. A late claim still adds to the word, which stays far
//! below 64 bits. Changes are `AcqRel` and reads `Acquire`, so a thread that claims an item sees all that was written
//! before it got the cursor.

use std::sync::atomic::{AtomicU64, Ordering};

const FINISHED: u64 = 1 << 60;
const STOPPED: u64 = 1 << 61;
const INTERRUPTED: u64 = 1 << 62;

#[derive(Debug, Default)]
pub struct Cursor(AtomicU64);

impl Cursor {
    /// Claims the next `count` items for the caller alone and returns the number of the first. It may be beyond the
    /// last.
    pub fn claim(&self, count: u32) -> u64 {
        self.0.fetch_add(u64::from(count), Ordering::AcqRel)
    }

    pub fn position(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Returns `true` to exactly one caller; to none if the cursor was stopped before.
    pub fn finish(&self) -> bool {
        let finish = |at| (at < FINISHED).then_some(FINISHED);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, finish)
            .is_ok()
    }

    /// Returns `true` to exactly one caller; to none if the work was finished before.
    pub fn stop(&self) -> bool {
        let stop = |at| (at < FINISHED).then_some(STOPPED);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, stop)
            .is_ok()
    }

    /// As [`Cursor::stop`], also if the work was finished.
    pub fn abort(&self) {
        self.0.fetch_max(STOPPED, Ordering::AcqRel);
    }

    /// Stops the cursor, and marks that items which are running shall end.
    pub fn interrupt(&self) {
        self.0.fetch_max(INTERRUPTED, Ordering::AcqRel);
    }

    pub fn is_interrupted(&self) -> bool {
        self.position() >= INTERRUPTED
    }

    pub fn is_stopped(&self) -> bool {
        self.position() >= STOPPED
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn claims_follow_one_another() {
        let cursor = Cursor::default();
        assert_eq!((cursor.claim(3), cursor.claim(1)), (0, 3));
        assert_eq!(cursor.position(), 4);
    }

    #[test]
    fn it_is_finished_once() {
        let cursor = Cursor::default();
        assert!(cursor.finish() && !cursor.finish() && !cursor.is_stopped());
        assert!(cursor.claim(1) >= FINISHED);
        assert!(!cursor.stop() && !cursor.is_stopped());
    }

    #[test]
    fn what_was_stopped_is_not_finished() {
        let cursor = Cursor::default();
        assert!(cursor.stop() && !cursor.stop());
        cursor.claim(7);
        assert!(cursor.is_stopped() && !cursor.finish() && !cursor.is_interrupted());
    }

    #[test]
    fn what_was_interrupted_is_stopped_and_stays_interrupted() {
        let cursor = Cursor::default();
        cursor.interrupt();
        cursor.stop();
        assert!(cursor.is_interrupted() && cursor.is_stopped() && !cursor.finish());
    }
}
