#!/usr/bin/env bash
# Brings trouble over the tenants' files while jobs are enqueued and performed, ends it, and sees that no job was charged for it.
#
# For each trouble: two clients enqueue for jobs of eight tenants, the trouble lasts a while, is ended, and all jobs must be done soon
# after. A line each says what was burnt meanwhile, how loud and how busy it was, and how long the rest took; then the effects are compared
# with what the clients recorded (kill_load.cpp).
#
#   folder-away      the folder of all tenants has another name
#   swapped          two tenants' folders stand in each other's place
#   read-only        one tenant's file may not be written: immutable, since root may write what is 0400
#   foreign-lock     somebody else keeps a write transaction open on one tenant
#   no-descriptors   the worker processes may open no file more than they have
#   eio-read, eio-write, eio-sync   that call fails with EIO on each file of each tenant
#   full-4096, full-1024   the file system of the tenants is full; blocks of 4 KiB, and of 1 KiB, where a page of a -shm may be missing (SIGBUS)
#
# usage: troubles.sh [--seconds N] [--only NAME] [--programs FOLDER]
#   --seconds   how long each lasts (3)
#   --only      one of them
#   --programs  where tenured, tenure, kill_load and kill_worker are (build/release/bin)
#
# Exit: 0 good; 1 a job was charged, lost or done twice, or it took too long; 123 a trouble did not happen; 125 it cannot run here.
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
inside=${TROUBLES_INSIDE:-no}
# The mounts, and whatever runs on them, end with the script: it is process 1 of namespaces of its own.
if [[ $inside == no ]]; then
  ((EUID == 0)) || { echo "not run here: troubles: it mounts file systems and so must be root" >&2; exit 125; }
  unshare --mount --pid --fork true 2> /dev/null || { echo "not run here: troubles: no new namespaces allowed" >&2; exit 125; }
  exec env TROUBLES_INSIDE=yes unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- "${BASH_SOURCE[0]}" "$@"
fi
# shellcheck source=tests/reliability/world.sh
. "$root/tests/reliability/world.sh"
seconds=3 only='' programs=$root/build/release/bin seed=0
# With only jobs that are held back, far above what was ever seen: per cent of a core, lines of log a second.
readonly BUSY_ALONE_MAX=25 LINES_ALONE_MAX=30
readonly DONE_WITHIN_MS=15000 # the longest pause of a tenant, and the work that has gathered

while (($# > 0)); do
  case $1 in
    --seconds) seconds=$2 ;;
    --only) only=$2 ;;
    --programs) programs=$2 ;;
    *) cannot_run "unknown option $1" ;;
  esac
  shift 2 || cannot_run "an option without its value"
done
require_programs
[[ -f $programs/trouble_eio.so ]] || cannot_run "$programs/trouble_eio.so has not been built"

image() { # BLOCK_SIZE
  truncate -s 64M "$work/image"
  mkfs.ext4 -q -F -m 0 -b "$1" "$work/image" || cannot_run "mkfs.ext4 failed"
  mkdir -p "$work/tenants"
  mount -o loop "$work/image" "$work/tenants" || cannot_run "no loop device"
}

# --- The troubles: prepare_X before the world is made, begin_X, end_X.

begin_folder_away() { mv "$work/tenants" "$work/away"; }
end_folder_away() { mv "$work/away" "$work/tenants"; }

# By their folders, so that a file, its log and its index move in one step: moved one by one under a writer, a log is replaced that has
# just been written to, whoever the writer is.
swap_files() {
  mv "$work/tenants/tenant-0" "$work/swap"
  mv "$work/tenants/tenant-1" "$work/tenants/tenant-0"
  mv "$work/swap" "$work/tenants/tenant-1"
}
begin_swapped() { swap_files; }
end_swapped() { swap_files; }

prepare_read_only() { image 4096; }
begin_read_only() { chattr +i "$work/tenants/tenant-0/data.db" || hit_nothing "chattr refused"; }
end_read_only() { chattr -i "$work/tenants/tenant-0/data.db"; }

begin_eio() {
  echo "$1" > "$work/eio.new"
  mv "$work/eio.new" "$work/eio"
}
begin_eio_read() { begin_eio read; }
begin_eio_write() { begin_eio write; }
begin_eio_sync() { begin_eio sync; }
end_eio() {
  rm "$work/eio"
  [[ -s $work/eio-hits ]] || hit_nothing "no call failed"
}
end_eio_read() { end_eio; }
end_eio_write() { end_eio; }
end_eio_sync() { end_eio; }

