//! Compressions, recognized by their first bytes and never by a name.

use std::io::{self, BufRead, BufReader, Read};

use super::kinds::{HEAD_LENGTH, closed_container};
use super::lz4::{Lz4Frames, skip_skippable};
use super::peek::Peek;

/// How many layers of compression are taken off: `core.zst.gz` happens, more is a bomb.
pub(super) const MAX_LAYERS: usize = 2;

/// The most memory that an xz stream may ask for; `xz -9` asks for 65 MiB, its largest dictionary
/// for 1.5 GiB. It is touched only as far as the content goes.
const XZ_MEMORY: u64 = 2 << 30;

/// `zstd --long=31`, the largest window there is. Memory as above.
const ZSTD_WINDOW_LOG: u32 = if usize::BITS >= 64 { 31 } else { 30 };

const PACKED_BUFFER: usize = 128 << 10;

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames.
    Zstd,
    /// xz, of one or more streams.
    Xz,
    /// LZ4 frames.
    Lz4,
    /// bzip2, of one or more streams.
    Bzip2,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Gzip, Self::Zstd, Self::Xz, Self::Lz4, Self::Bzip2];

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
            Self::Bzip2 => "bzip2",
        }
    }

    /// Recognizes it by the first bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            // The third byte is the method; deflate is the only one there ever was.
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // A frame, and one of the legacy format.
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Some(Self::Lz4),
            // `BZh`, the block size, and pi or (an empty file) the square root of pi.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, ..] => Some(Self::Bzip2),
            _ => None,
        }
    }

    fn decoder<'a>(self, packed: Box<dyn BufRead + 'a>) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            Self::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
            }
            Self::Lz4 => Box::new(Lz4Frames::new(packed)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        })
    }
}

/// Content with its compressions taken off.
pub(super) struct Unpacked<'a> {
    pub(super) reader: Box<dyn BufRead + 'a>,
    /// The outermost first.
    pub(super) layers: Vec<Compression>,
}

/// Why no content can be read.
#[derive(Debug)]
pub(super) enum UnpackError {
    /// An archive, or a compression that is not read: its name and what to do.
    Closed(&'static str, &'static str),
    /// Still compressed after [`MAX_LAYERS`].
    TooManyLayers,
    /// A decoder could not be made.
    Decoder(Compression, io::Error),
}

/// Whether the first bytes of a file are those of something that must be opened first.
pub(super) fn is_packed(head: &[u8]) -> bool {
    is_skippable(head) || Compression::of(head).is_some() || closed_container(head).is_some()
}

/// Frames without content that may stand before the first one of zstd or lz4.
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [m, 0x2a, 0x4d, 0x18, ..] if m & 0xf0 == 0x50)
}

