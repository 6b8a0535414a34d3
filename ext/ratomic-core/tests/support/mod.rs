//! Hosts for the tests: threads without a VM.
#![allow(dead_code, unused_imports)]

use ratomic_core::table::{Copied, Entry, Lookup, Same, Snapshot};
use ratomic_core::{Deadline, Park, Parker, Table};
use std::convert::Infallible;

#[cfg(loom)]
pub use loom::sync::Arc;
#[cfg(not(loom))]
pub use std::sync::Arc;

/// The rest of a snapshot, through a buffer that begins with room for so many pairs.
pub fn all(mut snapshot: Snapshot<'_, u64, u64>, room: usize) -> Vec<(u64, u64)> {
    let mut pairs = Vec::new();
    let mut buffer = vec![(0, 0); room];
    loop {
        match snapshot.copy(&mut buffer, room) {
            Copied::Pairs(count) => pairs.extend_from_slice(&buffer[..count]),
            Copied::NoRoom(count) => buffer.resize(count, (0, 0)),
            Copied::All => return pairs,
        }
    }
}

/// A table with the numbers below `count`, each under itself, that has grown as its host has it grow.
#[cfg(not(loom))]
pub fn filled(count: u64) -> Table<u64, u64> {
    let table = Table::new();
    for number in 0..count {
        let set = |entry: Entry<'_, u64, u64>| entry.set(number, number);
        table.update(&mut Number(number), &Patient, 1, set).unwrap();
        while table.take_due() && table.should_grow() {
            table.grow(table.level());
        }
    }
    table
}

/// A thread that nobody interrupts.
pub struct Patient;

impl Park for Patient {
    type Error = Infallible;

    fn park(&self, parker: &Arc<Parker>, deadline: Deadline) -> Result<(), Infallible> {
        parker.park(deadline);
        Ok(())
    }

    fn check(&self) -> Result<(), Infallible> {
        Ok(())
    }

    fn is_alive(&self, _thread: usize) -> Result<bool, Infallible> {
        Ok(true)
    }
}

/// A key that needs no foreign code.
pub struct Number(pub u64);

impl Lookup<u64> for Number {
    type Error = Infallible;

    fn hash(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn key(&self) -> u64 {
        self.0
    }

    fn same(&self, stored: u64) -> Same {
        if self.0 == stored {
            Same::Yes
        } else {
            Same::No
        }
    }

    fn ask(&mut self, _stored: u64) -> Result<bool, Infallible> {
        Ok(false)
    }
}

#[cfg(loom)]
mod victim {
    use super::*;
    use loom::sync::{Arc, Mutex};

    #[derive(Debug, PartialEq, Eq)]
    pub struct Killed;

    #[derive(Default)]
    struct State {
        killed: bool,
        asleep: Option<*const Parker>,
    }

    /// A thread that another one can kill. As in the VM, the killer interrupts a sleep under a lock that the sleeper
    /// takes on its way out, so the waiter is alive then.
    pub struct Victim(Mutex<State>);

    // SAFETY: the pointer is used under the lock only, while its waiter sleeps.
    unsafe impl Send for Victim {}
    // SAFETY: as above.
    unsafe impl Sync for Victim {}

    impl Victim {
        pub fn new() -> Arc<Victim> {
            Arc::new(Victim(Mutex::new(State {
                killed: false,
                asleep: None,
            })))
        }

        pub fn kill(&self) {
            let mut state = self.0.lock().unwrap();
            state.killed = true;
            if let Some(parker) = state.asleep {
                // SAFETY: `sleep` takes the pointer away, under this lock, before the waiter is gone.
                unsafe { &*parker }.interrupt();
            }
        }
    }

    impl Park for Victim {
        type Error = Killed;

        fn park(&self, parker: &Arc<Parker>, deadline: Deadline) -> Result<(), Killed> {
            {
                let mut state = self.0.lock().unwrap();
                if state.killed {
                    return Ok(());
                }
                state.asleep = Some(&**parker);
            }
            parker.park(deadline);
            self.0.lock().unwrap().asleep = None;
            Ok(())
        }

        fn check(&self) -> Result<(), Killed> {
            if self.0.lock().unwrap().killed {
                Err(Killed)
            } else {
                Ok(())
            }
        }

        fn is_alive(&self, _thread: usize) -> Result<bool, Killed> {
            Ok(true)
        }
    }
}

#[cfg(loom)]
pub use victim::{Killed, Victim};
