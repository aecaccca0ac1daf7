#!/usr/bin/env bash
# Folded stacks, made a flame graph by inferno.
# needs-cargo: inferno
# needs-apt: jq
source "$(dirname "$0")/_plain.sh"

for name in "${!inputs[@]}"; do
  report "$name" folded
  report "$name" json
  inferno-flamegraph --countname threads <"$work/$name.folded" >"$work/$name.svg" 2>"$work/errors" ||
    { cat "$work/errors" >&2; exit 1; }
  if [ -s "$work/errors" ]; then
    echo "$name: inferno complains: $(cat "$work/errors")" >&2
    exit 1
  fi
  # The root of the graph counts all threads, and the graph is XML.
  threads=$(jq '[.snapshots[].threads.total] | add' "$work/$name.json")
  shown=$(python3 - "$work/$name.svg" <<'PYTHON'
import re, sys
from xml.etree import ElementTree
titles = [e.text for e in ElementTree.parse(sys.argv[1]).iter("{http://www.w3.org/2000/svg}title")]
root = [t for t in titles if t.startswith("all (")]
print(re.search(r"\(([\d,]+) threads", root[0]).group(1).replace(",", ""))
if "logging" in open(sys.argv[1].replace(".svg", ".folded")).read():
    assert any(t.startswith("[lock-wait g_log_mutex] (4,499 threads") for t in titles), titles
PYTHON
  )
  equal "$name: threads of the flame graph" "$shown" "$threads"
  echo "folded: $name: $shown threads"
done
