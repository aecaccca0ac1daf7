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

/// Unpacks `packed`. `stated` is the size that the file states: more is an error, and it is
/// trusted for nothing but that. Memory grows with what really comes out.
pub fn unpack(packing: Packing, packed: &[u8], stated: Option<u64>) -> Option<Bytes> {
    let limit = stated.unwrap_or(MAX_UNPACKED);
    if limit > MAX_UNPACKED {
        return None;
    }
    match packing {
        Packing::Zlib => inflate(packed, stated, limit),
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

/// All at once: a stream that is read in pieces copies its last 32 KiB after each of them.
fn inflate(packed: &[u8], stated: Option<u64>, limit: u64) -> Option<Bytes> {
    let mut out = room_for(packed, limit)?;
    let mut stream = flate2::Decompress::new(true);
    loop {
        let rest = packed.get(usize::try_from(stream.total_in()).ok()?..)?;
        let status = stream.decompress_vec(rest, &mut out, flate2::FlushDecompress::Finish).ok()?;
        if status == flate2::Status::StreamEnd {
            return checked(out, stated, limit);
        }
        let is_cut = out.len() < out.capacity();
        if is_cut || out.len() as u64 > limit {
            return None;
        }
        out.reserve(out.len().max(1));
    }
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
        for (packing, packed) in [(Packing::Zlib, zlib(&data)), (Packing::Zstd, zstd), (Packing::Xz, xz)] {
            assert_eq!(unpack(packing, &packed, None).unwrap(), data, "{packing:?}");
            assert_eq!(unpack(packing, &packed, Some(9000)).unwrap(), data, "{packing:?}");
        }
    }

    #[test]
    fn refuses_a_wrong_or_huge_stated_size() {
        let packed = zlib(&[0; 100_000]);
        assert!(unpack(Packing::Zlib, &packed, Some(99_999)).is_none());
        assert!(unpack(Packing::Zlib, &packed, Some(100_001)).is_none());
        assert!(unpack(Packing::Zlib, &packed, Some(u64::MAX)).is_none());
        assert!(unpack(Packing::Zlib, &packed[..20], Some(100_000)).is_none());
    }
}
