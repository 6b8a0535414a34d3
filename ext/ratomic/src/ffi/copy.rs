//! Makes frozen deep copies of plain data ([`super::deep_freeze`]) that cannot be frozen in place, because others still
//! use it. It needs one pass and no table of visited objects; the VM's own copy has such a table and costs several times
//! as much. It runs no Ruby code of the objects: it copies only Strings, Arrays and Hashes of Ruby's own classes, and
//! Hash keys whose `hash` and `eql?` are native.

use super::{
    deep_freeze::{self, Unfrozen},
    elements::Elements,
    global_gc,
    jump::{self, Jump, Stop},
    met::Met,
    names::Names,
    note::{self, Way},
    number,
    shareable::is_noted,
    walk, RawValue,
};
use rb_sys::ruby_value_type::{
    RUBY_T_ARRAY, RUBY_T_BIGNUM, RUBY_T_FLOAT, RUBY_T_HASH, RUBY_T_OBJECT, RUBY_T_STRING,
    RUBY_T_STRUCT, RUBY_T_SYMBOL,
};
use rb_sys::{st_data_t, ID, VALUE};
use std::ffi::c_int;

const MAX_DEPTH: u32 = 100;
/// Larger graphs are left to the VM, whose table finds objects that are referenced twice. Without such a table the copy
/// of a graph with many references to the same objects could become exponentially large.
const MAX_OBJECTS: u32 = 100_000;
/// Longer Strings whose bytes have to be copied are left to the VM.
const MAX_COPIED_BYTES: usize = 16 * 1024;

/// Returns the object itself if it is shareable, else a frozen copy. An object that is referenced twice becomes two
/// copies. Returns `None` if the object is not plain data.
pub fn frozen(object: RawValue) -> Result<Option<RawValue>, Jump> {
    if deep_freeze::share(object, Unfrozen::Refuse)? {
        return Ok(Some(object));
    }
    let mut copying = Copy {
        left: MAX_OBJECTS,
        met: None,
        kinds: None,
        unnoted: false,
    };
    match jump::fit(copying.copy(object, 0))? {
        Some(copy) => shared(copy),
        None => Ok(None),
    }
}

/// Copies items one after another, as [`frozen`] does. But it refuses a graph in which an object is referenced twice,
/// because that has to stay one object in the copy.
#[derive(Default)]
pub struct Copier {
    met: Met,
    kinds: Option<(VALUE, bool)>,
}

/// A deeply frozen copy, and whether the VM still has to note it as shareable ([`deep_freeze::by_the_vm`]).
pub struct Copied {
    pub word: RawValue,
    pub unnoted: bool,
}

impl Copier {
    /// Returns the item itself if it is shareable, else a copy; `None` if the VM has to make the copy.
    #[inline]
    pub fn of(&mut self, item: RawValue) -> Result<Option<Copied>, Jump> {
        if item.is_immediate() {
            return Ok(Some(Copied {
                word: item,
                unnoted: false,
            }));
        }
        self.of_object(item)
    }

    fn of_object(&mut self, item: RawValue) -> Result<Option<Copied>, Jump> {
        self.met.clear();
        let mut copying = Copy {
            left: MAX_OBJECTS,
            met: Some(&mut self.met),
            kinds: self.kinds,
            unnoted: false,
        };
        let copy = copying.copy(item, 0);
        let Copy { kinds, unnoted, .. } = copying;
        self.kinds = kinds;
        Ok(match jump::fit(copy)? {
            Some(word) => Some(Copied { word, unnoted }),
            None => long_text(item).map(|word| Copied {
                word,
                unnoted: false,
            }),
        })
    }
}

/// Copies a long String. The copy shares its bytes with the original, so only the VM can note it as shareable.
fn long_text(item: RawValue) -> Option<RawValue> {
    // SAFETY: a living String, where it is asked for more than its kind.
    unsafe {
        if !item.is_a(RUBY_T_STRING)
            || !item.is_plain_string()
            || deep_freeze::has_variables(item)
            || item.is_frozen()
        {
            return None;
        }
        let copy = RawValue(rb_sys::rb_str_freeze(rb_sys::rb_str_dup(item.0)));
        let noted = is_noted(copy);
        if noted {
            global_gc::count(copy);
        }
        noted.then_some(copy)
    }
}

/// Has the VM note the whole copy as shareable, on Rubies where single objects cannot be noted.
fn shared(copy: RawValue) -> Result<Option<RawValue>, Jump> {
    let noted = !matches!(note::way(), Way::Walk) || deep_freeze::share(copy, Unfrozen::Refuse)?;
    Ok(noted.then_some(copy))
}

struct Copy<'a> {
    left: u32,
    /// The objects that were visited, if none may be visited twice.
    met: Option<&'a mut Met>,
    /// The class of the last Struct or object, and whether instances of it are copied here.
    kinds: Option<(VALUE, bool)>,
    /// Whether the copy contains an object that only the VM can note. Then its containers cannot be noted either.
    unnoted: bool,
}

