#!/usr/bin/env bash
# Runs debtrack on real data: every Debian package that apt knows, each maintainer
# a tenant with a database of its own.
#
# usage: ./dev demo [OPTIONS], which builds the programs first,
#        or demo.sh [OPTIONS] BINARIES
#   --chaos       kill -9 worker processes and tenured while packages are imported
#   --kills N     with --chaos: how often (25)
#   --seed N      with --chaos: which worker is hit (printed, to repeat a run)
#   --list FILE   a package list instead of `apt-cache dumpavail`
#                 (where that has none: /var/lib/dpkg/status)
#   --folder DIR  where everything is kept (demo at the checkout's root); what an
#                 earlier demo left in it is deleted first
#   --arguments   look at the arguments, and do nothing
#   --help        this text
#   BINARIES      the folder with tenured, tenure, debtrack and debtrack-worker
# Exit: 0 the cross-check holds; 1 it does not, or a fault that was asked for did
# not hit; 2 it was called wrongly.
set -euo pipefail

say() { printf '%s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
misuse() { printf 'demo: %s; see --help\n' "$*" >&2; exit 2; }
usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly MARKER=.tenure-demo  # in each folder that a demo has made
readonly PROGRAMS=(tenured tenure debtrack debtrack-worker)
chaos=no kills='' seed='' list='' folder=$here/../../demo binaries='' only_arguments=no

# --- Arguments, all of them before anything is done

# Without a zero in front, which would make it octal.
is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,8})$ ]]; }

take_arguments() {
  while (($#)); do
    case $1 in
      --help) usage; exit 0 ;;
      --chaos) chaos=yes ;;
      --arguments) only_arguments=yes ;;
      --kills | --seed | --list | --folder)
        [[ ${2:-} ]] || misuse "$1 wants a value"
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      -*) misuse "there is no option $1" ;;
      *)
        [[ ! $binaries ]] || misuse "$1 is one word too many: the programs are those in $binaries"
        binaries=$1
        ;;
    esac
    shift
  done
}

# Empty, ours, or not there yet: what is somebody else's is left alone.
check_folder() {
  [[ ! -e $folder || -d $folder ]] || misuse "$folder is no folder"
  [[ ! -d $folder || -e $folder/$MARKER || -z $(ls -A -- "$folder") ]] ||
    misuse "$folder is not empty, and no demo has made it (there is no $MARKER in it): name another folder"
}

check_arguments() {
  [[ ! $kills ]] || is_number "$kills" || misuse "--kills wants a number, not $kills"
  [[ ! $seed ]] || is_number "$seed" || misuse "--seed wants a number, not $seed"
  [[ $chaos == yes || ! $kills$seed ]] || misuse "--kills and --seed go with --chaos"
  : "${kills:=25}" "${seed:=$RANDOM}"
  [[ ! $list || -f $list ]] || misuse "--list: there is no file $list"
  check_folder
  [[ $only_arguments == no ]] || exit 0
  [[ $binaries ]] || misuse "the folder with the programs is missing"
  local program
  for program in "${PROGRAMS[@]}"; do
    [[ -x $binaries/$program ]] || misuse "there is no program $binaries/$program"
  done
}

take_arguments "$@"
check_arguments
binaries=$(cd "$binaries" && pwd)
RANDOM=$seed
started_at=$SECONDS
# A variable would win over the demo's own configuration, and name a store in use.
unset "${!TENURE_@}"

# --- A clean start, also after a demo that was cut off.

end_leftover() {
  local pid
  pid=$(cat "$folder/tenured.pid" 2> /dev/null) || return 0
  # The number may be another process's by now.
  [[ $pid =~ ^[0-9]+$ ]] || return 0
  grep --quiet --text --fixed-strings -- "$folder/tenure.toml" "/proc/$pid/cmdline" 2> /dev/null || return 0
  kill -KILL "$pid" 2> /dev/null || true
}

make_folder() {
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  : > "$folder/$MARKER"
  end_leftover
  rm -rf -- "${folder:?}"/{tenants,control.db*,tenured.log,tenured.pid,tenure.toml,{load,count}.log,{packages,expected,found}.txt}
}

# As a text of TOML may hold it.
quoted() { sed 's/[\\"]/\\&/g; s/.*/"&"/' <<< "$1"; }

write_config() {
  cat > "$folder/tenure.toml" << TOML
[application]
name = "debtrack"

[store]
path = $(quoted "$folder/control.db")

[tenants]
path = $(quoted "$folder/tenants/%{bucket}/%{tenant}.db")
migrations = $(quoted "$here/migrations")

[[pool]]
name = "general"
program = $(quoted "$binaries/debtrack-worker")
processes = 2
slots = 8
queues = ["imports", "reports"]
TOML
  chmod 644 "$folder/tenure.toml"
}

