# Read by the scripts beside it: the inputs, and one way to run the program. LOGJAM names the program.
set -euo pipefail
LOGJAM=$(realpath "${LOGJAM:?the program to test, as a path}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH="$PWD/target/foreign/venv/bin:$PWD/target/foreign/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A folder with a good dump and one of which nothing is left but the header of a core.
mkdir "$work/dumps"
cp fixtures/gdb/self-deadlock.txt "$work/dumps/"
{
  printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0\x3e\0\x01\0\0\0'
  head -c 40 /dev/zero
} >"$work/dumps/core.cut"

# The hostile one again, with a name of 100 KB that would end what it stands in.
long=$(for _ in {1..20}; do printf 'N%.0s' {1..5000}; printf '%s' '</script>]]>"`${x}|--[[%%\'$'\u202e\u2066'; done)
hostile=$(<tests/foreign/hostile-stacks.txt)
printf '%s\n' "${hostile//@other/"$long"}" >"$work/long.txt"

declare -A inputs=(
  [contended]=fixtures/cores/logging-mutex-5000.core.zst
  [deadlock]=fixtures/cores/three-ring.core.zst
  [chain]=fixtures/cores/chained-holders.core.zst
  [crash]=fixtures/cores/crash-null.core.zst
  [healthy]=fixtures/cores/healthy-pool.core.zst
  [hostile]=tests/foreign/hostile-stacks.txt
  [long]="$work/long.txt"
  [folder]="$work/dumps"
)

# report NAME FORMAT [OPTION…]: writes $work/NAME.FORMAT. Only the folder has an input that cannot be analyzed.
report() {
  local name=$1 format=$2 code=0 expected=0
  shift 2
  [ "$name" != folder ] || expected=3
  "$LOGJAM" "${inputs[$name]}" --format "$format" -q -o "$work/$name.$format" "$@" 2>"$work/errors" || code=$?
  if [ "$code" != "$expected" ]; then
    echo "$name as $format: exit code $code, expected $expected" >&2
    cat "$work/errors" >&2
    return 1
  fi
}

# equal WHAT FOUND EXPECTED
equal() {
  if [ "$2" != "$3" ]; then
    echo "$1: found '$2', expected '$3'" >&2
    return 1
  fi
}