/// A copy, or why there is none.
type Made = Result<RawValue, Stop>;

impl Copy<'_> {
    fn copy(&mut self, word: RawValue, depth: u32) -> Made {
        if word.is_immediate() || word.is_frozen() && deep_freeze::share(word, Unfrozen::Refuse)? {
            return Ok(word);
        }
        self.left = self.left.checked_sub(1).ok_or(Stop::Unfit)?;
        let klass = word.class_or_singleton();
        if depth == MAX_DEPTH {
            return Err(Stop::Unfit);
        }
        // Without `met` (for results) an object that is referenced twice would become two, so it is not copied here.
        if self.met.is_some() && word.type_of() == RUBY_T_OBJECT {
            return match self.is_plain_kind(word, klass) {
                true => self.first_visit(word)?.copy_object(word, klass, depth),
                false => Err(Stop::Unfit),
            };
        }
        if deep_freeze::has_variables(word) {
            return Err(Stop::Unfit);
        }
        // SAFETY: the VM's own classes, set before any extension is loaded.
        let (string, array, hash) =
            unsafe { (rb_sys::rb_cString, rb_sys::rb_cArray, rb_sys::rb_cHash) };
        match word.type_of() {
            RUBY_T_STRING if klass == string => self.first_visit(word)?.copy_text(word),
            RUBY_T_ARRAY if klass == array => self.first_visit(word)?.copy_array(word, depth),
            RUBY_T_HASH if klass == hash => self.first_visit(word)?.copy_hash(word, depth),
            RUBY_T_STRUCT if self.met.is_some() && self.is_plain_kind(word, klass) => {
                self.first_visit(word)?.copy_struct(word, klass, depth)
            }
            _ => Err(Stop::Unfit),
        }
    }

    /// Notes the object as visited. Fails if it was visited before and must not be.
    fn first_visit(&mut self, word: RawValue) -> Result<&mut Self, Stop> {
        let first = self.met.as_mut().is_none_or(|met| met.insert(word));
        first.then_some(self).ok_or(Stop::Unfit)
    }

    /// Whether copying and freezing it calls only methods of Ruby itself.
    fn is_plain_kind(&mut self, word: RawValue, klass: VALUE) -> bool {
        match self.kinds {
            Some((known, plain)) if known == klass => plain,
            _ => {
                let plain = asks_no_method(word, klass);
                self.kinds = Some((klass, plain));
                plain
            }
        }
    }

    fn copy_struct(&mut self, word: RawValue, klass: VALUE, depth: u32) -> Made {
        // SAFETY: the class of a living Struct, which has Ruby's own allocator; what that makes has the same members.
        let copy = unsafe { rb_sys::rb_obj_alloc(klass) };
        for place in 0..number::fixnum(RawValue(unsafe_size(word))) {
            let place = (place << 1 | 1) as VALUE;
            // SAFETY: two living Structs, and the index of a member of both. The copy is not frozen yet.
            unsafe {
                let made = self.copy(RawValue(rb_sys::rb_struct_aref(word.0, place)), depth + 1)?;
                rb_sys::rb_struct_aset(copy, place, made.0);
            }
        }
        // SAFETY: the Struct that was made above.
        Ok(self.noted(RawValue(unsafe { rb_sys::rb_obj_freeze(copy) })))
    }

    /// The copy gets the variables as they are first, and then copies of them. So the original, which another thread may
    /// change whenever a Hash in it is asked for its default, is read before that.
    fn copy_object(&mut self, word: RawValue, klass: VALUE, depth: u32) -> Made {
        // SAFETY: the class of a living object that is nothing but its variables, as what this makes is.
        let copy = RawValue(unsafe { rb_sys::rb_obj_alloc(klass) });
        // SAFETY: a living object, which `take_variable` does not change.
        unsafe { rb_sys::rb_ivar_foreach(word.0, Some(take_variable), copy.0 as st_data_t) };
        let mut parts = Parts::of(copy, self, depth);
        let address = std::ptr::from_mut(&mut parts) as st_data_t;
        // SAFETY: the new object, in which `copy_variable` only replaces values; `parts` outlives the call.
        unsafe { rb_sys::rb_ivar_foreach(copy.0, Some(copy_variable), address) };
        parts.done?;
        self.unnoted = true;
        // SAFETY: the object that was made above.
        Ok(RawValue(unsafe { rb_sys::rb_obj_freeze(copy.0) }))
    }

    /// Notes a new frozen object, whose parts are all noted, as shareable.
    fn noted(&self, copy: RawValue) -> RawValue {
        if !self.unnoted && note::shareable(copy) {
            global_gc::count(copy);
        }
        copy
    }

    fn copy_text(&self, word: RawValue) -> Made {
        if !word.has_content_elsewhere() {
            // SAFETY: a living String. The copy has its bytes, its encoding and nothing else, and `rb_str_freeze` would
            // only look for memory that it has to spare.
            let copy = unsafe { rb_sys::rb_obj_freeze(rb_sys::rb_str_dup(word.0)) };
            return Ok(self.noted(RawValue(copy)));
        }
        if let Some(copy) = self.copy_sharing_bytes(word)? {
            return Ok(copy);
        }
        // SAFETY: a living String. Its bytes are copied before anything else can run; its encoding is one of the VM's.
        unsafe {
            let length = rb_sys::RSTRING_LEN(word.0);
            if self.met.is_some() && length as usize > MAX_COPIED_BYTES {
                return Err(Stop::Unfit);
            }
            let encoding = rb_sys::rb_enc_get(word.0);
            let copy = rb_sys::rb_enc_str_new(rb_sys::RSTRING_PTR(word.0), length, encoding);
            Ok(self.noted(RawValue(rb_sys::rb_str_freeze(copy))))
        }
    }

    /// A frozen copy to which the original leaves its bytes, which it has elsewhere. The original copies them when it is
    /// changed. (That is what Ruby's `dup` of a long String does. As after a `dup`, a native library that writes to the
    /// original without telling Ruby writes to both.) `None` where the bytes have to be copied now, and for a frozen
    /// String, of which Ruby would return the object itself.
    fn copy_sharing_bytes(&self, word: RawValue) -> Result<Option<RawValue>, Jump> {
        if word.is_frozen() {
            return Ok(None);
        }
        let shared = word.has_shared_content();
        if !shared && !can_give_bytes(word)? {
            return Ok(None);
        }
        // SAFETY: a living String of the VM's own class.
        let copy = RawValue(unsafe { rb_sys::rb_str_new_frozen(word.0) });
        Ok(match shared {
            // Either the copy that an earlier call has made of the same original, or a part of another String.
            true => Some(copy).filter(|copy| copy.has_shareable_flag()),
            false => Some(self.noted(copy)),
        })
    }

    fn copy_array(&mut self, word: RawValue, depth: u32) -> Made {
        // SAFETY: a living Array, on the stack of the caller.
        let len = unsafe { rb_sys::RARRAY_LEN(word.0) };
        let mut elements = Elements::new(len as usize);
        for place in 0..len {
            // SAFETY: as above; nil beyond its end, if another thread has shortened it.
            let element = RawValue(unsafe { rb_sys::rb_ary_entry(word.0, place) });
            elements.push(self.copy(element, depth + 1)?);
        }
        // SAFETY: a new Array that nobody else has. It has no memory to spare that `rb_ary_freeze` could give back.
        let copy = unsafe { rb_sys::rb_obj_freeze(elements.array().0) };
        Ok(self.noted(RawValue(copy)))
    }

    /// The keys are not copied: a Hash counts as plain data only if its keys are shareable. The pairs are those of one
    /// moment; another thread may change the original later, whenever a Hash in it is asked for its default.
    fn copy_hash(&mut self, word: RawValue, depth: u32) -> Made {
        if !deep_freeze::has_no_default(word)? {
            return Err(Stop::Unfit);
        }
        // SAFETY: a living Hash of Ruby's own class.
        let copy = RawValue(unsafe { rb_sys::rb_hash_dup(word.0) });
        let mut parts = Parts::of(copy, self, depth);
        let address = std::ptr::from_mut(&mut parts) as VALUE;
        // SAFETY: the new Hash, in which `copy_pair` only replaces values; `parts` outlives the call.
        unsafe { rb_sys::rb_hash_foreach(copy.0, Some(copy_pair), address) };
        parts.done?;
        // SAFETY: the Hash that was made above.
        Ok(self.noted(RawValue(unsafe { rb_sys::rb_hash_freeze(copy.0) })))
    }
}

