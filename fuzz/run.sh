#!/bin/sh
# usage: run.sh TARGET [SECONDS] [libFuzzer options]: one target with the limits it is meant to have.
set -eu
cd "$(dirname "$0")/.."
target=$1
seconds=${2:-600}
[ $# -lt 2 ] || shift
shift
case $target in
core_reader) limits="-max_len=307200 -dict=fuzz/dictionaries/core.dict" ;;
unwinder) limits="-max_len=65536 -dict=fuzz/dictionaries/core.dict" ;;
gdb_text) limits="-max_len=65536 -dict=fuzz/dictionaries/gdb.dict" ;;
text_formats) limits="-max_len=32768 -dict=fuzz/dictionaries/text.dict" ;;
*) echo "no target $target" >&2; exit 2 ;;
esac
# shellcheck disable=SC2086
RUSTC_BOOTSTRAP=1 exec nice -n 5 cargo fuzz run "$target" -- $limits -rss_limit_mb=2048 -timeout=10 \
    -max_total_time="$seconds" -print_final_stats=1 "$@"
