#!/usr/bin/env bash
# Kills whoever makes, adopts, migrates, deletes, takes back, erases, copies, restores and clones a tenant with SIGKILL at its nth write,
# sync, truncation, rename or removal of a file (kill_point.c), for n = 1, 2, 3 ... until the verb comes to its end untouched. Each time
# the same command must go on from there, or say that all is done; behind it the tenant is there whole with the row that it had, or gone
# with its row in the graveyard, nothing lies in .building/, and `tenure doctor` finds nothing wrong. A deleted tenant is erased by
# tenured, which is killed at its calls.
#
# usage: kill_verbs.sh [--points N|all] [--verbs "NAME..."] [--seed N] [--programs FOLDER]
#   --points    of each verb so many, drawn by the seed, or all (all)
#   --verbs     of create adopt migrate delete undelete erase backup restore clone (all of them)
#   --programs  where tenured, tenure and kill_point.so are (build/release/bin)
#
# Exit: 0 good; 1 promises were broken; 123 a kill that was asked for hit nothing; 125 it cannot run here.
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/reliability/world.sh
. "$root/tests/reliability/world.sh"
points=all seed=$RANDOM programs=$root/build/release/bin
verbs='create adopt migrate delete undelete erase backup restore clone'
readonly CALLS_MAX=2000 CALLS_DRAWN=24

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
require_programs
[[ -f $programs/kill_point.so ]] || cannot_run "$programs/kill_point.so has not been built"
command -v sqlite3 > /dev/null || cannot_run "there is no sqlite3"
RANDOM=$seed
noise=$(mktemp)
exec 3>&2 2> "$noise"
trap 'leave_world; grep -Ev "line [0-9]+: +[0-9]+ Killed " "$noise" >&3 || true; rm "$noise"' EXIT

declare -A hits=() kills_of=()
attempted=0 acknowledged=0 lost=0 unexpected=0 stuck=0 foreign=0 number=0 name=''

tenant_file() { echo "$work/tenants/$1/data.db"; }
buried_file() { find "$work" -path "*/.graveyard/$1.$2.db"; }

broken() { # WORD OF THE VERDICT, WHAT
  printf -v "$1" '%d' "$((${!1} + 1))"
  echo "kill_verbs: $verb at call $call: $2" >&3
}

# Nobody has it open.
marker_in() { sqlite3 "$1" "select group_concat(id || '=' || tenant) from effect" 2>> "$work/looked"; }
expect_row() { # FILE TENANT WHOSE ROW IT IS
  local found
  found=$(marker_in "$1") || found='unreadable'
  [[ $found == "kept=$2" ]] || broken lost "$1 holds ${found:-nothing} and not the row of $2"
}
expect_stamp() { # TENANT GENERATION
  local found
  found=$(sqlite3 "$(tenant_file "$1")" "select tenant || ' ' || generation || ' ' || state from tenure_stamp" 2>> "$work/looked") || true
  [[ $found == "$1 $2 2" ]] || broken foreign "the stamp of $1 says '$found'"
}
expect_gone() { # FILE
  [[ ! -e $1 && ! -e $1-wal && ! -e $1-shm ]] || broken unexpected "$1 is there"
}

# Runs the command behind a kill: it ends well, or says by one of the words that all was done.
go_on() { # WORDS THAT ARE GOOD TOO, THE COMMAND...
  local good=$1
  shift
  attempted=$((attempted + 1))
  if tenure "$@" > "$work/said" 2>&1; then
    acknowledged=$((acknowledged + 1))
  elif [[ -z $good ]] || ! grep -Eq "$good" "$work/said"; then
    broken stuck "$*: $(tail -n 2 "$work/said")"
  fi
}
must() { tenure "$@" > "$work/said" 2>&1 || { echo "kill_verbs: $verb: $*: $(tail -n 2 "$work/said")" >&3; exit 1; }; }

look() {
  local left
  tenure store doctor store places audit tenants stamps > "$work/found" 2>&1 || broken stuck "$(grep FAIL "$work/found" | head -n 3)"
  left=$(find "$work" -path '*/.building/*' -name "$name*")
  [[ -z $left ]] || broken unexpected "$left lies there"
}

