//! Shows the collector what is in a Map, in parts. A minor collection visits the contents of every old object into which a
//! young object was stored since the collection before. For a small Map that old object is the Map itself. For a large Map
//! this would mean that one new String costs a visit of all entries. So the last level of the table has 64 objects, each of
//! which shows a run of shards. When a shard has many pairs, each of its cards (128 neighbouring buckets, with about a
//! hundred pairs) gets an object too, which then shows the card instead of the run's object. This is card marking, with an
//! object as the mark.
//!
//! Invariants:
//! - **Exactly one object shows each pair** whenever a collection can begin. Below the last level it is the Map. At the
//!   last level it is the object whose address is the card's token or, if the card has no token, the object of the run.
//!   Copies of pairs that were put aside for snapshots are shown by the object of the card that the pairs were in.
//!   Claims and the first pair of a shard are shown by the object of the run.
//! - **A thread that makes an object show a word calls the write barrier** for the two before its next safepoint. A
//!   collection that may free the word stops all Ractors at safepoints, so it cannot begin in between. (A local collection
//!   of Ruby 4.1 frees no shareable object, and does not look at those of other heaps.) Nor can a fork that Ruby 4.0 or
//!   newer makes. (An older Ruby, or a C library that forks by itself, does not stop the other
//!   Ractors. A collection of the child may miss what another Ractor has stored at that moment.) Other threads may change
//!   or clear the shard before the barrier is called: the word and the token's object, both read under the lock, cannot be
//!   freed before that safepoint, and an unnecessary barrier does no harm. So the collector knows of each old object that
//!   refers to a young one, and in an incremental marking of each marked object that refers to an unmarked one.
//! - **The write barrier is called for all pairs that have moved to other cards**, by [`GcCards::settle`]. Their shard is
//!   noted under its lock as one that needs it, and then the table as due. The thread that takes the note of the table (the
//!   writer or another thread) settles all noted shards before its next safepoint. This includes copies of moved pairs that
//!   a writer has put aside and then removed from the shard.
//! - **An object whose address is no card's token shows nothing.** When a table is cleared or gets fewer cards, such
//!   objects are left until they are collected, and no barrier is called for them.
//! - **The objects do not move**, because the table has their addresses. The Map pins them when it is marked; if it was
//!   marked before they were made, the barrier pins them. The pairs may move: each object updates what it shows.
//! - **Each object is noted as shareable before it shows anything.** So the VM never walks through one to find out whether
//!   it is shareable.

use super::{marking::Marking, Map};
use crate::ffi::{
    barrier, class,
    gc::{access, looks_at_all, show_copies, Access},
    kept::Kept,
    RawValue, Receiver,
};
use magnus::{gc, prelude::*, typed_data::Obj, DataTypeFunctions, Error, RClass, Ruby, TypedData};
use ratomic_core::table::{Moved, Part};
use ratomic_core::Table;
use std::sync::{Arc, OnceLock};

pub type Words = Table<RawValue, RawValue>;

/// Made by a Map for itself; Ruby code has no use for it.
#[derive(TypedData)]
#[magnus(
    class = "Ratomic::Map::GcCard",
    free_immediately,
    mark,
    compact,
    size,
    wb_protected,
    frozen_shareable
)]
struct GcCard {
    /// Set after the object was noted as shareable. Until then it must hold nothing: the VM's walk might look into it.
    shown: OnceLock<(Arc<Words>, Part)>,
}

