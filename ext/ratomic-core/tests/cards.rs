//! What a collector is told of a table: a model of a generational collector, that only looks at what was written.
#![cfg(not(loom))]

mod support;

use ratomic_core::table::{Entry, Mark, Part, Snapshot, Visitor};
use ratomic_core::Table;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use support::{all, Number, Patient};

type Numbers = Table<u64, u64>;
/// A snapshot under way, and what it has to find.
type Expected<'a> = (Snapshot<'a, u64, u64>, Vec<(u64, u64)>);

/// Shards that an object shows which shows no card, as in the extension.
const RUN: usize = Numbers::SHARDS / 64;
/// Collections that a value survives before it is old.
const YOUTH: u64 = 3;

/// A generator of Marsaglia's.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[derive(Default)]
struct Seen(Vec<u64>);

impl Visitor<u64, u64> for Seen {
    fn pair(&mut self, _key: &u64, value: &u64) {
        self.0.push(*value);
    }

    fn claim(&mut self, _key: &u64, _owner: usize) {}
}

/// A table, and what a host of its would be to a collector: objects that show parts of it, each with a number.
struct Host {
    /// Shared with the snapshots of a test.
    table: Arc<Numbers>,
    /// What each card's object shows. The object of a run of shards is `run + 1`.
    cards: HashMap<usize, Part>,
    next_object: usize,
    next_value: u64,
    /// The collection before which each value was stored for the first time.
    born: HashMap<u64, u64>,
    collections: u64,
    /// Of each object, what the collector knows that it refers to and that is young.
    told: HashSet<(usize, u64)>,
}

impl Host {
    fn new(entries: u64) -> Self {
        let mut host = Host {
            table: Arc::new(Table::new()),
            cards: HashMap::new(),
            next_object: 1_000,
            next_value: 0,
            born: HashMap::new(),
            collections: 0,
            told: HashSet::new(),
        };
        for key in 0..entries {
            host.set(key);
            while host.table.should_grow() {
                let moved = host.table.grow(host.table.level()).unwrap();
                for (hash, _, value) in moved.pairs {
                    host.told.insert((run_of(hash), value));
                }
            }
        }
        assert!(host.table.is_at_last_level());
        host
    }

    fn set(&mut self, key: u64) {
        let value = self.next_value;
        self.next_value += 1;
        self.born.insert(value, self.collections);
        let store = |entry: Entry<'_, u64, u64>| entry.store(key, value).token();
        let token = self
            .table
            .update(&mut Number(key), &Patient, 1, store)
            .unwrap();
        let object = if token == 0 { run_of_key(key) } else { token };
        self.told.insert((object, value));
    }

    fn delete(&mut self, key: u64) {
        let remove = |entry: Entry<'_, u64, u64>| entry.remove();
        self.table
            .update(&mut Number(key), &Patient, 1, remove)
            .unwrap();
    }

    /// What has to be done before the next collection.
    fn settle(&mut self) -> Vec<usize> {
        if !self.table.take_due() {
            return Vec::new();
        }
        let needing = self.table.take_needing();
        for shard in &needing {
            for (token, _, value) in self.table.settle(*shard) {
                let object = if token == 0 { shard / RUN + 1 } else { token };
                self.told.insert((object, value));
            }
        }
        needing
    }

    /// What may be done after one.
    fn add_cards(&mut self, needing: Vec<usize>) {
        for shard in needing {
            for card in self.table.cards_without_token(shard) {
                let object = self.next_object;
                self.next_object += 1;
                if let Some(pairs) = self.table.set_token(shard, card, object) {
                    let token = object;
                    self.cards.insert(object, Part::Card { shard, card, token });
                    for (_, value) in pairs {
                        self.told.insert((object, value));
                    }
                }
            }
        }
    }

    /// The objects that live, and what each shows.
    fn objects(&self) -> Vec<(usize, Part)> {
        let part = |run| Part::Shards {
            first: run * RUN,
            count: RUN,
        };
        let mut objects: Vec<_> = (0..64).map(|run| (run + 1, part(run))).collect();
        let mut token = |token: usize| objects.push((token, self.cards[&token]));
        // SAFETY: there is one thread.
        unsafe { self.table.visit_tokens(&mut token) };
        let mut locked = Vec::new();
        self.table.visit_tokens_locked(|token| locked.push(token));
        assert!(locked
            .iter()
            .eq(objects[64..].iter().map(|(token, _)| token)));
        objects
    }

    /// Fails if a young value is shown by an object that was not told of.
    fn collect(&mut self) {
        self.collections += 1;
        let mut still = HashSet::new();
        for (object, part) in self.objects() {
            let mut seen = Seen::default();
            // SAFETY: there is one thread.
            unsafe { self.table.visit(part, &mut seen) };
            for value in seen.0 {
                if self.born[&value] + YOUTH < self.collections {
                    continue;
                }
                assert!(self.told.contains(&(object, value)), "{object}: {value}");
                still.insert((object, value));
            }
        }
        self.told = still;
        self.forget_left_over();
    }

