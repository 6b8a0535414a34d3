//! Random sequences of operations, compared with the standard library's collections.
#![cfg(not(loom))]

mod support;

use proptest::prelude::*;
use ratomic_core::queue::TryPushError;
use ratomic_core::table::{Copied, Failure, Lookup, Same, Snapshot};
use ratomic_core::{Deadline, Park, Parker, Queue, ResultSlots, Table};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use support::{all, Number, Patient};

#[derive(Debug, Clone)]
enum QueueStep {
    Push(u32),
    Pop,
    PopMany(usize),
    PutBack(Vec<u32>),
    Clear,
    Close,
}

fn queue_step() -> impl Strategy<Value = QueueStep> {
    prop_oneof![
        8 => any::<u32>().prop_map(QueueStep::Push),
        6 => Just(QueueStep::Pop),
        2 => (0..5_usize).prop_map(QueueStep::PopMany),
        1 => prop::collection::vec(any::<u32>(), 0..5).prop_map(QueueStep::PutBack),
        1 => Just(QueueStep::Clear),
        1 => Just(QueueStep::Close),
    ]
}

/// Keys of which two are the same when they are equal modulo 100, and whose hashes collide on purpose. Keys from 1000 on
/// can only be compared by asking, as objects with an `eql?` of their own.
struct Key {
    number: u64,
    answers: Vec<(u64, Same)>,
    fails: bool,
}

impl Key {
    fn new(number: u64) -> Key {
        Key {
            number,
            answers: Vec::new(),
            fails: false,
        }
    }
}

struct Raised;

impl Lookup<u64> for Key {
    type Error = Raised;

    fn hash(&self) -> u64 {
        (self.number % 100 % 7) << 50
    }

    fn key(&self) -> u64 {
        self.number
    }

    fn same(&self, stored: u64) -> Same {
        if self.number < 1000 && stored < 1000 {
            return if self.number % 100 == stored % 100 {
                Same::Yes
            } else {
                Same::No
            };
        }
        self.answers
            .iter()
            .find(|(key, _)| *key == stored)
            .map_or(Same::Ask, |(_, answer)| *answer)
    }

    fn ask(&mut self, stored: u64) -> Result<bool, Raised> {
        if self.fails {
            return Err(Raised);
        }
        let is_same = self.number % 100 == stored % 100;
        let answer = if is_same { Same::Yes } else { Same::No };
        self.answers.push((stored, answer));
        Ok(is_same)
    }
}

struct Alone;

impl Park for Alone {
    type Error = Raised;

    fn park(&self, _waiter: &Arc<Parker>, _deadline: Deadline) -> Result<(), Raised> {
        panic!("one thread has nobody to wait for");
    }

    fn check(&self) -> Result<(), Raised> {
        Ok(())
    }

    fn is_alive(&self, _thread: usize) -> Result<bool, Raised> {
        Ok(true)
    }
}

/// A snapshot, what was there when it began, and what it has copied so far.
type Begun<'a> = (Snapshot<'a, u64, u64>, HashMap<u64, u64>, Vec<(u64, u64)>);

/// What a table that was just made takes with as many shards, and with nothing in them.
fn memory_of_shards(level: usize) -> usize {
    let table = Table::<u64, u64>::new();
    for key in 0.. {
        if table.level() == level {
            break;
        }
        table
            .update(&mut Number(key), &Patient, 1, |place| place.set(key, 0))
            .unwrap();
        let _ = table.grow(table.level());
    }
    (0..table.len() as u64).for_each(|key| {
        table
            .update(&mut Number(key), &Patient, 1, |place| place.remove())
            .unwrap();
    });
    table.memory()
}

