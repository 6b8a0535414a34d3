//! `Ratomic::Workers::Completion`: the result slots of one dispatch, waiting for them, and the cursor by which its
//! items are claimed. It is one object, because a program makes one for every dispatch.
//!
//! The batch and its futures have it. Threads of any Ractor claim items, file results and wait. The slots are under a
//! lock (`result_slots.rs` in the core), the cursor is one atomic word. A slot never gets a second value. No Ruby code
//! runs under the lock: results are checked before they are filed, and the write barrier is called afterwards.

use crate::ffi::{
    args, barrier, class, error,
    gc::{access, show_copies, Access},
    gvl::Gvl,
    once_shared::OnceShared,
    shareable, values, words, RawValue, Receiver,
};
use crate::{
    counter::Counter,
    vacancy::{any_vacant, is_dropped, is_vacant},
};
use magnus::{
    gc, method, prelude::*, typed_data::Obj, DataTypeFunctions, Error, Module, RArray, RModule,
    Ruby, TypedData, Value,
};
use ratomic_core::{
    fork::{self, Forkable, Held},
    Cursor, ResultSlots,
};
use std::cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The native part of a Completion.
struct Work {
    result_slots: ResultSlots<RawValue>,
    cursor: Cursor,
    /// Whether workers fill it. After a fork they exist only in the parent.
    dispatched: bool,
    /// The number of slots that hold a vacancy instead of a result, and how many of these belong to dropped items.
    vacant: AtomicUsize,
    dropped: AtomicUsize,
}

impl Forkable for Work {
    unsafe fn hold(&self, held: &mut Held) {
        // SAFETY: the caller's promise.
        unsafe { self.result_slots.hold(held) };
    }

    unsafe fn reset(&self, survivor: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.result_slots.reset(survivor) };
    }

    /// `failure` is an object that lives as long as the process, so no write barrier is needed for it.
    fn fail_pending(&self, failure: usize) {
        if self.dispatched && !self.result_slots.is_complete() {
            self.cursor.abort();
            self.result_slots.fill(RawValue(failure as _));
        }
    }
}

#[derive(Default, TypedData)]
#[magnus(
    class = "Ratomic::Workers::Completion",
    free_immediately,
    mark,
    compact,
    size,
    wb_protected,
    frozen_shareable
)]
struct Completion(OnceShared<Work>);

/// Which threads may run meanwhile: see [`crate::ffi::gc`].
impl DataTypeFunctions for Completion {
    fn mark(&self, _marker: &gc::Marker) {
        let Some(Work { result_slots, .. }) = self.0.peek() else {
            return;
        };
        match access() {
            // SAFETY: all other threads are stopped at safepoints, and none is reached under a lock.
            Access::Stopped => unsafe { result_slots.visit(RawValue::mark_movable) },
            Access::Locked => result_slots.visit_locked(RawValue::mark_movable),
            Access::Copied => show_copies(
                RawValue::NIL,
                |skip, words| result_slots.copy_to(skip, words, RawValue::NIL),
                RawValue::mark_movable,
            ),
        }
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        // SAFETY: only a collection compacts.
        self.0
            .peek()
            .into_iter()
            .for_each(|work| unsafe { work.result_slots.visit_mut(RawValue::relocate) });
    }

    fn size(&self) -> usize {
        self.0.peek().map_or(0, |work| work.result_slots.memory())
    }
}

impl Completion {
    fn result_slots(&self) -> Result<&ResultSlots<RawValue>, Error> {
        self.0.get().map(|work| &work.result_slots)
    }

    fn cursor(&self) -> Result<&Cursor, Error> {
        self.0.get().map(|work| &work.cursor)
    }

    /// Called in a forked child: fills, in every completion, the slots that workers of the parent had to fill. It finds
    /// them in the registry of forks and not through the VM, so it finds also those that another Ractor had just made.
    fn fail_pending(_class: Value, failure: Value) -> Result<(), Error> {
        if !shareable::is_shareable(RawValue::of(failure))? {
            return Err(error::shareable(
                "what takes the place of results must be shareable",
            ));
        }
        gc::register_mark_object(failure);
        fork::fail_pending(RawValue::of(failure).0 as _);
        Ok(())
    }

    /// A true second argument means that workers fill the completion. Then a forked child fills it: see `fail_pending`.
    fn initialize(this: Receiver<Self>, args: &[Value]) -> Result<(), Error> {
        args::count(args, 1, 2)?;
        let size = class::integer(args[0], "size")?;
        let size = usize::try_from(size)
            .map_err(|_| error::argument(format!("size must be 0 or more, not {size}")))?;
        this.0.set_locked(Work {
            result_slots: ResultSlots::new(size),
            cursor: Cursor::default(),
            dispatched: args.get(1).is_some_and(|flag| flag.to_bool()),
            vacant: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        })?;
        class::seal(this)
    }

