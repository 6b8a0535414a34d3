//! Makes objects from bytes. A collector finds each object that is being made, because it is on the machine stack, or
//! in an object that is. Calls that can raise are protected.

use super::writer::LITTLE_ENDIAN;
use crate::ffi::{
    deep_freeze::{self, Unfrozen},
    error, note,
    note::Way,
    number, RawValue,
};
use magnus::{rb_sys::protect, Error};
use ratomic_core::wire::{Head, Malformed, Reader, Tag, MAX_DEPTH};
use rb_sys::VALUE;
use std::ffi::{c_int, c_long, CString};

/// Makes the object from the bytes, which nobody changes meanwhile. With `frozen` all of it is frozen, and marked as
/// shareable where Ruby can mark single objects.
pub fn read(bytes: &[u8], frozen: bool) -> Result<RawValue, Error> {
    let mut reading = Reading::new(bytes, frozen);
    let made = reading.value(0);
    let is_whole = reading.input.left() == 0;
    match (made, reading.raised.take()) {
        (Ok(word), None) if is_whole => Ok(word),
        (_, Some(error)) => Err(error),
        _ => Err(error::argument("the bytes of plain data are damaged")),
    }
}

/// The bytes as a String in UTF-8.
pub fn text(bytes: &[u8], frozen: bool) -> RawValue {
    let mut reading = Reading::new(&[], frozen);
    // SAFETY: bytes that nobody changes meanwhile.
    let made = unsafe { rb_sys::rb_utf8_str_new(bytes.as_ptr().cast(), bytes.len() as c_long) };
    reading.finish(RawValue(made))
}

/// A Ruby Array that is made when it is needed, and keeps what is in it alive.
#[derive(Default)]
struct List(Option<VALUE>);

impl List {
    fn push(&mut self, word: RawValue) {
        // SAFETY: an Array of ours, which nobody else has, on the stack with the `Reading` that it is in.
        unsafe {
            let list = *self.0.get_or_insert_with(|| rb_sys::rb_ary_new());
            rb_sys::rb_ary_push(list, word.0);
        }
    }

    /// Replaces the element at that place.
    fn put(&mut self, place: usize, word: RawValue) {
        if let Some(list) = self.0 {
            // SAFETY: as above.
            unsafe { rb_sys::rb_ary_store(list, place as c_long, word.0) };
        }
    }

    fn get(&self, number: u64) -> Result<RawValue, Malformed> {
        let list = self.0.ok_or(Malformed)?;
        // SAFETY: as above; the index is below its length.
        unsafe {
            let known = number < rb_sys::RARRAY_LEN(list) as u64;
            let place = known.then_some(number as c_long).ok_or(Malformed)?;
            Ok(RawValue(rb_sys::rb_ary_entry(list, place)))
        }
    }
}

struct Reading<'a> {
    input: Reader<'a>,
    frozen: bool,
    /// Whether all that was made so far is noted as shareable.
    noted: bool,
    keys: List,
    symbols: List,
    /// Objects to which later bytes refer again, and the position of each in the input.
    shared: List,
    positions: Vec<usize>,
    /// The error that a protected call has raised.
    raised: Option<Error>,
}

type Made = Result<RawValue, Malformed>;

