//! A walk through the objects that an object refers to: elements, members and instance variables. It runs no Ruby code of
//! the objects. Where a Hash has to be asked by a method call, the VM may let another thread run, or end the call with an
//! exception for this one ([`super::jump`]). No collection moves an object that the walk has met or has ahead: they are
//! all on the stack, or pinned ([`super::pinned`]).

use super::deep_freeze;
use super::{ahead::Ahead, defaults, gc::collects_alone, jump::Jump, met::Met, RawValue};
use magnus::{gc, prelude::*, Error, RClass, RModule, Ruby};
use rb_sys::ruby_value_type::*;
use rb_sys::{st_data_t, VALUE};
use std::ffi::c_int;
use std::sync::OnceLock;

/// The result of a walk through a graph that is not marked as shareable.
#[derive(Clone, Copy, PartialEq)]
pub enum Found {
    Nothing,
    /// An object that must not be copied: an IO, of which the VM would make a second descriptor of the same file, or
    /// the instance of a Singleton. Also the shell of an object that was moved away, which the VM calls shareable.
    Single(RawValue),
    /// An object that the VM would not copy or share correctly, see [`find`].
    Odd,
    /// More than [`MAX_DEPTH`] levels.
    Deep,
}

/// The VM gets no graph with more levels of objects, because its walk is recursive. At the end of the stack it raises
/// at any point, also inside malloc, whose lock then stays locked or whose lists are half changed. A Fiber has the
/// smallest stack, with room for 1,400 levels of Hashes. JSON.parse makes at most 100.
const MAX_DEPTH: u32 = 1_000;
pub const TOO_DEEP: &str = "it is nested too deeply (more than 1,000 levels)";

/// A walk, depth first and in the VM's order, so that it reaches an object at the same level as the VM would. To be kept
/// on the machine stack.
#[derive(Default)]
struct Walk {
    ahead: Ahead,
    /// The level of the object that is being visited.
    level: u32,
    /// Whether the Hash that is being visited has an Array as a key that would be copied.
    has_array_key: bool,
    met: Met,
    /// Whether the walk searches for objects that are met twice, also Strings.
    tree: bool,
    /// Whether a Hash was found that the VM would not copy correctly.
    odd: bool,
    /// Whether an object was found into which the walk cannot look.
    unsure: bool,
}

/// Searches a graph for an IO, and for objects that must be made shareable from the inside out, or be rebuilt when they
/// are copied:
///
/// - a Set: if it is a native object, the VM walks it under its own lock, and hangs (4.0.5) at an element that is not
///   marked as shareable. And the VM copies few Sets;
/// - a Hash whose keys are found by identity: it does not find copies of its keys;
/// - an exception, which refers to the stack that it came from.
pub fn find(root: RawValue) -> Result<Found, Jump> {
    Walk::default().find(root)
}

/// Whether [`find`] finds nothing and has seen everything. It cannot see references that only Ruby's methods return, as
/// the default of a Hash or the receiver of a Method.
pub fn is_ordinary(root: RawValue) -> Result<bool, Jump> {
    let mut walk = Walk::default();
    Ok(walk.find(root)? == Found::Nothing && !walk.unsure)
}

/// The class Set and the module Singleton. For a constant the VM takes its lock, for which all Ractors compete, so they
/// are looked up once.
struct Known {
    set: RawValue,
    singleton: RawValue,
}

static KNOWN: OnceLock<Known> = OnceLock::new();

/// To be called when the extension is loaded, which is in the main Ractor. There the VM lets them be registered: with a
/// collector per Ractor it does nothing for an object of another Ractor's heap, and they would move in a compaction.
pub fn install(ruby: &Ruby) -> Result<(), Error> {
    ruby.require("set")?;
    ruby.require("singleton")?;
    let set: RClass = ruby.class_object().const_get("Set")?;
    let singleton: RModule = ruby.class_object().const_get("Singleton")?;
    gc::register_mark_object(set);
    gc::register_mark_object(singleton);
    KNOWN.get_or_init(|| Known {
        set: RawValue::of(set.as_value()),
        singleton: RawValue::of(singleton.as_value()),
    });
    Ok(())
}

fn known() -> &'static Known {
    KNOWN.get().expect("walk::install has run")
}

pub fn set_class() -> RClass {
    RClass::from_value(known().set.value()).expect("it is registered, so it stays where it is")
}

/// Classes whose instances are native objects with nothing in them that [`find`] looks for: times, dates, decimal
/// numbers. The first free place takes the next one.
static LEAVES: [OnceLock<RawValue>; 4] = [const { OnceLock::new() }; 4];

