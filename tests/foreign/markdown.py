#!/usr/bin/env python3
# needs-pip: cmarkgfm==2025.10.22
# needs-pip: markdown-it-py==4.3.0
# needs-pip: linkify-it-py==2.2.0
"""Reads the Markdown of reports and tickets with GitHub's own parser (cmark-gfm) and with markdown-it: real dumps, and
hostile text from the unit tests. Both parsers must see headings, lists, tables and code and nothing else: no HTML,
no link, no image; and in what is not code nothing that a tracker would turn into a mention, a reference or an emoji.

LOGJAM is the program. The hostile texts are written by `cargo test`.
"""

import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "target/foreign/venv/bin/python"
if VENV.exists() and Path(sys.prefix) != VENV.parents[1]:
    os.execv(VENV, [str(VENV), __file__, *sys.argv[1:]])

import cmarkgfm  # noqa: E402
from cmarkgfm.cmark import Options  # noqa: E402
from markdown_it import MarkdownIt  # noqa: E402

LOGJAM = os.environ.get("LOGJAM", str(ROOT / "target/debug/logjam"))
CORES = ROOT / "fixtures/cores"
TAGS = set("h2 h3 p ul ol li strong em code pre table thead tbody tr th td".split())
TOKENS = set(
    "heading_open heading_close paragraph_open paragraph_close bullet_list_open bullet_list_close ordered_list_open"
    " ordered_list_close list_item_open list_item_close strong_open strong_close em_open em_close code_inline fence"
    " table_open table_close thead_open thead_close tbody_open tbody_close tr_open tr_close th_open th_close td_open"
    " td_close inline text softbreak".split()
)
# What trackers look for in text that is not code.
TRACKER = re.compile(
    r"@\w|[#!]\d|\b(?i:gh)-\d|\b[A-Z][A-Z0-9]*-\d|\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b|:\w+:|\$|\b(?i:www)\.|://"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]"
)


class Seen(html.parser.HTMLParser):
    """What cmark-gfm made: its tags, the text outside of code, the cells of each row."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.prose, self.rows, self.items = {}, [], [], []
        self.stack = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS, f"<{tag}>"
        assert all(name in ("align", "lang", "start", "class") for name, _ in attributes), attributes
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.stack.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "li":
            self.items.append("")

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_comment(self, text):
        raise AssertionError(f"a comment: {text}")

    def handle_data(self, text):
        if "code" not in self.stack and "pre" not in self.stack:
            self.prose.append(text)
        if self.rows and {"td", "th"} & set(self.stack):
            self.rows[-1][-1] += text
        if "li" in self.stack:
            self.items[-1] += text

    def count(self, *tags):
        return sum(self.tags.get(tag, 0) for tag in tags)


def read(markdown, name):
    """What both parsers see."""
    try:
        seen = Seen(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))
        tokens = []
        for token in MarkdownIt("gfm-like", {"html": True}).parse(markdown):
            tokens += [token, *(token.children or [])]
        kinds = [token.type for token in tokens]
        assert set(kinds) <= TOKENS, set(kinds) - TOKENS
        for tag, kind in [("tr", "tr_open"), ("li", "list_item_open"), ("h3", "heading_open"), ("pre", "fence")]:
            both = (seen.count(*{"h3": ("h2", "h3")}.get(tag, (tag,))), kinds.count(kind))
            assert both[0] == both[1], f"{tag}: {both}"
        text = [t.content for t in tokens if t.type == "text"]
        for piece in text + seen.prose:
            found = TRACKER.search(piece)
            assert not found, f"{found.group()!r} in {piece[:200]!r}"
        width = 0
        for row in seen.rows:
            width = len(row) if row and row[0] == "threads" else width
            assert len(row) == width, row
        return seen
    except AssertionError as error:
        raise SystemExit(f"{name}: {error}\n{markdown[:3000]}")


def run(inputs, format, code):
    done = subprocess.run([LOGJAM, *inputs, "--format", format], capture_output=True)
    assert done.returncode == code, done
    return done.stdout.decode()


def real(name, inputs, code=0):
    """A real dump: what the parser sees is what the JSON report says."""
    report = json.loads(run(inputs, "json", code))
    seen = read(run(inputs, "markdown", code), name)
    snapshots = report["snapshots"]
    assert seen.count("h2") == 1
    gaps = sum(1 for snapshot in snapshots if snapshot["gaps"])
    failed = [i for i in report["inputs"] if i["status"] == "failed"]
    headings = len(report["findings"]) + min(len(snapshots), 3) + gaps + bool(failed)
    assert seen.count("h3") == headings, (name, seen.count("h3"), headings)
    clusters = [cluster for snapshot in snapshots[:3] for cluster in snapshot["clusters"][:10]]
    rows = [row for row in seen.rows if row[0] != "threads"]
    assert [row[0] for row in rows] == [f"{c['count']:,}" for c in clusters], name
    assert [row[2] for row in rows] == [c["state"] for c in clusters], name
    evidence = [fact["certainty"] + ": " for finding in report["findings"] for fact in finding["evidence"]]
    items = [item for item in seen.items if item.startswith(("read: ", "inferred: ", "reported: "))]
    assert len(items) == len(evidence) and all(map(str.startswith, items, evidence)), name

    tickets = [json.loads(line) for line in run(inputs, "ticket", code).splitlines()]
    assert [t["key"] for t in tickets] == [f["fingerprint"] for f in report["findings"]], name
    for ticket in tickets:
        assert len(ticket["title"]) <= 120
        assert read(ticket["body"], f"{name}: {ticket['key']}").count("table") <= 1
    return 1 + len(tickets)


def hostile():
    with tempfile.TemporaryDirectory() as folder:
        test = "report::tests::markdown::dump_for_a_foreign_parser"
        subprocess.run(
            ["cargo", "test", "--quiet", "--lib", test],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "LOGJAM_DUMP_MARKDOWN": folder},
        )
        texts = sorted(Path(folder).glob("*.md"))
        assert len(texts) > 100, f"only {len(texts)} texts"
        for text in texts:
            seen = read(text.read_text(), text.name)
            if "ticket" not in text.name:
                assert seen.count("h2") == 1 and seen.count("h3") >= 1, text.name
        return len(texts)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in ["mutex-64.core.zst", "mutex-64"]:
            Path(folder, name).symlink_to(CORES / name)
        Path(folder, "broken.core").write_bytes(b"\x7fELF and no more | <b>[x](y)</b> @octocat")
        cases = {
            name: ([CORES / f"{name}.core.zst"], 0)
            for name in ["logging-mutex-5000", "logging-spin-5000", "chained-holders", "two-mutexes-opposite-order",
                         "crash-null", "healthy-pool", "gallery-cxx", "gallery-rust", "stack-overflow"]
        }
        cases["gdb"] = ([ROOT / "fixtures/gdb/logging-mutex-5000.txt.zst"], 0)
        cases["several"] = ([CORES / "crash-null.core.zst", ROOT / "fixtures/gdb/crash-null-full.txt"], 0)
        cases["a folder with a broken dump"] = ([Path(folder)], 3)
        count = sum(real(name, *case) for name, case in cases.items())
    print(f"markdown: {count} texts of {len(cases)} real inputs and {hostile()} hostile texts: both parsers agree")


if __name__ == "__main__":
    main()
