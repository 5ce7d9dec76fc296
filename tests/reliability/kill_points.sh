#!/usr/bin/env bash
# Kills processes with SIGKILL at their nth write, sync, truncation, rename or removal of a file of the control database and of tenants
# (kill_point.c), for n from a seeded random, again and again, and looks at what is left each time (LSE-07).
#
# Of each three points two are those of clients and the third that of whoever performs: in turns a worker program that was started by hand, tenured,
# and a worker process of tenured; now and then a `tenure tenant create` and a `tenure store backup` besides, which rename. After each,
# `tenure doctor` must find each job in one state and nothing else wrong. After a hundred, all jobs end in peace, the effects are compared with what the
# clients recorded (kill_load.cpp), and the next world begins. A job that became dead because it was performing alone each time is
# retried then, as an operator would: it must end, too, and its effect is there once. Each effect has enqueued a job in its step (`once`),
# whose own effect must be there once, too, and some of the clients' jobs are enqueued in transactions of tenants' databases (RUN-01).
#
# With --verbs those are killed instead who make, adopt, migrate, delete, take back, erase, copy, restore and clone tenants (kill_verbs.sh).
#
# usage: kill_points.sh [--points N | --verbs N|all] [--seed N] [--programs FOLDER]
#   --points    how many kills (200)
#   --verbs     of each verb so many points, or each there is
#   --seed      of the victims and their points
#   --programs  where tenured, tenure, kill_load, kill_worker and kill_point.so are (build/release/bin)
#
# Exit: 0 good; 1 promises were broken; 123 a kill that was asked for hit nothing; 125 it cannot run here.
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/reliability/world.sh
. "$root/tests/reliability/world.sh"
export KILL_OUTBOXES=yes
points=200 verbs='' seed=$RANDOM programs=$root/build/release/bin
readonly POINTS_OF_A_WORLD=100 CALLS_OF_CLIENT=300 CALLS_OF_PERFORMER=250 CALLS_OF_COMMAND=60

while (($# > 0)); do
  case $1 in
    --points) points=$2 ;;
    --verbs) verbs=$2 ;;
    --seed) seed=$2 ;;
    --programs) programs=$2 ;;
    *) cannot_run "unknown option $1" ;;
  esac
  shift 2 || cannot_run "an option without its value"
done
if [[ -n $verbs ]]; then
  leave_world
  exec "$root/tests/reliability/kill_verbs.sh" --points "$verbs" --seed "$seed" --programs "$programs"
fi
require_programs
[[ -f $programs/kill_point.so ]] || cannot_run "$programs/kill_point.so has not been built"
RANDOM=$seed
# The shell tells of each process that was killed; what else is said comes at the end.
noise=$(mktemp)
exec 3>&2 2> "$noise"
trap 'leave_world; grep -Ev "line [0-9]+: +[0-9]+ Killed " "$noise" >&3 || true; rm "$noise"' EXIT

done_points=0 performers=0 retried=0 tenants=8
declare -A hits=([write]=0 [sync]=0 [truncate]=0 [rename]=0 [remove]=0)
declare -A sums=([acknowledged]=0 [lost]=0 [unexpected]=0 [duplicated]=0 [wrong-tenant]=0)

# The variables by which the first process of PROGRAM is killed at one of its calls.
kill_point=()
set_kill_point() { # TOKEN PROGRAM CALLS_MAX
  rm -f "$work/$1"
  kill_point=(LD_PRELOAD="$(preload_of "$programs/kill_point.so")" KILL_POINT_FILES="$work/" KILL_POINT_PROGRAM="$2"
    KILL_POINT_NUMBER=$((RANDOM % $3 + 1)) KILL_POINT_TOKEN="$work/$1")
}

count_hit() { # TOKEN
  local call
  call=$(< "$work/$1")
  hits[$call]=$((hits[$call] + 1))
  done_points=$((done_points + 1))
}

fail() {
  echo "kill_points: after point $done_points: $*, seed=$seed" >&2
  exit 1
}

has_token() { [[ -s $work/$1 ]]; }

end_by_kill_point() { # PID WHAT
  local code=0
  wait "$1" 2> /dev/null || code=$?
  ((code == 137)) || hit_nothing "$2 was to be killed and ended with $code"
}

start_victim_client() { # NUMBER
  client_lives[$1]=$((client_lives[$1] + 1))
  set_kill_point "client-$1" kill_load "$CALLS_OF_CLIENT"
  env "${kill_point[@]}" "$programs/kill_load" enqueue "$work/tenure.toml" "$work/record" "client-$1" "${client_lives[$1]}" \
    2>> "$work/client.log" &
  client_pids[$1]=$!
}

