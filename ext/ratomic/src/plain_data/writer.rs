//! Writes objects as bytes. It calls native methods, and a TracePoint may run Ruby code at such a call. So no count and
//! no pointer from before such a call is used after it.

use crate::ffi::{
    by_address::Places,
    deep_freeze, defaults,
    jump::{self, Jump, Stop},
    number,
    pinned::{Addresses, Pinned},
    RawValue,
};
use ratomic_core::wire::{Tag, Writer, MAX_DEPTH};
use rb_sys::ruby_value_type::{
    RUBY_T_ARRAY, RUBY_T_BIGNUM, RUBY_T_FLOAT, RUBY_T_HASH, RUBY_T_STRING, RUBY_T_SYMBOL,
};
use rb_sys::VALUE;
use std::ffi::{c_int, CStr};

/// Writes `head`, and after it the object; `None` if the object is no plain data.
pub fn write(head: &[u8], object: RawValue) -> Result<Option<Writer>, Jump> {
    let mut writing = Writing {
        out: Writer::with_capacity(512),
        start: head.len(),
        numbers: Pinned::new(Numbers::default()),
    };
    writing.out.raw(head);
    let written = jump::fit(writing.value(object, 0))?;
    Ok(written.map(|()| writing.out))
}

struct Writing {
    out: Writer,
    /// Positions are counted from here.
    start: usize,
    numbers: Pinned<Numbers>,
}

/// What stands in the bytes for an object that was written before.
#[derive(Default)]
struct Numbers {
    /// The position of each object that was written.
    met: Places,
    /// The number of each key and Symbol. A String that is a key is another object to a Hash than the same one
    /// elsewhere: keys are frozen and interned, as in what `Marshal` returns.
    keys: Places,
    symbols: Places,
}

impl Addresses for Numbers {
    fn mark(&self) {
        let all = [&self.met, &self.keys, &self.symbols];
        let words = all.into_iter().flat_map(Places::keys);
        words.for_each(|word| RawValue(*word).mark());
    }
}

/// The position of an object that is being written. If the writer meets the object again then, the object contains
/// itself.
const IN_PROGRESS: usize = usize::MAX;

type Written = Result<(), Stop>;

impl Writing {
    fn value(&mut self, word: RawValue, depth: u32) -> Written {
        if word.is_immediate() {
            self.immediate(word);
            return Ok(());
        }
        let kind = word.type_of();
        if kind == RUBY_T_SYMBOL {
            self.symbol(word);
            return Ok(());
        }
        if let Some(position) = self.met().get(&word.0).copied() {
            return self.again(position);
        }
        let position = self.out.position();
        match kind {
            RUBY_T_STRING => self.string(word)?,
            RUBY_T_FLOAT => self.out.float(number::float(word)),
            RUBY_T_BIGNUM => self.bignum(word),
            RUBY_T_ARRAY | RUBY_T_HASH if depth < MAX_DEPTH => {
                self.met().insert(word.0, IN_PROGRESS);
                match kind {
                    RUBY_T_ARRAY => self.array(word, depth)?,
                    _ => self.hash(word, depth)?,
                }
            }
            _ => return Err(Stop::Unfit),
        }
        self.met().insert(word.0, position);
        Ok(())
    }

    fn met(&mut self) -> &mut Places {
        &mut self.numbers.get_mut().met
    }

    fn immediate(&mut self, word: RawValue) {
        if word.is_fixnum() {
            self.out.integer(number::fixnum(word));
        } else if rb_sys::FLONUM_P(word.0) {
            self.out.float(number::float(word));
        } else if rb_sys::STATIC_SYM_P(word.0) {
            self.symbol(word);
        } else {
            self.out.tag(match word {
                RawValue::NIL => Tag::Nil,
                _ if word == RawValue::from_bool(true) => Tag::True,
                _ => Tag::False,
            });
        }
    }

    fn again(&mut self, position: usize) -> Written {
        if position == IN_PROGRESS {
            return Err(Stop::Unfit);
        }
        self.out.share(position);
        self.out.tag(Tag::Again);
        self.out.length((position - self.start) as u64);
        Ok(())
    }

    fn symbol(&mut self, word: RawValue) {
        let symbols = &mut self.numbers.get_mut().symbols;
        let next = symbols.len();
        let number = *symbols.entry(word.0).or_insert(next);
        if number < next {
            self.out.tag(Tag::SymbolAgain);
            return self.out.length(number as u64);
        }
        self.out.tag(Tag::Symbol);
        // SAFETY: a Symbol. Its String is the VM's own.
        self.text(RawValue(unsafe { rb_sys::rb_sym2str(word.0) }));
    }

    fn string(&mut self, word: RawValue) -> Written {
        if !word.is_plain_string() || deep_freeze::has_variables(word) {
            return Err(Stop::Unfit);
        }
        self.text(word);
        Ok(())
    }