/// Adds a class. To be called in the main Ractor, as [`install`]. If there is no room for one more, its instances are
/// searched in Ruby, as those of any other native class.
pub fn know_leaf(class: RClass) {
    let word = RawValue::of(class.as_value());
    for place in &LEAVES {
        if place.get().is_none() {
            gc::register_mark_object(class);
        }
        if *place.get_or_init(|| word) == word {
            return;
        }
    }
}

/// Whether a native object is an instance of such a class.
fn is_leaf(word: RawValue) -> bool {
    let class = word.class_or_singleton();
    let known = LEAVES.iter().map_while(OnceLock::get);
    known.into_iter().any(|leaf| leaf.0 == class)
}

/// How many levels of Arrays a key may have.
const MAX_KEY_DEPTH: u32 = 20;

/// Whether a copy of the key has the same hash and is equal to it: a number, text, or an Array of such.
fn is_by_content(key: RawValue, depth: u32) -> bool {
    if key.is_immediate() || key.has_shareable_flag() {
        return true;
    }
    match key.type_of() {
        // In a Hash that compares by content a String key is frozen, and one that is frozen is not copied.
        RUBY_T_STRING => key.is_frozen() || depth > 0,
        RUBY_T_FLOAT | RUBY_T_BIGNUM => true,
        RUBY_T_ARRAY if depth < MAX_KEY_DEPTH => {
            // SAFETY: a living Array; the index is below its length.
            let len = unsafe { rb_sys::RARRAY_LEN(key.0) };
            // SAFETY: the VM's own class.
            key.class_or_singleton() == unsafe { rb_sys::rb_cArray }
                && (0..len)
                    .all(|place| is_by_content(RawValue(unsafe_entry(key, place as _)), depth + 1))
        }
        _ => false,
    }
}

/// Whether the graph, without its shareable parts, is a tree of plain containers and Strings. A move can take all of it
/// and meets no object twice. False also for objects that this walk does not know.
pub fn is_plain_tree(root: RawValue) -> Result<bool, Jump> {
    let mut walk = Walk {
        tree: true,
        ..Walk::default()
    };
    let mut twice = Met::default();
    walk.meet(root);
    while let Some((word, level)) = walk.ahead.pop() {
        match word.type_of() {
            _ if level > MAX_DEPTH || deep_freeze::is_moved(word) => return Ok(false),
            _ if is_fatal_to_move(word) => return Ok(false),
            RUBY_T_STRING | RUBY_T_ARRAY | RUBY_T_OBJECT | RUBY_T_STRUCT => {}
            RUBY_T_HASH if deep_freeze::has_no_default(word)? => {}
            _ if deep_freeze::is_frozen_data(word)? => continue,
            _ => return Ok(false),
        }
        if !walk.met.insert(word) {
            if twice.insert(word) && !deep_freeze::is_frozen_data(word)? {
                return Ok(false);
            }
            continue;
        }
        walk.level = level + 1;
        walk.look_into(word)?;
    }
    Ok(true)
}

/// Whether Ruby 4.0 ends the process when it moves the object, or later: it looks in the wrong place for what else a
/// Struct has (or a Data, or a Range, which are made like one), and it forgets finalizers. Ruby 4.1, which came with a heap
/// for each Ractor, does not.
pub fn is_fatal_to_move(word: RawValue) -> bool {
    !collects_alone()
        && (word.has_finalizer() || word.is_a(RUBY_T_STRUCT) && deep_freeze::has_hidden_state(word))
}

pub fn is_odd(word: RawValue) -> bool {
    match word.type_of() {
        RUBY_T_OBJECT | RUBY_T_DATA => {
            // SAFETY: the VM's own class, set before any extension is loaded.
            let exception = unsafe { rb_sys::rb_eException };
            is_kind_of(word, exception) || is_kind_of(word, known().set.0)
        }
        _ => false,
    }
}

/// Whether the object is the instance of a class that includes Singleton.
pub fn is_singleton(word: RawValue) -> bool {
    // SAFETY: the VM's own classes, set before any extension is loaded.
    let plain = unsafe { [rb_sys::rb_cString, rb_sys::rb_cArray, rb_sys::rb_cHash] };
    !plain.contains(&word.class_or_singleton()) && is_kind_of(word, known().singleton.0)
}

/// Whether the object may have references that `look_into` does not follow.
fn has_more(word: RawValue) -> Result<bool, Jump> {
    Ok(match word.type_of() {
        RUBY_T_HASH => !deep_freeze::has_no_default(word)?,
        RUBY_T_STRING | RUBY_T_ARRAY | RUBY_T_STRUCT | RUBY_T_OBJECT | RUBY_T_REGEXP => false,
        RUBY_T_FLOAT | RUBY_T_BIGNUM | RUBY_T_RATIONAL | RUBY_T_COMPLEX | RUBY_T_SYMBOL => false,
        RUBY_T_DATA => !is_leaf(word),
        _ => true,
    })
}

