//! Many threads, real time: conservation.
#![cfg(not(loom))]

mod support;

use ratomic_core::{fork, Deadline, Queue, Table};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use support::{all, Number, Patient};

#[test]
fn everything_pushed_is_popped_once() {
    const EACH: u64 = 20_000;
    let queue = Queue::new(8);
    let sum = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for producer in 0..3 {
            let queue = &queue;
            scope.spawn(move || {
                (0..EACH).for_each(|n| {
                    queue
                        .push(&Patient, producer * EACH + n, Deadline::Never)
                        .unwrap()
                        .unwrap()
                });
            });
        }
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let item = queue.pop(&Patient, Deadline::Never).unwrap().unwrap();
                    sum.fetch_add(item, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), (0..3 * EACH).sum());
    assert!(queue.is_empty());
}

/// A queue takes memory for 256 items at once: beyond that it moves them while both ends are at work.
#[test]
fn items_come_in_order_while_a_queue_grows() {
    const COUNT: u64 = 50_000;
    for round in 0..20 {
        let queue = Queue::new(4_000 + round);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..COUNT).for_each(|n| {
                    queue.push(&Patient, n, Deadline::Never).unwrap().unwrap();
                });
            });
            scope.spawn(|| {
                (0..COUNT).for_each(|n| {
                    assert_eq!(queue.pop(&Patient, Deadline::Never).unwrap(), Some(n));
                });
            });
        });
    }
}

#[test]
fn claims_by_many_threads_lose_no_update() {
    const EACH: u64 = 5_000;
    let table = Table::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let table = &table;
            scope.spawn(move || {
                for n in 0..EACH {
                    let key = n % 5;
                    let held = table
                        .claim(&mut Number(key), &Patient, 7000 + thread)
                        .unwrap();
                    let next = held.value.unwrap_or(0) + 1;
                    table.release(&held, |place| place.set(key, next));
                }
            });
        }
    });
    let total: u64 = (0..5)
        .map(|key| table.get(&mut Number(key)).unwrap().unwrap())
        .sum();
    assert_eq!(total, 4 * EACH);
}

/// A writer moves one token at a time from a key to another, so there are as many as ever, or one more.
#[test]
fn snapshots_while_threads_write_and_the_table_grows_are_of_one_moment() {
    const TOKENS: u64 = 2_000;
    let table = Table::new();
    let set = |key: u64, there: bool| {
        table
            .update(&mut Number(key), &Patient, 1, |place| match there {
                true => place.set(key, key),
                false => place.remove(),
            })
            .unwrap();
    };
    let stop = AtomicU64::new(0);
    std::thread::scope(|scope| {
        (0..TOKENS).for_each(|key| set(key, true));
        scope.spawn(|| {
            let mut at = 0;
            while stop.load(Ordering::Relaxed) == 0 {
                let there = at / TOKENS % 2 == 0;
                let (from, to) = (at % TOKENS, at % TOKENS + TOKENS);
                set(if there { to } else { from }, true);
                set(if there { from } else { to }, false);
                at += 1;
            }
        });
        scope.spawn(|| {
            while stop.load(Ordering::Relaxed) == 0 {
                table.grow(table.level());
            }
        });
        let others = scope.spawn(|| (0..100).for_each(|_| drop(all(table.snapshot(3), 50))));
        for _ in 0..200 {
            let count = all(table.snapshot(2), 64).len() as u64;
            assert!((TOKENS..=TOKENS + 1).contains(&count), "{count}");
        }
        others.join().unwrap();
        stop.store(1, Ordering::Relaxed);
    });
    assert!(table.is_at_last_level());
}

/// `prepare` waits for every lock, and both sides of a fork find them free again.
#[test]
fn the_locks_of_every_structure_are_held_around_a_fork_and_given_back() {
    let queue = Arc::new(Queue::new(4));
    let table = Arc::new(Table::new());
    let registered = (fork::register(&queue), fork::register(&table));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..50_000)
                .for_each(|n: u64| assert!(queue.try_push(n).is_ok() && queue.try_pop().is_some()))
        });
        scope.spawn(|| {
            (0..50_000).for_each(|n: u64| {
                table
                    .update(&mut Number(n % 9), &Patient, 1, |place| place.set(n % 9, n))
                    .unwrap()
            });
        });
        for _ in 0..200 {
            fork::prepare();
            fork::parent();
        }
    });
    drop(registered);
    fork::prepare();
    fork::child(1);
    assert!(queue.try_push(1).is_ok());
}
