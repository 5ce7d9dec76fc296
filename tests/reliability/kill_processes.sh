#!/usr/bin/env bash
# Kills clients, worker processes and tenured with SIGKILL while jobs are enqueued and performed, again and again, and counts
# what was promised and is gone, or was done twice.
#
# Two clients enqueue from four threads each and record what they try and what they were promised (kill_load.cpp); a client that
# takes the place of a killed one enqueues what was not promised once more, under the same ids. Each job writes its id into its
# tenant's database by `once`, and enqueues a job there, which writes the id once more; one enqueue in four is made in a transaction of the
# tenant's database, beside a row. At the end nothing is killed any more, all jobs end, and the effects are compared with the record.
#
# usage: kill_processes.sh [--clients N] [--workers N] [--daemons N] [--control-workers N] [--seed N] [--programs FOLDER]
#   --clients, --workers, --daemons  how many of each are killed (10 each)
#   --control-workers                before that, with effects that leave no mark: so many workers are killed, and one job must have
#                                    been done twice, else this script proves nothing (10; 0: no control run)
#   --seed                           of the victims and moments
#   --programs                       where tenured, tenure, kill_load and kill_worker are (build/release/bin)
#
# Exit: 0 good; 1 promises were broken; 123 a kill that was asked for hit nothing; 125 it cannot run here.
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/reliability/world.sh
. "$root/tests/reliability/world.sh"
export KILL_OUTBOXES=yes
clients=10 workers=10 daemons=10 control_workers=10 seed=$RANDOM programs=$root/build/release/bin

while (($# > 0)); do
  case $1 in
    --clients) clients=$2 ;;
    --workers) workers=$2 ;;
    --daemons) daemons=$2 ;;
    --control-workers) control_workers=$2 ;;
    --seed) seed=$2 ;;
    --programs) programs=$2 ;;
    *) cannot_run "unknown option $1" ;;
  esac
  shift 2 || cannot_run "an option without its value"
done
require_programs
RANDOM=$seed

# Everybody is at work, and has been for a random while.
settle_in() {
  await 'two worker processes' has_workers
  await 'a promise' record_has_grown "$(stat -c %s "$work/record")"
  sleep "0.$(printf '%02d' $((RANDOM % 25 + 1)))"
}

end_by_kill() { # PID WHO
  kill -KILL "$1" || hit_nothing "$2 was not there to be killed"
  local code=0
  wait "$1" 2> /dev/null || code=$?
  ((code == 137)) || hit_nothing "$2 was to be killed and ended with $code"
}

kill_client() {
  local number=$((RANDOM % 2))
  end_by_kill "${client_pids[$number]}" "client $number"
  start_client "$number"
}

kill_daemon() {
  end_by_kill "$daemon" tenured
  start_daemon
}

kill_worker() {
  local pids
  mapfile -t pids < <(worker_pids)
  kill -KILL "${pids[RANDOM % ${#pids[@]}]}" || hit_nothing "a worker process was not there to be killed"
}

# Everybody at work; the kills in random order; then quiet until every job has ended.
run() { # CLIENTS WORKERS DAEMONS
  local left=("$1" "$2" "$3") verbs=(kill_client kill_worker kill_daemon) total=$(($1 + $2 + $3)) victim
  start_daemon
  start_client 0
  start_client 1
  for (( ; total > 0; total--)); do
    victim=$((RANDOM % total))
    if ((victim < left[0])); then victim=0; elif ((victim < left[0] + left[1])); then victim=1; else victim=2; fi
    left[victim]=$((left[victim] - 1))
    settle_in
    ${verbs[victim]}
  done
  settle_in
  local pid
  for pid in "${client_pids[@]}"; do end_by_kill "$pid" "a client"; done
  client_pids=('' '')
  wait_until_quiet
}

if ((control_workers > 0)); then
  new_world ""
  export KILL_WORKER_ONCE=no
  run 0 "$control_workers" 0
  stop_daemon
  unset KILL_WORKER_ONCE
  check "$work/record" || true
  echo "control: $(< "$work/verdict") | faults worker-kill=$control_workers seed=$seed"
  if grep -q ' duplicated=0 ' "$work/verdict"; then
    echo "kill_processes: the control run did nothing twice, so the kills of this script do not hit" >&2
    exit 123
  fi
fi

new_world ""
run "$clients" "$workers" "$daemons"
stuck=$(count state=scheduled,ready,held,running,blocked)
dead=$(count state=dead,discarded,cancelled)
stop_daemon
status=0
check "$work/record" || status=1
cat "$work/complaints" >&2
echo "$(< "$work/verdict") stuck=$stuck dead=$dead |" \
  "faults client-kill=$clients worker-kill=$workers daemon-kill=$daemons seed=$seed"
((stuck + dead == 0)) || status=1
exit "$status"
