//! The binary format of plain data between two processes: tags, numbers and lengths. The reader trusts no byte: for
//! bytes that no writer makes it returns [`Malformed`], and it never reads beyond the end.
//!
//! A value is a tag of one byte and the tag's content. Small numbers are in the tag itself. A tag may have the bit
//! [`SHARED`]: a later value refers to this one, by the position of its tag.

/// The kind of a value. The numbers may differ between versions of the gem, because both ends are forks of one process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Tag {
    Nil,
    True,
    False,
    /// A number of at most 64 bits, in as few bytes as it needs.
    Integer,
    /// 0 or 1 for its sign, then the bytes of its absolute value, the least first.
    Bignum,
    Float,
    /// Text in UTF-8, in no encoding, in US-ASCII; in another one, of which the name comes first.
    Utf8,
    Binary,
    Ascii,
    Encoded,
    Array,
    Hash,
    /// Text that follows as a value.
    Symbol,
    /// A value that was written before: the number of a Symbol or a key, or the position of any other value.
    SymbolAgain,
    Key,
    KeyAgain,
    Again,
}

const TAGS: [Tag; 17] = [
    Tag::Nil,
    Tag::True,
    Tag::False,
    Tag::Integer,
    Tag::Bignum,
    Tag::Float,
    Tag::Utf8,
    Tag::Binary,
    Tag::Ascii,
    Tag::Encoded,
    Tag::Array,
    Tag::Hash,
    Tag::Symbol,
    Tag::SymbolAgain,
    Tag::Key,
    Tag::KeyAgain,
    Tag::Again,
];

pub const SHARED: u8 = 0x80;
/// A byte with this bit is a number from 0 to 63, in its low six bits.
const SMALL_NUMBER_BIT: u8 = 0x40;

/// Levels of nested Arrays and Hashes.
pub const MAX_DEPTH: u32 = 100;