/// Whether a Struct or an object consists of its members or instance variables only: its class does not define how it
/// is copied, and is no Singleton.
fn asks_no_method(word: RawValue, klass: VALUE) -> bool {
    static METHODS: Names<4> = Names::new([
        c"initialize_copy",
        c"initialize_clone",
        c"freeze",
        c"frozen?",
    ]);
    // SAFETY: a living object and its class, which is no singleton class. Nothing of that runs a method.
    let own = |name: &ID| unsafe { rb_sys::rb_method_basic_definition_p(klass, *name) != 0 };
    // SAFETY: as above, and a class of the VM.
    let is_plain = unsafe {
        let is_struct =
            || rb_sys::rb_obj_is_kind_of(word.0, rb_sys::rb_cStruct) != rb_sys::Qfalse as VALUE;
        let allocate = rb_sys::rb_get_alloc_func(klass).map(|own| own as usize);
        let usual = rb_sys::rb_get_alloc_func(rb_sys::rb_cObject).map(|own| own as usize);
        let of_its_kind = match word.type_of() {
            RUBY_T_OBJECT => allocate == usual,
            _ => allocate.is_some() && is_struct(),
        };
        rb_sys::rb_obj_class(word.0) == klass && of_its_kind
    };
    is_plain && METHODS.ids().iter().all(own) && !walk::is_odd(word) && !walk::is_singleton(word)
}

