#!/usr/bin/env python3
"""Compares logjam's stacks of core dumps with gdb's, frame by frame, inlined frames included.

usage: compare_with_gdb.py [--bin LOGJAM] [--exe FILE] [--limit N] [--min PERCENT] [-v] DUMP...

DUMP is a core or core.zst. Its executable and libraries are taken from the folder where it lies (the
executable by the name that the core's NT_FILE note gives for the mapping of the entry point), or from
--exe; debug files from the system's debug directory, for both programs alike. `logjam stacks CORE`
prints a line of JSON for each thread. A folder stands for all cores in it.

Functions are compared after normalization: parameters, template arguments, symbol versions, hashes and
clone suffixes are dropped, names of one address in one module are the same name, gdb's `??` is the same
as a name that logjam made of module and offset. Frames that gdb reconstructs for tail calls (they are on
no stack) may be there or not. Counted are distinct stacks, not threads. Exit code 1 if fewer than --min
percent of them are equal over all dumps, 2 if a comparison could not be made.
"""
import argparse, collections, json, os, pathlib, re, shutil, struct, subprocess, sys, tempfile

GDB_SCRIPT = r'''
import gdb, json
LIMIT = %d
kinds = {gdb.NORMAL_FRAME: "normal", gdb.INLINE_FRAME: "inline", gdb.TAILCALL_FRAME: "tailcall", gdb.SIGTRAMP_FRAME: "signal"}
out = open(%r, "w")
for thread in sorted(gdb.selected_inferior().threads(), key=lambda t: t.ptid[1]):
    thread.switch()
    frames, stop = [], ""
    try:
        frame = gdb.newest_frame()
        while frame is not None and len(frames) < LIMIT:
            pc = frame.pc()
            frames.append([frame.name() or "??", kinds.get(frame.type(), "normal"), hex(pc), gdb.solib_name(pc) or ""])
            frame = frame.older()
    except gdb.error as error:
        stop = str(error)
    out.write(json.dumps({"id": str(thread.ptid[1]), "frames": frames, "stop": stop}) + "\n")
out.close()
'''

# ---- files ----

def elf_entry(core):
    """Notes of a core: (entry point, [(start, end, path)])."""
    with open(core, "rb") as f:
        head = f.read(64)
        if head[:4] != b"\x7fELF" or head[4] != 2:
            raise ValueError("no 64-bit ELF core")
        phoff, = struct.unpack_from("<Q", head, 32)
        phentsize, phnum = struct.unpack_from("<HH", head, 54)
        if phnum == 0xffff:
            shoff, = struct.unpack_from("<Q", head, 40)
            f.seek(shoff + 44)
            phnum, = struct.unpack("<I", f.read(4))
        f.seek(phoff)
        table = f.read(phentsize * phnum)
        entry, files = None, []
        for i in range(phnum):
            kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", table, i * phentsize)
            if kind != 4:
                continue
            f.seek(offset)
            notes, at = f.read(size), 0
            while at + 12 <= len(notes):
                namesz, descsz, note = struct.unpack_from("<III", notes, at)
                data = at + 12 + (namesz + 3 & ~3)
                desc = notes[data:data + descsz]
                at = data + (descsz + 3 & ~3)
                if note == 6:
                    for k in range(0, len(desc) - 15, 16):
                        key, value = struct.unpack_from("<QQ", desc, k)
                        if key == 9:
                            entry = value
                elif note == 0x46494c45:
                    count, = struct.unpack_from("<Q", desc)
                    names = desc[16 + 24 * count:].split(b"\0")
                    for k in range(count):
                        start, end, _ = struct.unpack_from("<QQQ", desc, 16 + 24 * k)
                        files.append((start, end, names[k].decode(errors="replace")))
        return entry, files

def find_executable(core, folder):
    entry, files = elf_entry(core)
    for start, end, path in files:
        if entry is not None and start <= entry < end:
            name = pathlib.Path(path.removesuffix(" (deleted)")).name
            for candidate in (folder / name, pathlib.Path(path)):
                if candidate.is_file():
                    return candidate
            raise ValueError(f"the executable {name} is not beside the core")
    raise ValueError("the core does not say where its executable is")