proptest! {
    #[test]
    fn a_queue_does_what_a_bounded_deque_does(
        capacity in 1..6_usize,
        steps in prop::collection::vec(queue_step(), 0..200),
    ) {
        let queue = Queue::new(capacity);
        let mut model = VecDeque::new();
        let mut closed = false;
        for step in steps {
            match step {
                QueueStep::Push(item) => {
                    let expected = if closed {
                        Err(TryPushError::Closed)
                    } else if model.len() >= capacity {
                        Err(TryPushError::Full)
                    } else {
                        model.push_back(item);
                        Ok(())
                    };
                    prop_assert_eq!(queue.try_push(item), expected);
                }
                QueueStep::Pop => {
                    let deadline = Deadline::after(Duration::ZERO);
                    prop_assert_eq!(queue.pop(&Patient, deadline).unwrap(), model.pop_front());
                }
                QueueStep::PopMany(max) => {
                    let mut buffer = vec![0; max];
                    let taken = queue.try_pop_many(&mut buffer);
                    let expected: Vec<_> = model.drain(..max.min(model.len())).collect();
                    prop_assert_eq!(&buffer[..taken], &expected[..]);
                }
                QueueStep::PutBack(items) => {
                    queue.put_back(&items);
                    items.into_iter().rev().for_each(|item| model.push_front(item));
                }
                QueueStep::Clear => {
                    queue.clear();
                    model.clear();
                }
                QueueStep::Close => {
                    queue.close();
                    closed = true;
                }
            }
            prop_assert_eq!((queue.len(), queue.peek()), (model.len(), model.front().copied()));
            prop_assert_eq!((queue.is_closed(), queue.waiting()), (closed, 0));
        }
    }

    #[test]
    fn a_table_does_what_a_hash_map_does(
        steps in prop::collection::vec((0..5_u8, 0..2000_u64, any::<u64>()), 0..300),
    ) {
        let table = Table::new();
        let mut model = HashMap::new();
        for (step, number, value) in steps {
            let mut key = Key::new(number);
            let class = number % 100;
            match step {
                0 => {
                    prop_assert!(table.update(&mut key, &Alone, 1, |place| place.set(number, value)).is_ok());
                    model.insert(class, value);
                    let level = table.level();
                    let grew = table.take_due() && table.grow(level).is_some();
                    prop_assert_eq!(table.level(), level + usize::from(grew));
                }
                1 => {
                    let removed = table.update(&mut key, &Alone, 1, |place| {
                        let value = place.get();
                        place.remove();
                        value
                    });
                    prop_assert_eq!(removed.ok().flatten(), model.remove(&class));
                }
                2 => {
                    let Ok(held) = table.claim(&mut key, &Alone, 1) else { return Err(TestCaseError::fail("claim")) };
                    prop_assert_eq!(held.value, model.get(&class).copied());
                    let again = table.update(&mut Key { answers: key.answers.clone(), ..Key::new(number) }, &Alone, 1, |_| ());
                    prop_assert!(matches!(again, Err(Failure::Own)));
                    // Another key under the same hash comes in while the claim stands.
                    let neighbour = (class + 7) % 98;
                    prop_assert!(table.update(&mut Key::new(neighbour), &Alone, 2, |place| place.set(neighbour, 1)).is_ok());
                    table.release(&held, |place| place.set(number, value));
                    model.insert(neighbour, 1);
                    model.insert(class, value);
                }
                3 => {
                    let mut failing = Key { fails: true, ..Key::new(number) };
                    if let Ok(found) = table.get(&mut failing) {
                        prop_assert_eq!(found, model.get(&class).copied());
                    }
                }
                _ => {
                    let pairs = all(table.snapshot(1), 1 + number as usize % 7);
                    prop_assert_eq!(pairs.len(), model.len());
                    let snapshot: HashMap<_, _> = pairs.into_iter().map(|(key, value)| (key % 100, value)).collect();
                    prop_assert_eq!(&snapshot, &model);
                }
            }
            prop_assert_eq!(table.len(), model.len());
            prop_assert_eq!(table.get(&mut Key::new(number)).ok().flatten(), model.get(&class).copied());
        }
        prop_assert!(table.clear(&Alone, 1).is_ok());
        prop_assert!(table.is_empty());
    }

    /// Snapshots begin, go on a few shards at a time and are given up, between writes, clears and growth.
    #[test]
    fn a_snapshot_has_what_was_there_when_it_began(
        steps in prop::collection::vec((0..8_u8, 0..400_u64, any::<u64>()), 0..400),
    ) {
        let table = Table::new();
        let mut model = HashMap::new();
        let mut open: Vec<Begun<'_>> = Vec::new();
        for (step, key, value) in steps {
            match step {
                0..=2 => {
                    table.update(&mut Number(key), &Patient, 1, |place| place.set(key, value)).unwrap();
                    model.insert(key, value);
                }
                3 => {
                    table.update(&mut Number(key), &Patient, 1, |place| place.remove()).unwrap();
                    model.remove(&key);
                }
                4 => open.push((table.snapshot(1), model.clone(), Vec::new())),
                5 => {
                    for (snapshot, _, pairs) in &mut open {
                        let mut buffer = [(0, 0); 128];
                        if let Copied::Pairs(count) = snapshot.copy(&mut buffer, value as usize % 4 + 1) {
                            pairs.extend_from_slice(&buffer[..count]);
                        }
                    }
                }
                6 if key % 3 == 0 && !open.is_empty() => {
                    let (snapshot, then, mut pairs) = open.swap_remove(key as usize % open.len());
                    if key % 2 == 0 {
                        pairs.extend(all(snapshot, 1));
                        prop_assert_eq!(pairs.len(), then.len());
                        prop_assert_eq!(pairs.into_iter().collect::<HashMap<_, _>>(), then);
                    }
                }
                7 if key == 0 => {
                    prop_assert!(table.clear(&Patient, 1).is_ok());
                    model.clear();
                }
                _ => {
                    let level = table.level();
                    let grown = table.take_due() && table.grow(level).is_some();
                    prop_assert!(!grown || (open.is_empty() && table.level() == level + 1));
                }
            }
            prop_assert_eq!(table.len(), model.len());
        }
        for (snapshot, then, mut pairs) in open {
            pairs.extend(all(snapshot, 7));
            prop_assert_eq!(pairs.into_iter().collect::<HashMap<_, _>>(), then);
        }
        prop_assert_eq!(all(table.snapshot(1), 1).into_iter().collect::<HashMap<_, _>>(), model);
        prop_assert!(table.clear(&Patient, 1).is_ok());
        prop_assert!(table.memory() <= memory_of_shards(table.level()), "{} bytes for nothing", table.memory());
    }

    #[test]
    fn a_latch_keeps_the_first_value_of_every_slot(
        size in 0..30_usize,
        files in prop::collection::vec((0..32_usize, prop::collection::vec(any::<u32>(), 0..10)), 0..20),
    ) {
        let result_slots = ResultSlots::new(size);
        let mut model = vec![None; size];
        for (start, values) in files {
            let fits = start + values.len() <= size;
            let before = model.iter().flatten().count();
            if fits {
                for (place, value) in values.iter().enumerate() {
                    model[start + place].get_or_insert(*value);
                }
            }
            let new = model.iter().flatten().count() - before;
            prop_assert_eq!(result_slots.file(start, &values), fits.then_some(new));
        }
        let logged: usize = (0..result_slots.ranges()).filter_map(|n| result_slots.range(n)).map(|(_, length)| length).sum();
        prop_assert_eq!(logged, result_slots.completed());
        prop_assert_eq!((0..size).map(|place| result_slots.get(place)).collect::<Vec<_>>(), model);
        prop_assert_eq!(result_slots.wait(&Patient, Deadline::after(Duration::ZERO)).unwrap(), result_slots.is_complete());
    }
}