/// Whether a String that has its bytes elsewhere, for itself, can give them to a copy: no native call is writing to them
/// ([`deep_freeze::is_in_use`]), and there is not much memory to spare beside them, which would live as long as the copy.
/// Only where the VM need not look at the copy.
fn can_give_bytes(word: RawValue) -> Result<bool, Jump> {
    // SAFETY: a living String.
    let (length, capacity) = unsafe {
        (
            rb_sys::RSTRING_LEN(word.0) as usize,
            rb_sys::rb_str_capacity(word.0) as usize,
        )
    };
    Ok(!matches!(note::way(), Way::Walk)
        && capacity <= length + length / 4
        && !deep_freeze::is_in_use(word)?)
}

fn unsafe_size(object: RawValue) -> VALUE {
    // SAFETY: a living Struct.
    unsafe { rb_sys::rb_struct_size(object.0) }
}

/// A new object whose values are replaced by copies, one after another.
struct Parts<'a, 'b> {
    of: RawValue,
    copying: &'a mut Copy<'b>,
    depth: u32,
    done: Result<(), Stop>,
}

impl<'a, 'b> Parts<'a, 'b> {
    fn of(of: RawValue, copying: &'a mut Copy<'b>, depth: u32) -> Parts<'a, 'b> {
        let (depth, done) = (depth + 1, Ok(()));
        Parts {
            of,
            copying,
            depth,
            done,
        }
    }

    /// Copies one value, and tells whether to go on. After one that is not copied it looks at none: `rb_ivar_foreach` goes
    /// on when it is told to stop.
    fn each(&mut self, one: impl FnOnce(&mut Self) -> Result<(), Stop>) -> c_int {
        if self.done.is_ok() {
            self.done = one(self);
        }
        let next = match self.done {
            Ok(()) => rb_sys::st_retval::ST_CONTINUE,
            Err(_) => rb_sys::st_retval::ST_STOP,
        };
        next as c_int
    }

    fn variable(&mut self, name: ID, value: RawValue) -> Result<(), Stop> {
        let copy = self.copying.copy(value, self.depth)?;
        if copy != value {
            // SAFETY: the new object, which is not frozen, and the name of a variable that it has.
            unsafe { rb_sys::rb_ivar_set(self.of.0, name, copy.0) };
        }
        Ok(())
    }

    fn pair(&mut self, key: RawValue, value: RawValue) -> Result<(), Stop> {
        if !deep_freeze::share(key, Unfrozen::Refuse)? {
            return Err(Stop::Unfit);
        }
        let copy = self.copying.copy(value, self.depth)?;
        if copy != value {
            if !is_looked_up_natively(key) {
                return Err(Stop::Unfit);
            }
            // SAFETY: the new Hash, which is not frozen, and a key that it has.
            unsafe { rb_sys::rb_hash_aset(self.of.0, key.0, copy.0) };
        }
        Ok(())
    }
}

unsafe extern "C" fn take_variable(name: ID, value: VALUE, copy: st_data_t) -> c_int {
    // SAFETY: an object that was just made, is not frozen, and that nobody else has.
    unsafe { rb_sys::rb_ivar_set(copy as VALUE, name, value) };
    rb_sys::st_retval::ST_CONTINUE as c_int
}

unsafe extern "C" fn copy_variable(name: ID, value: VALUE, parts: st_data_t) -> c_int {
    // SAFETY: the `Parts` of the frame that called `rb_ivar_foreach`.
    let parts = unsafe { &mut *(parts as *mut Parts<'_, '_>) };
    parts.each(|parts| parts.variable(name, RawValue(value)))
}

unsafe extern "C" fn copy_pair(key: VALUE, value: VALUE, parts: VALUE) -> c_int {
    // SAFETY: the `Parts` of the frame that called `rb_hash_foreach`.
    let parts = unsafe { &mut *(parts as *mut Parts<'_, '_>) };
    parts.each(|parts| parts.pair(RawValue(key), RawValue(value)))
}

/// Whether the VM looks the key up without calling a method.
fn is_looked_up_natively(key: RawValue) -> bool {
    key.is_immediate()
        || match key.type_of() {
            RUBY_T_STRING => key.is_plain_string(),
            RUBY_T_SYMBOL | RUBY_T_FLOAT | RUBY_T_BIGNUM => true,
            _ => false,
        }
}
