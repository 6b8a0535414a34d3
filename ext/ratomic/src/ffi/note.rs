//! Marks one object as shareable. It is the last step for an object that is frozen and refers only to objects that are
//! marked already.
//!
//! Ruby's C API has a function for that (`rb_obj_set_shareable` in ruby/ractor.h), which Ruby 4.0 does not let
//! extensions call. Its other function, `rb_ractor_make_shareable`, walks the whole graph and enters each object into a
//! table, which takes longer than to parse it. So there are three ways. Which one this Ruby takes is decided once, when
//! the extension is loaded, by asking the Ruby and not by its number:
//!
//! - [`Way::Function`], where the function can be called;
//! - [`Way::Flag`], where the build is for a Ruby on which setting the flag in the header was proved to be all that the
//!   function does (`build.rs`), and the Ruby that runs behaves like that in a self-test;
//! - [`Way::Walk`] on every other Ruby: the VM's own walk, slower, never wrong.

use super::{defaults::Defaults, flags::Flags, RawValue};
use magnus::{rb_sys::protect, Error, Ruby};
use rb_sys::{RBasic, VALUE};
use std::sync::OnceLock;

type SetShareable = unsafe extern "C" fn(VALUE) -> VALUE;

pub enum Way {
    Function(SetShareable),
    Flag(ProvedLayout),
    Walk,
}

/// The layout of this Ruby's objects that [`Way::Flag`] uses and that is not in the C API.
pub struct ProvedLayout {
    pub flags: Flags,
    pub defaults: Defaults,
}

static WAY: OnceLock<Way> = OnceLock::new();

/// To be called once, before anything is shared.
pub fn install(ruby: &Ruby) -> Result<(), Error> {
    let way = choose(ruby)?;
    WAY.get_or_init(|| way);
    Ok(())
}

pub fn way() -> &'static Way {
    WAY.get().unwrap_or(&Way::Walk)
}

impl Way {
    pub fn name(&self) -> &'static str {
        match self {
            Way::Function(_) => "function",
            Way::Flag(_) => "flag",
            Way::Walk => "walk",
        }
    }
}

/// `RATOMIC_SHAREABLE=walk` or `=function` asks for a way that this Ruby would not take by itself: for tests.
fn choose(ruby: &Ruby) -> Result<Way, Error> {
    let asked = std::env::var("RATOMIC_SHAREABLE").unwrap_or_default();
    if asked == "walk" {
        return Ok(Way::Walk);
    }
    if let Some(function) = function() {
        return Ok(Way::Function(function));
    }
    if !cfg!(header_flag_proved) || asked == "function" {
        return Ok(Way::Walk);
    }
    let layout = ProvedLayout {
        flags: Flags::find(ruby)?,
        defaults: Defaults::find(ruby)?,
    };
    Ok(match only_the_flag_changes(ruby)? {
        true => Way::Flag(layout),
        false => Way::Walk,
    })
}

fn function() -> Option<SetShareable> {
    // SAFETY: looks a name up among the symbols of the process.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"rb_obj_set_shareable".as_ptr()) };
    // SAFETY: the function that ruby/ractor.h declares like this; the VM is never unloaded.
    (!address.is_null()).then(|| unsafe { std::mem::transmute::<_, SetShareable>(address) })
}

/// Whether the VM's own way changes nothing of an object's header but the two flags: that it is frozen, and shareable.
fn only_the_flag_changes(ruby: &Ruby) -> Result<bool, Error> {
    const SAMPLES: &str =
        "[''.dup, 'x' * 100, [], [nil] * 100, {}, { 1 => 2 }, Struct.new(:a).new(1)]";
    let samples: magnus::RArray = ruby.eval(SAMPLES)?;
    for sample in samples {
        let word = RawValue::of(sample);
        let before = header(word);
        // SAFETY: a living object; `protect` catches what this raises.
        protect(|| unsafe { rb_sys::rb_obj_freeze(word.0) })?;
        let frozen = header(word);
        // SAFETY: as above.
        protect(|| unsafe { rb_sys::rb_ractor_make_shareable(word.0) })?;
        let (flags, class) = header(word);
        if class != before.1 || flags ^ frozen.0 != RawValue::SHAREABLE {
            return Ok(false);
        }
    }
    Ok(true)
}

fn header(word: RawValue) -> (VALUE, VALUE) {
    // SAFETY: a living object that is no immediate. Its header has been these two words in every Ruby since 1.9; a Ruby
    // that it is not true of is not among those that were proved, and is never asked.
    let RBasic { flags, klass, .. } = unsafe { &*(word.0 as *const RBasic) };
    (*flags, *klass)
}

/// Notes an object of the kinds that [`super::deep_freeze`] walks, or a native object of ours. It must be frozen and no
/// immediate, everything in it must be noted, and it must have no instance variables beside it. To be called in the
/// Ractor that made the object. False where this Ruby has no way to note a single object.
pub fn shareable(word: RawValue) -> bool {
    match way() {
        // SAFETY: what the function asks is asked of the caller above.
        Way::Function(set) => unsafe { set(word.0) },
        // SAFETY: a living object that no other Ractor knows. On a proved Ruby this flag is all that the VM sets.
        Way::Flag(_) => unsafe {
            (*(word.0 as *mut RBasic)).flags |= RawValue::SHAREABLE;
            word.0
        },
        Way::Walk => return false,
    };
    true
}
