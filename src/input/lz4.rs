//! LZ4 frames, one after the other.

use std::io::{self, BufRead, Read};

use lz4_flex::frame::FrameDecoder;

use super::peek::Peek;

const LEGACY_MAGIC: [u8; 4] = 0x184c_2102_u32.to_le_bytes();

/// Unpacks LZ4 frames. `lz4_flex` reads one, and takes an end of the file between two blocks for
/// the end of the frame; this reads all of them, and says when the last has no end.
pub(super) struct Lz4Frames<R: BufRead> {
    decoder: FrameDecoder<Peek<R>>,
    is_in_frame: bool,
    /// The format of before 2013, which Linux images still use, has no end mark.
    is_legacy: bool,
}

impl<R: BufRead> Lz4Frames<R> {
    pub(super) fn new(packed: R) -> Self {
        Self { decoder: FrameDecoder::new(Peek::new(packed)), is_in_frame: false, is_legacy: false }
    }
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_in_frame {
                let packed = self.decoder.get_mut();
                skip_skippable(packed)?;
                let magic = packed.ahead(4);
                if magic.is_empty() {
                    // An error ahead comes out of this read.
                    return packed.read(&mut [0]);
                }
                self.is_legacy = magic == LEGACY_MAGIC;
                self.is_in_frame = true;
            }
            let length = self.decoder.read(out)?;
            if length > 0 {
                return Ok(length);
            }
            if self.decoder.get_ref().has_met_end && !self.is_legacy {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the last frame has no end"));
            }
            self.is_in_frame = false;
        }
    }
}

/// Passes over frames that carry no content (`pzstd`, `lz4` and seekable formats put their own data
/// there): a magic number from 0x184d2a50 to 0x184d2a5f, a length of four bytes, the data.
pub(super) fn skip_skippable<R: BufRead>(packed: &mut Peek<R>) -> io::Result<()> {
    loop {
        let length = match packed.ahead(8) {
            [m, 0x2a, 0x4d, 0x18, a, b, c, d] if m & 0xf0 == 0x50 => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => return Ok(()),
        };
        let all = 8 + u64::from(length);
        if io::copy(&mut packed.take(all), &mut io::sink())? < all {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
