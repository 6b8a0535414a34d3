//! The latch under the model checker.
#![cfg(loom)]

mod support;

use loom::sync::Arc;
use loom::thread;
use ratomic_core::{Deadline, Latch};
use support::Patient;

#[test]
fn a_waiter_sees_the_last_result_whoever_files_it() {
    loom::model(|| {
        let latch = Arc::new(Latch::new(2));
        let workers: Vec<_> = (0..2)
            .map(|place| {
                let latch = Arc::clone(&latch);
                thread::spawn(move || latch.file(place, &[place + 10]))
            })
            .collect();
        assert_eq!(latch.wait(&Patient, Deadline::Never), Ok(true));
        assert_eq!((latch.get(0), latch.get(1)), (Some(10), Some(11)));
        workers
            .into_iter()
            .for_each(|worker| assert_eq!(worker.join().unwrap(), Some(1)));
    });
}

#[test]
fn a_result_and_a_cancellation_fill_each_slot_once() {
    loom::model(|| {
        let latch = Arc::new(Latch::new(2));
        let worker = {
            let latch = Arc::clone(&latch);
            thread::spawn(move || latch.file(0, &[1, 2]).unwrap())
        };
        let cancelled = latch.fill(9);
        let filed = worker.join().unwrap();
        assert_eq!(cancelled + filed, 2);
        assert_eq!(latch.wait(&Patient, Deadline::Never), Ok(true));
    });
}
