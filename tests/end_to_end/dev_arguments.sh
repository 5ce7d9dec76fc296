#!/usr/bin/env bash
# ./dev and the demo look at all their arguments before they do anything: what is wrong is named with exit code 2, help is none,
# and a folder that no demo has made stays as it is.
#
# usage: dev_arguments.sh ROOT
set -euo pipefail

root=$1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
wrong=0

# Nothing may be built or installed meanwhile: the first thing that either says begins with ==.
expect() { # CODE TEXT COMMAND...
  local code=0
  "${@:3}" > "$work/output" 2>&1 || code=$?
  if ((code != $1)) || [[ $(< "$work/output") != *"$2"* ]] || grep --quiet '^==' "$work/output"; then
    printf '%s\nended with %d, not %d, or without "%s":\n' "${*:3}" "$code" "$1" "$2"
    head -5 "$work/output"
    wrong=1
  fi
}

dev=$root/dev demo=$root/examples/debtrack/demo.sh
mkdir "$work/programs" "$work/empty" "$work/other" "$work/of a demo"
for program in tenured tenure debtrack debtrack-worker; do
  printf '#!/bin/sh\n' > "$work/programs/$program"
  chmod +x "$work/programs/$program"
done
echo mine > "$work/other/notes.txt"
: > "$work/of a demo/.tenure-demo"

expect 0 'usage: ./dev' "$dev"
for command in deps build test lint format bench fuzz mutations sanitize clean; do expect 0 'usage: ./dev' "$dev" "$command" --help; done
expect 0 'usage: ./dev demo' "$dev" demo --help
expect 0 'usage: ./dev demo' "$demo" --help
for help in "$dev" "$demo"; do
  "$help" --help > "$work/help"
  if [[ $(awk 'length($0) > 80' "$work/help") ]]; then
    echo "$help --help is wider than 80 columns"
    wrong=1
  fi
done

expect 2 'no command tset' "$dev" tset
expect 2 'no preset is named relaese' "$dev" build relaese
expect 2 'no preset is named --al' "$dev" test --al
expect 2 'one preset at most' "$dev" test dev release
for command in deps format bench sanitize clean; do expect 2 "$command takes no arguments" "$dev" "$command" now; done
expect 2 'not --al' "$dev" lint --al
expect 2 'no such file' "$dev" lint none.cpp
expect 2 'one of these parsers' "$dev" fuzz none
expect 2 'a number of seconds' "$dev" fuzz json 1e9
expect 2 'no breakage rows' "$dev" mutations rows
expect 2 'takes the name of one' "$dev" mutations rows-not-synced now

expect 2 'no option --caos' "$dev" demo --caos
expect 2 '--kills wants a value' "$dev" demo --kills
expect 2 '--kills wants a number' "$dev" demo --kills many
expect 2 '--kills wants a number' "$dev" demo --chaos --kills 08
expect 2 '--seed wants a number' "$dev" demo --seed -1
expect 2 'go with --chaos' "$dev" demo --kills 3
expect 2 'go with --chaos' "$dev" demo --seed 3
expect 2 'there is no file' "$dev" demo --list "$work/none"
expect 2 'here is one word too many' "$dev" demo here
expect 2 'no demo has made it' "$dev" demo --folder "$work/other"
expect 2 'is no folder' "$dev" demo --folder "$work/other/notes.txt"
# What is typed is meant from the folder where it is typed.
expect 2 'no demo has made it' env --chdir "$work" "$dev" demo --folder other
expect 2 'no such file: none.cpp' env --chdir "$root/base" "$dev" lint none.cpp

expect 2 'the programs is missing' "$demo" --chaos
expect 2 'there is no program' "$demo" "$work/empty"
expect 2 'no demo has made it' "$demo" --folder "$work/other" "$work/programs"
expect 0 '' "$demo" --arguments --folder "$work/empty" "$work/programs"
expect 0 '' "$demo" --arguments --folder "$work/of a demo" "$work/programs"
expect 0 '' "$demo" --arguments --folder "$work/new" "$work/programs"

# Who may not install is told what to install, and not only the first command of several.
mkdir "$work/path" "$work/checkout"
cp "$dev" "$work/checkout/"
printf '#!/bin/sh\nexit 1\n' > "$work/path/dpkg-query"
for program in bash dirname; do ln -s "$(command -v "$program")" "$work/path/"; done
printf '#!/bin/sh\n' > "$work/path/apt-get"
chmod -R a+rX "$work"
chmod a+x "$work/path/"{dpkg-query,apt-get}
nobody=()
((EUID != 0)) || nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
expect 1 'apt-get install --no-install-recommends g++ cmake' "${nobody[@]}" env PATH="$work/path" bash "$work/checkout/dev" deps

[[ $(cat "$work/other/notes.txt") == mine && $(ls -A "$work/other") == notes.txt ]] || {
  echo "a folder of somebody else was changed"
  wrong=1
}
exit "$wrong"