/// Takes the compressions off. Errors of the decoders come out of the reader.
pub(super) fn unpack<'a>(packed: Box<dyn BufRead + 'a>) -> Result<Unpacked<'a>, UnpackError> {
    let mut layers = Vec::new();
    let mut source = packed;
    loop {
        let mut peek = Peek::new(source);
        if is_skippable(peek.ahead(4)) && skip_skippable(&mut peek).is_err() {
            // Cut inside: nothing follows, and the reader says so.
        }
        let head = peek.ahead(HEAD_LENGTH);
        if let Some((name, advice)) = closed_container(head) {
            return Err(UnpackError::Closed(name, advice));
        }
        let Some(compression) = Compression::of(head) else {
            return Ok(Unpacked { reader: Box::new(peek), layers });
        };
        if layers.len() == MAX_LAYERS {
            return Err(UnpackError::TooManyLayers);
        }
        layers.push(compression);
        let decoder =
            compression.decoder(Box::new(peek)).map_err(|e| UnpackError::Decoder(compression, e))?;
        source = Box::new(BufReader::with_capacity(PACKED_BUFFER, decoder));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Packs with the encoder of the crate that unpacks.
    fn pack(compression: Compression, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let written = match compression {
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
                encoder.write_all(content).and_then(|()| encoder.finish().map(drop))
            }
            Compression::Zstd => zstd::stream::copy_encode(content, &mut out, 1),
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(&mut out, 1);
                encoder.write_all(content).and_then(|()| encoder.finish().map(drop))
            }
            Compression::Lz4 => {
                let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
                let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, &mut out);
                encoder.write_all(content).and_then(|()| encoder.finish().map(drop).map_err(io::Error::from))
            }
            Compression::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(&mut out, bzip2::Compression::fast());
                encoder.write_all(content).and_then(|()| encoder.finish().map(drop))
            }
        };
        written.expect("packed");
        out
    }

    fn content() -> Vec<u8> {
        (0..300_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_le_bytes()).collect()
    }

    fn unpacked(packed: &[u8]) -> (Vec<u8>, io::Result<()>) {
        let mut unpacked = unpack(Box::new(packed)).expect("a known compression");
        let mut out = Vec::new();
        let result = loop {
            let mut block = [0; 10_000];
            match unpacked.reader.read(&mut block) {
                Ok(0) => break Ok(()),
                Ok(n) => out.extend_from_slice(&block[..n]),
                Err(e) => break Err(e),
            }
        };
        (out, result)
    }

    #[test]
    fn each_compression_is_recognized_and_unpacked() {
        let content = content();
        for compression in Compression::ALL {
            let packed = pack(compression, &content);
            assert_eq!(Compression::of(&packed), Some(compression));
            let (out, result) = unpacked(&packed);
            assert!(out == content && result.is_ok(), "{compression:?} {result:?}");
        }
    }

    #[test]
    fn several_members_are_one_content() {
        let content = content();
        for compression in Compression::ALL {
            let mut packed = pack(compression, &content[..1000]);
            packed.extend(pack(compression, b""));
            packed.extend(pack(compression, &content[1000..]));
            let (out, result) = unpacked(&packed);
            assert!(out == content && result.is_ok(), "{compression:?} {} {result:?}", out.len());
        }
    }

    #[test]
    fn skippable_frames_are_skipped_wherever_they_stand() {
        let content = content();
        let skippable = [&[0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        for compression in [Compression::Zstd, Compression::Lz4] {
            let half = pack(compression, &content);
            let packed = [&skippable[..], &half, &skippable, &skippable, &half, &skippable].concat();
            let (out, result) = unpacked(&packed);
            assert!(result.is_ok(), "{compression:?} {result:?}");
            assert!(out == [&content[..], &content].concat(), "{compression:?}");
        }
    }

    #[test]
    fn a_cut_gives_what_came_before_and_an_error() {
        let content = content();
        for compression in Compression::ALL {
            let packed = pack(compression, &content);
            for cut in [8, 20, packed.len() / 3, packed.len() / 2, packed.len() - 5, packed.len() - 1] {
                let (out, result) = unpacked(&packed[..cut]);
                assert!(result.is_err(), "{compression:?} cut at {cut} of {}", packed.len());
                assert!(content.starts_with(&out), "{compression:?} cut at {cut}");
                if cut > packed.len() / 2 && compression != Compression::Bzip2 {
                    assert!(out.len() > content.len() / 4, "{compression:?} cut at {cut}: {}", out.len());
                }
            }
        }
    }

    #[test]
    fn an_lz4_cut_between_two_blocks_is_a_cut() {
        let content = content();
        let packed = pack(Compression::Lz4, &content);
        let mut at = 7;
        let mut blocks = 0;
        while let Some(&[a, b, c, d]) = packed.get(at..at + 4) {
            let length = u32::from_le_bytes([a, b, c, d]) & 0x7fff_ffff;
            if length == 0 {
                break;
            }
            let (out, result) = unpacked(&packed[..at]);
            assert!(result.is_err() && content.starts_with(&out), "cut at {at}");
            at += 4 + length as usize;
            blocks += 1;
        }
        assert!(blocks > 2);
    }

    #[test]
    fn two_layers_are_unpacked_and_three_are_not() {
        let content = content();
        let once = pack(Compression::Gzip, &content);
        let twice = pack(Compression::Zstd, &once);
        let (out, result) = unpacked(&twice);
        assert!(out == content && result.is_ok());
        let thrice = pack(Compression::Xz, &twice);
        assert!(matches!(unpack(Box::new(&thrice[..])), Err(UnpackError::TooManyLayers)));
    }

    #[test]
    fn an_archive_inside_is_named_before_all_of_it_is_unpacked() {
        let mut tar = vec![0; 10_240];
        tar[257..262].copy_from_slice(b"ustar");
        let packed = pack(Compression::Zstd, &tar);
        assert!(matches!(unpack(Box::new(&packed[..])), Err(UnpackError::Closed("a tar archive", _))));
    }

    #[test]
    fn damage_does_not_panic() {
        let content = content();
        for compression in Compression::ALL {
            let packed = pack(compression, &content[..20_000]);
            for at in (0..packed.len()).step_by(packed.len() / 50 + 1) {
                let mut damaged = packed.clone();
                damaged[at] ^= 0x55;
                if let Ok(mut unpacked) = unpack(Box::new(&damaged[..])) {
                    let mut rest = Vec::new();
                    let _ = unpacked.reader.by_ref().take(1 << 20).read_to_end(&mut rest);
                }
            }
        }
    }
}
