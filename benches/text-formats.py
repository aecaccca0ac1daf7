#!/usr/bin/env python3
"""Times logjam on large text dumps: benches/text-formats.py --bin target/release/logjam [--megabytes 500] [--runs 3] [--real] [--logs] [--peers]

go, jstack and gdb are generated (generate_text.py): one dump of 1,000 distinct stacks; and one of 10,000 threads. Of every
other format one dump of 50 MB: the threads of a fixture again and again, each with a number of its own (one_dump.py).
--real adds dumps of 10,000 threads that really wait for one lock, by each runtime's own tool (real_jams.py).
--logs adds logs of 50 MB with thousands of small dumps of each: what every dump costs beside its text is in the figure.
--peers adds panicparse and pt-pmp (Debian: panicparse, percona-toolkit) beside logjam on the dumps of 10,000 threads.

Prints tables; exit code 1 below the goals: 600 MB/s for the generated ones and 200 MB/s for the others, anonymous memory
of at most half of the input and 200 MB, 50 ms for 10,000 threads.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import time

import one_dump
import real_jams

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures" / "text"
GENERATED = {"go": 600, "jstack": 600, "gdb": 600}
OTHERS_GOAL = 200
OTHERS_MB = 50
# What groups stacks: of Go's and of gdb's text.
PEERS = {"go": ["panicparse", "-no-color"], "gdb": ["pt-pmp"]}


def run(binary, path):
    """Seconds from start to exit, with nothing else to do for the machine."""
    started = time.perf_counter()
    code = subprocess.run([binary, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    if code != 0:
        sys.exit(f"{path}: exit code {code}")
    return time.perf_counter() - started


def memory(binary, path):
    """The most anonymous memory in MB, asked for every millisecond in a run of its own, which is not timed."""
    process = subprocess.Popen([binary, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            for line in open(f"/proc/{process.pid}/status"):
                if line.startswith("RssAnon:"):
                    most = max(most, int(line.split()[1]) / 1000)
        except OSError:
            break
        time.sleep(0.001)
    process.wait()
    return most


def repeated(folder, size):
    """The whole dumps of a format, one after the other, up to a size."""
    dumps = [p for p in folder.iterdir() if not p.name.endswith(".truth.json") and "-cut" not in p.name and "-in-log" not in p.name]
    texts = sorted((one_dump.unpacked(p) for p in dumps), key=len, reverse=True)[:2]
    one = b"".join(text if text.endswith(b"\n") else text + b"\n" for text in texts)
    return one * max(1, size // len(one))


def median(figures):
    return sorted(figures)[len(figures) // 2]


def beside(name, binary, path, runs):
    """logjam and a peer in turns: the row of a table. None where the peer is not there."""
    command = PEERS.get(name)
    if not command or not shutil.which(command[0]):
        return None
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(run(binary, path))
        started = time.perf_counter()
        with open(path, "rb") as text:
            argument = [path] if name == "gdb" else []
            subprocess.run([*command, *argument], stdin=text, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        theirs.append(time.perf_counter() - started)
    ratio = median([b / a for a, b in zip(ours, theirs)])
    return f"| {name} | {command[0]} | {median(ours) * 1000:.0f} ms | {median(theirs) * 1000:.0f} ms | {ratio:.0f} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--logs", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE.parent / "target" / "bench-text")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    missed, peers = [], []
    print("| format | input | median | MB/s | goal | RssAnon |\n|---|---|---|---|---|---|")

    def row(name, what, path, goal, most_ms=None):
        size = path.stat().st_size / 1e6
        anon = max(memory(args.bin, path) for _ in range(2))
        seconds = median([run(args.bin, path) for _ in range(args.runs)])
        rate = size / seconds
        shown = f"{goal} MB/s" if goal else f"{most_ms} ms" if most_ms else "–"
        print(f"| {name} | {what}, {size:.0f} MB | {seconds * 1000:.0f} ms | {rate:.0f} | {shown} | {anon:.0f} MB |", flush=True)
        if (goal and rate < goal) or (most_ms and seconds * 1000 > most_ms) or ((goal or most_ms) and anon > size / 2 + 200):
            missed.append(f"{name}, {what}")

    for name, goal in GENERATED.items():
        path = args.folder / f"{name}.txt"
        generate = [sys.executable, HERE / "generate_text.py", name]
        subprocess.run([*generate, str(args.megabytes), path], check=True, stdout=subprocess.DEVNULL)
        row(name, "1,000 distinct stacks", path, goal)
        text = subprocess.run([*generate, "1", path], check=True, stdout=subprocess.PIPE, text=True).stdout
        threads_a_mb = int(text.split()[-2])
        subprocess.run([*generate, str(10_000 / threads_a_mb), path], check=True, stdout=subprocess.DEVNULL)
        row(name, "10,000 threads", path, None, 50)
        if args.peers:
            peers.append(beside(name, args.bin, path, args.runs))
        path.unlink()
        real = real_jams.make(name, args.folder / name) if args.real else None
        if real is not None:
            path.write_bytes(real)
            row(name, "10,000 threads of a real jam", path, None, 50)
            path.unlink()
    others = sorted(p for p in FIXTURES.iterdir() if p.is_dir() and p.name not in GENERATED and p.name != "facts")
    for folder in others:
        path = args.folder / f"{folder.name}.txt"
        text, threads = one_dump.of(folder.name, OTHERS_MB * 1e6)
        path.write_bytes(text)
        row(folder.name, f"{threads:,} threads", path, OTHERS_GOAL)
        path.unlink()
    if args.logs:
        print("\nLogs of many dumps, no goal:\n\n| format | input | median | MB/s | goal | RssAnon |\n|---|---|---|---|---|---|")
        for folder in others:
            path = args.folder / f"{folder.name}.txt"
            path.write_bytes(repeated(folder, OTHERS_MB * 1_000_000))
            row(folder.name, "dumps in a log", path, None)
            path.unlink()
    if any(peers):
        print("\n| dump of 10,000 threads | peer | logjam | peer's time | ratio |\n|---|---|---|---|---|")
        print("\n".join(peer for peer in peers if peer))
    if missed:
        print("\nbelow the goals: " + "; ".join(missed))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
