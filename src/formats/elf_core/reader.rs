//! The one way to touch the bytes of a core: checked, in the file's own word size and byte order.
use crate::model::lossy;

/// Word size and byte order, from the first bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub is_64_bit: bool,
    pub is_little_endian: bool,
}

impl Encoding {
    /// Size of a pointer, a `long` and an `Elf_Off`.
    pub fn word_size(self) -> usize {
        if self.is_64_bit { 8 } else { 4 }
    }
}

/// Bytes and how to read them. `None` is *outside*.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub encoding: Encoding,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { bytes, encoding }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// `length` bytes at `offset`.
    pub fn slice(&self, offset: usize, length: usize) -> Option<&'a [u8]> {
        self.bytes.get(offset..)?.get(..length)
    }

    /// A reader of a part.
    pub fn part(&self, offset: usize, length: usize) -> Option<Reader<'a>> {
        Some(Self { bytes: self.slice(offset, length)?, encoding: self.encoding })
    }

    /// Everything from `offset` on.
    pub fn rest(&self, offset: usize) -> &'a [u8] {
        self.bytes.get(offset..).unwrap_or_default()
    }

    fn array<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let mut array: [u8; N] = self.slice(offset, N)?.try_into().ok()?;
        if !self.encoding.is_little_endian {
            array.reverse();
        }
        Some(array)
    }

    pub fn u16(&self, offset: usize) -> Option<u16> {
        self.array(offset).map(u16::from_le_bytes)
    }

    pub fn u32(&self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_le_bytes)
    }

    pub fn i32(&self, offset: usize) -> Option<i32> {
        self.u32(offset).map(u32::cast_signed)
    }

    pub fn u64(&self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_le_bytes)
    }

    /// A word of the process: 8 or 4 bytes.
    pub fn word(&self, offset: usize) -> Option<u64> {
        if self.encoding.is_64_bit { self.u64(offset) } else { self.u32(offset).map(u64::from) }
    }

    /// A signed word of the process.
    pub fn signed_word(&self, offset: usize) -> Option<i64> {
        if self.encoding.is_64_bit {
            self.u64(offset).map(u64::cast_signed)
        } else {
            self.i32(offset).map(i64::from)
        }
    }

    /// Text that ends at a NUL or with its field, blanks at its ends cut off.
    pub fn text(&self, offset: usize, field: usize) -> Option<String> {
        let field = self.slice(offset, field)?;
        let end = memchr::memchr(0, field).unwrap_or(field.len());
        let text = lossy(&field[..end]);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}
