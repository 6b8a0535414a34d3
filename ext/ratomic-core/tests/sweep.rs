//! Removal by value, a few places at a time.
#![cfg(not(loom))]

mod support;

use ratomic_core::table::{Mark, Part};
use ratomic_core::Table;
use std::convert::Infallible;
use support::{all, filled, Number, Patient};

fn even(value: &u64) -> bool {
    value % 2 == 0
}

#[test]
fn a_round_of_small_sweeps_removes_what_is_over_and_nothing_else() {
    for count in [0, 1, 3, 40, 5_000] {
        let table = filled(count);
        let mut mark = Mark::default();
        let mut removed = 0;
        for _ in 0..4_000 {
            removed += table.sweep(&mut mark, 16, even);
        }
        assert_eq!(removed as u64, count.div_ceil(2));
        assert_eq!(table.len() as u64, count / 2);
        let mut left = all(table.snapshot(1), 16);
        left.sort_unstable();
        let odd = (0..count).filter(|key| key % 2 == 1).map(|key| (key, key));
        assert_eq!(left, odd.collect::<Vec<_>>());
    }
}

#[test]
fn a_sweep_of_all_removes_all_at_once() {
    let table = filled(5_000);
    assert_eq!(table.sweep_all(even), 2_500);
    assert_eq!(table.sweep_all(even), 0);
    assert_eq!(table.len(), 2_500);
}

#[test]
fn a_snapshot_keeps_what_is_swept_meanwhile() {
    let table = filled(1_000);
    let snapshot = table.snapshot(1);
    table.sweep_all(|_| true);
    assert!(table.is_empty());
    assert_eq!(all(snapshot, 16).len(), 1_000);
}

#[test]
fn the_owner_of_a_claim_stores_what_was_swept_anew() {
    let table = filled(100);
    let held = table.claim(&mut Number(2), &Patient, 1).unwrap();
    assert_eq!(table.sweep_all(|_| true), 100);
    table.release(&held, |place| place.set(2, 7));
    let found: Result<_, Infallible> = table.get(&mut Number(2));
    assert_eq!((found, table.len()), (Ok(Some(7)), 1));
}

#[test]
fn what_a_claim_takes_is_counted_as_what_a_clear_gives_back() {
    let table = filled(1);
    table.clear(&Patient, 1).unwrap();
    let before = table.memory();
    for _ in 0..100 {
        let held = table.claim(&mut Number(2), &Patient, 1).unwrap();
        table.release(&held, |place| place.set(2, 7));
        table.clear(&Patient, 1).unwrap();
    }
    assert_eq!(table.memory(), before);
}

/// A collector that moves values while snapshots are under way.
#[test]
fn whoever_moves_values_reaches_also_what_was_put_aside_for_snapshots() {
    const MOVED: u64 = 1 << 40;
    let table = filled(1_000);
    let (first, second) = (table.snapshot(1), table.snapshot(2));
    table.sweep_all(even);
    let last = Part::Shards {
        first: 0,
        count: Table::<u64, u64>::SHARDS,
    };
    for part in [Part::BelowLastLevel, last] {
        // SAFETY: there is one thread.
        unsafe { table.visit_mut(part, |_, value| *value += MOVED) };
    }
    for snapshot in [first, second] {
        let mut found = all(snapshot, 1_024);
        found.sort_unstable();
        let expected: Vec<_> = (0..1_000).map(|key| (key, key + MOVED)).collect();
        assert_eq!(found, expected);
    }
}