find_list() {
  packages=$folder/packages.txt
  if [[ -n $list ]]; then
    cp "$list" "$packages"
  elif ! apt-cache dumpavail > "$packages" 2> /dev/null || (($(grep -c '^Package:' "$packages") < 1000)); then
    cp /var/lib/dpkg/status "$packages"
  fi
  # Another route than the program's: awk, over the same list.
  awk '/^Maintainer:/ { sub(/^Maintainer:[ \t]*/, ""); sub(/[ \t\r]+$/, ""); count[$0]++ }
       END { for (who in count) printf "%d\t%s\n", count[who], who }' "$packages" | LC_ALL=C sort > "$folder/expected.txt"
  total=$(awk -F'\t' '{ sum += $1 } END { print sum + 0 }' "$folder/expected.txt")
  ((total > 0)) || die "no package list here: neither apt-cache dumpavail nor /var/lib/dpkg/status holds packages"
  say "input: $total packages of $(wc -l < "$folder/expected.txt") maintainers"
}

# --- tenured

daemon=''
start_daemon() {
  "$binaries/tenured" --config "$folder/tenure.toml" 2>> "$folder/tenured.log" &
  daemon=$!
  echo "$daemon" > "$folder/tenured.pid"
}

stop_daemon() {
  kill -TERM "$daemon" 2> /dev/null || true
  local code=0
  wait "$daemon" || code=$?
  daemon=''
  ((code == 0)) || die "tenured ended with $code; see $folder/tenured.log"
  rm -f -- "$folder/tenured.pid"
}

loader=''
cleanup() {
  [[ -z $loader ]] || kill "$loader" 2> /dev/null || true
  [[ -z $daemon ]] || kill -TERM "$daemon" 2> /dev/null || true
  wait 2> /dev/null || true
}
trap cleanup EXIT

tenure() { "$binaries/tenure" --config "$folder/tenure.toml" "$@"; }
debtrack() { "$binaries/debtrack" "$1" "$folder/tenure.toml" "${@:2}"; }
# Exit code 75 is "ask again": a daemon that has just been killed left its log to the next one, which reads it now.
count() {
  local answer code tries=100
  while true; do
    code=0
    answer=$(tenure job count "$@" --json 2> "$folder/count.log") || code=$?
    ((code != 0)) || break
    ((code == 75 && tries-- > 0)) || die "tenure job count ended with $code: $(cat "$folder/count.log")"
    sleep 0.1
  done
  sed -n 's/.*"count": *\([0-9]*\).*/\1/p' <<< "$answer"
}

wait_for_store() {
  local tries=100
  until tenure store show > /dev/null 2>&1; do
    kill -0 "$daemon" 2> /dev/null || die "tenured does not start: $(tail -n 1 "$folder/tenured.log")"
    ((tries-- > 0)) || die "tenured has made no control database within 10 s"
    sleep 0.1
  done
}

# --- Progress

shown=-1
progress() { # DONE ALL WHAT
  if [[ -t 1 ]]; then
    local width=30 filled=$(($2 > 0 ? 30 * $1 / $2 : 30)) bar
    printf -v bar '%*s' "$filled" ''
    printf '\r[%-*s] %6d / %d %s ' "$width" "${bar// /#}" "$1" "$2" "$3"
    (($1 < $2)) || printf '\n'
  elif (($2 > 0 && 10 * $1 / $2 != shown)); then
    shown=$((10 * $1 / $2))
    printf '%3d %%  %d of %d %s\n' $((100 * $1 / $2)) "$1" "$2" "$3"
  fi
}

# Waits until the kind has as many finished jobs as were enqueued.
wait_for_kind() { # KIND ALL WHAT
  shown=-1
  local last=-1 ended still=0
  while true; do
    ended=$(count "kind=$1" state=succeeded,dead,discarded,cancelled)
    progress "$ended" "$2" "$3"
    ((ended < $2)) || return 0
    still=$((ended == last ? still + 1 : 0))
    last=$ended
    ((still < 150)) || die "nothing has ended for 30 s; see $folder/tenured.log"
    sleep 0.2
  done
}

# --- Chaos

daemon_kills=0 worker_kills=0

kill_daemon() {
  kill -KILL "$daemon"
  local code=0
  wait "$daemon" 2> /dev/null || code=$?
  ((code == 137)) || die "tenured was to be killed and ended with $code"
  daemon_kills=$((daemon_kills + 1))
  start_daemon
}

