#!/bin/sh
# debugger_test.sh PROGRAM: runs the tests that need gdb, where there is one that may trace.
set -eu
if ! command -v gdb >/dev/null; then
  echo "not run here: replays in a debugger, which need gdb"
  exit 125
fi
if ! gdb -q -nx -batch -ex run --args /bin/true 2>&1 | grep -q "exited normally"; then
  echo "not run here: replays in a debugger, since gdb may trace no process"
  exit 125
fi
exec "$1"
