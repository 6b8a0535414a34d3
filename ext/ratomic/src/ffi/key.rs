//! Compares keys as `Hash` does: Strings by bytes and encoding, numbers by class and value, Symbols and other immediates
//! by identity, all other objects by their methods `hash` and `eql?`.

use super::{deep_freeze, error, number, shareable, words, RawValue};
use magnus::{prelude::*, rb_sys::protect, Error, RArray, Value};
use ratomic_core::table::{Lookup, Same};
use rb_sys::ruby_value_type::{self, RUBY_T_BIGNUM, RUBY_T_FLOAT, RUBY_T_STRING};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub struct Key {
    word: RawValue,
    hash: u64,
    /// Whether other code has run since it was hashed: then an unfrozen String may have another content.
    may_have_changed: bool,
    /// The stored key for which `eql?` has returned true, if there was one.
    same: Option<RawValue>,
    /// The stored keys for which it has returned false. The Array keeps them alive, so that their addresses are not reused.
    others: Option<RArray>,
}

impl Key {
    pub fn new(value: Value) -> Result<Key, Error> {
        let word = RawValue::of(value);
        Ok(Key {
            word,
            hash: hash(word)?,
            may_have_changed: false,
            same: None,
            others: None,
        })
    }

    pub fn word(&self) -> RawValue {
        self.word
    }

    /// The object to store for a new key: of a String a frozen copy, as in `Hash`; else the object itself or a copy. From
    /// now on that object is compared: the given one may be changed while the thread waits for a claim.
    pub fn stored(&mut self) -> Result<RawValue, Error> {
        self.word = self.to_store()?;
        Ok(self.word)
    }

    fn to_store(&self) -> Result<RawValue, Error> {
        if !self.word.is_a(RUBY_T_STRING) {
            return self.stored_object();
        }
        let text = self.stored_text()?;
        if !self.may_have_changed || hash(text)? == self.hash {
            return Ok(text);
        }
        // In the place of its old content nobody would find it.
        Err(error::about_key(text.value(), |text| {
            error::thread(format!(
                "the key was changed to {text} while this thread waited; nothing was changed"
            ))
        }))
    }

    fn stored_text(&self) -> Result<RawValue, Error> {
        if shareable::is_shareable(self.word)? {
            return Ok(self.word);
        }
        // One with instance variables would not be copied here but frozen in place.
        if !self.word.is_plain_string() || deep_freeze::has_variables(self.word) {
            return self.copy();
        }
        // SAFETY: a living String; `protect` catches what it may raise (no memory).
        protect(|| unsafe { rb_sys::rb_str_to_interned_str(self.word.0) }).map(RawValue)
    }

    fn stored_object(&self) -> Result<RawValue, Error> {
        if shareable::is_shareable(self.word)? {
            return Ok(self.word);
        }
        let (value, copy) = (self.word.value(), self.copy()?);
        if hash(copy)? == self.hash && value.eql(copy.value())? {
            return Ok(copy);
        }
        let class = error::class_name(value);
        Err(error::shareable(format!(
            "a mutable {class} cannot be a key, because its frozen copy is not eql? to it; \
             freeze it with Ractor.make_shareable, or define hash and eql?"
        )))
    }

    fn copy(&self) -> Result<RawValue, Error> {
        shareable::share(self.word.value(), "a key of a Ratomic::Map")
    }

    /// As `new`, but with the object to store in place of the given one, which a block might change.
    pub fn frozen(value: Value) -> Result<Key, Error> {
        let mut key = Key::new(value)?;
        key.stored()?;
        Ok(key)
    }
}

impl Lookup<RawValue> for Key {
    type Error = Error;

    fn hash(&self) -> u64 {
        self.hash
    }

    fn key(&self) -> RawValue {
        self.word
    }

    fn same(&self, stored: RawValue) -> Same {
        let known = |same: bool| if same { Same::Yes } else { Same::No };
        let mine = self.word;
        if mine == stored || self.same == Some(stored) {
            return Same::Yes;
        }
        if is_by_identity(mine) || is_by_identity(stored) {
            return Same::No;
        }
        match (kind(mine), kind(stored)) {
            (Some(RUBY_T_STRING), Some(RUBY_T_STRING))
                if mine.is_plain_string() && stored.is_plain_string() =>
            {
                // SAFETY: two living Strings; compares their bytes, and runs nothing.
                known(unsafe { rb_sys::rb_str_hash_cmp(mine.0, stored.0) } == 0)
            }
            (Some(RUBY_T_FLOAT), Some(RUBY_T_FLOAT)) => {
                known(number::float(mine) == number::float(stored))
            }
            (Some(RUBY_T_BIGNUM), Some(RUBY_T_BIGNUM)) => {
                // SAFETY: two living Bignums; compares their digits, and runs nothing.
                known(
                    unsafe { rb_sys::rb_big_eql(mine.0, stored.0) }
                        == rb_sys::special_consts::Qtrue as rb_sys::VALUE,
                )
            }
            _ if self
                .others
                .is_some_and(|others| words(&others).contains(&stored)) =>
            {
                Same::No
            }
            _ => Same::Ask,
        }
    }

    fn resumed(&mut self) {
        self.may_have_changed = true;
    }

    fn ask(&mut self, stored: RawValue) -> Result<bool, Error> {
        self.may_have_changed = true;
        if self.word.value().eql(stored.value())? {
            self.same = Some(stored);
            return Ok(true);
        }
        match self.others {
            Some(others) => others.push(stored.value())?,
            None => self.others = Some(error::ruby().ary_from_iter([stored.value()])),
        }
        Ok(false)
    }
}

/// Whether a key is equal only to itself: Fixnums, static Symbols, nil, true and false. (A flonum can equal a Float on
/// the heap.)
fn is_by_identity(word: RawValue) -> bool {
    word.is_immediate() && !rb_sys::FLONUM_P(word.0)
}

fn kind(word: RawValue) -> Option<ruby_value_type> {
    if word.is_immediate() {
        return rb_sys::FLONUM_P(word.0).then_some(RUBY_T_FLOAT);
    }
    Some(word.type_of())
}

fn hash(word: RawValue) -> Result<u64, Error> {
    if is_by_identity(word) {
        return Ok(mix(word.0));
    }
    let hash = match kind(word) {
        // SAFETY: a living String; reads its bytes, and runs nothing.
        Some(RUBY_T_STRING) => unsafe { rb_sys::rb_str_hash(word.0) as u64 },
        // 0.0 and -0.0 are eql?, so they need one hash.
        Some(RUBY_T_FLOAT) => (number::float(word) + 0.0).to_bits(),
        // SAFETY: a living object; `protect` catches what its `hash` raises.
        _ => protect(|| unsafe { rb_sys::rb_hash(word.0) })? as u64,
    };
    Ok(mix(hash))
}

/// A number that differs from process to process. Without it the users of a program could choose Integers or Floats that
/// all come to one place of a table, where an operation looks at each of them. (Strings have such a number of Ruby's own
/// in their hash.)
static SEED: AtomicU64 = AtomicU64::new(0);

/// To be called once, when the extension is loaded. Tests choose the number, with `RATOMIC_HASH_SEED`.
pub fn install() {
    let asked = std::env::var("RATOMIC_HASH_SEED").unwrap_or_default();
    let random = || RandomState::new().hash_one(0);
    SEED.store(asked.parse().unwrap_or_else(|_| random()), Relaxed);
}

/// Spreads a hash, which may be a small number, over all 64 bits (the finalizer of SplitMix64, Steele et al. 2014).
fn mix(hash: u64) -> u64 {
    let hash = hash ^ SEED.load(Relaxed);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