def symbols(path):
    """{name: address} of .symtab and .dynsym, and the build id."""
    out, build_id = {}, None
    data = pathlib.Path(path).read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return out, build_id
    shoff, = struct.unpack_from("<Q", data, 40)
    shentsize, shnum = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
    for s in sections:
        kind, offset, size, link = s[1], s[4], s[5], s[6]
        if kind == 7 and data[offset + 12:offset + 16] == b"GNU\0" and struct.unpack_from("<I", data, offset + 8)[0] == 3:
            build_id = data[offset + 16:offset + 16 + struct.unpack_from("<I", data, offset + 4)[0]].hex()
        if kind not in (2, 11):
            continue
        strings = sections[link][4]
        for at in range(offset, offset + size, 24):
            name, info, _, index, value, _ = struct.unpack_from("<IBBHQQ", data, at)
            if index and value and info & 15 in (0, 2, 10):
                end = data.index(b"\0", strings + name)
                out[data[strings + name:end].decode(errors="replace")] = value
    return out, build_id

class Aliases:
    """Which names stand for one address in a module (by the file's name)."""
    def __init__(self, folder, debug_dir):
        self.folder, self.debug_dir, self.modules = folder, debug_dir, {}

    def of(self, module):
        module = pathlib.Path(module).name
        if module not in self.modules:
            found, path = {}, self.folder / module
            if path.is_file():
                found, build_id = symbols(path)
                debug = build_id and self.debug_dir / ".build-id" / build_id[:2] / (build_id[2:] + ".debug")
                if debug and debug.is_file():
                    found.update(symbols(debug)[0])
            by_name = collections.defaultdict(set)
            for name, address in found.items():
                by_name[re.sub(r"@.*", "", name)].add(address)
            self.modules[module] = by_name
        return self.modules[module]

    def same(self, module, a, b):
        table = self.of(module)
        return bool(table.get(a, set()) & table.get(b, set()))

# ---- names ----

OPERATORS = ["<<=", ">>=", "<=>", "->*", "()", "<<", ">>", "<=", ">=", "->", "<", ">"]

def drop_balanced(text, open_, close):
    out, depth = [], 0
    for c in text:
        if c == open_:
            depth += 1
        elif c == close and depth:
            depth -= 1
        elif not depth:
            out.append(c)
    return "".join(out)

def normal(name):
    """The parts of a function's name that both debuggers must agree on."""
    if re.match(r"^(\?\?|\S*\+0x[0-9a-f]+|0x[0-9a-f]+)?$", name):
        return "??"
    if name in ("<signal handler called>", "__restore_rt", "__restore"):
        return "<signal>"
    name = re.sub(r"@+GLIBC\w*[\d.]*$|\s*\[clone[^\]]*\]|\.(isra|part|constprop|cold|lto_priv)(\.\d+)?", "", name)
    name = re.sub(r"::h[0-9a-f]{16}$", "", name)
    name = re.sub(r"\[[0-9a-f]{16}\]|\[abi:\w+\]", "", name)
    name = re.sub(r"\{lambda\(.*?\)#\d+\}|<lambda\([^()]*\)>|\{\{closure\}\}|\{(closure|async_fn|async_block)(_env)?#\d+\}|\{impl#\d+\}|\{\{vtable\.shim\}\}|\{shim:[^}]*\}",
                  lambda m: "{impl}" if "impl" in m[0] else "{closure}" if "closure" in m[0] or "async" in m[0] else "{lambda}" if "lambda" in m[0] else "", name)
    name = name.replace("(anonymous namespace)", "{anonymous}").replace("->", "\0")
    hidden = re.search(r"operator\s*(%s)" % "|".join(re.escape(o).replace(r"\->", "\0").replace("->", "\0") for o in OPERATORS), name)
    if hidden:
        name = name[:hidden.start()] + "operator" + "".join(chr(0xe000 + ord(c)) for c in hidden[1]) + name[hidden.end():]
    name = name.replace("<impl ", "{impl}<")      # Rust: module::<impl Type>::method
    if name.startswith("<"):                      # Rust: <Type as Trait>::method, <Type>::method
        depth = 0
        for at, c in enumerate(name):
            depth += (c == "<") - (c == ">")
            if not depth:
                name = "{impl}" + name[at + 1:]
                break
    name = drop_balanced(drop_balanced(name, "<", ">"), "(", ")")
    name = re.sub(r"\s+(const|volatile|&|&&)$", "", name.strip()).strip()
    name = re.sub(r"(^|::)(__cxx11|_V2|__1)(?=::)", "", name)
    name = re.sub(r"::::", "::", name).strip(": ")
    name = re.sub(r"\bstd::basic_([io]stream|string)\b", r"std::\1", name)
    name = re.sub(r"operator (long|short|unsigned long|unsigned short) int$", r"operator \1", name)
    if "operator" in name:
        return re.sub(r"^.*\s(?=\S*operator)", "", name)
    return name.split(" ")[-1]