fn is_kind_of(word: RawValue, module: VALUE) -> bool {
    // SAFETY: a living object, and a class or module; looks through the ancestors.
    unsafe { rb_sys::rb_obj_is_kind_of(word.0, module) != rb_sys::Qfalse as VALUE }
}

impl Walk {
    fn find(&mut self, root: RawValue) -> Result<Found, Jump> {
        let mut found = Found::Nothing;
        self.meet(root);
        while let Some((word, level)) = self.ahead.pop() {
            if !self.met.insert(word) {
                continue;
            }
            if level > MAX_DEPTH {
                return Ok(Found::Deep);
            }
            if word.is_a(RUBY_T_FILE) || deep_freeze::is_moved(word) || is_singleton(word) {
                // An odd graph is searched again in Ruby code, which finds the path.
                return Ok(if found == Found::Odd {
                    found
                } else {
                    Found::Single(word)
                });
            }
            self.unsure = self.unsure || has_more(word)?;
            self.level = level + 1;
            self.look_into(word)?;
            if self.odd || is_odd(word) {
                found = Found::Odd;
            }
        }
        Ok(found)
    }

    fn meet(&mut self, word: RawValue) {
        if word.is_immediate() || (word.has_shareable_flag() && !deep_freeze::is_moved(word)) {
            return;
        }
        // Strings are the most frequent objects, and refer to nothing.
        if self.tree || word.type_of() != RUBY_T_STRING || !deep_freeze::has_no_variables(word) {
            self.ahead.push(word, self.level);
        }
    }

    /// Pushes the content first and the instance variables last, so that the variables are visited first.
    fn look_into(&mut self, word: RawValue) -> Result<(), Jump> {
        let walk: *mut Walk = self;
        let before = self.ahead.len();
        match word.type_of() {
            RUBY_T_ARRAY => {
                // SAFETY: a living Array; the index is below its length.
                let len = unsafe { rb_sys::RARRAY_LEN(word.0) };
                (0..len).for_each(|place| self.meet(RawValue(unsafe_entry(word, place as _))));
            }
            RUBY_T_STRUCT => {
                // SAFETY: a living Struct; the index is below its size.
                let size = unsafe { rb_sys::rb_struct_size(word.0) };
                for place in 0..super::number::fixnum(RawValue(size)) {
                    // SAFETY: as above.
                    self.meet(RawValue(unsafe {
                        rb_sys::rb_struct_aref(word.0, (place << 1 | 1) as VALUE)
                    }));
                }
            }
            RUBY_T_HASH => {
                // SAFETY: a living Hash; `pair` does not change it, and `walk` outlives the call.
                unsafe { rb_sys::rb_hash_foreach(word.0, Some(pair), walk as VALUE) };
                if std::mem::take(&mut self.has_array_key) {
                    self.odd |= !defaults::compares_by_content(word)?;
                }
            }
            _ => {}
        }
        self.ahead.reverse_from(before);
        let before = self.ahead.len();
        // SAFETY: a living object; `variable` does not change it, and `walk` outlives the call.
        unsafe { rb_sys::rb_ivar_foreach(word.0, Some(variable), walk as st_data_t) };
        self.ahead.reverse_from(before);
        Ok(())
    }
}

fn unsafe_entry(array: RawValue, place: std::ffi::c_long) -> VALUE {
    // SAFETY: a living Array; returns nil beyond its end.
    unsafe { rb_sys::rb_ary_entry(array.0, place) }
}

unsafe extern "C" fn pair(key: VALUE, value: VALUE, walk: VALUE) -> c_int {
    // SAFETY: the walk of the frame that called `rb_hash_foreach`.
    let walk = unsafe { &mut *(walk as *mut Walk) };
    walk.odd |= !is_by_content(RawValue(key), 0);
    walk.has_array_key |= RawValue(key).is_a(RUBY_T_ARRAY) && !RawValue(key).has_shareable_flag();
    walk.meet(RawValue(key));
    walk.meet(RawValue(value));
    rb_sys::st_retval::ST_CONTINUE as c_int
}

unsafe extern "C" fn variable(_name: rb_sys::ID, value: VALUE, walk: st_data_t) -> c_int {
    // SAFETY: the walk of the frame that called `rb_ivar_foreach`.
    unsafe { &mut *(walk as *mut Walk) }.meet(RawValue(value));
    rb_sys::st_retval::ST_CONTINUE as c_int
}
