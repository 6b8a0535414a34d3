//! `Ratomic::Queue`: `ratomic_core::Queue` of shareable objects.
//!
//! The VM checks for interrupts when a Ruby method returns. If a thread is killed there, the item that the method has
//! just taken is lost. So the methods that take items are native, and they check for interrupts themselves after they
//! have taken: if the thread is killed, the items go back to the front of the queue. Only the return from the native
//! method, of some nanoseconds, is not covered; no method can do that from inside.

use crate::ffi::{
    args, barrier, class, error,
    gc::{access, show_copies, Access},
    gvl,
    gvl::Gvl,
    memory::Reported,
    once_shared::OnceShared,
    shareable::share,
    words, RawValue, Receiver,
};
use magnus::{
    gc, method, rb_sys::AsRawValue, DataTypeFunctions, Error, Module, RArray, RModule, Ruby,
    TypedData, Value,
};
use ratomic_core::{queue::TryPushError, Deadline, Queue as Core};

const MAX_CAPACITY: i64 = 1 << 20;
/// So many items `pop_many` takes at one moment.
const BUFFER: usize = 64;
const PLACE: &str = "a Ratomic::Queue";
/// The memory that is reported to the collector for a queue: `COLLECTOR_BASE_BYTES`, and the queue's own memory times
/// `COLLECTOR_WEIGHT`. With the plain number many dropped queues would be collected late. A `Thread::SizedQueue` takes
/// two slots of the VM's heap, one of them of a rare size, and the collector runs when these slots run out, long before
/// its limit of memory is reached. A queue of ours takes one slot of the most frequent size, and has more memory (its
/// ends have cache lines of their own, its ring is a power of two). And memory that a sweep frees is subtracted from
/// the collector's count.
const COLLECTOR_WEIGHT: usize = 2;
const COLLECTOR_BASE_BYTES: usize = 8192;

#[derive(Default, TypedData)]
#[magnus(
    class = "Ratomic::Queue",
    free_immediately,
    mark,
    compact,
    size,
    wb_protected,
    frozen_shareable
)]
struct Queue(OnceShared<Core<RawValue>>, Reported);

/// Which threads may run meanwhile: see [`crate::ffi::gc`].
impl DataTypeFunctions for Queue {
    fn mark(&self, _marker: &gc::Marker) {
        let Some(core) = self.0.peek() else { return };
        match access() {
            // SAFETY: all other threads are stopped at safepoints, and none is reached under a lock.
            Access::Stopped => unsafe { core.visit(RawValue::mark_movable) },
            Access::Locked => core.visit_locked(RawValue::mark_movable),
            Access::Copied => show_copies(
                RawValue::NIL,
                |skip, words| core.copy_from(skip, words),
                RawValue::mark_movable,
            ),
        }
    }

    fn compact(&self, _compactor: &gc::Compactor) {
        // SAFETY: only a collection compacts.
        self.0
            .peek()
            .into_iter()
            .for_each(|core| unsafe { core.visit_mut(RawValue::relocate) });
    }

    fn size(&self) -> usize {
        self.0.peek().map_or(0, Core::memory)
    }
}

impl Queue {
    fn initialize(this: Receiver<Self>, capacity: Value) -> Result<(), Error> {
        let capacity = class::integer(capacity, "capacity")?;
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(error::argument(format!(
                "capacity must be 1 to {MAX_CAPACITY}, not {capacity}"
            )));
        }
        this.0.set_locked(Core::new(capacity as usize))?;
        class::seal(this)?;
        this.report();
        Ok(())
    }

    /// Tells the collector when the queue's memory has changed.
    #[inline]
    fn report(&self) {
        if let Some(core) = self.0.peek() {
            self.1
                .report(COLLECTOR_BASE_BYTES + COLLECTOR_WEIGHT * core.memory());
        }
    }

    fn push(this: Receiver<Self>, args: &[Value]) -> Result<Option<Receiver<Self>>, Error> {
        let (args, deadline) = args::with_timeout(args)?;
        args::count(args, 1, 1)?;
        let item = share(args[0], PLACE)?;
        let outcome = this.0.get()?.push(&Gvl, item, deadline)?;
        Ok(stored(this, item, outcome)?.then_some(this))
    }

    fn append(this: Receiver<Self>, item: Value) -> Result<Receiver<Self>, Error> {
        let item = share(item, PLACE)?;
        let outcome = this.0.get()?.push(&Gvl, item, Deadline::Never)?;
        stored(this, item, outcome).map(|_| this)
    }

    fn try_push(this: Receiver<Self>, item: Value) -> Result<bool, Error> {
        let item = share(item, PLACE)?;
        let outcome = this.0.get()?.try_push(item);
        stored(this, item, outcome)
    }

    fn pop(this: Receiver<Self>, args: &[Value]) -> Result<Option<Value>, Error> {
        let (args, deadline) = args::with_timeout(args)?;
        args::count(args, 0, 0)?;
        let item = this.0.get()?.pop(&Gvl, deadline)?;
        keep(this, || item.as_slice()).map(|()| item.map(RawValue::value))
    }

    /// As `pop`, with a positional timeout: a worker's loop makes no keyword calls (CRuby Bug #22075).
    fn pop_soon(this: Receiver<Self>, timeout: Value) -> Result<Option<Value>, Error> {
        let deadline = args::deadline(Some(timeout))?;
        let item = this.0.get()?.pop_soon(&Gvl, deadline)?;
        keep(this, || item.as_slice()).map(|()| item.map(RawValue::value))
    }

    fn try_pop(this: Receiver<Self>) -> Result<Option<Value>, Error> {
        let item = this.0.get()?.try_pop();
        keep(this, || item.as_slice()).map(|()| item.map(RawValue::value))
    }

    fn pop_many(ruby: &Ruby, this: Receiver<Self>, args: &[Value]) -> Result<RArray, Error> {
        let (args, deadline) = args::with_timeout(args)?;
        args::count(args, 1, 1)?;
        let max = class::integer(args[0], "max")?;
        if max < 1 {
            return Err(error::argument(format!("max must be 1 or more, not {max}")));
        }
        let core = this.0.get()?;
        let room = (max as usize).min(core.capacity());
        let taken = ruby.ary_new_capa(room.min(core.len().max(1)));
        // Hidden from ObjectSpace until it is returned: Ruby code that runs in `keep` must not change it.
        // SAFETY: a new Array that nobody else has. It is shown again below, or left to the collector.
        unsafe { rb_sys::rb_obj_hide(taken.as_raw()) };
        take_up_to(core, taken, room, deadline)?;
        if !taken.is_empty() {
            keep(this, || words(&taken))?;
        }
        // SAFETY: the Array that was hidden above.
        unsafe { rb_sys::rb_obj_reveal(taken.as_raw(), rb_sys::rb_cArray) };
        Ok(taken)
    }

    fn peek(this: Receiver<Self>) -> Result<Option<Value>, Error> {
        Ok(this.0.get()?.peek().map(RawValue::value))
    }

    fn len(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.0.get()?.len())
    }

    fn is_empty(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(this.0.get()?.is_empty())
    }

    fn capacity(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.0.get()?.capacity())
    }

    fn waiting(this: Receiver<Self>) -> Result<usize, Error> {
        Ok(this.0.get()?.waiting())
    }

    fn clear(this: Receiver<Self>) -> Result<Receiver<Self>, Error> {
        this.0.get()?.clear();
        this.report();
        Ok(this)
    }

    fn close(this: Receiver<Self>) -> Result<Receiver<Self>, Error> {
        this.0.get()?.close();
        Ok(this)
    }

    fn is_closed(this: Receiver<Self>) -> Result<bool, Error> {
        Ok(this.0.get()?.is_closed())
    }

    fn inspect(this: Receiver<Self>) -> Result<String, Error> {
        let core = this.0.get()?;
        let closed = if core.is_closed() { ", closed" } else { "" };
        Ok(class::inspect(
            this,
            &format!("{} of {}{closed}", core.len(), core.capacity()),
        ))
    }
}