a_name() {
  number=$((number + 1))
  name=$verb-$number
}
new_clone() {
  a_name
  must tenant clone source "$name"
}
# Where the migrations have one step more.
with_newer() { [[ -e $work/migrations/0002_note.sql ]] || echo 'alter table effect add column note text;' > "$work/migrations/0002_note.sql"; }
without_newer() { rm -f "$work/migrations/0002_note.sql"; }

# --- Of each verb: what is there before, the command that is killed, and what is there behind the one that goes on.

before_create() { a_name; }
command_of_create() { command=(tenant create "$name"); }
behind_create() {
  go_on TenantExists "${command[@]}"
  expect_stamp "$name" 1
}

before_adopt() {
  a_name
  mkdir -p "$work/tenants/$name"
  { cat "$work/migrations/0001_effect.sql"; echo "insert into effect values (1, 'kept', '$name');"; } | sqlite3 "$(tenant_file "$name")"
}
command_of_adopt() { command=(tenant adopt "$name"); }
behind_adopt() {
  go_on '' "${command[@]}"
  expect_stamp "$name" 1
  expect_row "$(tenant_file "$name")" "$name"
}

before_migrate() {
  without_newer
  new_clone
  with_newer
}
command_of_migrate() { command=(tenant migrate "name=$name"); }
behind_migrate() {
  go_on '' "${command[@]}"
  expect_stamp "$name" 1
  expect_row "$(tenant_file "$name")" source
  sqlite3 "$(tenant_file "$name")" 'select note from effect' > /dev/null 2>> "$work/looked" || broken lost "$name was not migrated"
  without_newer
  must tenant delete "$name" --confirm "$name"
}

before_delete() { new_clone; }
command_of_delete() { command=(tenant delete "$name" --confirm "$name"); }
behind_delete() {
  go_on TenantDeleted "${command[@]}"
  expect_gone "$(tenant_file "$name")"
  expect_row "$(buried_file "$name" 1)" source
}

before_undelete() {
  new_clone
  must tenant delete "$name" --confirm "$name"
}
command_of_undelete() { command=(tenant undelete "$name"); }
behind_undelete() {
  go_on 'TenantExists|RecordNotFound|StateChanged' "${command[@]}"
  expect_stamp "$name" 2
  expect_row "$(tenant_file "$name")" source
}

before_backup() {
  a_name
  copy=$work/$name.db
}
command_of_backup() { command=(tenant backup source "$copy"); }
behind_backup() {
  [[ ! -e $copy ]] || expect_row "$copy" source
  rm -f "$copy" "$copy".partial*
  go_on '' "${command[@]}"
  expect_row "$copy" source
  rm -f "$copy"
}

before_restore() {
  new_clone
  sqlite3 "$(tenant_file "$name")" "update effect set id = 'since'"
  must tenant backup source "$work/restored.db"
  sqlite3 "$work/restored.db" "update tenure_stamp set tenant = '$name'"
}
command_of_restore() { command=(tenant restore "$name" "$work/restored.db" --yes); }
# Said again behind its end, it puts the copy in place of what it has put there.
behind_restore() {
  local state
  state=$(sqlite3 "$work/control.db" "select state from tenant where name = '$name' and generation = 2")
  if [[ $state == 2 ]]; then
    go_on TenantExists tenant create "$name" # whoever locks the name next removes what a kill behind the end has left of the lock
  else
    go_on '' "${command[@]}"
  fi
  expect_stamp "$name" 2
  expect_row "$(tenant_file "$name")" source
  [[ $(marker_in "$(buried_file "$name" 1)") == since=source ]] || broken lost "what $name was before is not in the graveyard"
  rm -f "$work"/restored.db*
}

before_clone() { a_name; }
command_of_clone() { command=(tenant clone source "$name"); }
behind_clone() {
  go_on TenantExists "${command[@]}"
  expect_stamp "$name" 1
  expect_row "$(tenant_file "$name")" source
}

