#!/usr/bin/env bash
# The wait graph, drawn by Graphviz. Mermaid's is read in graph.mjs.
# needs-apt: graphviz
source "$(dirname "$0")/_plain.sh"

inputs[gallery]=fixtures/cores/gallery.core.zst
inputs[ended]=fixtures/cores/owner-ended.core.zst
for name in "${!inputs[@]}"; do
  report "$name" dot
  dot -Tsvg "$work/$name.dot" -o "$work/$name.svg" 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }
  if [ -s "$work/errors" ]; then
    echo "$name: Graphviz complains: $(cat "$work/errors")" >&2
    exit 1
  fi
  # Graphviz's own list of what it read, and the picture as XML.
  dot -Tdot_json "$work/$name.dot" >"$work/$name.graph"
  python3 - "$work/$name" <<'PYTHON'
import json, sys
from pathlib import Path
from xml.etree import ElementTree

name = Path(sys.argv[1]).name
graph = json.load(open(f"{sys.argv[1]}.graph"))
nodes = [o for o in graph["objects"] if not o["name"].startswith("cluster")]
ring = [e for e in graph.get("edges", []) if "bold" in e["style"]]
assert len(nodes) < 60, f"{name}: {len(nodes)} nodes"
svg = ElementTree.parse(f"{sys.argv[1]}.svg")
texts = [t.text or "" for t in svg.iter("{http://www.w3.org/2000/svg}text")]
expected = {
    "contended": (["4,499 threads", "g_log_mutex"], 3, 0),
    "deadlock": (["g_savings", "g_credit", "g_checking", "6 threads"], 7, 6),
    "chain": (["20 threads", "g_orders_mutex", "g_stock_mutex"], 5, 0),
    "ended": (["thread 22464, no longer in the process"], 3, 0),
    "folder": (["1 input could not be analyzed"], None, 0),
}.get(name)
if expected:
    words, count, links = expected
    for word in words:
        assert word in texts, f"{name}: {word} is not in {texts}"
    assert count in (None, len(nodes)), f"{name}: {len(nodes)} nodes"
    assert len(ring) == links, f"{name}: {len(ring)} edges of a ring"
if name == "hostile":
    assert any('"ev\\"il;=</script>"' in t for t in texts), texts
print(f"graph: {name}: {len(nodes)} nodes, {len(graph.get('edges', []))} edges, {len(ring)} in a ring")
PYTHON
done