    /// Two Counters may follow. The number of results that went into slots is added to the first, and how many of these
    /// are dropped items to the second, before anybody can see the results.
    fn file(this: Receiver<Self>, args: &[Value]) -> Result<usize, Error> {
        args::count(args, 2, 4)?;
        let count_filed = Self::counter(args.get(2))?;
        let count_dropped = Self::counter(args.get(3))?;
        let index = usize::try_convert(args[0])?;
        let results = RArray::try_convert(args[1])?;
        if !shareable::is_shareable(RawValue::of(results.as_value()))? {
            return Err(error::shareable(
                "results must be made shareable before they are filed",
            ));
        }
        let words = words(&results);
        let work = this.0.get()?;
        let count = |filled| count_filed.iter().for_each(|all| all.count(filled));
        let open = || !work.cursor.is_stopped();
        let filed = if any_vacant(words) {
            Self::file_vacant(work, index, words, open, count, count_dropped)
        } else {
            work.result_slots
                .file_and_tell(index, words, open, |_| (), count)
        };
        let Some(filled) = filed else {
            let end = index.saturating_add(words.len());
            return Err(error::range(format!(
                "slots {index}...{end} of {}",
                work.result_slots.size()
            )));
        };
        let owner = this.word();
        words
            .iter()
            .filter(|word| !is_vacant(**word)) // which live as long as the process
            .for_each(|word| barrier::write_barrier(owner, *word));
        Ok(filled)
    }

    fn counter(given: Option<&Value>) -> Result<Option<Obj<Counter>>, Error> {
        given
            .map(|object| Obj::<Counter>::try_convert(*object))
            .transpose()
    }

    fn file_vacant(
        work: &Work,
        index: usize,
        words: &[RawValue],
        open: impl FnOnce() -> bool,
        count: impl FnOnce(usize),
        count_dropped: Option<Obj<Counter>>,
    ) -> Option<usize> {
        let (vacant, dropped) = (cell::Cell::new(0), cell::Cell::new(0));
        work.result_slots.file_and_tell(
            index,
            words,
            open,
            |word| {
                vacant.set(vacant.get() + usize::from(is_vacant(word)));
                dropped.set(dropped.get() + usize::from(is_dropped(word)));
            },
            |filled| {
                work.vacant.fetch_add(vacant.get(), Relaxed);
                work.dropped.fetch_add(dropped.get(), Relaxed);
                count(filled);
                count_dropped
                    .into_iter()
                    .for_each(|all| all.count(dropped.get()));
            },
        )
    }

    fn fill(this: Receiver<Self>, value: Value) -> Result<usize, Error> {
        let word = shareable::share(value, "a Completion")?;
        let filled = this.result_slots()?.fill(word);
        barrier::write_barrier(this.word(), word);
        Ok(filled)
    }

    fn wait(this: Receiver<Self>, args: &[Value]) -> Result<bool, Error> {
        args::count(args, 0, 1)?;
        this.result_slots()?
            .wait(&Gvl, args::deadline(args.first().copied())?)
    }

    fn wait_filed(this: Receiver<Self>, args: &[Value]) -> Result<bool, Error> {
        args::count(args, 1, 2)?;
        let ranges = usize::try_convert(args[0])?;
        this.result_slots()?
            .wait_ranges(ranges, &Gvl, args::deadline(args.get(1).copied())?)
    }

    fn nudge(this: Receiver<Self>) -> Result<(), Error> {
        this.result_slots()?.nudge();
        Ok(())
    }

