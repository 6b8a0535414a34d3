//! A walk through what an object refers to: elements, members and instance variables. It runs no Ruby code and allocates
//! no object, so nothing moves or goes away meanwhile.

use super::plain::{self, Unfrozen};
use super::Word;
use rb_sys::ruby_value_type::{
    RUBY_T_ARRAY, RUBY_T_FILE, RUBY_T_HASH, RUBY_T_OBJECT, RUBY_T_STRING, RUBY_T_STRUCT,
};
use rb_sys::{st_data_t, VALUE};
use std::collections::HashSet;
use std::ffi::c_int;
use std::hash::{BuildHasherDefault, Hasher};

#[derive(Default)]
struct Walk {
    ahead: Vec<Word>,
    seen: HashSet<VALUE, BuildHasherDefault<Spread>>,
    twice: bool,
}

/// Addresses need no better hash than one that brings their middle bits to both ends.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(*byte as usize);
        }
    }

    fn write_u64(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// The first IO in an unshareable graph.
pub fn find_io(root: Word) -> Option<Word> {
    let mut walk = Walk::default();
    walk.meet(root);
    while let Some(word) = walk.ahead.pop() {
        if word.is_a(RUBY_T_FILE) {
            return Some(word);
        }
        walk.look_into(word);
    }
    None
}

/// Whether the graph is a tree of plain containers and text, apart from what is shareable: a move can take all of it, and
/// meets nothing twice. False also for what this does not know.
pub fn is_plain_tree(root: Word) -> bool {
    let mut walk = Walk::default();
    walk.meet(root);
    while let Some(word) = walk.ahead.pop() {
        match word.type_of() {
            RUBY_T_STRING | RUBY_T_ARRAY | RUBY_T_OBJECT | RUBY_T_STRUCT => {}
            RUBY_T_HASH if plain::has_no_default(word) => {}
            _ if plain::share(word, Unfrozen::Refuse) => continue,
            _ => return false,
        }
        walk.look_into(word);
        if walk.twice {
            return false;
        }
    }
    true
}

impl Walk {
    fn meet(&mut self, word: Word) {
        if word.is_immediate() || word.is_noted_shareable() {
            return;
        }
        if self.seen.insert(word.0) {
            // Most of what there is, and nothing in it to look into.
            let text = word.type_of() == RUBY_T_STRING && plain::has_no_variables(word);
            if !text {
                self.ahead.push(word);
            }
        } else {
            self.twice = self.twice || !plain::share(word, Unfrozen::Refuse);
        }
    }

    fn look_into(&mut self, word: Word) {
        let walk: *mut Walk = self;
        match word.type_of() {
            RUBY_T_ARRAY => {
                // SAFETY: a living Array; the index is below its length.
                let len = unsafe { rb_sys::RARRAY_LEN(word.0) };
                (0..len).for_each(|place| self.meet(Word(unsafe_entry(word, place as _))));
            }
            RUBY_T_STRUCT => {
                // SAFETY: a living Struct; the index is below its size.
                let size = unsafe { rb_sys::rb_struct_size(word.0) };
                for place in 0..super::number::fixnum(Word(size)) {
                    // SAFETY: as above.
                    self.meet(Word(unsafe {
                        rb_sys::rb_struct_aref(word.0, (place << 1 | 1) as VALUE)
                    }));
                }
            }
            // SAFETY: a living Hash; `pair` does not change it, and `walk` outlives the call.
            RUBY_T_HASH => unsafe { rb_sys::rb_hash_foreach(word.0, Some(pair), walk as VALUE) },
            _ => {}
        }
        // SAFETY: a living object; `variable` does not change it, and `walk` outlives the call.
        unsafe { rb_sys::rb_ivar_foreach(word.0, Some(variable), walk as st_data_t) };
    }
}

fn unsafe_entry(array: Word, place: std::ffi::c_long) -> VALUE {
    // SAFETY: a living Array; returns nil beyond its end.
    unsafe { rb_sys::rb_ary_entry(array.0, place) }
}

unsafe extern "C" fn pair(key: VALUE, value: VALUE, walk: VALUE) -> c_int {
    // SAFETY: the walk of the frame that called `rb_hash_foreach`.
    let walk = unsafe { &mut *(walk as *mut Walk) };
    walk.meet(Word(key));
    walk.meet(Word(value));
    rb_sys::st_retval::ST_CONTINUE as c_int
}

unsafe extern "C" fn variable(_name: rb_sys::ID, value: VALUE, walk: st_data_t) -> c_int {
    // SAFETY: the walk of the frame that called `rb_ivar_foreach`.
    unsafe { &mut *(walk as *mut Walk) }.meet(Word(value));
    rb_sys::st_retval::ST_CONTINUE as c_int
}
