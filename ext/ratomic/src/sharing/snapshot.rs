//! A snapshot of a caller's items: copies of those that are not shareable.

use crate::ffi::{copy::Copier, deep_freeze, words, RawValue};
use magnus::{prelude::*, RArray, Ruby, Value};

/// Returns a frozen Array with the items, in which plain data that is not frozen is replaced by frozen copies. So the
/// caller's program can change its Array while the items run, and checks of the items stay true.
///
/// Returns `items` itself if it is a frozen Array of frozen items, if it is no Array, or if it has more than `most`
/// items; the last is not protected from changes.
pub fn snapshot(ruby: &Ruby, items: Value, most: usize) -> Value {
    let Some(array) = RArray::from_value(items).filter(|array| array.len() <= most) else {
        return items;
    };
    // This check runs no Ruby code.
    let is_open = |item: &RawValue| !item.is_immediate() && !item.is_frozen();
    if items.is_frozen() && !words(&array).iter().any(is_open) {
        return items;
    }
    let (copies, _) = copies(ruby, array);
    copies.freeze();
    copies.as_value()
}

/// Returns two Arrays: copies of the items, and the indexes of items that have to be copied in another way. Those, and
/// items that are shareable, stand in the first Array as they are.
///
/// Nothing here runs Ruby code, so the result is a snapshot of one moment. A collector finds the new objects, because
/// they are on the stack, or in objects that are.
pub fn copies(ruby: &Ruby, items: RArray) -> (RArray, RArray) {
    let (copies, left) = (ruby.ary_new_capa(items.len()), ruby.ary_new());
    let source = RawValue::of(items.as_value());
    let (mut copier, unnoted) = (Copier::default(), ruby.ary_new());
    let mut places = Vec::new();
    // SAFETY: new Arrays that nobody else has.
    let push = |list: RArray, word: RawValue| unsafe {
        rb_sys::rb_ary_push(RawValue::of(list.as_value()).0, word.0);
    };
    for place in 0..items.len() {
        // SAFETY: a living Array; nil beyond its end.
        let item = RawValue(unsafe { rb_sys::rb_ary_entry(source.0, place as _) });
        let copy = copier.of(item);
        let word = copy.as_ref().map_or(item, |copy| copy.word);
        push(copies, word);
        match copy {
            None => push(left, RawValue((place << 1 | 1) as _)),
            Some(copy) if copy.unnoted => {
                push(unnoted, word);
                places.push(place);
            }
            Some(_) => {}
        }
    }
    // These copies are frozen, but not yet marked as shareable. The VM only has to mark them: it runs no Ruby code.
    if !places.is_empty() && !deep_freeze::by_the_vm(RawValue::of(unnoted.as_value())) {
        for place in places {
            // SAFETY: as above, and the Array of the items, which nobody has changed meanwhile.
            unsafe {
                let item = rb_sys::rb_ary_entry(source.0, place as _);
                rb_sys::rb_ary_store(RawValue::of(copies.as_value()).0, place as _, item);
            }
            push(left, RawValue((place << 1 | 1) as _));
        }
    }
    (copies, left)
}
