//! Makes plain data shareable in one pass, or finds that it is already. The VM's own way enters every object into a
//! table to find cycles, which costs more than parsing the data did.
//!
//! Plain data is what parsers return: Strings, numbers, Symbols, Arrays, Hashes and Structs with no instance variables,
//! and frozen objects, all without singleton classes. An object is noted as shareable after everything in it is, so
//! all notes are true even if the walk ends early. All other objects, and data that is nested too deeply (which includes
//! cycles), are left to the VM.
//!
//! How an object is noted, and what is known about it beyond the C API, depends on the Ruby: see [`super::note`]. Where
//! single objects cannot be noted, this module only checks that the data is plain, and the VM notes it in one walk.

use super::{
    defaults, global_gc,
    jump::{self, Jump},
    met::Met,
    note::{self, Way},
    RawValue,
};
use magnus::{prelude::*, rb_sys::AsRawValue, Error, RClass, Ruby, Value};
use rb_sys::ruby_value_type::*;
use rb_sys::{st_data_t, VALUE};
use std::ffi::c_int;
use std::sync::OnceLock;

/// The class `Ractor::MovedObject`: an object that was moved becomes an instance of it. The VM keeps the class alive.
static MOVED: OnceLock<VALUE> = OnceLock::new();

/// The flag of an object that has outlived some collections.
const PROMOTED: VALUE = rb_sys::ruby_fl_type::RUBY_FL_PROMOTED as VALUE;

/// Flags in the header of an object, other than a T_OBJECT, for which the C API has no name. Each was found by a
/// comparison of two Strings.
struct HeaderFlags {
    /// Its instance variables are in a table, and `rb_ivar_count` does not count those; 0 if it counts all. (Ruby 4.0
    /// uses a table if instances of the class have been given variables in more than eight different ways.)
    uncounted: VALUE,
    /// Its `object_id` was asked for. The number is kept where instance variables are.
    object_id: VALUE,
}

static HEADER_FLAGS: OnceLock<HeaderFlags> = OnceLock::new();

/// To be called once, before anything else here.
pub fn install(ruby: &Ruby) -> Result<(), Error> {
    let moved = moved_object(ruby)?;
    MOVED.get_or_init(|| moved);
    let found = HeaderFlags::find(ruby)?;
    HEADER_FLAGS.get_or_init(|| found);
    Ok(())
}

