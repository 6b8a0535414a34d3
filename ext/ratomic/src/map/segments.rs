//! What the collector sees of a Map. A minor collection walks every old object that was given a young one since the last.
//! As long as a Map is small, that object is the Map itself. If it were for a large one, a new String would cost a walk
//! through all entries; so there is an object for each run of shards of the table's last level, a segment, and when a
//! shard has many pairs, one for that shard alone. Small segments are also quicker to walk through: what a segment shows
//! the collector is still near the processor when the collector looks into it.
//!
//! Whoever lets another object show a shard tells the collector of everything in it (the write barrier), with no
//! safepoint in between. A segment is shareable, and known as such to the VM, before anything is shown through it, so the
//! VM never has to walk through one to find out.

use super::Map;
use crate::ffi::{
    barrier, class,
    gc::{everything_stopped, looks_at_all},
    memory::prefetch,
    RawValue, Receiver,
};
use magnus::{gc, prelude::*, typed_data::Obj, DataTypeFunctions, Error, RClass, Ruby, TypedData};
use ratomic_core::table::{Moved, Part, Visitor};
use ratomic_core::Table;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

pub type Words = Table<RawValue, RawValue>;

/// The segments that show one shard each: by shard, 0 where there is none.
type Singles = Arc<OnceLock<Box<[AtomicUsize]>>>;

/// Made by a Map for itself; Ruby code has no use for it.
#[derive(TypedData)]
#[magnus(
    class = "Ratomic::Map::Segment",
    free_immediately,
    mark,
    compact,
    wb_protected,
    frozen_shareable
)]
struct Segment {
    table: Arc<Words>,
    shards: Range<usize>,
    /// Those that others show, unless this is one of them.
    elsewhere: Option<Singles>,
}

impl Segment {
    fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        let others = self.elsewhere.as_ref().and_then(|singles| singles.get());
        let shown =
            move |shard: &usize| others.is_none_or(|all| all[*shard].load(Ordering::Acquire) == 0);
        let part = |shard| Part::OfLastLevel(shard..shard + 1);
        self.shards.clone().filter(shown).map(part)
    }
}

/// Both functions run while nothing else does: on 4.0 every collection stops all Ractors, and since 4.1 only one that
/// does so looks into shareable objects. ObjectSpace, too, calls `mark`, but outside a collection.
impl DataTypeFunctions for Segment {
    fn mark(&self, _marker: &gc::Marker) {
        self.parts().for_each(|part| show(&self.table, &part));
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        self.parts().for_each(|part| follow(&self.table, &part));
    }
}

struct Marking {
    /// Whether the collector will look at the objects themselves, and not only at its notes on them.
    closely: bool,
}

impl Visitor<RawValue, RawValue> for Marking {
    fn soon(&mut self, key: &RawValue, value: &RawValue) {
        if self.closely {
            prefetch(key);
            prefetch(value);
        }
    }

    fn pair(&mut self, key: &RawValue, value: &RawValue) {
        key.mark_movable();
        value.mark_movable();
    }

    fn claim(&mut self, key: &RawValue, owner: usize) {
        key.mark();
        RawValue(owner as _).mark();
    }
}

/// Shows the collector, or ObjectSpace, what is in a part of the table.
pub fn show(table: &Words, part: &Part) {
    if everything_stopped() {
        let mut marking = Marking {
            closely: looks_at_all(),
        };
        // SAFETY: just checked.
        unsafe { table.visit(part, &mut marking) };
    } else {
        // On the stack, which keeps the objects alive while the visitor allocates.
        let mut pairs = [(RawValue::NIL, RawValue::NIL); 64];
        let mut showing = Marking { closely: false };
        table.show(part, &mut pairs, |pairs| {
            pairs
                .iter()
                .for_each(|(key, value)| showing.pair(key, value));
        });
    }
}

/// Follows what a compaction has moved.
pub fn follow(table: &Words, part: &Part) {
    // SAFETY: only a collection compacts, and nothing else runs meanwhile.
    unsafe {
        table.visit_mut(part, |key, value| {
            key.relocate();
            value.relocate();
        });
    }
}

/// Segments for the whole table. Each costs an object; the more there are, the less a minor collection walks.
const COUNT: usize = 64;
/// Shards that each of these shows.
const RUN: usize = Words::SHARDS / COUNT;
/// A shard with so many pairs gets a segment of its own.
const MANY: usize = 56;

