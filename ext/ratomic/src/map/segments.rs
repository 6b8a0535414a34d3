//! What the collector sees of a Map: an object for each run of shards of its table. A minor collection walks every old object
//! that was given a young one since the last. If that were the Map itself, one new String in it would cost a walk
//! through all its entries; so it is one segment.

use crate::ffi::{
    barrier,
    gc::{everything_stopped, show_copies},
    Word,
};
use magnus::{
    gc, prelude::*, typed_data::Obj, DataTypeFunctions, Error, Module, RClass, Ruby, TypedData,
};
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
pub struct Segments(OnceLock<Box<[Word]>>);

impl Segments {
    pub fn make(&self, ruby: &Ruby, map: Word, table: &Arc<Table<Word, Word>>) {
        // In an Array until the Map has them, so that a collection in between finds them.
        let made = ruby.ary_new_capa(COUNT);
        let length = table.shards() / COUNT;
        let one = |place| {
            let shards = place * length..(place + 1) * length;
            let segment: Obj<Segment> = ruby.obj_wrap(Segment {
                table: Arc::clone(table),
                shards,
            });
            segment.freeze();
            // Cannot fail: the Array was made for that many, and nobody else has it.
            let _ = made.push(segment);
            Word::of(segment.as_value())
        };
        let segments = self.0.get_or_init(|| (0..COUNT).map(one).collect());
        segments
            .iter()
            .for_each(|segment| barrier::written(map, *segment));
        std::hint::black_box(made);
    }

    /// The segment that shows a shard of the table.
    pub fn of(&self, table: &Table<Word, Word>, shard: usize) -> Option<Word> {
        self.0
            .get()
            .map(|segments| segments[shard * COUNT / table.shards()])
    }

    /// In their place: their addresses are not followed.
    pub fn mark(&self) {
        self.0.get().into_iter().flatten().for_each(Word::mark);
    }
}

pub fn define(map: RClass) -> Result<(), Error> {
    let segment = map.define_class("Segment", crate::ffi::error::ruby().class_object())?;
    segment.undef_default_alloc_func();
    let _: magnus::Value = map.funcall("private_constant", ("Segment",))?;
    Ok(())
}
