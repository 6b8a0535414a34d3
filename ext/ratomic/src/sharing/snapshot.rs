//! A snapshot of a caller's items: copies of those that are not shareable.

use crate::ffi::{copy::Copier, deep_freeze, elements::Elements, words, RawValue};
use magnus::{prelude::*, RArray, Ruby, Value};
use std::ffi::c_long;

/// Returns a frozen Array with the items, in which plain data that is not frozen is replaced by frozen copies. So the
/// caller's program can change its Array while the items run, and checks of the items stay true.
///
/// Returns `items` itself if it is a frozen Array of frozen items, if it is no Array, or if it has more than `most`
/// items; the last is not protected from changes.
pub fn snapshot(items: Value, most: usize) -> Value {
    let Some(array) = RArray::from_value(items).filter(|array| array.len() <= most) else {
        return items;
    };
    // This check runs no Ruby code.
    let is_open = |item: &RawValue| !item.is_immediate() && !item.is_frozen();
    if items.is_frozen() && !words(&array).iter().any(is_open) {
        return items;
    }
    let (copies, _) = copy_all(array);
    copies.freeze();
    copies.as_value()
}

/// Returns two Arrays: copies of the items, and the indexes of items that have to be copied in another way. Those, and
/// items that are shareable, stand in the first Array as they are.
pub fn copies(ruby: &Ruby, items: RArray) -> (RArray, RArray) {
    let (copies, left) = copy_all(items);
    (copies, ruby.ary_from_iter(left))
}

/// Nothing here runs Ruby code, so the result is a snapshot of one moment. A collector finds the new objects, because
/// they are on the stack, or in objects that are.
fn copy_all(items: RArray) -> (RArray, Vec<usize>) {
    let source = RawValue::of(items.as_value());
    let mut copier = Copier::default();
    let (mut left, mut unnoted) = (Vec::new(), Vec::new());
    let mut copies = Elements::new(items.len());
    for place in 0..items.len() {
        let item = entry(source, place);
        let copy = copier.of(item);
        copies.push(copy.as_ref().map_or(item, |copy| copy.word));
        match copy {
            None => left.push(place),
            Some(copy) if copy.unnoted => unnoted.push(place),
            Some(_) => {}
        }
    }
    let copies = copies.array();
    if !unnoted.is_empty() && !note(copies, &unnoted) {
        for place in unnoted {
            // SAFETY: the new Array, which nobody else has, and the Array of the items, which nobody has changed meanwhile.
            unsafe { rb_sys::rb_ary_store(copies.0, place as c_long, entry(source, place).0) };
            left.push(place);
        }
    }
    let copies = RArray::from_value(copies.value()).expect("it was made as an Array");
    (copies, left)
}

fn entry(array: RawValue, place: usize) -> RawValue {
    // SAFETY: a living Array; nil beyond its end.
    RawValue(unsafe { rb_sys::rb_ary_entry(array.0, place as c_long) })
}

/// Has the VM mark copies as shareable that are frozen already. It runs no Ruby code for that.
fn note(copies: RawValue, places: &[usize]) -> bool {
    let mut some = Elements::new(places.len());
    for place in places {
        some.push(entry(copies, *place));
    }
    deep_freeze::by_the_vm(some.array())
}
