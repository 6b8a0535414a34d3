//! Our collections beside the crates that are known for theirs, one to four threads, the same keys, values and hash:
//! `cargo bench -p ratomic-core`. Run it on a quiet machine; `rake benchmark:crates` writes the ratios of several runs to
//! benchmark/results/crates.txt.
//!
//! Every contestant of a group runs in turn with the others, and a figure is the time that all threads together take for
//! a fixed number of operations each.

#[path = "../tests/support/mod.rs"]
mod support;

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use crossbeam_channel::bounded;
use crossbeam_queue::ArrayQueue;
use dashmap::DashMap;
use ratomic_core::table::Lookup;
use ratomic_core::{Deadline, Queue, Table};
use smallvec::SmallVec;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::{black_box, spin_loop};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use support::{Number, Patient};

/// What a benchmark of maps does.
trait Map: Sync {
    fn get(&self, key: u64) -> Option<u64>;
    fn set(&self, key: u64, value: u64);
    fn add(&self, key: u64);
}

impl Map for Table<u64, u64> {
    fn get(&self, key: u64) -> Option<u64> {
        self.get(&mut Number(key)).unwrap()
    }

    fn set(&self, key: u64, value: u64) {
        self.update(&mut Number(key), &Patient, 1, |place| place.set(key, value))
            .unwrap();
    }

    fn add(&self, key: u64) {
        self.update(&mut Number(key), &Patient, 1, |place| {
            let value = place.get().unwrap_or(0) + 1;
            place.set(key, value);
        })
        .unwrap();
    }
}

/// Hands on what `Number` has made of a key, so that all maps spread their keys alike.
#[derive(Default)]
struct Made(u64);

impl Hasher for Made {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("keys are u64");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = Number(key).hash();
    }
}

type Dash = DashMap<u64, u64, BuildHasherDefault<Made>>;

impl Map for Dash {
    fn get(&self, key: u64) -> Option<u64> {
        DashMap::get(self, &key).map(|value| *value)
    }

    fn set(&self, key: u64, value: u64) {
        self.insert(key, value);
    }

    fn add(&self, key: u64) {
        *self.entry(key).or_insert(0) += 1;
    }
}

type Pairs = SmallVec<[(u64, u64); 1]>;

/// A DashMap as it could stand under a map of Ruby objects: keyed by the hash, with the pairs of that hash as its value,
/// so that keys are compared by the caller and no foreign code runs under its locks.
#[derive(Default)]
struct ByHash(DashMap<u64, Pairs, BuildHasherDefault<Made>>);

impl ByHash {
    fn change(&self, key: u64, change: impl Fn(u64) -> u64) {
        let mut pairs = self.0.entry(Number(key).hash()).or_default();
        match pairs.iter_mut().find(|pair| pair.0 == key) {
            Some(pair) => pair.1 = change(pair.1),
            None => pairs.push((key, change(0))),
        }
    }
}

impl Map for ByHash {
    fn get(&self, key: u64) -> Option<u64> {
        let pairs = self.0.get(&Number(key).hash())?;
        pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1)
    }

    fn set(&self, key: u64, value: u64) {
        self.change(key, |_| value);
    }

    fn add(&self, key: u64) {
        self.change(key, |value| value + 1);
    }
}

const OPERATIONS: u64 = 20_000;
const THREADS: [usize; 3] = [1, 2, 4];
/// Keys of the maps; and of those, how many all threads fight for in the contended groups.
const KEYS: u64 = 10_000;
const HOT: u64 = 4;

/// Time of `threads` threads that each run `work(thread)`, from when all are ready.
fn together(threads: usize, work: impl Fn(u64) + Sync) -> Duration {
    let barrier = Barrier::new(threads + 1);
    let mut took = Duration::ZERO;
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads as u64)
            .map(|thread| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(thread);
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        handles
            .into_iter()
            .for_each(|handle| handle.join().unwrap());
        took = start.elapsed();
    });
    took
}

/// Each thread has keys of its own, or all have the same few.
fn keys(thread: u64, contended: bool) -> impl Iterator<Item = u64> {
    (0..OPERATIONS).map(move |n| {
        if contended {
            n % HOT
        } else {
            (n * 4 + thread) % KEYS
        }
    })
}

