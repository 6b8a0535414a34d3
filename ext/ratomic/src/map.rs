//! `Ratomic::Map`: `ratomic_core::Table` of shareable keys and values.

mod arrays_and_sets;
mod blocks;
mod claim_timeout;
mod expiring;
mod gc_cards;
mod many;
mod marking;
mod numbers;
mod snapshots;

use crate::ffi::{
    args, barrier, class, error,
    gvl::{self, Gvl},
    key::Key,
    memory::{self, Reported},
    once_shared::OnceShared,
    shareable::share,
    RawValue, Receiver,
};
use claim_timeout::ClaimTimeout;
use expiring::{Expiry, Lifetime};
use gc_cards::{GcCards, Words};
use magnus::{
    gc, method, prelude::*, DataTypeFunctions, Error, Module, RModule, Ruby, TypedData, Value,
};
use ratomic_core::{
    table::{Entry, Lookup, Part},
    Park, Table,
};

const PLACE: &str = "a Ratomic::Map";

#[derive(Default, TypedData)]
#[magnus(
    class = "Ratomic::Map",
    free_immediately,
    mark,
    compact,
    size,
    wb_protected,
    frozen_shareable
)]
pub struct Map {
    table: OnceShared<Table<RawValue, RawValue>>,
    cards: GcCards,
    expiry: Expiry,
    reported: Reported,
}

/// Which threads may run meanwhile: see [`crate::ffi::gc`].
impl DataTypeFunctions for Map {
    fn mark(&self, _marker: &gc::Marker) {
        if let Some(table) = self.table.peek() {
            self.cards.mark(table);
            gc_cards::show(table, Part::BelowLastLevel);
        }
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        if let Some(table) = self.table.peek() {
            gc_cards::follow(table, Part::BelowLastLevel);
        }
    }

    fn size(&self) -> usize {
        self.table.peek().map_or(0, Table::memory) + self.cards.memory()
    }
}

/// How one attempt at a change ended.
enum Step<R> {
    /// The result of the change, and the token of the card in which it stored the pair, or 0.
    Done(R, usize),
    /// The key is new, so an object to store for it has to be made first.
    NeedKey,
}

/// The result of a change, and the token of the card in which it stored the pair, or 0.
struct Changed<R> {
    result: R,
    token: usize,
}

impl Map {
    fn initialize(ruby: &Ruby, this: Receiver<Self>) -> Result<(), Error> {
        if ruby.block_given() && Self::is_initialize_of(ruby, this)? {
            return Err(error::argument(
                "a Map has no default, so Map.new takes no block; use fetch(key) { ... }, fetch_or_store(key) { ... } or \
                 increment(key)",
            ));
        }
        class::seal(this)?;
        this.table.set_locked(Table::new())
    }

    /// Whether the object's class has this `initialize` and none of its own. One of a subclass may take a block, and
    /// its `super()` passes that on.
    #[cold]
    fn is_initialize_of(ruby: &Ruby, this: Receiver<Self>) -> Result<bool, Error> {
        let class = this.value().class();
        let method: Value = class.funcall("instance_method", ("initialize",))?;
        let owner: Value = method.funcall("owner", ())?;
        Ok(RawValue::of(owner) == RawValue::of(Self::class(ruby).as_value()))
    }

    #[inline]
    fn table(&self) -> Result<&Table<RawValue, RawValue>, Error> {
        self.table.get()
    }

    /// Calls the write barrier for a word that was stored under a key with this hash. `token` is that of its card, or 0. To
    /// be followed by `tend`.
    fn written(this: Receiver<Self>, hash: u64, token: usize, word: RawValue) {
        if word.is_immediate() {
            return;
        }
        if token != 0 {
            return barrier::write_barrier(RawValue(token as _), word);
        }
        // Asked after the store. If the table grows in between, the thread that grows it calls the barrier for all that it
        // moves.
        let last = this.table.peek().is_some_and(Table::is_at_last_level);
        let run = last.then(|| this.cards.run(Words::shard_of(hash)));
        barrier::write_barrier(run.flatten().unwrap_or(this.word()), word);
    }

    /// Calls the write barrier for pairs that a change of the key with this hash has moved to other cards, if there are
    /// any. To be called before the next safepoint. `tend` does the rest, and may be called later.
    fn settle(this: Receiver<Self>, hash: u64) {
        let shard = Words::shard_of(hash);
        if let Some(table) = this.table.peek().filter(|table| table.is_needing(shard)) {
            this.cards.settle(table, shard);
        }
    }