# Two clients are killed while somebody performs, who is killed at a point of his own.
kill_all_three() {
  local program=kill_worker performer=$programs/kill_worker client
  ((performers % 3 == 0)) || performer=$programs/tenured
  ((performers % 3 != 1)) || program=tenured
  start_victim_client 0
  start_victim_client 1
  set_kill_point performer "$program" "$CALLS_OF_PERFORMER"
  env "${kill_point[@]}" "$performer" --config "$work/tenure.toml" 2>> "$work/tenured.log" &
  daemon=$!
  for client in 0 1; do
    await 'a client to be killed' has_token "client-$client"
    end_by_kill_point "${client_pids[$client]}" "client $client"
    client_pids[client]=''
    count_hit "client-$client"
  done
  if ! has_token performer; then
    # Work for as long as it takes, from a client that nobody kills.
    start_client 1
    await 'the performer to be killed' has_token performer
    kill_clients
  fi
  if ((performers % 3 == 2)); then stop_daemon; else end_by_kill_point "$daemon" "$program"; fi
  daemon=''
  performers=$((performers + 1))
  count_hit performer
}

# Counts the kill where the command was killed.
run_command() { # WORDS OF TENURE...
  set_kill_point command tenure "$CALLS_OF_COMMAND"
  if env "${kill_point[@]}" "$programs/tenure" --config "$work/tenure.toml" "$@" > "$work/said" 2>&1; then return 0; fi
  has_token command || fail "$* failed without a kill: $(< "$work/said")"
  count_hit command
  return 1
}

# A tenant that was being created is whole when it is asked for once more; a copy is whole or not there.
kill_commands() {
  local name=extra-$tenants copy=$work/copy.db
  tenants=$((tenants + 1))
  run_command tenant create "$name" || tenure tenant create "$name" > "$work/said" 2>&1 ||
    grep -q TenantExists "$work/said" || fail "$(< "$work/said")"
  rm -f "$copy" "$copy".partial*
  run_command store backup "$copy" || true
  [[ ! -e $copy ]] || tenure store check --store "$copy" --offline > "$work/said" 2>&1 || fail "the copy: $(< "$work/said")"
}

# Claims without a holder are what a kill leaves; the next start takes them back. Who was killed at the very end of the last close leaves a log
# without its index, which whoever only looks leaves to who writes.
look() {
  if [[ -e $work/control.db-wal && ! -e $work/control.db-shm ]]; then
    start_daemon
    await 'the store to be opened' test -e "$work/control.db-shm"
    stop_daemon
  fi
  tenure store doctor store places audit tenants stamps > "$work/found" 2>&1 || fail "$(grep FAIL "$work/found")"
}

let_all_end() {
  local dead name value
  start_daemon
  wait_until_quiet
  dead=$(count state=dead reason=poison)
  if ((dead > 0)); then
    tenure job retry state=dead reason=poison --yes > /dev/null 2>&1
    retried=$((retried + dead))
    wait_until_quiet
  fi
  (($(count state=scheduled,ready,held,running,blocked,dead,discarded,cancelled) == 0)) || fail "jobs are left that have not ended well"
  stop_daemon
  tenure store check > "$work/found" 2>&1 || fail "$(grep FAIL "$work/found")"
  check "$work/record" || { cat "$work/complaints" >&2; fail "$(< "$work/verdict")"; }
  while IFS='=' read -r name value; do
    [[ -z ${sums[$name]:-} ]] || sums[$name]=$((sums[$name] + value))
  done < <(tr ' ' '\n' < "$work/verdict")
}

while ((done_points < points)); do
  new_world ""
  end_of_world=$((done_points + POINTS_OF_A_WORLD))
  while ((done_points < points && done_points < end_of_world)); do
    kill_all_three
    look
    if ((performers % 5 == 0)); then
      kill_commands
      look
    fi
  done
  let_all_end
  echo "points=$done_points $(< "$work/verdict")"
done
echo "points=$done_points acknowledged=${sums[acknowledged]} lost=${sums[lost]} unexpected=${sums[unexpected]}" \
  "duplicated=${sums[duplicated]} wrong-tenant=${sums[wrong-tenant]} retried-after-poison=$retried |" \
  "at write=${hits[write]} sync=${hits[sync]} truncate=${hits[truncate]} rename=${hits[rename]} remove=${hits[remove]} seed=$seed"