impl<'a> Reading<'a> {
    fn new(bytes: &'a [u8], frozen: bool) -> Reading<'a> {
        Reading {
            input: Reader::new(bytes),
            frozen,
            noted: frozen && !matches!(note::way(), Way::Walk),
            keys: List::default(),
            symbols: List::default(),
            shared: List::default(),
            positions: Vec::new(),
            raised: None,
        }
    }

    fn value(&mut self, depth: u32) -> Made {
        let position = self.input.position();
        let (head, shared) = self.input.head()?;
        match head {
            Head::Small(number) => integer(number),
            Head::Tag(tag) if shared => self.shared(tag, position, depth),
            Head::Tag(tag) => self.tagged(tag, depth),
        }
    }

    /// Reads an object to which later bytes refer. Its place in the list is taken before its content is read, so that
    /// the positions in the list rise.
    fn shared(&mut self, tag: Tag, position: usize, depth: u32) -> Made {
        let place = self.positions.len();
        self.positions.push(position);
        self.shared.push(RawValue::NIL);
        let made = self.tagged(tag, depth)?;
        if made.is_immediate() {
            return Err(Malformed); // the writer refers to no immediate again
        }
        self.shared.put(place, made);
        Ok(made)
    }

    fn tagged(&mut self, tag: Tag, depth: u32) -> Made {
        match tag {
            Tag::Nil => Ok(RawValue::NIL),
            Tag::True => Ok(RawValue::from_bool(true)),
            Tag::False => Ok(RawValue::from_bool(false)),
            Tag::Integer => integer(self.input.integer()?),
            Tag::Bignum => self.bignum(),
            Tag::Float => {
                let float = self.input.float()?;
                // SAFETY: makes a Float, which is frozen.
                self.note(RawValue(unsafe { rb_sys::rb_float_new(float) }))
            }
            Tag::Utf8 | Tag::Binary | Tag::Ascii | Tag::Encoded => {
                let made = self.string(tag)?;
                Ok(self.finish(made))
            }
            Tag::Array if depth < MAX_DEPTH => self.array(depth),
            Tag::Hash if depth < MAX_DEPTH => self.hash(depth),
            Tag::Symbol => self.symbol(),
            Tag::SymbolAgain => self.symbols.get(self.input.length()?),
            Tag::Again => self.again(),
            Tag::Key | Tag::KeyAgain | Tag::Array | Tag::Hash => Err(Malformed),
        }
    }

    fn again(&mut self) -> Made {
        let position = self.input.length()?;
        let found = self
            .positions
            .binary_search_by(|known| (*known as u64).cmp(&position));
        let word = self.shared.get(found.map_err(|_| Malformed)? as u64)?;
        // Nil stands for an object that is not complete yet: it would contain itself.
        (word != RawValue::NIL).then_some(word).ok_or(Malformed)
    }

    fn array(&mut self, depth: u32) -> Made {
        let count = self.input.count(1)?;
        // SAFETY: a new Array that nobody else has.
        let array = unsafe { rb_sys::rb_ary_new_capa(count as c_long) };
        for _ in 0..count {
            let element = self.value(depth + 1)?;
            // SAFETY: as above.
            unsafe { rb_sys::rb_ary_push(array, element.0) };
        }
        Ok(self.finish(RawValue(array)))
    }

    fn hash(&mut self, depth: u32) -> Made {
        /// A Hash with at most this many pairs has no table in Ruby. The pairs are collected on the stack first.
        const MAX_PAIRS: usize = 8;
        let count = self.input.count(2)?;
        // SAFETY: a new Hash that nobody else has.
        let hash = unsafe { rb_sys::rb_hash_new() };
        let mut few = [RawValue::NIL.0; MAX_PAIRS * 2];
        let is_few = count <= MAX_PAIRS;
        for place in 0..count {
            let key = self.key()?;
            let value = self.value(depth + 1)?;
            if is_few {
                few[place * 2] = key.0;
                few[place * 2 + 1] = value.0;
            } else {
                // SAFETY: as above, and a key that the VM looks up with no method call.
                unsafe { rb_sys::rb_hash_aset(hash, key.0, value.0) };
            }
        }
        if is_few {
            // SAFETY: as above, and as many words as are given.
            unsafe { rb_sys::rb_hash_bulk_insert(count as c_long * 2, few.as_ptr(), hash) };
        }
        Ok(self.finish(RawValue(hash)))
    }

    /// Reads the key of a Hash: a number, a Symbol, or text, which is interned, so that equal keys are one object.
    fn key(&mut self) -> Made {
        let position = self.input.position();
        let (head, shared) = self.input.head()?;
        match head {
            Head::Small(number) => integer(number),
            Head::Tag(Tag::KeyAgain) => self.keys.get(self.input.length()?),
            Head::Tag(Tag::Key) => self.new_key(),
            Head::Tag(tag) => {
                let key = match shared {
                    true => self.shared(tag, position, MAX_DEPTH)?,
                    false => self.tagged(tag, MAX_DEPTH)?,
                };
                is_number_or_symbol(key).then_some(key).ok_or(Malformed)
            }
        }
    }

    fn new_key(&mut self) -> Made {
        let Head::Tag(tag) = self.input.head()?.0 else {
            return Err(Malformed);
        };
        let key = self.interned(tag)?;
        self.note(key)?;
        self.keys.push(key);
        Ok(key)
    }

    fn interned(&mut self, tag: Tag) -> Made {
        let encoding = self.encoding(tag)?;
        let text = self.input.text()?;
        // SAFETY: bytes of the input, which stays; an encoding of the VM's.
        Ok(RawValue(unsafe {
            let encoding = rb_sys::rb_enc_from_index(encoding);
            rb_sys::rb_enc_interned_str(text.as_ptr().cast(), text.len() as c_long, encoding)
        }))
    }

    fn string(&mut self, tag: Tag) -> Made {
        let encoding = self.encoding(tag)?;
        let text = self.input.text()?;
        // SAFETY: as above.
        Ok(RawValue(unsafe {
            let encoding = rb_sys::rb_enc_from_index(encoding);
            rb_sys::rb_enc_str_new(text.as_ptr().cast(), text.len() as c_long, encoding)
        }))
    }

    fn encoding(&mut self, tag: Tag) -> Result<c_int, Malformed> {
        match tag {
            // SAFETY: a number that never changes.
            Tag::Utf8 => Ok(unsafe { rb_sys::rb_utf8_encindex() }),
            // SAFETY: as above.
            Tag::Binary => Ok(unsafe { rb_sys::rb_ascii8bit_encindex() }),
            // SAFETY: as above.
            Tag::Ascii => Ok(unsafe { rb_sys::rb_usascii_encindex() }),
            Tag::Encoded => {
                let name = CString::new(self.input.text()?).map_err(|_| Malformed)?;
                let mut index = -1;
                self.protected(|| {
                    // SAFETY: a string with a NUL at its end. It may load an encoding, which may raise.
                    index = unsafe { rb_sys::rb_enc_find_index(name.as_ptr()) };
                    RawValue::NIL
                })?;
                (index >= 0).then_some(index).ok_or(Malformed)
            }
            _ => Err(Malformed),
        }
    }

    fn symbol(&mut self) -> Made {
        let Head::Tag(tag) = self.input.head()?.0 else {
            return Err(Malformed);
        };
        let text = self.string(tag)?;
        // SAFETY: a living String; raises when its bytes are no text.
        let symbol = self.protected(|| RawValue(unsafe { rb_sys::rb_str_intern(text.0) }))?;
        self.symbols.push(symbol);
        Ok(symbol)
    }

    fn bignum(&mut self) -> Made {
        let is_negative = match self.input.length()? {
            0 => false,
            1 => true,
            _ => return Err(Malformed),
        };
        let bytes = self.input.text()?;
        let negative = rb_sys::INTEGER_PACK_NEGATIVE as c_int;
        let flags = LITTLE_ENDIAN | if is_negative { negative } else { 0 };
        let made = self.protected(|| {
            // SAFETY: bytes of the input. It raises when there are more than a Bignum has.
            RawValue(unsafe {
                rb_sys::rb_integer_unpack(bytes.as_ptr().cast(), bytes.len() as _, 1, 0, flags)
            })
        })?;
        self.note(made)
    }

    fn protected(&mut self, call: impl FnOnce() -> RawValue) -> Made {
        let made = protect(|| call().0).map(RawValue);
        made.map_err(|error| self.stopped(error))
    }

    fn stopped(&mut self, error: Error) -> Malformed {
        self.raised = Some(error);
        Malformed
    }

    /// Marks a number or a key as shareable. It is frozen from its creation on.
    fn note(&mut self, made: RawValue) -> Made {
        if self.noted {
            let shared = deep_freeze::share(made, Unfrozen::Refuse);
            self.noted = shared.map_err(|jump| self.stopped(jump.into()))?;
        }
        Ok(made)
    }

    /// Freezes and marks an object that is complete, if frozen objects were asked for.
    fn finish(&mut self, made: RawValue) -> RawValue {
        if self.frozen {
            // SAFETY: an object that was just made, with no memory to spare.
            unsafe { rb_sys::rb_obj_freeze(made.0) };
            if self.noted {
                note::shareable(made);
            }
        }
        made
    }
}

fn is_number_or_symbol(word: RawValue) -> bool {
    use rb_sys::ruby_value_type::{RUBY_T_BIGNUM, RUBY_T_FLOAT, RUBY_T_SYMBOL};
    word.is_immediate() || matches!(word.type_of(), RUBY_T_BIGNUM | RUBY_T_FLOAT | RUBY_T_SYMBOL)
}

fn integer(number: i64) -> Made {
    match number::to_fixnum(number) {
        Some(word) => Ok(word),
        // A number that needs 64 bits is written as a Bignum.
        None => Err(Malformed),
    }
}