    /// Does what a change has left to do without the shard's lock, see [`Table::take_due`]. It may allocate.
    #[inline]
    fn tend(this: Receiver<Self>) -> Result<(), Error> {
        match this.table.peek() {
            Some(table) if table.take_due() => Self::tend_now(this),
            _ => Ok(()),
        }
    }

    #[cold]
    fn tend_now(this: Receiver<Self>) -> Result<(), Error> {
        let (ruby, cards) = (error::ruby(), &this.cards);
        let Some(table) = this.table.shared() else {
            return Ok(());
        };
        while table.should_grow() {
            let level = table.level();
            if level + 1 == Words::LAST_LEVEL {
                cards.prepare(&ruby, this, table)?;
            }
            match table.grow(level) {
                Some(moved) if table.is_at_last_level() => cards.took_over(&moved),
                Some(_) => {}
                None => break,
            }
        }
        if table.is_at_last_level() {
            let needing = table.take_needing();
            // All shards are settled before the first safepoint: the next step makes objects, which is one.
            needing.iter().for_each(|shard| cards.settle(table, *shard));
            for shard in needing {
                cards.add(&ruby, this, table, shard)?;
            }
        }
        this.reported.report(table.memory());
        Ok(())
    }

    fn get(this: Receiver<Self>, key: Value) -> Result<Option<Value>, Error> {
        let found = this.table()?.get(&mut Key::new(key)?)?;
        Ok(this.expiry.see(found).map(RawValue::value))
    }