def same_name(a, b, module, aliases):
    a, b = a or "??", b or "??"
    if a == b:
        return True
    na, nb = normal(a), normal(b)
    if na == nb:
        return True
    if "??" in (na, nb):
        return False
    bare = lambda n: re.sub(r"@.*", "", n)
    if aliases.same(module, bare(a), bare(b)):
        return True
    pa, pb = na.split("::"), nb.split("::")
    if pa[-1] != pb[-1]:
        return pa[-1] in ("{closure}", "{lambda}") and pb[-1] in ("{closure}", "{lambda}")
    loose = {"{impl}", "{closure}", "{lambda}", "{anonymous}"}
    return len(pa) == 1 or len(pb) == 1 or pa[-2] == pb[-2] or bool(loose & set(pa + pb))

# ---- the comparison ----

def gdb_stacks(core, exe, folder, limit, sysroot):
    dirs = dict.fromkeys([str(folder)] + [str(pathlib.Path(path).parent) for _, _, path in elf_entry(core)[1] if path.startswith("/")])
    with tempfile.TemporaryDirectory() as work:
        script, out = pathlib.Path(work, "stacks.py"), pathlib.Path(work, "stacks.json")
        script.write_text(GDB_SCRIPT % (limit, str(out)))
        run = subprocess.run(["gdb", "-nx", "-batch", "-ex", "set auto-load no", "-ex", "set debuginfod enabled off", "-ex", "set print frame-arguments none",
                              "-ex", f"set sysroot {sysroot}", "-ex", f"set solib-search-path {':'.join(dirs)}", "-ex", "set backtrace past-main on",
                              "-ex", "set backtrace limit unlimited", "-ex", f"file {exe}", "-ex", f"core-file {core}", "-x", str(script)],
                             capture_output=True, text=True, errors="replace")
        if not out.is_file():
            raise ValueError("gdb: " + run.stderr.strip()[-300:])
        return {t["id"]: t for t in map(json.loads, out.read_text().splitlines())}

def logjam_stacks(binary, core, exe, folder, extra):
    run = subprocess.run([binary, "stacks", str(core), "--exe", str(exe), "--debug-dir", str(folder), *extra], capture_output=True, text=True, errors="replace")
    if run.returncode != 0:
        raise ValueError(f"logjam stacks: exit code {run.returncode}: {run.stderr.strip()[-300:]}")
    return {t["id"]: t["frames"] for t in map(json.loads, filter(None, run.stdout.splitlines()))}

def difference(gdb_frames, our_frames, limit, aliases, exe):
    """None if the stacks are equal, else the index of the first frame that differs, tail calls left out."""
    ours = our_frames[:limit]
    def first(theirs):
        for i in range(max(len(theirs), len(ours))):
            if i >= len(theirs) or i >= len(ours):
                return i if max(len(theirs), len(ours)) < limit else None
            name, kind, _, solib = theirs[i]
            if kind == "signal":
                name = "<signal handler called>"
            if not same_name(name, ours[i].get("function", ""), solib or exe, aliases):
                return i
        return None
    at = first(gdb_frames)
    if at is not None and any(f[1] == "tailcall" for f in gdb_frames):
        without = first([f for f in gdb_frames if f[1] != "tailcall"])
        return without
    return at