/// Runs a pending interrupt before the items are returned. If it ends the thread, the items go back to the queue. `items`
/// is asked for them after that: Ruby code may have run, and a collection may have moved them ([`words`]).
fn keep<'a>(this: Receiver<Queue>, items: impl FnOnce() -> &'a [RawValue]) -> Result<(), Error> {
    gvl::check_now().inspect_err(|_| {
        if let Some(core) = this.0.peek() {
            let items = items();
            core.put_back(items);
            items
                .iter()
                .for_each(|item| barrier::write_barrier(this.word(), *item));
        }
    })
}

/// Waits for an item, and takes up to `room` of those that are there: at one moment, if they fit into the buffer.
fn take_up_to(
    core: &Core<RawValue>,
    taken: RArray,
    mut room: usize,
    deadline: Deadline,
) -> Result<(), Error> {
    // On the stack, where a collector sees the items between the queue and the Array.
    let mut items = [RawValue::NIL; BUFFER];
    let mut count = core
        .pop_many(&Gvl, deadline, &mut items[..room.min(BUFFER)])?
        .unwrap_or(0);
    while count > 0 {
        items[..count]
            .iter()
            .try_for_each(|item| taken.push(item.value()))?;
        room -= count;
        // A buffer that has room left has all that was there.
        let more = if count < BUFFER { 0 } else { room.min(BUFFER) };
        count = core.try_pop_many(&mut items[..more]);
    }
    Ok(())
}

/// True if the item was pushed, false if the queue was full until the deadline.
fn stored(
    this: Receiver<Queue>,
    item: RawValue,
    outcome: Result<(), TryPushError>,
) -> Result<bool, Error> {
    match outcome {
        Ok(()) => {
            barrier::write_barrier(this.word(), item);
            this.report();
            Ok(true)
        }
        Err(TryPushError::Full) => Ok(false),
        Err(TryPushError::Closed) => Err(error::closed_queue()),
    }
}

pub fn define(ruby: &Ruby, ratomic: RModule) -> Result<(), Error> {
    let class = class::define::<Queue>(ruby, ratomic, "Queue")?;
    class.define_method("initialize", method!(Queue::initialize, 1))?;
    class.define_method("push", method!(Queue::push, -1))?;
    class.define_method("<<", method!(Queue::append, 1))?;
    class.define_method("try_push", method!(Queue::try_push, 1))?;
    class.define_method("pop", method!(Queue::pop, -1))?;
    class.define_method("pop_soon", method!(Queue::pop_soon, 1))?;
    class.define_method("try_pop", method!(Queue::try_pop, 0))?;
    class.define_method("pop_many", method!(Queue::pop_many, -1))?;
    class.define_method("peek", method!(Queue::peek, 0))?;
    class.define_method("size", method!(Queue::len, 0))?;
    class.define_method("empty?", method!(Queue::is_empty, 0))?;
    class.define_method("capacity", method!(Queue::capacity, 0))?;
    class.define_method("num_waiting", method!(Queue::waiting, 0))?;
    class.define_method("clear", method!(Queue::clear, 0))?;
    class.define_method("close", method!(Queue::close, 0))?;
    class.define_method("closed?", method!(Queue::is_closed, 0))?;
    class.define_method("inspect", method!(Queue::inspect, 0))
}