    /// Objects that the table names no more. Nobody tells these of anything, so they must not show anything.
    fn forget_left_over(&mut self) {
        let named: HashSet<usize> = self
            .objects()
            .into_iter()
            .map(|(object, _)| object)
            .collect();
        for (object, part) in &self.cards {
            let mut seen = Seen::default();
            // SAFETY: there is one thread.
            unsafe { self.table.visit(*part, &mut seen) };
            assert!(named.contains(object) || seen.0.is_empty(), "{object}");
        }
        self.cards.retain(|object, _| named.contains(object));
    }

    /// Everything shown.
    fn shown(&self) -> HashSet<u64> {
        let mut all = HashSet::new();
        for (_, part) in self.objects() {
            let mut seen = Seen::default();
            // SAFETY: there is one thread.
            unsafe { self.table.visit(part, &mut seen) };
            let mut locked = Seen::default();
            self.table.visit_locked(part, &mut locked);
            assert_eq!(seen.0, locked.0);
            all.extend(seen.0);
        }
        all
    }
}

fn run_of(hash: u64) -> usize {
    Numbers::shard_of(hash) / RUN + 1
}

fn run_of_key(key: u64) -> usize {
    use ratomic_core::table::Lookup;
    run_of(Number(key).hash())
}

/// Keys that come into few shards, so that these have many cards.
fn crowded_keys(count: usize) -> Vec<u64> {
    use ratomic_core::table::Lookup;
    let few = |key: &u64| Numbers::shard_of(Number(*key).hash()) < 8;
    (1_000_000..).filter(few).take(count).collect()
}

fn rounds(seed: u64) {
    let mut random = Random(seed);
    let mut host = Host::new(100);
    let keys = crowded_keys(16_000);
    let table = Arc::clone(&host.table);
    let mut snapshots: Vec<Expected<'_>> = Vec::new();
    let mut most = 0;
    for round in 0..300 {
        let part = 100 + random.below(keys.len() as u64 - 100);
        for _ in 0..random.below(1_500) {
            let key = keys[random.below(part) as usize];
            match random.below(16 + 8 * (round / 50 % 2)) {
                0..12 => host.set(key),
                _ => host.delete(key),
            }
        }
        match random.below(24) {
            0..6 if snapshots.len() < 3 => {
                let expected = all(table.snapshot(2), 4_096);
                snapshots.push((table.snapshot(3), expected));
            }
            6..9 if !snapshots.is_empty() => {
                let place = random.below(snapshots.len() as u64) as usize;
                let (snapshot, expected) = snapshots.swap_remove(place);
                let shown = host.shown();
                assert!(expected.iter().all(|(_, value)| shown.contains(value)));
                let (mut found, mut expected) = (all(snapshot, 4_096), expected);
                found.sort_unstable();
                expected.sort_unstable();
                assert!(found == expected, "the snapshot is another");
            }
            9 if random.below(4) == 0 => host.table.clear(&Patient, 1).unwrap(),
            10..12 => {
                let mut mark = Mark::default();
                let odd = |value: &u64| value % 2 == 1;
                host.table.sweep(&mut mark, 10_000, odd);
            }
            _ => {}
        }
        if random.below(2) == 0 {
            let needing = host.settle();
            if random.below(3) == 0 {
                host.collect();
            }
            host.add_cards(needing);
        }
        most = most.max(host.objects().len());
    }
    assert!(most > 120, "{most} objects");
}

#[test]
fn a_collector_that_looks_only_at_what_was_written_finds_all_that_is_young() {
    for seed in 1..=2 {
        rounds(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
    }
}

/// What a snapshot keeps of values that were moved from card to card and then removed, before anybody settled.
#[test]
fn what_is_put_aside_between_a_move_and_its_report_is_told_of() {
    let mut host = Host::new(100);
    let keys = crowded_keys(2_000);
    for key in &keys[..1_000] {
        host.set(*key);
        let needing = host.settle();
        host.add_cards(needing);
    }
    host.settle();
    host.collect();
    for key in &keys[1_000..] {
        host.set(*key);
    }
    let table = Arc::clone(&host.table);
    let snapshot = table.snapshot(2);
    host.table.clear(&Patient, 1).unwrap();
    let needing = host.settle();
    host.collect();
    host.add_cards(needing);
    assert_eq!(all(snapshot, 4_096).len(), 2_100);
}

/// A compaction reaches each pair once, also those that a snapshot keeps.
#[test]
fn whoever_moves_values_finds_all_that_is_there_and_all_that_was_put_aside() {
    const MOVED: u64 = 1 << 40;
    let mut host = Host::new(100);
    let keys = crowded_keys(2_000);
    for key in &keys {
        host.set(*key);
        let needing = host.settle();
        host.add_cards(needing);
    }
    let expected = all(host.table.snapshot(1), 4_096);
    let table = Arc::clone(&host.table);
    let (first, second) = (table.snapshot(2), table.snapshot(3));
    keys[..1_000].iter().for_each(|key| host.delete(*key));
    for (_, part) in host.objects() {
        // SAFETY: there is one thread.
        unsafe { host.table.visit_mut(part, |_, value| *value += MOVED) };
    }
    for snapshot in [first, second] {
        let (mut found, mut expected) = (all(snapshot, 4_096), expected.clone());
        expected.iter_mut().for_each(|(_, value)| *value += MOVED);
        found.sort_unstable();
        expected.sort_unstable();
        assert!(found == expected, "something was not reached, or twice");
    }
}
