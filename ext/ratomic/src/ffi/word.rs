//! A `VALUE` as the structures of `ratomic_core` store it. It does not keep its object alive: while it is in a structure
//! the structure's mark function does, while it is in a local variable the conservative scan of the machine stack does.

use magnus::{rb_sys::AsRawValue, rb_sys::FromRawValue, RArray, Value};
use rb_sys::{ruby_fl_type, RBasic, VALUE};

/// The flag with which the VM remembers that an object is shareable.
const SHAREABLE: VALUE = ruby_fl_type::RUBY_FL_SHAREABLE as VALUE;

#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word(pub VALUE);

impl Word {
    pub const NIL: Word = Word(rb_sys::special_consts::Qnil as VALUE);

    /// The Fixnum 0.
    pub const ZERO: Word = Word(1);

    pub fn of(value: Value) -> Word {
        Word(value.as_raw())
    }

    /// The object. To be called only on a word that was just read from a structure, or that came from Ruby.
    pub fn value(self) -> Value {
        // SAFETY: words come from `of`, so this is a VALUE; see above for what keeps it alive.
        unsafe { Value::from_raw(self.0) }
    }

    pub fn is_fixnum(self) -> bool {
        rb_sys::FIXNUM_P(self.0)
    }

    pub fn is_immediate(self) -> bool {
        rb_sys::SPECIAL_CONST_P(self.0)
    }

    pub fn type_of(self) -> rb_sys::ruby_value_type {
        // SAFETY: a living object, see `value`; reads its header only.
        unsafe { rb_sys::RB_BUILTIN_TYPE(self.0) }
    }

    pub fn is_a(self, kind: rb_sys::ruby_value_type) -> bool {
        !self.is_immediate() && self.type_of() == kind
    }

    pub fn header(&self) -> &RBasic {
        // SAFETY: a living object that is no immediate, by the caller's check; the reference lives no longer than that.
        unsafe { &*(self.0 as *const RBasic) }
    }

    /// Whether the VM has noted that the object is shareable. It may be without the note.
    pub fn is_noted_shareable(self) -> bool {
        self.header().flags & SHAREABLE != 0
    }

    /// Notes that a deeply frozen object is shareable: one that has no instance variables and was not asked for its
    /// `object_id`, or has them in itself.
    pub fn note_shareable(self) {
        // SAFETY: a living object; setting the flag is all that the VM does with such an object.
        unsafe { (*(self.0 as *mut RBasic)).flags |= SHAREABLE };
    }

    /// Keeps the object alive, and lets a compaction move it: `relocate` follows.
    pub fn mark_movable(&self) {
        // SAFETY: called by a mark function, on a word that its structure holds.
        unsafe { rb_sys::rb_gc_mark_movable(self.0) };
    }

    /// Keeps the object alive, and in its place.
    pub fn mark(&self) {
        // SAFETY: as above.
        unsafe { rb_sys::rb_gc_mark(self.0) };
    }

    /// Follows an object that a compaction has moved.
    pub fn relocate(&mut self) {
        // SAFETY: called by a compact function, on a word that its structure holds.
        self.0 = unsafe { rb_sys::rb_gc_location(self.0) };
    }
}

/// The elements of an Array that nobody changes while the slice lives: it is frozen, or not yet in Ruby's hands.
pub fn words(array: &RArray) -> &[Word] {
    // SAFETY: `Value` and `Word` are both one VALUE; the Array is alive, as the caller has it on its stack.
    unsafe { std::slice::from_raw_parts(array.as_slice().as_ptr().cast::<Word>(), array.len()) }
}

/// The same words as objects: of a slice that a collector sees, on the stack or in a structure.
pub fn values(words: &[Word]) -> &[Value] {
    // SAFETY: `Value` and `Word` are both one VALUE.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<Value>(), words.len()) }
}
