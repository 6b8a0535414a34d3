//! Keys of one hash, which only foreign code can compare.
#![cfg(not(loom))]

mod support;

use ratomic_core::table::{Lookup, Same};
use ratomic_core::Table;
use std::cell::Cell;
use std::collections::HashSet;
use std::convert::Infallible;
use support::Patient;

struct Odd {
    number: u64,
    others: HashSet<u64>,
    looks: Cell<usize>,
}

impl Odd {
    fn new(number: u64) -> Odd {
        Odd {
            number,
            others: HashSet::new(),
            looks: Cell::new(0),
        }
    }
}

impl Lookup<u64> for Odd {
    type Error = Infallible;

    fn hash(&self) -> u64 {
        7
    }

    fn key(&self) -> u64 {
        self.number
    }

    fn same(&self, stored: u64) -> Same {
        self.looks.set(self.looks.get() + 1);
        match self.others.contains(&stored) {
            true => Same::No,
            false => Same::Ask,
        }
    }

    fn ask(&mut self, stored: u64) -> Result<bool, Infallible> {
        assert!(self.others.insert(stored), "it was asked before");
        Ok(false)
    }
}

#[test]
fn a_new_key_asks_each_of_the_others_once_in_a_few_attempts() {
    const COUNT: usize = 160;
    let table = Table::new();
    for number in 0..=COUNT as u64 {
        let mut key = Odd::new(number);
        table
            .update(&mut key, &Patient, 1, |entry| entry.set(number, number))
            .unwrap();
        assert_eq!(key.others.len(), number as usize);
        assert!(key.looks.get() <= COUNT * (COUNT / 16 + 1));
    }
}
