#!/usr/bin/env bash
# Cuts the power under processes that write to one database, again and again, and counts what was promised and is gone.
#
# The database lies on an ext4 of its own, in an image on a loop device. At a random moment that file system is stopped
# without writing anything more; the writers are killed, the image is mounted again, which replays its journal, and
# power_cut_check compares the database with the record that the writers kept elsewhere. All cuts hit the same image, so
# each also tests the recovery from the one before. Not modelled: a disk that lies about its own cache.
#
# usage: power_cut.sh [--of database|store] [--cuts N] [--control-cuts N] [--seed N] [--programs FOLDER]
#   --of            what is written to: a plain database that knows how many ordered commits it has seen (power_cut_load), or
#                   the control database, absorbed and settled all the time (power_cut_store); database unless said
#   --cuts          with durable writes: nothing may be lost (60)
#   --control-cuts  before that, with ordered writes, until one of so many loses something, else this script proves nothing
#                   (20): one cut may fall just behind a checkpoint's sync
#   --seed          of the random moments
#   --programs      where power_cut_load, power_cut_check and power_cut_stop are (build/dev/bin)
#
# Exit: 0 good; 1 promises were broken; 123 a cut that was asked for hit nothing; 125 it cannot run here.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
of=database cuts=60 control_cuts=20 seed=$RANDOM programs=$root/build/dev/bin inside=no

cannot_run() {
  echo "not run here: power_cut: $*" >&2
  exit 125
}

arguments=("$@")
while (($# > 0)); do
  case $1 in
    --of) of=$2 ;;
    --cuts) cuts=$2 ;;
    --control-cuts) control_cuts=$2 ;;
    --seed) seed=$2 ;;
    --programs) programs=$2 ;;
    --inside) inside=$2 ;;
    *) cannot_run "unknown option $1" ;;
  esac
  shift 2 || cannot_run "an option without its value"
done

case $of in
  database) load=$programs/power_cut_load checker=("$programs/power_cut_check") ;;
  store) load=$programs/power_cut_store checker=("$programs/power_cut_store" check) ;;
  *) cannot_run "--of is database or store, not $of" ;;
esac

# The real run is process 1 of namespaces of its own: however it ends, its mounts and its writers end with it.
if [[ $inside == no ]]; then
  ((EUID == 0)) || cannot_run "it mounts file systems and so must be root"
  for tool in unshare mount umount mkfs.ext4 losetup; do
    command -v "$tool" > /dev/null || cannot_run "$tool is missing"
  done
  for program in power_cut_load power_cut_check power_cut_store power_cut_stop; do
    [[ -x $programs/$program ]] || cannot_run "$programs/$program has not been built"
  done
  unshare --mount --pid --fork true 2> /dev/null || cannot_run "no new namespaces allowed"
  losetup --find > /dev/null 2>&1 || cannot_run "no loop device"
  parent=${TMPDIR:-/tmp}
  if [[ -d /dev/shm && -w /dev/shm ]]; then parent=/dev/shm; fi
  work=$(mktemp -d "$parent/tenure-power-cut.XXXXXX")
  trap 'rm -rf --one-file-system -- "$work"' EXIT
  status=0
  unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- \
    "${BASH_SOURCE[0]}" --inside "$work" "${arguments[@]}" --seed "$seed" || status=$?
  exit "$status"
fi

work=$inside
disk=$work/disk
database=$disk/control.db
record=$work/record
writers=()
total_hits=0

power_on() { mount -o loop "$work/image" "$disk" || cannot_run "the image cannot be mounted"; }

new_disk() {
  rm -f "$work/image"
  : > "$record"
  mkdir -p "$disk"
  truncate -s 192M "$work/image"
  mkfs.ext4 -q -F -m 0 "$work/image" || cannot_run "mkfs.ext4 failed"
  power_on
  "$load" prepare "$database"
}

start_writers() { # CUT durable|ordered
  writers=()
  local process
  for process in 1 2; do
    "$load" enqueue "$database" "$record" "$1.$process" "$2" 2>> "$work/noise" &
    writers+=($!)
  done
  "$load" claim "$database" "$record" 2>> "$work/noise" &
  writers+=($!)
}