def show(thread, frames, ours, at):
    frames = [f for f in frames if f[1] != "tailcall"]
    print(f"    thread {thread}, frame {at}:")
    width = 58
    for i in range(max(0, at - 3), min(max(len(frames), len(ours)), at + 9)):
        g = f"{frames[i][2]} {frames[i][0]}" + ("" if frames[i][1] == "normal" else f" [{frames[i][1]}]") if i < len(frames) else "-"
        o = f"{ours[i].get('address', '')} {ours[i].get('function', '??')} [{ours[i].get('trust', '')}{', inlined' if ours[i].get('inlined') else ''}]" if i < len(ours) else "-"
        print(f"    {'>' if i == at else ' '} {i:4} {g:{width}}   | {o}")

def compare(dump, a, total):
    folder = dump.parent.resolve()
    with tempfile.TemporaryDirectory() as work:
        core = dump
        if dump.suffix == ".zst":
            core = pathlib.Path(work, dump.stem)
            subprocess.run(["zstd", "-q", "-d", "-f", str(dump), "-o", str(core)], check=True)
        exe = pathlib.Path(a.exe).resolve() if a.exe else find_executable(core, folder)
        theirs = gdb_stacks(core, exe, folder, a.limit, a.sysroot)
        ours = logjam_stacks(a.bin, core, exe, folder, a.logjam_arg)
    aliases = Aliases(folder, pathlib.Path(a.debug_dir))
    stacks = collections.defaultdict(list)
    for id_, thread in theirs.items():
        stacks[tuple((f[0], f[1], f[3]) for f in thread["frames"])].append(id_)
    equal, differing = 0, []
    for members in stacks.values():
        for id_ in members:
            at = difference(theirs[id_]["frames"], ours.get(id_, []), a.limit, aliases, exe.name)
            if at is not None:
                differing.append((id_, at))
                break
        else:
            equal += 1
    missing = sorted(set(ours) ^ set(theirs), key=int)
    frames = sum(len(s) for s in stacks)
    print(f"{dump.name}: {len(theirs)} threads, {len(stacks)} distinct stacks, {frames} frames: {equal} equal, {len(differing)} differing"
          + (f"; threads that only one of the two has: {missing[:8]}" if missing else ""))
    for id_, at in differing[:len(differing) if a.verbose else 3]:
        show(id_, theirs[id_]["frames"], ours.get(id_, []), at)
    total["stacks"] += len(stacks)
    total["equal"] += equal

def main():
    ap = argparse.ArgumentParser(description="compare logjam's stacks with gdb's")
    ap.add_argument("--bin", default="target/release/logjam")
    ap.add_argument("--exe")
    ap.add_argument("--limit", type=int, default=3000, help="frames of a stack that are compared")
    ap.add_argument("--min", type=float, default=99.0, help="percent of distinct stacks that must be equal")
    ap.add_argument("--sysroot", default="/nowhere", help="where gdb looks for the files of the process; / for dumps of this machine (default: only beside the dump)")
    ap.add_argument("--debug-dir", default="/usr/lib/debug")
    ap.add_argument("--logjam-arg", action="append", default=[], help="an argument more for logjam")
    ap.add_argument("-v", action="store_true", dest="verbose", help="show all differences, not three of each dump")
    ap.add_argument("dumps", nargs="+")
    a = ap.parse_args()
    if shutil.which("gdb") is None:
        sys.exit("gdb is not installed")
    dumps = []
    for d in map(pathlib.Path, a.dumps):
        dumps += sorted([*d.glob("*.core"), *d.glob("*.core.zst")]) if d.is_dir() else [d]
    total, failed = {"stacks": 0, "equal": 0}, 0
    for dump in dumps:
        try:
            compare(dump, a, total)
        except (OSError, ValueError, KeyError, struct.error, subprocess.CalledProcessError) as error:
            failed += 1
            print(f"{dump.name}: {error}")
        sys.stdout.flush()
    share = 100 * total["equal"] / total["stacks"] if total["stacks"] else 0
    print(f"total: {total['stacks']} distinct stacks, {total['equal']} equal, {share:.2f} %" + (f", {failed} dumps not compared" if failed else ""))
    sys.exit(2 if failed else 0 if share >= a.min else 1)

if __name__ == "__main__":
    main()