/// The segments of one Map.
#[derive(Default)]
pub struct Segments {
    runs: OnceLock<Box<[RawValue; COUNT]>>,
    singles: Singles,
}

fn make(ruby: &Ruby, segment: Segment) -> Result<RawValue, Error> {
    let object: Obj<Segment> = ruby.obj_wrap(segment);
    let segment = RawValue::of(object.as_value());
    class::seal_new::<Segment>(segment)?;
    Ok(segment)
}

impl Segments {
    /// Makes the objects that show the last level, before there is one.
    pub fn prepare(
        &self,
        ruby: &Ruby,
        map: Receiver<Map>,
        table: &Arc<Words>,
    ) -> Result<(), Error> {
        if self.runs.get().is_some() {
            return Ok(());
        }
        // On the stack until the Map has them, where a collection finds them and leaves them in their place.
        let mut made = [RawValue::NIL; COUNT];
        for place in 0..COUNT {
            let segment = Segment {
                table: Arc::clone(table),
                shards: place * RUN..(place + 1) * RUN,
                elsewhere: Some(Arc::clone(&self.singles)),
            };
            std::hint::black_box(&mut made)[place] = make(ruby, segment)?;
        }
        // Of two Ractors one is the first, and its segments are the Map's.
        if self.runs.set(Box::new(made)).is_ok() {
            made.iter()
                .for_each(|segment| barrier::write_barrier(map.word(), *segment));
        }
        Ok(())
    }

    /// Tells the collector of all that these show since the table grew.
    pub fn took_over(&self, moved: &Moved<RawValue, RawValue>) {
        for (hash, key, value) in &moved.pairs {
            self.written(*hash, *key);
            self.written(*hash, *value);
        }
        for (hash, key, owner) in &moved.claims {
            self.written(*hash, *key);
            self.written(*hash, RawValue(*owner as _));
        }
    }

    fn written(&self, hash: u64, word: RawValue) {
        if let Some(segment) = self.of(Words::shard_of(hash)) {
            barrier::write_barrier(segment, word);
        }
    }

    /// Gives a shard a segment of its own, if it has many pairs and none yet.
    pub fn part(
        &self,
        ruby: &Ruby,
        map: Receiver<Map>,
        table: &Arc<Words>,
        shard: usize,
    ) -> Result<(), Error> {
        if table.len_of(shard) < MANY || self.single(shard).is_some() {
            return Ok(());
        }
        let single = make(
            ruby,
            Segment {
                table: Arc::clone(table),
                shards: shard..shard + 1,
                elsewhere: None,
            },
        )?;
        let none = || (0..Words::SHARDS).map(|_| AtomicUsize::new(0)).collect();
        let singles = self.singles.get_or_init(none);
        let set = |word: RawValue| {
            singles[shard].compare_exchange(0, word.0 as _, Ordering::AcqRel, Ordering::Acquire)
        };
        if set(single).is_ok() {
            barrier::write_barrier(map.word(), single);
            self.took_over(&table.contents(shard));
        }
        Ok(())
    }

    fn single(&self, shard: usize) -> Option<RawValue> {
        let word = self.singles.get()?[shard].load(Ordering::Acquire);
        (word != 0).then_some(RawValue(word as _))
    }

    /// The segment that shows a shard of the last level.
    pub fn of(&self, shard: usize) -> Option<RawValue> {
        self.single(shard)
            .or_else(|| self.runs.get().map(|segments| segments[shard / RUN]))
    }

    /// In their place: their addresses are not followed.
    pub fn mark(&self) {
        let runs = self.runs.get().into_iter().flat_map(|runs| runs.iter());
        runs.for_each(RawValue::mark);
        for single in self.singles.get().into_iter().flat_map(|all| all.iter()) {
            match single.load(Ordering::Acquire) {
                0 => {}
                word => RawValue(word as _).mark(),
            }
        }
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        let runs = self
            .runs
            .get()
            .map_or(0, |_| COUNT * size_of::<(RawValue, Segment)>());
        let singles = self.singles.get().map_or(0, |all| size_of_val(&**all));
        runs + singles
    }
}

pub fn define(map: RClass) -> Result<(), Error> {
    looks_at_all(); // for the first time, while it may allocate
    class::define_hidden(map, "Segment")
}