kill_writers() {
  local writer
  for writer in "${writers[@]}"; do kill -KILL "$writer" 2> /dev/null || true; done
  for writer in "${writers[@]}"; do wait "$writer" 2> /dev/null || true; done
}

promises() { grep -c '^=' "$record" || true; }

# What was promised after the cut counts for nothing; what was tried may still have reached the disk just before it.
forget_late_promises() { # SIZE
  LC_ALL=C awk -v size="$1" '{ end += length($0) + 1 } end <= size || /^\+/' "$record" > "$work/kept"
  mv "$work/kept" "$record"
}

unmount_dead_disk() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    if umount "$disk" 2> /dev/null; then return; fi
    sleep 0.02
  done
  cannot_run "the stopped file system stays busy"
}

at_work() {
  local writer
  for writer in "${writers[@]}"; do kill -0 "$writer" 2> /dev/null || return 1; done
}

hit_nothing() { # CUT WHY
  echo "power_cut: cut $1 hit nothing: $2" >&2
  tail -3 "$work/noise" >&2
  exit 123
}

cut_power() { # CUT durable|ordered
  local before size
  before=$(promises)
  start_writers "$1" "$2"
  # The random time begins when they are at work, however slowly this machine starts them.
  while (($(promises) <= before)); do
    at_work || hit_nothing "$1" "a writer has ended before its first promise"
    sleep 0.01
  done
  sleep "0.$((RANDOM % 30 + 10))"
  at_work || hit_nothing "$1" "a writer has ended"
  size=$("$programs/power_cut_stop" "$disk" "$record") || cannot_run "the file system cannot be stopped"
  kill_writers
  forget_late_promises "$size"
  unmount_dead_disk
  power_on
  total_hits=$((total_hits + 1))
}

check() { # [final]
  local status=0
  "${checker[@]}" "$database" "$record" "$@" > "$work/verdict" 2> "$work/complaints" || status=$?
  if ((status > 1)); then
    tail -5 "$work/complaints" >&2
    echo "power_cut: the check itself failed after cut $total_hits, seed=$seed" >&2
    exit 1
  fi
  return "$status"
}

complain() { grep -E '^(lost|unexpected|duplicated)' "$work/complaints" >&2 || true; }

RANDOM=$seed
: > "$work/noise"

new_disk
control_lost=no
for ((cut = 1; cut <= control_cuts; cut++)); do
  [[ $control_lost == no ]] || break
  cut_power "$cut" ordered
  check || control_lost=yes
  # Ordered commits may go, but only the last ones: never a state that nobody wrote.
  if ! grep -q 'unexpected=0 duplicated=0' "$work/verdict"; then
    echo "power_cut: after control cut $cut: $(head -1 "$work/verdict") seed=$seed" >&2
    complain
    exit 1
  fi
done
if ((control_cuts > 0)); then
  echo "control: $(head -1 "$work/verdict") | faults cut=$total_hits seed=$seed"
  if [[ $control_lost == no ]]; then
    echo "power_cut: the control run lost nothing, so the cuts of this script do not cut" >&2
    exit 123
  fi
fi
umount "$disk"

new_disk
total_hits=0 broken=0
for ((cut = 1; cut <= cuts; cut++)); do
  cut_power "$cut" durable
  if ! check; then
    broken=$((broken + 1))
    echo "power_cut: after cut $cut: $(head -1 "$work/verdict")" >&2
    complain
  fi
done
"$load" drain "$database" "$record" 2>> "$work/noise"
check final || broken=$((broken + 1))
checkpoints=$(sed -n 's/^checkpoints=//p' "$work/verdict")
umount "$disk"
echo "$(head -1 "$work/verdict") | faults cut=$total_hits checkpoint=$checkpoints seed=$seed"
if ((checkpoints == 0)); then
  echo "power_cut: no checkpoint ran while the power was cut" >&2
  exit 123
fi
if [[ $of == store ]] && ! grep -q '^bookkeeping=[1-9]' "$work/verdict"; then
  echo "power_cut: nothing was absorbed or settled while the power was cut" >&2
  exit 123
fi
((total_hits == cuts)) || exit 123
((broken == 0))