/// Which threads may run meanwhile: see [`crate::ffi::gc`].
impl DataTypeFunctions for GcCard {
    fn mark(&self, _marker: &gc::Marker) {
        if let Some((table, part)) = self.shown.get() {
            show(table, *part);
        }
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        if let Some((table, part)) = self.shown.get() {
            follow(table, *part);
        }
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

/// Shows the collector, or ObjectSpace, what is in a part of the table.
pub fn show(table: &Words, part: Part) {
    let access = access();
    if matches!(access, Access::Copied) {
        // On the stack, which keeps the objects alive while the visitor allocates.
        let mut pairs = [(RawValue::NIL, RawValue::NIL); 64];
        return table.show(part, &mut pairs, |pairs| {
            for (key, value) in pairs {
                key.mark_movable();
                value.mark_movable();
            }
        });
    }
    let mut marking = Marking::new(looks_at_all());
    if matches!(access, Access::Locked) {
        table.visit_locked(part, &mut marking);
    } else {
        // SAFETY: all other threads are stopped at safepoints, and none is reached under a lock.
        unsafe { table.visit(part, &mut marking) };
    }
    marking.finish();
}

/// Updates the words of a part after a compaction has moved objects.
pub fn follow(table: &Words, part: Part) {
    // SAFETY: only a collection compacts, and nothing else runs meanwhile.
    unsafe {
        table.visit_mut(part, |key, value| {
            key.relocate();
            value.relocate();
        });
    }
}

/// How many objects show the shards of the last level to the collector, without their cards. With more objects a minor
/// collection walks fewer entries, but each object takes memory.
const SHARD_RUNS: usize = 64;
/// Shards that each of these objects shows: a run of neighbours.
const RUN_SHARDS: usize = Words::SHARDS / SHARD_RUNS;

/// The objects that show the runs of shards of one Map's table. The objects of the cards are known to the table only.
#[derive(Default)]
pub struct GcCards(OnceLock<Box<[RawValue; SHARD_RUNS]>>);

/// An object that shows nothing yet.
fn make(ruby: &Ruby) -> Result<Obj<GcCard>, Error> {
    let object: Obj<GcCard> = ruby.obj_wrap(GcCard {
        shown: OnceLock::new(),
    });
    class::seal_new::<GcCard>(RawValue::of(object.as_value()))?;
    Ok(object)
}

impl GcCard {
    fn show(&self, table: &Arc<Words>, part: Part) {
        self.shown.get_or_init(|| (Arc::clone(table), part));
    }
}

impl GcCards {
    /// Makes the objects that show the last level, before there is one.
    pub fn prepare(
        &self,
        ruby: &Ruby,
        map: Receiver<Map>,
        table: &Arc<Words>,
    ) -> Result<(), Error> {
        if self.0.get().is_some() {
            return Ok(());
        }
        let mut made: [Option<Obj<GcCard>>; SHARD_RUNS] = [None; SHARD_RUNS];
        let mut words = [RawValue::NIL; SHARD_RUNS];
        // Until the Map has them, so that a collection neither frees nor moves them.
        let mut kept = [const { None }; SHARD_RUNS];
        for run in 0..SHARD_RUNS {
            let object = make(ruby)?;
            words[run] = RawValue::of(object.as_value());
            kept[run] = Some(Kept::new(words[run]));
            made[run] = Some(object);
        }
        // If two Ractors do this at the same time, the Map takes the objects of the first. The others show nothing.
        if self.0.set(Box::new(words)).is_ok() {
            for (run, object) in made.iter().flatten().enumerate() {
                let part = Part::Shards {
                    first: run * RUN_SHARDS,
                    count: RUN_SHARDS,
                };
                object.show(table, part);
                barrier::write_barrier(map.word(), words[run]);
            }
        }
        Ok(())
    }

    /// Calls the write barrier for all that the objects show since the table has grown to the last level.
    pub fn took_over(&self, moved: &Moved<RawValue, RawValue>) {
        let written = |hash: u64, word: RawValue| {
            if let Some(run) = self.run(Words::shard_of(hash)) {
                barrier::write_barrier(run, word);
            }
        };
        for (hash, key, value) in &moved.pairs {
            written(*hash, *key);
            written(*hash, *value);
        }
        for (hash, key, owner) in &moved.claims {
            written(*hash, *key);
            written(*hash, RawValue(*owner as _));
        }
    }

    /// Gives objects to the cards of a shard that have none.
    pub fn add(
        &self,
        ruby: &Ruby,
        map: Receiver<Map>,
        table: &Arc<Words>,
        shard: usize,
    ) -> Result<(), Error> {
        for card in table.cards_without_token(shard) {
            let object = make(ruby)?;
            let word = RawValue::of(object.as_value());
            let token = word.0 as usize;
            object.show(table, Part::Card { shard, card, token });
            if let Some(pairs) = table.set_token(shard, card, token) {
                barrier::write_barrier(map.word(), word);
                for (key, value) in pairs {
                    barrier::write_barrier(word, key);
                    barrier::write_barrier(word, value);
                }
            }
        }
        Ok(())
    }

    /// Frees empty memory of a shard, and calls the write barrier for pairs that have moved to other cards. Reaches no
    /// safepoint.
    pub fn settle(&self, table: &Words, shard: usize) {
        let moved = table.settle(shard);
        let run = self.run(shard);
        for (token, key, value) in moved {
            let card = if token == 0 {
                run
            } else {
                Some(RawValue(token as _))
            };
            if let Some(card) = card {
                barrier::write_barrier(card, key);
                barrier::write_barrier(card, value);
            }
        }
    }

    /// The object that shows a shard of the last level, without its cards that have a token.
    pub fn run(&self, shard: usize) -> Option<RawValue> {
        self.0.get().map(|runs| runs[shard / RUN_SHARDS])
    }

    /// Marks the objects of the runs and of the cards, and pins them.
    pub fn mark(&self, table: &Words) {
        let runs = self.0.get().into_iter().flat_map(|runs| runs.iter());
        runs.for_each(RawValue::mark);
        let mark = |token| RawValue(token as _).mark();
        match access() {
            // SAFETY: all other threads are stopped at safepoints, and none is reached under a lock.
            Access::Stopped => unsafe { table.visit_tokens(mark) },
            Access::Locked => table.visit_tokens_locked(mark),
            Access::Copied => {
                for shard in 0..Words::SHARDS {
                    show_copies(
                        0,
                        |from, tokens| table.tokens(shard, from, tokens),
                        |token| {
                            if *token != 0 {
                                mark(*token);
                            }
                        },
                    );
                }
            }
        }
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.0
            .get()
            .map_or(0, |_| SHARD_RUNS * size_of::<(RawValue, GcCard)>())
    }
}

pub fn define(map: RClass) -> Result<(), Error> {
    looks_at_all(); // for the first time, while it may allocate
    class::define_hidden::<GcCard>(map, "GcCard")
}
