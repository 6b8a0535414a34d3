//! `Ratomic::Workers::Completion`: the result slots of one dispatch, waiting for them, and the cursor by which its items are
//! claimed. One object for all that, because a program makes one for every dispatch.

use crate::ffi::{
    args, barrier,
    cell::Cell,
    class, error,
    gc::{everything_stopped, show_copies},
    gvl::Gvl,
    shareable, values, words, This, Word,
};
use magnus::{
    gc, method, prelude::*, DataTypeFunctions, Error, Module, RArray, RModule, Ruby, TypedData,
    Value,
};
use ratomic_core::{Cursor, Latch};

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
struct Completion {
    latch: Cell<Latch<Word>>,
    cursor: Cursor,
}

impl DataTypeFunctions for Completion {
    fn mark(&self, _marker: &gc::Marker) {
        let Some(latch) = self.latch.peek() else {
            return;
        };
        if everything_stopped() {
            // SAFETY: just checked.
            unsafe { latch.visit(Word::mark_movable) };
        } else {
            show_copies(
                Word::NIL,
                |skip, words| latch.copy_to(skip, words, Word::NIL),
                Word::mark_movable,
            );
        }
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        // SAFETY: only a collection compacts.
        self.latch
            .peek()
            .into_iter()
            .for_each(|latch| unsafe { latch.visit_mut(Word::relocate) });
    }

    fn size(&self) -> usize {
        self.latch.peek().map_or(0, Latch::memory)
    }
}

impl Completion {
    fn initialize(this: This<Self>, size: Value) -> Result<(), Error> {
        let size = class::integer(size, "size")?;
        let size = usize::try_from(size)
            .map_err(|_| error::argument(format!("size must be 0 or more, not {size}")))?;
        this.latch.set_locked(Latch::new(size))?;
        class::seal(this)
    }

    fn file(this: This<Self>, index: usize, results: RArray) -> Result<usize, Error> {
        if !shareable::is_shareable(Word::of(results.as_value()))? {
            return Err(error::shareable(
                "results must be made shareable before they are filed",
            ));
        }
        let words = words(&results);
        let latch = this.latch.get()?;
        let Some(filled) = latch.file(index, words) else {
            let end = index.saturating_add(words.len());
            return Err(error::range(format!(
                "slots {index}...{end} of {}",
                latch.size()
            )));
        };
        let owner = this.word();
        words.iter().for_each(|word| barrier::written(owner, *word));
        Ok(filled)
    }

    fn fill(this: This<Self>, value: Value) -> Result<usize, Error> {
        let word = shareable::share(value, "a Completion")?;
        let filled = this.latch.get()?.fill(word);
        barrier::written(this.word(), word);
        Ok(filled)
    }

    fn wait(this: This<Self>, args: &[Value]) -> Result<bool, Error> {
        args::count(args, 0, 1)?;
        this.latch
            .get()?
            .wait(&Gvl, args::deadline(args.first().copied())?)
    }

    fn wait_filed(this: This<Self>, args: &[Value]) -> Result<bool, Error> {
        args::count(args, 1, 2)?;
        let ranges = usize::try_convert(args[0])?;
        this.latch
            .get()?
            .wait_ranges(ranges, &Gvl, args::deadline(args.get(1).copied())?)
    }

    fn nudge(this: This<Self>) -> Result<(), Error> {
        this.latch.get()?.nudge();
        Ok(())
    }

    fn filed(this: This<Self>) -> Result<usize, Error> {
        Ok(this.latch.get()?.ranges())
    }

    fn range(this: This<Self>, n: usize) -> Result<Option<(usize, usize)>, Error> {
        Ok(this.latch.get()?.range(n))
    }

    fn is_filled(this: This<Self>, index: usize) -> Result<bool, Error> {
        Ok(this.latch.get()?.get(index).is_some())
    }

    fn get(this: This<Self>, index: usize) -> Result<Option<Value>, Error> {
        Ok(this.latch.get()?.get(index).map(Word::value))
    }

    fn completed(this: This<Self>) -> Result<usize, Error> {
        Ok(this.latch.get()?.completed())
    }

    fn len(this: This<Self>) -> Result<usize, Error> {
        Ok(this.latch.get()?.size())
    }

    fn is_complete(this: This<Self>) -> Result<bool, Error> {
        Ok(this.latch.get()?.is_complete())
    }

    fn would_complete(this: This<Self>, start: usize, count: usize) -> Result<bool, Error> {
        Ok(this.latch.get()?.would_complete(start, count))
    }

    /// Claims the next `count` items; nil where the first of them would not be below `limit`.
    fn claim(this: This<Self>, count: u32, limit: u64) -> Option<u64> {
        Some(this.cursor.claim(count)).filter(|first| *first < limit)
    }

    fn position(this: This<Self>) -> u64 {
        this.cursor.position()
    }

    fn finish(this: This<Self>) -> bool {
        this.cursor.finish()
    }

    fn stop(this: This<Self>) {
        this.cursor.stop();
    }

    fn is_stopped(this: This<Self>) -> bool {
        this.cursor.is_stopped()
    }

    fn interrupt(this: This<Self>) {
        this.cursor.interrupt();
    }

    fn is_interrupted(this: This<Self>) -> bool {
        this.cursor.is_interrupted()
    }

    fn to_a(ruby: &Ruby, this: This<Self>) -> Result<RArray, Error> {
        let latch = this.latch.get()?;
        let array = ruby.ary_new_capa(latch.size());
        // A slot never changes once it is full, so copying piece by piece shows nothing that was not there.
        let mut words = [Word::NIL; 256];
        for start in (0..latch.size()).step_by(words.len()) {
            let count = latch.copy_to(start, &mut words, Word::NIL);
            array.cat(values(&words[..count]))?;
        }
        class::share_in_place(array.as_value())?;
        Ok(array)
    }
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let class = class::define::<Completion>(ruby, ratomic.define_module("Workers")?, "Completion")?;
    class.define_method("initialize", method!(Completion::initialize, 1))?;
    class.define_method("file", method!(Completion::file, 2))?;
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
    class.define_method("to_a", method!(Completion::to_a, 0))
}
