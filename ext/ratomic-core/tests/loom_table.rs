//! Claims under the model checker.
#![cfg(loom)]

mod support;

use loom::sync::Arc;
use loom::thread;
use ratomic_core::table::{Failure, Lookup, Same};
use ratomic_core::Table;
use support::{all, Killed, Number, Patient, Victim};

/// A number as a thread that can be killed looks for it.
struct Victims(u64);

impl Lookup<u64> for Victims {
    type Error = Killed;

    fn hash(&self) -> u64 {
        Number(self.0).hash()
    }

    fn key(&self) -> u64 {
        self.0
    }

    fn same(&self, stored: u64) -> Same {
        Number(self.0).same(stored)
    }

    fn ask(&mut self, _stored: u64) -> Result<bool, Killed> {
        Ok(false)
    }
}

type Numbers = Table<u64, u64>;

fn add_one(table: &Numbers, key: u64, me: usize) {
    let held = table.claim(&mut Number(key), &Patient, me).unwrap();
    thread::yield_now();
    let next = held.value.unwrap_or(0) + 1;
    table.release(&held, |place| place.set(key, next));
}

#[test]
fn a_claim_makes_reading_and_writing_one_step() {
    loom::model(|| {
        let table = Arc::new(Numbers::new());
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || add_one(&table, 1, 102))
        };
        add_one(&table, 1, 101);
        other.join().unwrap();
        assert_eq!(table.get(&mut Number(1)), Ok(Some(2)));
    });
}

#[test]
fn a_plain_write_waits_for_the_claim_on_its_key() {
    loom::model(|| {
        let table = Arc::new(Numbers::new());
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                table
                    .update(&mut Number(1), &Patient, 202, |place| place.set(1, 10))
                    .unwrap()
            })
        };
        add_one(&table, 1, 201);
        other.join().unwrap();
        let value = table.get(&mut Number(1)).unwrap();
        assert!(value == Some(10) || value == Some(11), "{value:?}");
    });
}

/// Each holds one key and writes the other's. Nobody may sleep for ever, and at least one is told.
#[test]
fn two_owners_that_write_each_others_keys_do_not_wait_for_ever() {
    fn cross(table: &Numbers, mine: u64, theirs: u64, me: usize) -> bool {
        let held = table.claim(&mut Number(mine), &Patient, me).unwrap();
        let told = table.update(&mut Number(theirs), &Patient, me, |place| {
            place.set(theirs, 0)
        });
        table.release(&held, |place| place.set(mine, 1));
        matches!(told, Err(Failure::Deadlock))
    }

    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let table = Arc::new(Numbers::new());
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || cross(&table, 2, 1, 302))
        };
        let mine = cross(&table, 1, 2, 301);
        let theirs = other.join().unwrap();
        assert!(!(mine && theirs), "one of them could have gone on");
    });
}

#[test]
fn a_killed_waiter_leaves_the_claim_as_it_is() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let table = Arc::new(Numbers::new());
        let victim = Victim::new();
        let killed = {
            let (table, victim) = (Arc::clone(&table), Arc::clone(&victim));
            thread::spawn(move || {
                table.update(&mut Victims(1), &*victim, 402, |place| place.set(1, 10))
            })
        };
        let killer = thread::spawn(move || victim.kill());
        add_one(&table, 1, 401);
        let outcome = killed.join().unwrap();
        killer.join().unwrap();
        let value = table.get(&mut Number(1)).unwrap();
        match outcome {
            Ok(()) => assert!(value == Some(10) || value == Some(11), "{value:?}"),
            Err(_) => assert_eq!(value, Some(1)),
        }
    });
}

/// Two keys in the two shards that a table begins with under the model checker: in the first, and in the second.
fn apart() -> (u64, u64) {
    let shard = |key: &u64| (Number(*key).hash() << 7) >> 63;
    let in_shard = |wanted| (0..).find(|key| shard(key) == wanted).unwrap();
    (in_shard(0), in_shard(1))
}

fn write(table: &Numbers, key: u64, value: u64, me: usize) {
    table
        .update(&mut Number(key), &Patient, me, |place| {
            place.set(key, value)
        })
        .unwrap();
}

/// The second write comes after the first, so a snapshot of one moment that has the second has the first.
#[test]
fn a_snapshot_is_of_one_moment_though_it_is_copied_shard_by_shard() {
    let (first, second) = apart();
    for (earlier, later) in [(first, second), (second, first)] {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let table = Arc::new(Numbers::new());
            write(&table, first, 0, 501);
            write(&table, second, 0, 501);
            let writer = {
                let table = Arc::clone(&table);
                thread::spawn(move || {
                    write(&table, earlier, 1, 502);
                    write(&table, later, 1, 502);
                })
            };
            let pairs = all(table.snapshot(503), 2);
            assert_eq!(pairs.len(), 2);
            let value = |key| pairs.iter().find(|pair| pair.0 == key).unwrap().1;
            assert!(value(earlier) >= value(later), "{pairs:?}");
            writer.join().unwrap();
            assert_eq!(table.get(&mut Number(later)), Ok(Some(1)));
        });
    }
}

#[test]
fn two_snapshots_at_once_are_each_of_one_moment_and_one_given_up_harms_none() {
    let (first, second) = apart();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(move || {
        let table = Arc::new(Numbers::new());
        write(&table, first, 0, 601);
        write(&table, second, 0, 601);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                write(&table, first, 1, 602);
                write(&table, second, 1, 602);
            })
        };
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let mut given_up = table.snapshot(603);
                given_up.copy(&mut [(0, 0)], 1);
            })
        };
        let pairs = all(table.snapshot(604), 1);
        let value = |key| pairs.iter().find(|pair| pair.0 == key).unwrap().1;
        assert!(value(first) >= value(second), "{pairs:?}");
        writer.join().unwrap();
        other.join().unwrap();
    });
}

/// Readers and writers find the key wherever it is while it moves to another shard.
#[test]
fn a_table_that_gets_more_shards_loses_no_write() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let table = Arc::new(Numbers::new());
        (0..3).for_each(|key| write(&table, key, 0, 701));
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                add_one(&table, 1, 702);
                write(&table, 2, 5, 702);
            })
        };
        assert_eq!(table.grow(0).map(|moved| moved.pairs.len()), Some(3));
        assert!(table.get(&mut Number(1)).unwrap().is_some());
        writer.join().unwrap();
        let values: Vec<_> = (0..3)
            .map(|key| table.get(&mut Number(key)).unwrap())
            .collect();
        assert_eq!(values, [Some(0), Some(1), Some(5)]);
    });
}
