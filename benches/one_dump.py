#!/usr/bin/env python3
"""Writes one large dump of a format: python3 benches/one_dump.py FORMAT MEGABYTES FILE

A fixture's threads again and again, each with a number of its own, between what stands before and after them. The
same arguments give the same bytes.
"""

import json
import pathlib
import re
import subprocess
import sys

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "text"

# The fixture, and how a thread begins in it; what the groups `id` and `hex` match becomes the thread's number.
TEXTS = {
    "android-anr": ("jam.txt.zst", r'^".*" .*\btid=(?P<id>\d+)'),
    "apple-crash": ("assertion.txt.zst", r"^Thread (?P<id>\d+)(?= |:)(?!.* crashed with)"),
    "apple-sample": ("spindump-jam.txt.zst", r"^  Thread 0x(?P<hex>[0-9a-f]+)"),
    "clrstack": ("jam.txt.zst", r"^OS Thread Id: 0x(?P<hex>[0-9a-f]+)"),
    "dotnet-stack": ("jam.txt.zst", r"^Thread \(0x(?P<hex>[0-9A-F]+)\):"),
    "eu-stack": ("jam.txt.zst", r"^TID (?P<id>\d+):"),
    "folded": ("spin.folded", r"^log_worker_(?P<id>\d+);"),
    "go-pprof": ("jam-119.txt.zst", r"^(?P<id>\d+) @ "),
    "javacore": ("jam.txt.zst", r'^3XMTHREADINFO +"[^"]*" J9VMThread:0x(?P<hex>[0-9A-Fa-f]+)'),
    "kernel": ("rwsem-sysrq-t.txt.zst", r"^\[[^\]]*\] task:.* pid:(?P<id>\d+)"),
    "lldb": ("jam-live.txt.zst", r"^[* ] thread #(?P<id>\d+), "),
    "perf-script": ("spin.txt.zst", r"^\S.* (?P<id>\d+) +\d+\.\d+:"),
    "pstack": ("solaris-jam.txt.zst", r"^-+ +(?:thread# \d+ / )?lwp# (?P<id>\d+) "),
    "py-spy": ("jam.txt.zst", r"^Thread (?P<id>\d+) "),
    "pystack": ("jam-60.txt.zst", r"^Traceback for thread (?P<id>\d+) "),
    "python-faulthandler": ("stdlib-90.txt.zst", r"^(?:Current thread|Thread) 0x(?P<hex>[0-9a-f]+) "),
    "sigdump": ("jam-2000.txt.zst", r"^  Thread #<Thread:0x(?P<hex>[0-9a-f]+)"),
    "systemd-coredump": ("jam-40.txt.zst", r"^ *Stack trace of thread (?P<id>\d+):"),
    "tombstone": ("jam.txt.zst", r'^"[^"]*" sysTid=(?P<id>\d+)'),
    "windbg": ("jam.txt.zst", r"^[.# ] +(?P<id>\d+) +Id: [0-9a-f]+\.(?P<hex>[0-9a-f]+) "),
}


def unpacked(path):
    if path.suffix != ".zst":
        return path.read_bytes()
    return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout


def numbered(block, found, number):
    """The block of a thread with another number; `found` is its header's match, from the block's first byte on."""
    for group, text in sorted(found, key=lambda item: -item[0][0]):
        (start, end), is_hex = group, text
        block = block[:start] + (b"%x" % number if is_hex else b"%d" % number) + block[end:]
    # Android names a thread twice.
    return re.sub(rb"(\| sysTid=)\d+", rb"\g<1>%d" % number, block)


def text_dump(name, size):
    fixture, begins = TEXTS[name]
    text = unpacked(FIXTURES / name / fixture)
    if name == "folded":
        # Every line is a stack of its own, and stacks are deep.
        outer = b"".join(b"outer_%d;" % n for n in range(20))
        text = re.sub(rb"^([^;]*;)", rb"\1" + outer, text, flags=re.M)
    heads = list(re.finditer(begins.encode(), text, re.M))
    starts = [head.start() for head in heads] + [len(text)]
    # The footer of Android's dumps is no thread's.
    footer = re.search(rb"^----- end ", text, re.M)
    if footer:
        heads = [head for head in heads if head.start() < footer.start()]
        starts = [head.start() for head in heads] + [footer.start()]
    blocks = []
    for head, start, end in zip(heads, starts, starts[1:]):
        groups = [(head.span(g), g == "hex") for g in ("id", "hex") if g in head.re.groupindex and head.group(g)]
        blocks.append((text[start:end], [((s - start, e - start), is_hex) for (s, e), is_hex in groups]))
    # What stands behind the last thread may be no thread's.
    last = blocks.pop() if len(blocks) > 1 else None
    out = [text[: starts[0]]]
    written, number = len(out[0]), 1000
    while written < size:
        for block, found in blocks:
            out.append(numbered(block, found, number))
            written += len(out[-1])
            number += 1
    if last:
        out.append(numbered(*last, number))
        number += 1
    if footer:
        out.append(text[footer.start() :])
    return b"".join(out), number - 1000


def json_dump(name, size):
    """The list of threads of a JSON dump, repeated."""
    fixture, path, keys = {
        "apple-ips": ("assertion.ips.zst", ["threads"], ["id"]),
        "core-stacktrace": ("jam.json.zst", ["stacktrace"], []),
        "jcmd-json": ("jam-lock.json.zst", ["threadDump", "threadContainers", 0, "threads"], ["tid"]),
        "node-report": ("jam.json.zst", ["workers"], [["header", "threadId"]]),
    }[name]
    text = unpacked(FIXTURES / name / fixture).decode()
    head = ""
    if name == "apple-ips":
        head, text = text.split("\n", 1)
        head += "\n"
    document = json.loads(text)
    owner = document
    for step in path[:-1]:
        owner = owner[step]
    threads = owner[path[-1]]
    share = len(json.dumps(threads, indent=2)) / len(threads)
    many = []
    for number in range(int(size / share)):
        thread = json.loads(json.dumps(threads[number % len(threads)]))
        for key in keys:
            place = thread
            for step in key[:-1] if isinstance(key, list) else []:
                place = place[step]
            key = key[-1] if isinstance(key, list) else key
            place[key] = str(number + 1000) if isinstance(place.get(key), str) else number + 1000
        many.append(thread)
    owner[path[-1]] = many
    return (head + json.dumps(document, indent=2) + "\n").encode(), len(many)


def of(name, size):
    """One dump of a format of about `size` bytes, and how many threads it has."""
    return text_dump(name, size) if name in TEXTS else json_dump(name, size)


def main():
    name, size, path = sys.argv[1], float(sys.argv[2]) * 1e6, pathlib.Path(sys.argv[3])
    text, threads = of(name, size)
    path.write_bytes(text)
    print(f"{path}: {threads} threads")


if __name__ == "__main__":
    main()
