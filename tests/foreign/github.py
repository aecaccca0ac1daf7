#!/usr/bin/env python3
"""Reads `--format github` as the runner of GitHub Actions does, by the documented grammar of workflow commands:
`::NAME KEY=VALUE,…::DATA`, where `%25 %0D %0A` stand for themselves in data, and `%3A %2C` too in values. No package
carries the runner's reader, so that this is one of our own. LOGJAM is the program.
"""

import re
import tempfile
from pathlib import Path

from _dumps import failed, logjam, report, runs

LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice", "info": "notice"}
PROPERTIES = {"file", "line", "endLine", "col", "endColumn", "title"}
MESSAGE = 4096  # where the runner cuts
TITLE = 255
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def unescaped(text, codes):
    assert re.fullmatch(f"(?:[^%\r\n]|%(?:{'|'.join(codes)}))*", text), text[:500]
    for code in [c for c in codes if c != "25"] + ["25"]:
        text = text.replace(f"%{code}", chr(int(code, 16)))
    return text


def command(line):
    """The command of a line: its name, its properties, its message."""
    assert line.startswith("::"), line[:200]
    head, mark, data = line[2:].partition("::")
    assert mark, line[:200]
    name, _, rest = head.partition(" ")
    properties = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        assert equals and key in PROPERTIES and key not in properties, pair[:200]
        properties[key] = unescaped(value, ["0D", "0A", "3A", "2C", "25"])
    return name, properties, unescaped(data, ["0D", "0A", "25"])


def check(name, inputs):
    text, _ = logjam("github", inputs)
    account = report(inputs)
    lines = text.decode().split("\n")
    assert lines.pop() == ""
    commands = [command(line) for line in lines]
    bad, findings = failed(account), account["findings"]
    assert len(commands) == len(bad) + len(findings), name
    for kind, properties, message in commands:
        assert kind in ("error", "warning", "notice") and properties["title"], name
        assert 0 < len(message.encode("utf-16-le")) // 2 <= MESSAGE, f"{name}: {len(message)}"
        assert len(properties["title"].encode("utf-16-le")) // 2 <= TITLE
        assert "file" in properties or "line" not in properties
        assert not HIDDEN.search(message + "".join(properties.values())), name
    assert all(kind == "error" for kind, _, _ in commands[: len(bad)])
    for (kind, properties, message), finding in zip(commands[len(bad) :], findings, strict=True):
        assert kind == LEVELS[finding["severity"]], name
        assert properties["title"].startswith(finding["rule"]), properties
        assert finding["fingerprint"] in message, message
    print(f"  {name}: {len(commands)} commands, the longest message has {max(map(lambda c: len(c[2]), commands), default=0)}")
    return commands


def main():
    with tempfile.TemporaryDirectory() as folder:
        seen = {name: check(name, inputs) for name, inputs in runs(Path(folder)).items()}
    kind, properties, message = seen["contended"][0]
    assert (kind, properties["file"], properties["line"]) == ("error", "logging-mutex.c", "27"), properties
    assert properties["title"] == "lock-contention: 4,499 of 5,001 threads (90 %) wait for the mutex g_log_mutex"
    assert "Holder: thread " in message and "\nNext: " in message
    assert [kind for kind, _, _ in seen["healthy"]] == ["notice"], "a healthy dump has no error"
    assert len([c for c in seen["folder"] if "could not be analyzed" in c[1]["title"]]) == 1
    hostile = "".join(message + str(properties) for _, properties, message in seen["hostile"])
    assert "\\u{202e}" in hostile and "not fit in here" in hostile, "the hostile text is there"
    print(f"github: {len(seen)} reports follow the grammar")


if __name__ == "__main__":
    main()
