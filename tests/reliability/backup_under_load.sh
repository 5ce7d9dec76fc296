#!/usr/bin/env bash
# Copies the control database again and again while two applications enqueue and a daemon performs, then puts each copy in its place
# beside the tenants' files as they are by then, and starts a daemon on it (CLI-08).
#
# Each job writes its id into its tenant's database by `once`. Of each copy: every job that was acknowledged before the copy was begun is
# in it, all its jobs end, and every effect is there exactly once, also of jobs that had ended before the copy was put back.
#
# usage: backup_under_load.sh [--copies N] [--control yes|no] [--programs FOLDER]
#   --copies    how many (4)
#   --control   at the end, with effects that leave no mark: the last copy is put back once more, and one job must be done twice, else
#               this script proves nothing (yes)
#   --programs  where tenured, tenure, kill_load and kill_worker are (build/release/bin)
#
# Exit: 0 good; 1 a promise was broken; 123 nothing was in a copy that could go wrong; 125 it cannot run here.
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/reliability/world.sh
. "$root/tests/reliability/world.sh"
copies=4 control=yes programs=$root/build/release/bin seed=0
readonly GROWN_BY=20000 # bytes of the record between two copies: some hundred promises

while (($# > 0)); do
  case $1 in
    --copies) copies=$2 ;;
    --control) control=$2 ;;
    --programs) programs=$2 ;;
    *) cannot_run "unknown option $1" ;;
  esac
  shift 2 || cannot_run "an option without its value"
done
require_programs

record_size() { stat -c %s "$work/record"; }
copy_of() { echo "$work/copies/$1.db"; }

promised=() waiting=0 meanwhile=0
take_copies() {
  local number before
  mkdir "$work/copies"
  for ((number = 1; number <= copies; number++)); do
    await 'promises' record_has_grown $(($(record_size) + GROWN_BY))
    before=$(record_size)
    tenure store backup "$(copy_of "$number")" > /dev/null
    promised[number]=$before
    meanwhile=$((meanwhile + $(record_size) - before))
    waiting=$((waiting + $(count --store "$(copy_of "$number")" --offline --quiet state=scheduled,ready,held,running,blocked)))
  done
}

put_back() { # NUMBER
  rm -f "$work"/control.db "$work"/control.db-wal "$work"/control.db-shm
  cp "$(copy_of "$1")" "$work/control.db"
  chmod 660 "$work/control.db"
  start_daemon
  wait_until_quiet
}

# What the record up to SIZE promised, and the store lacks.
missing() { # SIZE
  comm -13 <(tenure job export --quiet | sed -E 's/^[^}]*"id": *"([0-9a-f-]*)".*/\1/' | sort) \
    <(head -c "$1" "$work/record" | sed -n 's/^=[^ ]* \([^ ]*\) .*/\1/p' | sort) | wc -l
}

broken=0
judge_copy() { # NUMBER
  local stuck dead missing
  put_back "$1"
  stuck=$(count state=scheduled,ready,held,running,blocked)
  dead=$(count state=dead,discarded,cancelled)
  missing=$(missing "${promised[$1]}")
  stop_daemon
  record_with_promises_to "${promised[$1]}" > "$work/record-of-copy"
  check "$work/record-of-copy" || broken=$((broken + 1))
  cat "$work/complaints" >&2
  echo "copy=$1 missing=$missing stuck=$stuck dead=$dead | $(< "$work/verdict")"
  ((missing + stuck + dead == 0)) || broken=$((broken + 1))
}

new_world ""
start_daemon
start_client 0
start_client 1
await 'two worker processes' has_workers
take_copies
kill_clients
wait_until_quiet
stop_daemon
check "$work/record" || { cat "$work/complaints" >&2; exit 1; }
echo "load: $(< "$work/verdict") | waiting in the copies=$waiting, bytes of the record written while they were made=$meanwhile"
((waiting > 0 && meanwhile > 0)) || hit_nothing "no copy was made under load"

for ((number = 1; number <= copies; number++)); do judge_copy "$number"; done

if [[ $control == yes ]]; then
  export KILL_WORKER_ONCE=no
  put_back "$copies"
  stop_daemon
  unset KILL_WORKER_ONCE
  check "$work/record" || true
  echo "control: $(< "$work/verdict")"
  ! grep -q ' duplicated=0 ' "$work/verdict" || hit_nothing "without marks nothing was done twice, so nothing ran again"
fi
((broken == 0))
