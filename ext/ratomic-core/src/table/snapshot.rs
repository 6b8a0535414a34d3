//! A snapshot that is being copied. [`super::moments`] says why all its pairs are of one moment.

use super::levels::CachePadded;
use super::Table;

pub struct Snapshot<'a, K: Copy + PartialEq, V: Copy> {
    table: &'a Table<K, V>,
    number: usize,
    level: usize,
    next: usize,
}

/// The result of one step.
#[derive(Debug, PartialEq, Eq)]
pub enum Copied {
    /// This number of pairs was copied, from one or more shards.
    Pairs(usize),
    /// The buffer is too short for the next shard, which has this number of pairs.
    NoRoom(usize),
    /// There are no more.
    All,
}

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Begins a snapshot, of this moment, in the thread `me`.
    pub fn snapshot(&self, me: usize) -> Snapshot<'_, K, V> {
        Snapshot::begin(self, me)
    }
}

impl<'a, K: Copy + PartialEq, V: Copy> Snapshot<'a, K, V> {
    /// Begins a snapshot of this moment.
    fn begin(table: &'a Table<K, V>, me: usize) -> Self {
        // Growth would change which shard is the next.
        let _still = table.growing.write();
        Snapshot {
            number: table.moments.begin(me),
            level: table.levels.current(),
            next: 0,
            table,
        }
    }

    /// Copies the pairs of the next shards, as they were at the moment, until `buffer` is full or `enough` pairs were
    /// copied. It holds one shard's lock at a time, for as long as copying that shard takes.
    pub fn copy(&mut self, buffer: &mut [(K, V)], enough: usize) -> Copied {
        let mut copied = 0;
        while self.next < self.table.levels.shards(self.level).len() && copied < enough {
            match self.copy_one(&mut buffer[copied..]) {
                Ok(count) => copied += count,
                Err(count) if copied == 0 => return Copied::NoRoom(count),
                Err(_) => break,
            }
        }
        if copied > 0 || self.next < self.table.levels.shards(self.level).len() {
            Copied::Pairs(copied)
        } else {
            Copied::All
        }
    }

    fn copy_one(&mut self, buffer: &mut [(K, V)]) -> Result<usize, usize> {
        let CachePadded(guarded) = &self.table.levels.shards(self.level)[self.next];
        let shard = guarded.read();
        let behind = shard.seen() < self.number;
        let aside = shard.aside(self.number);
        let count = match (behind, aside) {
            (true, _) => shard.len(),
            (false, aside) => aside.map_or(0, <[_]>::len),
        };
        if count > buffer.len() {
            return Err(count);
        }
        if behind {
            for (place, pair) in buffer.iter_mut().zip(shard.pairs()) {
                *place = (pair.key, pair.value);
            }
        } else if let Some(pairs) = aside {
            buffer[..count].copy_from_slice(pairs);
        }
        let has_aside = aside.is_some();
        self.next += 1;
        self.table.moments.pass(self.number, self.next);
        drop(shard);
        if has_aside {
            let shard = self.next - 1;
            guarded
                .write()
                .forget(self.number, shard, &self.table.totals);
        }
        Ok(count)
    }
}

impl<K: Copy + PartialEq, V: Copy> Drop for Snapshot<'_, K, V> {
    fn drop(&mut self) {
        self.table.moments.end(self.number);
        let shards = self.table.levels.shards(self.level);
        for (shard, CachePadded(guarded)) in shards.iter().enumerate().skip(self.next) {
            let wasted = guarded.read().aside(self.number).is_some();
            if wasted {
                guarded
                    .write()
                    .forget(self.number, shard, &self.table.totals);
            }
        }
    }
}
