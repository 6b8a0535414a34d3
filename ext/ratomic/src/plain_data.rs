//! `Ratomic::Workers::Processes::PlainData`: plain data as bytes, for the sockets between a pool and its worker
//! processes.
//!
//! Plain data is what parsers return: nil, true, false, Integers, Floats, Symbols, Strings, Arrays and Hashes, of
//! Ruby's own classes and with nothing beside their content. `Marshal` writes it as well, at three to six times the
//! cost: for each String it writes the name of an instance variable for the encoding, it enters every object into a
//! table on both sides, and makes each key of each Hash anew.
//!
//! Reading gives what `Marshal` would return: the same types and encodings, one object for several references to one
//! object, and nothing frozen but keys (unless everything is to be frozen).

mod reader;
mod writer;

use crate::ffi::{error, kept::Kept, RawValue};
use magnus::{function, prelude::*, rb_sys::protect, Error, RModule, RString, Ruby, Value};
use std::ffi::c_long;

/// A letter and four bytes with the length of the rest, the highest first: see lib/ratomic/workers/processes/wire.rb.
const HEADER_BYTES: usize = 5;

/// The frame of an object; nil if it is not plain data, contains itself, or has too many levels.
fn frame(ruby: &Ruby, letter: RString, object: Value) -> Result<Option<RString>, Error> {
    // SAFETY: a living String, of which one byte is copied.
    let letter = unsafe { letter.as_slice() }.first().copied();
    let letter = letter.ok_or_else(|| error::argument("a frame begins with a letter"))?;
    let Some(mut writer) = writer::write(&[letter, 0, 0, 0, 0], RawValue::of(object))? else {
        return Ok(None);
    };
    let Ok(size) = u32::try_from(writer.position() - HEADER_BYTES) else {
        return Ok(None);
    };
    writer.bytes_mut()[1..HEADER_BYTES].copy_from_slice(&size.to_be_bytes());
    Ok(Some(ruby.str_from_slice(writer.bytes())))
}

/// Reads an object from the bytes of a frame.
fn load(bytes: RString, frozen: bool) -> Result<Value, Error> {
    // A copy that no other thread can change meanwhile.
    let bytes = RString::new_frozen(bytes);
    let _kept = Kept::new(RawValue::of(bytes.as_value()));
    // SAFETY: a frozen String, which is kept until the end of this function.
    reader::read(unsafe { bytes.as_slice() }, frozen).map(RawValue::value)
}

/// Appends the bytes that were read to a buffer, and takes all complete frames out of it, as a flat list of letters and
/// contents. The content of a frame of plain data is the object, that of a text a String in UTF-8, that of any other the
/// bytes. Both Strings belong to the calling thread.
fn take(
    ruby: &Ruby,
    buffer: RString,
    piece: RString,
    frozen: bool,
) -> Result<magnus::RArray, Error> {
    let is_new = buffer.is_empty();
    let _kept = Kept::new(RawValue::of(piece.as_value()));
    if !is_new {
        // SAFETY: the bytes are not changed while they are copied.
        append(buffer, unsafe { piece.as_slice() })?;
    }
    let source = if is_new { piece } else { buffer };
    // SAFETY: nobody changes the String until the frames are made.
    let mut rest = unsafe { source.as_slice() };
    let frames = ruby.ary_new();
    while let Some((letter, content, after)) = first(rest) {
        let content = match letter {
            b'p' | b'n' => reader::read(content, frozen)?,
            b't' => reader::text(content, frozen),
            _ => RawValue::of(ruby.str_from_slice(content).as_value()),
        };
        frames.push(ruby.str_new(std::str::from_utf8(&[letter]).unwrap_or("?")))?;
        frames.push(content.value())?;
        rest = after;
    }
    match is_new {
        true => append(buffer, rest)?,
        false => keep_end(buffer, rest.len()),
    }
    Ok(frames)
}

/// The letter and the content of the first frame, if it is complete, and the bytes after it.
fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [letter, size @ ..] = *head;
    let (content, after) = rest.split_at_checked(u32::from_be_bytes(size) as usize)?;
    Some((letter, content, after))
}

fn append(buffer: RString, bytes: &[u8]) -> Result<(), Error> {
    let buffer = RawValue::of(buffer.as_value()).0;
    // SAFETY: a living String, and bytes of another one; `protect` catches what it raises.
    protect(|| unsafe {
        rb_sys::rb_str_cat(buffer, bytes.as_ptr().cast(), bytes.len() as c_long)
    })?;
    Ok(())
}

/// Keeps the last `size` bytes of the buffer. They are moved to its beginning: a substring would share its memory.
fn keep_end(buffer: RString, size: usize) {
    let buffer = RawValue::of(buffer.as_value()).0;
    // SAFETY: a living String that `append` has just written to, so its memory is its own, and has so many bytes.
    unsafe {
        let begin = rb_sys::RSTRING_PTR(buffer).cast_mut();
        let length = rb_sys::RSTRING_LEN(buffer) as usize;
        std::ptr::copy(begin.add(length - size), begin, size);
        rb_sys::rb_str_set_len(buffer, size as c_long);
    }
}

pub fn define(ratomic: RModule) -> Result<(), Error> {
    let module = ratomic
        .define_module("Workers")?
        .define_module("Processes")?
        .define_module("PlainData")?;
    module.define_singleton_method("frame", function!(frame, 2))?;
    module.define_singleton_method("load", function!(load, 2))?;
    module.define_singleton_method("take", function!(take, 3))
}
