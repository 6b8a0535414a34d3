//! The queue under the model checker: every interleaving of a few threads, with interrupts at the worst moment.
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p ratomic-core --release --test 'loom*'`.
#![cfg(loom)]

mod support;

use loom::sync::Arc;
use loom::thread;
use ratomic_core::{Deadline, Queue};
use support::{Killed, Patient, Victim};

#[test]
fn a_blocked_pop_gets_the_item_of_a_push() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(1));
        let popper = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.pop(&Patient, Deadline::Never).unwrap())
        };
        queue.try_push(7).unwrap();
        assert_eq!(popper.join().unwrap(), Some(7));
        assert!(queue.is_empty());
    });
}

#[test]
fn a_blocked_push_gets_the_room_of_a_pop() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(1));
        queue.try_push(1).unwrap();
        let pusher = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(&Patient, 2, Deadline::Never).unwrap())
        };
        assert_eq!(queue.pop(&Patient, Deadline::Never).unwrap(), Some(1));
        assert_eq!(queue.pop(&Patient, Deadline::Never).unwrap(), Some(2));
        assert_eq!(pusher.join().unwrap(), Ok(()));
    });
}

/// The lost wake-up: a thread is killed just as it is chosen, while another one goes on waiting for the same item.
#[test]
fn a_kill_at_the_moment_of_being_served_loses_no_wake_up() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(2));
        let victim = Victim::new();
        let killed = {
            let (queue, victim) = (Arc::clone(&queue), Arc::clone(&victim));
            thread::spawn(move || queue.pop(&*victim, Deadline::Never))
        };
        let killer = thread::spawn(move || victim.kill());
        queue.try_push(7).unwrap();
        // Returns in every interleaving: the item is here, or the killed thread has it.
        let outcome = killed.join().unwrap();
        killer.join().unwrap();
        let left = queue
            .pop(&Patient, Deadline::after(std::time::Duration::ZERO))
            .unwrap();
        match outcome {
            Ok(item) => assert_eq!((item, left), (Some(7), None)),
            Err(Killed) => assert_eq!(left, Some(7)),
        }
    });
}

#[test]
fn the_wake_up_of_a_killed_pop_goes_on_to_the_next_one() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let queue = Arc::new(Queue::new(2));
        let victim = Victim::new();
        let killed = {
            let (queue, victim) = (Arc::clone(&queue), Arc::clone(&victim));
            thread::spawn(move || queue.pop(&*victim, Deadline::Never))
        };
        let patient = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.pop(&Patient, Deadline::Never).unwrap())
        };
        queue.try_push(1).unwrap();
        victim.kill();
        let outcome = killed.join().unwrap();
        if outcome.is_ok() {
            queue.try_push(2).unwrap();
        }
        // A lost wake-up would leave this one asleep, which the model checker reports as a deadlock.
        assert!(patient.join().unwrap().is_some());
        assert!(queue.is_empty());
    });
}

#[test]
fn closing_wakes_who_waits_on_both_ends() {
    loom::model(|| {
        let queue: Arc<Queue<u8>> = Arc::new(Queue::new(1));
        let popper = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.pop(&Patient, Deadline::Never).unwrap())
        };
        queue.close();
        assert_eq!(popper.join().unwrap(), None);
        assert!(queue.push(&Patient, 1, Deadline::Never).unwrap().is_err());
    });
}

/// The model's ring begins with two slots: the third push makes it larger while the other end may be at work.
#[test]
fn items_come_in_order_while_the_ring_grows() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(3));
        let popper = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.try_pop())
        };
        (1..=3).for_each(|item| queue.try_push(item).unwrap());
        let first = popper.join().unwrap();
        let rest: Vec<u8> = std::iter::from_fn(|| queue.try_pop()).collect();
        let all: Vec<u8> = first.into_iter().chain(rest).collect();
        assert_eq!(all, [1, 2, 3]);
    });
}

/// The ends go round the two slots: a slot is written again only when it has been read.
#[test]
fn a_slot_is_used_again_only_when_it_is_free() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(2));
        queue.try_push(1).unwrap();
        queue.try_push(2).unwrap();
        let pusher = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.try_push(3).is_ok())
        };
        assert_eq!((queue.try_pop(), queue.try_pop()), (Some(1), Some(2)));
        let went_in = pusher.join().unwrap();
        assert_eq!(queue.try_pop(), went_in.then_some(3));
    });
}

#[test]
fn what_is_put_back_comes_first_and_wakes_who_waits() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(1));
        queue.try_push(1).unwrap();
        assert_eq!(queue.try_pop(), Some(1));
        let popper = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.pop(&Patient, Deadline::Never).unwrap())
        };
        let went_in = queue.try_push(2).is_ok();
        queue.put_back(&[1]);
        let popped = popper.join().unwrap();
        let rest: Vec<u8> = std::iter::from_fn(|| queue.try_pop()).collect();
        assert!(went_in);
        match popped {
            Some(1) => assert_eq!(rest, [2]),
            Some(2) => assert_eq!(rest, [1]),
            other => panic!("popped {other:?}"),
        }
    });
}