lock_holder=''
begin_foreign_lock() {
  mkfifo "$work/to-holder"
  sqlite3 "$work/tenants/tenant-0/data.db" < "$work/to-holder" &
  lock_holder=$!
  exec 9> "$work/to-holder"
  printf '.timeout 10000\nbegin immediate;\n' >&9
}
end_foreign_lock() {
  printf 'rollback;\n.quit\n' >&9
  exec 9>&-
  wait "$lock_holder" || hit_nothing "sqlite3 ended with an error"
}

begin_no_descriptors() {
  local pid
  for pid in $(worker_pids); do
    prlimit --pid "$pid" --nofile="$(find "/proc/$pid/fd" -maxdepth 1 -type l | wc -l):" || hit_nothing "no limit for $pid"
  done
}
end_no_descriptors() {
  local pid
  for pid in $(worker_pids); do prlimit --pid "$pid" --nofile=1024:; done
}

prepare_full_4096() { image 4096; }
prepare_full_1024() { image 1024; }
fill() {
  local size
  for size in 1M 4K 512; do dd if=/dev/zero of="$work/tenants/filler-$size" bs="$size" 2> /dev/null || true; done
  (($(stat -f -c %a "$work/tenants") < 256)) || hit_nothing "the disk is not full"
}
begin_full_4096() { fill; }
begin_full_1024() { fill; }
end_full_4096() { rm -f "$work"/tenants/filler-*; }
end_full_1024() { rm -f "$work"/tenants/filler-*; }

with_eio() { LD_PRELOAD=$(preload_of "$programs/trouble_eio.so") TROUBLE_FOLDER=$work/tenants TROUBLE_FLAG=$work/eio TROUBLE_HITS=$work/eio-hits "$@"; }

# --- What it costs: beside the work of other tenants and, after the stroke, when only the troubled jobs are left.

# Clock ticks of processor time of tenured, its workers, and those workers that have ended.
ticks() {
  local pid sum=0 fields
  for pid in "$daemon" $(worker_pids); do
    read -r -a fields < <(sed 's/.*) //' "/proc/$pid/stat" 2> /dev/null) || continue
    sum=$((sum + fields[11] + fields[12]))
    [[ $pid != "$daemon" ]] || sum=$((sum + fields[13] + fields[14]))
  done
  echo "$sum"
}
log_lines() { wc -l < "$work/tenured.log"; }
in_database() { sqlite3 "file:$work/control.db?mode=ro" "$1"; }

# Over so long a time: busy, in per cent of a core, and lines of log a second.
watch_for() { # SECONDS
  local before_ticks before_lines
  before_ticks=$(ticks) before_lines=$(log_lines)
  sleep "$1"
  busy=$((($(ticks) - before_ticks) * 100 / $(getconf CLK_TCK) / $1)) lines=$((($(log_lines) - before_lines) / $1))
}

meet() { # NAME
  local name=${1//-/_} began busy lines waited stuck dead burnt crashes status=0
  ! mountpoint -q "$work/tenants" || umount "$work/tenants"
  new_world "prepare_$name"
  with_eio start_daemon
  start_client 0
  start_client 1
  await 'two worker processes' has_workers
  await 'promises' record_has_grown 20000
  "begin_$name"
  watch_for "$seconds"
  local busy_beside=$busy lines_beside=$lines
  kill_clients
  wait_until_others_are_done
  watch_for "$seconds"
  began=$(date +%s%N)
  "end_$name"
  wait_until_quiet
  waited=$((($(date +%s%N) - began) / 1000000))
  stuck=$(count state=scheduled,ready,held,running,blocked)
  dead=$(count state=dead,discarded,cancelled)
  stop_daemon
  burnt=$(in_database 'select count(*) from attempt where outcome = 1')
  crashes=$(in_database 'select coalesce(sum(crashes), 0) from job')
  check "$work/record" || status=1
  cat "$work/complaints" >&2
  echo "trouble=$name attempts-burnt=$burnt crashes=$crashes dead=$dead log-lines/s=$lines_beside/$lines" \
    "processor=$busy_beside/$busy% done-after=${waited}ms | $(< "$work/verdict") stuck=$stuck"
  ((burnt + crashes + dead + stuck == 0 && waited <= DONE_WITHIN_MS)) || status=1
  if ((busy > BUSY_ALONE_MAX || lines > LINES_ALONE_MAX)); then
    echo "troubles: $1: too busy or too loud with nothing to do" >&2
    status=1
  fi
  return "$status"
}

failed=0
for trouble in folder-away swapped read-only foreign-lock no-descriptors eio-read eio-write eio-sync full-4096 full-1024; do
  [[ -z $only || $only == "$trouble" ]] || continue
  meet "$trouble" || failed=1
done
! mountpoint -q "$work/tenants" || umount "$work/tenants"
exit "$failed"
