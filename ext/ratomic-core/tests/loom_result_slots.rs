//! The latch under the model checker.
#![cfg(loom)]

mod support;

use loom::sync::Arc;
use loom::thread;
use ratomic_core::{Deadline, ResultSlots};
use support::Patient;

#[test]
fn a_waiter_sees_the_last_result_whoever_files_it() {
    loom::model(|| {
        let result_slots = Arc::new(ResultSlots::new(2));
        let workers: Vec<_> = (0..2)
            .map(|place| {
                let result_slots = Arc::clone(&result_slots);
                thread::spawn(move || result_slots.file(place, &[place + 10]))
            })
            .collect();
        assert_eq!(result_slots.wait(&Patient, Deadline::Never), Ok(true));
        assert_eq!(
            (result_slots.get(0), result_slots.get(1)),
            (Some(10), Some(11))
        );
        workers
            .into_iter()
            .for_each(|worker| assert_eq!(worker.join().unwrap(), Some(1)));
    });
}

#[test]
fn a_result_and_a_cancellation_fill_each_slot_once() {
    loom::model(|| {
        let result_slots = Arc::new(ResultSlots::new(2));
        let worker = {
            let result_slots = Arc::clone(&result_slots);
            thread::spawn(move || result_slots.file(0, &[1, 2]).unwrap())
        };
        let cancelled = result_slots.fill(9);
        let filed = worker.join().unwrap();
        assert_eq!(cancelled + filed, 2);
        assert_eq!(result_slots.wait(&Patient, Deadline::Never), Ok(true));
    });
}