    /// The bytes are copied before anything else can run.
    #[inline]
    fn text(&mut self, word: RawValue) {
        // SAFETY: a living String, whose bytes nobody changes meanwhile; an encoding of the VM's, which stays.
        let (bytes, encoding) = unsafe {
            let bytes = std::slice::from_raw_parts(
                rb_sys::RSTRING_PTR(word.0).cast::<u8>(),
                rb_sys::RSTRING_LEN(word.0) as usize,
            );
            (bytes, rb_sys::rb_enc_get_index(word.0))
        };
        // SAFETY: three numbers that never change.
        let usual = unsafe {
            [
                (rb_sys::rb_utf8_encindex(), Tag::Utf8),
                (rb_sys::rb_ascii8bit_encindex(), Tag::Binary),
                (rb_sys::rb_usascii_encindex(), Tag::Ascii),
            ]
        };
        match usual.into_iter().find(|(index, _)| *index == encoding) {
            Some((_, tag)) => self.out.tag(tag),
            None => {
                // SAFETY: the encoding of a living String, whose name is never freed.
                let name = unsafe { CStr::from_ptr((*rb_sys::rb_enc_from_index(encoding)).name) };
                self.out.tag(Tag::Encoded);
                self.out.text(name.to_bytes());
            }
        }
        self.out.text(bytes);
    }

    fn bignum(&mut self, word: RawValue) {
        // SAFETY: a living Bignum, which never changes; the buffer has room for as many bytes as it says it needs.
        let (sign, bytes) = unsafe {
            let size = rb_sys::rb_absint_size(word.0, std::ptr::null_mut());
            let mut bytes = vec![0u8; size as usize];
            let sign = rb_sys::rb_integer_pack(
                word.0,
                bytes.as_mut_ptr().cast(),
                size,
                1,
                0,
                LITTLE_ENDIAN,
            );
            (sign, bytes)
        };
        self.out.tag(Tag::Bignum);
        self.out.length(u64::from(sign < 0));
        self.out.text(&bytes);
    }

    fn array(&mut self, word: RawValue, depth: u32) -> Written {
        // SAFETY: the VM's own class; a living Array.
        let (own, count) = unsafe { (rb_sys::rb_cArray, rb_sys::RARRAY_LEN(word.0)) };
        if word.class_or_singleton() != own || deep_freeze::has_variables(word) {
            return Err(Stop::Unfit);
        }
        self.out.tag(Tag::Array);
        self.out.length(count as u64);
        for place in 0..count {
            // SAFETY: a living Array; nil beyond its end.
            let element = RawValue(unsafe { rb_sys::rb_ary_entry(word.0, place) });
            self.value(element, depth + 1)?;
        }
        Ok(())
    }

    fn hash(&mut self, word: RawValue, depth: u32) -> Written {
        if !is_plain_hash(word)? {
            return Err(Stop::Unfit);
        }
        // SAFETY: a living Hash.
        let count = unsafe { rb_sys::rb_hash_size_num(word.0) };
        self.out.tag(Tag::Hash);
        self.out.length(count as u64);
        let mut pairs = Pairs {
            writing: self,
            depth: depth + 1,
            left: count as usize,
            done: Ok(()),
        };
        // SAFETY: a living Hash, which `pair` does not change; `pairs` outlives the call.
        unsafe {
            rb_sys::rb_hash_foreach(word.0, Some(pair), std::ptr::from_mut(&mut pairs) as VALUE)
        };
        pairs.done?;
        match pairs.left {
            0 => Ok(()),
            _ => Err(Stop::Unfit),
        }
    }

    /// Writes the key of a Hash, if it is of a kind that a Hash looks up without calling a method of the key.
    fn key(&mut self, word: RawValue) -> Written {
        if word.is_immediate() {
            self.immediate(word);
            return Ok(());
        }
        match word.type_of() {
            RUBY_T_STRING => {
                let keys = &mut self.numbers.get_mut().keys;
                let next = keys.len();
                let number = *keys.entry(word.0).or_insert(next);
                if number < next {
                    self.out.tag(Tag::KeyAgain);
                    self.out.length(number as u64);
                    return Ok(());
                }
                self.out.tag(Tag::Key);
                self.string(word)
            }
            RUBY_T_SYMBOL | RUBY_T_FLOAT | RUBY_T_BIGNUM => self.value(word, MAX_DEPTH),
            _ => Err(Stop::Unfit),
        }
    }
}

/// Of `rb_integer_pack`: INTEGER_PACK_LITTLE_ENDIAN.
pub const LITTLE_ENDIAN: c_int =
    (rb_sys::INTEGER_PACK_LSWORD_FIRST | rb_sys::INTEGER_PACK_LSBYTE_FIRST) as c_int;

fn is_plain_hash(word: RawValue) -> Result<bool, Jump> {
    Ok(deep_freeze::has_no_default(word)?
        && deep_freeze::has_no_variables(word)
        && defaults::compares_by_content(word)?
        && !deep_freeze::is_noted_for_keywords(word)?)
}

struct Pairs<'a> {
    writing: &'a mut Writing,
    depth: u32,
    left: usize,
    done: Written,
}

unsafe extern "C" fn pair(key: VALUE, value: VALUE, pairs: VALUE) -> c_int {
    // SAFETY: the `Pairs` of the frame that called `rb_hash_foreach`.
    let pairs = unsafe { &mut *(pairs as *mut Pairs<'_>) };
    pairs.done = pairs.pair(RawValue(key), RawValue(value));
    let next = match pairs.done {
        Ok(()) => rb_sys::st_retval::ST_CONTINUE,
        Err(_) => rb_sys::st_retval::ST_STOP,
    };
    next as c_int
}

impl Pairs<'_> {
    fn pair(&mut self, key: RawValue, value: RawValue) -> Written {
        self.left = self.left.checked_sub(1).ok_or(Stop::Unfit)?;
        self.writing.key(key)?;
        self.writing.value(value, self.depth)
    }
}
