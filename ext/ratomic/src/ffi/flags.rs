//! Flags in the header of an object for which the C API has no name, each found by comparing a String with itself. Only
//! for the Rubies on which that was proved, see [`super::note`].

use super::Word;
use magnus::{prelude::*, rb_sys::protect, Error, Ruby, Value};
use rb_sys::VALUE;

#[derive(Clone, Copy)]
pub struct Flags {
    /// Of an object other than a T_OBJECT that was asked for its `object_id`. The number is in an object of its own, as
    /// instance variables are.
    pub numbered: VALUE,
    /// Of a String that a native call is using; to freeze it raises.
    pub locked: VALUE,
}

impl Flags {
    pub fn find(ruby: &Ruby) -> Result<Flags, Error> {
        let text: Value = ruby.eval("''.dup")?;
        let word = Word::of(text);
        let before = word.flags();
        // SAFETY: a String that nobody else has; `protect` catches what these raise.
        protect(|| unsafe { rb_sys::rb_str_locktmp(word.0) })?;
        let locked = word.flags() ^ before;
        // SAFETY: as above.
        protect(|| unsafe { rb_sys::rb_str_unlocktmp(word.0) })?;
        let _: Value = text.funcall("object_id", ())?;
        let numbered = word.flags() ^ before;
        Ok(Flags { numbered, locked })
    }
}
