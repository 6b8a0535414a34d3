//! What the collector sees of a Map: an object for each run of shards of its table. A minor collection walks every old object
//! that was given a young one since the last. If that were the Map itself, one new String in it would cost a walk
//! through all its entries; so it is one segment.

use crate::ffi::{
    barrier, class, error,
    gc::{everything_stopped, show_copies},
    Word,
};
use magnus::{gc, prelude::*, typed_data::Obj, DataTypeFunctions, Error, RClass, Ruby, TypedData};
use ratomic_core::Table;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

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
    table: Arc<Table<Word, Word>>,
    shards: Range<usize>,
}

impl DataTypeFunctions for Segment {
    fn mark(&self, _marker: &gc::Marker) {
        let show = |key: &Word, value: &Word| {
            key.mark_movable();
            value.mark_movable();
        };
        let claim = |key: &Word, owner| {
            key.mark();
            Word(owner as _).mark();
        };
        for shard in self.shards.clone() {
            if everything_stopped() {
                // SAFETY: just checked.
                unsafe { self.table.visit(shard, show, claim) };
            } else {
                let some = |skip, pairs: &mut [(Word, Word)]| self.table.some(shard, skip, pairs);
                show_copies((Word::NIL, Word::NIL), some, |(key, value)| {
                    show(key, value)
                });
            }
        }
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        let follow = |key: &mut Word, value: &mut Word| {
            key.relocate();
            value.relocate();
        };
        for shard in self.shards.clone() {
            // SAFETY: only a collection compacts.
            unsafe { self.table.visit_mut(shard, follow) };
        }
    }
}

/// Segments of a Map. Each costs an object; the more there are, the less a minor collection walks.
const COUNT: usize = 64;

/// The segments of one Map, in the order of their shards.
#[derive(Default)]
pub struct Segments(OnceLock<Box<[Word; COUNT]>>);

impl Segments {
    /// To be called before anybody can reach the table through the Map: what is stored is seen by these alone. And after
    /// the Map is sealed, so that the VM has nothing to look into; see [`class::seal`].
    pub fn make(
        &self,
        ruby: &Ruby,
        map: Word,
        table: &Arc<Table<Word, Word>>,
    ) -> Result<(), Error> {
        // On the stack until the Map has them, where a collection finds them and leaves them in their place.
        let mut made = [Word::NIL; COUNT];
        let length = table.shards() / COUNT;
        for place in 0..COUNT {
            let shards = place * length..(place + 1) * length;
            let segment: Obj<Segment> = ruby.obj_wrap(Segment {
                table: Arc::clone(table),
                shards,
            });
            let segment = Word::of(segment.as_value());
            std::hint::black_box(&mut made)[place] = segment;
            class::seal_new::<Segment>(segment)?;
        }
        self.0
            .set(Box::new(made))
            .map_err(|_| error::frozen("already initialized"))?;
        made.iter()
            .for_each(|segment| barrier::written(map, *segment));
        Ok(())
    }

    /// The segment that shows a shard of the table.
    pub fn of(&self, table: &Table<Word, Word>, shard: usize) -> Option<Word> {
        self.0
            .get()
            .map(|segments| segments[shard * COUNT / table.shards()])
    }

    /// In their place: their addresses are not followed.
    pub fn mark(&self) {
        self.0
            .get()
            .into_iter()
            .flat_map(|segments| segments.iter())
            .for_each(Word::mark);
    }
}

pub fn define(map: RClass) -> Result<(), Error> {
    class::define_hidden(map, "Segment")
}
