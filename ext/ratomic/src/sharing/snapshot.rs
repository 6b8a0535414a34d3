//! A snapshot of a caller's items: copies of those that are not shareable.

use crate::ffi::{copy::Copier, deep_freeze, elements::Elements, jump::Jump, words, RawValue};
use magnus::{prelude::*, RArray, Ruby, Value};
use std::ffi::c_long;

/// Returns a frozen Array with the items, in which plain data that is not frozen is replaced by frozen copies. So the
/// caller's program can change its Array while the items run, and checks of the items stay true.
///
/// Returns `items` itself if it is a frozen Array of frozen items, if it is no Array, or if it has more than `most`
/// items; the last is not protected from changes.
pub fn snapshot(items: Value, most: usize) -> Result<Value, Jump> {
    let Some(array) = RArray::from_value(items).filter(|array| array.len() <= most) else {
        return Ok(items);
    };
    // This check runs no Ruby code.
    let is_open = |item: &RawValue| !item.is_immediate() && !item.is_frozen();
    if items.is_frozen() && !words(&array).iter().any(is_open) {
        return Ok(items);
    }
    let (copies, _) = copy_all(array)?;
    copies.freeze();
    Ok(copies.as_value())
}

/// Returns two Arrays: copies of the items, and the indexes of items that have to be copied in another way. Those, and
/// items that are shareable, stand in the first Array as they are.
pub fn copies(ruby: &Ruby, items: RArray) -> Result<(RArray, RArray), Jump> {
    let (copies, left) = copy_all(items)?;
    Ok((copies, ruby.ary_from_iter(left)))
}

/// A collector finds the new objects, because they are on the stack, or in objects that are. Where a Hash has to be asked
/// for its default, another thread may run at that moment, and change items that are not copied yet.
fn copy_all(items: RArray) -> Result<(RArray, Vec<usize>), Jump> {
    let source = RawValue::of(items.as_value());
    let mut copier = Copier::default();
    let (mut left, mut unnoted) = (Vec::new(), Vec::new());
    let mut copies = Elements::new(items.len());
    for place in 0..items.len() {
        let item = entry(source, place);
        let copy = copier.of(item)?;
        copies.push(copy.as_ref().map_or(item, |copy| copy.word));
        match copy {
            None => left.push(place),
            Some(copy) if copy.unnoted => unnoted.push(place),
            Some(_) => {}
        }
    }
    let copies = copies.array();
    if !unnoted.is_empty() {
        note(copies, &unnoted)?;
    }
    let copies = RArray::from_value(copies.value()).expect("it was made as an Array");
    Ok((copies, left))
}

fn entry(array: RawValue, place: usize) -> RawValue {
    // SAFETY: a living Array; nil beyond its end.
    RawValue(unsafe { rb_sys::rb_ary_entry(array.0, place as c_long) })
}

/// Has the VM mark copies as shareable that are frozen already.
fn note(copies: RawValue, places: &[usize]) -> Result<(), Jump> {
    let mut some = Elements::new(places.len());
    for place in places {
        some.push(entry(copies, *place));
    }
    deep_freeze::by_the_vm(some.array())
}
