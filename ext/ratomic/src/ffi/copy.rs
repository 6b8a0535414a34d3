//! A frozen deep copy of plain data ([`plain`]) that others still use, so that it cannot be frozen where it stands. In one
//! pass and without the VM's table of what it has seen, which costs several times as much; so an object that the data
//! refers to twice becomes two.

use super::{
    plain::{self, Unfrozen},
    Word,
};
use magnus::{prelude::*, RArray};
use rb_sys::ruby_value_type::{RUBY_T_ARRAY, RUBY_T_HASH, RUBY_T_STRING};
use rb_sys::VALUE;
use std::ffi::c_int;

const DEEPEST: u32 = 100;
/// Beyond so many objects the table of the VM is worth its cost: what refers to itself in many ways would grow for ever.
const MOST: u32 = 100_000;

/// The object itself if it is shareable, else a copy of it; nothing, where it is no plain data.
pub fn frozen(object: Word) -> Option<Word> {
    if plain::share(object, Unfrozen::Refuse) {
        return Some(object);
    }
    Copy { left: MOST }.copy(object, 0)
}

struct Copy {
    left: u32,
}

impl Copy {
    fn copy(&mut self, word: Word, depth: u32) -> Option<Word> {
        let frozen = word.is_immediate() || word.is_frozen();
        if frozen && plain::share(word, Unfrozen::Refuse) {
            return Some(word);
        }
        self.left = self.left.checked_sub(1)?;
        // SAFETY: a living object; counts.
        if depth == DEEPEST || unsafe { rb_sys::rb_ivar_count(word.0) } > 0 {
            return None;
        }
        let klass = word.class_or_singleton();
        // SAFETY: the VM's own classes, set before any extension is loaded.
        let (string, array, hash) =
            unsafe { (rb_sys::rb_cString, rb_sys::rb_cArray, rb_sys::rb_cHash) };
        let copy = match word.type_of() {
            RUBY_T_STRING if klass == string => text(word),
            RUBY_T_ARRAY if klass == array => self.copy_array(word, depth)?,
            RUBY_T_HASH if klass == hash => self.copy_hash(word, depth)?,
            _ => return None,
        };
        // What is in it is noted already, so this looks no deeper.
        plain::share(copy, Unfrozen::Freeze).then_some(copy)
    }

    fn copy_array(&mut self, word: Word, depth: u32) -> Option<Word> {
        let array = RArray::from_value(word.value())?;
        let copy = super::error::ruby().ary_new_capa(array.len());
        for place in 0..array.len() {
            // SAFETY: a living Array; nil beyond its end.
            let element = unsafe { rb_sys::rb_ary_entry(word.0, place as _) };
            copy.push(self.copy(Word(element), depth + 1)?.value())
                .ok()?;
        }
        Some(Word::of(copy.as_value()))
    }

    /// Its keys stay: as a key only what is shareable is plain data.
    fn copy_hash(&mut self, word: Word, depth: u32) -> Option<Word> {
        let mut pairs = Pairs {
            copying: self,
            depth,
            // SAFETY: a living Hash of Ruby's own class. The copy has its default, if it has one, and is no plain data then.
            copy: Word(unsafe { rb_sys::rb_hash_dup(word.0) }),
            done: true,
        };
        // SAFETY: a living Hash, which `pair` does not change; `pairs` outlives the call.
        unsafe {
            rb_sys::rb_hash_foreach(word.0, Some(pair), std::ptr::from_mut(&mut pairs) as VALUE)
        };
        pairs.done.then_some(pairs.copy)
    }
}

struct Pairs<'a> {
    copying: &'a mut Copy,
    depth: u32,
    copy: Word,
    done: bool,
}

unsafe extern "C" fn pair(key: VALUE, value: VALUE, pairs: VALUE) -> c_int {
    // SAFETY: the `Pairs` of the frame that called `rb_hash_foreach`.
    let pairs = unsafe { &mut *(pairs as *mut Pairs<'_>) };
    pairs.done = pairs.store(Word(key), Word(value)).is_some();
    let next = if pairs.done {
        rb_sys::st_retval::ST_CONTINUE
    } else {
        rb_sys::st_retval::ST_STOP
    };
    next as c_int
}

impl Pairs<'_> {
    fn store(&mut self, key: Word, value: Word) -> Option<()> {
        if !plain::share(key, Unfrozen::Refuse) {
            return None;
        }
        let copy = self.copying.copy(value, self.depth + 1)?;
        if copy != value {
            // SAFETY: the Hash that was made above, and a key that it has.
            unsafe { rb_sys::rb_hash_aset(self.copy.0, key.0, copy.0) };
        }
        Some(())
    }
}

/// A String with memory of its own.
fn text(word: Word) -> Word {
    // SAFETY: a living String, whose bytes are copied before anything else can run; its encoding is one of the VM's.
    unsafe {
        let encoding = rb_sys::rb_enc_get(word.0);
        let (bytes, length) = (rb_sys::RSTRING_PTR(word.0), rb_sys::RSTRING_LEN(word.0));
        Word(rb_sys::rb_enc_str_new(bytes, length, encoding))
    }
}