    /// Changes one entry natively. `change` gets the entry and the object to store for a new key, once that is needed.
    fn change<R>(
        this: Receiver<Self>,
        key: &mut Key,
        timeout: &impl Park<Error = Error>,
        mut change: impl FnMut(Entry<'_, RawValue, RawValue>, Option<RawValue>) -> Step<R>,
    ) -> Result<Changed<R>, Error> {
        let table = this.table()?;
        let mut stored = None;
        loop {
            let step = table
                .update(key, timeout, gvl::thread(), |entry| change(entry, stored))
                .map_err(|failure| error::write(failure, key.word()))?;
            match step {
                Step::Done(result, token) => {
                    stored
                        .into_iter()
                        .for_each(|word| Self::written(this, key.hash(), token, word));
                    return Ok(Changed { result, token });
                }
                Step::NeedKey => stored = Some(key.stored()?),
            }
        }
    }

    /// Stores a shareable word, if `condition` holds for the one that is there.
    fn store_if(
        this: Receiver<Self>,
        key: &mut Key,
        timeout: &impl Park<Error = Error>,
        value: RawValue,
        condition: impl Fn(Option<RawValue>) -> bool,
    ) -> Result<bool, Error> {
        let done = Self::change(this, key, timeout, |entry, stored| {
            let present = entry.get();
            if !condition(present) {
                return Step::Done(false, 0);
            }
            match (present, stored) {
                (None, None) => Step::NeedKey,
                (_, stored) => {
                    let shown = entry.store(stored.unwrap_or(RawValue::NIL), value);
                    let asked = stored.is_some() || !value.is_immediate();
                    Step::Done(true, if asked { shown.token() } else { 0 })
                }
            }
        })?;
        if done.result {
            Self::written(this, key.hash(), done.token, value);
        }
        Self::tend(this)?;
        Ok(done.result)
    }

    fn has_key(this: Receiver<Self>, key: Value) -> Result<bool, Error> {
        Ok(Self::get(this, key)?.is_some())
    }

    fn set(this: Receiver<Self>, args: &[Value]) -> Result<Value, Error> {
        if args::may_have_keywords(args) {
            let (args, timeout, lifetime) = ClaimTimeout::with_lifetime(args, 2, 2)?;
            return Self::put_for(this, args[0], args[1], &timeout, lifetime);
        }
        args::count(args, 2, 2)?;
        Self::put(this, args[0], args[1], &Gvl)
    }

    #[cold]
    fn put_for(
        this: Receiver<Self>,
        key: Value,
        value: Value,
        timeout: &ClaimTimeout,
        lifetime: Lifetime,
    ) -> Result<Value, Error> {
        if !lifetime.is_given() {
            return Self::put(this, key, value, timeout);
        }
        let word = this.expiry.wrap(share(value, PLACE)?, lifetime.until())?;
        Self::store_if(this, &mut Key::new(key)?, timeout, word, |_| true)?;
        Self::sweep(this)?;
        Ok(value)
    }

    /// After a write with `expires_in:`.
    fn sweep(this: Receiver<Self>) -> Result<(), Error> {
        this.expiry.sweep(this.table()?);
        Self::tend(this)
    }

    #[inline]
    fn put(
        this: Receiver<Self>,
        key: Value,
        value: Value,
        timeout: &impl Park<Error = Error>,
    ) -> Result<Value, Error> {
        let word = share(value, PLACE)?;
        Self::store_if(this, &mut Key::new(key)?, timeout, word, |_| true)?;
        Ok(value)
    }

    fn fetch(ruby: &Ruby, this: Receiver<Self>, args: &[Value]) -> Result<Value, Error> {
        args::count(args, 1, 2)?;
        if let Some(value) = Self::get(this, args[0])? {
            return Ok(value);
        }
        match args.get(1) {
            _ if ruby.block_given() => ruby.yield_value(args[0]),
            Some(default) => Ok(*default),
            None => Err(error::key_not_found(this.value(), args[0])),
        }
    }

    fn delete(ruby: &Ruby, this: Receiver<Self>, args: &[Value]) -> Result<Option<Value>, Error> {
        if args::may_have_keywords(args) {
            let (args, timeout) = ClaimTimeout::of(args, 1, 1)?;
            return Self::remove(ruby, this, args[0], &timeout);
        }
        args::count(args, 1, 1)?;
        Self::remove(ruby, this, args[0], &Gvl)
    }

    #[inline]
    fn remove(
        ruby: &Ruby,
        this: Receiver<Self>,
        given: Value,
        timeout: &impl Park<Error = Error>,
    ) -> Result<Option<Value>, Error> {
        let mut key = Key::new(given)?;
        let removed = Self::change(this, &mut key, timeout, |entry, _| {
            let value = entry.get();
            entry.remove();
            Step::Done(value, 0)
        })?;
        let removed = this.expiry.see(removed.result);
        Self::tend(this)?;
        match removed {
            None if ruby.block_given() => ruby.yield_value(given),
            removed => Ok(removed.map(RawValue::value)),
        }
    }

    /// Compares by `==`, outside the lock, and stores if the value is still the one that was compared.
    fn compare_and_set(this: Receiver<Self>, args: &[Value]) -> Result<bool, Error> {
        let (args, timeout) = ClaimTimeout::of(args, 3, 3)?;
        let expected = args[1];
        let new = share(args[2], PLACE)?;
        let mut key = Key::new(args[0])?;
        loop {
            let present = this.table()?.get(&mut key)?;
            let seen = this.expiry.see(present);
            let value = seen.unwrap_or(RawValue::NIL);
            if value != RawValue::of(expected) {
                key.resumed();
                if !value.value().equal(expected)? {
                    return Ok(false);
                }
            }
            // The new value expires at the same time as the one that it replaces.
            let until = seen.and_then(|_| this.expiry.until(present));
            let word = this.expiry.wrap(new, until)?;
            if Self::store_if(this, &mut key, &timeout, word, |now| now == present)? {
                return Ok(true);
            }
        }
    }

    fn clear(this: Receiver<Self>, args: &[Value]) -> Result<Receiver<Self>, Error> {
        let (_, timeout) = ClaimTimeout::of(args, 0, 0)?;
        let failed = |failure| error::write_many(failure, this.value());
        let table = this.table()?;
        let before = table.memory();
        table.clear(&timeout, gvl::thread()).map_err(failed)?;
        memory::freed(before.saturating_sub(table.memory()));
        Self::tend(this)?;
        Ok(this)
    }

    fn len(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.table()?.len())
    }

    fn is_empty(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(Self::len(this)? == 0)
    }

    fn inspect(this: Receiver<Self>) -> Result<String, Error> {
        let count = Self::len(this)?;
        Ok(class::inspect(
            this,
            &format!("{count} {}", if count == 1 { "entry" } else { "entries" }),
        ))
    }
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let class = class::define::<Map>(ruby, ratomic, "Map")?;
    class.define_method("initialize", method!(Map::initialize, 0))?;
    class.define_method("get", method!(Map::get, 1))?;
    class.define_method("set", method!(Map::set, -1))?;
    class.define_method("key?", method!(Map::has_key, 1))?;
    class.define_method("fetch", method!(Map::fetch, -1))?;
    class.define_method("delete", method!(Map::delete, -1))?;
    class.define_method("compare_and_set", method!(Map::compare_and_set, -1))?;
    class.define_method("clear", method!(Map::clear, -1))?;
    class.define_method("size", method!(Map::len, 0))?;
    class.define_method("empty?", method!(Map::is_empty, 0))?;
    class.define_method("inspect", method!(Map::inspect, 0))?;
    gc_cards::define(class)?;
    arrays_and_sets::define(class)?;
    blocks::define(class)?;
    expiring::define(class)?;
    many::define(class)?;
    numbers::define(class)?;
    snapshots::define(class)
}
