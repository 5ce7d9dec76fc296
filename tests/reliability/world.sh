# An application with eight tenants, two clients and a tenured with two worker processes, for the scripts beside it, which source
# this file first. They set `programs` (a folder) and `seed`; what there is lies in `work`.
# shellcheck shell=bash disable=SC2154,SC2034 # what they say and read

work=$(mktemp -d "${TMPDIR:-/tmp}/tenure-world.XXXXXX")
daemon='' client_pids=('' '') client_lives=(0 0)

kill_all() {
  local pid
  for pid in "${client_pids[@]}" "$daemon"; do
    [[ -z $pid ]] || kill -KILL "$pid" 2> /dev/null || true
  done
  wait 2> /dev/null || true
  client_pids=('' '') daemon=''
}
# TENURE_KEEP_WORLD=yes leaves it to be looked at.
leave_world() {
  kill_all
  if mountpoint -q "$work/tenants"; then umount "$work/tenants"; fi
  [[ ${TENURE_KEEP_WORLD:-no} == yes ]] || rm -rf --one-file-system -- "$work"
}
trap leave_world EXIT

cannot_run() {
  echo "not run here: $(basename "$0" .sh): $*" >&2
  exit 125
}

# The value of LD_PRELOAD for a library of ours: the run time of a sanitizer, where the programs have one, wants to be the first of all.
preload_of() { # LIBRARY
  local runtime
  runtime=$(ldd "$programs/tenured" | awk '$1 ~ /^lib[at]san/ { print $3 }')
  printf '%s' "${runtime:+$runtime }$1"
}

require_programs() {
  local program
  for program in tenured tenure kill_load kill_worker; do
    [[ -x $programs/$program ]] || cannot_run "$programs/$program has not been built"
  done
}

# What was asked for did not happen, so nothing is proved.
hit_nothing() {
  echo "${0##*/}: $*, seed=$seed" >&2
  tail -n 3 "$work"/*.log >&2
  exit 123
}

tenure() { "$programs/tenure" --config "$work/tenure.toml" "$@"; }
# Exit code 75 is "ask again": the store was written to while it was looked at, or a daemon that was killed has left its log.
count() {
  local answer code tries
  for ((tries = 0; ; tries++)); do
    code=0
    answer=$(tenure job count "$@" --json 2> "$work/asked") || code=$?
    ((code == 75 && tries < 100)) || break
    sleep 0.1
  done
  ((code == 0)) || { cat "$work/asked" >&2; return "$code"; }
  sed -n 's/.*"count": *\([0-9]*\).*/\1/p' <<< "$answer"
}

new_world() { # [PREPARE: called where it exists, before the first tenant is made]
  rm -rf "${work:?}"/*
  if [[ $(type -t "${1:-}") == function ]]; then "$1"; fi
  mkdir "$work/migrations"
  cat > "$work/migrations/0001_effect.sql" << 'SQL'
create table effect (number integer primary key, id text not null, tenant text not null);
create table follow_up (number integer primary key, id text not null);
create table asked (id text primary key);
SQL
  cat > "$work/tenure.toml" << TOML
[application]
name = "reliability"
[store]
path = "$work/control.db"
[tenants]
path = "$work/tenants/%{tenant}/data.db"
migrations = "$work/migrations"
[[pool]]
name = "all"
program = "$programs/kill_worker"
processes = 2
slots = 4
queues = ["default"]
TOML
  chmod 644 "$work/tenure.toml"
  : > "$work/record"
  client_lives=(0 0)
  tenure tenant create tenant-{0..7} > /dev/null
}

start_daemon() {
  "$programs/tenured" --config "$work/tenure.toml" 2>> "$work/tenured.log" &
  daemon=$!
}

start_client() { # NUMBER
  client_lives[$1]=$((client_lives[$1] + 1))
  "$programs/kill_load" enqueue "$work/tenure.toml" "$work/record" "client-$1" "${client_lives[$1]}" \
    2>> "$work/client.log" &
  client_pids[$1]=$!
}

worker_pids() { pgrep -P "$daemon" -x kill_worker || true; }

# Waits, with a bound, until the condition holds.
await() { # WHAT COMMAND...
  local what=$1 tries
  shift
  for ((tries = 0; tries < 3000; tries++)); do
    if "$@"; then return; fi
    sleep 0.01
  done
  hit_nothing "waited 30 s for $what"
}

record_has_grown() { (($(stat -c %s "$work/record") > $1)); }
has_workers() { (($(worker_pids | wc -l) == 2)); }

# Rows of outboxes that are no jobs yet; a file that is busy counts as one.
waiting_in_outboxes() {
  local tenant seen rows sum=0
  for tenant in tenant-{0..7}; do
    seen=$(look_into "$work/control.db" \
      "select ifnull(max(seq), 0) from outbox_seen join tenant on number = tenant where name = '$tenant'") &&
      rows=$(look_into "$work/tenants/$tenant/data.db" "select count(*) from tenure_outbox where seq > $seen") || rows=1
    sum=$((sum + rows))
  done
  echo "$sum"
}
look_into() { sqlite3 -cmd '.timeout 5000' "file:$1?mode=ro" "$2" 2> "$work/looked"; } # FILE SQL

# Until no job waits or runs, or nothing has ended for 30 s.
wait_until_quiet() {
  local open last=-1 still=0
  while true; do
    open=$(count state=scheduled,ready,held,running,blocked)
    [[ ${KILL_OUTBOXES:-no} != yes ]] || open=$((open + $(waiting_in_outboxes)))
    ((open > 0)) || return 0
    still=$((open == last ? still + 1 : 0))
    last=$open
    ((still < 100)) || return 0
    sleep 0.3
  done
}

# Until only what a trouble holds back is left: nothing has ended for a second.
wait_until_others_are_done() {
  local ended last=-1 still=0 tries
  for ((tries = 0; still < 4 && tries < 100; tries++)); do
    ended=$(count state=succeeded)
    still=$((ended == last ? still + 1 : 0))
    last=$ended
    sleep 0.25
  done
}

stop_daemon() {
  kill -TERM "$daemon"
  local code=0
  wait "$daemon" || code=$?
  daemon=''
  ((code == 0)) || hit_nothing "tenured ended with $code"
}

# Compares the effects with what the clients tried and were promised.
check() { # RECORD
  "$programs/kill_load" check "$work/tenure.toml" "$1" > "$work/verdict" 2> "$work/complaints"
}

# The record as if nothing had been promised after it had that size; what was tried stays.
record_with_promises_to() { # SIZE
  LC_ALL=C awk -v size="$1" '{ end += length($0) + 1 } end <= size || /^\+/' "$work/record"
}

kill_clients() {
  local pid
  for pid in "${client_pids[@]}"; do
    [[ -n $pid ]] || continue
    kill -KILL "$pid"
    wait "$pid" 2> /dev/null || true
  done
  client_pids=('' '')
}
