#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets out of the fixtures: corpus/TARGET/seed-… (not committed).

usage: seeds.py [FOLDER…]   more files (cores, texts of gdb) from these folders, for local runs
"""

import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
MOST_CORE = 300 * 1024
MOST_TEXT = 64 * 1024
STACK, MODULE = 1 << 32, 2 << 32


def unpacked(path):
    if path.suffix != ".zst":
        return path.read_bytes()
    return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout


def write(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(data)


def notes(*entries):
    out = b""
    for owner, kind, body in entries:
        owner += b"\0"
        out += struct.pack("<III", len(owner), len(body), kind) + owner + bytes(-len(owner) % 4)
        out += body + bytes(-len(body) % 4)
    return out


def core(threads, segments, auxv, files=()):
    """A small core: threads are lists of 27 words, segments are (start, flags, size, bytes)."""
    entries = []
    for tid, words in enumerate(threads, 100):
        body = struct.pack("<iiiHxxQQIIII", 6, 0, 0, 6, 0, 0, tid, 1, 1, 1) + bytes(64)
        entries.append((b"CORE", 1, body + struct.pack("<27Q", *words) + bytes(8)))
    pairs = [n for pair in auxv + [(0, 0)] for n in pair]
    entries.insert(1, (b"CORE", 6, struct.pack(f"<{len(pairs)}Q", *pairs)))
    if files:
        body = struct.pack("<QQ", len(files), 4096)
        body += b"".join(struct.pack("<QQQ", *f[:3]) for f in files)
        entries.insert(2, (b"CORE", 0x46494C45, body + b"".join(f[3] + b"\0" for f in files)))
    packed = notes(*entries)
    at = 64 + 56 * (len(segments) + 1)
    head = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, len(segments) + 1, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", 4, 0, at, 0, 0, len(packed), 0, 4)
    at += len(packed)
    for start, flags, size, data in segments:
        head += struct.pack("<IIQQQQQQ", 1, flags, at, start, 0, len(data), size, 4096)
        at += len(data)
    return head + packed + b"".join(s[3] for s in segments)


def entry_points(elf):
    """Addresses of code: of symbols, or what the table of .eh_frame_hdr says."""
    sections = section_table(elf)
    out = []
    for name in (b".symtab", b".dynsym"):
        if name in sections:
            _, at, size = sections[name]
            for n in range(at, at + size - 23, 24):
                _, info, _, index, value, length = struct.unpack_from("<IBBHQQ", elf, n)
                if info & 15 == 2 and index and length:
                    out.append(value + length // 2)
    return out[:64] or [struct.unpack_from("<Q", elf, 24)[0]]


def section_table(elf):
    at, = struct.unpack_from("<Q", elf, 40)
    count, names = struct.unpack_from("<HH", elf, 60)
    rows = [struct.unpack_from("<IIQQQQ", elf, at + 64 * n) for n in range(count)]
    strings = rows[names][4]
    name = lambda n: elf[strings + n : elf.index(b"\0", strings + n)]
    return {name(r[0]): (r[3], r[4], r[5]) for r in rows}


def small_programs():
    for path in sorted((FIXTURES / "cores").iterdir()):
        if "." not in path.name and path.stat().st_size < 42_000:
            yield path.name, path.read_bytes()


def core_seeds(more):
    for path in sorted((FIXTURES / "cores").glob("*.core.zst")):
        data = unpacked(path)
        if len(data) <= MOST_CORE:
            write("core_reader", path.name, data)
        write("core_reader", path.name + "-256k", data[: 256 * 1024])
        write("core_reader", path.name + "-16k", data[: 16 * 1024])
    for path in more:
        data = path.read_bytes()
        if data[:4] == b"\x7fELF":
            write("core_reader", path.name, data[:MOST_CORE])
    # The module files are not in a core; a program as the vdso is read like one.
    for name, elf in list(small_programs())[::3]:
        at, stack = 0x7000_0000_0000, 0x7100_0000_0000
        points = entry_points(elf)
        threads = []
        for n in range(3):
            words = [stack + 8 * i for i in range(27)]
            words[15], words[16], words[19] = (202, at + points[n % len(points)], stack + 0x100 * n)
            words[10] = (1 << 64) - 512
            threads.append(words)
        words = [at + points[n % len(points)] if n % 3 == 0 else stack + 8 * n + 16 for n in range(256)]
        memory = struct.pack("<256Q", *words)
        segments = [(at, 5, len(elf), elf), (stack, 6, 0x2000, memory)]
        write("core_reader", "vdso-" + name, core(threads, segments, [(33, at), (6, 4096), (3, at + 64), (4, 56), (5, 13)]))
        # And as a mapping, whose path is that of the dump itself.
        files = [(at, at + 4096, 0, b"/usr/bin/" + name.encode()), (stack, stack + 4096, 0, b"/dump")]
        write("core_reader", "file-" + name, core(threads[:1], segments, [(33, at)], files))


def part(data):
    return struct.pack("<H", len(data)) + data


def unwinder_seeds():
    def rest(points, depth):
        words = [MODULE + points[n % len(points)] + 1 if n % 2 else STACK + 8 * n + 24 for n in range(depth)]
        registers = [MODULE + points[0]] + [STACK + 8 * n for n in range(7)] + [STACK] + [STACK] * 8
        return part(struct.pack(f"<{depth}Q", *words)) + b"\1" + struct.pack("<34Q", *(registers * 2))

    for name, elf in small_programs():
        points = entry_points(elf)
        write("unwinder", "raw-" + name, b"\1" + part(elf) + rest(points, 64))
    calls = bytes.fromhex("f30f1efa554889e5e800000000e8f0ffffff90c9c3" "f3900f1f00ebfa" "48c7c00f0000000f05")
    begin = 64 + 2 * 56
    instructions = [
        "",
        "0e10 410e10 8602 430d06",  # push rbp; mov rbp, rsp
        "0f03 770006",  # the CFA is an expression: rsp + 0, deref
        "0f05 77a00106 10 10 02 7708",  # like __restore_rt
        "1007 02 7708 1607 02 7710",
        "0710",  # return address undefined
        "0910 05 0906 03",  # registers in registers
        "1110 7f 1406 01 1510 01",
        "0f09 7708 801a 2a 3f1a3b24 22",  # arithmetic
        "0f06 77002ffaff06",  # a loop
        "2e10 0a0b",
    ]
    fdes = b"".join(
        struct.pack("<HHBB", n * 8, 8, n, len(i)) + i
        for n, i in enumerate(bytes.fromhex(i.replace(" ", "")) for i in instructions)
    )
    code = calls * 8
    points = [begin + 8 * n + 2 for n in range(len(instructions))]
    for flags in (2, 2 | 4, 2 | 8, 2 | 4 | 8, 2 | 8 | 64, 2 | 4 | 8 | 32):
        for first in range(len(instructions)):
            order = points[first:] + points[:first]
            write("unwinder", f"cfi-{flags}-{first}", bytes([flags]) + part(fdes) + part(code) + rest(order, 48))
    # .debug_frame: absolute addresses.
    cie = struct.pack("<IB", 0xFFFFFFFF, 4) + bytes.fromhex("000800017810 0c0708 9001 0000 0000".replace(" ", ""))
    cie = struct.pack("<I", len(cie)) + cie
    fde = struct.pack("<IQQ", 0, begin, len(code)) + bytes.fromhex("410e1086024306")
    debug = cie + struct.pack("<I", len(fde)) + fde
    write("unwinder", "debug-frame", bytes([4 | 16]) + part(b"") + part(code) + part(debug) + rest(points, 48))
    write("unwinder", "sections", bytes([4 | 8 | 16]) + part(debug) + part(code) + part(debug) + part(debug) + rest(points, 48))


def text_seeds(more):
    for path in sorted((FIXTURES / "gdb").glob("*.txt*")) + [p for p in more if p.suffix == ".txt"]:
        data = unpacked(path)
        if data[:4] == b"\x7fELF":
            continue
        for size in (1_000, 6_000, MOST_TEXT - 1):
            write("gdb_text", f"{path.name}-{size}", data[:size])
        middle = len(data) // 2
        write("gdb_text", f"{path.name}-middle", data[middle : middle + 4_000])
        write("gdb_text", f"{path.name}-stamped", b"".join(
            b"2024-05-01T10:00:00Z host gdb[12]: " + line for line in data[:3_000].splitlines(True)
        ))
        write("gdb_text", f"{path.name}-utf16", b"\xff\xfe" + data[:2_000].decode("latin-1").encode("utf-16-le"))
        write("gdb_text", f"{path.name}-colour", data[:3_000].replace(b" in ", b" in \x1b[33m").replace(b" (", b"\x1b[m ("))


def format_seeds():
    """Of every format the begins of its dumps, after two bytes that say what is done to the text."""
    for folder in sorted(p for p in (FIXTURES / "text").iterdir() if p.is_dir() and p.name != "facts"):
        dumps = [p for p in folder.iterdir() if not p.name.endswith(".truth.json")]
        for number, path in enumerate(sorted(dumps, key=lambda p: p.stat().st_size)[:12]):
            data = unpacked(path)
            for size in (2_000, 16_000):
                head = data[: data.rfind(b"\n", 0, size) + 1] or data[:size]
                write("text_formats", f"{folder.name}-{path.name}-{size}", bytes([number, 0]) + head)


def main():
    more = [p for folder in sys.argv[1:] for p in sorted(pathlib.Path(folder).rglob("*")) if p.is_file()]
    core_seeds(more)
    unwinder_seeds()
    text_seeds(more)
    format_seeds()
    for folder in sorted((HERE / "corpus").iterdir()):
        files = [f for f in folder.iterdir() if f.name.startswith("seed-")]
        print(folder.name, len(files), "seeds,", sum(f.stat().st_size for f in files) // 1024, "KiB")


if __name__ == "__main__":
    main()