#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer {
            bytes: Vec::with_capacity(bytes),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Where the next value begins.
    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    #[inline]
    pub fn tag(&mut self, tag: Tag) {
        self.bytes.push(tag as u8);
    }

    /// Marks the value that begins there as one that is referred to again.
    pub fn share(&mut self, position: usize) {
        self.bytes[position] |= SHARED;
    }

    #[inline]
    pub fn integer(&mut self, number: i64) {
        match u8::try_from(number) {
            Ok(small) if small < SMALL_NUMBER_BIT => self.bytes.push(SMALL_NUMBER_BIT | small),
            _ => {
                self.tag(Tag::Integer);
                // The sign becomes the lowest bit, so that small numbers below zero are short as well.
                self.length(((number << 1) ^ (number >> 63)) as u64);
            }
        }
    }

    pub fn float(&mut self, number: f64) {
        self.tag(Tag::Float);
        self.raw(&number.to_bits().to_le_bytes());
    }

    /// Seven bits a byte, the least first; the highest bit says that more follow.
    #[inline]
    pub fn length(&mut self, mut length: u64) {
        while length >= 0x80 {
            self.bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.bytes.push(length as u8);
    }

    /// A length, and then that many bytes.
    #[inline]
    pub fn text(&mut self, bytes: &[u8]) {
        self.length(bytes.len() as u64);
        self.raw(bytes);
    }

    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// Bytes that no [`Writer`] writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

/// What stands at the beginning of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Head {
    Small(i64),
    Tag(Tag),
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, position: 0 }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The beginning of the next value, and whether it is referred to again.
    #[inline]
    pub fn head(&mut self) -> Result<(Head, bool), Malformed> {
        let byte = self.byte()?;
        if byte & SMALL_NUMBER_BIT != 0 {
            // Numbers are never referred to.
            let small = Head::Small(i64::from(byte & (SMALL_NUMBER_BIT - 1)));
            return (byte & SHARED == 0)
                .then_some((small, false))
                .ok_or(Malformed);
        }
        let tag = TAGS.get(usize::from(byte & !SHARED)).ok_or(Malformed)?;
        Ok((Head::Tag(*tag), byte & SHARED != 0))
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.bytes.get(self.position).ok_or(Malformed)?;
        self.position += 1;
        Ok(byte)
    }

    pub fn integer(&mut self) -> Result<i64, Malformed> {
        let number = self.length()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub fn float(&mut self) -> Result<f64, Malformed> {
        let bytes = self.raw(8)?.try_into().map_err(|_| Malformed)?;
        Ok(f64::from_bits(u64::from_le_bytes(bytes)))
    }

    #[inline]
    pub fn length(&mut self) -> Result<u64, Malformed> {
        let mut length = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(Malformed);
            }
            length |= part << shift;
            if byte < 0x80 {
                return Ok(length);
            }
        }
        Err(Malformed)
    }

    /// How many values follow, each of which has `least` bytes at least.
    #[inline]
    pub fn count(&mut self, least: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.length()?).map_err(|_| Malformed)?;
        match count.checked_mul(least) {
            Some(bytes) if bytes <= self.left() => Ok(count),
            _ => Err(Malformed),
        }
    }

    #[inline]
    pub fn text(&mut self) -> Result<&'a [u8], Malformed> {
        let size = self.count(1)?;
        self.raw(size)
    }

    #[inline]
    pub fn raw(&mut self, size: usize) -> Result<&'a [u8], Malformed> {
        let end = self.position.checked_add(size).ok_or(Malformed)?;
        let bytes = self.bytes.get(self.position..end).ok_or(Malformed)?;
        self.position = end;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [i64; 12] = [
        0,
        1,
        63,
        64,
        -1,
        -64,
        127,
        128,
        1 << 40,
        -(1 << 40),
        i64::MAX,
        i64::MIN,
    ];

    fn read_integer(reader: &mut Reader<'_>) -> i64 {
        match reader.head().unwrap().0 {
            Head::Small(number) => number,
            Head::Tag(tag) => {
                assert_eq!(tag, Tag::Integer);
                reader.integer().unwrap()
            }
        }
    }

    #[test]
    fn numbers_come_out_as_they_went_in() {
        let mut writer = Writer::default();
        NUMBERS
            .into_iter()
            .for_each(|number| writer.integer(number));
        for number in [0.0, -0.0, f64::NAN, f64::INFINITY, 1e300] {
            writer.float(number);
        }
        let mut reader = Reader::new(writer.bytes());
        for number in NUMBERS {
            assert_eq!(read_integer(&mut reader), number);
        }
        for number in [0.0, -0.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(reader.head(), Ok((Head::Tag(Tag::Float), false)));
            assert_eq!(reader.float().unwrap().to_bits(), number.to_bits());
        }
        assert_eq!(reader.left(), 0);
    }

    #[test]
    fn every_tag_is_found_by_its_number() {
        for tag in TAGS {
            assert_eq!(TAGS[tag as usize], tag);
            let mut writer = Writer::default();
            writer.tag(tag);
            writer.share(0);
            let head = Reader::new(writer.bytes()).head();
            assert_eq!(head, Ok((Head::Tag(tag), true)));
        }
    }

    #[test]
    fn text_has_its_length_before_it() {
        let mut writer = Writer::with_capacity(1);
        writer.text(b"");
        writer.text(&[7; 300]);
        assert_eq!(writer.position(), 1 + 2 + 300);
        let mut reader = Reader::new(writer.bytes());
        assert_eq!(reader.text(), Ok(&[][..]));
        assert_eq!(reader.text(), Ok(&[7; 300][..]));
        assert_eq!(reader.text(), Err(Malformed));
    }

    #[test]
    fn what_was_cut_off_is_damaged_and_nothing_is_read_beyond_the_end() {
        let mut writer = Writer::default();
        writer.text(&[7; 300]);
        for end in 0..writer.bytes().len() {
            assert_eq!(Reader::new(&writer.bytes()[..end]).text(), Err(Malformed));
        }
        assert_eq!(Reader::new(&[1, 2]).float(), Err(Malformed));
        assert_eq!(Reader::new(&[]).head(), Err(Malformed));
    }

    #[test]
    fn lengths_that_cannot_be_are_damaged() {
        assert_eq!(Reader::new(&[0xff; 11]).length(), Err(Malformed));
        let mut longest = [0xff; 10];
        longest[9] = 1;
        assert_eq!(Reader::new(&longest).length(), Ok(u64::MAX));
        assert_eq!(Reader::new(&longest).count(1), Err(Malformed));
        assert_eq!(Reader::new(&longest).count(16), Err(Malformed));
        assert_eq!(Reader::new(&[2, 0, 0, 0]).count(2), Err(Malformed));
        assert_eq!(Reader::new(&[2, 0, 0, 0, 0]).count(2), Ok(2));
        longest[9] = 2;
        assert_eq!(Reader::new(&longest).length(), Err(Malformed));
        assert_eq!(Reader::new(&[]).raw(usize::MAX), Err(Malformed));
    }

    #[test]
    fn tags_that_there_are_not_are_damaged() {
        for byte in 0..=u8::MAX {
            let known = match byte & !SHARED {
                tag if tag & SMALL_NUMBER_BIT != 0 => byte & SHARED == 0,
                tag => usize::from(tag) < TAGS.len(),
            };
            assert_eq!(Reader::new(&[byte]).head().is_ok(), known, "{byte}");
        }
    }
}
