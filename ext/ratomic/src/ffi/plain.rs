//! Makes plain data shareable, or finds that it is, in one pass and without the bookkeeping of the VM's own way, which
//! enters every object into a table to find cycles, and costs more than parsing it did.
//!
//! Plain data is what parsers return: Strings, numbers, Symbols, Arrays, Hashes and Structs with no instance variables,
//! and frozen objects, all without singleton classes. An object is noted as shareable after everything in it is, so every
//! note is true whenever the walk ends early. Anything else, and what is nested too deep (a cycle, too), is left to the
//! VM.

use super::{defaults::Defaults, flags::Flags, Word};
use magnus::{prelude::*, rb_sys::AsRawValue, Error, RClass, Ruby, Value};
use rb_sys::ruby_fl_type::RUBY_FL_FREEZE;
use rb_sys::ruby_fl_ushift::RUBY_FL_USHIFT;
use rb_sys::ruby_value_type::*;
use rb_sys::{st_data_t, RBasic, VALUE};
use std::ffi::c_int;
use std::sync::OnceLock;

/// What is found out about this VM.
struct Known {
    defaults: Defaults,
    flags: Flags,
    /// `Ractor::MovedObject`, which what was moved away is an instance of, and which the VM itself refers to.
    moved: VALUE,
}

static KNOWN: OnceLock<Known> = OnceLock::new();

/// To be called once, before anything else here.
pub fn install(ruby: &Ruby) -> Result<(), Error> {
    let known = Known {
        defaults: Defaults::find(ruby)?,
        flags: Flags::find(ruby)?,
        moved: moved_object(ruby)?,
    };
    KNOWN.get_or_init(|| known);
    Ok(())
}

fn moved_object(ruby: &Ruby) -> Result<VALUE, Error> {
    let ractor: RClass = ruby.class_object().const_get("Ractor")?;
    Ok(ractor.const_get::<_, Value>("MovedObject")?.as_raw())
}

/// True if the object is shareable now; if not, it may be all the same.
pub fn share(object: Word, unfrozen: Unfrozen) -> bool {
    let walk = |known| {
        Walk {
            unfrozen,
            depth: 0,
            known,
        }
        .share(object)
    };
    KNOWN.get().is_some_and(walk)
}

/// Whether all of a native object is in itself, so that its flag is all that has to be noted.
pub fn is_whole(object: Word) -> bool {
    KNOWN
        .get()
        .is_some_and(|known| object.header().flags & known.flags.numbered == 0)
        && has_no_variables(object)
}

/// For other objects than a T_OBJECT, which has them in itself.
fn has_no_variables(object: Word) -> bool {
    // SAFETY: a living object; counts.
    unsafe { rb_sys::rb_ivar_count(object.0) == 0 }
}

const DEEPEST: u32 = 100;

/// A shorter Array has so little memory to spare that to give it back costs more than it is worth.
const SHORT: std::ffi::c_long = 64;

/// The header's ELTS_SHARED, the first of the flags that belong to a type.
const LENDS: VALUE = 1 << RUBY_FL_USHIFT as VALUE;

/// What to do with an object that is not frozen.
#[derive(Clone, Copy, PartialEq)]
pub enum Unfrozen {
    Freeze,
    Refuse,
}

struct Walk {
    unfrozen: Unfrozen,
    depth: u32,
    known: &'static Known,
}

impl Walk {
    fn share(&mut self, word: Word) -> bool {
        if word.is_immediate() {
            return true;
        }
        if word.header().klass == self.known.moved {
            return false; // shareable for the VM, but there is nothing in it any more
        }
        if word.is_noted_shareable() {
            return true;
        }
        if self.depth == DEEPEST {
            return false;
        }
        self.depth += 1;
        let done = self.is_plain(word) && self.frozen(word) && self.share_content(word);
        self.depth -= 1;
        if done {
            word.note_shareable();
        }
        done
    }

