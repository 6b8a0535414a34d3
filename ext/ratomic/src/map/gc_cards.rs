//! Shows the collector what is in a Map, in parts. A minor collection walks every old object that was given a young one
//! since the last. As long as a Map is small, that object is the Map itself. If it were for a large one, a new String
//! would cost a walk through all entries. So 64 objects show a run of shards each of the table's last level. When a
//! shard has many pairs, each of its cards (128 buckets that are side by side in memory, about a hundred pairs) gets an
//! object of its own, which then shows it instead of the run's. This is card marking, with an object as the mark.
//!
//! Invariants:
//! - **One object shows each pair**, in every moment in which a collection can begin: below the last level the Map; at
//!   the last level the object that the table names as the card's token, and where the card has none, the run's. Pairs
//!   put aside for snapshots are shown as the card that they were in, claims and a shard's first pair by the run.
//! - **Who makes an object show a word tells the collector** of both (the write barrier) before its next safepoint.
//!   A collection that may free the word stops all Ractors at safepoints, so it cannot come in between. (One of Ruby
//!   4.1 that collects the heap of one Ractor frees no shareable object, and does not look at those of other heaps.) Nor
//!   can a fork that Ruby 4.0 or newer makes. (An older Ruby, or a library in C that forks by itself, does not stop the
//!   other Ractors: what one of these has stored in that moment may be missed by a collection of the child.) It does not
//!   matter whether others change the shard meanwhile, or clear it: the word and the object that the token named under
//!   the lock cannot be freed before that safepoint, and a barrier too many does no harm. The collector thus sees no old
//!   object with a young one that it does not know of, and no object that it has marked in an incremental marking with
//!   one that it has not.
//! - **Pairs that have moved to other cards are told of, all of them**, by [`GcCards::settle`]: their shard is noted as
//!   needing it under its lock, and the table is due. Whoever takes the note that it is due (the writer itself, or another
//!   that comes first) settles all noted shards before its own next safepoint. What a writer has put aside of these
//!   pairs and then removed, before that, is told of with them.
//! - **An object that the table does not name shows nothing.** When a table is cleared or has fewer cards, objects are
//!   left over until a collection, and nobody tells these of what is written.
//! - **The objects do not move**, because the table has their addresses: the Map pins them when it is marked, and if it
//!   was marked before they were made, the barrier pins them. The pairs may move: each object follows what it shows.
//! - **Each is noted as shareable before it shows anything**, so that the VM never walks through one to find out.

use super::{marking::Marking, Map};
use crate::ffi::{
    barrier, class,
    gc::{access, looks_at_all, show_copies, Access},
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
    /// Set once the object is noted as shareable. Before, it holds nothing: the VM's walk might look into it.
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

/// Follows what a compaction has moved.
pub fn follow(table: &Words, part: Part) {
    // SAFETY: only a collection compacts, and nothing else runs meanwhile.
    unsafe {
        table.visit_mut(part, |key, value| {
            key.relocate();
            value.relocate();
        });
    }
}

/// Objects that show the whole table but for the cards. Each costs an object; the more there are, the less a minor
/// collection walks.
const RUNS: usize = 64;
/// Shards that each of these shows.
const RUN: usize = Words::SHARDS / RUNS;

/// What shows the last level of one Map's table. Of the cards, the table knows who shows each.
#[derive(Default)]
pub struct GcCards(OnceLock<Box<[RawValue; RUNS]>>);

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
        // On the stack until the Map has them, where a collection finds them and leaves them in their place.
        let mut made: [Option<Obj<GcCard>>; RUNS] = [None; RUNS];
        for run in 0..RUNS {
            std::hint::black_box(&mut made)[run] = Some(make(ruby)?);
        }
        let words = made.map(|run| run.map_or(RawValue::NIL, |run| RawValue::of(run.as_value())));
        // Of two Ractors one is the first, and its objects are the Map's. Those of the other show nothing.
        if self.0.set(Box::new(words)).is_ok() {
            for (run, object) in made.iter().flatten().enumerate() {
                let part = Part::Shards {
                    first: run * RUN,
                    count: RUN,
                };
                object.show(table, part);
                barrier::write_barrier(map.word(), words[run]);
            }
        }
        std::hint::black_box(&made);
        Ok(())
    }

    /// Tells the collector of all that these show since the table grew.
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
        for card in table.untended_cards(shard) {
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

    /// Gives back what memory of a shard is empty, and tells the collector of what others show now. Reaches no safepoint.
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

    /// What shows a shard of the last level but for its cards.
    pub fn run(&self, shard: usize) -> Option<RawValue> {
        self.0.get().map(|runs| runs[shard / RUN])
    }

    /// In their place: their addresses are not followed.
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
            .map_or(0, |_| RUNS * size_of::<(RawValue, GcCard)>())
    }
}

pub fn define(map: RClass) -> Result<(), Error> {
    looks_at_all(); // for the first time, while it may allocate
    class::define_hidden(map, "GcCard")
}