fn table() -> Table<u64, u64> {
    let table = Table::new();
    for key in 0..KEYS {
        Map::set(&table, key, key);
        if table.take_due() {
            table.grow(table.level());
        }
    }
    table
}

fn filled<M: Map + Default>() -> M {
    let map = M::default();
    (0..KEYS).for_each(|key| map.set(key, key));
    map
}

fn maps(criterion: &mut Criterion) {
    let (table, dash, by_hash) = (table(), filled::<Dash>(), filled::<ByHash>());
    for contended in [false, true] {
        let at = if contended {
            "the same four keys"
        } else {
            "keys of their own"
        };
        for name in ["get", "set", "add"] {
            let mut group = criterion.benchmark_group(format!("{name}, {at}"));
            for threads in THREADS {
                group.throughput(Throughput::Elements(OPERATIONS * threads as u64));
                let mut measure = |who: &str, took: &dyn Fn() -> Duration| {
                    group.bench_function(BenchmarkId::new(who, threads), |bencher| {
                        bencher.iter_custom(|rounds| (0..rounds).map(|_| took()).sum());
                    });
                };
                measure("Table", &|| run(&table, name, threads, contended));
                measure("DashMap", &|| run(&dash, name, threads, contended));
                measure("DashMap by hash", &|| {
                    run(&by_hash, name, threads, contended)
                });
            }
            group.finish();
        }
    }
}

fn run(map: &impl Map, name: &str, threads: usize, contended: bool) -> Duration {
    together(threads, |thread| {
        let keys = keys(thread, contended);
        match name {
            "get" => keys.for_each(|key| _ = black_box(map.get(key))),
            "set" => keys.for_each(|key| map.set(key, key)),
            _ => keys.for_each(|key| map.add(key)),
        }
    })
}

/// One thread puts in and takes out; then one and two producers with as many consumers.
fn queues(criterion: &mut Criterion) {
    const QUEUE_CAPACITY: usize = 128;
    let (queue, ring) = (Queue::new(QUEUE_CAPACITY), ArrayQueue::new(QUEUE_CAPACITY));
    let (sender, receiver) = bounded(QUEUE_CAPACITY);
    let ours = (
        &(|item| {
            queue
                .push(&Patient, item, Deadline::Never)
                .unwrap()
                .unwrap()
        }) as &(dyn Fn(u64) + Sync),
        &(|| _ = black_box(queue.pop(&Patient, Deadline::Never).unwrap())) as &(dyn Fn() + Sync),
    );
    let channel = (
        &(|item| sender.send(item).unwrap()) as &(dyn Fn(u64) + Sync),
        &(|| _ = black_box(receiver.recv().unwrap())) as &(dyn Fn() + Sync),
    );
    // An ArrayQueue cannot wait: its threads look again, which costs a processor and no wake-ups.
    let spinning = (
        &(|item| {
            while ring.push(item).is_err() {
                spin_loop();
            }
        }) as &(dyn Fn(u64) + Sync),
        &(|| {
            while black_box(ring.pop()).is_none() {
                spin_loop();
            }
        }) as &(dyn Fn() + Sync),
    );
    let mut group = criterion.benchmark_group("push and pop by one thread");
    group.throughput(Throughput::Elements(OPERATIONS));
    for (who, (push, pop)) in [
        ("Queue", ours),
        ("channel", channel),
        ("ArrayQueue", spinning),
    ] {
        group.bench_function(who, |bencher| {
            bencher.iter(|| {
                (0..OPERATIONS).for_each(|item| {
                    push(item);
                    pop();
                });
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("from producers to consumers");
    for pairs in [1, 2] {
        group.throughput(Throughput::Elements(OPERATIONS * pairs as u64));
        for (who, (push, pop)) in [
            ("Queue", ours),
            ("channel", channel),
            ("ArrayQueue", spinning),
        ] {
            group.bench_function(BenchmarkId::new(who, pairs), |bencher| {
                bencher.iter_custom(|rounds| {
                    (0..rounds)
                        .map(|_| {
                            together(2 * pairs, |thread| {
                                (0..OPERATIONS).for_each(|item| {
                                    if thread % 2 == 0 {
                                        push(item)
                                    } else {
                                        pop()
                                    }
                                });
                            })
                        })
                        .sum()
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = yardsticks;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = maps, queues
}
criterion_main!(yardsticks);
