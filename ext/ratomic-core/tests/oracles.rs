//! The same random operations on our collections and on the crates that are known for theirs: every answer is the same.
#![cfg(not(loom))]

mod support;

use crossbeam_channel::{TryRecvError, TrySendError};
use crossbeam_queue::ArrayQueue;
use crossbeam_utils::Backoff;
use dashmap::DashMap;
use proptest::prelude::*;
use ratomic_core::queue::TryPushError;
use ratomic_core::{Queue, Table};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{all, Number, Patient};

#[derive(Debug, Clone, Copy)]
enum OnMap {
    Get(u64),
    Set(u64, u64),
    Remove(u64),
    Add(u64, u64),
    RemoveIfEven(u64),
    SetIfAbsent(u64, u64),
    Snapshot,
    Clear,
}

fn on_map() -> impl Strategy<Value = OnMap> {
    let key = 0..50_u64;
    prop_oneof![
        4 => key.clone().prop_map(OnMap::Get),
        4 => (key.clone(), any::<u64>()).prop_map(|(key, value)| OnMap::Set(key, value)),
        2 => key.clone().prop_map(OnMap::Remove),
        3 => (key.clone(), 0..9_u64).prop_map(|(key, by)| OnMap::Add(key, by)),
        2 => key.clone().prop_map(OnMap::RemoveIfEven),
        2 => (key, any::<u64>()).prop_map(|(key, value)| OnMap::SetIfAbsent(key, value)),
        1 => Just(OnMap::Snapshot),
        1 => Just(OnMap::Clear),
    ]
}

fn ours(table: &Table<u64, u64>, step: OnMap) -> Option<u64> {
    let update = |key: u64, change: &dyn Fn(Option<u64>) -> Option<u64>| {
        table
            .update(&mut Number(key), &Patient, 1, |place| {
                let old = place.get();
                match change(old) {
                    Some(new) => place.set(key, new),
                    None => place.remove(),
                }
                old
            })
            .unwrap()
    };
    match step {
        OnMap::Get(key) => table.get(&mut Number(key)).unwrap(),
        OnMap::Set(key, value) => update(key, &|_| Some(value)),
        OnMap::Remove(key) => update(key, &|_| None),
        OnMap::Add(key, by) => update(key, &|old| Some(old.unwrap_or(0).wrapping_add(by))),
        OnMap::RemoveIfEven(key) => update(key, &|old| old.filter(|value| value % 2 == 1)),
        OnMap::SetIfAbsent(key, value) => update(key, &|old| old.or(Some(value))),
        OnMap::Snapshot => Some(table.len() as u64),
        OnMap::Clear => {
            table.clear(&Patient, 1).unwrap();
            None
        }
    }
}

fn theirs(map: &DashMap<u64, u64>, step: OnMap) -> Option<u64> {
    match step {
        OnMap::Get(key) => map.get(&key).map(|value| *value),
        OnMap::Set(key, value) => map.insert(key, value),
        OnMap::Remove(key) => map.remove(&key).map(|(_, value)| value),
        OnMap::Add(key, by) => {
            let old = map.get(&key).map(|value| *value);
            *map.entry(key).or_insert(0) = old.unwrap_or(0).wrapping_add(by);
            old
        }
        OnMap::RemoveIfEven(key) => {
            let old = map.get(&key).map(|value| *value);
            map.remove_if(&key, |_, value| value % 2 == 0);
            old
        }
        OnMap::SetIfAbsent(key, value) => {
            let old = map.get(&key).map(|value| *value);
            map.entry(key).or_insert(value);
            old
        }
        OnMap::Snapshot => Some(map.len() as u64),
        OnMap::Clear => {
            map.clear();
            None
        }
    }
}

proptest! {
    #[test]
    fn a_table_answers_as_a_dash_map_does(steps in prop::collection::vec(on_map(), 0..300)) {
        let table = Table::new();
        let map = DashMap::new();
        for step in steps {
            prop_assert_eq!(ours(&table, step), theirs(&map, step), "{:?}", step);
            if let OnMap::Snapshot = step {
                let own: HashMap<_, _> = all(table.snapshot(1), 8).into_iter().collect();
                prop_assert_eq!(own, map.iter().map(|pair| (*pair.key(), *pair.value())).collect());
            }
        }
    }

    /// Steps: more than 0 pushes that many items, 0 pops one.
    #[test]
    fn a_queue_answers_as_an_array_queue_and_a_bounded_channel_do(
        capacity in 1..40_usize,
        steps in prop::collection::vec(0..4_u32, 0..400),
    ) {
        let queue = Queue::new(capacity);
        let ring = ArrayQueue::new(capacity);
        let (sender, receiver) = crossbeam_channel::bounded(capacity);
        let mut item = 0;
        for step in steps {
            if step == 0 {
                let popped = queue.try_pop();
                prop_assert_eq!(popped, ring.pop());
                prop_assert_eq!(popped.ok_or(TryRecvError::Empty), receiver.try_recv());
            }
            for _ in 0..step {
                item += 1;
                let pushed = queue.try_push(item);
                prop_assert_eq!(pushed.map_err(|_| item), ring.push(item));
                prop_assert_eq!(
                    pushed.map_err(|refused| {
                        assert_eq!(refused, TryPushError::Full);
                        TrySendError::Full(item)
                    }),
                    sender.try_send(item)
                );
            }
            prop_assert_eq!((queue.len(), queue.len()), (ring.len(), receiver.len()));
            prop_assert_eq!(queue.is_empty(), ring.is_empty());
        }
        // What is left comes out in the same order, also after the end.
        queue.close();
        drop(sender);
        prop_assert_eq!(queue.try_push(0), Err(TryPushError::Closed));
        let rest: Vec<u32> = std::iter::from_fn(|| queue.try_pop()).collect();
        prop_assert_eq!(&rest, &receiver.try_iter().collect::<Vec<_>>());
        prop_assert_eq!(&rest, &std::iter::from_fn(|| ring.pop()).collect::<Vec<_>>());
    }
}

/// Threads that add to the same keys reach the same sums on both, whatever the order.
#[test]
fn many_threads_leave_what_they_leave_in_a_dash_map() {
    const EACH: u64 = 20_000;
    let table = Table::new();
    let map = DashMap::new();
    let go = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (table, map, go) = (&table, &map, &go);
            scope.spawn(move || {
                let backoff = Backoff::new();
                while !go.load(Ordering::Acquire) {
                    backoff.snooze();
                }
                let mut state = thread + 1;
                for _ in 0..EACH {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let key = state >> 58;
                    table
                        .update(&mut Number(key), &Patient, 1 + thread as usize, |place| {
                            let sum = place.get().unwrap_or(0) + thread + 1;
                            place.set(key, sum);
                        })
                        .unwrap();
                    *map.entry(key).or_insert(0) += thread + 1;
                }
            });
        }
        go.store(true, Ordering::Release);
    });
    let own: HashMap<u64, u64> = all(table.snapshot(1), 8).into_iter().collect();
    assert_eq!(own.values().sum::<u64>(), EACH * (1 + 2 + 3 + 4));
    assert_eq!(own, map.into_iter().collect());
}
