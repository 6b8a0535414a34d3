//! Flags in the header of an object for which the C API has no name, each found by comparing a String with itself, or
//! two Hashes. Only for the Rubies on which that was proved, see [`super::note`].

use super::RawValue;
use magnus::{rb_sys::protect, Error, Ruby, Value};
use rb_sys::VALUE;

#[derive(Clone, Copy)]
pub struct Flags {
    /// CRuby's STR_TMPLOCK: a native call is using the String. Freezing such a String raises.
    pub str_tmplock: VALUE,
    /// The flag of a Hash that is to become keywords (`Hash.ruby2_keywords_hash`); 0 if it cannot be seen.
    pub keywords: VALUE,
}

impl Flags {
    pub fn find(ruby: &Ruby) -> Result<Flags, Error> {
        let text: Value = ruby.eval("''.dup")?;
        let word = RawValue::of(text);
        let before = word.flags();
        // SAFETY: a String that nobody else has; `protect` catches what these raise.
        protect(|| unsafe { rb_sys::rb_str_locktmp(word.0) })?;
        let str_tmplock = word.flags() ^ before;
        // SAFETY: as above.
        protect(|| unsafe { rb_sys::rb_str_unlocktmp(word.0) })?;
        let for_keywords: Value = ruby.eval("Hash.ruby2_keywords_hash({})")?;
        let usual: Value = ruby.eval("{}.dup")?;
        let keywords = RawValue::of(for_keywords).flags() ^ RawValue::of(usual).flags();
        Ok(Flags {
            str_tmplock,
            keywords: if keywords.is_power_of_two() {
                keywords
            } else {
                0
            },
        })
    }
}