before_erase() {
  new_clone
  must tenant delete "$name" --confirm "$name"
  sqlite3 "$work/control.db" 'update tenant_deletion set erase_us = 1 where step = 2'
}
is_erased() { [[ -z $(buried_file "$name" 1) ]] && ! tenure tenant graveyard 2> /dev/null | grep -q "^$name "; }
is_erased_or_over() { ! kill -0 "$daemon" 2> /dev/null || is_erased; }
behind_erase() {
  start_daemon
  await "$name to be erased" is_erased
  attempted=$((attempted + 1)) acknowledged=$((acknowledged + 1))
  stop_daemon
}

# --- One point: 0 where the process was killed, 1 where it came to its end before that.

kill_point=()
set_kill_point() { # PROGRAM NUMBER
  rm -f "$work/token"
  kill_point=(LD_PRELOAD="$(preload_of "$programs/kill_point.so")" KILL_POINT_FILES="$work/" KILL_POINT_PROGRAM="$1"
    KILL_POINT_NUMBER="$2" KILL_POINT_TOKEN="$work/token")
}
count_hit() {
  local of
  of=$(< "$work/token")
  hits[$of]=$((${hits[$of]:-0} + 1))
  kills_of[$verb]=$((${kills_of[$verb]:-0} + 1))
}

run_to_point() {
  local code=0
  if [[ $verb == erase ]]; then
    set_kill_point tenured "$call"
    env "${kill_point[@]}" "$programs/tenured" --config "$work/tenure.toml" 2>> "$work/tenured.log" &
    daemon=$!
    await "$name to be erased, or a kill" is_erased_or_over
    kill -TERM "$daemon" 2> /dev/null || true # its last close has calls, too
    wait "$daemon" 2> /dev/null || code=$?
    daemon=''
  else
    set_kill_point tenure "$call"
    "command_of_$verb"
    attempted=$((attempted + 1))
    env "${kill_point[@]}" "$programs/tenure" --config "$work/tenure.toml" "${command[@]}" > "$work/said" 2>&1 || code=$?
    ((code != 0)) || acknowledged=$((acknowledged + 1))
  fi
  if [[ -s $work/token ]]; then
    ((code == 137)) || hit_nothing "$verb was to be killed and ended with $code"
    count_hit
    return 0
  fi
  ((code == 0)) || broken stuck "it failed without a kill: $(tail -n 2 "$work/said")"
  return 1
}

one_point() {
  local was_killed=0
  "before_$verb"
  run_to_point || was_killed=1
  "behind_$verb"
  look
  return "$was_killed"
}

sweep() {
  for ((call = 1; call <= CALLS_MAX; call++)); do one_point || return 0; done
  broken stuck "it did not come to an end within $CALLS_MAX calls"
}
# A call behind the last one hits nothing: one before it is drawn.
draw() {
  local left=$points most=$CALLS_DRAWN
  while ((left > 0)); do
    call=$((RANDOM % most + 1))
    if one_point; then left=$((left - 1)); elif ((call == 1)); then hit_nothing "$verb has no call"; else most=$((call - 1)); fi
  done
}

new_world ""
verb=world call=0
must tenant create source
sqlite3 "$(tenant_file source)" "insert into effect values (1, 'kept', 'source')"
for verb in $verbs; do
  [[ $(type -t "behind_$verb") == function ]] || cannot_run "there is no verb $verb"
  if [[ $points == all ]]; then sweep; else draw; fi
done
kills=0 each=''
for verb in $verbs; do
  kills=$((kills + ${kills_of[$verb]:-0}))
  each+=" $verb=${kills_of[$verb]:-0}"
done
echo "attempted=$attempted acknowledged=$acknowledged lost=$lost unexpected=$unexpected stuck=$stuck wrong-tenant=$foreign |" \
  "faults kill=$kills:$each | at write=${hits[write]:-0} sync=${hits[sync]:-0} truncate=${hits[truncate]:-0} rename=${hits[rename]:-0}" \
  "remove=${hits[remove]:-0} seed=$seed points=$points"
((lost + unexpected + stuck + foreign == 0))
