#!/usr/bin/env bash
# The report in a real terminal, at 80 and 140 columns: what stands on the screen is the report, line by line,
# nothing is wrapped, it has colours, and a hostile dump moves no cursor and sets no title.
#
# needs-apt: tmux
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
: "${LOGJAM:=$PWD/target/debug/logjam}"
work=$(mktemp -d)
# A server of its own for each screen, without anybody's settings: one that is about to end takes no session.
shown=0
tmux() { command tmux -u -L "logjam-$$-$shown" -f /dev/null "$@"; }
trap 'tmux kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
fail() { echo "terminal.sh: $*" >&2; exit 1; }

printf '%s\n' \
  $'Thread 2 (Thread 0x7f01 (LWP 12) "\e]0;owned\a\e[2J\e[31mred\r\b"):' \
  '#0  0x0000000000001000 in __lll_lock_wait () from /lib/x86_64-linux-gnu/libc.so.6' \
  '#1  0x0000000000002000 in ___pthread_mutex_lock (mutex=0x5555) at ./nptl/pthread_mutex_lock.c:93' \
  $'#2  0x0000000000003000 in evil\e[10;10H\u202e\u009b2J (x=1) at \e]0;owned\a.c:3' \
  '#3  0x0000000000004000 in main () at main.c:1' '' \
  $'Thread 1 (Thread 0x7f00 (LWP 11) "tab\tname"):' \
  '#0  0x0000000000005000 in write () from /lib/x86_64-linux-gnu/libc.so.6' \
  '#1  0x0000000000004000 in main () at main.c:1' >"$work/hostile.txt"

# What the screen shows of a command, with its colours in $work/colored. The command's end is the word DONE.
screen() {
  local columns=$1
  shift
  tmux new-session -d -x "$columns" -y 200 "env -u NO_COLOR TERM=screen-256color $(printf '%q ' "$@") 2>&1; echo DONE; sleep 100"
  for _ in $(seq 200); do
    tmux capture-pane -p | grep -qx DONE && break
    sleep 0.1
  done
  tmux capture-pane -p -e >"$work/colored"
  title=$(tmux display-message -p '#{pane_title}')
  tmux capture-pane -p >"$work/plain"
  tmux kill-server
  sed '/^DONE$/,$d' "$work/plain" | sed -E 's/[0-9,]+ ms$/N ms/; s/[[:space:]]+$//'
}

for dump in fixtures/cores/logging-mutex-5000.core.zst fixtures/gdb/self-deadlock.txt fixtures/cores/healthy-pool.core.zst "$work/hostile.txt"; do
  for columns in 80 140; do
    screen "$columns" "$LOGJAM" "$dump" >"$work/screen"
    "$LOGJAM" "$dump" --width "$columns" --color never | sed -E 's/[0-9,]+ ms$/N ms/; s/[[:space:]]+$//' >"$work/report"
    grep -q . "$work/screen" || fail "$dump at $columns: an empty screen"
    diff "$work/report" "$work/screen" >&2 || fail "$dump at $columns columns: the screen shows something else"
    longest=$(wc -L <"$work/screen")
    [ "$longest" -le "$columns" ] || fail "$dump: a line of $longest characters at $columns columns"
    grep -q $'\e\[' "$work/colored" || fail "$dump at $columns: no colours in a terminal"
    [ "$title" != owned ] || fail "$dump: the dump set the title of the terminal"
    shown=$((shown + 1))
  done
done
echo "$shown screens show the report"