# False where no worker process is up, which is so for a moment after a kill.
kill_worker() {
  local workers
  mapfile -t workers < <(pgrep -P "$daemon" -x debtrack-worker || true)
  ((${#workers[@]} > 0)) || return 1
  kill -KILL "${workers[RANDOM % ${#workers[@]}]}" 2> /dev/null || return 1
  worker_kills=$((worker_kills + 1))
}

# One kill each time another share of the packages is in, so that all of them fall into the work.
import_under_chaos() {
  shown=-1
  local ended next=1 last=-1 still=0
  while true; do
    ended=$(count kind=debtrack.import_package state=succeeded,dead,discarded,cancelled)
    progress "$ended" "$total" "imported, $((daemon_kills + worker_kills)) kills"
    ((ended < total)) || break
    if ((next <= kills && ended >= total * next / (kills + 2))) && (($(count state=running) > 0)); then
      if ((next % 4 == 0)); then kill_daemon; next=$((next + 1))
      elif kill_worker; then next=$((next + 1)); fi
    fi
    still=$((ended == last ? still + 1 : 0))
    last=$ended
    ((still < 1500)) || die "nothing has ended for a long time; see $folder/tenured.log"
    sleep 0.02
  done
}

check_faults() {
  local seen
  seen=$(grep -c 'signal 9' "$folder/tenured.log" || true)
  say "killed: $worker_kills worker processes (tenured saw $seen die by signal 9), tenured itself $daemon_kills times"
  ((worker_kills + daemon_kills == kills)) || die "only $((worker_kills + daemon_kills)) of $kills kills hit"
  # A worker that dies together with tenured is seen by nobody; every other one must have been.
  ((seen + daemon_kills >= worker_kills)) || die "tenured saw only $seen of $worker_kills killed workers"
}

# --- The run

make_folder
find_list
write_config
start_daemon
wait_for_store

begin=$(date +%s.%N)
debtrack load "$packages" > "$folder/load.log" &
loader=$!
if [[ $chaos == yes ]]; then
  say "chaos: $kills kills, seed $seed"
  import_under_chaos
else
  wait_for_kind debtrack.import_package "$total" imported
fi
end=$(date +%s.%N)
wait "$loader" || die "debtrack load failed: $(tail -n 1 "$folder/load.log")"
loader=''
cat "$folder/load.log"
awk -v jobs="$total" -v begin="$begin" -v end="$end" \
  'BEGIN { printf "%d jobs in %.1f s: %.0f jobs/s, each with a durable commit in its tenant, while they were enqueued\n",
           jobs, end - begin, jobs / (end - begin) }'

tenants=$(wc -l < "$folder/expected.txt")
debtrack summarise
wait_for_kind debtrack.summarise "$tenants" summarised
debtrack digest
wait_for_kind debtrack.write_digest "$tenants" "digests written"

say ''
complete=yes
debtrack report || complete=no
debtrack counts | LC_ALL=C sort > "$folder/found.txt"

# --- The cross-check

[[ $chaos == no ]] || check_faults
found=$(awk -F'\t' '{ sum += $1 } END { print sum + 0 }' "$folder/found.txt")
succeeded=$(count kind=debtrack.import_package state=succeeded)
stuck=$(count state=scheduled,ready,held,running,blocked)
dead=$(count state=dead,discarded,cancelled)
# Maintainers whose count differs, by how much: too few is lost, too many is duplicated, unknown is unexpected.
read -r lost duplicated unexpected < <(awk -F'\t' '
  NR == FNR { expected[$2] = $1; next }
  { found[$2] = $1 }
  END {
    for (who in expected) { d = found[who] - expected[who]; if (d < 0) lost -= d; if (d > 0) duplicated += d }
    for (who in found) if (!(who in expected)) unexpected += found[who]
    print lost + 0, duplicated + 0, unexpected + 0
  }' "$folder/expected.txt" "$folder/found.txt")
wrong=$([[ $complete == yes ]] && echo 0 || echo 1)
stop_daemon

say "cross-check against the list by awk: $found of $total packages found, $succeeded imports succeeded"
say "attempted=$total acknowledged=$total lost=$lost unexpected=$unexpected duplicated=$duplicated stuck=$stuck" \
  "wrong-tenant=$wrong dead=$dead | faults worker-kill=$worker_kills daemon-kill=$daemon_kills seed=$seed"
((found == total && succeeded == total && lost + unexpected + duplicated + stuck + wrong + dead == 0)) ||
  die "the cross-check fails; see $folder"
say "all is well, after $((SECONDS - started_at)) s; the databases are in $folder"
