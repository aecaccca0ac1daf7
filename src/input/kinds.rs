//! What files that are no dump look like, for a message that helps.

/// A kind of file that is recognized and not read.
struct Kind {
    /// With its article.
    name: &'static str,
    /// Where its mark stands.
    offset: usize,
    /// The mark.
    mark: &'static [u8],
    /// What to do. Empty: it is no container that could hold a dump.
    advice: &'static str,
}

const EXTRACT: &str = "extract the dump from it first";
const UNPACK: &str = "unpack it first";

/// Marks from the `magic` files of file(1) and the formats' own descriptions.
static KINDS: &[Kind] = &[
    Kind { name: "a tar archive", offset: 257, mark: b"ustar", advice: EXTRACT },
    Kind { name: "a zip archive", offset: 0, mark: b"PK\x03\x04", advice: EXTRACT },
    Kind { name: "a zip archive", offset: 0, mark: b"PK\x05\x06", advice: EXTRACT },
    Kind { name: "a 7z archive", offset: 0, mark: b"7z\xbc\xaf\x27\x1c", advice: EXTRACT },
    Kind { name: "a rar archive", offset: 0, mark: b"Rar!\x1a\x07", advice: EXTRACT },
    Kind { name: "a cpio archive", offset: 0, mark: b"070701", advice: EXTRACT },
    Kind {
        name: "an archive of object files or a Debian package",
        offset: 0,
        mark: b"!<arch>\n",
        advice: EXTRACT,
    },
    Kind { name: "an RPM package", offset: 0, mark: b"\xed\xab\xee\xdb", advice: EXTRACT },
    Kind { name: "compressed with compress (.Z)", offset: 0, mark: b"\x1f\x9d", advice: UNPACK },
    Kind { name: "compressed with lzip", offset: 0, mark: b"LZIP\x01", advice: UNPACK },
    Kind { name: "compressed with lzop", offset: 0, mark: b"\x89LZO\0\r\n\x1a\n", advice: UNPACK },
    Kind { name: "compressed with LZMA (.lzma)", offset: 0, mark: b"\x5d\0\0", advice: UNPACK },
    Kind { name: "a Windows minidump", offset: 0, mark: b"MDMP", advice: "" },
    Kind { name: "a Windows crash dump", offset: 0, mark: b"PAGEDU", advice: "" },
    Kind { name: "a Windows program or library", offset: 0, mark: b"MZ", advice: "" },
    Kind { name: "a Mach-O file", offset: 0, mark: b"\xcf\xfa\xed\xfe", advice: "" },
    Kind { name: "a Mach-O file", offset: 0, mark: b"\xca\xfe\xba\xbe", advice: "" },
    Kind { name: "a kdump file", offset: 0, mark: b"KDUMP   ", advice: "" },
    Kind { name: "a Java heap dump", offset: 0, mark: b"JAVA PROFILE 1.0", advice: "" },
    Kind { name: "recorded by perf (perf.data)", offset: 0, mark: b"PERFILE2", advice: "" },
    Kind { name: "a systemd journal", offset: 0, mark: b"LPKSHHRH", advice: "" },
    Kind { name: "a PNG image", offset: 0, mark: b"\x89PNG\r\n\x1a\n", advice: "" },
    Kind { name: "a PDF document", offset: 0, mark: b"%PDF-", advice: "" },
    Kind { name: "a script", offset: 0, mark: b"#!", advice: "" },
];

/// How many bytes of the start must be seen.
pub(super) const HEAD_LENGTH: usize = 512;

/// A container that is not opened: its name and what to do.
pub(super) fn closed_container(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let kind = kind_of(head).filter(|k| !k.advice.is_empty())?;
    Some((kind.name, kind.advice))
}

/// What a file that no format knows looks like, with its article: `an ELF program`.
pub fn looks_like(head: &[u8]) -> Option<&'static str> {
    elf(head).or_else(|| Some(kind_of(head)?.name)).or_else(|| binary(head))
}

fn kind_of(head: &[u8]) -> Option<&'static Kind> {
    KINDS.iter().find(|k| head.get(k.offset..).is_some_and(|rest| rest.starts_with(k.mark)))
}

/// The type of an ELF file: `e_type` stands at 16 in the byte order that `EI_DATA` at 5 says.
fn elf(head: &[u8]) -> Option<&'static str> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let (Some(&order), Some(&[a, b])) = (head.get(5), head.get(16..18)) else {
        return Some("the first bytes of an ELF file");
    };
    let kind = if order == 2 { u16::from_be_bytes([a, b]) } else { u16::from_le_bytes([a, b]) };
    Some(match kind {
        1 => "an ELF object file, not a core",
        2 => "an ELF program, not a core",
        3 => "an ELF program or library, not a core",
        4 => "an ELF core in which nothing was understood",
        _ => "an ELF file of an unknown type",
    })
}

/// A zero byte near the start is in no text.
fn binary(head: &[u8]) -> Option<&'static str> {
    let start = &head[..head.len().min(HEAD_LENGTH)];
    start.contains(&0).then_some("a binary file of an unknown kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_no_dump() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(closed_container(&tar).map(|c| c.0), Some("a tar archive"));
        assert_eq!(closed_container(b"PK\x03\x04...").map(|c| c.0), Some("a zip archive"));
        assert_eq!(closed_container(b"#!/bin/sh"), None);
        assert_eq!(closed_container(b""), None);
        assert_eq!(looks_like(b"#!/bin/sh"), Some("a script"));
        assert_eq!(looks_like(b"Hello"), None);
        assert_eq!(looks_like(b"\x00\x01"), Some("a binary file of an unknown kind"));
        let elf = |order, kind: [u8; 2]| {
            let mut head = b"\x7fELF\x02".to_vec();
            head.push(order);
            head.resize(16, 0);
            head.extend(kind);
            looks_like(&head).expect("an ELF file")
        };
        assert_eq!(elf(1, [2, 0]), "an ELF program, not a core");
        assert_eq!(elf(2, [0, 2]), "an ELF program, not a core");
        assert_eq!(elf(1, [3, 0]), "an ELF program or library, not a core");
        assert_eq!(looks_like(b"\x7fELF"), Some("the first bytes of an ELF file"));
    }
}