    fn is_plain(&self, word: Word) -> bool {
        let (kind, RBasic { flags, klass, .. }) = (word.type_of(), word.header());
        // SAFETY: a living object, and the VM's own classes, set before any extension is loaded.
        let own_class = unsafe {
            *klass
                == match kind {
                    RUBY_T_STRING => rb_sys::rb_cString,
                    RUBY_T_ARRAY => rb_sys::rb_cArray,
                    RUBY_T_HASH => rb_sys::rb_cHash,
                    _ => rb_sys::rb_obj_class(word.0),
                }
        };
        let Flags { numbered, locked } = self.known.flags;
        // The VM takes apart what shares its elements with another object, and notes what is beside an object.
        let barred = match kind {
            RUBY_T_OBJECT => return own_class,
            RUBY_T_STRING => LENDS | numbered | locked,
            RUBY_T_ARRAY => LENDS | numbered,
            _ => numbered,
        };
        own_class && flags & barred == 0 && has_no_variables(word)
    }

    fn frozen(&self, word: Word) -> bool {
        if word.header().flags & RUBY_FL_FREEZE as VALUE != 0 {
            return true;
        }
        if self.unfrozen == Unfrozen::Refuse {
            return false;
        }
        // SAFETY: living objects of the class itself, whose `freeze` is what these functions do, and which nobody has
        // locked, so that nothing raises. That of an Array gives back the memory that it has to spare, too.
        unsafe {
            match word.type_of() {
                RUBY_T_STRING => rb_sys::rb_str_freeze(word.0),
                RUBY_T_ARRAY if rb_sys::RARRAY_LEN(word.0) < SHORT => rb_sys::rb_obj_freeze(word.0),
                RUBY_T_ARRAY => rb_sys::rb_ary_freeze(word.0),
                RUBY_T_HASH => rb_sys::rb_hash_freeze(word.0),
                _ => return false,
            };
        }
        word.header().flags & RUBY_FL_FREEZE as VALUE != 0
    }

    fn share_content(&mut self, word: Word) -> bool {
        match word.type_of() {
            RUBY_T_STRING | RUBY_T_FLOAT | RUBY_T_BIGNUM => true,
            RUBY_T_ARRAY => self.share_array(word),
            RUBY_T_HASH => self.share_hash(word),
            RUBY_T_STRUCT => self.share_struct(word),
            RUBY_T_OBJECT => self.share_object(word),
            _ => false,
        }
    }

    fn share_array(&mut self, array: Word) -> bool {
        // SAFETY: a living, frozen Array; the index is below its length.
        let len = unsafe { rb_sys::RARRAY_LEN(array.0) };
        // SAFETY: as above.
        (0..len).all(|place| self.share(Word(unsafe { rb_sys::rb_ary_entry(array.0, place) })))
    }

    fn share_struct(&mut self, object: Word) -> bool {
        // SAFETY: a living, frozen Struct; the index is below its size.
        let size = unsafe { rb_sys::rb_struct_size(object.0) } >> 1;
        (0..size).all(|place| {
            // SAFETY: as above.
            self.share(Word(unsafe {
                rb_sys::rb_struct_aref(object.0, place << 1 | 1)
            }))
        })
    }

    fn share_object(&mut self, object: Word) -> bool {
        unsafe extern "C" fn variable(
            _name: rb_sys::ID,
            value: VALUE,
            content: st_data_t,
        ) -> c_int {
            // SAFETY: the `Content` of the frame that called `rb_ivar_foreach`.
            unsafe { &mut *(content as *mut Content<'_>) }.share(&[value])
        }

        let mut content = Content(self, true);
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

    fn share_hash(&mut self, hash: Word) -> bool {
        unsafe extern "C" fn pair(key: VALUE, value: VALUE, content: VALUE) -> c_int {
            // SAFETY: the `Content` of the frame that called `rb_hash_foreach`.
            unsafe { &mut *(content as *mut Content<'_>) }.share(&[key, value])
        }

        if !self.known.defaults.are_none(hash) {
            return false;
        }
        let mut content = Content(self, true);
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

/// A walk among the parts of one object, and whether all of them were shareable so far.
struct Content<'a>(&'a mut Walk, bool);

impl Content<'_> {
    fn share(&mut self, values: &[VALUE]) -> c_int {
        self.1 &= values.iter().all(|value| self.0.share(Word(*value)));
        let next = if self.1 {
            rb_sys::st_retval::ST_CONTINUE
        } else {
            rb_sys::st_retval::ST_STOP
        };
        next as c_int
    }
}