    fn filed(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.result_slots()?.ranges())
    }

    fn range(this: Receiver<Self>, n: usize) -> Result<Option<(usize, usize)>, Error> {
        Ok(this.result_slots()?.range(n))
    }

    fn is_filled(this: Receiver<Self>, index: usize) -> Result<bool, Error> {
        Ok(this.result_slots()?.get(index).is_some())
    }

    fn get(this: Receiver<Self>, index: usize) -> Result<Option<Value>, Error> {
        Ok(this.result_slots()?.get(index).map(RawValue::value))
    }

    fn completed(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.result_slots()?.completed())
    }

    fn len(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.result_slots()?.size())
    }

    fn is_complete(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(this.result_slots()?.is_complete())
    }

    fn would_complete(this: Receiver<Self>, start: usize, count: usize) -> Result<bool, Error> {
        Ok(this.result_slots()?.would_complete(start, count))
    }

    /// Claims the next `count` items and returns the index of the first; nil if that would not be below `limit`.
    fn claim(this: Receiver<Self>, count: u32, limit: u64) -> Result<Option<u64>, Error> {
        Ok(Some(this.cursor()?.claim(count)).filter(|first| *first < limit))
    }

    fn position(this: Receiver<Self>) -> Result<u64, Error> {
        Ok(this.cursor()?.position())
    }

    fn finish(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(this.cursor()?.finish())
    }

    /// Stops the dispatch, unless it is finished: from now on nothing can be claimed or filed. Returns how many slots
    /// are empty, for `fill`; 0 if another thread has stopped or finished it.
    fn stop(this: Receiver<Self>) -> Result<usize, Error> {
        let work = this.0.get()?;
        Ok(work.result_slots.close(|| work.cursor.stop()))
    }

    fn is_stopped(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(this.cursor()?.is_stopped())
    }

    fn interrupt(this: Receiver<Self>) -> Result<(), Error> {
        this.cursor()?.interrupt();
        Ok(())
    }

    fn is_interrupted(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(this.cursor()?.is_interrupted())
    }

    fn vacant(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.0.get()?.vacant.load(Relaxed))
    }

    fn dropped(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.0.get()?.dropped.load(Relaxed))
    }

    /// The results without vacancies, in the order of their items.
    fn kept(ruby: &Ruby, this: Receiver<Self>) -> Result<RArray, Error> {
        let work = this.0.get()?;
        if work.vacant.load(Relaxed) == 0 {
            return Self::to_a(ruby, this);
        }
        let array = ruby.ary_new();
        let mut words = [RawValue::NIL; 256];
        for start in (0..work.result_slots.size()).step_by(words.len()) {
            let count = work.result_slots.copy_to(start, &mut words, RawValue::NIL);
            let mut kept = 0;
            for place in 0..count {
                if !is_vacant(words[place]) {
                    words[kept] = words[place];
                    kept += 1;
                }
            }
            array.cat(values(&words[..kept]))?;
        }
        class::share_in_place(array.as_value())?;
        Ok(array)
    }

    /// The indices of the items that have results.
    fn indices(ruby: &Ruby, this: Receiver<Self>) -> Result<RArray, Error> {
        let result_slots = this.result_slots()?;
        let array = ruby.ary_new();
        let mut words = [RawValue::NIL; 256];
        for start in (0..result_slots.size()).step_by(words.len()) {
            let count = result_slots.copy_to(start, &mut words, RawValue::NIL);
            for (place, word) in words[..count].iter().enumerate() {
                if !is_vacant(*word) {
                    array.push(start + place)?;
                }
            }
        }
        class::share_in_place(array.as_value())?;
        Ok(array)
    }

    fn to_a(ruby: &Ruby, this: Receiver<Self>) -> Result<RArray, Error> {
        let result_slots = this.result_slots()?;
        let array = ruby.ary_new_capa(result_slots.size());
        // A full slot never changes, so a copy in pieces is as good as one in a single step.
        let mut words = [RawValue::NIL; 256];
        for start in (0..result_slots.size()).step_by(words.len()) {
            let count = result_slots.copy_to(start, &mut words, RawValue::NIL);
            array.cat(values(&words[..count]))?;
        }
        class::share_in_place(array.as_value())?;
        Ok(array)
    }
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let class = class::define::<Completion>(ruby, ratomic.define_module("Workers")?, "Completion")?;
    class.define_method("initialize", method!(Completion::initialize, -1))?;
    class.define_singleton_method("fail_pending", method!(Completion::fail_pending, 1))?;
    class.define_method("file", method!(Completion::file, -1))?;
    class.define_method("fill", method!(Completion::fill, 1))?;
    class.define_method("wait", method!(Completion::wait, -1))?;
    class.define_method("wait_filed", method!(Completion::wait_filed, -1))?;
    class.define_method("nudge", method!(Completion::nudge, 0))?;
    class.define_method("filed", method!(Completion::filed, 0))?;
    class.define_method("range", method!(Completion::range, 1))?;
    class.define_method("filled?", method!(Completion::is_filled, 1))?;
    class.define_method("[]", method!(Completion::get, 1))?;
    class.define_method("completed", method!(Completion::completed, 0))?;
    class.define_method("size", method!(Completion::len, 0))?;
    class.define_method("complete?", method!(Completion::is_complete, 0))?;
    class.define_method("completed_by?", method!(Completion::would_complete, 2))?;
    class.define_method("claim", method!(Completion::claim, 2))?;
    class.define_method("position", method!(Completion::position, 0))?;
    class.define_method("finish", method!(Completion::finish, 0))?;
    class.define_method("stop", method!(Completion::stop, 0))?;
    class.define_method("stopped?", method!(Completion::is_stopped, 0))?;
    class.define_method("interrupt", method!(Completion::interrupt, 0))?;
    class.define_method("interrupted?", method!(Completion::is_interrupted, 0))?;
    class.define_method("vacant", method!(Completion::vacant, 0))?;
    class.define_method("dropped", method!(Completion::dropped, 0))?;
    class.define_method("kept", method!(Completion::kept, 0))?;
    class.define_method("indices", method!(Completion::indices, 0))?;
    class.define_method("to_a", method!(Completion::to_a, 0))
}
