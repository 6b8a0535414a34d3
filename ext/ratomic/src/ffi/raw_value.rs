//! A raw `VALUE`, as the structures of `ratomic_core` store it. It does not keep its object alive. In a structure the
//! object is kept by the structure's mark function, in a local variable by the conservative scan of the machine stack.

use magnus::{rb_sys::AsRawValue, rb_sys::FromRawValue, RArray, Value};
use rb_sys::ruby_value_type::{RUBY_T_ARRAY, RUBY_T_STRING};
use rb_sys::{ruby_fl_type, ruby_rstring_flags, RBasic, VALUE};

const FROZEN: VALUE = ruby_fl_type::RUBY_FL_FREEZE as VALUE;
const SHARED_CONTENT: VALUE = ruby_fl_type::RUBY_ELTS_SHARED as VALUE;
const NOT_EMBEDDED: VALUE = ruby_rstring_flags::RSTRING_NOEMBED as VALUE;

#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawValue(pub VALUE);

impl RawValue {
    pub const NIL: RawValue = RawValue(rb_sys::special_consts::Qnil as VALUE);

    /// The flag with which the VM remembers that an object is shareable.
    pub const SHAREABLE: VALUE = ruby_fl_type::RUBY_FL_SHAREABLE as VALUE;

    /// The Fixnum 0.
    pub const ZERO: RawValue = RawValue(1);

    pub fn from_bool(answer: bool) -> RawValue {
        let value = if answer {
            rb_sys::special_consts::Qtrue
        } else {
            rb_sys::special_consts::Qfalse
        };
        RawValue(value as VALUE)
    }

    pub fn of(value: Value) -> RawValue {
        RawValue(value.as_raw())
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

    /// The flags of its header. Those that the C API names may be asked for anywhere, others only in [`super::note`]'s
    /// proved way, or where they were found by a comparison.
    pub fn flags(self) -> VALUE {
        // SAFETY: a living object that is no immediate, by the caller's check; reads its header.
        unsafe { (*(self.0 as *const RBasic)).flags }
    }

    /// As the C API's RBASIC_CLASS: the class, or the singleton class.
    pub fn class_or_singleton(self) -> VALUE {
        // SAFETY: as above.
        unsafe { (*(self.0 as *const RBasic)).klass }
    }

    /// Whether a String is of class String: no instance of a subclass, and without a singleton class. The caller has
    /// checked that it is a String.
    #[inline]
    pub fn is_plain_string(self) -> bool {
        // SAFETY: the VM's own class, set before any extension is loaded.
        self.class_or_singleton() == unsafe { rb_sys::rb_cString }
    }

    /// As RB_OBJ_FROZEN.
    pub fn is_frozen(self) -> bool {
        self.flags() & FROZEN != 0
    }

    /// Whether it was given to `ObjectSpace.define_finalizer`.
    pub fn has_finalizer(self) -> bool {
        self.flags() & ruby_fl_type::RUBY_FL_FINALIZE as VALUE != 0
    }

    /// As RB_OBJ_SHAREABLE_P: whether the VM has noted that the object is shareable. An object without that note may be
    /// shareable too.
    pub fn has_shareable_flag(self) -> bool {
        self.flags() & RawValue::SHAREABLE != 0
    }

    /// Whether a String or an Array shares its content with another one: the flag RUBY_ELTS_SHARED is set, and for a
    /// String RSTRING_NOEMBED too. (In an embedded String older Rubies keep the length in these bits.)
    pub fn has_shared_content(self) -> bool {
        let asked = match self.type_of() {
            RUBY_T_STRING => SHARED_CONTENT | NOT_EMBEDDED,
            RUBY_T_ARRAY => SHARED_CONTENT,
            _ => return false,
        };
        self.flags() & asked == asked
    }

    /// Whether the bytes of a String are not in the object itself: the flag RSTRING_NOEMBED.
    pub fn has_content_elsewhere(self) -> bool {
        self.flags() & NOT_EMBEDDED != 0
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

/// The elements of an Array that nobody changes while the slice lives: it is frozen, or no Ruby code has it yet. Not to be
/// kept across a call into the VM that may collect: Ruby before 3.3 moves the elements of a short Array that has become old
/// (out of its transient heap), and uses their memory again.
pub fn words(array: &RArray) -> &[RawValue] {
    // SAFETY: `Value` and `RawValue` are both one VALUE; the Array is alive, as the caller has it on its stack.
    unsafe { std::slice::from_raw_parts(array.as_slice().as_ptr().cast::<RawValue>(), array.len()) }
}

/// The same words as objects: of a slice that a collector sees, on the stack or in a structure.
pub fn values(words: &[RawValue]) -> &[Value] {
    // SAFETY: `Value` and `RawValue` are both one VALUE.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<Value>(), words.len()) }
}