impl HeaderFlags {
    /// If Ruby was asked to tell of what is slow, it would tell of the table.
    fn find(ruby: &Ruby) -> Result<HeaderFlags, Error> {
        const SAMPLES: &str = "
            told = begin
              Warning[:performance]
            rescue ArgumentError
              false # an older Ruby has no such warnings
            end
            Warning[:performance] = false if told
            begin
              kind = Class.new(String)
              texts = Array.new(16) { |n| kind.new.tap { |text| text.instance_variable_set(:\"@v#{n}\", n) } }
              [kind.new, texts.last, kind.new.tap(&:object_id)]
            ensure
              Warning[:performance] = true if told
            end";
        let samples: (Value, Value, Value) = ruby.eval(SAMPLES)?;
        let (none, some) = (RawValue::of(samples.0), RawValue::of(samples.1));
        let difference = |other: RawValue| (none.flags() ^ other.flags()) & !PROMOTED;
        // SAFETY: a living object; counts.
        let counted = unsafe { rb_sys::rb_ivar_count(some.0) } > 0;
        Ok(HeaderFlags {
            uncounted: if counted { 0 } else { difference(some) },
            object_id: difference(RawValue::of(samples.2)),
        })
    }
}

fn header_flags() -> &'static HeaderFlags {
    HEADER_FLAGS.get().expect("deep_freeze::install has run")
}

fn moved_object(ruby: &Ruby) -> Result<VALUE, Error> {
    let ractor: RClass = ruby.class_object().const_get("Ractor")?;
    Ok(ractor.const_get::<_, Value>("MovedObject")?.as_raw())
}

/// Returns true if the object is shareable now. False only means that this module could not find out.
#[inline]
pub fn share(object: RawValue, unfrozen: Unfrozen) -> Result<bool, Jump> {
    if is_noted(object) {
        return Ok(!is_moved(object));
    }
    share_unnoted(object, unfrozen)
}

fn share_unnoted(object: RawValue, unfrozen: Unfrozen) -> Result<bool, Jump> {
    let way = note::way();
    let mut walk = Walk {
        unfrozen,
        depth: 0,
        way,
        notes: true,
        looks: 0,
        met: None,
    };
    let shared = walk.share(object)?;
    if shared && matches!(way, Way::Walk) {
        by_the_vm(object)?;
    }
    Ok(shared)
}

/// Whether the object is frozen plain data. Unlike [`share`] it notes nothing.
pub fn is_frozen_data(object: RawValue) -> Result<bool, Jump> {
    let mut walk = Walk {
        unfrozen: Unfrozen::Refuse,
        depth: 0,
        way: &Way::Walk,
        notes: false,
        looks: 0,
        met: None,
    };
    walk.share(object)
}

/// Whether a native object has neither instance variables nor an `object_id` outside of itself, so that it can be noted
/// by its flag alone.
pub fn is_whole(object: RawValue) -> bool {
    match note::way() {
        Way::Function(_) => has_no_variables(object),
        Way::Flag(_) => !has_hidden_state(object),
        Way::Walk => false,
    }
}

/// Whether the object was moved away: whether a `Ractor::MovedObject` is in its place.
#[inline]
pub fn is_moved(word: RawValue) -> bool {
    !word.is_immediate() && MOVED.get() == Some(&word.class_or_singleton())
}

fn is_noted(word: RawValue) -> bool {
    word.is_immediate() || word.has_shareable_flag()
}

/// Whether a native call uses the bytes of a String, which is then not to be frozen.
pub fn is_in_use(text: RawValue) -> Result<bool, Jump> {
    match note::way() {
        Way::Flag(found) => Ok(text.flags() & found.flags.str_tmplock != 0),
        // SAFETY: a living String that is not frozen, and the VM's own class. If the String is not locked, it is
        // unlocked again before another thread can run. If it is, locking raises.
        _ => unsafe {
            let lock = || rb_sys::rb_str_unlocktmp(rb_sys::rb_str_locktmp(text.0));
            jump::raises(rb_sys::rb_eRuntimeError, lock)
        },
    }
}

/// Whether this is a Hash of no subclass, with neither a default nor a default proc. False also when that cannot be
/// told.
pub fn has_no_default(hash: RawValue) -> Result<bool, Jump> {
    // SAFETY: the VM's own class, set before any extension is loaded.
    if hash.class_or_singleton() != unsafe { rb_sys::rb_cHash } {
        return Ok(false);
    }
    match note::way() {
        Way::Flag(found) => Ok(found.defaults.are_none(hash)),
        _ => defaults::are_none(hash),
    }
}

/// Whether a Hash was made by `Hash.ruby2_keywords_hash`, or may have been.
pub fn is_noted_for_keywords(hash: RawValue) -> Result<bool, Jump> {
    match note::way() {
        Way::Flag(found) if found.flags.keywords != 0 => {
            Ok(hash.flags() & found.flags.keywords != 0)
        }
        _ => defaults::is_noted_for_keywords(hash),
    }
}

/// Whether an object has instance variables. (For a T_OBJECT the answer means nothing.)
pub fn has_variables(object: RawValue) -> bool {
    !has_no_variables(object)
}

/// Whether an object has no instance variables. (Not for a T_OBJECT, which stores them in itself.)
pub fn has_no_variables(object: RawValue) -> bool {
    // SAFETY: a living object; counts.
    let counted = unsafe { rb_sys::rb_ivar_count(object.0) };
    counted == 0 && object.flags() & header_flags().uncounted == 0
}

/// Whether an object, other than a T_OBJECT, has instance variables, or an `object_id` that was asked for.
pub fn has_hidden_state(object: RawValue) -> bool {
    has_variables(object) || has_object_id(object)
}

/// Whether the `object_id` of an object was asked for. It can also be true of one that has variables. (Not for a
/// T_OBJECT.)
fn has_object_id(object: RawValue) -> bool {
    object.flags() & header_flags().object_id != 0
}

/// Makes plain data shareable by the VM's own walk. It contains no native objects, into which the VM would look while it
/// holds its lock (see [`super::class`]), and nothing that the VM refuses. So what this raises comes from elsewhere.
pub fn by_the_vm(object: RawValue) -> Result<(), Jump> {
    // SAFETY: a living object, on the caller's stack; `catch` catches what this raises.
    jump::catch(|| unsafe { rb_sys::rb_ractor_make_shareable(object.0) }).map(drop)
}

const MAX_DEPTH: u32 = 100;

/// After so many containers a walk that notes none remembers them. Else it would look into one that has two references
/// twice, and with each such level the time would double.
const MAX_LOOKS: u32 = 10_000;

/// Ruby's `freeze` shrinks the memory of an Array. For an Array shorter than this, that costs more than it saves.
const MIN_SHRUNK_ELEMENTS: std::ffi::c_long = 64;

/// What to do with an object that is not frozen.
#[derive(Clone, Copy, PartialEq)]
pub enum Unfrozen {
    Freeze,
    Refuse,
}

struct Walk {
    unfrozen: Unfrozen,
    depth: u32,
    way: &'static Way,
    /// Whether objects that turn out to be shareable are noted.
    notes: bool,
    /// Containers that were looked into without noting them, at most [`MAX_LOOKS`].
    looks: u32,
    /// Those that were looked into after that.
    met: Option<Met>,
}

impl Walk {
    /// Notes the object as shareable, after freezing it if `unfrozen` allows that. With [`Way::Walk`] it changes nothing,
    /// and only checks that all of it is plain data.
    fn share(&mut self, word: RawValue) -> Result<bool, Jump> {
        if is_moved(word) {
            return Ok(false); // the VM calls it shareable, but its content is gone
        }
        if is_noted(word) {
            return Ok(true);
        }
        if self.depth == MAX_DEPTH || !self.is_plain(word) || !self.frozen(word)? {
            return Ok(false);
        }
        if self.has_met(word) {
            return Ok(true); // or it is being looked into
        }
        self.depth += 1;
        let done = self.share_content(word)?;
        self.depth -= 1;
        if !self.notes {
            return Ok(done);
        }
        let noted = done && self.note(word)?;
        if noted {
            global_gc::count(word);
        }
        Ok(noted)
    }

    fn note(&self, word: RawValue) -> Result<bool, Jump> {
        match self.way {
            Way::Walk => Ok(true),
            // The VM may have to store an `object_id` in it, which is not possible later.
            _ if word.type_of() == RUBY_T_OBJECT => by_the_vm(word).map(|()| true),
            _ => Ok(note::shareable(word)),
        }
    }

    fn is_plain(&self, word: RawValue) -> bool {
        let kind = word.type_of();
        // SAFETY: a living object, and the VM's own classes, set before any extension is loaded.
        let class = unsafe {
            match kind {
                RUBY_T_STRING => rb_sys::rb_cString,
                RUBY_T_ARRAY => rb_sys::rb_cArray,
                RUBY_T_HASH => rb_sys::rb_cHash,
                _ => rb_sys::rb_obj_class(word.0),
            }
        };
        if word.class_or_singleton() != class {
            return false;
        }
        // A String or Array that shares its memory with another one (ELTS_SHARED) is left to the VM, which copies it
        // first.
        let left = !matches!(self.way, Way::Walk) && word.has_shared_content();
        kind == RUBY_T_OBJECT || !left && !self.is_barred(word, kind) && has_no_variables(word)
    }

    /// Whether a walk that notes nothing has come to this container before. If it was not shareable, the walk has ended.
    fn has_met(&mut self, word: RawValue) -> bool {
        let noted = self.notes && !matches!(self.way, Way::Walk);
        if noted || matches!(word.type_of(), RUBY_T_STRING | RUBY_T_FLOAT | RUBY_T_BIGNUM) {
            return false;
        }
        if self.looks < MAX_LOOKS {
            self.looks += 1;
            return false;
        }
        !self.met.get_or_insert_with(Met::default).insert(word)
    }

    /// Whether the object cannot be noted by its flag: a String that a native call uses, or an object whose `object_id` is
    /// in a side table, which the VM would have to note too.
    fn is_barred(&self, word: RawValue, kind: rb_sys::ruby_value_type) -> bool {
        let Way::Flag(found) = self.way else {
            return false;
        };
        let in_use = kind == RUBY_T_STRING && word.flags() & found.flags.str_tmplock != 0;
        in_use || has_object_id(word)
    }

    fn frozen(&self, word: RawValue) -> Result<bool, Jump> {
        if word.is_frozen() {
            return Ok(true);
        }
        if self.unfrozen == Unfrozen::Refuse {
            return Ok(false);
        }
        let kind = word.type_of();
        if kind == RUBY_T_STRING && !matches!(self.way, Way::Flag(_)) && is_in_use(word)? {
            return Ok(false); // (where `is_barred` does not tell)
        }
        if matches!(self.way, Way::Walk) {
            return Ok(matches!(kind, RUBY_T_STRING | RUBY_T_ARRAY | RUBY_T_HASH));
        }
        // SAFETY: living objects of the class itself, whose `freeze` is what these functions do. None raises, since no
        // String is in use. That of an Array gives back the memory that it has to spare, too.
        unsafe {
            match kind {
                RUBY_T_STRING => rb_sys::rb_str_freeze(word.0),
                RUBY_T_ARRAY if rb_sys::RARRAY_LEN(word.0) < MIN_SHRUNK_ELEMENTS => {
                    rb_sys::rb_obj_freeze(word.0)
                }
                RUBY_T_ARRAY => rb_sys::rb_ary_freeze(word.0),
                RUBY_T_HASH => rb_sys::rb_hash_freeze(word.0),
                _ => return Ok(false),
            };
        }
        Ok(word.is_frozen())
    }

    fn share_content(&mut self, word: RawValue) -> Result<bool, Jump> {
        match word.type_of() {
            RUBY_T_STRING | RUBY_T_FLOAT | RUBY_T_BIGNUM => Ok(true),
            RUBY_T_ARRAY => self.share_array(word),
            RUBY_T_HASH => self.share_hash(word),
            RUBY_T_STRUCT => self.share_struct(word),
            RUBY_T_OBJECT => self.share_object(word),
            _ => Ok(false),
        }
    }

    fn share_array(&mut self, array: RawValue) -> Result<bool, Jump> {
        // SAFETY: a living, frozen Array.
        let len = unsafe { rb_sys::RARRAY_LEN(array.0) };
        for place in 0..len {
            // SAFETY: as above; the index is below its length.
            let element = RawValue(unsafe { rb_sys::rb_ary_entry(array.0, place) });
            if !self.share(element)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn share_struct(&mut self, object: RawValue) -> Result<bool, Jump> {
        // SAFETY: a living, frozen Struct.
        let size = unsafe { rb_sys::rb_struct_size(object.0) } >> 1;
        for place in 0..size {
            // SAFETY: as above; the index is below its size.
            let member = RawValue(unsafe { rb_sys::rb_struct_aref(object.0, place << 1 | 1) });
            if !self.share(member)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn share_object(&mut self, object: RawValue) -> Result<bool, Jump> {
        unsafe extern "C" fn variable(
            _name: rb_sys::ID,
            value: VALUE,
            content: st_data_t,
        ) -> c_int {
            // SAFETY: the `Content` of the frame that called `rb_ivar_foreach`.
            unsafe { &mut *(content as *mut Content<'_>) }.share(&[value])
        }

        let mut content = Content(self, Ok(true));
        // SAFETY: a living, frozen object; `variable` raises nothing, and `content` outlives the call.
        unsafe {
            rb_sys::rb_ivar_foreach(
                object.0,
                Some(variable),
                std::ptr::from_mut(&mut content) as st_data_t,
            )
        };
        content.1
    }

    fn share_hash(&mut self, hash: RawValue) -> Result<bool, Jump> {
        unsafe extern "C" fn pair(key: VALUE, value: VALUE, content: VALUE) -> c_int {
            // SAFETY: the `Content` of the frame that called `rb_hash_foreach`.
            unsafe { &mut *(content as *mut Content<'_>) }.share(&[key, value])
        }

        if !has_no_default(hash)? {
            return Ok(false);
        }
        let mut content = Content(self, Ok(true));
        // SAFETY: a living, frozen Hash; `pair` raises nothing, and `content` outlives the call.
        unsafe {
            rb_sys::rb_hash_foreach(
                hash.0,
                Some(pair),
                std::ptr::from_mut(&mut content) as VALUE,
            )
        };
        content.1
    }
}

/// Walks through the parts of one object, and keeps whether all of them were shareable so far. After the first that is not
/// it looks at none: `rb_ivar_foreach` goes on when it is told to stop.
struct Content<'a>(&'a mut Walk, Result<bool, Jump>);

impl Content<'_> {
    fn share(&mut self, values: &[VALUE]) -> c_int {
        for value in values {
            if matches!(self.1, Ok(true)) {
                self.1 = self.0.share(RawValue(*value));
            }
        }
        let next = match self.1 {
            Ok(true) => rb_sys::st_retval::ST_CONTINUE,
            _ => rb_sys::st_retval::ST_STOP,
        };
        next as c_int
    }
}
