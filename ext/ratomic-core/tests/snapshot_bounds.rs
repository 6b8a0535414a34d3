//! How many entries a snapshot copies while it holds a lock: what a writer may have to wait for.
#![cfg(not(loom))]

mod support;

use ratomic_core::table::Copied;
use ratomic_core::Table;
use support::{filled, Number, Patient};

const ENTRIES: u64 = 200_000;

/// A step that asks for one pair copies the next shard that has any, under that shard's lock.
#[test]
fn no_lock_is_held_for_more_than_twice_a_shards_part_of_the_entries() {
    let table = filled(ENTRIES);
    let most = 2 * ENTRIES as usize / Table::<u64, u64>::SHARDS;
    let mut buffer = vec![(0, 0); most];
    let (mut steps, mut total) = (0, 0);
    let mut snapshot = table.snapshot(1);
    loop {
        match snapshot.copy(&mut buffer, 1) {
            Copied::Pairs(count) => {
                total += count;
                steps += 1;
            }
            Copied::NoRoom(count) => panic!("{count} entries under one lock, more than {most}"),
            Copied::All => break,
        }
    }
    assert_eq!(total, ENTRIES as usize);
    assert!(steps >= Table::<u64, u64>::SHARDS / 2, "{steps}");
}

/// What a writer copies first, for a snapshot that has not been there, is its own shard and no other.
#[test]
fn a_writer_puts_aside_no_more_than_a_shard() {
    let table = filled(ENTRIES);
    let before = table.memory();
    let snapshot = table.snapshot(1);
    let set = |entry: ratomic_core::table::Entry<'_, u64, u64>| entry.set(0, 1);
    table.update(&mut Number(0), &Patient, 2, set).unwrap();
    let most = 2 * ENTRIES as usize / Table::<u64, u64>::SHARDS * size_of::<(u64, u64)>();
    let copied = table.memory() - before;
    assert!((1..=most).contains(&copied), "{copied} bytes");
    drop(snapshot);
    assert_eq!(table.memory(), before);
}
