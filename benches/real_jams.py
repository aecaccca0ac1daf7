#!/usr/bin/env python3
"""Dumps of 10,000 threads that really wait for one lock, by each runtime's own tool: benches/real_jams.py FOLDER [THREADS]

The programs are the benchmark's and the fixtures': jam.c under gdb, shop.Jam under jstack, go-shop under net/http/pprof.
Needs gcc and gdb; javac, java and jstack; go. What is not installed is left out.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE.parent / "fixtures" / "programs" / "text"
# Whoever waits, the holder and two more: 10,000 in all.
OTHERS = 3
SECONDS = 300


def until(process, words):
    """The rest of the line that begins with these words."""
    for line in process.stdout:
        if line.startswith(words):
            return line[len(words):].strip()
    sys.exit(f"{process.args}: ended before it said {words!r}")


def gdb(folder, threads):
    subprocess.run(["gcc", "-O2", "-g", "-pthread", HERE / "jam.c", "-o", folder / "jam"], check=True)
    process = subprocess.Popen([folder / "jam", str(threads)], stdout=subprocess.PIPE, text=True)
    try:
        until(process, "ready")
        attach = ["gdb", "-q", "-batch", "-nx", "-ex", "set debuginfod enabled off", "-ex", "thread apply all bt"]
        return subprocess.run([*attach, "-p", str(process.pid)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    finally:
        process.kill()


def jstack(folder, threads):
    source = PROGRAMS / "java-shop"
    # What needs further libraries is left out.
    names = ["applog/Logger.java", "shop/Fixture.java", "shop/Jam.java"]
    subprocess.run(["javac", "-g", "-d", folder, *names], cwd=source, check=True)
    (folder / "sink").unlink(missing_ok=True)
    command = ["java", "-Xss256k", "-cp", ".", "shop.Jam", "monitor", str(threads - OTHERS), "1"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        until(process, "fact ready")
        return subprocess.run(["jstack", "-l", str(process.pid)], stdout=subprocess.PIPE, check=True).stdout
    finally:
        process.kill()


def go(folder, threads):
    subprocess.run(["go", "build", "-o", folder / "shop", "."], cwd=PROGRAMS / "go-shop", check=True)
    command = [folder / "shop", "jam", str(threads - OTHERS), "1", "poll"]
    process = subprocess.Popen(command, env={**os.environ, "SHOP_HTTP": "1"}, stdout=subprocess.PIPE, text=True)
    try:
        port = until(process, "fact port")
        until(process, "fact ready")
        url = f"http://127.0.0.1:{port}/debug/pprof/goroutine?debug=2"
        return urllib.request.urlopen(url, timeout=SECONDS).read()
    finally:
        process.kill()


# What makes the dump, and what it needs.
JAMS = {"go": (go, ["go"]), "jstack": (jstack, ["javac", "java", "jstack"]), "gdb": (gdb, ["gcc", "gdb"])}


def make(name, folder, threads=10_000):
    """The dump; None where its tools are not installed."""
    jam, needs = JAMS[name]
    if not all(map(shutil.which, needs)):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return jam(folder, threads)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    for name in JAMS:
        text = make(name, folder / name, int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
        if text is None:
            print(f"{name}: left out, {' or '.join(JAMS[name][1])} is not installed")
            continue
        path = folder / f"{name}.txt"
        path.write_bytes(text)
        print(f"{path}: {len(text) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
