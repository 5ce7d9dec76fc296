#!/usr/bin/env bash
# The demo asks again where `tenure` says so by exit code 75, as it does for a moment after a kill of tenured, and ends with
# what it says where it ends otherwise. The programs are stand-ins: one package, whose counts are known.
#
# usage: demo_asks_again.sh ROOT
set -euo pipefail

demo=$1/examples/debtrack/demo.sh
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/programs"

program() { # NAME, its text on standard input
  { echo '#!/usr/bin/env bash'; cat; } > "$work/programs/$1"
  chmod +x "$work/programs/$1"
}
program tenured << 'TEXT'
trap 'kill "$!"; exit 0' TERM
tail -f /dev/null &
wait
TEXT
program debtrack-worker < /dev/null
program debtrack << 'TEXT'
[[ $1 != counts ]] || printf '1\tSomebody <s@example.org>\n'
TEXT
# The first question is answered with the code in the file.
program tenure << 'TEXT'
folder=$(dirname -- "$0")
[[ $* == *count* ]] || exit 0
echo "$*" >> "$folder/asked"
(($(wc -l < "$folder/asked") > 1)) || { echo '{"error": "the first answer"}' >&2; exit "$(< "$folder/code")"; }
[[ $* == *succeeded* ]] && echo '{"count": 1}' || echo '{"count": 0}'
TEXT
printf 'Package: a\nVersion: 1\nMaintainer: Somebody <s@example.org>\n\n' > "$work/list"

run() { # CODE of the first answer
  echo "$1" > "$work/programs/code"
  rm -f "$work/programs/asked"
  "$demo" --list "$work/list" --folder "$work/demo" "$work/programs" > "$work/output" 2>&1
}
says() { # TEXT that the demo's output holds
  grep --quiet "$1" "$work/output" || { printf 'there is no "%s" in:\n' "$1"; cat "$work/output"; exit 1; }
}
run 75 || true
says 'all is well'
run 69 || true
says 'ended with 69.*the first answer'
