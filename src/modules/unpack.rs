//! Unpacks compressed sections, with a bound on what comes out.

use std::io::Read;

use bytes::Bytes;

/// The most bytes that one section, or `.gnu_debugdata`, may unpack to. The `.debug_info` of a
/// large browser is below 1 GiB, and linkers compress nothing larger than 4 GiB.
pub const MAX_UNPACKED: u64 = 1 << 30;

/// How a section is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// A zlib stream: `ELFCOMPRESS_ZLIB` and `.zdebug_…`.
    Zlib,
    /// A zstd frame: `ELFCOMPRESS_ZSTD`.
    Zstd,
    /// An xz container: `.gnu_debugdata`.
    Xz,
}

/// Unpacks `packed`. `stated` is the size that the file states, which a zlib stream must have: anything else is
/// an error, and it is trusted for little more than that. Memory grows with what really comes out.
pub fn unpack(packing: Packing, packed: &[u8], stated: Option<u64>) -> Option<Bytes> {
    let limit = stated.unwrap_or(MAX_UNPACKED);
    if limit > MAX_UNPACKED {
        return None;
    }
    match packing {
        Packing::Zlib => inflate(packed, stated?),
        Packing::Zstd => {
            read_all(zstd::stream::read::Decoder::with_buffer(packed).ok()?, packed, stated, limit)
        }
        Packing::Xz => {
            // 256 MiB for the dictionary: xz -9 needs 64.
            let stream = liblzma::stream::Stream::new_stream_decoder(256 << 20, 0).ok()?;
            read_all(liblzma::read::XzDecoder::new_stream(packed, stream), packed, stated, limit)
        }
    }
}

/// The most that deflate can shrink: a block of 258 equal bytes in two bits. A stated size above that is a
/// lie, and no room is made for it.
const MAX_RATIO: u64 = 1032;

/// Debug sections shrink to a third or a tenth. Up to here the stated size is believed so far that its pages
/// are asked for at once, which costs a fifth of what they cost one by one.
const USUAL_RATIO: u64 = 16;

/// All at once and into its final place, which takes less time than a stream with its window.
fn inflate(packed: &[u8], stated: u64) -> Option<Bytes> {
    if stated == 0 {
        return Some(Bytes::new());
    }
    let is_up_to = |ratio: u64| stated <= (packed.len() as u64).saturating_mul(ratio);
    if !is_up_to(MAX_RATIO) {
        return None;
    }
    let mut room = memmap2::MmapOptions::new();
    room.len(usize::try_from(stated).ok()?);
    if is_up_to(USUAL_RATIO) {
        room.populate();
    }
    let mut out = room.map_anon().ok()?;
    let length = libdeflater::Decompressor::new().zlib_decompress(packed, &mut out).ok()?;
    (length == out.len()).then(|| Bytes::from_owner(out))
}

fn read_all(reader: impl Read, packed: &[u8], stated: Option<u64>, limit: u64) -> Option<Bytes> {
    let mut out = room_for(packed, limit)?;
    reader.take(limit.checked_add(1)?).read_to_end(&mut out).ok()?;
    checked(out, stated, limit)
}

/// Room for what most likely comes out: debug sections shrink to a third or a tenth.
fn room_for(packed: &[u8], limit: u64) -> Option<Vec<u8>> {
    let guess = (packed.len() as u64).saturating_mul(12).min(limit.checked_add(1)?);
    Some(Vec::with_capacity(usize::try_from(guess).ok()?))
}

fn checked(out: Vec<u8>, stated: Option<u64>, limit: u64) -> Option<Bytes> {
    let length = out.len() as u64;
    let is_right = length <= limit && stated.is_none_or(|s| s == length);
    is_right.then(|| out.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn unpacks_each_packing() {
        let data = b"lock jam ".repeat(1000);
        let zstd = zstd::encode_all(&data[..], 1).unwrap();
        let mut xz = Vec::new();
        liblzma::read::XzEncoder::new(&data[..], 6).read_to_end(&mut xz).unwrap();
        for (packing, packed) in [(Packing::Zlib, &zlib(&data)), (Packing::Zstd, &zstd), (Packing::Xz, &xz)] {
            assert_eq!(unpack(packing, packed, Some(9000)).unwrap(), data, "{packing:?}");
        }
        for (packing, packed) in [(Packing::Zstd, zstd), (Packing::Xz, xz)] {
            assert_eq!(unpack(packing, &packed, None).unwrap(), data, "{packing:?}");
        }
        assert!(unpack(Packing::Zlib, &zlib(&[]), Some(0)).unwrap().is_empty());
    }

    #[test]
    fn refuses_a_wrong_or_huge_stated_size() {
        let packed = zlib(&[0; 100_000]);
        assert!(unpack(Packing::Zlib, &packed, Some(99_999)).is_none());
        assert!(unpack(Packing::Zlib, &packed, Some(100_001)).is_none());
        assert!(unpack(Packing::Zlib, &packed, Some(u64::MAX)).is_none());
        assert!(unpack(Packing::Zlib, &packed, Some(MAX_UNPACKED)).is_none());
        assert!(unpack(Packing::Zlib, &packed[..20], Some(100_000)).is_none());
    }
}
